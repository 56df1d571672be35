"""A log in memory whose answers get lost; one handle is what one process holds of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context

from ledger.errors import LogUnavailable
from ledger.log import SUBMISSIONS, TOPICS, Message, Stored
from tests.faults.world import T0
from tests.simulation.faults import Faults
from tests.simulation.loop import current_process


class Shelf:
    """What stands in the log, for all handles."""

    def __init__(self, partitions: int) -> None:
        self.topics: dict[str, list[list[Stored]]] = {t: [[] for _ in range(partitions)] for t in TOPICS}
        self.coming = 0
        """Appends that were reported as failed and are still to appear."""
        self.skew = 0
        """ms that the log's clock is off; it may be set back."""
        self._waiting: list[asyncio.Future[None]] = []

    def put(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        """Append; the position of the first."""
        target = self.topics[topic][partition]
        base = len(target)
        now = T0 + 3_600_000 + int(asyncio.get_running_loop().time() * 1000) + self.skew
        for at, message in enumerate(messages, base):
            time = now if topic == SUBMISSIONS else message.timestamp
            target.append(Stored(at, time, message.key, message.value, message.headers))
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
        return base

    async def grown(self, seconds: float) -> None:
        """Wait until something is appended anywhere, at most so long."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(future)
        timer = loop.call_later(seconds, lambda: future.done() or future.set_result(None))
        try:
            await future
        finally:
            timer.cancel()


class SimulatedLog:
    """``ledger.log.Log`` as one process sees it."""

    max_append_bytes = 1 << 20

    def __init__(self, shelf: Shelf, faults: Faults) -> None:
        self._shelf = shelf
        self._faults = faults
        self._appending: set[tuple[str, int]] = set()

    async def partitions(self) -> int:
        await self._reached("partitions")
        return len(self._shelf.topics[SUBMISSIONS])

    async def create(self, partitions: int) -> None:
        raise AssertionError("the world is created once")

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        assert messages, "an append has at least one message"
        assert (topic, partition) not in self._appending, "one append per topic and partition in flight"
        self._appending.add((topic, partition))
        try:
            return await self._append(topic, partition, messages)
        finally:
            self._appending.discard((topic, partition))

    async def _append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        faults, shelf, place = self._faults, self._shelf, f"{topic}/{partition}"
        await self._pause()
        fate = faults.append(place)
        if fate == "dies before":
            await faults.end(current_process())
        if fate == "late":
            shelf.coming += 1
            delay = faults.dice.choice((0.01, 0.5, 3.0, 20.0))
            asyncio.get_running_loop().call_later(delay, self._arrive, topic, partition, messages, context=Context())
        if fate in ("lost", "late"):
            raise LogUnavailable("the seed says so")
        base = shelf.put(topic, partition, messages)
        faults.tell(f"{len(messages)} at {place}/{base}")
        if fate == "dies after":
            await faults.end(current_process())
        await self._pause()
        if fate == "there":
            raise LogUnavailable("the answer was lost")
        return base

    def _arrive(self, topic: str, partition: int, messages: Sequence[Message]) -> None:
        self._shelf.coming -= 1
        base = self._shelf.put(topic, partition, messages)
        self._faults.tell(f"{len(messages)} at {topic}/{partition}/{base}, late")

    async def end(self, topic: str, partition: int) -> int:
        await self._reached(f"{topic}/{partition}")
        return len(self._shelf.topics[topic][partition])

    def reader(self, topic: str, partition: int, start: int = 0) -> SimulatedReader:
        return SimulatedReader(self, self._shelf, f"{topic}/{partition}", self._shelf.topics[topic][partition], start)

    async def close(self) -> None:
        return

    async def _reached(self, place: str) -> None:
        await self._pause()
        self._faults.read(place)

    async def _pause(self) -> None:
        process = current_process()
        if process is not None and not process.alive:
            await self._faults.end(process)
        await self._faults.pause()


class SimulatedReader:
    """``ledger.log.Reader``, with pieces shorter than asked."""

    def __init__(self, log: SimulatedLog, shelf: Shelf, place: str, messages: list[Stored], start: int) -> None:
        self._log = log
        self._shelf = shelf
        self._place = place
        self._messages = messages
        self._position = start

    @property
    def position(self) -> int:
        return self._position

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        assert limit >= 1
        await self._log._reached(self._place)
        deadline = asyncio.get_running_loop().time() + wait
        while self._position >= len(self._messages):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            await self._shelf.grown(left)
        dice = self._log._faults.dice
        limit = min(limit, dice.choice((1, 3, 10, 1000)))
        found = self._messages[self._position : self._position + limit]
        self._position = found[-1].position + 1
        return found

    def seek(self, position: int) -> None:
        assert position >= 0
        self._position = position

    async def close(self) -> None:
        return
