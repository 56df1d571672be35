"""The follow-and-replay loop: reads the ledger log, folds it, commits rows with the position behind them.

One loop serves both: ``replay`` runs to given positions, ``follow`` until it is told to stop.  Each partition goes
its own way; what is wrong in one stops that one, is reported, and met again at the next start:

- a record that does not follow, of an unknown version, or that the fold cannot digest;
- a *fork*: another leaf at an old index, unless the authorities settled it for the leaf that came first.  (A settlement
  for the other leaf needs rows rebuilt without the first one; this release stops there.)

An old index with the same leaf is skipped, an index beyond the next is ignored with a warning.  A worker that was
overtaken drops its batch and goes on from where the other one came to.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

import msgspec

from consumers.finder import RecordFinder, check_fork, read_record
from ledger.chain import Ahead, Record, Repeated
from ledger.errors import (
    ForkError,
    FormatError,
    IntegrityError,
    LogUnavailable,
    Overtaken,
    RogatoryError,
    UnknownVersion,
)
from ledger.log import LEDGER, Log, Reader, Stored
from projections.fold import Fold
from projections.store import Store
from projections.view import Batch, Generation, PartitionView

__all__ = ["Limits", "Outcome", "Progress", "follow", "read_record", "replay"]

F = TypeVar("F", bound=msgspec.Struct)

Progress = Callable[[int, int, int], None]
"""Called with partition, committed position, and the position to reach (in ``follow``, the committed one again)."""

_log = logging.getLogger(__name__)

_FAULTS = (IntegrityError, FormatError, UnknownVersion)


class Limits(msgspec.Struct, frozen=True):
    """How much is held at once; all partitions that are worked at together share ``records`` and ``rows``."""

    piece: int = 256
    """Messages in one read."""
    records: int = 16_384
    """Records folded before a commit."""
    seconds: float = 5.0
    """The longest that a folded record waits for its commit while there is more to read."""
    rows: int = 16_384
    """Rows held beside those in work."""
    wait: float = 0.5
    """Seconds that a read waits at the end of the log."""
    parallel: int = 2
    """Partitions replayed at a time: one folds while the other one's batch is written."""
    first_pause: float = 0.1
    longest_pause: float = 30.0
    """Seconds between attempts while the log does not answer, doubled each time, less up to a half by chance."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended, by partition: records in history, next position, why it stopped, messages ignored as ahead."""

    generation: Generation
    sizes: dict[int, int]
    nexts: dict[int, int]
    stopped: dict[int, RogatoryError]
    ahead: dict[int, int]


async def replay(
    log: Log,
    store: Store,
    fold: Fold[F],
    generation: Generation,
    *,
    until: Mapping[int, int] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress | None = None,
) -> Outcome:
    """Bring a generation to the positions in ``until`` (default: all partitions to their ends of this moment).

    Raises:
        LogUnavailable: the log does not answer, or ends before a position; what was committed stays.
    """
    if until is None:
        until = {p: await log.end(LEDGER, p) for p in range(await log.partitions())}
    run = _Run(log, store, fold, generation, limits, progress, min(limits.parallel, max(1, len(until))))
    workers = [_Worker(run, partition, end) for partition, end in sorted(until.items())]
    await run.all(workers)
    # A settlement is a record of partition 0, which may have been behind when the forked one asked.
    await run.all([worker for worker in workers if isinstance(worker.stopped, ForkError)])
    return run.outcome(workers)


async def follow(
    log: Log,
    store: Store,
    fold: Fold[F],
    generation: Generation,
    *,
    partitions: Iterable[int] | None = None,
    stop: asyncio.Event | None = None,
    until_idle: bool = False,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Progress | None = None,
) -> Outcome:
    """Follow the log until ``stop`` is set or all partitions have stopped; with ``until_idle``, until its end.

    While the log does not answer, it is asked again, less and less often.
    """
    stop = stop or asyncio.Event()
    run = _Run(log, store, fold, generation, limits, progress, 1, stop=stop, until_idle=until_idle)
    chosen = list(range(await run.patiently(log.partitions)) if partitions is None else partitions)
    run.parallel = max(1, len(chosen))
    workers = [_Worker(run, partition, None) for partition in chosen]
    await run.all(workers)
    return run.outcome(workers)


