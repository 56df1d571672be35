"""One partition in the live worker: what Faust delivers goes in, rows come out.

A lane takes messages in their order and by their positions, and rests on nothing that the deliverer promises: what
was taken before is dropped, and where something is missing (a delivery that was lost in a rebalance, the time of a
pause) it is read from the log. So after each trouble, the lane reads the store's position, takes from the log what
lies between, and meets the delivery again wherever that has come to.

It commits when ``records`` are folded or some milliseconds after the last commit began, never more than one batch at
a time: the first record after a quiet moment is written at once, and while the store writes, the next batch grows.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from consumers.patience import Patience
from consumers.shared import Shared
from consumers.taking import FAULTS, Taking
from ledger.errors import LogUnavailable, Overtaken, PoisonRecord, RogatoryError, StoreUnavailable
from ledger.log import LEDGER, Stored

F = TypeVar("F", bound=msgspec.Struct)

_log = logging.getLogger(__name__)


class Pace(msgspec.Struct, frozen=True):
    """When the live worker commits, and how long it waits for what."""

    piece: int = 256
    """Messages taken at once; between pieces other partitions have their turn."""
    records: int = 4096
    """Records folded before a commit."""
    seconds: float = 0.01
    """The least between the beginnings of two commits of a partition."""
    settle: float = 0.003
    """Seconds for what was delivered with the first message after a quiet moment: one commit then has all of it."""
    share: float = 0.5
    """The most of its time that a partition spends in commits: where they take long, they become fewer and larger."""
    longest: float = 0.06
    """The most seconds between the beginnings of two commits that ``share`` asks for."""
    inbox: int = 4096
    """Messages delivered and not taken, of one partition."""
    rows: int = 16_384
    """Rows that each partition holds beside those in work."""
    first_pause: float = 0.1
    longest_pause: float = 10.0
    """Seconds between attempts while log or store do not answer (``patience.py``)."""
    give_up: float = 300.0
    """Seconds after which a log or store that does not answer ends the worker."""
    look_again: float = 3.0
    """Seconds between looks whether a poison may be passed over, and whether a delivery was lost."""


class Delivered(Protocol):
    """A message as Faust hands it out; ``timestamp`` in seconds."""

    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] | None


class Hands(Protocol):
    """What a lane can do to the one who delivers."""

    def pause(self, partition: int) -> None:
        """Deliver no more of a partition."""

    def resume(self, partition: int) -> None:
        """Deliver again."""


class Lane(Generic[F]):
    """One partition. ``begin`` on each assignment, ``end`` on each revocation; both by the worker, one at a time."""

    def __init__(
        self, shared: Shared[F], partition: int, pace: Pace, hands: Hands, failed: Callable[[BaseException], None]
    ) -> None:
        """``failed`` is told of what the lane cannot go on after; it ends the worker."""
        self.partition = partition
        self.fault: RogatoryError | None = None
        """Why the partition stands still; None while it moves."""
        self._taking = Taking(shared, partition)
        self._log = shared.log
        self._pace = pace
        self._hands = hands
        self._failed = failed
        self._patience = Patience(asyncio.Event(), pace.first_pause, pace.longest_pause)
        self._inbox: deque[Any] = deque()
        self._arrived = asyncio.Event()
        self._wanted = 1  # messages in the inbox that wake the lane; to wake for each would cost more than to fold it
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._loaded = False
        self._behind = False  # whether something may have been delivered that was not taken
        self._filling = False  # whether the log is being read beside the deliveries
        self._written = 0.0  # when the last commit began
        self._gap = 0.0  # seconds from then until the next one

    # For the worker

    @property
    def next(self) -> int:
        """The position that the lane has come to, committed or not; -1 while the store has not told it."""
        return self._taking.view.next if self._loaded else -1

    @property
    def committed(self) -> int:
        """The position that the store has come to, as far as this lane knows."""
        return self._taking.next

    @property
    def busy(self) -> bool:
        """Whether messages wait to be taken or written."""
        return bool(self._inbox) or (self._loaded and self._taking.view.pending > 0)

    async def begin(self) -> int | None:
        """Forget what was in work, and begin from the store's position; None while that cannot be had.

        The lane then gets it by itself, and what is delivered from elsewhere does no harm.
        """
        await self.end(flush=0.0)
        self._patience.stop.clear()
        self.fault = None
        self._behind = False
        try:
            await self._load()
        except (LogUnavailable, StoreUnavailable, *FAULTS, Overtaken):
            self._loaded = False  # met again by the lane itself, which says so
        self._task = asyncio.create_task(self._run(), name=f"lane {self.partition}")
        return self._taking.view.next if self._loaded else None

    async def end(self, *, flush: float) -> None:
        """Take no more; what was folded is written if the store takes it within ``flush`` seconds, else forgotten."""
        self._patience.stop.set()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if flush and self._loaded:
            last = asyncio.create_task(self._last_words())
            await asyncio.wait([last], timeout=flush)
            last.cancel()
        self._taking.left()
        self._loaded = False
        self._inbox.clear()
        self._room.set()

    async def _last_words(self) -> None:
        with suppress(Overtaken, StoreUnavailable):  # then it is in the log still
            await self._taking.flush()

    async def close(self) -> None:
        """Give back what is held. After ``end``."""
        await self._taking.close()

    async def put(self, message: Delivered) -> None:
        """Take in a message; waits while too many wait already.

        Not so while the lane reads the log: that is faster than any delivery, and the other partitions shall go on.
        """
        while self._task is not None and self.fault is None and len(self._inbox) >= self._pace.inbox:
            if self._filling:
                self._behind = True
                return
            self._room.clear()
            await self._room.wait()
        if self._task is None or self.fault is not None:
            return  # it will be read from the log, by whoever goes on with the partition
        self.offer(message)

    def offer(self, message: Delivered) -> bool:
        """Take in a message if there is room for it; False: ``put`` it."""
        inbox = self._inbox
        if self._task is None or self.fault is not None or len(inbox) >= self._pace.inbox:
            return False
        inbox.append(message)
        if len(inbox) >= self._wanted:
            self._arrived.set()
        return True

    def nudge(self) -> None:
        """The log has more than was delivered: read it there."""
        self._behind = True
        self._arrived.set()

    # The lane's own task

    async def _run(self) -> None:
        attempt, since = 0, 0.0
        while True:
            try:
                await self._work()
            except asyncio.CancelledError:
                raise
            except _Replaced as error:
                self._failed(error)
                return
            except Overtaken as error:
                _log.info("%s: going on from there", error)
                self._loaded = False
            except FAULTS as fault:
                self._stand(fault)
                if not isinstance(fault, PoisonRecord) and self._taking.lacks_settled() is None:
                    return
                await self._patience.sleep(self._pace.look_again)
                attempt = 0
                continue
            except (LogUnavailable, StoreUnavailable) as error:
                self._taking.unavailable(error)
                since = since if attempt else monotonic()
                if monotonic() - since > self._pace.give_up:
                    self._failed(error)
                    return
                self._loaded = self._loaded and not isinstance(error, StoreUnavailable)
                self._behind = True
                await self._patience.pause(attempt, error)
                attempt += 1
                continue
            except Exception as error:  # noqa: BLE001 - not ours to judge: it ends the worker, which says so
                self._failed(error)
                return
            attempt = 0

    async def _work(self) -> None:
        """One turn; everything that goes wrong comes out of here."""
        if not self._loaded:
            await self._load()
            self._behind = True
        try:
            if self._behind or self.fault is not None:
                await self._catch_up()
            await self._turn()
        except FAULTS as fault:
            await self._taking.halt(fault)
            raise

    async def _load(self) -> None:
        self._loaded = False
        try:
            await self._taking.load()
        except Overtaken as error:
            raise _Replaced(str(error)) from error
        self._loaded = True

    def _stand(self, fault: RogatoryError) -> None:
        """Pause the partition and say why, once."""
        if self.fault is None or str(self.fault) != str(fault):
            where = self._taking.view.next if self._loaded else self._taking.next
            _log.error("partition %d stops at position %d: %s", self.partition, where, fault)
        self.fault = fault
        self._hands.pause(self.partition)
        self._inbox.clear()
        self._room.set()

    async def _catch_up(self) -> None:
        """Read from the log what was not delivered, up to the end of this moment."""
        self._filling = True
        self._room.set()
        try:
            await self._catch_up_now()
        finally:
            self._filling = False

    async def _catch_up_now(self) -> None:
        while True:
            self._behind = False
            await self._fill(await self._log.end(LEDGER, self.partition))
            if (lacking := self._taking.lacks_settled()) is not None:
                raise lacking  # looked at again, as a poison is: it goes on once the record is there
            if self.fault is None:
                return
            # What is delivered while it stands is dropped, so one more look after deliveries have begun again.
            _log.info("partition %d goes on at position %d", self.partition, self._taking.view.next)
            self.fault = None
            self._hands.resume(self.partition)

    async def _turn(self) -> None:
        """Take a piece of the inbox, commit if that is due, or wait for either."""
        taking, pace = self._taking, self._pace
        if self._inbox:
            piece = [self._inbox.popleft() for _ in range(min(pace.piece, len(self._inbox)))]
            self._room.set()
            await self._take(piece)
            if not self._inbox and taking.lacks_settled() is not None:
                self._behind = True  # the log says whether that is all there is
                return
        if taking.writing is not None and taking.writing.done():
            self._gap = min(pace.longest, max(pace.seconds, (monotonic() - self._written) / pace.share))
            await taking.landed()
        pending, writing = taking.view.pending, taking.writing
        due = self._written + self._gap - monotonic()
        if pending >= pace.records or (pending and writing is None and due <= 0):
            self._written = monotonic()
            await taking.write()
        elif len(self._inbox) >= pace.piece:
            await asyncio.sleep(0)
        elif writing is None and due <= 0:
            await self._wait(1, None)
            await asyncio.sleep(pace.settle)
        else:
            await self._wait(pace.piece, due if writing is None else None)

    async def _wait(self, wanted: int, seconds: float | None) -> None:
        """Until so many messages have arrived, the commit under way is done, or so long."""
        self._wanted = wanted
        self._arrived.clear()
        if self._behind or len(self._inbox) >= wanted:
            return
        arrival = asyncio.ensure_future(self._arrived.wait())
        writing = self._taking.writing
        try:
            await asyncio.wait(
                [arrival] if writing is None else [arrival, writing],
                timeout=seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            arrival.cancel()

    async def _take(self, piece: Sequence[Delivered]) -> None:
        view = self._taking.view
        fresh: list[Stored] = []
        expected = view.next
        for message in piece:
            if message.offset < expected:
                continue
            if message.offset > expected:
                await self._taking.take(fresh)
                fresh = []
                await self._fill(message.offset)
            fresh.append(_stored(message))
            expected = message.offset + 1
        if fresh:
            await self._taking.take(fresh)

    async def _fill(self, until: int) -> None:
        """Take from the log what stands between the view's position and ``until``."""
        taking, pace = self._taking, self._pace
        if taking.view.next >= until:
            return
        reader = self._log.reader(LEDGER, self.partition, taking.view.next)
        try:
            while taking.view.next < until:
                found = await reader.read(pace.piece)
                messages = [m for m in found if m.position < until]
                await taking.take(messages)
                if taking.view.pending >= pace.records:
                    await taking.write()
                if not messages:
                    return  # positions need not be dense
        finally:
            await reader.close()


class _Replaced(Overtaken):
    """Another generation answers; this worker has nothing more to write."""


def _stored(message: Delivered) -> Stored:
    headers = tuple((name, text or b"") for name, text in message.headers or ())
    return Stored(message.offset, round(message.timestamp * 1000), message.key, message.value, headers)
