"""Keeping the registrars of those partitions at work that are assigned to this process, and no others.

A partition that is assigned gets a registrar, which goes on from its state file and admits again what was submitted
since, comparing it with the ledger.  A partition that is taken away ends with the batch in hand.  A standby has a
registrar for every partition, which follows as long as the holder is another process.

A partition whose ledger contradicts itself stops alone: it says so at once and each minute, while it looks whether it
can go on; the others are not touched.  When all that are held have stopped, the process ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from consumers.patience import wait
from consumers.registrar import Registrar
from ledger.assignment import Assignment
from ledger.errors import IntegrityError, LogUnavailable, RogatoryError, UnknownVersion

Faults = dict[int, RogatoryError]
_AGAIN = 60.0  # s between two looks at a partition that has stopped
_TELL = 5.0  # s between two words about how far it has come
_LOOK = 0.5
_log = logging.getLogger(__name__)


class Holding:
    """The registrars of one process. One task owns it."""

    def __init__(
        self,
        assignment: Assignment,
        partitions: int,
        open_: Callable[[int, asyncio.Event], Awaitable[Registrar | None]],
        end: Callable[[int], Awaitable[int]],
        *,
        standby: bool = False,
    ) -> None:
        """Hold what ``assignment`` gives.

        Args:
            assignment: joined and left here.
            partitions: how many the ledger has.
            open_: makes a partition's registrar, waiting for its state file; None if the event was set first.
            end: where a partition's submissions end now.
            standby: follow what others hold.
        """
        self._assignment = assignment
        self._partitions = partitions
        self._open = open_
        self._end = end
        self._standby = standby
        self._seats: dict[int, _Seat] = {}
        self._ours: frozenset[int] = frozenset()
        self._given_up: set[int] = set()
        self._told = 0.0
        self.faults: Faults = {}
        """Partitions that have stopped, and why."""

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``.

        Raises:
            IntegrityError, UnknownVersion: all partitions that are held here have stopped.
            RogatoryError: something else went wrong that waiting does not mend.
        """
        try:
            if not await self._patiently(self._assignment.join, stop):
                return
            ours: frozenset[int] = frozenset()
            pause = _LOOK
            while not stop.is_set():
                try:
                    ours = await self._assignment.ours(_LOOK)
                    pause = _LOOK
                except LogUnavailable as error:
                    _log.warning("assignment: %s; going on with partitions %s", error, sorted(ours))
                    await wait(stop, pause)
                    pause = min(pause * 2, 10.0)
                await self._adjust(ours)
                self._check()
                await self._tell()
        finally:
            await self._end_all()
            await self._assignment.leave()

    async def _patiently(self, call: Callable[[], Awaitable[None]], stop: asyncio.Event) -> bool:
        pause = 0.5
        while not stop.is_set():
            try:
                await call()
            except LogUnavailable as error:
                _log.warning("assignment: %s; trying again in %.1f s", error, pause)
                await wait(stop, pause)
                pause = min(pause * 2, 30.0)
            else:
                return True
        return False

    async def _adjust(self, ours: frozenset[int]) -> None:
        for partition in sorted(self._ours - ours):
            _log.info("partition %d: given up", partition)
            self._given_up.add(partition)
        for partition in sorted(ours - self._ours):
            _log.info("partition %d: admitting from now on", partition)
            self._given_up.discard(partition)
        self._ours = ours
        wanted = set(range(self._partitions)) if self._standby else set(ours)
        for partition in set(self._seats) - wanted:
            self._seats[partition].stop.set()
        for partition, seat in list(self._seats.items()):
            if seat.stop.is_set() and seat.task.done():
                del self._seats[partition]
                self.faults.pop(partition, None)
                seat.task.result()
        for partition in wanted - set(self._seats):
            self._seats[partition] = _Seat(partition, self)
        for partition in list(self._given_up):
            ending = self._seats.get(partition)
            if ending is None or not ending.working:
                # The batch in hand has ended: whoever waits for it may begin.
                await self._assignment.released(partition)
                self._given_up.discard(partition)

    def _check(self) -> None:
        for seat in self._seats.values():
            if seat.task.done() and not seat.stop.is_set():
                seat.task.result()
        stopped = {p: self.faults[p] for p in self._ours if p in self.faults}
        if stopped and len(stopped) == len(self._ours):
            raise next(iter(stopped.values()))

    async def _tell(self) -> None:
        """Say how far it has come: to the other members, and of long catching up to people."""
        if time.monotonic() - self._told < _TELL:
            return
        self._told = time.monotonic()
        followed = {p: s for p, s in self._seats.items() if p not in self._ours and p not in self.faults}
        stopped = {p: str(e) for p, e in self.faults.items() if p in self._ours}
        with suppress(LogUnavailable):
            await self._assignment.tell({p: s.registrar.reached for p, s in followed.items() if s.registrar}, stopped)
            for seat in self._seats.values():
                await self._tell_of(seat)

    async def _tell_of(self, seat: _Seat) -> None:
        registrar = seat.registrar
        if seat.caught_up or registrar is None:
            return
        if seat.goal is None:
            # Meanwhile the partition may be given up, and the seat be empty.
            seat.goal = await self._end(seat.partition)
        reached = registrar.reached
        seat.caught_up = reached >= seat.goal
        if not seat.caught_up:
            _log.info("partition %d: catching up, %d of %d submissions", seat.partition, reached, seat.goal)

    async def _end_all(self) -> None:
        for seat in self._seats.values():
            seat.stop.set()
        await asyncio.gather(*(seat.task for seat in self._seats.values()), return_exceptions=True)
        self._seats.clear()

    async def work(self, seat: _Seat) -> None:
        """The whole life of one partition here; after a fault with a new registrar, to see what was settled since."""
        while not seat.stop.is_set():
            registrar = await self._open(seat.partition, seat.stop)
            if registrar is None:
                return
            seat.registrar = registrar

            def holds() -> bool:
                seat.working = self._assignment.holds(seat.partition)
                return seat.working

            try:
                await attempt(registrar, seat.stop, self.faults, holds, standby=self._standby)
            finally:
                seat.working = False
                seat.registrar = None
                await registrar.close()
            await wait(seat.stop, _AGAIN)


