"""Files, verdicts and figures are the same whatever the batches, the order in which records came, and the database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.replay import Limits, replay
from ledger.errors import Overtaken
from ledger.log import LEDGER
from projections.compliance.judging import Judge
from projections.compliance.proof import Verdicts, verdict_digest
from projections.schema import cells, postings
from projections.store import Store
from projections.view import Generation
from tests.aio import run
from tests.fakes import MemoryLog
from tests.judgements import FOLD, always, grant_key, head_of, judged, office_of, rules, sign, step, town
from tests.ledgers import Book, new_store
from tests.postgres_fixture import create_database, drop_database

limits = st.builds(
    Limits,
    piece=st.integers(1, 7),
    records=st.integers(1, 20),
    rows=st.integers(1, 30),
    wait=st.just(0.001),
    parallel=st.integers(1, 3),
)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("sign"), st.integers(0, 8)),
        st.tuples(st.just("step"), st.integers(0, 8)),
        st.tuples(st.just("head"), st.integers(0, 2)),
        st.tuples(st.just("compromised"), st.just(0)),
    ),
    max_size=20,
)
turns = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2), st.integers(1, 12)),
        st.tuples(st.just("judge"), st.integers(0, 2), st.integers(1, 5)),
        st.tuples(st.just("advance"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("other rules"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('judging') / 'store.db'}"


@pytest.fixture(scope="module")
def other_url(postgres_server: str) -> Iterator[str]:
    yield create_database(postgres_server, "judging_properties")
    drop_database(postgres_server, "judging_properties")


def told(partitions: int, told: list[tuple[str, int]]) -> Book:
    """A town in which some more happens."""
    book = town(4, partitions)
    key = grant_key(book, "RU-KGN")
    compromised = False
    for what, number in told:
        if what == "sign":
            sign(book, number, key)
        elif what == "step":
            step(book, number, "good" if number % 2 else "odd")
        elif what == "head":
            head_of(book, office_of(number))
        elif not compromised:
            compromised = True
            said = {"kid": key, "reason": "compromised", "effective": "2025-03-03T00:00:00+03:00"}
            book.add("register", "key.revoked", said)
    return book


def log_of(book: Book, seed: int = 0) -> MemoryLog:
    log = MemoryLog(book.partitions, shy=random.Random(seed))
    for partition, messages in enumerate(book.messages):
        log.put(LEDGER, partition, messages)
    return log


def proofs(store: Store, book: Book, generation: Generation) -> list[Verdicts]:
    return [verdict_digest(store, generation, partition) for partition in range(book.partitions)]


Booked = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


def booked(store: Store, generation: Generation) -> Booked:
    """All postings, and their sums."""
    found = []
    with store.reading() as connection:
        for table in (postings, cells):
            columns = [column for column in table.c if column.name != "generation"]
            query = sa.select(*columns).where(table.c.generation == generation.id)
            rows = [tuple(row) for row in connection.execute(query)]
            found.append(sorted(row for row in rows if table is postings or row[-1]))  # of cells, those that count any
    return found[0], found[1]


def plainly(store: Store, book: Book) -> tuple[list[bytes], list[Verdicts], Booked]:
    """Everything taken, then everything judged."""
    generation = store.new_generation(FOLD, book.ledger_id)
    assert not run(replay(log_of(book), store, FOLD, generation, limits=Limits(wait=0.001))).stopped
    judged(Judge(store, generation, always()), book.partitions, chunk=1000)
    digests = [store.digest(generation, p, check=True)[1] for p in range(book.partitions)]
    return digests, proofs(store, book, generation), booked(store, generation)


def in_turns(
    store: Store, book: Book, how: Limits, schedule: list[tuple[str, int, int]], seed: int
) -> tuple[list[bytes], list[Verdicts], Booked]:
    """Taken and judged in turns, by two judges, one of which may use other rules for a while."""
    generation = store.live(FOLD, book.ledger_id)
    log = log_of(book, seed)
    judges = [Judge(store, generation, always()), Judge(store, generation, always())]
    stand = dict.fromkeys(range(book.partitions), 0)
    for what, which, number in schedule:
        if what == "take":
            partition = which % book.partitions
            stand[partition] = min(len(book.messages[partition]), stand[partition] + number)
            run(replay(log, store, FOLD, generation, until={partition: stand[partition]}, limits=how))
        elif what == "advance":
            judges[which].advance()
        elif what == "other rules":
            Judge(store, generation, always(rules(60))).advance()
        else:
            try:
                judges[which % 2].some(which % book.partitions, number)
            except Overtaken:
                judges[which % 2].advance()
    assert not run(replay(log, store, FOLD, generation, limits=how)).stopped
    judged(judges[0], book.partitions, chunk=3)
    digests = [store.digest(generation, p, check=True)[1] for p in range(book.partitions)]
    return digests, proofs(store, book, generation), booked(store, generation)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3), acts, limits, turns, st.integers(0, 2**32))
def test_files_and_verdicts_do_not_depend_on_what_came_first(
    url: str, partitions: int, happened: list[tuple[str, int]], how: Limits, schedule: list[tuple[str, int, int]],
    seed: int,
) -> None:  # fmt: skip
    book = told(partitions, happened)
    with new_store(url) as store:
        assert in_turns(store, book, how, schedule, seed) == plainly(store, book)


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 3), acts, limits, turns, st.integers(0, 2**32))
def test_both_databases_come_to_the_same_files_and_verdicts(
    url: str, other_url: str, partitions: int, happened: list[tuple[str, int]], how: Limits,
    schedule: list[tuple[str, int, int]], seed: int,
) -> None:  # fmt: skip
    """On PostgreSQL in turns, on SQLite plainly."""
    book = told(partitions, happened)
    with new_store(url) as one, new_store(other_url) as two:
        assert in_turns(two, book, how, schedule, seed) == plainly(one, book)
