"""The follow-and-replay loop: what it passes, what it stops at, and that one partition's trouble is its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from consumers.finder import RecordFinder, read_record
from consumers.replay import Limits, Outcome, follow, replay
from consumers.settlements import Settlements
from ledger.errors import ChainError, ForkError, FormatError, LogUnavailable, Overtaken, StoreUnavailable
from ledger.log import LEDGER, Message, Stored
from ledger.partition import partition_of
from projections.queries import Queries
from projections.store import Store
from projections.view import Batch, Generation, Place
from tests.aio import run, until
from tests.fakes import MemoryLog, MemoryReader
from tests.ledgers import Book, TallyFold, unsigned

FOLD = TallyFold()
QUICK = Limits(wait=0.01, first_pause=0.001, longest_pause=0.002)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def book_of(partitions: int, records: int, subjects: int = 10) -> Book:
    book = Book(partitions)
    for i in range(records):
        book.add(f"request/{i % subjects}")
    return book


def log_of(book: Book, instead: dict[int, list[Message]] | None = None) -> MemoryLog:
    """The book as a log; ``instead`` gives the messages of a partition."""
    log = MemoryLog(book.partitions)
    for partition, messages in enumerate(book.messages):
        log.put(LEDGER, partition, (instead or {}).get(partition, messages))
    return log


def replayed(store: Store, book: Book, log: MemoryLog, generation: Generation | None = None, **more: Any) -> Outcome:
    chosen = generation or store.live(FOLD, book.ledger_id)
    return run(replay(log, store, FOLD, chosen, **{"limits": QUICK, **more}))


def total(store: Store, book: Book) -> int:
    rows = Queries(store, FOLD, book.ledger_id).list_status(limit=1000).value.rows
    return sum(row.facts.records for row in rows if row.facts is not None)


def clean_digests(store: Store, book: Book) -> list[object]:
    """The digests that the book alone gives, without noise or interruption."""
    generation = store.new_generation(FOLD, book.ledger_id)
    assert not replayed(store, book, log_of(book), generation).stopped
    return [store.digest(generation, p)[1] for p in range(book.partitions)]


def digests(store: Store, book: Book) -> list[object]:
    generation = store.live(FOLD, book.ledger_id)
    return [store.digest(generation, p, check=True)[1] for p in range(book.partitions)]


class TestReplaying:
    def test_a_whole_ledger_is_folded_and_reported(self, store: Store) -> None:
        book = book_of(4, 100)
        seen: list[tuple[int, int, int]] = []
        outcome = replayed(store, book, log_of(book), progress=lambda *told: seen.append(told))
        assert outcome.sizes == outcome.nexts == {p: len(book.messages[p]) for p in range(4)}
        assert not outcome.stopped
        assert total(store, book) == 100
        ends = {partition: (size, end) for partition, size, end in seen}
        assert ends == {p: (len(m), len(m)) for p, m in enumerate(book.messages)}

    def test_a_replay_to_a_position_stops_right_there(self, store: Store) -> None:
        book = book_of(1, 50)
        assert replayed(store, book, log_of(book), until={0: 20}).nexts == {0: 20}
        assert total(store, book) == 19

    @pytest.mark.parametrize(("end", "records"), [(0, 0), (1, 1), (3, 1), (4, 2), (5, 2), (28, 10)])
    def test_gaps_between_positions_are_no_matter(self, store: Store, end: int, records: int) -> None:
        book = book_of(1, 9)
        log = MemoryLog(1, stride=3)
        log.put(LEDGER, 0, book.messages[0])
        outcome = replayed(store, book, log, until={0: end})
        assert (outcome.sizes, outcome.stopped) == ({0: records}, {})

    def test_a_replay_goes_on_from_where_the_rows_stand(self, store: Store) -> None:
        book = book_of(2, 60)
        for end in (0, 1, 7, 7, 20):
            replayed(store, book, log_of(book), until={0: end, 1: end})
        replayed(store, book, log_of(book))
        assert digests(store, book) == clean_digests(store, book)

    def test_a_log_that_ends_too_early_is_no_success(self, store: Store) -> None:
        book = book_of(1, 10)
        with pytest.raises(LogUnavailable, match="reach position 99"):
            replayed(store, book, log_of(book), until={0: 99})
        assert total(store, book) == 10, "what is there counts"

    def test_a_log_that_does_not_answer_ends_a_replay(self, store: Store) -> None:
        book = book_of(1, 10)
        log = log_of(book)
        log.unavailable = 1
        with pytest.raises(LogUnavailable):
            replayed(store, book, log)


class TestNoise:
    def test_identical_records_again_are_passed_in_silence(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        book = book_of(1, 30)
        first = book.messages[0]
        noisy = [*first[:12], *first[5:12], *first[:1], *first[12:], *first[-3:], first[2]]
        with caplog.at_level(logging.DEBUG, "consumers"):
            outcome = replayed(store, book, log_of(book, {0: noisy}))
        assert not caplog.records
        assert (outcome.sizes, outcome.nexts, outcome.stopped) == ({0: 31}, {0: len(noisy)}, {})
        assert digests(store, book) == clean_digests(store, book)

    def test_records_ahead_are_ignored_with_a_warning(self, store: Store, caplog: pytest.LogCaptureFixture) -> None:
        book = book_of(1, 10)
        noisy = list(book.messages[0])
        noisy.insert(6, book.ahead(0, by=3))
        outcome = replayed(store, book, log_of(book, {0: noisy}))
        assert "ignored 1 messages ahead" in caplog.text
        assert (outcome.ahead, outcome.stopped) == ({0: 1}, {})
        assert digests(store, book) == clean_digests(store, book)

    def test_a_fork_stops_its_partition_and_no_other(self, store: Store) -> None:
        book = book_of(4, 200)
        forked = [*book.messages[2][:9], book.forked(2, 4), *book.messages[2][9:]]
        outcome = replayed(store, book, log_of(book, {2: forked}))
        assert set(outcome.stopped) == {2}
        assert isinstance(outcome.stopped[2], ForkError)
        assert outcome.nexts == {p: 9 if p == 2 else len(book.messages[p]) for p in range(4)}

    def test_a_fork_is_met_again_at_the_next_start(self, store: Store) -> None:
        book = book_of(1, 20)
        log = log_of(book, {0: [*book.messages[0][:9], book.forked(0, 4), *book.messages[0][9:]]})
        for _ in range(2):
            outcome = replayed(store, book, log)
            assert isinstance(outcome.stopped[0], ForkError)
            assert outcome.sizes == {0: 9}

    def test_a_fork_is_seen_although_its_leaf_once_lay_ahead(self, store: Store) -> None:
        book = book_of(1, 20)
        other, first = book.forked(0, 6), book.messages[0]
        # at the position of index 6 stands the other leaf, ahead of its index; history took the one behind it
        noisy = [*first[:3], *first[:3], other, *first[3:9], other, *first[9:]]
        outcome = replayed(store, book, log_of(book, {0: noisy}))
        assert isinstance(outcome.stopped[0], ForkError)
        assert outcome.sizes == {0: 9}

    def test_a_record_that_does_not_follow_stops_its_partition(self, store: Store) -> None:
        book = book_of(2, 40)
        broken = [*book.messages[1][:5], book.unsealed(1), *book.messages[1][5:]]
        outcome = replayed(store, book, log_of(book, {1: broken}))
        assert isinstance(outcome.stopped[1], ChainError)
        assert outcome.sizes == {0: len(book.messages[0]), 1: 5}

    def test_a_poison_record_stops_its_partition_until_a_release_can_digest_it(self, store: Store) -> None:
        book = book_of(4, 40)
        book.add("request/bad", "step.taken", {"step": "poison"})
        for i in range(40):
            book.add(f"request/{i % 10}")
        sick = partition_of("request/bad", 4)
        outcome = replayed(store, book, log_of(book))
        assert set(outcome.stopped) == {sick}
        assert isinstance(outcome.stopped[sick], FormatError)
        assert all(outcome.sizes[p] == len(book.messages[p]) for p in range(4) if p != sick)

        class Cured(TallyFold):
            def evolve(self, facts: Any, record: Any) -> Any:
                try:
                    return super().evolve(facts, record)
                except KeyError:
                    return facts

        generation = store.live(FOLD, book.ledger_id)
        again = run(replay(log_of(book), store, Cured(), generation, limits=QUICK))
        assert not again.stopped
        assert total(store, book) == 80


class TestSettledForks:
    def settled(self, book: Book, partition: int, index: int, leaf: str) -> None:
        book.add("register", "fork.settled", {"partition": partition, "index": index, "leaf": leaf})

    def test_a_fork_settled_for_the_first_leaf_is_passed(self, store: Store) -> None:
        book = book_of(2, 40)
        fork = book.forked(1, 4)
        place = len(book.messages[1])
        self.settled(book, 1, 4, book.leaves[1][4].hex())
        # the settlement stands behind the fork: partition 1 can only know it from partition 0
        noisy = [*book.messages[1][:place], fork, *book.messages[1][place:]]
        outcome = replayed(store, book, log_of(book, {1: noisy}))
        assert not outcome.stopped
        assert digests(store, book) == clean_digests(store, book)

    def forged_first(self, book: Book, partition: int, index: int) -> list[Message]:
        """The partition with a forged record before the genuine one of that index."""
        messages = book.messages[partition]
        return [*messages[:index], book.forked(partition, index), *messages[index:]]

    @pytest.mark.parametrize("partition", [0, 1])
    def test_a_fork_settled_for_the_later_leaf_is_taken_by_rows_that_come_after(
        self, store: Store, partition: int
    ) -> None:
        book = book_of(2, 40)
        self.settled(book, partition, 4, book.leaves[partition][4].hex())
        outcome = replayed(store, book, log_of(book, {partition: self.forged_first(book, partition, 4)}))
        assert not outcome.stopped
        assert digests(store, book) == clean_digests(store, book)

    def test_rows_that_hold_the_losing_leaf_stop_and_are_right_once_rebuilt(self, store: Store) -> None:
        book = book_of(2, 40)
        noisy = self.forged_first(book, 1, 4)
        early = replayed(store, book, log_of(book, {1: noisy}), until={0: 3, 1: 5})
        assert not early.stopped, "the forged record looks like the next one"
        unsettled = replayed(store, book, log_of(book, {1: noisy}))
        assert "the authorities must settle" in str(unsettled.stopped[1])
        self.settled(book, 1, 4, book.leaves[1][4].hex())
        log = log_of(book, {1: self.forged_first(book, 1, 4)})
        for _ in range(2):
            stopped = replayed(store, book, log).stopped
            assert isinstance(stopped[1], ForkError)
            assert "rogatory rebuild" in str(stopped[1])
        fresh = store.new_generation(FOLD, book.ledger_id)
        assert not replayed(store, book, log, fresh).stopped
        store.switch(fresh)
        assert digests(store, book) == clean_digests(store, book)

    def test_a_settlement_for_a_record_that_is_not_there_yet_is_waited_for_in_sight(self, store: Store) -> None:
        book = book_of(2, 20)
        self.settled(book, 1, 4, "ab" * 32)
        outcome = replayed(store, book, log_of(book))
        assert outcome.sizes[1] == 4
        assert "found only others so far" in str(outcome.stopped[1])

    def test_partition_0_says_what_is_settled_elsewhere_to_those_that_are_read_behind_it(self, store: Store) -> None:
        book = book_of(2, 40)
        self.settled(book, 1, 4, book.leaves[1][4].hex())
        often = Limits(piece=1, records=1, parallel=1, wait=0.01)
        log = log_of(book, {1: self.forged_first(book, 1, 4)})
        assert not replayed(store, book, log, limits=often).stopped
        assert digests(store, book) == clean_digests(store, book)

    def test_rows_committed_between_the_two_records_stop_unless_settlements_were_looked_for_before(
        self, store: Store
    ) -> None:
        book = book_of(2, 40)
        self.settled(book, 0, 4, book.leaves[0][4].hex())
        log = log_of(book, {0: self.forged_first(book, 0, 4)})
        often = Limits(piece=1, records=1, parallel=1, wait=0.01)
        stopped = replayed(store, book, log, limits=often).stopped
        assert set(stopped) == {0}
        assert "rogatory rebuild" in str(stopped[0])
        fresh = store.new_generation(FOLD, book.ledger_id)
        settlements = Settlements(log, book.ledger_id)
        run(settlements.refresh())
        assert not replayed(store, book, log, fresh, limits=often, settlements=settlements).stopped
        store.switch(fresh)
        assert digests(store, book) == clean_digests(store, book)

    def test_a_forged_record_that_does_not_follow_is_passed_as_well(self, store: Store) -> None:
        book = book_of(2, 40)
        self.settled(book, 1, 4, book.leaves[1][4].hex())
        messages = book.messages[1]
        stray = msgspec.structs.replace(book.forked(1, 4), key=b"request/other")
        log = log_of(book, {1: [*messages[:4], stray, *messages[4:]]})
        assert not replayed(store, book, log).stopped
        assert digests(store, book) == clean_digests(store, book)

    def test_a_ledger_without_forks_is_read_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        book, read = book_of(1, 100), MemoryReader.read
        seen = 0

        async def counted(self: MemoryReader, limit: int, wait: float = 0.0) -> list[Stored]:
            nonlocal seen
            found = await read(self, limit, wait)
            seen += len(found)
            return found

        monkeypatch.setattr(MemoryReader, "read", counted)
        assert not replayed(store, book, log_of(book)).stopped
        assert seen == len(book.messages[0])

    def test_a_settlement_that_the_authorities_did_not_sign_settles_nothing(self, store: Store) -> None:
        book = book_of(2, 40)
        genuine = book.leaves[1][4].hex()
        self.settled(book, 1, 4, genuine)
        statement = unsigned(book.messages[0][-1])
        log = log_of(book, {0: [*book.messages[0][:-1], statement], 1: self.forged_first(book, 1, 4)})
        outcome = replayed(store, book, log)
        assert "bad-signature" in str(outcome.stopped[0]), "nobody may believe it in partition 0 either"
        assert "must settle" in str(outcome.stopped[1])

    def test_rows_beyond_the_end_of_the_log_stop(self, store: Store) -> None:
        book = book_of(1, 20)
        replayed(store, book, log_of(book))
        outcome = replayed(store, book, log_of(book, {0: book.messages[0][:7]}))
        assert "found its end at 7" in str(outcome.stopped[0])


class TestFollowing:
    def test_once_another_generation_answers_all_partitions_stop_and_one_says_so(self, store: Store) -> None:
        async def story() -> None:
            book = book_of(2, 30)
            log = log_of(book)
            generation = store.live(FOLD, book.ledger_id)
            task = asyncio.create_task(follow(log, store, FOLD, generation, limits=QUICK))
            ends = [len(messages) for messages in book.messages]
            await until(lambda: [store.load(generation, p).next for p in range(2)] == ends, 20.0)
            fresh = store.new_generation(FOLD, book.ledger_id)
            assert not (await replay(log, store, FOLD, fresh, limits=QUICK)).stopped
            store.switch(fresh)
            book.add("request/1")
            (grown,) = (p for p in range(2) if len(book.messages[p]) > ends[p])
            log.put(LEDGER, grown, book.messages[grown][-1:])
            outcome = await asyncio.wait_for(task, 20.0)
            assert isinstance(outcome.stopped[grown], Overtaken)
            assert all(isinstance(error, Overtaken) for error in outcome.stopped.values())

        run(story())

    def test_it_follows_until_idle_and_then_until_stopped(self, store: Store) -> None:
        async def story() -> None:
            book = book_of(2, 30)
            log = log_of(book)
            generation = store.live(FOLD, book.ledger_id)
            first = await follow(log, store, FOLD, generation, until_idle=True, limits=QUICK)
            assert first.sizes == {p: len(m) for p, m in enumerate(book.messages)}

            stop = asyncio.Event()
            before = [len(m) for m in book.messages]
            for i in range(30):
                book.add(f"request/{i % 10}")
            whole = {p: len(m) for p, m in enumerate(book.messages)}
            reached: dict[int, int] = {}

            def told(partition: int, size: int, end: int) -> None:
                reached[partition] = size
                if reached == whole:
                    stop.set()

            following = asyncio.create_task(
                follow(log, store, FOLD, generation, stop=stop, limits=QUICK, progress=told)
            )
            for partition, start in enumerate(before):
                await log.append(LEDGER, partition, book.messages[partition][start:])
            assert (await following).sizes == whole
            assert total(store, book) == 60

        run(story())

    @pytest.mark.parametrize("partitions", [None, [0]])
    def test_a_log_that_does_not_answer_is_asked_again(
        self, store: Store, caplog: pytest.LogCaptureFixture, partitions: list[int] | None
    ) -> None:
        book = book_of(1, 30)
        log = log_of(book)
        log.unavailable = 5
        generation = store.live(FOLD, book.ledger_id)
        outcome = run(follow(log, store, FOLD, generation, partitions=partitions, until_idle=True, limits=QUICK))
        assert outcome.sizes == {0: 31}
        assert [record.args[1] for record in caplog.records] == [2, 3, 4, 5, 6]

    def test_a_comparison_that_the_log_interrupts_is_made_up_for(self, store: Store) -> None:
        book = book_of(1, 30)

        class Moody(MemoryLog):
            """Fails whenever a finder, which begins before the end of what was read, reads for the first time."""

            def reader(self, topic: str, partition: int, start: int = 0) -> Any:
                self.made = getattr(self, "made", 0) + 1
                self.unavailable = 1 if self.made == 2 else 0
                return super().reader(topic, partition, start)

        for last, stopped in ((book.repeated(0, 5), False), (book.forked(0, 5), True)):
            log = Moody(1)
            log.put(LEDGER, 0, [*book.messages[0], last])
            generation = store.new_generation(FOLD, book.ledger_id)
            outcome = run(follow(log, store, FOLD, generation, partitions=[0], until_idle=True, limits=QUICK))
            assert log.made >= 2
            assert outcome.sizes == {0: 31}
            assert (0 in outcome.stopped) is stopped

    def test_it_returns_when_all_its_partitions_have_stopped(self, store: Store) -> None:
        book = book_of(1, 10)
        log = log_of(book, {0: [*book.messages[0], book.unsealed(0)]})
        generation = store.live(FOLD, book.ledger_id)
        outcome = run(follow(log, store, FOLD, generation, limits=QUICK))
        assert isinstance(outcome.stopped[0], ChainError)
        assert outcome.sizes == {0: 11}

    def test_a_worker_of_a_generation_that_was_replaced_stops(self, store: Store) -> None:
        book = book_of(1, 10)
        old = store.live(FOLD, book.ledger_id)
        new = store.new_generation(FOLD, book.ledger_id)
        store.switch(new)
        outcome = run(follow(log_of(book), store, FOLD, old, limits=QUICK))
        assert isinstance(outcome.stopped[0], Overtaken)


class PausedStore(Store):
    """Lets another worker pass before its first commit, as if this one had been paused there."""

    overtaken = 0

    def commit(self, batch: Batch) -> None:
        if not self.overtaken:
            self.passing()
        try:
            super().commit(batch)
        except Overtaken:
            self.overtaken += 1
            raise

    def passing(self) -> None:
        raise NotImplementedError


class TestTwoWorkers:
    def test_a_worker_that_was_paused_counts_nothing_twice(self, store: Store) -> None:
        book = book_of(1, 100)
        generation = store.live(FOLD, book.ledger_id)
        paused = PausedStore(store.engine)

        def passing() -> None:
            replayed(store, book, log_of(book), until={0: 60})

        paused.passing = passing  # type: ignore[method-assign]
        small = Limits(wait=0.01, piece=10, records=20)
        outcome = run(replay(log_of(book), paused, FOLD, generation, limits=small))
        assert paused.overtaken == 1
        assert (outcome.sizes, outcome.stopped) == ({0: 101}, {})
        assert total(store, book) == 100
        assert digests(store, book) == clean_digests(store, book)

    def test_two_at_once_count_nothing_twice(self, store: Store) -> None:
        book = book_of(2, 400)
        log = log_of(book)
        generation = store.live(FOLD, book.ledger_id)
        small = Limits(wait=0.01, piece=7, records=10)

        async def both() -> None:
            await asyncio.gather(
                replay(log, store, FOLD, generation, limits=small),
                replay(log.other(), store, FOLD, generation, limits=small),
            )

        run(both())
        assert total(store, book) == 400
        assert digests(store, book) == clean_digests(store, book)


class TestFinding:
    def noisy(self) -> tuple[Book, list[Message]]:
        book = book_of(1, 40)
        first = book.messages[0]
        return book, [*first[:3], *first[:3], book.forked(0, 6), *first[3:20], *first[:20], *first[20:]]

    def test_each_record_is_found_where_history_took_it(self) -> None:
        book, messages = self.noisy()
        log = log_of(book, {0: messages})

        async def found() -> list[bytes]:
            finder = RecordFinder(log, 0)
            order = [*range(41), 7, 7, 40, 0]
            leaves = [(await finder.find(i)).leaf for i in order]
            await finder.close()
            return leaves

        assert run(found()) == [book.leaves[0][i] for i in [*range(41), 7, 7, 40, 0]]

    def test_one_record_is_read_from_a_place(self) -> None:
        book, messages = self.noisy()
        log = log_of(book, {0: messages})
        found = run(read_record(log, 0, 30, Place(20, 44)))
        assert found.stored.value == book.messages[0][30].value
        assert found.leaf == book.leaves[0][30]

    def test_what_the_log_does_not_have_is_an_error(self) -> None:
        book, messages = self.noisy()
        with pytest.raises(ChainError, match="index 41"):
            run(read_record(log_of(book, {0: messages}), 0, 41))


class SilentStore(Store):
    """Does not answer every other commit; each second one of those is there all the same."""

    asked = 0

    def commit(self, batch: Batch) -> None:
        self.asked += 1
        if self.asked % 4 == 1:
            raise StoreUnavailable("lost before the commit")
        super().commit(batch)
        if self.asked % 4 == 3:
            raise StoreUnavailable("lost after the commit")


class TestStoreThatDoesNotAnswer:
    def test_following_pauses_and_goes_on_from_where_the_store_stands(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        book = book_of(2, 300)
        silent = SilentStore(store.engine)
        generation = store.live(FOLD, book.ledger_id)
        small = Limits(wait=0.01, piece=10, records=20, first_pause=0.001, longest_pause=0.002)
        outcome = run(follow(log_of(book), silent, FOLD, generation, until_idle=True, limits=small))
        assert not outcome.stopped
        assert "the store does not answer (lost after the commit)" in caplog.text
        assert total(store, book) == 300
        assert digests(store, book) == clean_digests(store, book)

    def test_it_ends_a_replay_and_what_was_committed_stays(self, store: Store) -> None:
        book = book_of(1, 50)
        generation = store.live(FOLD, book.ledger_id)
        with pytest.raises(StoreUnavailable):
            run(replay(log_of(book), SilentStore(store.engine), FOLD, generation, limits=QUICK))
        replayed(store, book, log_of(book))
        assert digests(store, book) == clean_digests(store, book)

    def test_a_stop_does_not_wait_for_it(self, store: Store) -> None:
        book = book_of(1, 50)
        generation = store.live(FOLD, book.ledger_id)

        class Gone(Store):
            def commit(self, _: Batch) -> None:
                stop.set()
                raise StoreUnavailable("gone")

        stop = asyncio.Event()
        outcome = run(follow(log_of(book), Gone(store.engine), FOLD, generation, stop=stop, limits=QUICK))
        assert outcome.nexts == {0: 0}
