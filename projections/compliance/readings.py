"""Readings of a deadline: the ways to count a term that a text leaves open.

==================  ==========================================================================================
reading             the term ends
==================  ==========================================================================================
``hours:72``        72 hours after the moment
``days:3:next``     with the third day after that of the moment (the day of the moment does not count)
``days:15:same``    with the fifteenth day, that of the moment being the first
``workdays:15:next``  as ``days``, counting only working days of the profile's calendar
``by:01-30``        with the 30th of January of the year after the one in question
``P5D``             a threshold of the configuration, not of a text: five times 24 hours after the moment
==================  ==========================================================================================

Ends are exclusive: what is done before that moment (ms) is in time.  Days are those of a zone of the IANA database, in
the version that ``tzdata`` pins, never of the machine.

A record may state any date from the year 1 to 9999, at any offset, and a term may end beyond; no calendar here goes
further.  What lies before or behind is taken to be on its first or last day, here and nowhere else (our choice): an
absurd date of one record must not stop the judgement of the others.
"""

from __future__ import annotations

import re
import tomllib
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

from ledger.errors import ConfigError

DAY_MS = 86_400_000
_READING = re.compile(r"P\d{1,4}D|hours:\d{1,4}|(?:work)?days:[1-9]\d{0,3}:(?:next|same)|by:\d\d-\d\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def zone(key: str) -> ZoneInfo:
    """A zone of the pinned database.

    Raises:
        ConfigError: there is none of that name.
    """
    package, _, name = f"tzdata.zoneinfo.{key.replace('/', '.')}".rpartition(".")
    try:
        with resources.files(package).joinpath(name).open("rb") as file:
            return ZoneInfo.from_file(file, key=key)
    except (ModuleNotFoundError, OSError, ValueError):
        raise ConfigError(f"expected a zone of the IANA database {tzdata_version()}, found {key!r}") from None


@lru_cache(1024)
def zone_or(key: str, otherwise: str) -> str:
    """The key of a zone, or another one where the pinned database has none of that name."""
    try:
        zone(key)
    except ConfigError:
        return otherwise
    return key


def tzdata_version() -> str:
    """Of the pinned database, as ``2026.6``."""
    from importlib.metadata import version  # noqa: PLC0415 - only to say it

    return version("tzdata")


@lru_cache(16_384)
def day_of(ms: int, tz: str) -> date:
    """The day of a moment in a zone."""
    return _local(ms, tz).date()


def _local(ms: int, tz: str) -> datetime:
    there = zone(tz)
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).astimezone(there)
    except OverflowError:
        return datetime.combine(date.min if ms < 0 else date.max, time.min, there)


def later(day: date, days: int) -> date:
    """The day so many days after another one."""
    return day + timedelta(days=min(max(days, (date.min - day).days), (date.max - day).days))


def day_in(year: int, month: int, day: int) -> date:
    """A day of a year that may be one that no calendar here has."""
    if not MINYEAR <= year <= MAXYEAR:
        return date.min if year < MINYEAR else date.max
    return date(year, month, day)


def local_minute(ms: int, tz: str) -> str:
    """A moment as ``2025-03-03 10:00`` in a zone; what is left of its minute is cut off."""
    return _local(ms, tz).isoformat(" ", "minutes")[:16]


@lru_cache(16_384)
def start_of(day: date, tz: str) -> int:
    """The first moment (ms) of a day in a zone."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone(tz))
    return (local - _EPOCH) // timedelta(milliseconds=1)


def end_of(day: date, tz: str) -> int:
    """The first moment (ms) after a day in a zone."""
    return start_of(day, tz) + DAY_MS if day == date.max else start_of(later(day, 1), tz)


class Calendar(msgspec.Struct, frozen=True):
    """Working days of a state, year by year; a year that is not in it is not known."""

    id: str
    years: dict[int, dict[date, bool]]
    """Days that differ from their weekday: whether they are worked."""

    def works(self, day: date) -> bool | None:
        """Whether a day is a working day; None in a year that is not known."""
        known = self.years.get(day.year)
        if known is None:
            return None
        return known.get(day, day.weekday() < 5)


@cache
def calendar(id_: str) -> Calendar:
    """The calendar of ``calendars/<id>.toml``.

    Raises:
        ConfigError: there is none.
    """
    try:
        text = resources.files("projections.compliance").joinpath("calendars", f"{id_}.toml").read_text("utf-8")
    except OSError:
        raise ConfigError(f"expected a calendar of projections/compliance/calendars, found {id_!r}") from None
    years: dict[int, dict[date, bool]] = {}
    for year in tomllib.loads(text)["year"]:
        free = dict.fromkeys(year["free"], False)
        years[year["year"]] = free | dict.fromkeys(year.get("worked", ()), True)
    return Calendar(id_, years)


def span(threshold: str) -> int:
    """``P5D`` as ms."""
    return int(threshold[1:-1]) * DAY_MS


def check_reading(reading: str, rule: str, *, threshold: bool = False) -> None:
    """Hold a reading of a rule (or its threshold) against the table above.

    Raises:
        ConfigError: it is no row of it, or ``by`` names a day that not every year has.
    """
    try:
        if _READING.fullmatch(reading) is None or (threshold and reading[0] != "P"):
            raise ValueError
        if reading.startswith("by:"):
            date(2023, int(reading[3:5]), int(reading[6:8]))
    except ValueError:
        wanted = "a threshold such as P5D" if threshold else (
            "a reading such as hours:72, days:3:next, workdays:15:same, by:01-30 or P5D"
        )  # fmt: skip
        raise ConfigError(f"rule {rule}: expected {wanted}, found {reading!r}") from None


def ends(reading: str, start: int, tz: str, *, calendar_id: str = "", year: int = 0) -> int | None:
    """When a term ends by a reading: the first moment (ms) that is too late. None: the calendar does not know.

    Args:
        reading: a row of the table above.
        start: the moment that sets the term running, ms.
        tz: the zone whose days count.
        calendar_id: of the working days.
        year: the year in question, for ``by``.
    """
    if reading.startswith("P"):
        return start + span(reading)
    sort, _, rest = reading.partition(":")
    if sort == "hours":
        return start + int(rest) * 3_600_000
    if sort == "by":
        month, day = rest.split("-")
        return end_of(day_in(year + 1, int(month), int(day)), tz)
    count, _, first = rest.partition(":")
    begun = day_of(start, tz)
    if sort == "days":
        return end_of(later(begun, int(count) - (first == "same")), tz)
    return _workdays(begun, int(count), tz, calendar(calendar_id), same=first == "same")


def _workdays(begun: date, count: int, tz: str, days: Calendar, *, same: bool) -> int | None:
    day, left = (later(begun, -1) if same else begun), count
    while left:
        day = later(day, 1)
        works = days.works(day)
        if works is None:
            return None
        left -= works
    return end_of(day, tz)