class _Run(Generic[F]):
    """What the workers of one run share."""

    def __init__(
        self,
        log: Log,
        store: Store,
        fold: Fold[F],
        generation: Generation,
        limits: Limits,
        progress: Progress | None,
        parallel: int,
        *,
        stop: asyncio.Event | None = None,
        until_idle: bool = False,
    ) -> None:
        self.log = log
        self.store = store
        self.fold = fold
        self.generation = generation
        self.limits = limits
        self.progress = progress
        self.parallel = parallel
        self.stop = stop
        self.until_idle = until_idle
        self.pen = asyncio.Lock()
        """Whoever writes holds it: SQLite has one writer, and waits better here than inside the database."""

    @property
    def records(self) -> int:
        """Records of one partition between commits."""
        return max(1, self.limits.records // self.parallel)

    @property
    def capacity(self) -> int:
        """Rows that a view keeps in each of its halves."""
        return max(1, self.limits.rows // self.parallel // 2)

    async def all(self, workers: list[_Worker[F]]) -> None:
        """Run workers, as many at a time as is set; the first error that is no fault of a partition ends them all."""
        gate = asyncio.Semaphore(self.parallel)

        async def one(worker: _Worker[F]) -> None:
            async with gate:
                await worker.run()

        try:
            async with asyncio.TaskGroup() as group:
                for worker in workers:
                    group.create_task(one(worker))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def patiently(self, call: Callable[[], Awaitable[int]]) -> int:
        """The number that a call to the log gives once it answers."""
        attempt = 0
        while True:
            try:
                return await call()
            except LogUnavailable as error:
                if not await self.pause(attempt, error):
                    raise
                attempt += 1

    async def pause(self, attempt: int, error: LogUnavailable) -> bool:
        """Wait before the next attempt; False where there shall be none: in a replay, or when told to stop."""
        if self.stop is None:
            return False
        longest = min(self.limits.longest_pause, self.limits.first_pause * 2 ** min(attempt, 30))
        seconds = longest * random.uniform(0.5, 1)  # noqa: S311 - spreads attempts, guards nothing
        _log.warning("the log does not answer (%s); attempt %d in %.1f s", error, attempt + 2, seconds)
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            return True
        return False

    def outcome(self, workers: list[_Worker[F]]) -> Outcome:
        """How it went."""
        return Outcome(
            generation=self.generation,
            sizes={w.partition: w.size for w in workers},
            nexts={w.partition: w.next for w in workers},
            stopped={w.partition: w.stopped for w in workers if w.stopped is not None},
            ahead={w.partition: w.ahead for w in workers if w.ahead},
        )


class _Worker(Generic[F]):
    """One partition: its reader, its view, and at most one batch being written."""

    def __init__(self, run: _Run[F], partition: int, end: int | None) -> None:
        self.partition = partition
        self.size = self.next = 0
        self.stopped: RogatoryError | None = None
        self.ahead = 0
        self._run = run
        self._end = end
        self._since = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._batch: Batch | None = None
        self._view: PartitionView[F]
        self._finder = RecordFinder(run.log, partition, partial(run.store.place, run.generation, partition))

    async def run(self) -> None:
        """Work until the end, a stop, or a fault of this partition."""
        self.stopped = None
        run = self._run
        reader: Reader | None = None
        attempt = 0
        try:
            await self._load()
            reader = run.log.reader(LEDGER, self.partition, self._view.next)
            while True:
                try:
                    if await self._turn(reader):
                        return
                    attempt = 0
                except Overtaken as error:
                    _log.info("%s: going on from there", error)
                    await self._load()
                    reader.seek(self._view.next)
                except LogUnavailable as error:
                    if not await run.pause(attempt, error) and run.stop is None:
                        raise
                    attempt += 1
                    reader.seek(self._view.next)
        except Overtaken as error:  # from _load: another generation answers
            self.stopped = error
        finally:
            if self._writing is not None:  # whoever called may close the store after this
                await asyncio.wait([self._writing])
                self._writing.cancelled() or self._writing.exception()
            if reader is not None:
                await reader.close()
            await self._finder.close()

    async def _load(self) -> None:
        run = self._run
        self._writing = self._batch = None
        make = partial(run.store.view, run.fold, run.generation, self.partition, capacity=run.capacity)
        self._view = await asyncio.to_thread(make)
        self.next, self.size = self._view.next, self._view.state.size

    async def _turn(self, reader: Reader) -> bool:
        """Read and take one piece; True when there is nothing more to do and everything is committed."""
        view, run = self._view, self._run
        if self._finished():
            await self._flush()
            return True
        messages, last = await self._read(reader)
        if not messages and not last:
            return await self._at_end()
        if not view.pending:
            self._since = monotonic()
        try:
            await self._take(messages)
        except _FAULTS as error:
            await self._flush()  # what stands before it counts; being overtaken here means to look again
            _log.error("partition %d stops at position %d: %s", self.partition, view.next, error)
            self.stopped = error
            return True
        if last:
            await self._flush()
            return True
        if view.pending >= run.records or monotonic() - self._since >= run.limits.seconds:
            await self._write()
        return False

    async def _read(self, reader: Reader) -> tuple[list[Stored], bool]:
        """The next messages before the end, and whether there are more behind it, so that these are the last."""
        piece, wait = self._run.limits.piece, self._run.limits.wait
        if self._end is None:
            return await reader.read(piece, 0 if self._view.pending else wait), False
        found = await reader.read(min(piece, self._end - self._view.next), wait)
        messages = [m for m in found if m.position < self._end]
        return messages, len(messages) < len(found)

    def _finished(self) -> bool:
        if self._end is not None:
            return self._view.next >= self._end
        return self._run.stop is not None and self._run.stop.is_set()

    async def _at_end(self) -> bool:
        await self._flush()
        if self._end is not None:
            raise LogUnavailable(
                f"expected partition {self.partition} to reach position {self._end}, found its end at {self._view.next}"
            )
        return self._run.until_idle

    async def _take(self, messages: list[Stored]) -> None:
        view = self._view
        if missing := view.missing(messages):
            view.learn(missing, await asyncio.to_thread(self._run.store.rows, view, missing))
        ahead: list[Ahead] = []
        for stored in messages:
            taken = view.take(stored)
            if type(taken) is Record:
                continue
            if isinstance(taken, Repeated):
                await self._compare(taken)
                view.skip(stored)
            elif isinstance(taken, Ahead):
                ahead.append(taken)
        if ahead:
            self.ahead += len(ahead)
            _log.warning(
                "partition %d: ignored %d messages ahead of their index, the first at index %d where %d was next",
                self.partition,
                len(ahead),
                ahead[0].index,
                ahead[0].expected,
            )

    async def _compare(self, repeated: Repeated) -> None:
        """Raises ForkError unless the record is the first of its index again, or settled to be no matter."""
        first = (await self._finder.find(repeated.index)).leaf
        if first == repeated.leaf:
            return
        place = f"{self.partition}/{repeated.index}"
        registers = self._view.state.register, await asyncio.to_thread(self._run.store.register, self._run.generation)
        settled = [leaf for register in registers if register and (leaf := register.settled.get(place))]
        check_fork(place, first, repeated.leaf, settled[0] if settled else None)
        _log.info("index %s: passed a fork that was settled", place)

    async def _flush(self) -> None:
        await self._write()
        await self._landed()

    async def _write(self) -> None:
        """Begin to commit what was folded, once the batch before it is in."""
        await self._landed()
        batch = self._view.cut()
        if batch is not None:
            self._batch = batch
            self._writing = asyncio.create_task(self._commit(batch))

    async def _commit(self, batch: Batch) -> None:
        async with self._run.pen:
            # Behind this, rows and position are in the store together, or neither is; the log has what is missing.
            await asyncio.to_thread(self._run.store.commit, batch)

    async def _landed(self) -> None:
        if self._writing is None or self._batch is None:
            return
        batch, writing = self._batch, self._writing
        await asyncio.wait([writing])
        self._writing = self._batch = None
        writing.result()
        self._view.committed(batch)
        self.next, self.size = batch.next, batch.state.size
        if self._run.progress is not None:
            self._run.progress(self.partition, batch.next, batch.next if self._end is None else self._end)
