"""A lane of the live worker: rows come out right whatever the delivery, the store and other workers do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from consumers.live_lane import Lane, Pace
from consumers.replay import Limits, replay
from consumers.shared import Shared
from ledger.errors import (
    ChainError,
    ForkError,
    IntegrityError,
    LogUnavailable,
    Overtaken,
    PoisonRecord,
    StoreUnavailable,
)
from ledger.log import LEDGER, Message, Stored
from projections import poison
from projections.store import Store
from projections.view import Batch, Generation, Saved
from tests.aio import run, until
from tests.fakes import MemoryLog
from tests.ledgers import Book, TallyFold
from tests.records import box

FOLD = TallyFold()
QUICK = Pace(
    piece=5, records=20, seconds=0.001, longest=0.01, inbox=16, first_pause=0.001, longest_pause=0.002, give_up=5.0,
    look_again=0.01,
)  # fmt: skip
SOON = 20.0


class Delivery(msgspec.Struct):
    """A message as Faust hands it out."""

    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    headers: Any


class Hands:
    """Faust's side: what is paused is not delivered."""

    def __init__(self) -> None:
        self.paused: set[int] = set()
        self.pauses = 0

    def pause(self, partition: int) -> None:
        self.paused.add(partition)
        self.pauses += 1

    def resume(self, partition: int) -> None:
        self.paused.discard(partition)


class Worker:
    """One lane on a memory log, and what it told."""

    def __init__(self, book: Book, store: Store, log: MemoryLog, pace: Pace = QUICK) -> None:
        self.book = book
        self.store = store
        self.log = log
        self.generation = store.live(FOLD, book.ledger_id)
        self.hands = Hands()
        self.failures: list[BaseException] = []
        shared = Shared(log, store, FOLD, self.generation, capacity=50)
        self.lane = Lane(shared, 0, pace, self.hands, self.failures.append)

    async def deliver(self, start: int = 0, end: int | None = None) -> None:
        reader = self.log.reader(LEDGER, 0, start)
        for stored in await reader.read(10_000):
            if (end is None or stored.position < end) and 0 not in self.hands.paused:
                await self.lane.put(_delivery(stored))
        await reader.close()

    async def until(self, position: int) -> None:
        """Until the store stands there."""
        await until(lambda: self.store.load(self.generation, 0).next == position, SOON)

    async def stands(self) -> Exception:
        """Until the lane stands at a fault."""
        await until(lambda: self.lane.fault, SOON)
        assert self.lane.fault is not None
        return self.lane.fault

    async def failed(self) -> BaseException:
        """Until the lane gives up."""
        await until(lambda: self.failures, SOON)
        return self.failures[0]

    def digest(self) -> bytes:
        return self.store.digest(self.generation, 0, check=True)[1]


def _delivery(stored: Stored) -> Delivery:
    return Delivery(stored.position, stored.timestamp / 1000, stored.key, stored.value, list(stored.headers))


def book_of(records: int, subjects: int = 10) -> Book:
    book = Book(1)
    for i in range(records):
        book.add(f"request/{i % subjects}")
    return book


def log_of(messages: list[Message], **more: Any) -> MemoryLog:
    log = MemoryLog(1, **more)
    log.put(LEDGER, 0, messages)
    return log


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[Worker]:
    await worker.lane.begin()
    try:
        yield worker
    finally:
        await worker.lane.end(flush=1.0)
        await worker.lane.close()


def replayed(store: Store, book: Book, log: MemoryLog) -> bytes:
    """The digest that a replay gives."""
    generation = store.new_generation(FOLD, book.ledger_id)
    outcome = run(replay(log, store, FOLD, generation, limits=Limits(wait=0.001)))
    assert not outcome.stopped
    return store.digest(generation, 0)[1]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


class MoodyStore(Store):
    """Does not answer some commits; of those, some are there all the same."""

    dice = random.Random(0)
    often = 0.0

    silent = False
    """Whether nothing is answered at all."""

    def load(self, generation: Generation, partition: int) -> Saved:
        if self.silent:
            raise StoreUnavailable("silent")
        return super().load(generation, partition)

    def commit(self, batch: Batch) -> None:
        if self.silent:
            raise StoreUnavailable("silent")
        mood = self.dice.random()
        if mood < self.often / 2:
            raise StoreUnavailable("lost before the commit")
        super().commit(batch)
        if mood < self.often:
            raise StoreUnavailable("lost after the commit")


