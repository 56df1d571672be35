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
from functools import partial
from hashlib import sha256
from types import TracebackType
from typing import Self

import tenacity
from msgspec import UNSET

from ledger.errors import LogUnavailable, MisuseError
from ledger.log import SUBMISSIONS, Log, Message
from ledger.observing import LOG, SILENT, Observer
from ledger.outcome import Outcome
from producers.builder import Draft, Sender, Signed, build
from producers.gathering import Gathering
from producers.receipt import Sealed, SubmissionRefused, Submitted
from producers.tracing import creating, sending, sent
from producers.watcher import Watcher


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
        watch: bool = True,
        observer: Observer = SILENT,
    ) -> None:
        """One publisher of one sender.

        Args:
            log: where to submit; the caller's to close.
            sender: whose events ``create`` makes.
            partitions: how many the ledger has.
            patience: seconds to go on submitting while the log does not answer.
            clock: ms since 1970.
            watch: follow what becomes of submissions; without it ``result`` may not be asked.
            observer: told what was submitted.
        """
        self._log = log
        self._sender = sender
        self._partitions = partitions
        self._patience = patience
        self._clock = clock
        self._watcher = Watcher(log)
        self._watch = watch
        self._observer = observer
        self._name = sender.ledger_id.partition(".")[0]
        self._gatherings: dict[int, Gathering] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def create(self, draft: Draft) -> Signed:
        """The signed event for a draft; nothing is sent. Raises FieldError at the first wrong field."""
        with creating(self._name):
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
            if self._watch:
                await self._watcher.watch(partition)
            messages = [events[i].message() for i in indices]
            offsets = await self._gathering(partition).put(messages)
            for i, message, offset in zip(indices, messages, offsets, strict=True):
                results[i] = _submitted(events[i], partition, offset, message)

        await asyncio.gather(*(send(p, indices) for p, indices in places.items()))
        return [results[i] for i in range(len(events))]

    def _gathering(self, partition: int) -> Gathering:
        if partition not in self._gatherings:
            send = partial(self._send, partition)
            self._gatherings[partition] = Gathering(send, self._log.max_append_bytes // 2)
        return self._gatherings[partition]

    async def _send(self, partition: int, messages: list[Message]) -> int:
        begun = time.perf_counter()
        with sending(self._name, partition, messages) as span:
            base = await self._append(partition, messages)
            sent(span, base, len(messages))
        self._observer.submitted(partition, len(messages), time.perf_counter() - begun)
        return base

    async def _append(self, partition: int, messages: list[Message]) -> int:
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(LogUnavailable),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            stop=tenacity.stop_after_delay(self._patience),
            before_sleep=lambda _: self._observer.unavailable("publisher", LOG),
            reraise=True,
        )
        # An append that failed may have been written: the copy it leaves is a duplicate, and harmless.
        return await retrying(self._log.append, SUBMISSIONS, partition, messages)

    async def result(self, submitted: Submitted, timeout: float | None = None) -> Sealed:  # noqa: ASYNC109 - part of the interface
        """Wait until the registrar has decided.

        Raises:
            SubmissionRefused: it was refused; the error says why and what to do.
            TimeoutError: not decided within ``timeout`` seconds; it still will be, in the log's order.
            ForkError: two records were seen at its index; which one counts is for the authorities to settle.
            MisuseError: this publisher does not follow its submissions.
        """
        if not self._watch:
            raise MisuseError("expected a publisher that follows its submissions, found one made with watch=False")
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
        signed = self.create(draft)
        begun = time.perf_counter()
        sealed = await self.result(await self.submit(signed), timeout)
        self._observer.published(time.perf_counter() - begun)
        return sealed

    async def close(self) -> None:
        """Stop waiting; what was submitted stays submitted. The log is the caller's to close."""
        for gathering in self._gatherings.values():
            await gathering.close()
        await self._watcher.close()


def _submitted(signed: Signed, partition: int, offset: int, message: Message) -> Submitted:
    digest = sha256(message.value or b"").hexdigest()
    return Submitted(subject=signed.subject, id=signed.id, partition=partition, offset=offset, digest=digest)
