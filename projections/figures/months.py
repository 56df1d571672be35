"""Months and periods of figures: the month of a moment in a zone, and periods as people write them.

A month is a number, ``202503``. A period is two of them, both inclusive::

    2025                (202501, 202512)
    2025-03             (202503, 202503)
    2025-01..2025-06    (202501, 202506)
    2024..2025-06       (202401, 202506)
    all                 (0, 999912)
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import date
from functools import cache

from ledger.errors import FormatError
from projections.compliance.readings import start_of

ALL = (0, 999912)
"""Every month."""
_FIRST, _LAST = 1900, 2100
_DAY = 86_400_000
_PART = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2]))?", re.ASCII)


@cache
def _starts(zone: str) -> list[int]:
    """The first moments of all months of the years that are looked up, in order."""
    return [start_of(date(year, month, 1), zone) for year in range(_FIRST, _LAST) for month in range(1, 13)]


def month_of(time_ms: int, zone: str) -> int:
    """The month of a moment (ms) in a zone, as 202503.

    Before 1900 and from 2100 on it is that of UTC: no figure is kept of those, and an absurd time of an event must
    not stop one.
    """
    starts = _starts(zone)
    place = bisect_right(starts, time_ms) - 1
    if place < 0 or place == len(starts) - 1:
        return _utc_month(time_ms)
    return (_FIRST + place // 12) * 100 + place % 12 + 1


def _utc_month(time_ms: int) -> int:
    # The Gregorian calendar without the limits of ``datetime``: days since 1 March of the year 0, by eras of 400 years.
    era, day = divmod(time_ms // _DAY + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    month = (5 * (day - (365 * year + year // 4 - year // 100)) + 2) // 153
    return (era * 400 + year + month // 10) * 100 + (month + 2) % 12 + 1


def bounds(month: int, zone: str) -> tuple[int, int]:
    """The first moment (ms) of a month in a zone, and the first one after it."""
    year, number = divmod(month, 100)
    after = (year + 1, 1) if number == 12 else (year, number + 1)
    return start_of(date(year, number, 1), zone), start_of(date(*after, 1), zone)


def parse_period(text: str) -> tuple[int, int]:
    """First and last month of a period.

    Raises:
        FormatError: it is none of the forms above, or ends before it begins.
    """
    if text == "all":
        return ALL
    begin, dots, end = text.partition("..")
    first, last = _PART.fullmatch(begin), _PART.fullmatch(end if dots else begin)
    if first is None or last is None or int(first[1]) == 0:
        raise FormatError(f"expected a period such as 2025, 2025-03, 2025-01..2025-06 or all, found {text[:40]!r}")
    months = int(first[1]) * 100 + int(first[2] or 1), int(last[1]) * 100 + int(last[2] or 12)
    if months[0] > months[1]:
        raise FormatError(f"expected a period that ends after it begins, found {text!r}")
    return months


def format_period(first: int, last: int) -> str:
    """Two months as ``parse_period`` reads them, in the shortest form."""
    if (first, last) == ALL:
        return "all"
    if first % 100 == 1 and last % 100 == 12:
        begin, end = f"{first // 100:04}", f"{last // 100:04}"
    else:
        begin, end = (f"{month // 100:04}-{month % 100:02}" for month in (first, last))
    return begin if begin == end else f"{begin}..{end}"
