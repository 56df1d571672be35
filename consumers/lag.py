"""The lag of a partition's registrar: how far it has come, as anybody can see who reads the log.

It is told from what the registrar wrote, not from its state.

A submission is decided when a record or an outcome names it, or anything behind it.  So the last record and the last
outcomes say up to where the submissions were consumed; what stands behind them waits.
"""

from __future__ import annotations

import msgspec

from consumers.tail import seal_of
from ledger.errors import FormatError
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Stored
from ledger.outcome import read_outcome

_LAST = 100  # messages at an end that are looked at: some of them may be repeated, or strays


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One partition. Positions are those of its topics; times are ms since 1970-01-01T00:00Z."""

    partition: int
    submitted: int
    """Where the submissions end."""
    consumed: int
    """Up to where they are decided."""
    oldest: int | None
    """When the first one that waits was submitted; None if none waits."""
    ledger_end: int
    sealed: int
    """Records of history: the index behind the last."""
    epoch: int

    @property
    def waiting(self) -> int:
        """Submissions that nobody has decided yet."""
        return self.submitted - self.consumed


async def progress(log: Log, partition: int) -> Progress:
    """How far one partition has come.

    Raises:
        LogUnavailable: the log does not answer.
    """
    look = _Look(log, partition)
    # What is decided is looked at first: what comes meanwhile may look like waiting, never like less than nothing.
    ledger_end = await log.end(LEDGER, partition)
    sealed, epoch, consumed = await look.sealed(ledger_end)
    consumed = max(consumed, await look.answered(epoch, at_first=not sealed))
    submitted = await log.end(SUBMISSIONS, partition)
    oldest = await look.submission(consumed) if consumed < submitted else None
    return Progress(
        partition=partition,
        submitted=submitted,
        consumed=min(consumed, submitted),
        oldest=oldest.timestamp if oldest else None,
        ledger_end=ledger_end,
        sealed=sealed,
        epoch=epoch,
    )


class _Look:
    def __init__(self, log: Log, partition: int) -> None:
        self._log = log
        self._partition = partition

    async def sealed(self, end: int) -> tuple[int, int, int]:
        """Index behind the last record, its epoch, and the offset behind its submission (0 in a new epoch)."""
        seals = [(seal, stored) for stored in await self._last(LEDGER, end) if (seal := seal_of(stored)) is not None]
        seals.sort(key=lambda pair: pair[0].index, reverse=True)
        for seal, stored in seals:
            found = await self.submission(seal.offset)
            if found is not None and found.value == stored.value:
                return seal.index + 1, seal.epoch, seal.offset + 1
        # Not one of them is there: the submissions were made anew, and nothing of them is sealed yet.
        return (seals[0][0].index + 1, seals[0][0].epoch + 1, 0) if seals else (0, 0, 0)

    async def answered(self, epoch: int, *, at_first: bool) -> int:
        """The offset behind the last submission that has an outcome."""
        end = await self._log.end(OUTCOMES, self._partition)
        reached = 0
        for stored in await self._last(OUTCOMES, end):
            try:
                key, _ = read_outcome(stored)
            except FormatError:
                continue
            if key.partition == self._partition and (key.epoch == epoch or at_first):
                reached = max(reached, key.offset + 1)
        return reached

    async def submission(self, offset: int) -> Stored | None:
        """The submission at an offset."""
        found = await self._read(SUBMISSIONS, offset, 1)
        return found[0] if found and found[0].position == offset else None

    async def _last(self, topic: str, end: int) -> list[Stored]:
        return await self._read(topic, max(0, end - _LAST), _LAST) if end else []

    async def _read(self, topic: str, start: int, count: int) -> list[Stored]:
        reader = self._log.reader(topic, self._partition, start)
        found: list[Stored] = []
        try:
            while len(found) < count and (piece := await reader.read(count - len(found))):
                found += piece
        finally:
            await reader.close()
        return found
