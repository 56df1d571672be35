"""A process keeps the registrars at work that are assigned to it; a partition that stops takes no other one down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec
import pytest

from consumers.holding import Holding
from consumers.registrar import Registrar
from ledger.assignment import Member
from ledger.errors import ForkError, IntegrityError, LogFull, LogUnavailable
from ledger.log import LEDGER, SUBMISSIONS, Message
from ledger.seal import format_seal
from ledger.submission import SEAL_HEADER
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.checks import everything, seen
from tests.faults.ground import Reference, memory_state, memory_with, registrar, undisturbed

PARTITIONS = 3
PATIENCE = 20.0


class Given:
    """An assignment that a test decides on."""

    def __init__(self) -> None:
        self.given: frozenset[int] = frozenset()
        self.silent = False
        self.calls: list[str] = []
        self.told: dict[int, str] = {}
        self.warm: dict[int, int] = {}
        self._changed = asyncio.Event()

    def give(self, *partitions: int) -> None:
        self.given = frozenset(partitions)
        self._changed.set()

    async def join(self) -> None:
        self.calls.append("join")

    async def ours(self, wait: float) -> frozenset[int]:
        if self.silent:
            raise LogUnavailable("nobody answers")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), min(wait, 0.05))
        self._changed.clear()
        return self.given

    def holds(self, partition: int) -> bool:
        return partition in self.given

    async def released(self, partition: int) -> None:
        self.calls.append(f"released {partition}")

    async def tell(self, warm: Mapping[int, int], stopped: Mapping[int, str]) -> None:
        self.warm, self.told = dict(warm), dict(stopped)

    async def members(self) -> list[Member]:
        return []

    async def leave(self) -> None:
        self.calls.append("leave")


class Ground:
    """A log with submissions, and a process that holds what it is given."""

    def __init__(self, reference: Reference, *, standby: bool = False) -> None:
        self.reference = reference
        self.log = memory_with(reference.submissions)
        self.given = Given()
        self.opened: list[int] = []
        self.failing = 0
        """How many calls of a new registrar fail before the log answers it."""
        self.stop = asyncio.Event()
        self.handles: dict[int, MemoryLog] = {}
        self.holding = Holding(self.given, PARTITIONS, self._open, self._end, standby=standby)
        self.task = asyncio.ensure_future(self.holding.run(self.stop))

    async def _open(self, partition: int, stop: asyncio.Event) -> Registrar:
        del stop
        self.opened.append(partition)
        self.handles[partition] = self.log.other()
        self.handles[partition].unavailable = self.failing
        return registrar(self.handles[partition], self.reference.people, partition, memory_state(partition))

    async def _end(self, partition: int) -> int:
        return await self.log.end(SUBMISSIONS, partition)

    async def until(self, right: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert not self.task.done() or self.task.exception() is None, self.task.exception()
            found = right()
            if found if isinstance(found, bool) else await found:
                return
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    async def done(self, partition: int) -> bool:
        """Whether the partition is as in the undisturbed run."""
        return await self.log.end(LEDGER, partition) >= len(self.reference.seen[partition].history)

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, PATIENCE)


def play(story: Callable[[Ground], Awaitable[None]], *, standby: bool = False, ends: bool = True) -> Ground:
    made: list[Ground] = []

    async def whole() -> None:
        ground = Ground(await undisturbed(PARTITIONS, 1, 60), standby=standby)
        made.append(ground)
        await story(ground)
        if ends:
            await ground.end()

    run(whole())
    return made[0]


def test_it_admits_what_is_given_and_nothing_else() -> None:
    async def story(ground: Ground) -> None:
        ground.given.give(1, 2)
        await ground.until(lambda: ground.done(1))
        await ground.until(lambda: ground.done(2))
        assert await ground.log.end(LEDGER, 0) == 0
        for partition in (1, 2):
            assert await seen(ground.log, partition) == ground.reference.seen[partition]

    ground = play(story)
    assert sorted(ground.opened) == [1, 2]
    assert ground.given.calls == ["join", "leave"]


def test_what_is_taken_away_ends_and_is_released_and_may_come_back() -> None:
    async def story(ground: Ground) -> None:
        ground.given.give(1)
        await ground.until(lambda: ground.done(1))
        ground.given.give(2)
        await ground.until(lambda: ground.done(2))
        await ground.until(lambda: "released 1" in ground.given.calls)
        (again, *_) = await everything(ground.log, SUBMISSIONS, 1)
        ends = await ground.log.end(SUBMISSIONS, 1)
        await ground.log.append(SUBMISSIONS, 1, [Message(again.key, again.value, again.headers)])
        await asyncio.sleep(0.3)
        assert await ground.log.end(SUBMISSIONS, 1) == ends + 1
        assert 1 not in ground.holding.faults
        ground.given.give(1, 2)
        await ground.until(lambda: ground.opened.count(1) == 2)

    play(story)


def test_a_standby_follows_what_others_hold_and_tells_how_far_it_is() -> None:
    async def story(ground: Ground) -> None:
        other = registrar(ground.log.other(), ground.reference.people, 1, memory_state(1))
        await other.drain()
        sealed = ground.reference.seen[1].seals[-1].offset + 1
        await ground.until(lambda: ground.given.warm.get(1) == sealed)
        assert await ground.log.end(LEDGER, 0) == 0
        ground.given.give(0, 1, 2)
        for partition in range(PARTITIONS):
            await ground.until(lambda p=partition: ground.done(p))  # type: ignore[misc]
        assert await ground.log.end(LEDGER, 1) == len(ground.reference.seen[1].history)

    ground = play(story, standby=True)
    assert sorted(ground.opened) == [0, 1, 2]


def forge(ground: Ground, partition: int) -> None:
    """Another record at index 0: the genuine event with a seal that says another time."""
    time_, key, value, headers = ground.reference.seen[partition].history[0]
    seal = ground.reference.seen[partition].seals[0]
    text = format_seal(msgspec.structs.replace(seal, admitted=seal.admitted + 1))
    forged = tuple((name, text if name == SEAL_HEADER else value_) for name, value_ in headers)
    ground.log.put(LEDGER, partition, [Message(key, value, forged, time_)])


def test_a_fork_in_one_partition_leaves_the_others_at_work() -> None:
    async def story(ground: Ground) -> None:
        forge(ground, 1)
        ground.given.give(1, 2)
        await ground.until(lambda: ground.done(2))
        await ground.until(lambda: 1 in ground.holding.faults)
        await ground.until(lambda: 1 in ground.given.told)
        assert "person" in ground.given.told[1]
        assert not ground.task.done()

    ground = play(story)
    assert isinstance(ground.holding.faults.get(1), ForkError)


def test_when_all_that_it_holds_have_stopped_it_ends() -> None:
    async def story(ground: Ground) -> None:
        forge(ground, 1)
        forge(ground, 2)
        ground.given.give(1, 2)
        with pytest.raises(IntegrityError):
            await asyncio.wait_for(ground.task, PATIENCE)

    assert play(story, ends=False).given.calls[-1] == "leave"


def test_what_is_no_fault_of_a_partition_ends_it() -> None:
    class Full(MemoryLog):
        async def append(self, topic: str, partition: int, messages: object) -> int:
            raise LogFull("no room")

    async def story(ground: Ground) -> None:
        full = Full(clock=ground.log._clock)
        full._shelf = ground.log._shelf
        ground.log.other = lambda: full  # type: ignore[method-assign]
        ground.given.give(1, 2)
        with pytest.raises(LogFull):
            await asyncio.wait_for(ground.task, PATIENCE)

    assert play(story, ends=False).given.calls[-1] == "leave"


def test_it_goes_on_with_what_it_holds_while_the_assignment_does_not_answer() -> None:
    async def story(ground: Ground) -> None:
        ground.given.give(1)
        await ground.until(lambda: ground.opened == [1])
        ground.given.silent = True
        await ground.until(lambda: ground.done(1))
        await asyncio.sleep(0.2)
        assert not ground.task.done()

    play(story)


def test_told_to_stop_before_it_could_join_it_ends() -> None:
    async def story(ground: Ground) -> None:
        async def never() -> None:
            raise LogUnavailable("nobody answers")

        ground.given.join = never  # type: ignore[method-assign]

    play(story)


def test_long_catching_up_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("consumers.holding._TELL", 0.0)
    caplog.set_level("INFO", "consumers.holding")

    async def story(ground: Ground) -> None:
        ground.failing = 1  # so that it has not caught up when it is first looked at
        ground.given.give(1)
        await ground.until(lambda: ground.done(1))
        await ground.until(lambda: ground.holding._seats[1].caught_up)

    ground = play(story)
    total = len(ground.reference.submissions[1])
    told = [r.getMessage() for r in caplog.records if "catching up" in r.getMessage()]
    assert told
    assert all(f"of {total} submissions" in line for line in told)


def test_a_partition_may_be_given_up_while_it_is_asked_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a log that is slow to say where submissions end, when the registrar has ended by then, then it goes on."""
    monkeypatch.setattr("consumers.holding._TELL", 0.0)
    asked: list[int] = []

    async def story(ground: Ground) -> None:
        async def slow(partition: int) -> int:
            seat = ground.holding._seats[partition]
            if not asked:
                seat.stop.set()
                await seat.task
            asked.append(partition)
            return await ground.log.end(SUBMISSIONS, partition)

        ground.holding._end = slow
        ground.failing = 1  # so that it has not caught up when it is first looked at
        ground.given.give(1)
        await ground.until(lambda: len(asked) > 1)
        await ground.until(lambda: ground.done(1))

    play(story)
