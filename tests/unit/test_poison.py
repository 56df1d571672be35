"""Poison records: how they are noted, and how the ledger lets a projection pass over one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.replay import Limits, Outcome, follow, replay
from consumers.skipping import Statements
from ledger.errors import LogUnavailable, PoisonRecord
from ledger.log import LEDGER, Message
from projections import poison
from projections.schema import CHUNK
from projections.store import Store
from projections.view import Generation
from tests.aio import run, until
from tests.fakes import MemoryLog
from tests.ledgers import Book, TallyFold
from tests.records import box

FOLD = TallyFold()
POISON = {"step": "poison"}
QUICK = Limits(wait=0.005, first_pause=0.001, longest_pause=0.002, look_again=0.01)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def met_at(book: Book, index: int, reason: str = "expected this, found that") -> PoisonRecord:
    return PoisonRecord(
        reason, partition=0, position=index, index=index, leaf=book.leaves[0][index], subject="request/bad",
        type_="rogatory.step.taken.v1",
    )  # fmt: skip


def skipped(book: Book, index: int, /, **instead: Any) -> Message:
    """The statement that lets the projection pass over an index."""
    said = {"projection": "cases", "index": index, "leaf": book.leaves[0][index].hex(), "why": box()}
    return book.add("ledger/0", "poison.skipped", {**said, **instead})


def poisoned(before: int = 20, behind: int = 20) -> Book:
    """A ledger with a poison record between others; its index is ``before`` + 1."""
    book = Book(1)
    for i in range(before):
        book.add(f"request/{i % 5}")
    book.add("request/bad", "step.taken", POISON)
    for i in range(behind):
        book.add(f"request/{i % 5}")
    return book


def log_of(book: Book) -> MemoryLog:
    log = MemoryLog(1)
    log.put(LEDGER, 0, book.messages[0])
    return log


def replayed(store: Store, book: Book, generation: Generation, **more: Any) -> Outcome:
    return run(replay(log_of(book), store, FOLD, generation, **{"limits": QUICK, **more}))


class TestNoting:
    def test_a_record_is_noted_once_with_the_time_it_was_met_first(self, store: Store) -> None:
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)
        poison.note(store, live, met_at(book, 3))
        (first,) = poison.standing(store, book.ledger_id)
        poison.note(store, live, met_at(book, 3))
        assert poison.standing(store, book.ledger_id) == [first]
        assert (first.projection, first.state, first.index, first.position) == ("cases", "live", 3, 3)
        assert first.leaf == book.leaves[0][3].hex()

    def test_another_record_takes_its_place(self, store: Store) -> None:
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)
        poison.note(store, live, met_at(book, 3))
        poison.note(store, live, met_at(book, 5))
        assert [n.index for n in poison.standing(store, book.ledger_id)] == [5]

    def test_what_was_passed_is_not_shown_even_if_nobody_cleared_it(self, store: Store) -> None:
        book = poisoned(before=10)
        live = store.live(FOLD, book.ledger_id)
        replayed(store, book, live, until={0: 8})
        poison.note(store, live, met_at(book, 7))
        assert poison.standing(store, book.ledger_id) == []
        poison.note(store, live, met_at(book, 8))
        assert [n.index for n in poison.standing(store, book.ledger_id)] == [8]
        poison.clear(store, live, 0, before=8)
        assert poison.noted(store, live, 0) is not None
        poison.clear(store, live, 0, before=9)
        assert poison.noted(store, live, 0) is None

    def test_generations_that_are_no_longer_written_are_not_shown(self, store: Store) -> None:
        book = poisoned()
        old = store.live(FOLD, book.ledger_id)
        poison.note(store, old, met_at(book, 3))
        store.switch(new := store.new_generation(FOLD, book.ledger_id))
        poison.note(store, new, met_at(book, 4))
        assert [n.index for n in poison.standing(store, book.ledger_id)] == [4]

    def test_nothing_of_the_record_is_told(self, store: Store) -> None:
        book = poisoned()
        outcome = replayed(store, book, store.live(FOLD, book.ledger_id))
        (noted,) = poison.standing(store, book.ledger_id)
        assert "KeyError" in noted.reason
        assert "secret" not in f"{noted}{outcome.stopped[0]}", "the error's own words may quote the record"


class TestReplaying:
    def test_a_poison_is_noted_and_met_again(self, store: Store) -> None:
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)
        for _ in range(2):
            outcome = replayed(store, book, live)
            assert isinstance(outcome.stopped[0], PoisonRecord)
            assert outcome.sizes == {0: 21}
            (noted,) = poison.standing(store, book.ledger_id)
            assert (noted.index, noted.position, noted.subject) == (21, 21, "request/bad")

    def test_it_is_passed_when_the_ledger_says_so_and_the_facts_lack_it(self, store: Store) -> None:
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)
        replayed(store, book, live)
        skipped(book, 21)
        book.add("request/bad")
        outcome = replayed(store, book, live)
        assert not outcome.stopped
        assert outcome.sizes == {0: len(book.messages[0])}
        assert poison.standing(store, book.ledger_id) == []
        view = store.view(FOLD, live, 0)
        row = store.rows(view, ["request/bad"])["request/bad"]
        assert (row.head.seq, row.facts.records if row.facts else 0) == (2, 1)
        assert row.recent == [21, len(book.messages[0]) - 1]

    @pytest.mark.parametrize("first", [1, 20, 21, 22, 23, 30])
    def test_the_rows_are_the_same_whenever_the_statement_was_found(self, store: Store, first: int) -> None:
        """A worker that stood there, one that came later, and a rebuild; in one go or by pieces of any size."""
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)
        replayed(store, book, live, until={0: first})
        skipped(book, 21)
        for i in range(30):
            book.add(f"request/{'bad' if i % 2 else 1}")
        replayed(store, book, live, limits=Limits(wait=0.005, piece=first, records=first))
        fresh = store.new_generation(FOLD, book.ledger_id)
        replayed(store, book, fresh)
        assert store.digest(live, 0, check=True) == store.digest(fresh, 0, check=True)

    @pytest.mark.parametrize("nth", [1, CHUNK - 1, CHUNK, CHUNK + 1])
    def test_histories_stay_whole_where_a_chunk_ends(self, store: Store, nth: int) -> None:
        book = Book(1)
        for i in range(1, CHUNK + 3):
            book.add("request/1", "step.taken", POISON if i == nth else None)
        skipped(book, nth)
        live = store.live(FOLD, book.ledger_id)
        assert not replayed(store, book, live).stopped
        row = store.rows(store.view(FOLD, live, 0), ["request/1"])["request/1"]
        assert row.head.seq == CHUNK + 2
        assert len(row.recent) == 2
        assert row.facts is not None
        assert row.facts.records == CHUNK + 1

    def test_two_poisons_need_two_statements(self, store: Store) -> None:
        book = poisoned()
        second = len(book.messages[0])
        book.add("request/1", "step.taken", POISON)
        live = store.live(FOLD, book.ledger_id)
        skipped(book, 21)
        assert replayed(store, book, live).sizes == {0: second}
        skipped(book, second)
        assert not replayed(store, book, live).stopped

    def test_a_follower_goes_on_by_itself(self, store: Store) -> None:
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)

        async def story() -> Outcome:
            log, stop = log_of(book), asyncio.Event()
            following = asyncio.create_task(follow(log, store, FOLD, live, stop=stop, limits=QUICK))
            await until(lambda: poison.standing(store, book.ledger_id))
            await log.append(LEDGER, 0, [skipped(book, 21)])
            await until(lambda: store.load(live, 0).next == len(book.messages[0]))
            stop.set()
            return await following

        assert not run(story()).stopped

    def test_a_follower_that_is_told_to_stop_says_where_it_stands(self, store: Store) -> None:
        book = poisoned()
        live = store.live(FOLD, book.ledger_id)

        async def story() -> Outcome:
            stop = asyncio.Event()
            following = asyncio.create_task(follow(log_of(book), store, FOLD, live, stop=stop, limits=QUICK))
            await until(lambda: poison.standing(store, book.ledger_id))
            stop.set()
            return await following

        assert isinstance(run(story()).stopped[0], PoisonRecord)


class CountingLog(MemoryLog):
    """Tells from where it was read."""

    def __init__(self, book: Book) -> None:
        super().__init__(1)
        self.put(LEDGER, 0, book.messages[0])
        self.starts: list[int] = []

    def reader(self, topic: str, partition: int, start: int = 0) -> Any:
        self.starts.append(start)
        return super().reader(topic, partition, start)


class TestStatements:
    def found(self, book: Book, messages: list[Message] | None = None, projection: str = "cases") -> int | None:
        log = MemoryLog(1)
        log.put(LEDGER, 0, book.messages[0] if messages is None else messages)
        return run(Statements(log, 0).find(projection, met_at(book, 21)))

    def test_the_statement_behind_the_record_is_found(self) -> None:
        book = poisoned()
        assert self.found(book) is None
        skipped(book, 21)
        assert self.found(book) == len(book.messages[0]) - 1

    @pytest.mark.parametrize("instead", [{"index": 20}, {"leaf": "ab" * 32}, {"projection": "partners"}])
    def test_one_about_something_else_is_none(self, instead: dict[str, Any]) -> None:
        book = poisoned()
        skipped(book, 21, **instead)
        assert self.found(book) is None
        skipped(book, 21)
        assert self.found(book) == len(book.messages[0]) - 1

    def test_only_records_of_history_count(self) -> None:
        book = poisoned()
        skipped(book, 21)
        last = book.messages[0][-1]
        before = book.messages[0][:-1]
        early = [*before, book.ahead(0), *before]  # sealed beyond the next index: nobody's record
        assert self.found(book, early) is None
        assert self.found(book, [*before, book.repeated(0, 5), last, last]) == len(before)

    def test_a_later_look_reads_only_what_has_come_since(self) -> None:
        book = poisoned()
        log = CountingLog(book)
        end = len(book.messages[0])

        async def story() -> None:
            statements = Statements(log, 0)
            assert await statements.find("cases", met_at(book, 21)) is None
            assert await statements.find("cases", met_at(book, 21)) is None
            await log.append(LEDGER, 0, [skipped(book, 21)])
            for _ in range(3):
                assert await statements.find("cases", met_at(book, 21)) == end
            assert log.starts == [21, end, end]
            assert await statements.find("cases", met_at(book, 4)) is None  # the store was put back to before it
            assert log.starts[3:] == [4]
            assert await statements.find("cases", met_at(book, 21)) == end

        run(story())

    def test_a_log_that_does_not_answer_in_between_is_no_answer(self) -> None:
        book = poisoned()
        skipped(book, 21)
        log = CountingLog(book)

        async def story() -> None:
            statements = Statements(log, 0)
            log.unavailable = 1
            with pytest.raises(LogUnavailable):
                await statements.find("cases", met_at(book, 21))
            assert await statements.find("cases", met_at(book, 21)) == len(book.messages[0]) - 1

        run(story())
