"""Whether the dates in an event's data are in the calendar (admission version 2).

The patterns of ``Date`` and ``Instant`` take every month to have 31 days.  In the calendar is what the Gregorian
calendar has between the years 0001 and 9999: no 31 February, no 29 February 2025, no year 0000.  Of an instant its date
is checked, as it stands before its own offset.  Subjects, and the free members of a correction, are no dates.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta

from ledger.catalogue.base import CALENDAR, EventType
from ledger.errors import FormatError

_Fields = tuple[tuple[str, str], ...]  # names in Python and on the wire


def check_dates(row: EventType, data: msgspec.Struct) -> None:
    """Check all dates of an event's data, be it of the catalogue's type or of one derived from it.

    Raises:
        FormatError: one is not in the calendar; the message has its path, never its value.
    """
    wrong = _wrong_in(data)
    if wrong is not None:
        raise FormatError(f"{row.name} at ${wrong}: expected a date of the calendar, found a day that no month has")


def _wrong_in(value: Any) -> str | None:
    """The path of the first date that is not in the calendar."""
    if isinstance(value, str):
        return None if _exists(value) else ""
    if isinstance(value, msgspec.Struct):
        for name, wire in _dated(type(value)):
            inner = getattr(value, name)
            if inner is not UNSET and (found := _wrong_in(inner)) is not None:
                return f".{wire}{found}"
    elif isinstance(value, list):
        for item in value:
            if (found := _wrong_in(item)) is not None:
                return f"[...]{found}"
    return None


def _exists(text: str) -> bool:
    # Every month has the days up to the 28th, which is most of them.
    if not text or (text[8:10] <= "28" and text[:4] != "0000"):
        return True  # an empty ``InstantOrEmpty`` becomes a finding, not a refusal
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


@cache
def _dated(cls: type[msgspec.Struct]) -> _Fields:
    """The fields of a type that are dates or hold some."""
    hints = get_type_hints(cls, include_extras=True)
    names = zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True)
    return tuple((name, wire) for name, wire in names if _holds_date(hints[name]))


def _holds_date(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        base, *marks = get_args(hint)
        return any(isinstance(m, Meta) and m.extra == CALENDAR for m in marks) or _holds_date(base)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return bool(_dated(hint))
    return any(_holds_date(arm) for arm in get_args(hint) if not isinstance(arm, (str, int)))
