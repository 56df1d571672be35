"""Events: which envelopes are taken, which are not, and how times are read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ledger.errors import FormatError
from ledger.event import (
    MAX_EVENT_BYTES,
    Event,
    check_attributes,
    format_event,
    moment_of,
    parse_event,
    read_event,
    time_ms,
)
from ledger.ids import Subject

ATTRIBUTES: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
    "source": "office/RU-OMS",
    "type": "rogatory.request.accepted.v1",
    "subject": "request/2025-000123",
    "time": "2025-03-03T10:00:00+06:00",
    "datacontenttype": "application/json",
    "ledger": "assistance.0123456789abcdef0123456789abcdef",
    "data": {"executing": "RU-OMS"},
}
OPTIONAL: dict[str, Any] = {
    "actor": "p-7f3a",
    "expectedseq": 0,
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "vendor=value with blanks",
}


def raw_of(**changes: Any) -> bytes:
    return json.dumps({**ATTRIBUTES, **changes}, ensure_ascii=False).encode()


def test_an_event_is_read_with_all_its_attributes() -> None:
    event = parse_event(raw_of(**OPTIONAL))
    found = {name: getattr(event, name) for name in (*ATTRIBUTES, *OPTIONAL)}
    found["data"] = json.loads(bytes(event.data))
    assert found == {**ATTRIBUTES, **OPTIONAL}
    assert event.office == "RU-OMS"


def test_the_order_of_attributes_and_blanks_are_the_senders_own() -> None:
    raw = json.dumps(dict(reversed(ATTRIBUTES.items())), indent=1).encode()
    assert parse_event(raw).subject == ATTRIBUTES["subject"]


def test_an_event_is_written_compact_in_the_documented_order() -> None:
    compact = json.dumps({**ATTRIBUTES, "expectedseq": 3}, separators=(",", ":")).encode()
    shuffled = json.dumps({"expectedseq": 3, **dict(reversed(ATTRIBUTES.items()))}, separators=(",", ":")).encode()
    event = parse_event(shuffled)
    written = format_event(event)
    assert written == compact
    assert parse_event(written) == event


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_required_attribute_is_required(name: str) -> None:
    rest = {key: value for key, value in ATTRIBUTES.items() if key != name}
    with pytest.raises(FormatError, match=f"attribute {name}, found none|well-formed {name}"):
        parse_event(json.dumps(rest).encode())


@pytest.mark.parametrize("name", [*ATTRIBUTES, *OPTIONAL])
@pytest.mark.parametrize("wrong", [None, 1, True, [], "", {"a": 1}, "с пробелом и кириллицей", "x" * 2000, "\n"])
def test_no_attribute_takes_a_value_of_another_form(name: str, wrong: Any) -> None:
    fits = (name == "data" and wrong == {"a": 1}) or (name == "expectedseq" and type(wrong) is int)
    if fits:
        parse_event(raw_of(**{name: wrong}))
    else:
        with pytest.raises(FormatError, match=name):
            parse_event(raw_of(**{name: wrong}))


@pytest.mark.parametrize("name", ["data_base64", "dataschema", "Subject", "ID", "partitionkey", ""])
def test_no_attribute_beside_the_documented_ones_is_allowed(name: str) -> None:
    with pytest.raises(FormatError, match="only known attributes"):
        parse_event(raw_of(**{name: "x"}))


WRONG: dict[str, list[Any]] = {
    "specversion": ["1.0.2", "1", "0.3"],
    "id": ["a b", "ё", "x" * 65, "a\n"],
    "source": ["RU-OMS", "office/ru-oms", "office/RU--OMS", "office/RU-", "office/RU OMS", "office/" + "R" * 33],
    "type": [
        "request.accepted.v1",
        "rogatory.request.accepted",
        "rogatory.request.accepted.v0",
        "rogatory.Request.v1",
        "rogatory..v1",
        "rogatory.request.accepted.v1 ",
        "rogatory." + "a" * 120 + ".v1",
    ],
    "subject": ["a b", "x" * 129, "request/ё"],
    "datacontenttype": ["application/json; charset=utf-8", "text/plain"],
    "ledger": ["assistance.0123", "Assistance", "assistance.0123456789ABCDEF0123456789abcdef", "-a", "a" * 33],
    "data": [[], "{}", None],
    "actor": ["Иванов", "a b", "a/b", "x" * 65],
    "expectedseq": [-1, 2**53, "0", True, 1.0],
    "traceparent": ["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-1-2-3"],
    "tracestate": ["a\tb", "x" * 513],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_malformed_attributes_are_refused(name: str, value: Any) -> None:
    with pytest.raises(FormatError):
        parse_event(raw_of(**{name: value}))


RIGHT: dict[str, list[Any]] = {
    "id": ["!", "~" * 64],
    "source": ["office/R", "office/RU-T-WSIB", "office/" + "R" * 32],
    "type": ["rogatory.a.v1", "rogatory.request.accepted.v99999"],
    "subject": ["x", "request/" + "x" * 120],
    "ledger": ["a", "a" * 32, "a-1." + "0" * 32],
    "actor": ["x" * 64, "a.b_c~d%e:f-g"],
    "expectedseq": [0, 2**53 - 1],
    "tracestate": ["~" * 512],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in RIGHT.items() for v in values])
def test_the_limits_of_attributes_are_inside(name: str, value: Any) -> None:
    assert getattr(parse_event(raw_of(**{name: value})), name) == value


@pytest.mark.parametrize("value", [None, [], "x", 1, [ATTRIBUTES]])
def test_an_event_is_an_object(value: Any) -> None:
    with pytest.raises(FormatError, match="a JSON object"):
        check_attributes(value)


def test_an_event_of_48_kib_is_taken_and_one_byte_more_is_not() -> None:
    bare = len(raw_of(data={"x": ""}))
    exact = raw_of(data={"x": "a" * (MAX_EVENT_BYTES - bare)})
    assert len(exact) == 49_152
    parse_event(exact)
    with pytest.raises(FormatError, match="at most 49152 bytes, found 49153"):
        parse_event(raw_of(data={"x": "a" * (MAX_EVENT_BYTES - bare + 1)}))


def test_duplicate_attributes_are_refused() -> None:
    with pytest.raises(FormatError, match="distinct member names"):
        parse_event(raw_of()[:-1] + b',"subject":"request/2"}')


def test_writing_a_malformed_event_fails() -> None:
    good = parse_event(raw_of())
    for changes in ({"subject": Subject("a b")}, {"data": msgspec.Raw(b"[]")}, {"data": msgspec.Raw(b'{"a":1.5}')}):
        with pytest.raises(FormatError):
            format_event(msgspec.structs.replace(good, **changes))


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"specversion":1}', b'{"data":' + b"[" * 100_000, b"\xff"])
def test_reading_what_was_never_admitted_fails_as_a_format_error(raw: bytes) -> None:
    with pytest.raises(FormatError):
        read_event(raw)


TIMES = [
    ("1970-01-01T00:00:00Z", 0),
    ("2025-03-03T10:00:00+06:00", 1_740_974_400_000),
    ("2025-03-03T04:00:00Z", 1_740_974_400_000),
    ("2025-03-02T23:30:00-04:30", 1_740_974_400_000),
    ("2025-03-03T04:00:00.5Z", 1_740_974_400_500),
    ("2025-03-03T04:00:00.050+00:00", 1_740_974_400_050),
    ("2025-03-03T04:00:00.999999999Z", 1_740_974_400_999),
    ("2024-02-29T00:00:00-00:00", 1_709_164_800_000),
    ("1969-12-31T23:59:59.999Z", -1),
    ("1969-12-31T23:59:59.5Z", -500),
    ("9999-12-31T23:59:59.999-23:59", 253_402_387_139_999),
]


@pytest.mark.parametrize(("text", "ms"), TIMES)
def test_times_are_read_to_the_millisecond_and_cut(text: str, ms: int) -> None:
    assert time_ms(text) == ms
    parse_event(raw_of(time=text))


def test_moments_are_shown_in_utc_and_beyond_the_calendar_as_its_ends() -> None:
    assert moment_of(1_740_974_400_050).isoformat() == "2025-03-03T04:00:00.050000+00:00"
    assert moment_of(time_ms("0001-01-01T00:00:00+23:59")).isoformat() == "0001-01-01T00:00:00+00:00"
    assert moment_of(time_ms("9999-12-31T23:59:59-23:59")).isoformat() == "9999-12-31T23:59:59.999999+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "", "2025-03-03", "2025-03-03T10:00:00", "2025-03-03t10:00:00Z", "2025-03-03T10:00:00z", "2025-03-03 10:00:00Z",
        "2025-03-03T10:00Z", "2025-03-03T24:00:00Z", "2025-03-03T10:60:00Z", "2016-12-31T23:59:60Z",
        "2025-03-03T10:00:00.Z", "2025-03-03T10:00:00.0000000000Z", "2025-03-03T10:00:00,5Z",
        "2025-03-03T10:00:00+0600",
        "2025-03-03T10:00:00+24:00", "2025-03-03T10:00:00+06:60", "2025-02-29T10:00:00Z", "2025-13-01T10:00:00Z",
        "2025-00-01T10:00:00Z", "0000-01-01T00:00:00Z", "2025-03-03T10:00:00Z\n", "٢٠٢٥-03-03T10:00:00Z",
        "20250303T100000Z",
    ],
)  # fmt: skip
def test_other_spellings_of_times_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        time_ms(text)
    with pytest.raises(FormatError, match="time"):
        parse_event(raw_of(time=text))


def test_the_example_of_the_documentation_is_an_event() -> None:
    written = format_event(
        Event(
            specversion="1.0",
            id="0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
            source="office/RU-OMS",
            type="rogatory.request.accepted.v1",
            subject=Subject("request/2025-000123"),
            time="2025-03-03T10:00:00+06:00",
            datacontenttype="application/json",
            ledger="assistance.0123456789abcdef0123456789abcdef",
            data=msgspec.Raw(b'{"executing":"RU-OMS"}'),
        )
    )
    assert json.loads(written) == ATTRIBUTES
