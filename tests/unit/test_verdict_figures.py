"""Figures M28-M30: what the cells of findings say is what the findings themselves say, at any moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ledger.event import read_event
from projections.compliance.answers import BoardFilters
from projections.compliance.judging import Judge
from projections.compliance.queries import Compliance
from projections.figures import verdicts
from projections.figures.answers import FiguresPage, OverdueLine, Scope, VerdictLine
from projections.figures.queries import Figures
from projections.schema import cells, postings
from projections.store import Store
from projections.view import Generation
from tests.judgements import (
    DAY,
    RULES,
    T0,
    always,
    grant_key,
    head_of,
    judged,
    office_of,
    rules,
    sign,
    step,
    taken,
    town,
)
from tests.ledgers import Book
from tests.records import box, content, usual

MOMENTS = (T0, T0 + 3_600_000, T0 + 2 * DAY, T0 + 31 * DAY, T0 + 400 * DAY)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def page(store: Store, book: Book, as_of: int, scope: Scope = Scope()) -> FiguresPage:  # noqa: B008 - frozen
    return Figures(Compliance(store, book.ledger_id, RULES)).page(scope, as_of)


def both_ways(store: Store, generation: Generation, as_of: int, scope: Scope) -> list[dict[tuple[str, str, str], int]]:
    found = []
    with store.reading() as connection:
        for way in (verdicts._summed, verdicts._counted):
            sums: dict[tuple[str, str, str], int] = {}
            for *key, number in way(connection, generation.id, scope, as_of):
                at = tuple(key)
                sums[at] = sums.get(at, 0) + number  # type: ignore[index,arg-type]
            found.append({key: number for key, number in sums.items() if number})
    return found


def check_sums(store: Store, generation: Generation) -> None:
    """The cells of postings are the sums of what stands in ``postings``."""
    p, c = postings.c, cells.c
    keys = (p.partner, p.part, p.tag, p.value, p.month)
    summed = sa.select(*keys, sa.func.count()).where(p.generation == generation.id).group_by(*keys)
    kept = sa.select(c.partner, c.part, c.tag, c.value, c.month, c.number).where(
        c.generation == generation.id, c.part != "M28", c.number != 0
    )
    with store.reading() as connection:
        rows = [sorted(tuple(row) for row in connection.execute(query)) for query in (summed, kept)]
    assert rows[0] == rows[1]
    assert rows[0]


def test_cells_say_what_findings_say_after_every_change(store: Store) -> None:
    """Given requests that grow, a register that grows and other rules, then both ways of counting agree each time."""
    book = town(6, 2)
    key = grant_key(book, "RU-KGN")
    generation = taken(store, book)
    judge = Judge(store, generation, always())
    changes = [
        lambda: None,
        lambda: step(book, 1, "odd"),
        lambda: head_of(book, office_of(1)),
        lambda: sign(book, 7, key),
        lambda: step(book, 2, "good"),
    ]
    for change in changes:
        change()
        taken(store, book, generation)
        judged(judge, 2, chunk=2)
        for as_of in MOMENTS:
            for scope in (Scope(), Scope(partner="KZ"), Scope(partner="BY"), Scope(first=202503, last=202503)):
                summed, counted = both_ways(store, generation, as_of, scope)
                assert summed == counted
                assert bool(summed) == (scope.partner != "BY")
        check_sums(store, generation)
    judged(Judge(store, generation, always(rules(60))), 2)
    for as_of in MOMENTS:
        summed, counted = both_ways(store, generation, as_of, Scope())
        assert summed == counted


def test_findings_are_told_by_rule_verdict_and_side(store: Store) -> None:
    """Given three requests without an answer, then it is open for 30 days, overdue after one, and breached later."""
    book = town(3, 1)
    judged(Judge(store, taken(store, book), always()), 1)
    open_, late = page(store, book, T0 + 3_600_000), page(store, book, T0 + 60 * DAY)
    assert VerdictLine("T2", "open", "own", 3) in open_.figure("M28").verdicts
    assert open_.figure("M29").overdue == ()
    assert page(store, book, T0 + 4 * DAY).figure("M29").overdue == (OverdueLine("T2", 3, 3, None),)
    assert VerdictLine("T2", "breached", "own", 3) in late.figure("M28").verdicts
    assert late.figure("M29").overdue == ()
    assert late.figure("M30").verdicts == ()


def test_an_office_has_the_findings_that_it_owes(store: Store) -> None:
    book = town(6, 1)
    judged(Judge(store, taken(store, book), always()), 1)
    every = page(store, book, T0 + 60 * DAY).figure("M28").verdicts
    assert page(store, book, T0 + 60 * DAY, Scope(office="RU-PGO")).figure("M28").verdicts == every  # who signed
    assert page(store, book, T0 + 60 * DAY, Scope(office="RU-KGN")).figure("M28").verdicts == ()
    assert page(store, book, T0 + 60 * DAY, Scope(kind="mla")).figure("M28").verdicts == every
    assert page(store, book, T0 + 60 * DAY, Scope(kind="asset")).figure("M28").verdicts == ()
    assert page(store, book, T0, Scope(counterpart="KZ-PGO")).figure("M28").verdicts == ()


def test_the_list_of_partners_counts_their_breaches(store: Store) -> None:
    book = town(4, 1)
    judged(Judge(store, taken(store, book), always()), 1)
    figures = Figures(Compliance(store, book.ledger_id, RULES))
    (row,) = figures.partners(Scope(), T0 + 60 * DAY).rows
    assert (row.partner, row.requests_out + row.requests_in, row.open) == ("KZ", 4, 4)
    breached = sum(v.number for v in page(store, book, T0 + 60 * DAY).figure("M28").verdicts if v.verdict == "breached")
    assert row.breached == breached


def test_findings_and_figures_name_the_partner_as_corrected(store: Store) -> None:
    """Given a request recorded with another state by mistake, then both are with the one it was corrected to."""
    book = town(1, 1)
    said = content(kind="mla", requesting=office_of(1), partner="BY", legal_basis=["ru-kz-2009"])
    signed = book.add("request/wrong", "request.signed", usual("request.signed") | said)
    correction = {"target": read_event(signed.value or b"").id, "how": "replace", "fields": {"partner": "KZ"}}
    book.add("request/wrong", "record.corrected", {**correction, "why": box()})
    judged(Judge(store, taken(store, book), always()), 1)
    assert page(store, book, T0, Scope(partner="KZ")).figure("M1").part("M1").number == 2
    subjects = [
        row.subject for row in Compliance(store, book.ledger_id, RULES).board(BoardFilters(partner="KZ"), T0).rows
    ]
    assert "request/wrong" in subjects
    assert page(store, book, T0, Scope(partner="BY")).figure("M1").part("M1").number == 0
