"""Logs, state files and stores with a gate before and after each write: to wait at, to fail at, to die at."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ledger.admission import Known
from ledger.chain import Head
from ledger.log import Log, Message, Reader, Stored
from ledger.state import Snapshot, StateFile
from projections.schema import history
from projections.store import Store
from projections.view import Batch

_PARTITION = [column.name for column in history.c].index("partition")
"""Its place in the rows of every table."""

When = Literal["before", "within", "after"]
"""``within``: of a commit, when its position has moved and its rows are still to be written."""


class Write(msgspec.Struct, frozen=True):
    """A write: to topic ``submissions``, ``outcomes`` or ``ledger``, to the ``state``, or a ``commit`` of rows."""

    what: str
    partition: int


Gate = Callable[[Write, When], None]
"""Passed before and after a write; what it raises is raised instead of the write, or instead of its success."""
SlowGate = Callable[[Write, When], Awaitable[None]]


class GatedReader:
    """A reader that asks before each read."""

    def __init__(self, inner: Reader, ask: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._ask = ask

    @property
    def position(self) -> int:
        return self._inner.position

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        await self._ask()
        return await self._inner.read(limit, wait)

    def seek(self, position: int) -> None:
        self._inner.seek(position)

    async def close(self) -> None:
        await self._inner.close()


class GatedLog:
    """A log whose appends pass a gate; reads do if ``reading`` is given."""

    def __init__(self, inner: Log, gate: SlowGate, reading: Callable[[], Awaitable[None]] | None = None) -> None:
        self._inner = inner
        self._gate = gate
        self._reading = reading

    @property
    def max_append_bytes(self) -> int:
        return self._inner.max_append_bytes

    async def partitions(self) -> int:
        return await self._inner.partitions()

    async def create(self, partitions: int) -> None:
        await self._inner.create(partitions)

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        write = Write(topic, partition)
        await self._gate(write, "before")
        base = await self._inner.append(topic, partition, messages)
        await self._gate(write, "after")
        return base

    async def end(self, topic: str, partition: int) -> int:
        return await self._inner.end(topic, partition)

    def reader(self, topic: str, partition: int, start: int = 0) -> Reader:
        inner = self._inner.reader(topic, partition, start)
        return inner if self._reading is None else GatedReader(inner, self._reading)

    async def close(self) -> None:
        await self._inner.close()


class GatedState:
    """A state file whose saves pass a gate."""

    def __init__(self, inner: StateFile, partition: int, gate: Gate) -> None:
        self._inner = inner
        self._write = Write("state", partition)
        self._gate = gate

    def load(self) -> Snapshot | None:
        return self._inner.load()

    def heads(self, subjects: Collection[str]) -> dict[str, Head]:
        return self._inner.heads(subjects)

    def identities(self, identities: Collection[bytes]) -> dict[bytes, Known]:
        return self._inner.identities(identities)

    def save(self, snapshot: Snapshot, heads: Mapping[str, Head], identities: Mapping[bytes, Known]) -> None:
        self._gate(self._write, "before")
        self._inner.save(snapshot, heads, identities)
        self._gate(self._write, "after")

    def clear(self) -> None:
        self._inner.clear()

    def close(self) -> None:
        self._inner.close()


class GatedStore(Store):
    """A store whose commits pass a gate. (A store is opened by its class, hence no wrapper.)"""

    gate: Gate = staticmethod(lambda write, when: None)

    def commit(self, batch: Batch) -> None:
        write = Write("commit", batch.partition)
        self.gate(write, "before")
        super().commit(batch)
        self.gate(write, "after")

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self.gate(Write("commit", rows[0][_PARTITION]), "within")
        super()._upsert(connection, table, rows)


class FailAt:
    """A gate that raises once: at the ``n``-th (from 0) write of a sort, before it (lost) or after it (persisted)."""

    def __init__(self, what: str, n: int, when: When, error: Callable[[], Exception]) -> None:
        self._what, self._n, self._when, self._error = what, n, when, error
        self._passed = 0
        self.failed = False

    def __call__(self, write: Write, when: When) -> None:
        if write.what != self._what:
            return
        if when == self._when and self._passed == self._n and not self.failed:
            self.failed = True
            raise self._error()
        self._passed += when == "after"

    async def slow(self, write: Write, when: When) -> None:
        """The same for a log."""
        self(write, when)


class PauseAt:
    """A gate that waits once: at the ``n``-th (from 0) append to a topic, before or after it, until ``go`` is set."""

    def __init__(self, topic: str, n: int, when: When) -> None:
        self._topic, self._n, self._when = topic, n, when
        self._passed = 0
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, write: Write, when: When) -> None:
        if write.what != self._topic:
            return
        if when == self._when and self._passed == self._n and not self.reached.is_set():
            self.reached.set()
            await self.go.wait()
        self._passed += when == "after"


class Turns:
    """Lets one of several tasks move at a time, from gate to gate, in an order that dice decide."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._parked: list[asyncio.Future[None]] = []
        self._changed = asyncio.Event()

    async def gate(self) -> None:
        """Wait for a turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parked.append(turn)
        self._changed.set()
        await turn

    async def run(self, *lives: Coroutine[Any, Any, None]) -> None:
        """Run all of them to their ends; the first error ends all."""
        tasks = [asyncio.create_task(self._live(life)) for life in lives]
        for task in tasks:
            task.add_done_callback(lambda _: self._changed.set())
        try:
            while waiting := [task for task in tasks if not task.done()]:
                if any(task.done() and task.exception() for task in tasks):
                    break
                self._changed.clear()
                if len(self._parked) == len(waiting):
                    self._parked.pop(self._dice.randrange(len(waiting))).set_result(None)
                await self._changed.wait()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _live(self, life: Coroutine[Any, Any, None]) -> None:
        try:
            await self.gate()
        except BaseException:
            life.close()
            raise
        await life
