"""Two at one store, each stopped where it hurts: workers, whoever switches and drops, and readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ledger.errors import MisuseError, Overtaken, StoreUnavailable
from projections.engine import open_engine
from projections.queries import Queries
from projections.schema import PROJECTIONS, history, places, poison, positions
from projections.store import Store
from projections.view import Batch, Generation
from tests.faults.faulty import GatedStore, When, Write
from tests.ledgers import Book, TallyFold

FOLD = TallyFold()
PATIENCE = 30.0


class Halt:
    """A gate that lets nobody pass ``when`` until told to."""

    def __init__(self, when: When) -> None:
        self._when = when
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, _: Write, when: When) -> None:
        if when == self._when:
            self.reached.set()
            assert self.go_on.wait(PATIENCE)


@pytest.fixture
def slow(store_url: str) -> Iterator[GatedStore]:
    with GatedStore(open_engine(store_url)) as store:
        yield store


@pytest.fixture
def quick(store_url: str, slow: GatedStore) -> Iterator[Store]:
    with Store.open(store_url) as store:
        yield store


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def book_of(subjects: int, records: int) -> Book:
    book = Book()
    for i in range(records):
        book.add(f"request/{i % subjects}")
    return book


def batch_of(store: Store, generation: Generation, book: Book, upto: int | None = None) -> Batch:
    view = store.view(FOLD, generation, 0)
    messages = book.stored()[view.next : upto]
    store.fill(view, messages)
    for message in messages:
        view.take(message)
    batch = view.cut()
    assert batch is not None
    return batch


def clean_digest(store: Store, book: Book) -> bytes:
    generation = store.new_generation(FOLD, book.ledger_id)
    store.commit(batch_of(store, generation, book))
    return store.digest(generation, 0, check=True)[1]


def finish(store: Store, generation: Generation, book: Book) -> None:
    """Whatever became of a batch: look where the rows stand and go on from there."""
    if store.load(generation, 0).next < len(book.stored()):
        store.commit(batch_of(store, generation, book))


def waits(store: Store, future: Future[object]) -> bool:
    """Whether it has come to wait for a lock that another holds."""
    if store.engine.dialect.name == "sqlite":
        return not future.done()  # SQLite does not tell; what counts comes after
    query = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not future.done():
        with store.reading() as connection:
            if connection.execute(query).scalar():
                return True
    return False


@pytest.mark.parametrize("begun", [False, True], ids=["first commit", "later commit"])
@pytest.mark.parametrize("subjects", [5, 60], ids=["few rows", "many rows"])
class TestTwoWorkers:
    def test_the_second_waits_for_the_first_and_has_then_been_overtaken(
        self, slow: GatedStore, quick: Store, threads: ThreadPoolExecutor, begun: bool, subjects: int
    ) -> None:
        book = book_of(subjects, 120)
        generation = quick.live(FOLD, book.ledger_id)
        if begun:
            quick.commit(batch_of(quick, generation, book, 20))
        first, second = batch_of(slow, generation, book, 90), batch_of(quick, generation, book)
        slow.gate = halt = Halt("within")
        leading = threads.submit(slow.commit, first)
        assert halt.reached.wait(PATIENCE)
        following: Future[object] = threads.submit(quick.commit, second)
        assert waits(slow, following)
        halt.go_on.set()
        leading.result(PATIENCE)
        with pytest.raises(Overtaken):
            following.result(PATIENCE)
        assert quick.load(generation, 0).next == 90
        slow.gate = lambda *_: None
        finish(quick, generation, book)
        assert quick.digest(generation, 0, check=True)[1] == clean_digest(quick, book)

    def test_one_paused_before_its_commit_writes_nothing(
        self, slow: GatedStore, quick: Store, threads: ThreadPoolExecutor, begun: bool, subjects: int
    ) -> None:
        book = book_of(subjects, 120)
        generation = quick.live(FOLD, book.ledger_id)
        if begun:
            quick.commit(batch_of(quick, generation, book, 20))
        late = batch_of(slow, generation, book, 90)
        slow.gate = halt = Halt("before")
        paused = threads.submit(slow.commit, late)
        assert halt.reached.wait(PATIENCE)
        quick.commit(batch_of(quick, generation, book, 60))
        halt.go_on.set()
        with pytest.raises(Overtaken):
            paused.result(PATIENCE)
        assert quick.load(generation, 0).next == 60
        slow.gate = lambda *_: None
        finish(quick, generation, book)
        assert quick.digest(generation, 0, check=True)[1] == clean_digest(quick, book)


def test_a_worker_that_is_stopped_within_its_commit_does_not_hold_the_others_for_ever(
    postgres_url: str, threads: ThreadPoolExecutor
) -> None:
    impatient = "?options=-c%20idle_in_transaction_session_timeout%3D300ms"
    book = book_of(60, 120)
    with GatedStore(open_engine(postgres_url + impatient)) as slow, Store.open(postgres_url) as quick:
        generation = quick.live(FOLD, book.ledger_id)
        first, second = batch_of(slow, generation, book), batch_of(quick, generation, book)
        slow.gate = halt = Halt("within")
        stopped = threads.submit(slow.commit, first)
        assert halt.reached.wait(PATIENCE)
        quick.commit(second)  # waits until the server has ended the other one's transaction
        halt.go_on.set()
        with pytest.raises(StoreUnavailable):
            stopped.result(PATIENCE)
        assert quick.digest(generation, 0, check=True)[1] == clean_digest(quick, book)


class TestRebuilding:
    def left(self, store: Store, generation: Generation) -> int:
        """Rows of any kind of a generation."""
        tables = [PROJECTIONS[FOLD.name], positions, history, places, poison]
        count = sa.func.count()
        with store.reading() as connection:
            queries = [sa.select(count).select_from(t).where(t.c.generation == generation.id) for t in tables]
            return sum(connection.execute(query).scalar() or 0 for query in queries)

    def test_answers_go_on_and_the_switch_is_one_moment(self, slow: GatedStore, quick: Store) -> None:
        book = book_of(40, 400)
        old = quick.live(FOLD, book.ledger_id)
        quick.commit(batch_of(quick, old, book, 200))
        queries = Queries(quick, FOLD, book.ledger_id)
        new = slow.new_generation(FOLD, book.ledger_id)
        for upto in (150, 300, 401):  # as a rebuild that is interrupted and taken up again
            slow.commit(batch_of(slow, new, book, upto))
            answer = queries.status_of("request/1")
            assert (answer.generation, answer.sizes) == (old.id, {0: 200})
        slow.switch(new)
        answer = queries.status_of("request/1")
        assert (answer.generation, answer.sizes) == (new.id, {0: 401})
        with pytest.raises(Overtaken):
            quick.view(FOLD, old, 0)
        slow.drop(old)
        assert self.left(quick, old) == 0
        assert quick.digest(new, 0, check=True)[1] == clean_digest(quick, book)

    def test_a_reader_that_has_begun_sees_neither_commit_nor_switch_nor_drop(
        self, slow: GatedStore, quick: Store
    ) -> None:
        book = book_of(40, 100)
        old = quick.live(FOLD, book.ledger_id)
        quick.commit(batch_of(quick, old, book, 50))
        new = quick.new_generation(FOLD, book.ledger_id)
        quick.commit(batch_of(quick, new, book))
        rows_of = PROJECTIONS[FOLD.name]
        rows = sa.select(sa.func.sum(rows_of.c.seq)).where(rows_of.c.generation == old.id)
        with slow.reading() as connection:
            assert slow.load_in(connection, old.id, 0).next == 50
            quick.commit(batch_of(quick, old, book))
            quick.switch(new)
            quick.drop(old)
            assert slow.load_in(connection, old.id, 0).next == 50
            assert connection.execute(rows).scalar() == 50
        with slow.reading() as connection:
            assert connection.execute(rows).scalar() is None

    @pytest.mark.parametrize("begun", [False, True], ids=["first commit", "later commit"])
    def test_to_drop_waits_for_a_commit_and_leaves_nothing_of_it(
        self, slow: GatedStore, quick: Store, threads: ThreadPoolExecutor, begun: bool
    ) -> None:
        book = book_of(60, 120)
        building = quick.new_generation(FOLD, book.ledger_id)
        if begun:
            quick.commit(batch_of(quick, building, book, 20))
        batch = batch_of(slow, building, book)
        slow.gate = halt = Halt("within")
        committing = threads.submit(slow.commit, batch)
        assert halt.reached.wait(PATIENCE)
        dropping: Future[object] = threads.submit(quick.drop, building)
        assert waits(slow, dropping)
        halt.go_on.set()
        committing.result(PATIENCE)
        dropping.result(PATIENCE)
        assert quick.generations() == []
        assert self.left(quick, building) == 0

    def test_a_commit_to_what_was_dropped_meanwhile_writes_nothing(self, slow: GatedStore, quick: Store) -> None:
        book = book_of(60, 120)
        building = quick.new_generation(FOLD, book.ledger_id)
        batch = batch_of(slow, building, book)
        quick.drop(building)
        with pytest.raises(Overtaken):
            slow.commit(batch)
        assert self.left(quick, building) == 0

    def test_a_drop_that_was_interrupted_is_done_again(self, slow: GatedStore, quick: Store) -> None:
        book = book_of(60, 120)
        dropped = quick.new_generation(FOLD, book.ledger_id)
        quick.commit(batch_of(quick, dropped, book))

        def die(_: sa.Connection, __: object, statement: str, *___: object) -> None:
            if statement.startswith("DELETE FROM cases"):
                raise StoreUnavailable("the connection is gone")

        sa.event.listen(slow.engine, "before_cursor_execute", die)
        with pytest.raises(StoreUnavailable):
            slow.drop(dropped)
        assert self.left(quick, dropped) > 0
        with pytest.raises(Overtaken):
            quick.load(dropped, 0)
        quick.drop(dropped)
        assert quick.generations() == []
        assert self.left(quick, dropped) == 0

    def test_many_rows_are_dropped_in_pieces(self, quick: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("projections.generations._PIECE", 7)
        book = book_of(60, 120)
        kept, dropped = (quick.new_generation(FOLD, book.ledger_id) for _ in range(2))
        for generation in (kept, dropped):
            quick.commit(batch_of(quick, generation, book))
        pieces: list[int] = []

        def counted(_: sa.Connection, cursor: sa.engine.interfaces.DBAPICursor, statement: str, *__: object) -> None:
            if statement.startswith("DELETE FROM cases"):
                pieces.append(cursor.rowcount)

        sa.event.listen(quick.engine, "after_cursor_execute", counted)
        quick.drop(dropped)
        assert sum(pieces) == 61
        assert max(pieces) == 7
        assert (self.left(quick, dropped), self.left(quick, kept)) == (0, 62)

    def test_of_two_switches_at_once_the_second_answers(
        self, slow: GatedStore, quick: Store, threads: ThreadPoolExecutor
    ) -> None:
        book = book_of(5, 10)
        quick.live(FOLD, book.ledger_id)
        one, two = (quick.new_generation(FOLD, book.ledger_id) for _ in range(2))
        reached, go_on = threading.Event(), threading.Event()

        def halted(_: sa.Connection, __: object, statement: str, *___: object) -> None:
            if statement.startswith("UPDATE generations"):
                reached.set()
                assert go_on.wait(PATIENCE)

        sa.event.listen(slow.engine, "before_cursor_execute", halted)
        first = threads.submit(slow.switch, one)
        assert reached.wait(PATIENCE)
        second: Future[object] = threads.submit(quick.switch, two)
        assert waits(slow, second)
        go_on.set()
        first.result(PATIENCE)
        second.result(PATIENCE)
        assert {g.id: g.state for g in quick.generations()} == {one.id - 1: "old", one.id: "old", two.id: "live"}
        with pytest.raises(MisuseError, match="building"):
            quick.switch(two)


class TestTheLiveGeneration:
    def test_to_ask_for_it_writes_nothing_and_uses_up_no_number(self, slow: GatedStore, quick: Store) -> None:
        book = book_of(1, 1)
        live = quick.live(FOLD, book.ledger_id)
        with slow.writing() as connection:  # on SQLite nobody else can write now
            connection.execute(places.delete())
            assert [quick.live(FOLD, book.ledger_id) for _ in range(5)] == [live] * 5
        assert quick.new_generation(FOLD, book.ledger_id).id == live.id + 1

    def test_many_that_ask_at_once_get_the_same(self, quick: Store, threads: ThreadPoolExecutor) -> None:
        book = book_of(1, 1)
        asked = [threads.submit(quick.live, FOLD, book.ledger_id) for _ in range(12)]
        assert len({each.result(PATIENCE) for each in asked}) == 1
        assert len(quick.generations()) == 1
