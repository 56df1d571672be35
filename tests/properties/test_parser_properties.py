"""Whatever bytes come in, a parser gives a value or its domain error; what it gives is written as it was read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.adapters.keys import KeyFile, _parse, new_key
from infra.config import parse_address
from ledger import catalogue
from ledger.catalogue.base import Sealed
from ledger.errors import ConfigError, FormatError, KeyFault, RogatoryError
from ledger.event import parse_event, read_event, time_ms
from ledger.ids import Kid
from ledger.ijson import MAX_INTEGER, has_noncharacter, parse_ijson
from ledger.merkle import format_frontier, parse_frontier
from ledger.outcome import (
    Outcome,
    OutcomeKey,
    format_outcome,
    format_outcome_key,
    parse_outcome,
    parse_outcome_key,
)
from ledger.seal import Home, Seal, format_seal, parse_seal, read_seal, seal_signatures
from ledger.sealing import Place, disclose_field, field_key, open_field, seal_field
from ledger.signature import (
    Signature,
    decode_base64,
    encode_base64,
    format_signature,
    parse_kid,
    parse_signature,
)
from ledger.submission import Receipt, parse_signatures
from tests.strategies import hexes, instants, json_values, offices
from tests.unit.test_event import raw_of

few = settings(max_examples=60, deadline=None)
many = settings(max_examples=150, deadline=None)

SEAL_TEXT = format_seal(
    Seal(
        1,
        41,
        2,
        "5b" * 32,
        [("RU-OMS#" + "0" * 32, encode_base64(bytes(64)))],
        1,
        0,
        57,
        "c9" * 32,
        Home(1, 2, "0" * 64),
    )
)
OUTCOME_TEXT = format_outcome(Outcome("duplicate", 1, "duplicate", "a", "b", Receipt(3, 0, 57, 41, 2, "5b" * 32)))
SIGNATURE_TEXT = format_signature(Signature(Kid("RU-OMS#" + "0" * 32), bytes(64)))
KEY_TEXT = msgspec.json.encode(KeyFile("RU-OMS#" + "0" * 32, "ed25519", "sign", "A" * 43 + "=", "A" * 43 + "="))
FIELD_KEY = field_key(bytes(32), Place("l", "s", "i", "s", "t", "/data/x"))
BOX = seal_field(bytes(32), Place("l", "s", "i", "s", "t", "/data/x"), "text")
EVENT_TEXT = raw_of(actor="p-1", expectedseq=3)
ROW = catalogue.known("rogatory.record.corrected.v1")
DATA_TEXT = msgspec.json.encode(
    {"target": "e-1", "how": "replace", "fields": {"a": [1]}, "why": msgspec.to_builtins(BOX)}
)


def boxed(text: str) -> Sealed:
    """A sealed field with any text for a box, as nobody can read one from an event."""
    other = msgspec.structs.replace(BOX)
    msgspec.structs.force_setattr(other, "box", text)
    return other


@st.composite
def mutated(draw: st.DrawFn, right: bytes) -> bytes:
    """Right bytes with some of them flipped, cut, repeated or replaced by what often breaks parsers."""
    raw = bytearray(right)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        what = draw(st.sampled_from(["flip", "cut", "insert", "repeat"]))
        if what == "flip" and at < len(raw):
            raw[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "cut":
            del raw[at : at + draw(st.integers(1, 20))]
        elif what == "repeat":
            raw[at:at] = raw[max(0, at - draw(st.integers(1, 20))) : at]
        else:
            raw[at:at] = draw(
                st.sampled_from(
                    [b'"', b"\\", b"{", b"[" * 600, b"]", b",", b" ", b"\xff", b"\xed\xa0\x80", b"\\ud800",
                     b"\xef\xbf\xbf",
                     b"1.5", b"1e9", b"9" * 30, b"-0", b"null", b"NaN", b"\x00", b"\n", "٣".encode()]
                )
            )  # fmt: skip
    return bytes(raw)


PARSERS: dict[str, tuple[Callable[[bytes], Any], bytes, type[RogatoryError]]] = {
    "parse_ijson": (parse_ijson, EVENT_TEXT, FormatError),
    "parse_event": (parse_event, EVENT_TEXT, FormatError),
    "read_event": (read_event, EVENT_TEXT, FormatError),
    "parse_signature": (parse_signature, SIGNATURE_TEXT, FormatError),
    "parse_signatures": (lambda raw: parse_signatures(raw.split(b"\n")), SIGNATURE_TEXT, FormatError),
    "parse_kid": (parse_kid, SIGNATURE_TEXT.split()[0], FormatError),
    "parse_seal": (parse_seal, SEAL_TEXT, FormatError),
    "read_seal": (read_seal, SEAL_TEXT, FormatError),
    "parse_outcome": (parse_outcome, OUTCOME_TEXT, FormatError),
    "parse_outcome_key": (parse_outcome_key, b"3/0/57", FormatError),
    "parse_frontier": (lambda raw: parse_frontier(raw, len(raw) % 7), bytes(32), FormatError),
    "decode_base64": (decode_base64, encode_base64(bytes(range(40))).encode(), FormatError),
    "decode_data": (lambda raw: catalogue.decode_data(ROW, raw), DATA_TEXT, FormatError),
    "disclose_field, box": (
        lambda raw: disclose_field(FIELD_KEY, msgspec.structs.replace(BOX, box=encode_base64(raw))),
        decode_base64(BOX.box),
        FormatError,
    ),
    "disclose_field, key": (lambda raw: disclose_field(raw, BOX), FIELD_KEY, FormatError),
}
TEXT_PARSERS: dict[str, tuple[Callable[[str], Any], str, type[RogatoryError]]] = {
    "parse_kid": (parse_kid, "RU-OMS#" + "0" * 32, FormatError),
    "time_ms": (time_ms, "2025-03-03T10:00:00.123+06:00", FormatError),
    "decode_base64": (decode_base64, "AAAA", FormatError),
    "parse_address": (parse_address, "kafka://localhost:9092,[::1]:9092/assistance", ConfigError),
    "disclose_field, box": (
        lambda text: disclose_field(FIELD_KEY, boxed(text)),
        BOX.box,
        FormatError,
    ),
    "disclose_field, commit": (
        lambda text: disclose_field(FIELD_KEY, msgspec.structs.replace(BOX, commit=text)),
        BOX.commit,
        FormatError,
    ),
}


@pytest.mark.parametrize("name", PARSERS)
@many
@given(data=st.data())
def test_a_parser_of_bytes_lets_out_its_domain_error_only(name: str, data: st.DataObject) -> None:
    parse, right, error = PARSERS[name]
    raw = data.draw(mutated(right) | st.binary(max_size=200))
    try:
        parse(raw)
    except error:
        return


@pytest.mark.parametrize("name", TEXT_PARSERS)
@many
@given(data=st.data())
def test_a_parser_of_text_lets_out_its_domain_error_only(name: str, data: st.DataObject) -> None:
    parse, right, error = TEXT_PARSERS[name]
    raw = data.draw(
        mutated(right.encode()).map(lambda raw: raw.decode("utf-8", "surrogateescape")) | st.text(max_size=60)
    )
    try:
        parse(raw)
    except error:
        return


@pytest.mark.parametrize("name", PARSERS)
def test_each_parser_takes_the_right_bytes_it_is_tested_with(name: str) -> None:
    parse, right, _ = PARSERS[name]
    parse(right)


@pytest.mark.parametrize("name", TEXT_PARSERS)
def test_each_parser_takes_the_right_text_it_is_tested_with(name: str) -> None:
    parse, right, _ = TEXT_PARSERS[name]
    parse(right)


@many
@given(raw=mutated(KEY_TEXT) | st.binary(max_size=200))
def test_a_key_file_lets_out_a_key_fault_only(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return  # tests/unit/test_keys.py has the case
    try:
        _parse(raw, str(Path("x.key")))
    except KeyFault:
        return


def test_a_right_key_file_is_read() -> None:
    key = new_key("RU-OMS", "sign")
    assert _parse(msgspec.json.encode(key), "x.key") == key


# Round trips


@many
@given(value=json_values())
def test_what_our_encoder_writes_reads_back(value: Any) -> None:
    raw = msgspec.json.encode(value)
    if has_noncharacter(raw.decode()):
        with pytest.raises(FormatError, match="noncharacter"):
            parse_ijson(raw)
    else:
        assert parse_ijson(raw) == value


@many
@given(raw=mutated(EVENT_TEXT) | mutated(DATA_TEXT) | st.binary(max_size=40) | st.text(max_size=30).map(str.encode))
def test_the_strict_reading_takes_nothing_that_python_reads_differently(raw: bytes) -> None:
    try:
        value = parse_ijson(raw)
    except FormatError:
        return
    assert value == json.loads(raw)


kids = st.builds("{}#{}".format, offices(), hexes(16)).map(Kid)
whole = st.integers(0, MAX_INTEGER)
found_signatures = st.builds(Signature, kids, st.binary(min_size=64, max_size=64))


@many
@given(signature=found_signatures)
def test_signatures_are_written_and_read(signature: Signature) -> None:
    assert parse_signature(format_signature(signature)) == signature
    assert parse_kid(signature.kid) == signature.kid


@few
@given(raw=st.binary(max_size=100))
def test_base64_is_written_and_read(raw: bytes) -> None:
    assert decode_base64(encode_base64(raw), len(raw)) == raw


@many
@given(text=st.text("ABCDwxyz0189+/=", max_size=12))
def test_base64_that_is_read_is_written_the_same(text: str) -> None:
    try:
        raw = decode_base64(text)
    except FormatError:
        return
    assert encode_base64(raw) == text


seals = st.builds(
    lambda signatures, **fields: Seal(sigs=seal_signatures(signatures), **fields),
    st.lists(found_signatures, min_size=1, max_size=4, unique_by=lambda s: s.kid),
    v=st.integers(1, MAX_INTEGER),
    index=whole,
    seq=st.integers(1, MAX_INTEGER),
    prev=hexes(32) | st.just(""),
    admitted=whole,
    epoch=whole,
    offset=whole,
    past=hexes(32),
    home=st.builds(Home, whole, whole, hexes(32)) | st.just(msgspec.UNSET),
)


@many
@given(seal=seals)
def test_seals_are_written_and_read(seal: Seal) -> None:
    assert parse_seal(format_seal(seal)) == read_seal(format_seal(seal)) == seal


@many
@given(raw=mutated(SEAL_TEXT))
def test_a_seal_that_is_read_is_written_the_same(raw: bytes) -> None:
    try:
        seal = read_seal(raw)
    except FormatError:
        return
    assert format_seal(seal) == raw


receipts = st.builds(Receipt, whole, whole, whole, whole, st.integers(1, MAX_INTEGER), hexes(32))
texts = st.text(st.characters(codec="utf-8"), max_size=30)


@few
@given(
    outcome=st.builds(
        Outcome,
        st.sampled_from(["refused", "duplicate"]),
        st.integers(1, 255),
        texts,
        texts,
        texts,
        receipts | st.just(msgspec.UNSET),
    ),
    numbers=st.tuples(*[st.integers(0, 10**16 - 1)] * 3),
)
def test_outcomes_and_their_keys_are_written_and_read(outcome: Outcome, numbers: tuple[int, int, int]) -> None:
    assert parse_outcome(format_outcome(outcome)) == outcome
    key = OutcomeKey(*numbers)
    assert parse_outcome_key(format_outcome_key(key)) == key


@few
@given(size=st.integers(0, 2**40), data=st.data())
def test_frontiers_are_written_and_read(size: int, data: st.DataObject) -> None:
    count = size.bit_count()
    frontier = tuple(data.draw(st.lists(st.binary(min_size=32, max_size=32), min_size=count, max_size=count)))
    assert parse_frontier(format_frontier(frontier), size) == frontier


@many
@given(text=instants())
def test_times_agree_with_the_library(text: str) -> None:
    from datetime import datetime  # noqa: PLC0415 - only here

    whole_ms = datetime.fromisoformat(text).timestamp() * 1000
    assert abs(time_ms(text) - whole_ms) < 1


@many
@given(
    value=json_values(),
    key=st.binary(min_size=32, max_size=32),
    place=st.builds(Place, *[st.text("ab/#é", max_size=8)] * 6),
)
def test_sealed_values_open_or_were_never_sealed(value: Any, key: bytes, place: Place) -> None:
    try:
        sealed = seal_field(key, place, value)
    except FormatError:
        with pytest.raises(FormatError):
            parse_ijson(msgspec.json.encode(value))
        return
    assert open_field(key, place, sealed) == value
    assert disclose_field(field_key(key, place), sealed) == value
    assert msgspec.json.decode(msgspec.json.encode(sealed), type=Sealed) == sealed
