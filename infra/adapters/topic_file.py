"""One topic of a ledger folder: an SQLite file with a table for each partition. Synchronous.

::

    meta  name TEXT, value TEXT                 format 1, topic ledger, partitions 4
    p0    position INTEGER PRIMARY KEY,         dense, from 0
          timestamp INTEGER, key BLOB, value BLOB,
          headers BLOB                          msgpack of [[name, value], …]
    p1    …

Written ahead (WAL) with ``synchronous=FULL``: readers and the one writer do not wait for each other, and a
commit that has returned is on the disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

import msgspec

from ledger.errors import AppendTooLarge, LogError, LogFull, LogSettings, LogUnavailable, MisuseError
from ledger.log import Headers, Message, Stored

FORMAT = "1"

#: Rows fetched between looks at how many bytes have come, and how many bytes are enough for one read.
_ROWS = 64
_ENOUGH = 16 << 20

#: A page takes a dozen records of the usual size; larger pages make reading and appending half as fast again.
_PAGE = 16 << 10

#: Pages in the write-ahead log before they are moved into the file, which costs two more waits for the disk.
_CHECKPOINT = 2000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Headers).decode

_SETTINGS = {
    sqlite3.SQLITE_ERROR,  # a table or column is not there
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_MISMATCH,
}


def translated(error: sqlite3.Error, doing: str) -> LogError:
    """Our error for one of SQLite's; whatever is not plainly a refusal leaves the outcome unknown."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    what = f"{doing}: {error}"
    if code == sqlite3.SQLITE_FULL:
        return LogFull(f"{what}; make room and try again")
    if code == sqlite3.SQLITE_IOERR:  # also where there is no room for the file that readers and writers share
        return LogUnavailable(f"{what}; is there room on the disk?")
    if code == sqlite3.SQLITE_TOOBIG:
        return AppendTooLarge(what)
    if code in _SETTINGS:
        return LogSettings(what)
    return LogUnavailable(what)


class TopicFile:
    """The file of one topic."""

    def __init__(self, path: Path, topic: str, timeout: float, *, read_only: bool = False) -> None:
        self.path = path
        self.topic = topic
        self._timeout = timeout
        self._read_only = read_only

    def create(self, partitions: int) -> None:
        """Fill the file, which must be there and empty."""
        connection = self._connect()
        try:
            connection.execute(f"PRAGMA page_size={_PAGE}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            meta = {"format": FORMAT, "topic": self.topic, "partitions": str(partitions)}
            connection.executemany("INSERT INTO meta VALUES(?, ?)", meta.items())
            for partition in range(partitions):
                connection.execute(
                    f"CREATE TABLE p{partition}(position INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL,"
                    " key BLOB, value BLOB, headers BLOB NOT NULL)"
                )
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise translated(error, f"create {self.path}") from error
        finally:
            connection.close()

    def open(self) -> TopicConnection:
        """A connection to the file, after checking that it is what it should be."""
        connection = self._connect()
        try:
            meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
            expected = {"format": FORMAT, "topic": self.topic}
            found = {name: meta.get(name) for name in expected}
            if found != expected or not meta.get("partitions", "").isdecimal():
                raise LogSettings(f"{self.path}: expected {expected} and a number of partitions, found {meta}")
            return TopicConnection(connection, f"{self.path}", int(meta["partitions"]))
        except sqlite3.Error as error:
            connection.close()
            raise translated(error, f"open {self.path}") from error
        except BaseException:
            connection.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise LogSettings(f"{self.path}: expected a file of a ledger folder, found none; was the log created?")
        try:
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rw'}",
                uri=True,
                timeout=self._timeout,
                isolation_level=None,  # transactions begin and end where we say
                check_same_thread=False,  # used by one thread at a time, not always the same
            )
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA fullfsync=ON")  # where an ordinary fsync stops at the drive's cache
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT}")
        except sqlite3.Error as error:
            raise translated(error, f"open {self.path}") from error
        return connection


