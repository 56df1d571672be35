"""The live worker: Faust delivers the ledger log, lanes fold and commit it (``live_lane.py``).

Several workers of one projection share the partitions through a consumer group. Where a partition begins is the
store's position, whatever the group's offset says. What each message changes is ``taking.py``, as in a replay, so
live = replay, by digest. What is wrong in one partition pauses that one, again after every assignment, and the others
go on; a poison is looked at again every few seconds. What is wrong with log, store or this program ends the worker
with an error.

At most one worker writes a partition at a time, whatever Kafka thinks of its group: the store's compare-and-set
decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Generic, TypeVar

import msgspec
from aiokafka.errors import KafkaError
from faust.types import TP
from mode.supervisors import CrashingSupervisor

from consumers import live_faust
from consumers.live_lane import Delivered, Lane, Pace
from consumers.shared import Shared
from ledger.errors import LogUnavailable
from ledger.log import LEDGER, Log
from ledger.observing import SILENT, Observer
from ledger.settlement import Statement
from projections.fold import Fold
from projections.store import Store
from projections.view import Batch, Generation

__all__ = ["Pace", "group_of", "run"]

F = TypeVar("F", bound=msgspec.Struct)

SESSION = 15.0
"""Seconds after which a worker that is silent has lost what it held."""
_FLUSH = 5.0
"""Seconds that a partition which is given up may take for its last commit; what is not written is in the log."""
_STOP = 20.0
"""Seconds that Faust may take to stop."""
_log = logging.getLogger(__name__)


def group_of(name: str, fold: Fold[Any]) -> str:
    """The consumer group of the workers of a projection."""
    return f"{name}.live.{fold.name}"


async def run(
    bootstrap: str,
    name: str,
    log: Log,
    store: Store,
    fold: Fold[F],
    generation: Generation,
    *,
    stop: asyncio.Event,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    landed: Callable[[Batch], None] = lambda _: None,
    session: float = SESSION,
    security: Mapping[str, Any] | None = None,
    statements: Sequence[Statement] = (),
    observer: Observer = SILENT,
) -> None:
    """Keep a generation up with a ledger on Kafka until ``stop`` is set, sharing its partitions with other workers.

    Args:
        bootstrap: ``host:port``, or several with commas between.
        name: what the names of the ledger's topics start with.
        log: the same ledger, for what Faust does not deliver.
        store: where the rows are.
        fold: what makes them.
        generation: the build that they belong to.
        stop: set it to end: what was folded is committed, and the partitions are free for others at once.
        pace: when to commit, how long to wait.
        landed: told of each batch that is in the store.
        session: seconds after which the group gives a silent worker's partitions to the others.
        security: how to log in to Kafka, as aiokafka's clients take it; default: not at all.
        statements: settlements of forks that came in a file.
        observer: told of each batch, and where the partitions stand.

    Raises:
        LogUnavailable, StoreUnavailable: no answer for ``pace.give_up`` seconds.
        Overtaken: another generation answers now.
        RogatoryError: Faust ended.
    """
    capacity = max(1, pace.rows // 2)
    shared = Shared(
        log, store, fold, generation, capacity=capacity, landed=landed, statements=statements, observer=observer
    )
    worker = _Worker(bootstrap, name, shared, pace, session, stop, security)
    try:
        await worker.run()
    finally:
        await worker.close()


class _Worker(Generic[F]):
    """One process's share of the partitions. Belongs to one event loop."""

    def __init__(
        self,
        bootstrap: str,
        name: str,
        shared: Shared[F],
        pace: Pace,
        session: float,
        stop: asyncio.Event,
        security: Mapping[str, Any] | None,
    ) -> None:
        self._shared = shared
        self._pace = pace
        self._stop = stop
        self._topic = f"{name}.{LEDGER}"
        self._lanes: dict[int, Lane[F]] = {}
        self._assigned: frozenset[int] = frozenset()
        self._moving = asyncio.Lock()  # an assignment is begun, or given up, as a whole
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        group = group_of(name, shared.fold)
        loop = asyncio.get_running_loop()
        self._app = live_faust.App(group, bootstrap, self._begin, session, security=security, loop=loop)
        self._app.on_partitions_revoked.connect(self._revoked)  # type: ignore[arg-type]
        topic = live_faust.raw_topic(self._app, self._topic)
        self._app.agent(topic, name="live", supervisor_strategy=CrashingSupervisor)(self._agent)

    async def run(self) -> None:
        """Serve until told to stop, or until something fails."""
        starting = asyncio.create_task(self._app.start())
        stopping = asyncio.create_task(self._stop.wait())
        watching = asyncio.create_task(self._watch())
        ended = asyncio.create_task(self._app.wait_until_stopped())
        tasks = [starting, stopping, watching, ended]
        try:
            waits: set[asyncio.Future[Any]] = {*tasks, self._failure}
            while True:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopping, ended}:
                    _raise(task)
                if stopping in done:
                    return
                if ended in done:
                    raise _faust_ended(self._app.crash_reason)
                waits -= done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Commit what was folded, leave the group, give everything back."""
        async with self._moving:
            await self._give_up(self._lanes, flush=_FLUSH)
        with suppress(Exception):
            await live_faust.tell_offsets(self._app, self._offsets())
        leaving = asyncio.create_task(self._app.stop())
        await asyncio.wait([leaving], timeout=_STOP)
        if not leaving.done():
            _log.warning("Faust did not stop within %.0f s; its group finds out by itself", _STOP)
            leaving.cancel()
        elif not leaving.cancelled() and (error := leaving.exception()) is not None:
            _log.warning("Faust stopped with %s", type(error).__name__)
        for lane in self._lanes.values():
            await lane.close()
        if self._failure.done() and not self._failure.cancelled():
            self._failure.exception()

    # What Faust calls

    async def _agent(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message: Delivered = event.message
            lane = self._lanes.get(event.message.tp.partition)
            if lane is not None and not lane.offer(message):
                await lane.put(message)

    async def _begin(self, assigned: set[TP]) -> dict[TP, int]:
        """Begin each assigned partition from where the store stands."""
        mine = {tp.partition: tp for tp in assigned if tp.topic == self._topic}
        starts: dict[TP, int] = {}
        async with self._moving:
            await self._give_up(self._lanes.keys() - mine.keys(), flush=0.0)
            for partition, tp in sorted(mine.items()):
                if partition not in self._lanes:
                    self._lanes[partition] = Lane(self._shared, partition, self._pace, self, self._fail)
                start = await self._lanes[partition].begin()
                if start is not None:
                    starts[tp] = start
            if self._assigned != frozenset(mine):
                self._assigned = frozenset(mine)
                began = ", ".join(f"{tp.partition} from position {start}" for tp, start in starts.items())
                _log.info("assigned partitions %s%s", sorted(mine), f": {began}" if began else "")
        return starts

    async def _revoked(self, _: Any, revoked: set[TP], **__: Any) -> None:
        async with self._moving:
            gone = {tp.partition for tp in revoked if tp.topic == self._topic}
            await self._give_up(gone, flush=_FLUSH)
            self._assigned -= gone
            if gone:
                _log.info("gave up partitions %s", sorted(gone))

    async def _give_up(self, partitions: Any, *, flush: float) -> None:
        lanes = [self._lanes[p] for p in partitions if p in self._lanes]
        await asyncio.gather(*(lane.end(flush=flush) for lane in lanes))

    # What lanes call

    def pause(self, partition: int) -> None:
        """Deliver no more of a partition."""
        live_faust.pause(self._app, [TP(self._topic, partition)])

    def resume(self, partition: int) -> None:
        """Deliver again."""
        live_faust.resume(self._app, [TP(self._topic, partition)])

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    # Looking after it

    async def _watch(self) -> None:
        """Tell the group how far we are, and find deliveries that were lost: the log has more, and nothing moves."""
        seen: dict[int, int] = {}
        silent = 0.0
        while True:
            await asyncio.sleep(self._pace.look_again)
            with suppress(Exception):
                await live_faust.tell_offsets(self._app, self._offsets())
            try:
                for partition in self._assigned:
                    seen[partition] = await self._look(partition, seen.get(partition, -1))
                silent = 0.0
            except LogUnavailable as error:
                silent = silent or monotonic()
                if monotonic() - silent > self._pace.give_up:
                    raise
                _log.warning("the log does not answer (%s)", error)

    async def _look(self, partition: int, before: int) -> int:
        lane = self._lanes[partition]
        here = lane.next
        if here == before and here >= 0 and lane.fault is None and not lane.busy:
            end = await self._shared.log.end(LEDGER, partition)
            if here == lane.next < end:
                _log.warning(
                    "partition %d: Faust delivers nothing from position %d on, the log ends at %d: reading it there",
                    partition, here, end,
                )  # fmt: skip
                lane.nudge()
        return here

    def _offsets(self) -> dict[TP, int]:
        return {TP(self._topic, p): self._lanes[p].committed for p in self._assigned if self._lanes[p].committed > 0}


def _raise(task: asyncio.Future[Any]) -> None:
    """Raise what a task ended with; Kafka's own words become ours."""
    error = task.exception()
    if error is not None:
        raise _faust_ended(error)


def _faust_ended(reason: BaseException | None) -> BaseException:
    if reason is not None and not isinstance(reason, (KafkaError, OSError)):
        return reason  # one of ours, or a fault inside the program
    what = "no reason given" if reason is None else f"{type(reason).__name__}: {reason}"
    return LogUnavailable(f"expected Faust to deliver until told to stop, found that it ended ({what})")
