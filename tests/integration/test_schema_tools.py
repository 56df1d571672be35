"""The validators of others on what we publish for others: the official AsyncAPI parser, and Ajv for JSON Schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.catalogue import types_by_name
from ledger.log import TOPICS
from tests.tools import Node, node

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
EVENT = json.loads((ROOT / "tests" / "conformance" / "vectors" / "event.json").read_bytes())["text"]
SEALED = json.loads((ROOT / "tests" / "conformance" / "vectors" / "sealed.json").read_bytes())["cases"][0]["sealed"]


@pytest.fixture(scope="module")
def tools() -> Node:
    return node(ROOT / "tests" / "node")


def ran(tools: Node, script: str, *arguments: str, given: str = "") -> str:
    command = [tools.program, str(tools.folder / script), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def parsed(tools: Node, document: Path) -> dict[str, Any]:
    return json.loads(ran(tools, "asyncapi.mjs", str(document)))


def test_the_official_parser_finds_no_fault_in_the_document(tools: Node) -> None:
    said = parsed(tools, SCHEMAS / "asyncapi.json")
    assert [f for f in said["faults"] if f["code"] != "asyncapi-latest-version"] == []
    assert said["found"]["version"] == "3.0.0"
    assert set(said["found"]["channels"]) == {f"{{ledger}}.{topic}" for topic in TOPICS}
    assert said["found"]["messages"] == len(types_by_name()) + 2
    assert dict(said["found"]["operations"]) == {
        "submit": "send", "followLedger": "receive", "followOutcomes": "receive",
    }  # fmt: skip


def test_the_official_parser_finds_the_fault_of_a_spoilt_document(tools: Node, tmp_path: Path) -> None:
    document = json.loads((SCHEMAS / "asyncapi.json").read_bytes())
    document["operations"]["submit"]["action"] = "shout"
    (tmp_path / "spoilt.json").write_text(json.dumps(document), encoding="utf-8")
    said = parsed(tools, tmp_path / "spoilt.json")
    assert said["found"] is None
    assert any(f["severity"] == 0 for f in said["faults"])


def test_another_validator_takes_every_schema_and_agrees_on_events(tools: Node) -> None:
    event = json.loads(EVENT)
    step = {**event, "type": "rogatory.step.taken.v1", "data": {"step": "x", "note": SEALED}}
    accepted = SCHEMAS / "events" / "request.accepted.v1.json"
    taken = SCHEMAS / "events" / "step.taken.v1.json"
    asked: list[tuple[Path, Any, bool]] = [
        *((path, None, False) for path in sorted(SCHEMAS.glob("*/*.json"))),  # that each compiles
        (accepted, event, True),
        (accepted, {**event, "subject": "register"}, False),
        (accepted, {**event, "id": "x\n"}, False),
        (accepted, {**event, "time": "2025-02-30T10:00:00Z"}, False),
        (accepted, {**event, "another": 1}, False),
        (taken, step, True),
        (taken, {**step, "data": {**step["data"], "note": "in clear"}}, False),
        (SCHEMAS / "plaintext" / "step.taken.v1.json", {"step": "x", "note": "in clear"}, True),
    ]
    lines = "\n".join(json.dumps({"schema": str(path), "value": value}) for path, value, _ in asked)
    said = ran(tools, "validate.mjs", given=lines).split()
    assert [answer == "true" for answer in said] == [right for _, _, right in asked]
    assert len(asked) > 2 * len(types_by_name())
