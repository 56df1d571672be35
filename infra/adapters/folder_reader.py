"""Reading one partition of a ledger folder forward, and the connections that this and appending sit on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from infra.adapters.topic_file import TopicConnection, TopicFile
from ledger.errors import LogClosed, LogSettings, LogUnavailable, MisuseError
from ledger.log import Stored

T = TypeVar("T")

#: How soon and how seldom a waiting reader looks again: another process cannot call it.
_FIRST_LOOK = 0.005
_LATER_LOOKS = 0.05


class Seat:
    """A connection for one thread at a time, opened when first needed and again after it failed."""

    def __init__(self, file: TopicFile) -> None:
        self._file = file
        self._lock = threading.Lock()  # holds the connection
        self._connection: TopicConnection | None = None
        self._closed = False

    def use(self, work: Callable[[TopicConnection], T]) -> T:
        """The result of ``work``."""
        with self._lock:
            if self._closed:
                raise LogClosed(f"{self._file.path}: was closed")
            if self._connection is None:
                self._connection = self._file.open()
            try:
                return work(self._connection)
            except (LogUnavailable, LogSettings):
                self._connection.close()  # it may be in any state; a new one is in a known one
                self._connection = None
                raise

    def interrupt(self) -> None:
        """Break off what runs now."""
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def close(self) -> None:
        """Close for good."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class FolderReader:
    """A reader of one partition; see ``ledger.log.Reader``. Waits by looking again and again, cheaply."""

    def __init__(
        self,
        run: Callable[[Seat, Callable[[TopicConnection], list[Stored]], str], Awaitable[list[Stored]]],
        seat: Seat,
        place: tuple[str, int],
        start: int,
        longest: float,
    ) -> None:
        self._run = run
        self._seat = seat
        topic, self._partition = place
        self._doing = f"read {topic}/{self._partition}"
        self._longest = longest
        self._closed = False
        self.seek(start)

    @property
    def position(self) -> int:
        """The position that the next read starts at."""
        return self._position

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def seek(self, position: int) -> None:
        """Let the next read start at ``position``."""
        if position < 0:
            raise MisuseError(f"{self._doing}: expected a position of 0 or more, found {position}")
        self._position = position

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        """Up to ``limit`` messages; see ``ledger.log.Reader.read``."""
        if limit < 1:
            raise MisuseError(f"{self._doing}: expected a limit of 1 or more, found {limit}")
        clock = asyncio.get_running_loop().time
        patience = clock() + min(wait, self._longest)
        pause = _FIRST_LOOK
        while True:
            if self._closed:
                raise LogClosed(f"{self._doing}: the reader was closed")
            found = await self._run(self._seat, partial(self._read, self._position, limit), self._doing)
            if found:
                self._position = found[-1].position + 1
                return found
            left = patience - clock()
            if left <= 0:
                return []
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, _LATER_LOOKS)

    def _read(self, start: int, limit: int, connection: TopicConnection) -> list[Stored]:
        return connection.read(self._partition, start, limit)

    async def close(self) -> None:
        """Give back the connection."""
        self._closed = True
        await asyncio.to_thread(self._seat.close)
