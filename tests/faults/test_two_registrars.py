"""Two registrars at once on one partition do no harm: readers see one history, as if there had been one registrar."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumers.herald import Herald
from consumers.registrar import Registrar
from consumers.replay import Limits, Outcome, follow
from infra.adapters.ledger_folder import LedgerFolder
from infra.adapters.state_file import SqliteStateFile
from ledger.errors import LogUnavailable
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Stored, header
from ledger.submission import HOME_HEADER
from projections.engine import open_engine
from projections.store import Store
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.checks import FOLD, check_all, check_answers, digests, everything, rebuilt, seen
from tests.faults.faulty import GatedLog, GatedStore, PauseAt, Turns, When, Write
from tests.faults.ground import (
    BATCH,
    Reference,
    folder_with,
    memory_state,
    memory_with,
    registrar,
    seeds,
    settle,
    undisturbed,
)

PARTITIONS = 3
COUNT = 150
_references: dict[int, Reference] = {}


async def reference_of(seed: int) -> Reference:
    if seed not in _references:
        _references[seed] = await undisturbed(PARTITIONS, seed, COUNT)
    return _references[seed]


async def check_same(log: Log, reference: Reference, partition: int, *writers: Registrar) -> int:
    """The partition is as in the undisturbed run; how many records stand there again."""
    found = await seen(log, partition)
    assert found == reference.seen[partition]
    check_answers(await everything(log, SUBMISSIONS, partition), found)
    for writer in writers:
        assert writer.state.past == reference.pasts[partition]
        assert writer.state.index == len(found.history)
    return found.repeated


def test_the_stream_that_the_campaign_runs_on_is_worth_it() -> None:
    async def story() -> None:
        met: set[int] = set()
        for seed in seeds(3, 3):
            reference = await reference_of(seed)
            for partition in range(PARTITIONS):
                check_answers(reference.submissions[partition], reference.seen[partition])
                met.update(reference.seen[partition].dispositions.values())
                assert len(reference.seen[partition].history) > 2 * BATCH
        assert met >= {1, 3, 6, 8, 9, 10, 12, 13, 14, 15, 17, 19}

    run(story())


class TestOneIsPaused:
    """At each of its first appends to either topic, before it or after it, while the other one does all the work."""

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("topic", [OUTCOMES, LEDGER])
    @pytest.mark.parametrize(("ground", "n"), [*(("memory", n) for n in range(6)), ("folder", 0), ("folder", 2)])
    def test_readers_see_one_history(self, tmp_path: Path, ground: str, topic: str, n: int, when: When) -> None:
        async def story(open_: Callable[[], Log], reference: Reference) -> None:
            await self._story(tmp_path, open_, reference, PauseAt(topic, n, when))

        run(on(ground, tmp_path, story))

    async def _story(self, tmp_path: Path, open_: Callable[[], Log], reference: Reference, pause: PauseAt) -> None:
        partition, people = 2, reference.people
        paused_log, other_log = open_(), open_()
        paused = registrar(
            GatedLog(paused_log, pause), people, partition, SqliteStateFile(tmp_path / "paused.sqlite", partition)
        )
        other = registrar(other_log, people, partition, SqliteStateFile(tmp_path / "other.sqlite", partition))
        working = asyncio.create_task(paused.drain())
        await asyncio.wait({working, asyncio.create_task(pause.reached.wait())}, return_when="FIRST_COMPLETED")
        assert pause.reached.is_set()
        assert not working.done()
        await other.drain()
        await check_same(other_log, reference, partition, other)
        pause.go.set()
        await working
        await other.drain()
        await check_same(other_log, reference, partition, paused, other)
        await paused.close()
        await other.close()
        await paused_log.close()
        await other_log.close()


async def on(
    ground: str, tmp_path: Path, story: Callable[[Callable[[], Log], Reference], Awaitable[None]], seed: int = 1
) -> None:
    """Tell a story on a log that holds the submissions of an undisturbed run."""
    reference = await reference_of(seed)
    if ground == "folder":
        folder = await folder_with(tmp_path / "folder", reference.submissions)
        await story(lambda: LedgerFolder(folder), reference)
    else:
        memory = memory_with(reference.submissions)
        await story(memory.other, reference)


def test_a_record_that_two_append_stands_there_twice_and_counts_once(tmp_path: Path) -> None:
    """Else the tests above would say nothing: the paused one does append what the other one has appended."""

    async def story(open_: Callable[[], Log], reference: Reference) -> None:
        pause = PauseAt(LEDGER, 0, "before")
        log = open_()
        paused = registrar(GatedLog(log, pause), reference.people, 0, memory_state(0))
        other = registrar(open_(), reference.people, 0, memory_state(0))
        working = asyncio.create_task(paused.drain())
        await pause.reached.wait()
        await other.drain()
        pause.go.set()
        await working
        assert await check_same(log, reference, 0, paused, other) > 0
        await check_digest(log, reference, tmp_path, {0})

    run(on("memory", tmp_path, story))


async def check_digest(log: Log, reference: Reference, tmp_path: Path, partitions: set[int]) -> None:
    """Rows made from this log are those made from the undisturbed one."""
    clean = memory_with(reference.submissions)
    for partition in range(PARTITIONS):
        worker = registrar(clean, reference.people, partition, memory_state(partition), batch=1000)
        await worker.drain()
    with Store.open(f"sqlite:///{tmp_path}/digests.db") as store:
        ledger_id = reference.people.ledger_id
        expected = await rebuilt(clean, store, ledger_id, PARTITIONS)
        found = await rebuilt(log, store, ledger_id, PARTITIONS)
    assert [found[p] for p in sorted(partitions)] == [expected[p] for p in sorted(partitions)]


# Random schedules


class Killed(BaseException):
    """The process is gone: nothing of it runs on, and what it held in memory is lost."""


class Schedule:
    """Registrars that move in random order, fail, die and lose their states, while submissions are still coming."""

    def __init__(self, seed: int, reference: Reference, partition: int) -> None:
        self._dice = random.Random(seed)
        self._turns = Turns(self._dice)
        self._reference = reference
        self.partition = partition
        self._waiting: list[Stored] = list(reference.submissions[partition])
        empty: list[list[Stored]] = [[] for _ in range(PARTITIONS)]
        self.log: MemoryLog = memory_with(empty)
        self._faults = self._dice.choice([0, 5, 15])
        self.finished: list[Registrar] = []
        self.happened: list[str] = []

    async def run(self, writers: int = 2) -> None:
        await self._turns.run(self._publisher(), *(self._life() for _ in range(writers)))

    async def _publisher(self) -> None:
        submissions = self.log._shelf.topics[SUBMISSIONS][self.partition]
        while self._waiting:
            await self._turns.gate()
            size = self._dice.randint(1, 20)
            submissions.extend(self._waiting[:size])
            del self._waiting[:size]

    async def _life(self) -> None:
        state = memory_state(self.partition)
        writer = self._writer(state)
        while True:
            await self._turns.gate()
            try:
                moved = await writer.drain()
            except LogUnavailable:
                moved = 1
            except Killed:
                if self._dice.random() < 0.3:
                    self.happened.append("state lost")
                    state = memory_state(self.partition)
                writer = self._writer(state)
                moved = 1
            if not moved and not self._waiting:
                self.finished.append(writer)
                return

    def _writer(self, state: SqliteStateFile) -> Registrar:
        log = GatedLog(self.log.other(), self._at_write, self._turns.gate)
        return registrar(log, self._reference.people, self.partition, state, batch=self._dice.choice([3, 9, 40]))

    async def _at_write(self, write: Write, when: When) -> None:
        await self._turns.gate()
        if self._faults and self._dice.random() < 0.2:
            self._faults -= 1
            fault = self._dice.choice([LogUnavailable("the seed says so"), Killed()])
            self.happened.append(f"{type(fault).__name__} {when} {write.what}")
            raise fault


@pytest.mark.parametrize("seed", seeds(150, 3000))
def test_any_schedule_gives_the_same_history(seed: int) -> None:
    async def story() -> None:
        reference = await reference_of(seed % 3)
        schedule = Schedule(seed, reference, seed // 3 % PARTITIONS)
        await schedule.run(2 + seed % 2)
        try:
            await check_same(schedule.log, reference, schedule.partition, *schedule.finished)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {schedule.happened}") from error

    run(story())


class TestAWholeLedger:
    """Two registrars on every partition and two heralds, in random order."""

    @pytest.mark.parametrize("seed", seeds(6, 100))
    def test_the_register_reaches_all_partitions_and_every_submission_has_one_answer(self, seed: int) -> None:
        run(self._story(seed))

    async def _story(self, seed: int) -> None:
        reference = await reference_of(seed % 3)
        people = reference.people
        log = memory_with([[] for _ in range(PARTITIONS)])
        turns, clock = Turns(random.Random(seed)), [0.0]

        async def gate(_write: Write, _when: When) -> None:
            await turns.gate()

        async def publisher() -> None:
            for partition, messages in enumerate(reference.submissions):
                for stored in messages:
                    if header(stored.headers, HOME_HEADER) is None:
                        await turns.gate()
                        there = log._shelf.topics[SUBMISSIONS][partition]
                        there.append(msgspec.structs.replace(stored, position=len(there)))

        async def life(work: Callable[[], Awaitable[int]]) -> None:
            idle = 0
            while idle < 30:
                await turns.gate()
                clock[0] += 1.0
                idle = 0 if await work() else idle + 1

        gated = GatedLog(log.other(), gate)
        writers = [registrar(gated, people, p, memory_state(p)) for p in range(PARTITIONS)]
        writers += [registrar(GatedLog(log.other(), gate), people, p, memory_state(p)) for p in range(PARTITIONS)]
        heralds = [Herald(GatedLog(log.other(), gate), PARTITIONS, lambda: clock[0]) for _ in range(2)]
        await turns.run(publisher(), *(life(w.drain) for w in writers), *(life(h.step) for h in heralds))
        # Whatever was given up too early above is finished here, by registrars that know nothing.
        fresh = [registrar(log, people, p, memory_state(p)) for p in range(PARTITIONS)]
        await settle(fresh, Herald(log, PARTITIONS, lambda: 0.0))
        await check_all(log, people.ledger_id, PARTITIONS)


class TestTwoFollowers:
    """Two that project the same partitions into the same rows: one of them is always too late, and no harm is done."""

    @pytest.mark.parametrize("n", range(0, 12, 2))
    def test_one_that_is_paused_at_a_commit_is_overtaken(self, tmp_path: Path, n: int) -> None:
        run(self._story(tmp_path, n))

    async def _story(self, tmp_path: Path, n: int) -> None:
        reference = await reference_of(1)
        people = reference.people
        log = memory_with(reference.submissions)
        for partition in range(PARTITIONS):
            await registrar(log, people, partition, memory_state(partition)).drain()
        url, limits = f"sqlite:///{tmp_path}/rows.db", Limits(piece=8, records=16, wait=0.0)
        reached, go = threading.Event(), threading.Event()
        passed = itertools.count()

        def pause(write: Write, when: When) -> None:
            if when == "before" and next(passed) == n:
                reached.set()
                go.wait()
            elif when == "after" and go.is_set():
                raise AssertionError("a commit was taken that came too late")

        with GatedStore(open_engine(url)) as slow, Store.open(url) as quick:
            slow.gate = pause
            generation = quick.live(FOLD, people.ledger_id)

            def following(store: Store) -> Coroutine[Any, Any, Outcome]:
                return follow(log.other(), store, FOLD, generation, until_idle=True, limits=limits)

            paused = asyncio.create_task(following(slow))
            assert await asyncio.to_thread(reached.wait, 30)
            assert not (await following(quick)).stopped
            go.set()
            assert not (await paused).stopped
            assert digests(quick, generation, PARTITIONS) == await rebuilt(log, quick, people.ledger_id, PARTITIONS)
