"""docs/formats.md says what the vectors say: every example, every number, every reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ledger import ids
from ledger.catalogue import types_by_name
from ledger.dispositions import MEANING, Disposition
from ledger.event import MAX_EVENT_BYTES
from ledger.ijson import MAX_DEPTH
from ledger.seal import MAX_ENTRY_BYTES
from ledger.signature import (
    ENTRY_PAYLOAD,
    EVENT_PAYLOAD,
    MAX_SIGNATURES,
    POSSESSION_PAYLOAD,
    STATE_PAYLOAD,
)
from ledger.signers import COORDINATOR_FAMILIES, OWN_OFFICE_FAMILIES, THRESHOLD_TYPES
from tests.conformance.frozen import FOLDER, at

TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
# A fence of three backticks, the language, then vector=<file>.json#<JSON Pointer>.
BLOCKS = re.findall(r"^```(json|text) vector=([a-z0-9-]+)\.json#(\S+)\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("kind", "name", "pointer", "said"), BLOCKS, ids=[f"{b[1]}#{b[2]}" for b in BLOCKS])
def test_an_example_is_the_vector(kind: str, name: str, pointer: str, said: str) -> None:
    vector = at(name, pointer)
    if kind == "text":
        assert said == vector
    else:
        assert json.loads(said) == vector


def test_every_block_of_code_is_an_example_from_the_vectors() -> None:
    assert len(BLOCKS) >= 25
    assert TEXT.count("```") == 2 * len(BLOCKS)


def test_every_format_has_an_example() -> None:
    files = {path.stem for path in FOLDER.iterdir()}
    shown = {name for _, name, _, _ in BLOCKS}
    assert {"event", "genesis", "possession", "sealed", "copies", "outcomes", "partition-1"} <= shown <= files
    for name in files - shown - {"dsse", "partition-0"}:
        assert f"`{name}.json`" in TEXT, name


ROWS = re.findall(r"^\| ([0-9]+) \| `([a-z-]+)` \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)


def test_the_table_of_reasons_is_the_codes() -> None:
    assert {int(n): word for n, word, _, _ in ROWS} == {int(d): d.reason for d in Disposition}
    # The order of the table is the order of the checks: by number, with the duplicate behind 8.
    assert [int(n) for n, *_ in ROWS] == [0, *range(2, 9), 1, *range(9, 20)]
    for n, _, _, says in ROWS:
        if int(n) > 1:
            assert says == MEANING[Disposition(int(n))]


def test_the_table_of_signers_is_the_codes() -> None:
    rows = re.findall(r"^\| (`(?:register\.opened|office\.\*|role\.\*)`.*?) \| .*? \|$", TEXT, re.MULTILINE)
    said = [set(re.findall(r"`([a-z.]+?)(?:\.\*)?`", row)) for row in rows]
    assert said == [THRESHOLD_TYPES, COORDINATOR_FAMILIES, OWN_OFFICE_FAMILIES]


def test_the_limits_are_the_codes() -> None:
    assert (MAX_EVENT_BYTES, MAX_ENTRY_BYTES, MAX_DEPTH, MAX_SIGNATURES) == (49_152, 65_535, 32, 4)
    for said in ("49,152 bytes", "at most 65,535 bytes", "more than 32 arrays", "one to four"):
        assert said in " ".join(TEXT.split()), said
    for payload in (EVENT_PAYLOAD, ENTRY_PAYLOAD, POSSESSION_PAYLOAD, STATE_PAYLOAD):
        assert f"| `{payload}` |" in TEXT
    assert ids.OFFICE_CODE_MAX == 32
    assert ids.SUBJECT_MAX == 128


def test_the_table_of_subjects_has_every_sort() -> None:
    sorts = re.findall(r"^\| `(register|[a-z]+)(?:/[^`]*)?` \| [^|]* \| (?:0;|murmur2|p )", TEXT, re.MULTILINE)
    assert set(sorts) == set(ids.SORTS)


def test_the_statements_exist() -> None:
    names = {row.name: row for row in types_by_name().values()}
    rows = re.findall(r"^\| `([a-z.]+)` \| `(register|ledger)[^`]*` \| (.*?) \| ", TEXT, re.MULTILINE)
    assert len(rows) == 4
    for name, sort, members in rows:
        assert names[name].sorts == (sort,)
        assert re.findall(r"`([a-z]+)`", members) == list(names[name].data.__struct_fields__)
