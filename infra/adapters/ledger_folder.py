"""The log as a folder of SQLite files: a whole ledger without a broker, for any number of processes.

::

    folder/
      submissions.sqlite    three files, because SQLite has one writer for each:
      ledger.sqlite         publishers do not wait for the registrar
      outcomes.sqlite

The folder must be on a local disk: SQLite's write-ahead log does not work over a network.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from infra.adapters.append_limits import MAX_APPEND_BYTES, check_append, check_topic
from infra.adapters.folder_reader import FolderReader, Seat
from infra.adapters.topic_file import TopicConnection, TopicFile
from ledger.errors import LogClosed, LogSettings, LogUnavailable, MisuseError
from ledger.log import LEDGER, SUBMISSIONS, TOPICS, Message, Stored

T = TypeVar("T")


def _now() -> int:
    return time.time_ns() // 1_000_000


class LedgerFolder:
    """A log in a folder; see ``ledger.log.Log``.

    Args:
        path: The folder.
        timeout: Seconds that any call may take, waiting for other processes included.
        clock: The log's own clock, in ms; it stamps submissions.
        max_append_bytes: The largest append.
    """

    def __init__(
        self,
        path: Path | str,
        timeout: float = 30.0,
        clock: Callable[[], int] = _now,
        max_append_bytes: int = MAX_APPEND_BYTES,
    ) -> None:
        self._path = Path(path)
        self._timeout = timeout
        self._clock = clock
        self._max_append_bytes = max_append_bytes
        # SQLite's patience with other processes ends a little before ours, so that it can say what for.
        self._files = {t: TopicFile(self._path / f"{t}.sqlite", t, timeout * 0.9) for t in TOPICS}
        self._writers = {topic: Seat(file) for topic, file in self._files.items()}
        self._lookers = {topic: Seat(file) for topic, file in self._files.items()}
        # One thread writes to each file, so that appends of this process queue up here and not in SQLite.
        self._writing = {topic: ThreadPoolExecutor(1, f"append-{topic}") for topic in self._files}
        self._reading = ThreadPoolExecutor(4, "read")
        self._readers: list[FolderReader] = []
        self._closed = False

    @property
    def max_append_bytes(self) -> int:
        """Keys, values and headers of one append together stay within this many bytes."""
        return self._max_append_bytes

    async def partitions(self) -> int:
        """How many partitions each topic has."""
        self._check_open()
        counts = {
            topic: await self._run(self._reading, seat, lambda c: c.partitions, f"open {topic}")
            for topic, seat in self._lookers.items()
        }
        if len(set(counts.values())) != 1:
            raise LogSettings(f"{self._path}: expected equal numbers of partitions, found {counts}")
        return counts.popitem()[1]

    async def create(self, partitions: int) -> None:
        """Make the folder and its files, empty."""
        self._check_open()
        if partitions < 1:
            raise MisuseError(f"create: expected at least 1 partition, found {partitions}")
        await asyncio.get_running_loop().run_in_executor(self._reading, self._create, partitions)

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        """Append all of ``messages`` or none; returns the position of the first."""
        self._check_open()
        check_append(topic, partition, messages, self._max_append_bytes)
        seat = self._writers[topic]
        clock = self._clock if topic == SUBMISSIONS else None
        given_up = threading.Event()
        return await self._run(
            self._writing[topic],
            seat,
            lambda connection: connection.append(partition, messages, clock, given_up),
            f"append to {topic}/{partition}",
            given_up,
        )

    async def end(self, topic: str, partition: int) -> int:
        """The position after the last message."""
        self._check_open()
        check_topic(topic)
        return await self._run(
            self._reading, self._lookers[topic], lambda c: c.end(partition), f"end of {topic}/{partition}"
        )

    def reader(self, topic: str, partition: int, start: int = 0) -> FolderReader:
        """A reader from ``start`` on, with a connection of its own."""
        self._check_open()
        check_topic(topic)
        reader = FolderReader(self._look, Seat(self._files[topic]), (topic, partition), start, self._timeout / 2)
        self._readers = [r for r in self._readers if not r.closed] + [reader]
        return reader

    async def export(self, path: Path | str) -> None:
        """Write the ledger, as it is at this moment, into one file, which must not exist.

        Takes as long as the copy takes; appends go on meanwhile.
        """
        self._check_open()
        target = Path(path)
        seat = Seat(self._files[LEDGER])
        try:
            await asyncio.to_thread(seat.use, lambda connection: connection.export(target))
        finally:
            await asyncio.to_thread(seat.close)

    async def close(self) -> None:
        """Give back everything; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        seats = [*self._writers.values(), *self._lookers.values()]
        closing = asyncio.gather(
            *(reader.close() for reader in self._readers),
            *(asyncio.to_thread(seat.close) for seat in seats),
        )
        await asyncio.wait({closing}, timeout=self._timeout)
        for pool in (self._reading, *self._writing.values()):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _look(self, seat: Seat, work: Callable[[TopicConnection], list[Stored]], doing: str) -> list[Stored]:
        self._check_open()
        return await self._run(self._reading, seat, work, doing)

    def _check_open(self) -> None:
        if self._closed:
            raise LogClosed(f"{self._path}: the log was closed")

    async def make_missing(self) -> list[str]:
        """Make those of the topics' files that are absent, empty and like the others; which ones.

        Raises:
            LogSettings: all of them are absent, or no new file can be made.
        """
        self._check_open()
        return await asyncio.to_thread(self._make_missing)

    def _make_missing(self) -> list[str]:
        absent = [file for file in self._files.values() if not file.path.exists()]
        there = [file for file in self._files.values() if file.path.exists()]
        if not there:
            raise LogSettings(f"{self._path}: expected some of the log's files, found none")
        connection = there[0].open()
        connection.close()
        for file in absent:
            try:
                for ending in ("-wal", "-shm"):  # of the file that was here; SQLite would take them for the new one's
                    file.path.with_name(file.path.name + ending).unlink(missing_ok=True)
                file.path.touch(exist_ok=False)
            except OSError as error:
                raise LogSettings(f"{file.path}: cannot make it: {error.strerror}") from error
            file.create(connection.partitions)
        return [str(file.path) for file in absent]

    def _create(self, partitions: int) -> None:
        claimed: list[Path] = []
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            for file in self._files.values():
                file.path.touch(exist_ok=False)  # of two who create at once, one gets on
                claimed.append(file.path)
        except FileExistsError as error:
            for path in claimed:
                path.unlink()
            raise LogSettings(f"{self._path}: expected no log, found {error.filename}") from error
        except OSError as error:
            raise LogSettings(f"{self._path}: cannot make a log there: {error.strerror}") from error
        for file in self._files.values():
            file.create(partitions)

    async def _run(
        self,
        pool: Executor,
        seat: Seat,
        work: Callable[[TopicConnection], T],
        doing: str,
        given_up: threading.Event | None = None,
    ) -> T:
        """The result of ``work`` on the seat's connection, by a thread of ``pool``, in time."""
        deadline = time.monotonic() + self._timeout
        begun = threading.Event()

        def use() -> T:
            begun.set()
            if time.monotonic() > deadline:
                raise LogUnavailable(f"{doing}: no turn within {self._timeout:.1f} s")
            return seat.use(work)

        future = asyncio.get_running_loop().run_in_executor(pool, use)
        try:
            await asyncio.wait({future}, timeout=self._timeout)
        finally:
            if not future.done():
                # Nobody will hear of this any more: an append must not be made later. At worst it is just
                # being committed; the next of this process waits for its thread, and so comes after it.
                if given_up is not None:
                    given_up.set()
                future.cancel()
                if begun.is_set():
                    seat.interrupt()
        if future.cancelled():
            self._check_open()
            raise LogUnavailable(f"{doing}: the disk gave no answer in {self._timeout:.1f} s")
        return future.result()
