"""Records in a temporary SQLite file, so that an export needs no more memory for a longer ledger.

``records(partition, idx, subject, seq, admitted, position, seal, value, leaf)`` and
``subjects(id, partition, name, seq, leaf, records, first)``.  The file is deleted when it is closed: nothing in it is
needed afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from ledger.chain import Head, Record
from ledger.errors import ConfigError
from ledger.event import read_event
from ledger.seal import read_seal

_SCHEMA = """
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, leaf BLOB NOT NULL,
    first INTEGER NOT NULL, idx INTEGER NOT NULL, UNIQUE (partition, name)
);
CREATE TABLE records (
    subject INTEGER NOT NULL, seq INTEGER NOT NULL, partition INTEGER NOT NULL, idx INTEGER NOT NULL,
    admitted INTEGER NOT NULL, position INTEGER NOT NULL, seal BLOB NOT NULL, value BLOB NOT NULL, leaf BLOB NOT NULL
);
"""
# Made behind the last record: to keep them up with each cost more.
_INDEXES = """
CREATE INDEX by_subject ON records (subject, seq);
CREATE INDEX by_time ON records (admitted, partition, idx);
"""
_COLUMNS = "partition, position, seal, value, leaf"


class SpoolFile:
    """``consumers.spooling.Spool`` in a file of its own, in the folder for temporary files. A context manager."""

    def __init__(self, folder: Path | None = None) -> None:
        """Make it in a new folder inside ``folder`` (default: the system's for temporary files)."""
        try:
            self._folder = TemporaryDirectory(prefix="rogatory-export-", dir=folder)
            self.folder = Path(self._folder.name)
            self._db = sqlite3.connect(self.folder / "spool.sqlite", isolation_level=None)
            # Lost with the process anyhow: neither a journal nor a flush.
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-16000"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"expected room for temporary files (TMPDIR), found {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._folder.cleanup()

    def heads(self, partition: int) -> Mapping[str, Head]:
        """The last record of each subject of a partition, read when it is asked for."""
        return _Heads(self._db, partition)

    def add(self, record: Record) -> None:
        """Keep a record; it is the new head of its subject."""
        seal = record.seal
        try:
            ((subject,),) = self._db.execute(
                "INSERT INTO subjects (partition, name, seq, leaf, first, idx) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (partition, name) DO UPDATE SET seq = excluded.seq, leaf = excluded.leaf RETURNING id",
                (record.partition, record.subject, seal.seq, record.leaf, seal.admitted, seal.index),
            ).fetchall()
            self._db.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (subject, seal.seq, record.partition, seal.index, seal.admitted, record.position, record.seal_text,
                 record.value, record.leaf),
            )  # fmt: skip
        except sqlite3.Error as error:
            raise ConfigError(f"expected room for temporary files (TMPDIR), found {error}") from None

    def leaf(self, partition: int, index: int) -> bytes:
        """The leaf of a record; rare enough to look through all of them."""
        found = self._db.execute("SELECT leaf FROM records WHERE partition = ? AND idx = ?", (partition, index))
        return bytes(found.fetchone()[0])

    def sort(self) -> None:
        """Make the orders in which records are asked for; call it behind the last ``add``."""
        self._db.executescript(_INDEXES)

    def count(self) -> int:
        """How many records there are."""
        return int(self._db.execute("SELECT count(*) FROM records").fetchone()[0])

    def subjects(self, sorts: frozenset[str]) -> Iterator[tuple[int, str]]:
        """Key and name of the subjects of some sorts, in the order in which the ledger first heard of them."""
        rows = self._db.execute("SELECT id, name, partition FROM subjects ORDER BY first, partition, idx")
        for key, name, partition in rows:
            if name.partition("/")[0] in sorts and (name != "register" or partition == 0):
                yield key, name

    def of_subject(self, key: int) -> Iterator[Record]:
        """The records of a subject, in their order."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM records WHERE subject = ? ORDER BY seq", (key,))  # noqa: S608 - names of ours
        return (_record(*row) for row in rows)

    def all(self) -> Iterator[Record]:
        """All records once, copies of the register left out, in the order in which they were admitted."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM records ORDER BY admitted, partition, idx")  # noqa: S608 - names of ours
        return (record for row in rows if (record := _record(*row)).partition == 0 or record.subject != "register")


class _Heads(Mapping[str, Head]):
    def __init__(self, db: sqlite3.Connection, partition: int) -> None:
        self._db = db
        self._partition = partition

    def __getitem__(self, subject: str) -> Head:
        row = self._db.execute(
            "SELECT seq, leaf FROM subjects WHERE partition = ? AND name = ?", (self._partition, subject)
        ).fetchone()
        if row is None:
            raise KeyError(subject)
        return Head(row[0], row[1])

    def __iter__(self) -> Iterator[str]:
        for (name,) in self._db.execute("SELECT name FROM subjects WHERE partition = ?", (self._partition,)):
            yield name

    def __len__(self) -> int:
        found = self._db.execute("SELECT count(*) FROM subjects WHERE partition = ?", (self._partition,))
        return int(found.fetchone()[0])


def _record(partition: int, position: int, seal: bytes, value: bytes, leaf: bytes) -> Record:
    return Record(partition, position, read_seal(seal), seal, value, leaf, read_event(value))
