"""What became of the outbox's events, from the logs to its rows.

A record of ``ledger`` or a message of ``outcomes`` is matched to a row by the SHA-256 of the event's bytes, so it does
not matter who submitted them, how often, or whether the relay got to write it down.  What is in the ledger counts,
whatever a row says; a refusal counts for the submission that it answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import UNSET

from ledger.errors import FormatError, LogUnavailable, OutboxUnavailable
from ledger.log import LEDGER, OUTCOMES, Log, Reader, Stored, header
from ledger.outcome import Outcome, read_outcome
from ledger.seal import entry, leaf_hash, read_seal
from ledger.submission import SEAL_HEADER, Receipt
from producers.outbox_schema import State

_READ = 1000
_WAIT = 0.5
_log = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one submission: a receipt, or a refusal."""

    digest: bytes
    partition: int
    epoch: int
    offset: int
    receipt: Receipt | None = None
    refusal: Outcome | None = None


class Known(msgspec.Struct, frozen=True):
    """What a row says so far: its state, and epoch and offset of its last submission as far as they are known."""

    state: str
    epoch: int | None
    offset: int | None


class Settled(msgspec.Struct, frozen=True):
    """What a row is to say."""

    state: State
    epoch: int
    offset: int
    answer: Answer

    def columns(self) -> dict[str, Any]:
        """The row's new values."""
        receipt, refusal = self.answer.receipt, self.answer.refusal
        return {
            "state": self.state,
            "partition": self.answer.partition,
            "epoch": self.epoch,
            "offset": self.offset,
            "index": receipt.index if receipt else None,
            "seq": receipt.seq if receipt else None,
            "leaf": receipt.leaf if receipt else None,
            "reason": refusal.reason if refusal else None,
            "expected": refusal.expected if refusal else None,
            "found": refusal.found if refusal else None,
        }


def judge(known: Known, answer: Answer) -> Settled | None:
    """What an answer makes of a row with the same bytes; None: nothing new.

    A refusal settles a row that was submitted at its very offset.  It also settles one that still waits, if it is later
    than what the row knows: the relay has sent it and not come to mark it.  An older one, read again after a person
    has asked for another try, says nothing.
    """
    if known.state == "sealed":
        return None
    if answer.receipt is not None:
        return Settled("sealed", answer.receipt.epoch, answer.receipt.offset, answer)
    settled = Settled("refused", answer.epoch, answer.offset, answer)
    if known.state == "submitted":
        return settled if known.offset == answer.offset else None
    if known.state == "waiting":
        last = (-1 if known.epoch is None else known.epoch, -1 if known.offset is None else known.offset)
        return settled if last < (answer.epoch, answer.offset) else None
    return None


def read_record(partition: int, stored: Stored) -> Answer | None:
    """The answer that a record of ``ledger`` is; None if it is none (readers of the ledger report that)."""
    text = header(stored.headers, SEAL_HEADER)
    if text is None or stored.value is None:
        return None
    try:
        seal = read_seal(text)
    except FormatError:
        return None
    leaf = leaf_hash(entry(text, stored.value)).hex()
    receipt = Receipt(partition, seal.epoch, seal.offset, seal.index, seal.seq, leaf)
    digest = sha256(stored.value).digest()
    return Answer(digest=digest, partition=partition, epoch=seal.epoch, offset=seal.offset, receipt=receipt)


def read_answer(partition: int, stored: Stored) -> Answer | None:
    """The answer that a message of ``outcomes`` is; None if it is none."""
    try:
        key, outcome = read_outcome(stored)
    except FormatError:
        return None
    digest = sha256(stored.value or b"").digest()
    if outcome.outcome == "duplicate" and outcome.receipt is not UNSET:
        receipt = outcome.receipt
        return Answer(digest=digest, partition=partition, epoch=key.epoch, offset=key.offset, receipt=receipt)
    return Answer(digest=digest, partition=partition, epoch=key.epoch, offset=key.offset, refusal=outcome)


_READERS: dict[str, Callable[[int, Stored], Answer | None]] = {LEDGER: read_record, OUTCOMES: read_answer}


class Answers:
    """Follows ``ledger`` and ``outcomes`` of the partitions that were submitted to. Owned by one event loop.

    Memory is one batch for each topic and partition, however many rows wait for their answer.
    """

    def __init__(self, log: Log, write: Callable[[Sequence[Answer]], int]) -> None:
        """``write`` puts answers into rows, in another thread; raises OutboxUnavailable to be asked again."""
        self._log = log
        self._write = write
        self._read: dict[tuple[int, str], int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.settled = 0
        """Rows that were settled so far."""

    async def follow(self, partition: int, starts: tuple[int, int] | None = None) -> tuple[int, int]:
        """Follow a partition, from ``starts`` or its present end; called before submitting to it.

        Returns:
            Positions of ``ledger`` and ``outcomes`` before which no answer stands to what is submitted from now on.

        Raises:
            LogUnavailable: the log does not answer.
        """
        if (partition, LEDGER) not in self._read:
            first = starts or (await self._log.end(LEDGER, partition), await self._log.end(OUTCOMES, partition))
            for topic, position in zip((LEDGER, OUTCOMES), first, strict=True):
                self._read[partition, topic] = position
                reader = self._log.reader(topic, partition, position)
                self._tasks.append(asyncio.create_task(self._run(reader, topic, partition)))
        return self._read[partition, LEDGER], self._read[partition, OUTCOMES]

    def check(self) -> None:
        """Raise what has ended the following of a partition, if anything has."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def _run(self, reader: Reader, topic: str, partition: int) -> None:
        pause = 0.5
        answers: list[Answer] = []
        try:
            while True:
                try:
                    if not answers:
                        stored = await reader.read(_READ, _WAIT)
                        answers = [a for s in stored if (a := _READERS[topic](partition, s)) is not None]
                    if answers:
                        self.settled += await asyncio.to_thread(self._write, answers)
                    answers = []
                    self._read[partition, topic] = reader.position
                    pause = 0.5
                except (LogUnavailable, OutboxUnavailable) as error:
                    # What was read stays in hand: it is written before anything more is read.
                    _log.warning("answers of partition %d: %s; again in %.1f s", partition, error, pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 30.0)
        finally:
            await reader.close()

    async def close(self) -> None:
        """Stop following. What was not written is found again by the next relay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
