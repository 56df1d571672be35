"""The herald: carries the register from partition 0 to every other partition's submissions.

A copy is the same event bytes and signatures with partition 0's attestation and seal in a ``home`` header; the herald
signs nothing and needs no key.  It keeps no cursor of what it has sent: it sends from the register event behind the
target's *sealed* head, again and again until the target follows, and any number of heralds do no harm (a second copy is
a duplicate).  Bookmarks save it from reading all ledgers again at each start; without them it does.

Its lag matters: as long as a target has not followed, a key revoked in partition 0 is still good there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from consumers.patience import wait
from consumers.register_tail import KEY, RegisterTail
from ledger.bookmark import Bookmarks
from ledger.errors import LogUnavailable
from ledger.log import SUBMISSIONS, Log, Message, Stored, header
from ledger.observing import HERALD, LOG, SILENT, Observer
from ledger.seal import read_seal
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, HOME_HEADER, SEAL_HEADER, SIGNATURE_HEADER

_AT_ONCE = 200
_FRAME = 128  # a message's key, and what the logs add to it
_SAVE_AFTER = 5.0  # s between two savings of the bookmarks
_LOOK_AGAIN = 0.2  # s between two looks
RESEND_AFTER = 5.0
"""Seconds without progress after which a target gets its copies again; twice as many each time, up to"""
RESEND_AT_MOST = 60.0
"""seconds. Progress begins anew."""
_log = logging.getLogger(__name__)


class Herald:
    """Copies the register to all partitions but 0. One task owns it."""

    def __init__(
        self,
        log: Log,
        partitions: int,
        clock: Callable[[], float],
        bookmarks: Bookmarks | None = None,
        *,
        settled: Mapping[int, Mapping[int, bytes]] | None = None,
        observer: Observer = SILENT,
    ) -> None:
        """Begin at the bookmarks, or at the start.

        Args:
            log: carries the ledger.
            partitions: how many it has.
            clock: gives seconds that never go back (``time.monotonic``).
            bookmarks: remember how far the ledgers were read.
            settled: by partition, the leaves that count at forked indices (``Settlements``), as of now.
            observer: told of each step.
        """
        self._log = log
        self._clock = clock
        self._observer = observer
        chosen = settled or {}
        self._home = RegisterTail(log, 0, bookmarks, counts=lambda s: make_copy(s) is not None, settled=chosen.get(0))
        self._copies: dict[int, Message | None] = {}
        """Copies by their number among them, as far as they were needed; None for what is not there any more."""
        self._targets = [_Target(RegisterTail(log, p, bookmarks, settled=chosen.get(p))) for p in range(1, partitions)]
        self._saved = clock()

    async def step(self) -> int:
        """Look at all partitions once and send what is due; how many copies were sent.

        Raises:
            LogUnavailable: the log does not answer; calling again goes on.
        """
        new = await self._home.new()
        for number, stored in enumerate(new, len(self._home.places) - len(new)):
            self._copies[number] = make_copy(stored)
        sent = 0
        for target in self._targets:
            sent += await self._serve(target)
        self._observer.carried(self.lag(), sent)
        if self._clock() - self._saved > _SAVE_AFTER:
            self._saved = self._clock()
            for tail in self._tails():
                tail.save()
        return sent

    async def _serve(self, target: _Target) -> int:
        await target.tail.new()
        followed, target.sealed = len(target.tail.places) - target.sealed, len(target.tail.places)
        now = self._clock()
        if followed:
            target.sent = max(target.sent, target.sealed)
            target.since = now
            target.patience = RESEND_AFTER
        if target.sent > target.sealed and now - target.since > target.patience:
            _log.warning(
                "register copies: partition %d has %d of %d after %.0f s; sending again",
                target.tail.partition, target.sealed, len(self._home.places), now - target.since,
            )  # fmt: skip
            target.sent = target.sealed
            # A partition that is slow would only be slower for having the same copies to refuse again and again.
            target.patience = min(2 * target.patience, RESEND_AT_MOST)
        due = await self._fitting(target.sent)
        if due:
            await self._log.append(SUBMISSIONS, target.tail.partition, due)
            target.sent += len(due)
            target.since = now
        return len(due)

    async def _fitting(self, start: int) -> list[Message]:
        """The copies from ``start`` on that go into one append; at least one, if there is any."""
        due: list[Message] = []
        size = 0
        for number in range(start, min(start + _AT_ONCE, len(self._home.places))):
            copy = await self._copy(number)
            if copy is None:
                break
            size += _FRAME + len(copy.value or b"") + sum(len(name) + len(value) for name, value in copy.headers)
            if due and size > self._log.max_append_bytes:
                break
            due.append(copy)
        return due

    async def _copy(self, number: int) -> Message | None:
        if number not in self._copies:
            stored = await self._home.at(number)
            self._copies[number] = make_copy(stored) if stored else None
        return self._copies[number]

    def lag(self) -> dict[int, int]:
        """Per partition, how many register events it has not sealed yet (as of the last step)."""
        return {t.tail.partition: len(self._home.places) - t.sealed for t in self._targets}

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until ``stop``; an unreachable log is a pause with back-off."""
        pause = 0.5
        while not stop.is_set():
            seconds = _LOOK_AGAIN
            try:
                await self.step()
                pause = 0.5
            except LogUnavailable as error:
                self._observer.unavailable(HERALD, LOG)
                _log.warning("herald: log unavailable (%s); trying again in %.1f s", error, pause)
                seconds, pause = pause, min(pause * 2, 30.0)
            await wait(stop, seconds)

    async def close(self) -> None:
        """Give back its readers."""
        for tail in self._tails():
            await tail.close()

    def _tails(self) -> list[RegisterTail]:
        return [self._home, *(t.tail for t in self._targets)]


def make_copy(stored: Stored) -> Message | None:
    """The copy to submit elsewhere, from a register record of partition 0's ledger; None without attestation."""
    attest = header(stored.headers, ATTEST_HEADER)
    seal_text = header(stored.headers, SEAL_HEADER)
    if attest is None or seal_text is None:
        _log.error("register record at position %d of partition 0 has no attestation; not copied", stored.position)
        return None
    signatures = [(SIGNATURE_HEADER, f"{kid} {text}".encode()) for kid, text in read_seal(seal_text).sigs]
    kept = [(name, value) for name, value in stored.headers if name == CONTENT_TYPE_HEADER]
    return Message(KEY, stored.value, (*kept, *signatures, (HOME_HEADER, attest + b" " + seal_text)))


class _Target:
    """One partition that follows: how many register records it sealed, how many copies it was sent."""

    def __init__(self, tail: RegisterTail) -> None:
        self.tail = tail
        self.sealed = 0
        self.sent = 0
        self.since = float("-inf")
        self.patience = RESEND_AFTER