class _Seat:
    """One partition that this process has a registrar for."""

    def __init__(self, partition: int, holding: Holding) -> None:
        self.partition = partition
        self.stop = asyncio.Event()
        self.registrar: Registrar | None = None
        self.working = False
        """Whether a batch may be in hand that appends."""
        self.goal: int | None = None
        """Where the submissions ended when it began."""
        self.caught_up = False
        self.task = asyncio.ensure_future(holding.work(self))


async def attempt(
    registrar: Registrar,
    stop: asyncio.Event,
    faults: Faults,
    holds: Callable[[], bool] = lambda: True,
    *,
    standby: bool = False,
) -> None:
    """Run a registrar until ``stop``, or until its partition contradicts itself; then say so loudly.

    Args:
        registrar: the partition's.
        stop: ends it.
        faults: where a fault is noted until the partition goes on.
        holds: whether the partition is ours, asked before each batch.
        standby: follow while it is not.
    """
    partition = registrar.partition
    asked = 0

    def ask() -> bool:
        nonlocal asked
        asked += 1
        if asked > 1 and partition in faults:  # the batch before went well
            del faults[partition]
            _log.warning("partition %d: goes on", partition)
        return holds()

    try:
        await registrar.run(stop, ask, standby=standby)
    except (IntegrityError, UnknownVersion) as error:
        faults[partition] = error
        _log.error("partition %d is stopped, the others go on: %s", partition, error)


async def guarded(registrar: Registrar, stop: asyncio.Event, faults: Faults) -> None:
    """Run a registrar until ``stop``; if its partition contradicts itself, look again each minute."""
    while not stop.is_set():
        await attempt(registrar, stop, faults)
        await wait(stop, _AGAIN)
