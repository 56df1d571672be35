"""Strict I-JSON: the one reading of JSON that every implementation shares.

An example of what is refused although most parsers take it: ``{"a":1,"a":2}``.  The rules (RFC 7493, with
ours where it leaves room): UTF-8 without byte order mark, lone surrogates or noncharacters; no duplicate
member name at any depth; at most 32 arrays and objects inside each other; numbers are integers within ±(2^53−1),
without fraction or exponent (amounts are decimal strings).

A fixed depth matters: were nesting accepted at one stack depth and refused at another, two registrars
would disagree about the same bytes.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from ledger.errors import FormatError

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1

# RFC 7493 2.1 with Unicode 23.7: surrogates (an escape can leave one alone), U+FDD0..U+FDEF and the last two code
# points of every plane.
_NONCHARACTER = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(p * 0x10000 + 0xFFFE)}{chr(p * 0x10000 + 0xFFFF)}" for p in range(17))
    + "]"
)
# A string without an end reaches to the end: to look for another start in it would take quadratic time.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def parse_ijson(raw: bytes) -> Any:
    """The value that ``raw`` says, if it is strict I-JSON.

    Raises:
        FormatError: it is not; the message says which rule it breaks.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"expected UTF-8, found an invalid byte at {error.start}") from None
    _check_depth(text)
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"expected JSON, found an error at character {error.pos}: {error.msg}") from None
    except ValueError as error:  # an integer of more digits than Python reads at all
        raise FormatError(f"expected integers within ±(2^53-1), found a longer one ({type(error).__name__})") from None
    if not text.isascii() or "\\u" in text:
        _check_characters(value)
    return value


def _refuse_float(text: str) -> NoReturn:
    raise FormatError(f"expected integers only, found the number {text[:20]}")


def _read_integer(text: str) -> int:
    if len(text) > 17 or not -MAX_INTEGER <= (number := int(text)) <= MAX_INTEGER:
        raise FormatError(f"expected integers within ±(2^53-1), found {text[:20]}")
    return number


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise FormatError("expected distinct member names, found one twice in an object")
    return members


_decoder = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_float=_refuse_float,
    parse_int=_read_integer,
    parse_constant=_refuse_float,
)


def _check_depth(text: str) -> None:
    """Before parsing, so that no parser's own stack decides (see the module's docstring)."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise FormatError(f"expected at most {MAX_DEPTH} arrays and objects inside each other, found more")


def _check_characters(value: Any) -> None:
    if isinstance(value, str):
        if has_noncharacter(value):
            raise FormatError("expected Unicode text, found a noncharacter or lone surrogate")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_characters(name)
            _check_characters(member)
    elif isinstance(value, list):
        for item in value:
            _check_characters(item)


def has_noncharacter(text: str) -> bool:
    """Whether a noncharacter or a lone surrogate stands in it."""
    return _NONCHARACTER.search(text) is not None
