"""A registrar's state in one SQLite file per partition, held under an exclusive lock.

Format 1: ``snapshot`` (one row of JSON), ``heads`` by subject, ``identities`` by SHA-256.  A file that cannot be read
is put aside with the ending ``.unreadable``, since all of it can be derived again as long as the submissions are there.

A disk that is full or fails is ``StateUnavailable``: what the file held before stands, and trying again may help.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ledger.admission import Known
from ledger.chain import Head
from ledger.errors import ConfigError, FormatError, StateUnavailable
from ledger.state import Snapshot
from ledger.submission import Receipt

_FORMAT = 1
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FAILING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_CHUNK = 500  # SQLite takes 32,766 parameters; more than some hundreds no longer pay
_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), said BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS heads (subject TEXT PRIMARY KEY, seq INTEGER NOT NULL, leaf BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
    identity BLOB PRIMARY KEY, digest BLOB NOT NULL, epoch INTEGER NOT NULL, offset INTEGER NOT NULL,
    leaf_index INTEGER NOT NULL, seq INTEGER NOT NULL, leaf BLOB NOT NULL
) WITHOUT ROWID;
"""


class SqliteStateFile:
    """``ledger.state.StateFile`` on SQLite."""

    def __init__(self, path: Path, partition: int) -> None:
        """Open or make the file.

        Raises:
            ConfigError: another registrar holds it, or its folder can't be made.
            StateUnavailable: the disk is full or fails.
        """
        self._path = path
        self._partition = partition
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"expected a folder for the registrar's state, found {error}") from error
        try:
            self._db = self._open()
        except sqlite3.OperationalError as error:
            if _code(error) in _HELD:
                raise self._held(error) from error
            raise _unavailable(path, error) from error
        except sqlite3.DatabaseError as error:
            _log.warning("state file %s is unreadable (%s): put aside, deriving it again", path, error)
            path.rename(path.with_suffix(".unreadable"))
            with _translated(path):
                self._db = self._open()

    def _held(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"expected the state file {self._path} free, found it in use ({error}); "
            "another registrar of this partition runs here: stop it, or give this one another state folder"
        )

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=2.0, isolation_level=None, check_same_thread=False)
        try:
            # Two registrars on one file would mix their heads; the lock lasts as long as the process.
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("PRAGMA journal_mode=WAL")
            # A cache: after a power cut an older state is as good, since recovery goes on from there.
            db.execute("PRAGMA synchronous=NORMAL")
            # Identities are hashes, each on a page of its own: to keep pages for longer, and to copy them to their
            # place less often, took look-up and save of an event together from 41 µs of CPU to 24 µs.
            db.execute("PRAGMA cache_size=-16384")  # KiB
            db.execute("PRAGMA wal_autocheckpoint=8000")  # pages of 4 KiB
            db.execute("BEGIN EXCLUSIVE")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _FORMAT):
                raise sqlite3.DatabaseError(f"format {version}, expected {_FORMAT}")
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={_FORMAT}")
            db.execute("COMMIT")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def load(self) -> Snapshot | None:
        """What was saved last, or None."""
        with _translated(self._path):
            row = self._db.execute("SELECT said FROM snapshot").fetchone()
        if row is None:
            return None
        try:
            return _read_snapshot(row[0])
        except FormatError as error:
            _log.warning("state file %s holds an unreadable snapshot (%s): deriving it again", self._path, error)
            # Heads and identities without their snapshot would make duplicates of what is admitted again.
            self.clear()
            return None

    def heads(self, subjects: Collection[str]) -> dict[str, Head]:
        """The heads of those of ``subjects`` that have one."""
        found: dict[str, Head] = {}
        for part in _chunks(list(subjects)):
            query = f"SELECT subject, seq, leaf FROM heads WHERE subject IN ({_marks(part)})"  # noqa: S608 - marks only
            with _translated(self._path):
                found.update((subject, Head(seq, leaf)) for subject, seq, leaf in self._db.execute(query, part))
        return found

    def identities(self, identities: Collection[bytes]) -> dict[bytes, Known]:
        """What is known of those of ``identities`` that were admitted."""
        found: dict[bytes, Known] = {}
        for part in _chunks(list(identities)):
            query = f"SELECT * FROM identities WHERE identity IN ({_marks(part)})"  # noqa: S608 - marks only
            with _translated(self._path):
                rows = self._db.execute(query, part).fetchall()
            for identity, digest, epoch, offset, index, seq, leaf in rows:
                receipt = Receipt(self._partition, epoch, offset, index, seq, leaf.hex())
                found[identity] = Known(digest, receipt)
        return found

    def save(self, snapshot: Snapshot, heads: Mapping[str, Head], identities: Mapping[bytes, Known]) -> None:
        """Keep all of it in one transaction. Raises StateUnavailable."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)",
                [(subject, head.seq, head.leaf) for subject, head in heads.items()],
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO identities VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (i, k.digest, r.epoch, r.offset, r.index, r.seq, bytes.fromhex(r.leaf))
                    for i, k in identities.items()
                    for r in (k.receipt,)
                ],
            )
            self._db.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?)", (msgspec.json.encode(snapshot),))

    def clear(self) -> None:
        """Forget everything. Raises StateUnavailable."""
        with self._transaction():
            for table in ("snapshot", "heads", "identities"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - a fixed name

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _translated(self._path):
            self._db.execute("BEGIN")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def copy_state(source: Path, target: Path) -> Snapshot:
    """Copy a state file that nobody holds to where none is, by SQLite's own backup; what it says.

    Raises:
        ConfigError: there is none, a registrar holds it, it is no state, or ``target`` is there already.
        StateUnavailable: the disk is full or fails.
    """
    if target.exists():
        raise ConfigError(f"expected no file at {target}, found one: move it away first")
    read_state(source)
    new = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _translated(source), closing(_reading(source)) as old, closing(sqlite3.connect(new)) as db:
            old.backup(db)
        said = read_state(new)
        new.replace(target)
    except OSError as error:
        raise StateUnavailable(f"expected to write {target}, found {error.strerror}") from error
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            new.with_name(new.name + ending).unlink(missing_ok=True)
    return said


def read_state(path: Path) -> Snapshot:
    """What a state file says that nobody holds.

    Raises:
        ConfigError: there is none, a registrar holds it, or it is no state of this release.
        StateUnavailable: the disk fails.
    """
    if not path.is_file():
        raise ConfigError(f"expected a state file at {path}, found none")
    try:
        with closing(_reading(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            row = db.execute("SELECT said FROM snapshot").fetchone()
            sound = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if _code(error) in _HELD:
            raise ConfigError(
                f"expected the state file {path} free, found it in use: stop the registrar of this partition first"
            ) from error
        if _code(error) in _FAILING:
            raise _unavailable(path, error) from error
        raise ConfigError(f"expected a registrar's state in {path}, found something else ({error})") from error
    if version != _FORMAT or row is None or sound != "ok":
        what = f"format {version}" if version != _FORMAT else "nothing saved" if row is None else f"damage ({sound})"
        raise ConfigError(f"expected a registrar's state of format {_FORMAT} in {path}, found {what}")
    try:
        return _read_snapshot(row[0])
    except FormatError as error:
        raise ConfigError(f"expected a registrar's state in {path}, found an unreadable one ({error})") from error


def _read_snapshot(raw: bytes) -> Snapshot:
    """A snapshot that a registrar can go on from. Raises FormatError."""
    try:
        found = msgspec.json.decode(raw, type=Snapshot)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"expected a snapshot: {error}") from None
    found.restore()
    return found


def _reading(path: Path) -> sqlite3.Connection:
    # Not read-only: what a killed registrar has left in the write-ahead log belongs to the state.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0.5, isolation_level=None)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _unavailable(path: Path, error: sqlite3.Error) -> StateUnavailable:
    full = _code(error) == sqlite3.SQLITE_FULL
    what = "make room" if full else "look whether the disk has room and whose the folder is"
    return StateUnavailable(f"expected to read and write the state file {path}, found {error}: {what} and try again")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours; whatever was under way is rolled back."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unavailable(path, error) from error


def _chunks(items: list[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _marks(part: list[Any]) -> str:
    return ",".join("?" * len(part))
