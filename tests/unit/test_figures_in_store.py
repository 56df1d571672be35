"""Figures in the store where subjects, partners and offices meet in one part, month or thing; on every database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.errors import FormatError
from ledger.ids import LedgerId
from projections.cases import CasesFold
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import built_in
from projections.figures.answers import Cited, PartAnswer, Scope
from projections.figures.book import Book
from projections.figures.posting import Posting
from projections.figures.queries import Figures
from projections.figures.sheet import ended
from projections.store import Store
from tests.records import DAY

ZONE = "Europe/Moscow"
JANUARY, FEBRUARY, MARCH = 1_735_722_000_000, 1_738_400_400_000, 1_740_819_600_000
"""The first of each month of 2025, 12:00 in Moscow."""
LARGEST = 2**53 - 1
"""Of a count that an act may state."""


def posting(part: str, item: str, time: int, **said: Any) -> Posting:
    plain = {"partner": "KZ", "direction": "", "kind": "", "office": "", "counterpart": "", "tag": "", "thing": "",
             "value": 1, "currency": "", "record": 0}  # fmt: skip
    return Posting(part=part, item=item, time=time, **{**plain, **said})


def fleeting(part: str, item: str, since: int, until: int | None, **said: Any) -> list[Posting]:
    """What stands from one moment to another, or for good."""
    over = [] if until is None else [posting(part, ended(item), until, **{**said, "value": -1})]
    return [posting(part, item, since, **said), *over]


class Desk:
    """A store in which subjects post what a test says."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.generation = store.new_generation(CasesFold(), LedgerId("t.test"))
        self._book = Book(self.generation.id, store.engine.dialect)
        self.figures = Figures(
            Compliance(store, self.generation.ledger_id, built_in(), generation=self.generation)
        )  # fmt: skip

    def post(self, subject: str, *rows: Posting) -> None:
        with self._store.writing() as connection:
            self._book.write(connection, 0, [(subject, rows)], ZONE, Counter())

    def part(self, code: str, **scope: Any) -> PartAnswer:
        return self.figures.page(Scope(**scope), MARCH).figure(code.partition(".")[0]).part(code)

    def lines(self, code: str, **scope: Any) -> dict[str, int]:
        return {f"{line.tag} {line.currency}".strip(): line.number for line in self.part(code, **scope).lines}

    def records(self, code: str, tag: str | None = None, **scope: Any) -> list[Cited]:
        return list(self.figures.records(code, Scope(**scope), tag).rows)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


# What comes and goes


def test_what_ends_with_one_partner_goes_on_with_the_other(desk: Desk) -> None:
    """Given a treaty that enters into force with two states in a month and ends with one of them in the same."""
    of = {"thing": "i-1", "tag": "treaty"}
    desk.post("register", *fleeting("M25.force", "KZ", JANUARY, None, **of),
              *fleeting("M25.force", "BY", JANUARY + DAY, JANUARY + 2 * DAY, partner="BY", **of))  # fmt: skip
    assert desk.lines("M25.force", partner="KZ") == {"treaty": 1}
    assert desk.lines("M25.force", partner="BY") == {}
    assert desk.lines("M25.force") == {"treaty": 1}


def test_what_one_office_has_told_is_open_at_the_other_alone(desk: Desk) -> None:
    """Given changes at two offices in one month, of which one is told on, then the other office has one open."""
    of = {"partner": "", "tag": "notified"}
    desk.post("register", *fleeting("M24.told.open", "e-1", JANUARY, None, office="RU-OMS", **of),
              *fleeting("M24.told.open", "e-2", JANUARY + DAY, JANUARY + 2 * DAY, office="RU-KGN", **of))  # fmt: skip
    assert desk.lines("M24.told.open", office="RU-OMS") == {"notified": 1}
    assert desk.lines("M24.told.open", office="RU-KGN") == {}


def test_the_records_of_what_stands_are_those_of_the_office_where_it_stands(desk: Desk) -> None:
    """Given the same over two months, then the record behind the figure is the one that nothing has ended."""
    of = {"partner": "", "tag": "notified"}
    desk.post("register", *fleeting("M24.told.open", "e-1", JANUARY, None, office="RU-OMS", **of),
              *fleeting("M24.told.open", "e-2", JANUARY + DAY, FEBRUARY, office="RU-KGN", **of))  # fmt: skip
    assert desk.lines("M24.told.open") == {"notified": 1}
    assert [row.item for row in desk.records("M24.told.open")] == ["e-1"]


def test_who_is_detained_for_two_requests_is_one_person(desk: Desk) -> None:
    """Given one person in two requests, released in one of them, then it is one person, until the other one ends."""
    desk.post("request/1", *fleeting("M15.open", "e-1", JANUARY, FEBRUARY, thing="p-7"))
    desk.post("request/2", *fleeting("M15.open", "e-2", JANUARY + DAY, MARCH, thing="p-7"))
    desk.post("request/3", *fleeting("M15.open", "e-3", JANUARY, None, thing="p-8"))
    assert [desk.part("M15.open", last=last).number for last in (202501, 202502, 202503)] == [2, 2, 1]
    assert [row.item for row in desk.records("M15.open")] == ["e-3"]


def test_a_build_beside_another_has_figures_of_its_own_and_takes_them_along(desk: Desk, store: Store) -> None:
    """Given two generations of one ledger, then neither sees the other's figures, and the dropped one's are gone."""
    beside = Desk(store)
    for one, subjects in ((desk, 2), (beside, 3)):
        for number in range(subjects):
            one.post(f"request/{number}", posting("M1", "e", JANUARY, tag="in mla"),
                     posting("M13", "e", JANUARY, tag="in treaty", thing=f"p-{number}"))  # fmt: skip
    for number, one in ((2, desk), (3, beside)):
        assert (one.part("M1").number, one.part("M13").number, one.part("M3").number) == (number, number, 1)
        assert len(one.records("M13")) == number
    store.drop(beside.generation)
    assert [beside.part(code).lines for code in ("M1", "M13")] == [(), ()]
    assert (desk.part("M1").number, desk.part("M13").number) == (2, 2)


