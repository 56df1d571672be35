"""A registrar's state in one SQLite file per partition, held under an exclusive lock.

Format 1: ``snapshot`` (one row of JSON), ``heads`` by subject, ``identities`` by SHA-256.  A file that cannot
be read is put
aside with the ending ``.unreadable``, since all of it can be derived again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ledger.admission import Known
from ledger.chain import Head
from ledger.errors import ConfigError
from ledger.state import Snapshot
from ledger.submission import Receipt

_FORMAT = 1
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
            raise self._held(error) from error
        except sqlite3.DatabaseError as error:
            _log.warning("state file %s is unreadable (%s): put aside, deriving it again", path, error)
            path.rename(path.with_suffix(".unreadable"))
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
        row = self._db.execute("SELECT said FROM snapshot").fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(row[0], type=Snapshot)
        except msgspec.MsgspecError as error:
            _log.warning("state file %s holds an unreadable snapshot (%s): deriving it again", self._path, error)
            return None

    def heads(self, subjects: Collection[str]) -> dict[str, Head]:
        """The heads of those of ``subjects`` that have one."""
        found: dict[str, Head] = {}
        for part in _chunks(list(subjects)):
            query = f"SELECT subject, seq, leaf FROM heads WHERE subject IN ({_marks(part)})"  # noqa: S608 - marks only
            found.update((subject, Head(seq, leaf)) for subject, seq, leaf in self._db.execute(query, part))
        return found

    def identities(self, identities: Collection[bytes]) -> dict[bytes, Known]:
        """What is known of those of ``identities`` that were admitted."""
        found: dict[bytes, Known] = {}
        for part in _chunks(list(identities)):
            query = f"SELECT * FROM identities WHERE identity IN ({_marks(part)})"  # noqa: S608 - marks only
            for identity, digest, epoch, offset, index, seq, leaf in self._db.execute(query, part):
                receipt = Receipt(self._partition, epoch, offset, index, seq, leaf.hex())
                found[identity] = Known(digest, receipt)
        return found

    def save(self, snapshot: Snapshot, heads: Mapping[str, Head], identities: Mapping[bytes, Known]) -> None:
        """Keep all of it in one transaction."""
        self._db.execute("BEGIN")
        try:
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
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def clear(self) -> None:
        """Forget everything."""
        self._db.execute("BEGIN")
        for table in ("snapshot", "heads", "identities"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - a fixed name
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _chunks(items: list[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _marks(part: list[Any]) -> str:
    return ",".join("?" * len(part))
