"""Taking a partition's messages: what replay, follow and the live worker have in common.

A ``Taking`` is one partition of one generation on its way from log to store. Whoever brings the messages decides when
to commit; what each message is, what it changes and how that is written is decided here, once::

    taking = Taking(shared, partition)
    await taking.load()                   # from where the store stands
    await taking.take(messages)           # learn rows, check, fold
    await taking.write()                  # begin to commit what was folded; one batch is under way at a time
    await taking.flush()                  # all of it is in the store
    await taking.close()

Faults of the partition (``FAULTS``) come out of ``take`` with the view standing before the message; hand them to
``halt``. After ``Overtaken`` or ``StoreUnavailable`` the view is worth nothing: ``load`` again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import msgspec

from consumers.finder import RecordFinder, check_fork
from consumers.settlements import Settlements
from consumers.skipping import Statements
from consumers.telling import TakingTold
from ledger.chain import Ahead, Overruled, Record, Repeated, read_ahead
from ledger.errors import (
    ChainError,
    ForkError,
    FormatError,
    IntegrityError,
    PoisonRecord,
    RogatoryError,
    UnknownVersion,
)
from ledger.log import LEDGER, Log, Stored
from ledger.observing import SILENT, Observer
from ledger.settlement import Settled, Statement
from projections import poison
from projections.fold import Fold
from projections.store import Store
from projections.view import Batch, Generation, PartitionView

F = TypeVar("F", bound=msgspec.Struct)

FAULTS = (IntegrityError, FormatError, UnknownVersion)
"""What is wrong with a partition, not with what it is read from or written to."""

_log = logging.getLogger(__name__)


class Shared(Generic[F]):
    """What all partitions of one worker share."""

    def __init__(
        self,
        log: Log,
        store: Store,
        fold: Fold[F],
        generation: Generation,
        *,
        capacity: int,
        landed: Callable[[Batch], None] = lambda _: None,
        statements: Sequence[Statement] = (),
        observer: Observer = SILENT,
    ) -> None:
        """What they share.

        Args:
            log: the ledger is read from it.
            store: where rows and positions are.
            fold: what turns records into facts.
            generation: whose rows are written.
            capacity: rows kept in each half of a view.
            landed: told of each batch that is in the store.
            statements: settlements of forks that came in a file.
            observer: told of each batch.
        """
        self.observer = observer
        self.log = log
        self.store = store
        self.fold = fold
        self.generation = generation
        self.capacity = capacity
        self.landed = landed
        self._statements = statements
        self._settlements: Settlements | None = None
        self._asking = asyncio.Lock()
        self.pen = asyncio.Lock()
        """Whoever writes holds it: SQLite has one writer, and waits better here than inside the database."""

    async def settled(self, partition: int) -> Settled:
        """What the authorities settled in a partition, as far as the log says it now.

        Raises:
            LogUnavailable: the log does not answer.
            Overtaken, StoreUnavailable: as the store's ``load``.
        """
        async with self._asking:
            if self._settlements is None:
                # Up to there the store has followed partition 0: only what came since has to be looked at.
                saved = await asyncio.to_thread(self.store.load, self.generation, 0)
                self._settlements = Settlements(
                    self.log,
                    self.generation.ledger_id,
                    self._statements,
                    register=saved.state.register,
                    position=saved.next,
                )
            await self._settlements.refresh()
        return self._settlements.of(partition)


class Taking(Generic[F]):
    """One partition: its view, and at most one batch being written. Owned by one task."""

    def __init__(self, shared: Shared[F], partition: int) -> None:
        self.partition = partition
        self.size = self.next = 0
        """Records and next position as they were last seen in the store."""
        self.ahead = 0
        self.view: PartitionView[F]
        self._shared = shared
        self._overruled = -1  # the index at which another record than the settled one was passed last
        self._writing: asyncio.Task[None] | None = None
        self._batch: Batch | None = None
        self._telling = TakingTold(shared.observer, shared.fold.name, partition)
        self._noted: int | None = None  # the position of the poison that the store tells of
        self._finder = RecordFinder(shared.log, partition, partial(shared.store.place, shared.generation, partition))
        self._statements = Statements(shared.log, partition)

    async def load(self) -> None:
        """Begin from where the store stands; what was folded and not written is forgotten.

        Raises:
            Overtaken: another generation answers.
            IntegrityError: the log ends before the position where the store stands.
            LogUnavailable, StoreUnavailable: log or store does not answer.
        """
        self._telling.recovering()
        await self.settle()
        await self._finder.close()  # whoever loads may be another task than the one before
        self.view, self._noted = await asyncio.to_thread(self._read)
        self._settle_by(await self._shared.settled(self.partition))
        end = await self._shared.log.end(LEDGER, self.partition)
        if self.view.next > end:
            raise IntegrityError(
                f"partition {self.partition}: expected the ledger to reach position {self.view.next}, where these rows "
                f"stand, found its end at {end}: the topic was truncated or made anew. Restore it; if what is there "
                "now is right, `rogatory rebuild` makes the rows again"
            )
        self.next, self.size = self.view.next, self.view.state.size
        self._telling.standing(self.next, self.size)

    def _settle_by(self, settled: Settled) -> None:
        self.view.settled = settled
        self._finder.settled = settled

    def _read(self) -> tuple[PartitionView[F], int | None]:
        shared = self._shared
        noted = poison.noted(shared.store, shared.generation, self.partition)
        view = shared.store.view(shared.fold, shared.generation, self.partition, capacity=shared.capacity)
        return view, None if noted is None else noted.position

    async def take(self, messages: Sequence[Stored]) -> None:
        """Pass messages, in their order.

        Raises:
            IntegrityError, FormatError, UnknownVersion: the view stands before the message that this is about.
            Overtaken, StoreUnavailable: load again.
            LogUnavailable: the log did not answer; the view stands before the message it was asked about.
        """
        view = self.view
        self._telling.takes()
        if missing := view.missing(messages):
            view.learn(missing, await asyncio.to_thread(self._shared.store.rows, view, missing))
        ahead: list[Ahead] = []
        traces = self._shared.observer.traces
        for stored, seal in zip(messages, read_ahead(messages), strict=True):
            try:
                taken = view.take(stored, seal)
            except PoisonRecord as met:
                await self._pass_over(stored, met)
                continue
            if type(taken) is Record:
                if traces:
                    self._telling.takes_record(stored)
                continue
            if isinstance(taken, Repeated):
                await self._compare(taken, stored.position)
                view.skip(stored)
            elif isinstance(taken, Overruled):
                self._overruled = taken.index
                _log.warning(
                    "partition %d: passed position %d at the forked index %d, as the authorities settled",
                    self.partition, stored.position, taken.index,
                )  # fmt: skip
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

    async def _pass_over(self, stored: Stored, met: PoisonRecord) -> None:
        """Go on behind a record that the fold cannot digest if the ledger says so; else raises what was met."""
        said = await self._statements.find(self._shared.fold.name, met)
        if said is None:
            raise met
        self.view.take(stored, pass_over=True)
        _log.info("partition %d: passed over index %d, as index %d says", self.partition, met.index, said)

    async def _compare(self, repeated: Repeated, position: int) -> None:
        """Raises ForkError unless the record is the first of its index again, or settled to be no matter."""
        index, register = repeated.index, self.view.state.register
        try:
            # Before this position, or a settled record that stands here would be taken for one that the rows hold.
            first = (await self._finder.find(index, before=position, register=register)).leaf
        except ChainError:
            first = None  # the rows were made with another record than the one that is settled
        if first == repeated.leaf:
            return
        settled = await self._shared.settled(self.partition)
        named = settled.leaf(index, register)
        check_fork(f"{self.partition}/{index}", first, repeated.leaf, named)
        self._settle_by(settled)
        _log.info("index %d/%d: passed a fork that was settled", self.partition, index)

    def lacks_settled(self) -> ForkError | None:
        """The fault where the authorities named the next record at a fork, and only others stand at its index yet."""
        if self._overruled != self.view.state.size:
            return None
        return ForkError(
            f"index {self.partition}/{self._overruled}: expected the record that the authorities settled for, found "
            "only others so far; it is appended once a registrar of this partition goes on"
        )

    async def halt(self, fault: RogatoryError) -> None:
        """Stop at a fault: what stands before it is committed, and a poison record is noted in the store.

        Raises:
            Overtaken: look again, another worker may have passed it.
            StoreUnavailable: load and look again.
        """
        await self.flush()
        if isinstance(fault, PoisonRecord):
            async with self._shared.pen:
                await asyncio.to_thread(poison.note, self._shared.store, self._shared.generation, fault)
            self._noted = fault.position
        self._telling.stopped(fault)

    async def flush(self) -> None:
        """Commit everything that was folded. Raises as ``write``."""
        await self.write()
        await self.landed()

    async def write(self) -> None:
        """Begin to commit what was folded, once the batch before it is in.

        Raises:
            Overtaken, StoreUnavailable: about the batch before it.
        """
        await self.landed()
        batch = self.view.cut()
        if batch is not None:
            self._batch = batch
            self._telling.cuts()
            self._writing = asyncio.create_task(self._commit(batch))

    @property
    def writing(self) -> asyncio.Task[None] | None:
        """The commit under way; done or not, ``landed`` takes its result."""
        return self._writing

    async def _commit(self, batch: Batch) -> None:
        async with self._shared.pen:
            # Behind this, rows and position are in the store together, or neither is; the log has what is missing.
            self._telling.commits()
            await asyncio.to_thread(self._shared.store.commit, batch)
            if self._noted is not None and self._noted < batch.next:
                await asyncio.to_thread(
                    poison.clear, self._shared.store, self._shared.generation, self.partition, batch.next
                )
                self._noted = None

    async def landed(self) -> None:
        """Wait until the commit under way is in the store. Raises what became of it instead."""
        if self._writing is None or self._batch is None:
            return
        batch, writing = self._batch, self._writing
        await asyncio.wait([writing])
        self._writing = self._batch = None
        writing.result()
        self.view.committed(batch)
        self._telling.committed(batch.next, batch.state.size, batch.state.size - self.size)
        self.next, self.size = batch.next, batch.state.size
        self._shared.landed(batch)

    async def settle(self) -> None:
        """Wait until no commit is under way, whatever becomes of it: whoever called may close the store after this."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            self._writing.cancelled() or self._writing.exception()
        self._writing = self._batch = None

    def unavailable(self, error: Exception) -> None:
        """Tell the observer that log or store did not answer."""
        self._telling.unavailable(error)

    def left(self) -> None:
        """Tell the observer that the partition is another process's from now on."""
        self._telling.left()

    async def close(self) -> None:
        """Settle, and give back what the log gave."""
        self._telling.ended()
        await self.settle()
        await self._finder.close()