class TestDelivery:
    def test_what_is_delivered_is_committed(self, store: Store) -> None:
        book = book_of(100)
        log = log_of(book.messages[0])

        async def story() -> bytes:
            async with working(Worker(book, store, log)) as worker:
                await worker.deliver()
                await worker.until(101)
                return worker.digest()

        assert run(story()) == replayed(store, book, log)

    def test_a_single_record_is_committed_without_another_behind_it(self, store: Store) -> None:
        book = book_of(0)

        async def story() -> None:
            log = log_of(book.messages[0])
            async with working(Worker(book, store, log)) as worker:
                await worker.deliver()
                await worker.until(1)
                for i in range(3):
                    await log.append(LEDGER, 0, [book.add(f"request/{i}")])
                    await worker.deliver(start=i + 1)
                    await worker.until(i + 2)

        run(story())

    @pytest.mark.parametrize("stride", [1, 3])
    @pytest.mark.parametrize("seed", range(6))
    def test_losses_repetitions_and_pauses_change_nothing(self, store: Store, seed: int, stride: int) -> None:
        dice = random.Random(seed)
        book = book_of(300)
        messages = [*book.messages[0], *(book.repeated(0, dice.randrange(300)) for _ in range(5))]
        log = log_of(messages, stride=stride, shy=random.Random(seed))
        end = (len(messages) - 1) * stride + 1
        moody = MoodyStore(store.engine)
        moody.dice, moody.often = dice, 0.2

        async def story() -> bytes:
            async with working(Worker(book, moody, log)) as worker:
                for _ in range(12):
                    start = dice.randrange(end)
                    await worker.deliver(start, start + dice.randrange(120) * stride)
                    if dice.random() < 0.2:
                        await worker.lane.begin()  # as in a rebalance that gives it back
                    await asyncio.sleep(dice.choice((0, 0, 0.003)))
                worker.lane.nudge()
                await worker.until(end)
                assert not worker.failures
                return worker.digest()

        digest = run(story())
        assert digest == replayed(store, book, log)

    def test_another_worker_on_the_partition_makes_nothing_count_twice(self, store: Store) -> None:
        book = book_of(300)
        log = log_of(book.messages[0])

        async def story() -> bytes:
            async with working(Worker(book, store, log)) as one, working(Worker(book, store, log.other())) as two:
                await asyncio.gather(one.deliver(), two.deliver())
                await one.until(301)
                assert not one.failures
                assert not two.failures
                return one.digest()

        assert run(story()) == replayed(store, book, log)

    def test_what_was_folded_is_written_at_the_end(self, store: Store) -> None:
        book = book_of(100)
        log = log_of(book.messages[0])

        async def story() -> int:
            slow = msgspec.structs.replace(QUICK, seconds=60.0, longest=60.0, records=10_000, inbox=1000)
            worker = Worker(book, store, log, slow)
            async with working(worker):
                await worker.deliver()  # the first commit is at once, the next one a minute later
                await until(lambda: worker.lane.next >= 100, SOON)
                before = worker.store.load(worker.generation, 0).next
                assert before < 101
            return worker.store.load(worker.generation, 0).next

        assert run(story()) >= 100

    def test_who_delivers_waits_while_the_store_does_not_answer(self, store: Store) -> None:
        book = book_of(200)
        log = log_of(book.messages[0])
        moody = MoodyStore(store.engine)
        moody.silent = True

        async def story() -> None:
            async with working(Worker(book, moody, log)) as worker:
                delivering = asyncio.create_task(worker.deliver())
                await asyncio.sleep(0.05)
                assert not delivering.done()
                moody.silent = False
                await asyncio.wait_for(delivering, SOON)
                await worker.until(201)

        run(story())


