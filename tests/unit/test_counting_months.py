"""Months and periods of figures."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.event import time_ms
from projections.compliance.readings import day_of
from projections.figures.months import ALL, bounds, format_period, month_of, parse_period

_MONTHS = st.builds(lambda year, month: year * 100 + month, st.integers(1, 9999), st.integers(1, 12))


def test_a_moment_belongs_to_the_month_of_the_zone() -> None:
    moment = time_ms("2025-02-28T22:30:00Z")
    assert month_of(moment, "Europe/Moscow") == 202503
    assert month_of(moment, "UTC") == 202502


@given(
    st.integers(time_ms("1900-01-02T00:00:00Z"), time_ms("2099-11-30T00:00:00Z")),
    st.sampled_from(["Asia/Omsk", "Europe/Berlin", "UTC"]),
)
def test_the_month_is_that_of_the_day(moment: int, zone: str) -> None:
    day = day_of(moment, zone)
    assert month_of(moment, zone) == day.year * 100 + day.month


@given(st.datetimes())
def test_a_moment_outside_the_table_has_its_month_of_utc(moment: datetime) -> None:
    ms = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert month_of(ms, "UTC") == moment.year * 100 + moment.month


def test_a_moment_that_no_calendar_of_ours_holds_has_a_month_yet() -> None:
    assert month_of(time_ms("0001-01-01T00:00:00+14:00"), "Europe/Moscow") == 12


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Omsk", "Europe/Berlin"])
def test_a_month_ends_where_the_next_begins(zone: str) -> None:
    first, after = bounds(202512, zone)
    assert month_of(first, zone) == month_of(after - 1, zone) == 202512
    assert month_of(first - 1, zone) == 202511
    assert month_of(after, zone) == 202601
    assert bounds(202601, zone)[0] == after


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("2025", (202501, 202512)), ("2025-03", (202503, 202503)), ("2025-01..2025-06", (202501, 202506)),
        ("2024..2025-06", (202401, 202506)), ("2024-11..2025", (202411, 202512)), ("all", ALL),
    ],
)  # fmt: skip
def test_a_period_is_a_year_a_month_or_from_one_to_another(text: str, months: tuple[int, int]) -> None:
    assert parse_period(text) == months


@pytest.mark.parametrize(
    "text", ["", "25", "2025-13", "2025-00", "2025-1", "2025..", "..2025", "0000", "２０２５", "2025 "]
)
def test_another_text_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(FormatError, match=r"expected a period such as 2025, 2025-03, 2025-01\.\.2025-06 or all, found"):
        parse_period(text)


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(FormatError, match="ends after it begins"):
        parse_period("2025-06..2025-01")


@given(_MONTHS, _MONTHS)
def test_a_period_is_read_as_it_was_written(one: int, other: int) -> None:
    first, last = min(one, other), max(one, other)
    assert parse_period(format_period(first, last)) == (first, last)
