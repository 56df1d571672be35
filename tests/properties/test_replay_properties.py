"""However records are cut into batches, interleaved, interrupted and repeated: the same rows and digests."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.replay import Limits, follow, replay
from ledger.errors import Overtaken
from ledger.log import LEDGER, Message
from projections.queries import Known, Queries
from projections.store import Store
from projections.view import Generation
from tests.aio import run
from tests.fakes import MemoryLog
from tests.ledgers import Book, Tally, TallyFold, new_store
from tests.postgres_fixture import create_database, drop_database

FOLD = TallyFold()

# Subjects by number; few, so that they repeat, and one that is longer than a chunk of history.
acts = st.lists(st.integers(0, 6), max_size=60)
parts = st.integers(1, 3)
limits = st.builds(
    Limits,
    piece=st.integers(1, 9),
    records=st.integers(1, 40),
    rows=st.integers(1, 12),
    seconds=st.sampled_from([0.0, 5.0]),
    parallel=st.integers(1, 3),
    wait=st.just(0.001),
)


def book_of(partitions: int, numbers: list[int]) -> Book:
    book = Book(partitions)
    for number in numbers:
        for _ in range(260 if number == 6 and numbers.count(6) == 1 else 1):
            book.add(f"request/{number}")
    return book


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database for all examples."""
    return f"sqlite:///{tmp_path_factory.mktemp('rows')}/store.db"


@pytest.fixture(scope="module")
def other_url(postgres_server: str) -> Iterator[str]:
    """One of the other kind."""
    yield create_database(postgres_server, "properties")
    drop_database(postgres_server, "properties")


def log_of(messages: list[list[Message]], seed: int) -> MemoryLog:
    """Reads are of chance lengths; between positions there may be gaps."""
    log = MemoryLog(len(messages), shy=random.Random(seed), stride=1 + seed % 3)
    for partition, those in enumerate(messages):
        log.put(LEDGER, partition, those)
    return log


def plainly(store: Store, book: Book) -> Generation:
    """Rows made one partition after the other, each in one batch."""
    generation = store.new_generation(FOLD, book.ledger_id)
    for partition in range(book.partitions):
        view = store.view(FOLD, generation, partition)
        for message in book.stored(partition):
            view.take(message)
        batch = view.cut()
        assert batch is not None
        store.commit(batch)
    return generation


def rows(store: Store, book: Book, generation: Generation) -> list[Known[Tally]]:
    queries = Queries(store, FOLD, book.ledger_id, generation=generation)
    return queries.list_status(limit=1000).value.rows


def assert_same(store: Store, book: Book, generation: Generation) -> None:
    plain = plainly(store, book)
    for partition in range(book.partitions):
        assert store.digest(generation, partition, check=True) == store.digest(plain, partition, check=True)
        assert store.load(generation, partition).state == store.load(plain, partition).state
    assert rows(store, book, generation) == rows(store, book, plain)
    for row in rows(store, book, plain):
        one = Queries(store, FOLD, book.ledger_id, generation=generation).history_of(row.subject)
        two = Queries(store, FOLD, book.ledger_id, generation=plain).history_of(row.subject)
        assert one.value == two.value


@settings(deadline=None, max_examples=40)
@given(parts, acts, limits, st.integers(0, 2**32))
def test_batches_and_interleaving_make_no_difference(
    url: str, partitions: int, numbers: list[int], how: Limits, seed: int
) -> None:
    book = book_of(partitions, numbers)
    with new_store(url) as store:
        generation = store.live(FOLD, book.ledger_id)
        assert not run(replay(log_of(book.messages, seed), store, FOLD, generation, limits=how)).stopped
        assert_same(store, book, generation)