def test_of_nothing_a_count_is_nought_and_days_and_money_have_no_number(desk: Desk) -> None:
    """Given no postings at all, then a part has the number that its sort has where lines come to nothing."""
    assert {desk.part(code).number for code in ("M1", "M3", "M4", "M13", "M15.open", "M25.force")} == {0}
    assert {desk.part(code).number for code in ("M10", "M18", "M19")} == {None}


def test_what_will_end_stands_until_then(desk: Desk) -> None:
    """Given a treaty that says when it ends, when all time is asked for before that, then it is in force."""
    desk.post("register", *fleeting("M25.force", "KZ", JANUARY, MARCH, thing="t", tag="treaty"))
    assert desk.lines("M25.force") == {}
    assert desk.lines("M25.force", until=202502) == {"treaty": 1}
    assert len(desk.records("M25.force", until=202502)) == 1
    assert desk.lines("M25.force", last=202502) == {"treaty": 1}


def test_a_request_that_names_two_forms_is_one_request(desk: Desk) -> None:
    """Given a request of two forms and one of one, then each form has its requests and the whole has two."""
    desk.post("request/1", *(posting("M22", form, JANUARY, tag=form, thing="request/1") for form in ("o1", "o3")))
    desk.post("request/2", posting("M22", "o1", JANUARY, tag="o1", thing="request/2"))
    assert (desk.lines("M22"), desk.part("M22").number) == ({"o1": 2, "o3": 1}, 2)


# Money


def asset(item: str, amount: int, *, part: str = "M18", time: int = JANUARY) -> Posting:
    return posting(part, item, time, tag="funds", thing="a-1", value=amount, currency="EUR")


def test_what_another_request_releases_is_restrained_no_more(desk: Desk) -> None:
    """Given property restrained in one request and released in another, then nothing of it is restrained."""
    desk.post("request/1", asset("e-1", 100))
    desk.post("request/2", asset("e-2", -100, time=FEBRUARY))
    assert desk.lines("M18", last=202501) == {"funds EUR": 100}
    assert desk.lines("M18") == {}


def test_what_another_request_releases_in_part_is_restrained_for_the_rest(desk: Desk) -> None:
    desk.post("request/1", asset("e-1", 100))
    desk.post("request/2", asset("e-2", 80))
    desk.post("request/3", asset("e-3", -30, time=FEBRUARY))
    desk.post("request/4", asset("e-4", 20, part="M20", time=FEBRUARY))
    assert desk.lines("M18") == {"funds EUR": 50}


# Sums, lines, pages


@pytest.mark.parametrize("office", [None, "RU-OMS"])
def test_counts_are_exact_beyond_64_bits(desk: Desk, office: str | None) -> None:
    """Given more than a thousand acts with the largest count there is, then the sum is right, by either table."""
    rows = [
        posting("M21", f"e-{n}", JANUARY, tag="measure other", value=LARGEST, office="RU-OMS") for n in range(1100)
    ]  # fmt: skip
    desk.post("request/1", *rows, posting("M21", "e", JANUARY, tag="measure other", value=7, office="RU-OMS"))
    assert desk.lines("M21", office=office) == {"measure other": 1100 * LARGEST + 7}
    by = desk.figures.by("M21", Scope(office=office), "month")
    assert by["202501"].number == 1100 * LARGEST + 7


def test_a_line_is_named_to_the_letter(desk: Desk) -> None:
    """Given lines that differ in capitals or hold what a pattern would mean, then each has its own records."""
    for number, tag in enumerate(["out a_b", "OUT a_b", "out", "outer", "out%", "o_t x"]):
        desk.post(f"request/{number}", posting("M1", "e", JANUARY + number, tag=tag))
    assert [row.tag for row in desk.records("M1", "out")] == ["out a_b", "out"]
    assert [row.tag for row in desk.records("M1", "OUT")] == ["OUT a_b"]
    assert desk.records("M1", "o_t a") == desk.records("M1", "%") == []
    assert desk.figures.cite("M1", Scope(), "out").postings == 2


def test_pages_meet_where_postings_have_one_time(desk: Desk) -> None:
    for subject in ("request/b", "request/B", "request/a", "request/_"):
        desk.post(subject, *(posting("M2", item, JANUARY, tag="x") for item in ("e", "E", "é", "~")))
    whole = desk.figures.records("M2", Scope(), limit=100).rows
    assert [(row.subject, row.item) for row in whole] == sorted((row.subject, row.item) for row in whole)
    found, after = [], None
    while True:
        page = desk.figures.records("M2", Scope(), limit=3, after=after)
        found += page.rows
        after = page.after
        if after is None:
            break
    assert found == list(whole)
    assert len(found) == 16


@pytest.mark.parametrize(
    "cursor",
    ['[99999999999999999999999,0,"request/1","M1","e"]', '[0,9223372036854775808,"request/1","M1","e"]',
     '[-9223372036854775809,0,"request/1","M1","e"]', '[0,0,"\\u0000","M1","e"]', '[0,0,"request/1","M1","\\u0000"]'],
)  # fmt: skip
def test_a_cursor_that_no_page_gave_is_refused(desk: Desk, cursor: str) -> None:
    desk.post("request/1", posting("M1", "e", JANUARY))
    with pytest.raises(FormatError, match="expected a cursor of an earlier page"):
        desk.figures.records("M1", Scope(), after=cursor)
