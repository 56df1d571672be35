"""The schemas that other systems are given: current, valid, and saying all that the catalogue says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from typer.testing import CliRunner

from infra.asyncapi import asyncapi
from infra.cli.main import app
from infra.schemas import documents, found_in, outdated, write_all
from ledger.catalogue import find, types_by_name
from ledger.catalogue.base import EventType, sealed_pointers
from ledger.catalogue.schema import data_schema, ecma, event_schema, plaintext_schema
from ledger.log import TOPICS
from tests.schemas import validator

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "schemas"
ROWS = sorted(types_by_name().values(), key=lambda row: row.type)
every_type = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
BOX = {"s": 1, "key": "0" * 32, "filled": True, "box": "AAAA", "commit": "A" * 43 + "="}


def release() -> str:
    return json.loads((FOLDER / "asyncapi.json").read_bytes())["info"]["version"]


def row_of(name: str) -> EventType:
    row = find(f"rogatory.{name}.v1")
    assert row is not None
    return row


def says(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["schema", *arguments])
    assert done.exit_code == code, done.output
    return done.output


# The files


def test_the_files_are_current() -> None:
    assert not outdated(FOLDER, release()), "run `.venv/bin/rogatory schema --all schemas`"


def test_the_document_is_of_this_release() -> None:
    assert f'version = "{release()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_changed_an_absent_and_a_superfluous_file_are_found(tmp_path: Path) -> None:
    written = write_all(tmp_path, "1")
    assert written == 2 * len(ROWS) + 1
    assert not outdated(tmp_path, "1")
    (tmp_path / "events" / "request.sent.v1.json").write_bytes(b"{}")
    (tmp_path / "plaintext" / "request.sent.v1.json").unlink()
    (tmp_path / "events" / "request.eaten.v1.json").write_bytes(b"{}")
    (tmp_path / "README.md").write_text("ours", encoding="utf-8")
    wrong = ["events/request.eaten.v1.json", "events/request.sent.v1.json", "plaintext/request.sent.v1.json"]
    assert outdated(tmp_path, "1") == wrong
    assert outdated(tmp_path, "2") == ["asyncapi.json", *wrong]
    write_all(tmp_path, "1")
    assert not outdated(tmp_path, "1")
    assert (tmp_path / "README.md").exists()
    assert len(found_in(tmp_path)) == 2 * len(ROWS)


# JSON Schema


@every_type
def test_every_schema_is_valid_and_says_every_field(row: EventType) -> None:
    fields = {f.encode_name: f.required for f in msgspec.structs.fields(row.data)}
    for make in (event_schema, data_schema, plaintext_schema):
        schema = make(row)
        Draft202012Validator.check_schema(schema)
        data = schema["$defs"][row.data.__name__] if make is event_schema else schema
        assert {name: name in data.get("required", ()) for name in data["properties"]} == fields
        assert data["additionalProperties"] is False


@every_type
def test_sealed_fields_are_boxes_on_the_wire_and_plaintext_before(row: EventType) -> None:
    boxes = json.dumps(data_schema(row)).count('"$ref": "#/$defs/Sealed')
    plain = json.dumps(plaintext_schema(row))
    assert (boxes > 0) == bool(sealed_pointers(row.data))
    assert "#/$defs/Sealed" not in plain
    assert ("Sealed before it leaves" in plain) == bool(sealed_pointers(row.data))


def test_a_sealed_field_says_what_plaintext_it_takes() -> None:
    found = data_schema(row_of("step.taken"))["$defs"]
    assert found["SealedText"]["x-plaintext"] == {"type": "string"}
    assert found["SealedObject"]["x-plaintext"] == {"type": "object"}
    step: dict[str, Any] = {"step": "scanned", "attributes": {"pages": 3}, "note": "twice"}
    assert validator(plaintext_schema(row_of("step.taken"))).is_valid(step)
    assert not validator(data_schema(row_of("step.taken"))).is_valid(step)
    assert validator(data_schema(row_of("step.taken"))).is_valid({"step": "scanned", "attributes": BOX, "note": BOX})


@pytest.mark.parametrize(
    ("box", "valid"),
    [("", True), ("AAAA", True), ("AAA=", True), ("AA==", True), ("AAA", False), ("AB==", False), ("AAB=", False)],
)
def test_boxes_are_canonical_base64(box: str, valid: bool) -> None:
    assert validator(data_schema(row_of("step.taken"))).is_valid({"step": "x", "note": {**BOX, "box": box}}) is valid


def test_members_that_depend_on_each_other_do_so_in_the_schema() -> None:
    schema = validator(data_schema(row_of("contact.designated")))
    contact: dict[str, Any] = dict.fromkeys(("surname", "name", "post", "phone", "email"), BOX)
    contact |= {"contact": "c-1", "office": "RU-OMS", "effective": "2025-03-03"}
    assert schema.is_valid({**contact, "patronymic": BOX})
    assert schema.is_valid({**contact, "no_patronymic": True})
    assert schema.is_valid({**contact, "patronymic": BOX, "no_patronymic": False})
    assert not schema.is_valid(contact)
    assert not schema.is_valid({**contact, "no_patronymic": False})
    assert not schema.is_valid({**contact, "patronymic": BOX, "no_patronymic": True})


def test_a_pattern_ends_as_ecma_has_it() -> None:
    assert ecma(r"^[a-z]+\Z") == "^[a-z]+$"
    assert r"\Z" not in "".join(said.decode() for _, said in documents("1"))


# AsyncAPI; the official validator is asked in tests/integration/test_schema_tools.py


def test_the_document_has_every_topic_and_every_type() -> None:
    document = asyncapi("1")
    assert {c["address"] for c in document["channels"].values()} == {f"{{ledger}}.{topic}" for topic in TOPICS}
    taken = document["channels"]["submissions"]["messages"]
    assert set(taken) == {row.type.removeprefix("rogatory.") for row in ROWS}
    for row in ROWS:
        Draft7Validator.check_schema(document["components"]["schemas"][row.type.removeprefix("rogatory.")])


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = asyncapi("1")

    def look(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                look(item)
        elif isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                found: Any = document
                for name in value["$ref"].removeprefix("#/").split("/"):
                    found = found[name]
            for member in value.values():
                look(member)

    look(document)
    assert "$defs" not in json.dumps(document)
    assert "dependentRequired" not in json.dumps(document)


# The command


def test_the_command_prints_a_schema_or_the_topics() -> None:
    assert json.loads(says("request.sent"))["title"] == "rogatory.request.sent.v1"
    assert "act_of" in json.loads(says("request.sent", "--part", "data"))["properties"]
    assert json.loads(says("request.sent", "--part", "plaintext"))["properties"]["note"]["type"] == "string"
    assert json.loads(says("--asyncapi"))["asyncapi"] == "3.0.0"


def test_the_command_writes_a_folder_and_checks_it(tmp_path: Path) -> None:
    assert f"{2 * len(ROWS) + 1} files written" in says("--all", str(tmp_path))
    assert "current" in says("--all", str(tmp_path), "--check")
    (tmp_path / "asyncapi.json").unlink()
    assert json.loads(says("--all", str(tmp_path), "--check", "--json", code=1))["outdated"] == ["asyncapi.json"]


@pytest.mark.parametrize("arguments", [[], ["request.sent", "--asyncapi"], ["request.sent", "--check"]])
def test_a_wrong_choice_is_a_message(arguments: list[str]) -> None:
    assert "expected" in says(*arguments, code=2)


def test_an_unknown_type_is_suggested_another() -> None:
    assert "did you mean request.sent?" in says("request.snt", code=2)
