"""Fakes that police what their ports promise and what callers owe them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from ledger.errors import AppendTooLarge, LogClosed, LogSettings, LogUnavailable
from ledger.log import SUBMISSIONS, TOPICS, Message, Stored


class _Shelf:
    """What all handles of one log share."""

    def __init__(self, stride: int) -> None:
        self.topics: dict[str, list[list[Stored]]] = {}
        self.stride = stride
        self.grown = asyncio.Condition()


class MemoryLog:
    """A log in memory. ``other()`` is the same log as another process sees it.

    Callers that break the contract get an AssertionError: two appends of one handle to a partition at once, a reader
    used by two tasks, negative positions, empty appends.  ``shy`` makes reads shorter than asked, and
    ``stride`` leaves gaps between positions; both are allowed.
    """

    def __init__(
        self,
        partitions: int = 0,
        *,
        clock: Callable[[], int] = lambda: 0,
        shy: random.Random | None = None,
        max_append_bytes: int = 1 << 20,
        stride: int = 1,
    ) -> None:
        self._shelf = _Shelf(stride)
        self._clock = clock
        self._shy = shy
        self._limit = max_append_bytes
        self._closed = False
        self._appending: set[tuple[str, int]] = set()
        self.unavailable = 0
        """How many of the next calls fail with LogUnavailable; an append that fails so is not there."""
        self.lost_answers = 0
        """How many of the next appends fail with LogUnavailable and are there all the same."""
        if partitions:
            self._make(partitions)

    def other(self) -> MemoryLog:
        """Another handle on the same log."""
        twin = MemoryLog(clock=self._clock, shy=self._shy, max_append_bytes=self._limit)
        twin._shelf = self._shelf
        return twin

    @property
    def max_append_bytes(self) -> int:
        return self._limit

    async def partitions(self) -> int:
        self._check()
        if not self._shelf.topics:
            raise LogSettings("expected topics, found none")
        return len(self._shelf.topics[SUBMISSIONS])

    async def create(self, partitions: int) -> None:
        self._check()
        assert partitions >= 1
        if self._shelf.topics:
            raise LogSettings("expected no topics, found them there already")
        self._make(partitions)

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        assert messages, "an append has at least one message"
        assert (topic, partition) not in self._appending, "one append per topic and partition in flight"
        self._appending.add((topic, partition))
        try:
            await asyncio.sleep(0)
            self._check()
            return await self._append(topic, partition, messages)
        finally:
            self._appending.discard((topic, partition))

    async def end(self, topic: str, partition: int) -> int:
        self._check()
        messages = self._shelf.topics[topic][partition]
        return messages[-1].position + 1 if messages else 0

    def reader(self, topic: str, partition: int, start: int = 0) -> MemoryReader:
        self._check(counts=False)
        return MemoryReader(self, self._shelf, self._shelf.topics[topic][partition], start)

    async def close(self) -> None:
        self._closed = True
        async with self._shelf.grown:
            self._shelf.grown.notify_all()

    def put(self, topic: str, partition: int, messages: Sequence[Message]) -> None:
        """Append without a loop running, to set a test up."""
        target = self._shelf.topics[topic][partition]
        for message in messages:
            time = self._clock() if topic == SUBMISSIONS else message.timestamp
            at = len(target) * self._shelf.stride
            target.append(Stored(at, time, message.key, message.value, message.headers))

    def _make(self, partitions: int) -> None:
        self._shelf.topics = {topic: [[] for _ in range(partitions)] for topic in TOPICS}

    async def _append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        size = sum(
            len(m.key or b"") + len(m.value or b"") + sum(len(k) + len(v) for k, v in m.headers) for m in messages
        )
        if size > self._limit:
            raise AppendTooLarge(f"expected at most {self._limit} bytes, found {size}")
        first = len(self._shelf.topics[topic][partition]) * self._shelf.stride
        self.put(topic, partition, messages)
        async with self._shelf.grown:
            self._shelf.grown.notify_all()
        if self.lost_answers:
            self.lost_answers -= 1
            raise LogUnavailable("the answer was lost")
        return first

    def _check(self, *, counts: bool = True) -> None:
        if self._closed:
            raise LogClosed("the log was closed")
        if counts and self.unavailable:
            self.unavailable -= 1
            raise LogUnavailable("the log does not answer")


class MemoryReader:
    """Reads a partition of a ``MemoryLog``."""

    def __init__(self, log: MemoryLog, shelf: _Shelf, messages: list[Stored], start: int) -> None:
        assert start >= 0
        self._log = log
        self._shelf = shelf
        self._messages = messages
        self._position = start
        self._owner: asyncio.Task[object] | None = None
        self._closed = False

    @property
    def position(self) -> int:
        return self._position

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        assert limit >= 1
        self._owner = self._owner or asyncio.current_task()
        assert self._owner is asyncio.current_task(), "a reader belongs to one task"
        await asyncio.sleep(0)
        self._check()
        if wait and not self._ready:
            async with self._shelf.grown:
                try:
                    async with asyncio.timeout(wait):
                        await self._shelf.grown.wait_for(lambda: self._ready)
                except TimeoutError:
                    pass
            self._check()
        if self._log._shy is not None:
            limit = self._log._shy.randint(1, limit)
        found = self._messages[self._first : self._first + limit]
        if found:
            self._position = found[-1].position + 1
        return found

    def seek(self, position: int) -> None:
        assert position >= 0
        self._position = position

    async def close(self) -> None:
        self._closed = True

    @property
    def _first(self) -> int:
        return -(-self._position // self._shelf.stride)

    @property
    def _ready(self) -> bool:
        return self._first < len(self._messages) or self._log._closed

    def _check(self) -> None:
        if self._closed:
            raise LogClosed("the reader was closed")
        self._log._check()
