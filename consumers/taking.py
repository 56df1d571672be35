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
from collections.abc import Sequence
from functools import partial
from typing import Generic, TypeVar

import msgspec

from consumers.finder import RecordFinder, check_fork
from consumers.shared import Shared
from consumers.skipping import Statements
from consumers.telling import TakingTold
from ledger.chain import Ahead, Overruled, Record, Repeated, read_ahead
from ledger.errors import (
    ChainError,
    ForkError,
    FormatError,
    IntegrityError,
    Overtaken,
    PoisonRecord,
    RogatoryError,
    UnknownVersion,
)
from ledger.log import LEDGER, Stored
from ledger.seal import Seal
from ledger.settlement import Settled
from projections import poison
from projections.view import Batch, PartitionView

F = TypeVar("F", bound=msgspec.Struct)

FAULTS = (IntegrityError, FormatError, UnknownVersion)
"""What is wrong with a partition, not with what it is read from or written to."""

_log = logging.getLogger(__name__)


class Taking(Generic[F]):
    """One partition: its view, and at most one batch being written. Owned by one task."""

    def __init__(self, shared: Shared[F], partition: int) -> None:
        self.partition = partition
        self.size = self.next = 0
        """Records and next position as they were last seen in the store."""
        self.ahead = 0
        self.view: PartitionView[F]
        self._shared = shared
        self._end = 0  # where the log ended when the view was loaded
        self._asked = False  # whether settlements were looked for since
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
        # What the log says of forks is asked once one is met, and before the rows come to stand at its end.
        self._settle_by(await self._shared.known(self.partition))
        end = await self._shared.log.end(LEDGER, self.partition)
        if self.view.next > end:
            raise IntegrityError(
                f"partition {self.partition}: expected the ledger to reach position {self.view.next}, where these rows "
                f"stand, found its end at {end}: the topic was truncated or made anew. Restore it; if what is there "
                "now is right, `rogatory rebuild` makes the rows again"
            )
        self._end, self._asked = end, False
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
        start = view.next
        if missing := view.missing(messages):
            view.learn(missing, await asyncio.to_thread(self._shared.store.rows, view, missing))
        ahead: list[Ahead] = []
        traces = self._shared.observer.traces
        for stored, seal in zip(messages, read_ahead(messages), strict=True):
            try:
                taken = view.take(stored, seal)
            except FAULTS as fault:
                taken = await self._look_again(stored, seal, fault)
            if type(taken) is Record:
                if traces:
                    self._telling.takes_record(stored)
                continue
            if isinstance(taken, Repeated):
                await self._compare(taken, stored.position)
                view.skip(stored)
            elif isinstance(taken, Overruled):
                self._overrule(taken.index, stored.position)
            elif isinstance(taken, Ahead):
                ahead.append(taken)
        self._note(ahead)
        await self._passed(start, messages)

    async def _passed(self, start: int, messages: Sequence[Stored]) -> None:
        if self.partition == 0:
            self._shared.passed(start, messages)
        if not self._asked and self.view.next >= self._end:
            await self._ask(self.view.next)

    def _overrule(self, index: int, position: int) -> None:
        self._overruled = index
        _log.warning(
            "partition %d: passed position %d at the forked index %d, as the authorities settled",
            self.partition, position, index,
        )  # fmt: skip

    def _note(self, ahead: Sequence[Ahead]) -> None:
        if ahead:
            self.ahead += len(ahead)
            _log.warning(
                "partition %d: ignored %d messages ahead of their index, the first at index %d where %d was next",
                self.partition, len(ahead), ahead[0].index, ahead[0].expected,
            )  # fmt: skip

    async def _look_again(self, stored: Stored, seal: Seal | None, fault: RogatoryError) -> Record | Repeated | Ahead:
        """What a message is at which something was wrong; raises what was, if it is.

        A record that the authorities settled against is none of history's, whatever is wrong with it. One that the
        fold cannot digest is passed over if the ledger says so.
        """
        if await self._ask(stored.position):
            try:
                return self.view.take(stored, seal)
            except PoisonRecord as met:
                fault = met
        said = await self._statements.find(self._shared.fold.name, fault) if isinstance(fault, PoisonRecord) else None
        if said is None or not isinstance(fault, PoisonRecord):
            raise fault
        _log.info("partition %d: passed over index %d, as index %d says", self.partition, fault.index, said)
        return self.view.take(stored, pass_over=True)

    async def _compare(self, repeated: Repeated, position: int) -> None:
        """Raises ForkError unless the record is the first of its index again, or settled to be no matter."""
        index = repeated.index
        first = await self._held(index, position)
        if first == repeated.leaf:
            return
        await self._ask(position)
        named = self.view.settled.leaf(index, self.view.state.register)
        check_fork(f"{self.partition}/{index}", first, repeated.leaf, named)
        _log.info("index %d/%d: passed a fork that was settled", self.partition, index)

    async def _held(self, index: int, before: int) -> bytes | None:
        """The leaf that the view has at an index; None if it was made with another one than is settled by now."""
        try:
            # Before this position, or a settled record that stands there would be taken for one that the rows hold.
            return (await self._finder.find(index, before=before, register=self.view.state.register)).leaf
        except ChainError:
            return None

    async def _ask(self, position: int) -> bool:
        """Look what is settled by now, with the view before ``position``; whether that is more than was known.

        Raises:
            Overtaken: the view holds a record that was settled against, and the store does not: load again.
            ForkError: so do the rows in the store.
        """
        self._asked = True
        before, settled = self.view.settled, await self._shared.settled(self.partition)
        self._settle_by(settled)
        size, register = self.view.state.size, self.view.state.register
        fresh = [index for index in settled.indices if index not in before]
        for index in fresh:
            if index < size and (named := settled.leaf(index, register)) and await self._held(index, position) != named:
                await self.landed()
                where = f"index {self.partition}/{index}"
                if index < self.size:
                    check_fork(f"{self.partition}/{index}", None, b"", named)
                raise Overtaken(f"{where}: the authorities settled for another record than the first")
        return bool(fresh)

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
