"""Terms: when each reading ends, in which zone, and what is not known."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ConfigError
from projections.compliance.readings import (
    DAY_MS,
    calendar,
    check_reading,
    day_in,
    day_of,
    end_of,
    ends,
    later,
    local_minute,
    span,
    start_of,
    tzdata_version,
    zone,
    zone_or,
)
from projections.compliance.rulebook import make_rulebook

MOSCOW = "Europe/Moscow"
HOUR_MS = 3_600_000
ZONES = (
    MOSCOW, "Asia/Omsk", "Asia/Barnaul", "Asia/Yekaterinburg", "Europe/Volgograd", "Asia/Almaty", "Europe/Berlin",
    "America/Sao_Paulo", "Atlantic/Azores", "Asia/Beirut", "Asia/Kathmandu", "UTC",
)  # fmt: skip
"""Offices' zones, and some that change their clocks, at midnight too."""

moments = st.integers(start_of(date(1995, 1, 1), "UTC"), start_of(date(2045, 1, 1), "UTC"))
days = st.dates(date(1995, 1, 1), date(2044, 12, 31))
zones = st.sampled_from(ZONES)


def ms(text: str, tz: str = MOSCOW) -> int:
    """A local time as ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).timestamp() * 1000)


def end(reading: str, text: str, tz: str = MOSCOW, **more: int) -> str:
    """When a term ends that begins at a local time: local time again."""
    found = ends(reading, ms(text, tz), tz, calendar_id="ru", **more)
    assert found is not None
    return datetime.fromtimestamp(found / 1000, ZoneInfo(tz)).strftime("%Y-%m-%dT%H:%M")


# Each reading


def test_hours_run_from_the_moment() -> None:
    assert end("hours:72", "2025-03-03T10:00") == "2025-03-06T10:00"


def test_hours_run_on_through_a_change_of_clocks() -> None:
    # In Berlin the night to 30 March 2025 has an hour less: 72 hours later it is an hour later by the clock.
    assert end("hours:72", "2025-03-28T10:00", "Europe/Berlin") == "2025-03-31T11:00"


@pytest.mark.parametrize(
    ("reading", "begun", "ended"),
    [
        ("days:3:next", "2025-03-03T00:00", "2025-03-07T00:00"),
        ("days:3:next", "2025-03-03T23:59", "2025-03-07T00:00"),
        ("days:3:same", "2025-03-03T23:59", "2025-03-06T00:00"),
        ("days:1:same", "2025-03-03T23:59", "2025-03-04T00:00"),
        ("days:15:next", "2022-03-10T00:00", "2022-03-26T00:00"),
        ("days:15:same", "2022-03-10T00:00", "2022-03-25T00:00"),
        ("days:60:next", "2027-01-15T12:00", "2027-03-17T00:00"),
        ("days:60:same", "2027-01-15T12:00", "2027-03-16T00:00"),
        ("days:1:next", "2024-02-28T12:00", "2024-03-01T00:00"),
        ("days:1:next", "2023-02-28T12:00", "2023-03-02T00:00"),
        ("days:60:next", "2028-01-01T12:00", "2028-03-02T00:00"),
        ("days:1:next", "2025-12-31T12:00", "2026-01-02T00:00"),
    ],
)
def test_days_end_with_the_last_of_them(reading: str, begun: str, ended: str) -> None:
    assert end(reading, begun) == ended


@pytest.mark.parametrize(
    ("reading", "begun", "ended"),
    [
        ("workdays:15:next", "2022-03-10T12:00", "2022-04-01T00:00"),
        ("workdays:15:same", "2022-03-10T12:00", "2022-03-31T00:00"),
        ("workdays:1:next", "2022-03-04T12:00", "2022-03-06T00:00"),  # Saturday 5 March was worked
        ("workdays:2:next", "2022-03-04T12:00", "2022-03-10T00:00"),  # 7 and 8 March were not
        ("workdays:1:same", "2022-03-08T12:00", "2022-03-10T00:00"),  # a free day is not the first
        ("workdays:1:next", "2022-06-10T12:00", "2022-06-15T00:00"),  # Monday 13 June for Sunday the 12th
    ],
)
def test_working_days_are_those_of_the_calendar(reading: str, begun: str, ended: str) -> None:
    assert end(reading, begun) == ended


def test_by_a_day_is_by_the_end_of_that_day_in_the_next_year() -> None:
    assert end("by:01-30", "2025-06-01T12:00", year=2025) == "2026-01-31T00:00"
    assert end("by:12-31", "2025-06-01T12:00", "Asia/Omsk", year=2025) == "2027-01-01T00:00"


def test_a_threshold_is_so_many_times_24_hours() -> None:
    assert span("P30D") == 30 * DAY_MS
    assert end("P5D", "2025-06-01T10:30") == "2025-06-06T10:30"


# Zones


def test_a_day_ends_at_midnight_of_the_zone_that_counts() -> None:
    moment = ms("2025-03-03T22:30")
    assert day_of(moment, MOSCOW) == date(2025, 3, 3)
    assert day_of(moment, "Asia/Omsk") == date(2025, 3, 4)
    assert ends("days:1:same", moment, "Asia/Omsk") == ms("2025-03-05T00:00", "Asia/Omsk")


def test_a_day_on_which_clocks_change_is_longer_or_shorter() -> None:
    # Almaty put its clocks back at midnight of 1 March 2024; Volgograd did on 27 December 2020, at two.
    for day, tz, hours in [
        (date(2024, 2, 29), "Asia/Almaty", 25),
        (date(2020, 12, 27), "Europe/Volgograd", 25),
        (date(2025, 3, 30), "Europe/Berlin", 23),
        (date(2025, 10, 26), "Europe/Berlin", 25),
        (date(2018, 11, 4), "America/Sao_Paulo", 23),
        (date(2025, 3, 30), MOSCOW, 24),
    ]:
        assert end_of(day, tz) - start_of(day, tz) == hours * HOUR_MS, (day, tz)


def test_a_day_whose_midnight_is_left_out_begins_with_its_first_moment() -> None:
    first = start_of(date(2018, 11, 4), "America/Sao_Paulo")
    assert datetime.fromtimestamp(first / 1000, ZoneInfo("America/Sao_Paulo")).hour == 1
    assert day_of(first - 1, "America/Sao_Paulo") == date(2018, 11, 3)


def test_a_zone_that_is_none_is_named_with_the_database() -> None:
    for key in ("Europe/Omsk", "", "../etc/passwd", "Europe", "Asia/Omsk/", "/Asia/Omsk"):
        with pytest.raises(ConfigError, match="expected a zone of the IANA database"):
            zone(key)
    with pytest.raises(ConfigError, match=re.escape(tzdata_version())):
        zone("Mars/Olympus")


@given(days, zones)
def test_a_day_begins_where_the_one_before_ends(day: date, tz: str) -> None:
    first = start_of(day, tz)
    assert day_of(first, tz) == day
    assert day_of(first - 1, tz) == day - timedelta(days=1)
    assert end_of(day, tz) == start_of(day + timedelta(days=1), tz)


@given(moments, zones)
def test_every_moment_is_inside_its_day(moment: int, tz: str) -> None:
    day = day_of(moment, tz)
    assert start_of(day, tz) <= moment < end_of(day, tz)


@given(moments, zones, st.integers(1, 400))
def test_a_term_in_days_ends_at_a_midnight_and_the_day_of_the_moment_makes_one_day(
    moment: int, tz: str, count: int
) -> None:
    same, following = ends(f"days:{count}:same", moment, tz), ends(f"days:{count}:next", moment, tz)
    assert same is not None
    assert following is not None
    assert moment < same < following
    assert day_of(following, tz) - day_of(same, tz) == timedelta(days=1)
    assert day_of(same - 1, tz) - day_of(moment, tz) == timedelta(days=count - 1)
    assert start_of(day_of(same, tz), tz) == same


@given(moments, moments, zones, st.sampled_from(["hours:72", "days:3:next", "days:15:same", "P5D"]))
def test_what_begins_later_never_ends_earlier(one: int, other: int, tz: str, reading: str) -> None:
    first, second = ends(reading, min(one, other), tz), ends(reading, max(one, other), tz)
    assert first is not None
    assert second is not None
    assert first <= second


# Calendars


# At the ends of the calendar

FIRST, LAST = start_of(date.min, "UTC"), start_of(date.max, "UTC")
A_DAY_OFF = DAY_MS - 60_000
"""The largest offset that a record may state, ms."""


@pytest.mark.parametrize("tz", sorted(available_timezones() & {*ZONES, "Pacific/Kiritimati", "Etc/GMT+12"}))
@pytest.mark.parametrize("moment", [FIRST - A_DAY_OFF, FIRST, LAST, LAST + DAY_MS - 1, LAST + DAY_MS + A_DAY_OFF])
def test_a_moment_beyond_the_calendar_is_of_its_first_or_last_day(moment: int, tz: str) -> None:
    near = {date.min, later(date.min, 1)} if moment < 0 else {date.max, later(date.max, -1)}
    assert day_of(moment, tz) in near
    assert local_minute(moment, tz)[:4] == f"{day_of(moment, tz).year:04}"
    assert start_of(date.min, tz) < end_of(date.min, tz) < start_of(date.max, tz) < end_of(date.max, tz)


def test_moments_far_beyond_are_of_those_days_too() -> None:
    assert day_of(-(10**17), MOSCOW) == date.min
    assert day_of(10**20, MOSCOW) == date.max
    assert local_minute(10**20, MOSCOW) == "9999-12-31 00:00"


@pytest.mark.parametrize("reading", ["days:3:next", "days:15:same", "by:01-30", "hours:72", "P5D"])
@pytest.mark.parametrize("start", [FIRST - A_DAY_OFF, LAST, LAST + DAY_MS + A_DAY_OFF])
def test_a_term_at_the_end_of_the_calendar_ends_all_the_same(reading: str, start: int) -> None:
    found = ends(reading, start, MOSCOW, year=9999 if start > 0 else 0)
    assert found is not None
    assert found >= min(start, end_of(date.max, MOSCOW))


@pytest.mark.parametrize("first", ["next", "same"])
def test_working_days_beyond_the_calendar_are_not_known(first: str) -> None:
    assert ends(f"workdays:15:{first}", LAST, MOSCOW, calendar_id="ru") is None
    assert ends(f"workdays:15:{first}", FIRST - A_DAY_OFF, MOSCOW, calendar_id="ru") is None


def test_days_and_years_beyond_the_calendar_are_its_first_and_last() -> None:
    assert later(date(9999, 12, 30), 5) == date.max
    assert later(date(1, 1, 3), -5) == date.min
    assert later(date(2025, 2, 28), 1) == date(2025, 3, 1)
    assert (day_in(0, 6, 1), day_in(2025, 6, 1), day_in(10_000, 6, 1)) == (date.min, date(2025, 6, 1), date.max)


def test_a_zone_that_is_none_gives_way_to_another() -> None:
    assert zone_or("Asia/Omsk", MOSCOW) == "Asia/Omsk"
    assert zone_or("Mars/Phobos", MOSCOW) == MOSCOW


def test_a_calendar_knows_free_days_worked_days_and_weekdays() -> None:
    russian = calendar("ru")
    assert russian.works(date(2022, 3, 9)) is True
    assert russian.works(date(2022, 3, 8)) is False
    assert russian.works(date(2022, 3, 5)) is True
    assert russian.works(date(2022, 3, 12)) is False


def test_a_year_that_a_calendar_does_not_have_is_not_known() -> None:
    assert calendar("ru").works(date(2045, 3, 3)) is None
    assert ends("workdays:3:next", ms("2045-03-03T10:00"), MOSCOW, calendar_id="ru") is None


def test_a_term_in_working_days_that_runs_into_an_unknown_year_is_not_known() -> None:
    last = max(calendar("ru").years)
    inside = ms(f"{last}-12-01T10:00")
    assert ends("workdays:3:next", inside, MOSCOW, calendar_id="ru") is not None
    assert ends("workdays:60:next", inside, MOSCOW, calendar_id="ru") is None


@given(st.integers(0, 300), st.integers(1, 20), st.sampled_from(["same", "next"]))
def test_working_days_never_end_before_as_many_days(offset: int, count: int, first: str) -> None:
    moment = ms("2022-01-01T12:00") + offset * DAY_MS
    worked = ends(f"workdays:{count}:{first}", moment, MOSCOW, calendar_id="ru")
    plain = ends(f"days:{count}:{first}", moment, MOSCOW)
    assert plain is not None
    assert worked is None or worked >= plain


def test_a_calendar_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="found 'atlantis'"):
        calendar("atlantis")


# What a profile may say


@pytest.mark.parametrize(
    "reading", ["hours:72", "days:3:next", "days:15:same", "workdays:15:next", "by:01-30", "P5D", "by:02-28"]
)
def test_a_reading_of_the_table_is_taken(reading: str) -> None:
    check_reading(reading, "X1")


@pytest.mark.parametrize(
    "reading",
    ["", "hours", "hours:", "hours:-1", "days:3", "days:3:later", "days:0:next", "day:3:next", "workdays:x:next",
     "by:13-01", "by:02-29", "by:1-1", "P5", "5D", "P5D ", "days:3:next:next"],
)  # fmt: skip
def test_anything_else_is_refused_with_the_rule_and_what_was_found(reading: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_reading(reading, "X1")
    assert "rule X1: expected a reading such as hours:72" in str(refused.value)
    assert repr(reading) in str(refused.value)


def test_a_threshold_is_a_span_and_no_other_reading() -> None:
    check_reading("P5D", "X1", threshold=True)
    with pytest.raises(ConfigError, match=r"expected a threshold such as P5D, found 'hours:72'"):
        check_reading("hours:72", "X1", threshold=True)


@pytest.mark.parametrize("said", ['readings = ["day:3:next"]', 'threshold = "P5"'])
def test_a_rulebook_with_such_a_rule_is_refused(said: str) -> None:
    profile = f"""
[instrument]
id = "x"
kind = "agreement"
parties = ["RU", "KZ"]
title = {{ en = "X", ru = "Х" }}
abbreviation = "X"

[[rule]]
id = "X1"
place = {{ article = "1", cites = "X 1" }}
kind = "lag"
check = "published"
subjects = ["register"]
gives = ["met"]
summary = {{ en = "x", ru = "х" }}
line = {{ en = "x", ru = "х" }}
{said}
"""
    with pytest.raises(ConfigError, match="rule X1: expected a"):
        make_rulebook({"x.toml": profile})
