"""The publisher: build, sign, submit, and wait for what becomes of it.

::

    async with Publisher(log, sender, partitions=8) as publisher:
        sealed = await publisher.publish(Draft(subject="request/2025-000123", data=RequestAccepted(executing="RU-OMS")))

Submitting the same ``Signed`` again is harmless: the second time gets the receipt of the first.  So after an
append whose end is unknown the publisher submits again, with back-off, until ``patience`` runs out.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256
from types import TracebackType
from typing import Self

import tenacity
from msgspec import UNSET

from ledger.errors import LogUnavailable
from ledger.log import SUBMISSIONS, Log, Message
from ledger.outcome import Outcome
from producers.builder import Draft, Sender, Signed, build
from producers.receipt import Sealed, SubmissionRefused, Submitted
from producers.watcher import Watcher

_APPEND = 500


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Publisher:
    """Publishes events of one sender to one ledger. Owned by one event loop, used by any number of its tasks."""

    def __init__(
        self,
        log: Log,
        sender: Sender,
        partitions: int,
        *,
        patience: float = 60.0,
        clock: Callable[[], int] = _now_ms,
    ) -> None:
        """``patience``: seconds to go on submitting while the log does not answer; ``clock`` in ms."""
        self._log = log
        self._sender = sender
        self._partitions = partitions
        self._patience = patience
        self._clock = clock
        self._watcher = Watcher(log)
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def create(self, draft: Draft) -> Signed:
        """The signed event for a draft; nothing is sent. Raises FieldError at the first wrong field."""
        return build(draft, self._sender, self._clock())

    async def submit(self, signed: Signed) -> Submitted:
        """Give an event to the log.

        Raises:
            LogUnavailable: the log did not answer within ``patience``; submit the same event again.
        """
        return (await self.submit_all([signed]))[0]

    async def submit_all(self, events: Sequence[Signed]) -> list[Submitted]:
        """Give events to the log, in their order within each partition; a few appends for many events."""
        places: dict[int, list[int]] = defaultdict(list)
        for i, signed in enumerate(events):
            places[signed.partition(self._partitions)].append(i)
        results: dict[int, Submitted] = {}

        async def send(partition: int, indices: list[int]) -> None:
            await self._watcher.watch(partition)
            async with self._locks[partition]:
                for part in self._pieces([(i, events[i].message()) for i in indices]):
                    base = await self._append(partition, [message for _, message in part])
                    for n, (i, message) in enumerate(part):
                        results[i] = _submitted(events[i], partition, base + n, message)

        await asyncio.gather(*(send(p, indices) for p, indices in places.items()))
        return [results[i] for i in range(len(events))]

    def _pieces(self, messages: list[tuple[int, Message]]) -> list[list[tuple[int, Message]]]:
        pieces: list[list[tuple[int, Message]]] = [[]]
        size = 0
        for one in messages:
            size += len(one[1].value or b"") + 1024
            if pieces[-1] and (size > self._log.max_append_bytes // 2 or len(pieces[-1]) >= _APPEND):
                pieces.append([])
                size = len(one[1].value or b"") + 1024
            pieces[-1].append(one)
        return pieces

    async def _append(self, partition: int, messages: list[Message]) -> int:
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(LogUnavailable),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            stop=tenacity.stop_after_delay(self._patience),
            reraise=True,
        )
        # An append that failed may have been written: the copy it leaves is a duplicate, and harmless.
        return await retrying(self._log.append, SUBMISSIONS, partition, messages)

    async def result(self, submitted: Submitted, timeout: float | None = None) -> Sealed:  # noqa: ASYNC109 - part of the interface
        """Wait until the registrar has decided.

        Raises:
            SubmissionRefused: it was refused; the error says why and what to do.
            TimeoutError: not decided within ``timeout`` seconds; it still will be, in the log's order.
        """
        waiting = self._watcher.answer(submitted.partition, submitted.offset, submitted.digest)
        answer = await asyncio.wait_for(waiting, timeout)
        if not isinstance(answer, Outcome):
            receipt, original = answer, True
        elif answer.outcome == "duplicate" and answer.receipt is not UNSET:
            receipt, original = answer.receipt, False
        else:
            raise SubmissionRefused(submitted, answer)
        return Sealed(
            subject=submitted.subject,
            id=submitted.id,
            partition=receipt.partition,
            epoch=receipt.epoch,
            offset=receipt.offset,
            index=receipt.index,
            seq=receipt.seq,
            leaf=receipt.leaf,
            original=original,
        )

    async def publish(self, draft: Draft, timeout: float | None = None) -> Sealed:  # noqa: ASYNC109 - part of the interface
        """Build, sign, submit and wait for the seal."""
        return await self.result(await self.submit(self.create(draft)), timeout)

    async def close(self) -> None:
        """Stop waiting; what was submitted stays submitted. The log is the caller's to close."""
        await self._watcher.close()


def _submitted(signed: Signed, partition: int, offset: int, message: Message) -> Submitted:
    digest = sha256(message.value or b"").hexdigest()
    return Submitted(subject=signed.subject, id=signed.id, partition=partition, offset=offset, digest=digest)
