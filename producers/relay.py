"""The relay: submits what applications have put into an outbox, and writes back what became of it.

One round takes rows, signs what is left to be signed, submits, and marks.  It is safe to die anywhere in it:

==========================  =====================================================================================
a crash                     leaves
==========================  =====================================================================================
before the append           rows that wait; the next round sends them
between append and mark     rows that wait although they were submitted: sent again, the same bytes, a duplicate; or
                            settled by the answer to the first time, whichever is sooner
behind the mark             submitted rows without an answer; a relay that starts looks for it from the positions in
                            the row on
==========================  =====================================================================================

A row that can't be signed here is *held*: what follows in its subject waits, other subjects go on, and it is tried
again.
A refused row is an answer and holds nobody up: later events of its subject are sent, and if they rest on it
they say so by ``expectedseq``, by which the registrar refuses them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec

from ledger.errors import ConfigError, FormatError, KeyFault, LogFull, LogUnavailable, OutboxUnavailable
from ledger.ids import Subject
from ledger.log import Log
from ledger.signature import Signature, Signer, parse_signature
from producers.builder import Signed, Unsigned
from producers.outbox import format_signatures
from producers.outbox_answers import Answers
from producers.outbox_store import Hold, Mark, OutboxStore, Piece, Waiting
from producers.publisher import Publisher
from producers.receipt import Submitted

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_LONGEST = 30.0
_OFFICE = len("office/")


class Hands(Protocol):
    """Who signs for applications that left it to the relay; asked anew for each round."""

    async def signers(self, name: str, office: str) -> Sequence[Signer]:
        """The keys that are in force now for events of a type (``key.granted``) of an office.

        Raises:
            KeyFault, ConfigError: none is here; says which is needed.
            LogUnavailable: the register can't be read now.
        """
        ...


class Limits(msgspec.Struct, frozen=True):
    """How a relay works: rows a round, seconds between looks at an outbox that says nothing, seconds a row is held."""

    rows: int = 500
    poll: float = 1.0
    hold: float = 30.0


class Relay:
    """Moves the events of one outbox to one ledger. Owned by one event loop; any number of processes may run one."""

    def __init__(
        self,
        store: OutboxStore,
        log: Log,
        publisher: Publisher,
        hands: Hands,
        *,
        partitions: int,
        limits: Limits | None = None,
    ) -> None:
        """One relay.

        Args:
            store: the outbox.
            log: the ledger's, to see answers.
            publisher: submits; it need not follow (``watch=False``), the relay does.
            hands: who signs what is left to the relay.
            partitions: how many the ledger has.
            limits: how it works.
        """
        self._store = store
        self._publisher = publisher
        self._hands = hands
        self._partitions = partitions
        self._limits = limits or Limits()
        self._answers = Answers(log, store.answer)
        self._resumed = False
        self.wake = asyncio.Event()
        """Set by whoever knows that something was put; else the relay looks every ``poll`` seconds."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; while log or database do not answer, try again with back-off."""
        pause = 0.5
        while not stop.is_set():
            self._answers.check()
            try:
                moved = await self.step()
                pause = 0.5
            except (LogUnavailable, LogFull, OutboxUnavailable) as error:
                _log.warning("%s; trying again in %.1f s", error, pause)
                await _first((stop,), pause)
                pause = min(pause * 2, _LONGEST)
                continue
            if not moved:
                await _first((stop, self.wake), self._limits.poll)

    async def until_idle(self, patience: float) -> dict[str, int]:
        """Send what can be sent, and wait for answers until none has come for ``patience`` seconds.

        Returns:
            How many rows are in which state then; ``held`` of the waiting ones could not be signed here.

        Raises:
            LogUnavailable, LogFull, OutboxUnavailable: no answer.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        settled = -1
        while True:
            while await self.step():
                deadline = loop.time() + patience
            counts = await asyncio.to_thread(self._store.counts)
            if settled != self._answers.settled:
                settled, deadline = self._answers.settled, loop.time() + patience
            open_ = counts.get("submitted", 0) + counts.get("waiting", 0) - counts["held"]
            if not open_ or loop.time() > deadline:
                return counts
            self._answers.check()
            await asyncio.sleep(0.1)

    async def step(self) -> int:
        """One round.

        Returns:
            How many rows were submitted or held; 0: there is nothing to do now.

        Raises:
            LogUnavailable, LogFull: the log; what was taken waits on.
            OutboxUnavailable: the database; what was submitted may be sent once more.
        """
        await self._resume()
        self.wake.clear()
        piece = await self._take()
        try:
            if not piece.rows:
                return 0
            ready, holds = await self._sign(piece.rows)
            marks = await self._submit(ready)
            await asyncio.to_thread(piece.settle, marks, holds)
        finally:
            await _finished(asyncio.ensure_future(asyncio.to_thread(piece.release)))
        _log.debug("submitted %d events, held %d", len(marks), len(holds))
        return len(marks) + len(holds)

    async def _resume(self) -> None:
        """Look for the answers to what relays before us have submitted."""
        if not self._resumed:
            for partition, starts in (await asyncio.to_thread(self._store.starts)).items():
                await self._answers.follow(partition, starts)
            self._resumed = True

    async def _take(self) -> Piece:
        taking = asyncio.ensure_future(asyncio.to_thread(self._store.take, self._limits.rows))
        try:
            return await _finished(taking)
        except asyncio.CancelledError:
            # The thread has gone on, and may hold locks by now.
            if not taking.cancelled() and taking.exception() is None:
                await asyncio.to_thread(taking.result().release)
            raise

    async def _sign(self, rows: Sequence[Waiting]) -> tuple[list[tuple[Waiting, Signed]], list[Hold]]:
        ready: list[tuple[Waiting, Signed]] = []
        holds: dict[str, Hold] = {}
        chosen: dict[tuple[str, str], Sequence[Signer]] = {}
        for row in rows:
            if row.subject in holds:
                continue  # its order: nothing passes what can't be sent
            try:
                signatures = _parse(row.signatures) if row.signatures else None
                unsigned = Unsigned(Subject(row.subject), row.event_id, row.event)
                if signatures is not None:
                    ready.append((row, Signed(unsigned.subject, unsigned.id, unsigned.value, signatures)))
                    continue
                place = (row.type, row.source[_OFFICE:])
                if place not in chosen:
                    chosen[place] = await self._hands.signers(*place)
                ready.append((row, await asyncio.to_thread(unsigned.sign, chosen[place])))
            except (KeyFault, ConfigError, FormatError) as error:
                _log.warning("outbox row %d (%s) is held up: %s", row.id, row.subject, error)
                holds[row.subject] = Hold(row.id, str(error), self._store.now() + int(self._limits.hold * 1000))
        return ready, list(holds.values())

    async def _submit(self, ready: Sequence[tuple[Waiting, Signed]]) -> list[Mark]:
        # Followed before it is submitted, so that no answer can pass unseen.
        starts = {
            partition: await self._answers.follow(partition)
            for partition in sorted({signed.partition(self._partitions) for _, signed in ready})
        }
        submitted = await self._publisher.submit_all([signed for _, signed in ready])
        return [_mark(row, signed, one, starts) for (row, signed), one in zip(ready, submitted, strict=True)]

    async def close(self) -> None:
        """Stop following. The store, the log and the publisher are the caller's."""
        await self._answers.close()


def _mark(row: Waiting, signed: Signed, submitted: Submitted, starts: dict[int, tuple[int, int]]) -> Mark:
    ledger_from, outcomes_from = starts[submitted.partition]
    return Mark(
        id=row.id,
        signatures=format_signatures(signed.signatures),
        partition=submitted.partition,
        offset=submitted.offset,
        ledger_from=ledger_from,
        outcomes_from=outcomes_from,
    )


def _parse(text: str) -> tuple[Signature, ...]:
    return tuple(parse_signature(line.encode()) for line in text.splitlines())


async def _finished(work: asyncio.Future[_T]) -> _T:
    """The end of something that a cancellation can't stop, since a thread does it."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def _first(events: Sequence[asyncio.Event], seconds: float) -> None:
    """Wait until one of the events is set, at most so long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
