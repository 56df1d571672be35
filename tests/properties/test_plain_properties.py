"""The plain reading takes nothing but what the strict one takes, and all that our own builder writes."""

from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger import catalogue
from ledger.admission import Admitted
from ledger.catalogue.base import EventType, types_by_name
from ledger.errors import FormatError
from ledger.event import parse_event
from ledger.plain import members_of, read_plain
from tests.admissions import respelled, signatures
from tests.properties.test_admission_properties import both, of, world
from tests.properties.test_parser_properties import mutated
from tests.strategies import event_data
from tests.unit.test_admission import BOX

many = settings(max_examples=150, deadline=None)
ROWS = sorted((r for r in types_by_name().values() if r.name not in catalogue.FREE_FORM), key=lambda r: r.type)
SIGNED = {
    "kind": "mla", "direction": "out", "partner": "KZ", "requesting": "RU-OMS", "requested": "KZ-PGO",
    "substance": BOX, "purpose_text": BOX, "grounds": BOX, "purposes": [], "assistance": BOX,
    "legal_basis": ["ru-kz-2009"], "signer": "p-1", "signer_role": "head", "signature": "ink", "lang": "ru",
    "received_on": "2025-03-03T10:00:00.000Z", "court_ruling": {"date": "2025-02-28", "court": BOX},
}  # fmt: skip
OPTIONS = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "a=b", "actor": "p-1", "expectedseq": 1}


def written(name: str, members: dict[str, Any], **attributes: Any) -> bytes:
    """An event as our own builder writes it, attributes and members in the order of their types."""
    row = types_by_name()[f"rogatory.{name}.v1"]
    raw = world().event("request/a", name, catalogue.convert_data(row, members), **attributes)
    return msgspec.json.encode(msgspec.json.decode(raw, type=type(parse_event(raw))))


def sound(raw: bytes) -> None:
    """What the plain reading takes, the strict one takes, and reads the same."""
    plain = read_plain(raw)
    if plain is None:
        return
    event = parse_event(raw)
    assert catalogue.convert_data(catalogue.known(event.type), members_of(event.data)) is not None
    assert members_of(plain.data) == members_of(event.data)
    names = [name for name in event.__struct_fields__ if name != "data"]
    assert [getattr(plain, name) for name in names] == [getattr(event, name) for name in names]


@pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_what_our_builder_writes_of_any_type_is_plain(row: EventType, data: st.DataObject) -> None:
    raw = written(row.name, data.draw(event_data(row.data)))
    try:
        parse_event(raw)
    except FormatError:
        assume(False)  # noncharacters in a public text
    assert read_plain(raw) is not None
    sound(raw)
    assert read_plain(respelled(raw)) is None


@many
@given(data=st.data(), options=st.booleans())
def test_mutations_of_a_sealed_act_are_decided_alike(data: st.DataObject, *, options: bool) -> None:
    raw = data.draw(mutated(written("request.signed", SIGNED, id_="sealed", **(OPTIONS if options else {}))))
    sound(raw)
    both(world().states[1], of(raw, signatures(raw, [world().oms])))


@many
@given(
    member=st.sampled_from(["key", "box", "commit"]),
    at=st.integers(0, 63),
    put=st.sampled_from([*string.printable, "", "é", "AA", "=="]),
    keep=st.booleans(),
)
def test_boxes_spelled_in_another_way_are_decided_alike(member: str, at: int, put: str, *, keep: bool) -> None:
    value = str(BOX[member])
    at %= len(value)
    changed = {**BOX, member: value[:at] + put + value[at + (0 if keep else 1) :]}
    members = {"executing": "RU-OMS", "note": BOX}
    text = written("request.accepted", members, id_="boxed").decode()
    raw = text.replace(msgspec.json.encode(BOX).decode(), msgspec.json.encode(changed).decode()).encode()
    sound(raw)
    decision = both(world().states[1], of(raw, signatures(raw, [world().oms])))
    assert isinstance(decision, Admitted) == (read_plain(raw) is not None)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (
            '"commit":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="',
            '"commit":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="',
        ),
        ('"commit":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="', '"commit":"AAAA"'),
        ('"box":"AAAA"', '"box":"AAA"'),
        ('"box":"AAAA"', '"box":"AB=="'),
        ('"box":"AAAA"', '"box":"AA-_"'),
        ('"key":"0', '"key":"A'),
        ('"s":1', '"s":1.0'),
        ('"s":1', '"s":2'),
        ('"filled":true', '"filled":1'),
        ('"data":{', '"data":{"act_of":null,'),
        ('"data":{', '"data":{"lang":"ru",'),
        ('"data":{', '"data":{"other":"ru",'),
        ('"data":{', '"data": {'),
        ('"2025-02-28"', '"2025-2-28"'),
        ('"request/a"', '"request/ a"'),
        ('"id":"e', '"id":"é'),
        ('"id":"e', f'"id":"{"e" * 64}'),
        ('"specversion":"1.0"', '"specversion":"1.1"'),
        ("office/RU-OMS", f"office/{'A' * 33}"),
        ("office/RU-OMS", "office/RU--OMS"),
        ('"ledger":"', '"ledger":"-'),
        ("T10:00:00", "T24:00:00"),
        ("-01-", "-13-"),
        ('"expectedseq":1', '"expectedseq":-1'),
        ('"expectedseq":1', '"expectedseq":9007199254740992'),
        ('"actor":"p-1"', f'"actor":"{"p" * 65}"'),
        ('"actor":"p-1"', '"actor":null'),
        ('"traceparent":"00', '"traceparent":"0'),
        ('"tracestate":"a', '"tracestate":"é'),
        ("rogatory.request.signed.v1", "rogatory.request.sent.v1"),
        ("rogatory.request.signed.v1", "rogatory.request.signed.v2"),
    ],
)
def test_every_other_event_is_left_to_the_strict_reading(found: str, instead: str) -> None:
    text = written("request.signed", SIGNED, id_="e-1", time="2025-01-01T10:00:00.000Z", **OPTIONS).decode()
    assert read_plain(text.encode()) is not None
    assert found in text
    assert read_plain(text.replace(found, instead, 1).encode()) is None
