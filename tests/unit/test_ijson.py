"""Strict I-JSON takes what RFC 7493 and our limits allow, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import FormatError
from ledger.ijson import MAX_DEPTH, MAX_INTEGER, parse_ijson

ACCEPTED = [
    (b"{}", {}),
    (b"[]", []),
    (b"null", None),
    (b"true", True),
    (b'""', ""),
    (b" \t\r\n1 \n", 1),
    (b"-0", 0),
    (b'{"a":{"a":1},"b":[{"a":2}]}', {"a": {"a": 1}, "b": [{"a": 2}]}),
    (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
    (str(MAX_INTEGER).encode(), MAX_INTEGER),
    (str(-MAX_INTEGER).encode(), -MAX_INTEGER),
    ('"Омск"'.encode(), "Омск"),
    (b'"\\u041e\\ud83d\\ude00"', "О😀"),
    ('"\ufdcf\ufdf0\ufffd\ufeff"'.encode(), "\ufdcf\ufdf0\ufffd\ufeff"),
    (b'"\\u0000\\/"', "\0/"),
]

REFUSED = {
    "nothing": b"",
    "blanks only": b"  ",
    "two values": b"1 2",
    "comma too many": b"[1,]",
    "comment": b"1 // one",
    "single quotes": b"{'a':1}",
    "duplicate member": b'{"a":1,"a":2}',
    "duplicate member, same value": b'{"a":1,"a":1}',
    "duplicate member, deep": b'{"x":[{"y":{"a":1,"b":2,"a":3}}]}',
    "duplicate member, one escaped": b'{"a":1,"\\u0061":2}',
    "float": b"1.0",
    "exponent": b"1e2",
    "float, deep": b'{"a":[1.5]}',
    "NaN": b"NaN",
    "Infinity": b"[Infinity]",
    "minus Infinity": b"-Infinity",
    "2^53": str(2**53).encode(),
    "-2^53": str(-(2**53)).encode(),
    "2^64": str(2**64).encode(),
    "an integer longer than Python reads": b"1" * 5000,
    "leading zero": b"01",
    "plus": b"+1",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "invalid byte": b'"\xff"',
    "overlong": b'"\xc0\xaf"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "lone high surrogate": b'"\\ud800"',
    "lone low surrogate": b'"\\udc00x"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "lone surrogate as member name": b'{"\\ud800":1}',
    "noncharacter": '"\ufdd0"'.encode(),
    "noncharacter, end of the first plane": b'"\\uffff"',
    "noncharacter, end of the last plane": '"\U0010fffe"'.encode(),
    "noncharacter as member name": '{"a":{"\ufdef":1}}'.encode(),
    "control character": b'"\x01"',
    "newline in a string": b'"a\nb"',
    "string without end": b'"abc',
    "bad escape": b'"\\x41"',
}


@pytest.mark.parametrize(("raw", "value"), ACCEPTED, ids=[repr(raw)[:24] for raw, _ in ACCEPTED])
def test_strict_json_is_read(raw: bytes, value: Any) -> None:
    assert parse_ijson(raw) == value
    assert type(parse_ijson(raw)) is type(value)


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError, match=r"^expected .*, found "):
        parse_ijson(raw)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_the_depth_limit_is_exact(opening: bytes, closing: bytes) -> None:
    levels = MAX_DEPTH // (opening.count(b"[") + opening.count(b"{"))
    parse_ijson(opening * levels + b"0" + closing * levels)
    with pytest.raises(FormatError, match="32 arrays and objects"):
        parse_ijson(b"[" + opening * levels + b"0" + closing * levels + b"]")


def test_width_is_not_depth_and_brackets_in_strings_are_text() -> None:
    assert len(parse_ijson(b"[" + b",".join([b"[]"] * 500) + b"]")) == 500
    assert parse_ijson(b'["' + b"[" * 100 + b'\\"[{","\\\\"]') == ["[" * 100 + '"[{', "\\"]


def test_nesting_beyond_any_stack_is_refused() -> None:
    for raw in (b"[" * 48_000, b'{"a":' * 9_000, b"[" * 24_000 + b"]" * 24_000):
        with pytest.raises(FormatError):
            parse_ijson(raw)


# A reading that tries every quotation mark as a start would need hours for these; the limit tells the two apart.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("noise", [b'"' + b'\\"' * 500_000, b'\\"' * 500_000, b'"\\' * 500_000, b'"a' * 500_000])
def test_a_string_without_end_costs_no_more_than_its_length(noise: bytes) -> None:
    with pytest.raises(FormatError):
        parse_ijson(b"[" * (MAX_DEPTH + 1) + noise)
