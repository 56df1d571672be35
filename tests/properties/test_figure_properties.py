"""Figures out of the store are those that a plain count of the postings gives, whatever was posted when and by whom."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.ids import LedgerId
from projections.cases import CasesFold
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import built_in
from projections.figures.answers import Scope
from projections.figures.book import Book
from projections.figures.catalogue import PARTS
from projections.figures.months import month_of
from projections.figures.posting import DAY, Posting
from projections.figures.queries import Figures
from projections.store import Store
from projections.view import Generation
from tests.ledgers import new_store
from tests.postgres_fixture import create_database, drop_database

ZONE = "Europe/Moscow"
T0 = 1_735_678_800_000
"""2025-01-01T00:00+03:00."""
COUNTED = [code for code, part in PARTS.items() if part.how == "count" and code != "M3"]
STANDING = [code for code, part in PARTS.items() if part.how == "standing"]
DAYS = [code for code, part in PARTS.items() if part.how == "days"]
DISTINCT = [code for code, part in PARTS.items() if part.how == "distinct"]
HELD = [code for code, part in PARTS.items() if part.how == "held"]

few = st.integers(0, 3)


@st.composite
def postings(draw: st.DrawFn) -> dict[str, Posting]:
    """Postings of one subject, by their keys."""
    found = {}
    partner, direction = draw(st.sampled_from(["KZ", "BY", ""])), draw(st.sampled_from(["in", "out"]))
    for number in range(draw(st.integers(0, 6))):
        part = draw(st.sampled_from([*COUNTED[:4], *STANDING[:2], *DAYS[:2], *DISTINCT[:2], *HELD[:2], "M18", "M20"]))
        how = PARTS[part].how
        value = {"days": draw(st.integers(0, 400)), "standing": draw(st.sampled_from([1, -1])),
                 "held": draw(st.sampled_from([1, -1])), "balance": draw(st.integers(-50, 200)),
                 "money": draw(st.integers(0, 200))}.get(how, draw(st.integers(1, 3)))  # fmt: skip
        thing = f"t-{draw(few)}" if how in ("distinct", "held", "money", "balance") else ""
        currency = draw(st.sampled_from(["EUR", "USD"])) if how in ("money", "balance") else ""
        tag = draw(st.sampled_from(["refused", "answered x", "unknown"]))
        time = T0 + draw(st.integers(0, 24)) * 31 * DAY
        found[part] = Posting(part, f"e-{number}", time, partner, direction, "mla", f"RU-{draw(few)}", "KZ-1", tag,
                              thing, value, currency, number)  # fmt: skip
    return found


class Plain:
    """The figures of a scope, counted one by one."""

    def __init__(self, rows: Iterable[tuple[str, Posting]], scope: Scope) -> None:
        self.rows = [
            (subject, p, month_of(p.time, ZONE))
            for subject, p in rows
            if scope.partner in (None, p.partner) and scope.office in (None, p.office)
        ]
        self.scope = scope

    def of(self, part: str, *, begun: bool = False) -> list[tuple[str, Posting]]:
        first = 0 if begun else self.scope.first
        return [(s, p) for s, p, month in self.rows if p.part == part and first <= month <= self.scope.last]

    def sums(self, part: str) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for _, p in self.of(part, begun=PARTS[part].how == "standing"):
            found[p.tag] += p.value
        return {tag: n for tag, n in found.items() if n}

    def percentile(self, part: str, tag: str, p: int) -> int | None:
        values = sorted(q.value for _, q in self.of(part) if q.tag == tag)
        enough = {50: 1, 90: 10, 99: 100}[p]
        return values[math.ceil(len(values) * p / 100) - 1] if len(values) >= enough else None

    def things(self, part: str) -> dict[str, int]:
        held = PARTS[part].how == "held"
        found: dict[tuple[str, str], int] = defaultdict(int)
        for _, p in self.of(part, begun=held):
            found[p.tag, p.thing] += p.value
        kept = [tag for (tag, _), n in found.items() if n > 0 or not held]
        return {tag: kept.count(tag) for tag in kept}

    def balance(self) -> dict[str, int]:
        def greatest(part: str) -> dict[tuple[str, str], int]:
            stated: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
            for subject, p in self.of(part, begun=True):
                stated[p.thing, p.currency][subject] += p.value
            return {
                thing: max(sums) + (min(0, *sums) if len(sums) > 1 else 0)
                for thing, sums in ((thing, [*subjects.values()]) for thing, subjects in stated.items())
            }

        lost, found = greatest("M20"), defaultdict(int)
        for (thing, currency), amount in greatest("M18").items():
            found[currency] += max(0, amount - lost.get((thing, currency), 0))
        return {currency: n for currency, n in found.items() if n}


def agree(figures: Figures, rows: list[tuple[str, Posting]], scope: Scope) -> None:
    page, plain = figures.page(scope, T0), Plain(rows, scope)

    def lines(part: str) -> Any:
        return page.figure(part.partition(".")[0]).part(part).lines

    for part in (*COUNTED, *STANDING):
        assert {line.tag: line.number for line in lines(part)} == plain.sums(part), part
    for part in DAYS:
        for line in lines(part):
            assert line.number == sum(p.tag == line.tag for _, p in plain.of(part))
            assert [line.p50, line.p90, line.p99] == [plain.percentile(part, line.tag, p) for p in (50, 90, 99)]
        assert sum(line.number for line in lines(part)) == len(plain.of(part))
    for part in (*DISTINCT, *HELD):
        assert {line.tag: line.number for line in lines(part)} == plain.things(part), part
    amounts: dict[str, int] = defaultdict(int)
    for line in lines("M18"):
        amounts[line.currency] += line.number
    assert amounts == plain.balance()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('figures') / 'store.db'}"


@pytest.fixture(scope="module")
def other_url(postgres_server: str) -> Iterator[str]:
    yield create_database(postgres_server, "figure_properties")
    drop_database(postgres_server, "figure_properties")


turns = st.lists(st.dictionaries(st.integers(0, 5), postings(), max_size=4), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(turns)
def test_figures_are_those_of_a_plain_count(url: str, posted: list[dict[int, dict[str, Posting]]]) -> None:
    """Given subjects that post now this and now that, then every figure is that of what they posted last."""
    with new_store(url) as store:
        compare(store, posted)


@settings(deadline=None, max_examples=15)
@given(turns)
def test_postgresql_gives_the_same(other_url: str, posted: list[dict[int, dict[str, Posting]]]) -> None:
    with new_store(other_url) as store:
        compare(store, posted)


def compare(store: Store, posted: list[dict[int, dict[str, Posting]]]) -> None:
    generation: Generation = store.new_generation(CasesFold(), LedgerId("t.test"))
    book = Book(generation.id, store.engine.dialect)
    now: dict[str, list[Posting]] = {}
    for turn in posted:
        for partition in (0, 1):
            made = [(f"request/{s}", [*of.values()]) for s, of in turn.items() if s % 2 == partition]
            with store.writing() as connection:
                book.write(connection, partition, made, ZONE, Counter())
            now.update(dict(made))
    rows = [(subject, p) for subject, of in now.items() for p in of]
    figures = Figures(Compliance(store, generation.ledger_id, built_in(), generation=generation))
    for scope in (Scope(), Scope(partner="KZ"), Scope(partner="KZ", first=202503, last=202510), Scope(office="RU-1")):
        agree(figures, rows, scope)
