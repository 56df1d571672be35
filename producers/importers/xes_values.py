"""What stands inside XES: typed attributes as JSON, and times.

- Values fit I-JSON: floats are decimal strings, as are integers beyond ±(2^53−1); what is not of its stated type stays
  text.
- A list is an array of one-member objects, a container an object, and an attribute with attributes of its own
  ``{"value": …, "attributes": {…}}``.  A key that is given twice holds an array of its values.
- Times are RFC 3339; one without offset is taken as UTC.

``<float key="fee" value="12.50"/><int key="pages" value="3"/>`` reads ``{"fee": "12.50", "pages": 3}``.
Source: IEEE 1849-2016, clauses on attributes and their XML serialization; RFC 7493.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element

from ledger.errors import FormatError
from ledger.event import time_ms
from ledger.ijson import MAX_INTEGER

Value: TypeAlias = "str | int | bool | list[Any] | dict[str, Any]"
Attributes: TypeAlias = dict[str, Value]
SCALARS = frozenset({"string", "date", "int", "float", "boolean", "id"})
_SPACES = frozenset({"", "http://www.xes-standard.org", "https://www.xes-standard.org", "http://code.deckfour.org/xes"})
# As in ledger/ijson.py: XML allows most noncharacters, I-JSON none.
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef" + "".join(f"{chr(p * 0x10000 + 0xFFFE)}{chr(p * 0x10000 + 0xFFFF)}" for p in range(17)) + "]"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:(Z)|([+-]\d\d):?(\d\d))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?")


def local_name(element: Element) -> str:
    """The name of an element without its namespace. Raises FormatError: that namespace is not XES."""
    space, _, name = element.tag.rpartition("}")
    if space[1:].rstrip("/") not in _SPACES:
        raise FormatError(f"expected elements of XES, found the namespace {space[1:60]}")
    return name


def read_time(text: str) -> str:
    """A time of a log as RFC 3339 with offset: ``2011-10-11T13:45:40`` becomes ``2011-10-11T13:45:40Z``.

    Raises:
        FormatError: it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise FormatError(f"expected a time such as 2011-10-11T13:45:40+02:00, found {text[:40]!r}")
    day, clock, decimals, _, hours, minutes = match.groups()
    zone = f"{hours}:{minutes}" if hours else "Z"
    time = f"{day}T{clock}{f'.{decimals[:9]}' if decimals else ''}{zone}"
    time_ms(time)
    return time


def read_attributes(elements: Iterable[Element]) -> Attributes:
    """The attributes that elements state.

    Raises:
        FormatError: one of the elements is none, or has no key or value.
    """
    found: Attributes = {}
    again: dict[str, list[Value]] = {}
    for element in elements:
        key, value = _attribute(element)
        if key in found:
            again.setdefault(key, [found[key]]).append(value)
        else:
            found[key] = value
    return {**found, **again} if again else found


def _attribute(element: Element) -> tuple[str, Value]:
    kind, key = local_name(element), element.get("key")
    if kind not in SCALARS and kind not in ("list", "container"):
        raise FormatError(f"expected an attribute, found the element {kind[:40]}")
    if key is None:
        raise FormatError(f"expected a key for every attribute, found a {kind} without")
    key = _clean(key)
    if kind == "container":
        return key, read_attributes(element)
    nested = list(element)
    if kind == "list":
        holder = next((child for child in nested if local_name(child) == "values"), element)
        value: Value = [dict([_attribute(child)]) for child in holder]
        nested = [] if holder is element else [child for child in nested if child is not holder]
    else:
        text = element.get("value")
        if text is None:
            raise FormatError(f"expected a value for the attribute {key[:60]!r}, found none")
        value = _scalar(kind, text)
    return key, {"value": value, "attributes": read_attributes(nested)} if nested else value


def _scalar(kind: str, text: str) -> Value:
    if kind == "int" and _INTEGER.fullmatch(text):
        number = int(text)
        return number if abs(number) <= MAX_INTEGER else str(number)
    if kind == "boolean" and text.strip().lower() in ("true", "false", "1", "0"):
        return text.strip().lower() in ("true", "1")
    if kind == "float" and _FLOAT.fullmatch(text):
        return format(Decimal(text), "f")
    return _clean(text)


def _clean(text: str) -> str:
    return text if text.isascii() else _NONCHARACTER.sub("\ufffd", text)