class TestFaults:
    def test_a_poison_pauses_until_the_ledger_says_that_it_may_be_passed(self, store: Store) -> None:
        book = book_of(30)
        book.add("request/bad", "step.taken", {"step": "poison"})
        for i in range(30):
            book.add(f"request/{i % 10}")
        log = log_of(book.messages[0])

        async def story() -> bytes:
            async with working(Worker(book, store, log)) as worker:
                await worker.deliver()
                fault = await worker.stands()
                assert isinstance(fault, PoisonRecord)
                await worker.until(31)
                assert worker.hands.paused == {0}
                (noted,) = poison.standing(store, book.ledger_id)
                assert (noted.index, noted.leaf) == (31, book.leaves[0][31].hex())
                said = {"projection": "cases", "index": 31, "leaf": noted.leaf, "why": box()}
                await log.append(LEDGER, 0, [book.add("ledger/0", "poison.skipped", said), book.add("request/1")])
                await worker.until(64)
                assert (worker.hands.paused, worker.lane.fault) == (set(), None)
                assert poison.standing(store, book.ledger_id) == []
                await log.append(LEDGER, 0, [book.add("request/2")])
                await worker.deliver(64)
                await worker.until(65)
                return worker.digest()

        assert run(story()) == replayed(store, book, log)

    def test_it_is_paused_again_after_each_assignment(self, store: Store) -> None:
        book = book_of(3)
        book.add("request/bad", "step.taken", {"step": "poison"})

        async def story() -> None:
            async with working(Worker(book, store, log_of(book.messages[0]))) as worker:
                for pauses in (1, 2):
                    await worker.deliver()
                    await worker.stands()
                    assert worker.hands.pauses >= pauses
                    worker.hands.resume(0)  # as Faust does in a rebalance
                    await worker.lane.begin()
                    assert worker.lane.fault is None

        run(story())

    @pytest.mark.parametrize(
        ("what", "error"), [("unsealed", ChainError), ("forked", ForkError)], ids=["no record", "fork"]
    )
    def test_what_is_wrong_with_the_ledger_stops_it_for_good(
        self, store: Store, what: str, error: type[Exception]
    ) -> None:
        book = book_of(20)
        wrong = book.unsealed(0) if what == "unsealed" else book.forked(0, 5)
        log = log_of([*book.messages[0], wrong, *book_of(3).messages[0]])

        async def story() -> None:
            async with working(Worker(book, store, log)) as worker:
                await worker.deliver()
                assert isinstance(await worker.stands(), error)
                await worker.until(21)
                assert worker.hands.paused == {0}
                await worker.deliver()
                assert not worker.failures

        run(story())

    def test_where_the_settled_record_is_not_there_yet_it_stands_and_goes_on_once_it_is(self, store: Store) -> None:
        book = book_of(20)
        book.add("register", "fork.settled", {"partition": 0, "index": 5, "leaf": book.leaves[0][5].hex()})
        messages = book.messages[0]
        log = log_of([*messages[:5], book.forked(0, 5), messages[-1]])

        async def story() -> bytes:
            async with working(Worker(book, store, log)) as worker:
                await worker.deliver()
                assert "found only others so far" in str(await worker.stands())
                assert isinstance(worker.lane.fault, ForkError)
                assert worker.hands.paused == {0}
                log.put(LEDGER, 0, messages[5:])
                await worker.until(7 + len(messages[5:]))
                assert worker.lane.fault is None
                assert not worker.hands.paused
                return worker.digest()

        assert run(story()) == replayed(store, book, log_of(messages))

    def test_a_log_that_was_cut_off_stops_it(self, store: Store) -> None:
        book = book_of(20)

        async def story() -> None:
            async with working(Worker(book, store, log_of(book.messages[0]))) as worker:
                await worker.deliver()
                await worker.until(21)
            async with working(Worker(book, store, log_of(book.messages[0][:7]))) as worker:
                assert isinstance(await worker.stands(), IntegrityError)

        run(story())


class TestGivingUp:
    def test_a_store_that_stays_silent_ends_the_worker(self, store: Store) -> None:
        book = book_of(20)
        moody = MoodyStore(store.engine)
        moody.silent = True
        hasty = msgspec.structs.replace(QUICK, give_up=0.05)

        async def story() -> None:
            async with working(Worker(book, moody, log_of(book.messages[0]), hasty)) as worker:
                await worker.deliver(end=5)
                assert isinstance(await worker.failed(), StoreUnavailable)

        run(story())

    def test_a_log_that_stays_silent_ends_the_worker(self, store: Store) -> None:
        book = book_of(20)
        log = log_of(book.messages[0])
        hasty = msgspec.structs.replace(QUICK, give_up=0.05)

        async def story() -> None:
            async with working(Worker(book, store, log, hasty)) as worker:
                log.unavailable = 10**9
                worker.lane.nudge()
                assert isinstance(await worker.failed(), LogUnavailable)

        run(story())

    def test_another_generation_that_answers_ends_the_worker(self, store: Store) -> None:
        book = book_of(20)

        async def story() -> None:
            async with working(Worker(book, store, log_of(book.messages[0]))) as worker:
                store.switch(store.new_generation(FOLD, book.ledger_id))
                await worker.deliver()
                assert isinstance(await worker.failed(), Overtaken)

        run(story())

    def test_an_error_inside_the_program_ends_the_worker(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        book = book_of(20)

        def broken(*_: object) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(store, "commit", broken)

        async def story() -> None:
            async with working(Worker(book, store, log_of(book.messages[0]))) as worker:
                await worker.deliver(end=5)
                assert isinstance(await worker.failed(), RuntimeError)

        run(story())