@settings(deadline=None, max_examples=30)
@given(parts, acts, st.lists(st.tuples(limits, st.floats(0, 1)), max_size=4), st.integers(0, 2**32))
def test_restarts_make_no_difference(
    url: str, partitions: int, numbers: list[int], runs: list[tuple[Limits, float]], seed: int
) -> None:
    book = book_of(partitions, numbers)
    log = log_of(book.messages, seed)
    with new_store(url) as store:
        generation = store.live(FOLD, book.ledger_id)
        for how, share in runs:
            until = {p: int(run(log.end(LEDGER, p)) * share) for p in range(partitions)}
            run(replay(log, store, FOLD, generation, until=until, limits=how))
        run(follow(log, store, FOLD, generation, until_idle=True, limits=Limits(wait=0.001)))
        assert_same(store, book, generation)


@settings(deadline=None, max_examples=30)
@given(acts, limits, st.data())
def test_repeated_and_early_records_make_no_difference(
    url: str, numbers: list[int], how: Limits, data: st.DataObject
) -> None:
    book = book_of(1, numbers)
    noisy: list[Message] = []
    for index, message in enumerate(book.messages[0]):
        noisy.append(message)
        if data.draw(st.integers(0, 9)) == 0:
            first = data.draw(st.integers(0, index))
            noisy += book.messages[0][first : index + 1]
        if data.draw(st.integers(0, 19)) == 0:
            noisy.append(book.ahead(0))
    with new_store(url) as store:
        generation = store.live(FOLD, book.ledger_id)
        log = log_of([noisy], len(noisy))
        outcome = run(replay(log, store, FOLD, generation, limits=how))
        assert outcome.nexts == {0: run(log.end(LEDGER, 0))}
        assert_same(store, book, generation)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["fold", "commit", "restart"])), max_size=40),
)
def test_any_schedule_of_three_workers_counts_each_record_once(
    url: str, numbers: list[int], schedule: list[tuple[int, str]]
) -> None:
    """Each step lets one worker fold a few records, commit what it holds, or begin anew; losers begin anew."""
    book = book_of(1, numbers)
    messages = book.stored()
    with new_store(url) as store:
        generation = store.live(FOLD, book.ledger_id)
        views = [store.view(FOLD, generation, 0, capacity=2) for _ in range(3)]
        for worker, step in schedule:
            try:
                view = views[worker]
                if step == "restart":
                    views[worker] = store.view(FOLD, generation, 0, capacity=2)
                elif step == "fold":
                    piece = messages[view.next : view.next + 5]
                    store.fill(view, piece)
                    for message in piece:
                        view.take(message)
                elif (batch := view.cut()) is not None:
                    store.commit(batch)
                    view.committed(batch)
            except Overtaken:
                views[worker] = store.view(FOLD, generation, 0, capacity=2)
        # a log without gaps between positions: that is where the workers have taken their messages from
        run(replay(log_of(book.messages, 0), store, FOLD, generation, limits=Limits(wait=0.001)))
        assert_same(store, book, generation)


@settings(deadline=None, max_examples=12)
@given(parts, acts, st.lists(st.tuples(limits, st.floats(0, 1)), max_size=2), st.integers(0, 2**32))
def test_both_databases_come_to_the_same_rows_and_digests(
    url: str, other_url: str, partitions: int, numbers: list[int], runs: list[tuple[Limits, float]], seed: int
) -> None:
    """On PostgreSQL in batches and with restarts, on SQLite plainly."""
    book = book_of(partitions, numbers)
    log = log_of(book.messages, seed)
    with new_store(url) as one, new_store(other_url) as two:
        plain = plainly(one, book)
        generation = two.live(FOLD, book.ledger_id)
        for how, share in runs:
            until = {p: int(run(log.end(LEDGER, p)) * share) for p in range(partitions)}
            run(replay(log, two, FOLD, generation, until=until, limits=how))
        run(follow(log, two, FOLD, generation, until_idle=True, limits=Limits(wait=0.001)))
        for partition in range(partitions):
            assert two.digest(generation, partition, check=True) == one.digest(plain, partition, check=True)
        assert rows(two, book, generation) == rows(one, book, plain)