class TopicConnection:
    """An open file; used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, name: str, partitions: int) -> None:
        self._connection = connection
        self._name = name
        self.partitions = partitions

    def append(
        self, partition: int, messages: Sequence[Message], clock: Callable[[], int] | None, given_up: Event
    ) -> int:
        """Append all messages in one transaction; returns the position of the first.

        ``clock`` replaces the messages' timestamps; ``given_up`` says that nobody waits for this any more.
        """
        table = self._table(partition)
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")  # other processes wait here, for their turn
            first: int = execute(f"SELECT coalesce(max(position) + 1, 0) FROM {table}").fetchone()[0]  # noqa: S608
            now = clock() if clock else 0
            self._connection.executemany(
                f"INSERT INTO {table} VALUES(?, ?, ?, ?, ?)",
                [
                    (position, now if clock else m.timestamp, m.key, m.value, _encode(m.headers))
                    for position, m in enumerate(messages, first)
                ],
            )
            if given_up.is_set():
                raise LogUnavailable(f"append to {self._name} {table}: given up; nothing was written")
            execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise translated(error, f"append to {self._name} {table}") from error
            raise
        # The commit is on the disk: it survives the loss of this process and of the machine's power.
        return first

    def read(self, partition: int, position: int, limit: int) -> list[Stored]:
        """Up to ``limit`` messages from ``position`` on, fewer if they are large."""
        # Cast, since SQLite keeps whatever type another program stored; of the right type it costs nothing.
        columns = "position, CAST(timestamp AS INTEGER), CAST(key AS BLOB), CAST(value AS BLOB), CAST(headers AS BLOB)"
        table = self._table(partition)
        query = f"SELECT {columns} FROM {table} WHERE position >= ? ORDER BY position LIMIT ?"  # noqa: S608 - no input
        found: list[Stored] = []
        bytes_ = 0
        try:
            cursor = self._connection.execute(query, (position, limit))
            try:
                while bytes_ < _ENOUGH and (rows := cursor.fetchmany(_ROWS)):
                    found += [Stored(n, time, key, value, _decode(headers)) for n, time, key, value, headers in rows]
                    bytes_ += sum([len(row[3]) + len(row[4]) for row in rows if row[3] is not None])
            finally:
                cursor.close()  # ends the read transaction, which would keep the WAL from being taken over
        except sqlite3.Error as error:
            raise translated(error, f"read {self._name}") from error
        except msgspec.MsgspecError as error:
            raise LogSettings(f"read {self._name} from position {position}: headers are damaged: {error}") from error
        return found

    def end(self, partition: int) -> int:
        """The position after the last message."""
        query = f"SELECT coalesce(max(position) + 1, 0) FROM {self._table(partition)}"  # noqa: S608 - a number
        try:
            return int(self._connection.execute(query).fetchone()[0])
        except sqlite3.Error as error:
            raise translated(error, f"read {self._name}") from error

    def export(self, path: Path) -> None:
        """Write a compact copy of the file, as it is at this moment, to ``path``, which must not exist."""
        if path.exists():
            raise MisuseError(f"export: expected a path where nothing is, found {path}")
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            self._connection.execute("VACUUM INTO ?", (str(new),))
            with new.open("rb+") as file:
                os.fsync(file.fileno())
            os.link(new, path)  # whole or not at all, and never over another file
        except sqlite3.Error as error:
            raise translated(error, f"export {self._name} to {path}") from error
        except OSError as error:
            raise MisuseError(f"export {self._name} to {path}: {error.strerror}") from error
        finally:
            new.unlink(missing_ok=True)

    def interrupt(self) -> None:
        """Break off what another thread is doing on this connection."""
        self._connection.interrupt()

    def close(self) -> None:
        """Give the file back."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _table(self, partition: int) -> str:
        if not 0 <= partition < self.partitions:
            raise MisuseError(f"{self._name}: expected a partition from 0 to {self.partitions - 1}, found {partition}")
        return f"p{partition}"

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
