"""Two who judge one ledger at once, each a partition of its own, with partners and months in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

import pytest
import sqlalchemy as sa

from projections.compliance.judging import Judge
from projections.compliance.proof import verdict_digest
from projections.figures.book import Book
from projections.figures.posting import Posting
from projections.schema import cells, postings, tallies, verdicts
from projections.store import Store
from projections.view import Generation
from tests.judgements import FOLD, always, head_of, judged, office_of, sign, step, taken, town
from tests.ledgers import T0

PARTITIONS = 2


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def turn(judge: Judge, partition: int, chunk: int, begin: Barrier) -> int:
    """Judge a partition to its end; both begin each chunk at once as long as both have any."""
    judge.advance()
    begin.wait(30)
    number = 0
    while made := judge.some(partition, chunk):
        number += made
    return number


def sums(store: Store, generation: Generation) -> list[list[tuple[object, ...]]]:
    """Cells of postings and of findings, each as it is kept and as it is counted anew."""
    p, c, v, t = postings.c, cells.c, verdicts.c, tallies.c
    keys = (p.partner, p.part, p.tag, p.value, p.month)
    findings = (v.partner, v.rule, v.rank, v.month)
    queries: list[sa.Select[tuple[object, ...]]] = [
        sa.select(*keys, sa.func.count()).where(p.generation == generation.id).group_by(*keys),
        sa.select(c.partner, c.part, c.tag, c.value, c.month, c.number).where(
            c.generation == generation.id, c.part != "M28", c.number != 0
        ),
        sa.select(*findings, sa.func.count())
        .where(v.generation == generation.id, v.until.is_(None))
        .group_by(*findings),
        sa.select(c.partner, sa.func.sum(c.number)).where(c.generation == generation.id, c.part == "M28")
        .group_by(c.partner),
        sa.select(t.partner, sa.func.sum(t.number)).where(t.generation == generation.id).group_by(t.partner),
    ]  # fmt: skip
    with store.reading() as connection:
        return [sorted(tuple(row) for row in connection.execute(query)) for query in queries]


def posted(store: Store, generation: Generation) -> list[tuple[object, ...]]:
    """All postings, but for the generation that they stand in."""
    query = sa.select(*postings.c[1:]).where(postings.c.generation == generation.id)
    with store.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(query))


@pytest.mark.parametrize("chunk", [3, 200])
def test_what_two_judge_at_once_adds_up(store: Store, store_url: str, chunk: int) -> None:
    """Given requests of one partner in two partitions that grow, and a register that grows, then no sum is lost."""
    book = town(60, PARTITIONS)
    generation = taken(store, book)
    begin = Barrier(PARTITIONS)
    with Store.open(store_url) as other, ThreadPoolExecutor(PARTITIONS) as threads:
        judges = [Judge(store, generation, always()), Judge(other, generation, always())]

        def together() -> int:
            done = threads.map(turn, judges, range(PARTITIONS), [chunk] * PARTITIONS, [begin] * PARTITIONS)
            return sum(done)

        assert together() == 61
        for round_ in range(3):
            for number in range(60):
                step(book, number, ("odd", "good", "odd")[(round_ + number) % 3])
            sign(book, 60 + round_)
            if round_ < 2:
                head_of(book, office_of(1 + round_))
            taken(store, book, generation)
            together()
    assert judges[0].waiting() == 0
    rows, kept, findings, by_partner, tallied = sums(store, generation)
    assert rows == kept
    assert len(rows) > 1
    assert by_partner == tallied == [("KZ", sum(int(str(row[-1])) for row in findings))]
    fresh = store.new_generation(FOLD, book.ledger_id)
    taken(store, book, fresh)
    judged(Judge(store, fresh, always()), PARTITIONS, chunk=500)
    assert posted(store, fresh) == posted(store, generation)
    assert sums(store, fresh)[:3] == [rows, kept, findings]
    for partition in range(PARTITIONS):
        assert verdict_digest(store, generation, partition).digest == verdict_digest(store, fresh, partition).digest


@pytest.mark.parametrize("lines", [12, 80])  # few rows are written one by one, many by another way
def test_two_who_write_the_same_cells_do_not_wait_for_each_other_in_a_ring(postgres_url: str, lines: int) -> None:
    """Given subjects of two partitions with the same lines, in any order, then nobody is refused as deadlocked."""
    turns = 60
    begin = Barrier(PARTITIONS)
    with Store.open(postgres_url) as store, ThreadPoolExecutor(PARTITIONS) as threads:
        generation = store.new_generation(FOLD, town(1, 1).ledger_id)

        def write(partition: int) -> None:
            random, book = Random(partition), Book(generation.id, store.engine.dialect)
            for turn in range(turns):
                tags = random.sample(range(lines), lines)
                rows = [
                    Posting("M2", f"e-{turn}-{tag}", T0, "KZ", "in", "mla", "", "", f"t-{tag}", "", 1, "", 0)
                    for tag in tags
                ]
                begin.wait(30)
                with store.writing() as connection:
                    book.write(connection, partition, [(f"request/{turn}", rows)], "Europe/Moscow", Counter())

        list(threads.map(write, range(PARTITIONS)))
        c = cells.c
        with store.reading() as connection:
            found = connection.execute(sa.select(c.number).where(c.generation == generation.id)).scalars().all()
    assert found == [turns * PARTITIONS] * lines
