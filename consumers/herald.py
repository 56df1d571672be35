"""The herald: carries the register from partition 0 to every other partition's submissions.

A copy is the same event bytes and signatures with partition 0's attestation and seal in a ``home`` header; the herald
signs nothing and needs no key.  It keeps no cursor: it sends from the register event behind the target's
*sealed* head, again and
again until the target follows, and any number of heralds do no harm (a second copy is a duplicate).

Its lag matters: as long as a target has not followed, a key revoked in partition 0 is still good there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ledger.errors import FormatError, LogUnavailable
from ledger.log import LEDGER, SUBMISSIONS, Log, Message, Reader, Stored, header
from ledger.observing import HERALD, LOG, SILENT, Observer
from ledger.seal import read_seal
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, HOME_HEADER, SEAL_HEADER, SIGNATURE_HEADER

_KEY = b"register"
_READ = 2000
_AT_ONCE = 200
_FRAME = 128  # a message's key, and what the logs add to it
RESEND_AFTER = 5.0
"""Seconds without progress after which a target gets its copies again."""
_log = logging.getLogger(__name__)


class Herald:
    """Copies the register to all partitions but 0. One task owns it."""

    def __init__(
        self, log: Log, partitions: int, clock: Callable[[], float], *, observer: Observer = SILENT
    ) -> None:
        """``clock`` gives seconds that never go back (``time.monotonic``); ``observer`` is told of each step."""
        self._log = log
        self._clock = clock
        self._observer = observer
        self._home = _RegisterTail(log.reader(LEDGER, 0), 0)
        self._copies: list[Message] = []
        self._targets = [_Target(_RegisterTail(log.reader(LEDGER, p), p)) for p in range(1, partitions)]

    async def step(self) -> int:
        """Look at all partitions once and send what is due; how many copies were sent.

        Raises:
            LogUnavailable: the log does not answer; calling again goes on.
        """
        for stored in await self._home.new():
            copy = make_copy(stored)
            if copy is not None:
                self._copies.append(copy)
        sent = 0
        for target in self._targets:
            sent += await self._serve(target)
        self._observer.carried(self.lag(), sent)
        return sent

    async def _serve(self, target: _Target) -> int:
        followed = len(await target.tail.new())
        target.sealed += followed
        now = self._clock()
        if followed:
            target.sent = max(target.sent, target.sealed)
            target.since = now
        if target.sent > target.sealed and now - target.since > RESEND_AFTER:
            _log.warning(
                "register copies: partition %d has %d of %d after %.0f s; sending again",
                target.tail.partition, target.sealed, len(self._copies), now - target.since,
            )  # fmt: skip
            target.sent = target.sealed
        due = self._fitting(target.sent)
        if due:
            await self._log.append(SUBMISSIONS, target.tail.partition, due)
            target.sent += len(due)
            target.since = now
        return len(due)

    def _fitting(self, start: int) -> list[Message]:
        """The copies from ``start`` on that go into one append; at least one, if there is any."""
        due: list[Message] = []
        size = 0
        for copy in self._copies[start : start + _AT_ONCE]:
            size += _FRAME + len(copy.value or b"") + sum(len(name) + len(value) for name, value in copy.headers)
            if due and size > self._log.max_append_bytes:
                break
            due.append(copy)
        return due

    def lag(self) -> dict[int, int]:
        """Per partition, how many register events it has not sealed yet (as of the last step)."""
        return {t.tail.partition: len(self._copies) - t.sealed for t in self._targets}

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until ``stop``; an unreachable log is a pause with back-off."""
        pause = 0.5
        while not stop.is_set():
            wait = 0.2
            try:
                await self.step()
                pause = 0.5
            except LogUnavailable as error:
                self._observer.unavailable(HERALD, LOG)
                _log.warning("herald: log unavailable (%s); trying again in %.1f s", error, pause)
                wait, pause = pause, min(pause * 2, 30.0)
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Give back its readers."""
        for tail in (self._home, *(t.tail for t in self._targets)):
            await tail.close()


def make_copy(stored: Stored) -> Message | None:
    """The copy to submit elsewhere, from a register record of partition 0's ledger; None without attestation."""
    attest = header(stored.headers, ATTEST_HEADER)
    seal_text = header(stored.headers, SEAL_HEADER)
    if attest is None or seal_text is None:
        _log.error("register record at position %d of partition 0 has no attestation; not copied", stored.position)
        return None
    signatures = [(SIGNATURE_HEADER, f"{kid} {text}".encode()) for kid, text in read_seal(seal_text).sigs]
    kept = [(name, value) for name, value in stored.headers if name == CONTENT_TYPE_HEADER]
    return Message(_KEY, stored.value, (*kept, *signatures, (HOME_HEADER, attest + b" " + seal_text)))


class _Target:
    """One partition that follows: how many register records it sealed, how many copies it was sent."""

    def __init__(self, tail: _RegisterTail) -> None:
        self.tail = tail
        self.sealed = 0
        self.sent = 0
        self.since = float("-inf")


class _RegisterTail:
    """The register records of one partition's history: of the first record at each next index, nothing else counts."""

    def __init__(self, reader: Reader, partition: int) -> None:
        self._reader = reader
        self.partition = partition
        self._size = 0

    async def new(self) -> list[Stored]:
        """Register records that have come since the last call, in the order of the register."""
        found = []
        while stored := await self._reader.read(_READ):
            # All records are counted, or one that somebody wrote ahead of its index would hide the right one.
            found += [one for one in stored if self._is_next(one) and one.key == _KEY]
        return found

    def _is_next(self, stored: Stored) -> bool:
        text = header(stored.headers, SEAL_HEADER)
        try:
            index = read_seal(text).index if text else -1
        except FormatError:
            index = -1
        if index != self._size:
            return False
        self._size += 1
        return True

    async def close(self) -> None:
        await self._reader.close()
