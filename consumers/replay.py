"""The follow-and-replay loop: reads the ledger log, folds it, commits rows with the position behind them.

One loop serves both: ``replay`` runs to given positions, ``follow`` until it is told to stop.  What is done with
messages is in ``taking.py``, which the live worker shares.  Each partition goes its own way; what is wrong in one stops
that one, is reported, and met again at the next start:

- a record that does not follow, or of an unknown version;
- a *poison*: a record that the fold cannot digest, unless the ledger says that it may be passed over.  ``follow`` looks
  every few seconds whether it does by now;
- a *fork*: another leaf at an old index, unless the authorities settled which one counts.  Where that is not the one
  that was taken, what was folded since the last commit is folded again without it; rows that are committed need
  ``rogatory rebuild``.

An old index with the same leaf is skipped, an index beyond the next is ignored with a warning.  A worker that was
overtaken drops its batch and goes on from where the other one came to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Generic, TypeVar

import msgspec

from consumers.finder import read_record
from consumers.patience import Patience
from consumers.settlements import Settlements
from consumers.shared import Shared
from consumers.taking import FAULTS, Taking
from ledger.errors import (
    ForkError,
    IntegrityError,
    LogUnavailable,
    Overtaken,
    PoisonRecord,
    RogatoryError,
    StoreUnavailable,
)
from ledger.log import LEDGER, Log, Reader, Stored
from ledger.observing import SILENT, Observer
from ledger.settlement import Statement
from projections.fold import Fold
from projections.store import Store
from projections.view import Batch, Generation

__all__ = ["Limits", "Outcome", "Progress", "follow", "read_record", "replay"]

F = TypeVar("F", bound=msgspec.Struct)

Progress = Callable[[int, int, int], None]
"""Called with partition, committed position, and the position to reach (in ``follow``, the committed one again)."""

_log = logging.getLogger(__name__)


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
    """Seconds between attempts while log or store do not answer (``patience.py``)."""
    look_again: float = 3.0
    """Seconds between looks, in ``follow``, whether a poison may be passed over by now."""


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
    statements: Sequence[Statement] = (),
    settlements: Settlements | None = None,
    observer: Observer = SILENT,
) -> Outcome:
    """Bring a generation to the positions in ``until`` (default: all partitions to their ends of this moment).

    ``settlements`` are looked for in the log once a fork is met, unless they are given. Rows that were committed in
    between with a record that was settled against stop their partition.

    Raises:
        LogUnavailable: the log does not answer, or ends before a position; what was committed stays.
        StoreUnavailable: the store does not answer; the same.
    """
    if until is None:
        until = {p: await log.end(LEDGER, p) for p in range(await log.partitions())}
    parallel = min(limits.parallel, max(1, len(until)))
    run = _Run(
        log, store, fold, generation, limits, progress, parallel,
        until=until, statements=statements, settlements=settlements, observer=observer,
    )  # fmt: skip
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
    statements: Sequence[Statement] = (),
    observer: Observer = SILENT,
) -> Outcome:
    """Follow the log until ``stop`` is set or all partitions have stopped; with ``until_idle``, until its end.

    While log or store do not answer, they are asked again, less and less often.  A partition that stands at a poison
    has not stopped, except with ``until_idle``.  Once another generation answers, all stop, one of them with
    ``Overtaken``.
    """
    patience = Patience(stop or asyncio.Event(), limits.first_pause, limits.longest_pause)
    chosen = list(range(await patience.ask(log.partitions)) if partitions is None else partitions)
    parallel = max(1, len(chosen))
    run = _Run(
        log, store, fold, generation, limits, progress, parallel,
        patience=patience, until_idle=until_idle, statements=statements, observer=observer,
    )  # fmt: skip
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
        until: Mapping[int, int] | None = None,
        patience: Patience | None = None,
        until_idle: bool = False,
        statements: Sequence[Statement] = (),
        settlements: Settlements | None = None,
        observer: Observer = SILENT,
    ) -> None:
        self.log = log
        self.limits = limits
        self.parallel = parallel
        self.patience = patience
        """None in a replay, which waits for nobody."""
        self.until_idle = until_idle
        self.replaced = False
        """Another generation answers; found by one of the workers, it ends all of them."""
        ends = until or {}

        def landed(batch: Batch) -> None:
            if progress is not None:
                progress(batch.partition, batch.next, ends.get(batch.partition, batch.next))

        capacity = max(1, limits.rows // parallel // 2)
        self.shared = Shared(
            log, store, fold, generation,
            capacity=capacity, landed=landed, statements=statements, settlements=settlements, observer=observer,
        )  # fmt: skip

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop, or has nothing more to write."""
        return self.patience is not None and (self.replaced or self.patience.stop.is_set())

    @property
    def records(self) -> int:
        """Records of one partition between commits."""
        return max(1, self.limits.records // self.parallel)

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

    def outcome(self, workers: list[_Worker[F]]) -> Outcome:
        """How it went."""
        return Outcome(
            generation=self.shared.generation,
            sizes={w.partition: w.taking.size for w in workers},
            nexts={w.partition: w.taking.next for w in workers},
            stopped={w.partition: w.stopped for w in workers if w.stopped is not None},
            ahead={w.partition: w.taking.ahead for w in workers if w.taking.ahead},
        )


class _Worker(Generic[F]):
    """One partition: its reader, and what is taken from it."""

    def __init__(self, run: _Run[F], partition: int, end: int | None) -> None:
        self.partition = partition
        self.stopped: RogatoryError | None = None
        self.taking = Taking(run.shared, partition)
        self._run = run
        self._end = end
        self._since = 0.0
        self._reader: Reader | None = None
        self._loaded = False

    async def run(self) -> None:
        """Work until the end, a stop, or a fault of this partition."""
        self.stopped, self._loaded = None, False
        run = self._run
        attempt = 0
        try:
            while True:
                try:
                    if await self._step():
                        self.stopped = self.stopped or self.taking.lacks_settled()
                        return
                    attempt = 0
                except Overtaken as error:
                    _log.info("%s: going on from there", error)
                    self._loaded = False
                except (LogUnavailable, StoreUnavailable) as error:
                    self.taking.unavailable(error)
                    if run.patience is None:
                        raise
                    if not await run.patience.pause(attempt, error) and isinstance(error, StoreUnavailable):
                        return  # told to stop; what was not written is in the log
                    attempt += 1
                    # A commit that the store did not answer is there or is not: only the stored position tells.
                    self._loaded = self._loaded and not isinstance(error, StoreUnavailable)
        finally:
            await self._close()

    async def _step(self) -> bool:
        """One turn, from where the store or the view stands; True when there is nothing more to do."""
        if not self._loaded and not await self._load():
            return True
        self._loaded = True
        start = self.taking.view.next
        if self._reader is None:
            self._reader = self._run.log.reader(LEDGER, self.partition, start)
        elif self._reader.position != start:
            self._reader.seek(start)
        return await self._turn(self._reader) and not await self._waits()

    async def _close(self) -> None:
        await self.taking.close()
        if self._reader is not None:
            await self._reader.close()
            self._reader = None

    async def _load(self) -> bool:
        """Begin from where the store stands; False where that is no longer for this run to write."""
        try:
            await self.taking.load()
        except (Overtaken, IntegrityError) as error:  # another generation answers, or the log ends before the rows
            self.stopped = error
            self._run.replaced = self._run.replaced or isinstance(error, Overtaken)
            return False
        return True

    async def _turn(self, reader: Reader) -> bool:
        """Read and take one piece; True when there is nothing more to do and everything is committed."""
        taking, run = self.taking, self._run
        if self._finished():
            await taking.flush()
            return True
        messages, last = await self._read(reader)
        if not messages and not last:
            return await self._at_end()
        if not taking.view.pending:
            self._since = monotonic()
        try:
            await taking.take(messages)
        except FAULTS as error:
            await taking.halt(error)  # being overtaken here means to look again
            if self.stopped is None or str(self.stopped) != str(error):  # else it is the poison that was met before
                _log.error("partition %d stops at position %d: %s", self.partition, taking.view.next, error)
            self.stopped = error
            return True
        self.stopped = None
        if last:
            await taking.flush()
            return True
        if taking.view.pending >= run.records or monotonic() - self._since >= run.limits.seconds:
            await taking.write()
        return False

    async def _waits(self) -> bool:
        """Wait a while for a statement about the poison that this partition stands at; False where nobody waits."""
        run = self._run
        if not isinstance(self.stopped, PoisonRecord) or run.patience is None or run.until_idle or run.stopping:
            return False
        return await run.patience.sleep(run.limits.look_again)

    async def _read(self, reader: Reader) -> tuple[list[Stored], bool]:
        """The next messages before the end, and whether there are more behind it, so that these are the last."""
        piece, wait, view = self._run.limits.piece, self._run.limits.wait, self.taking.view
        if self._end is None:
            return await reader.read(piece, 0 if view.pending else wait), False
        found = await reader.read(min(piece, self._end - view.next), wait)
        messages = [m for m in found if m.position < self._end]
        return messages, len(messages) < len(found)

    def _finished(self) -> bool:
        if self._end is not None:
            return self.taking.view.next >= self._end
        return self._run.stopping

    async def _at_end(self) -> bool:
        await self.taking.flush()
        if self._end is not None:
            raise LogUnavailable(
                f"expected partition {self.partition} to reach position {self._end}, "
                f"found its end at {self.taking.view.next}"
            )
        return self._run.until_idle
