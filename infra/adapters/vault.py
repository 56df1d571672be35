"""Content keys in one local SQLite file, readable only by its owner.

``content_keys(key_id, subject, compartment, key, made_at)``; a destroyed key keeps its row with an empty
``key``, so that its
compartment is not silently given a new one, and the freed pages are overwritten.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

from ledger.errors import KeyFault
from ledger.sealing import key_id, new_content_key

_SCHEMA = """
CREATE TABLE IF NOT EXISTS content_keys (
    key_id TEXT PRIMARY KEY, subject TEXT NOT NULL, compartment TEXT NOT NULL, key BLOB NOT NULL,
    made_at INTEGER NOT NULL, UNIQUE (subject, compartment)
)
"""


class VaultFile:
    """``ledger.vault.Vault`` in a file. Safe from several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open or make the file (mode 0600)."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            if path.stat().st_mode & 0o077:
                raise KeyFault(f"expected the vault {path} readable by its owner only (0600), found it open to others")
            self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
            # A key must outlast whatever was sealed with it, hence FULL; and be gone once destroyed.
            for pragma in ("journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise KeyFault(f"expected a usable vault at {path}, found {error}") from None

    def key_for(self, subject: str, compartment: str) -> bytes:
        """The content key of a compartment; made, and on disk, before this returns."""
        # Asked of the file each time: another process may have destroyed it meanwhile.
        with self._lock:
            return self._read_or_make((subject, compartment))

    def keys_for(self, places: set[tuple[str, str]]) -> None:
        """Make the keys of many compartments in one transaction; bulk imports ask for them one by one afterwards."""
        with self._lock:
            self._transact(sorted(places))

    def _read_or_make(self, place: tuple[str, str]) -> bytes:
        row = self._select(place)
        if row is None:
            self._transact([place])
            row = self._select(place)
        if row is None or not row:
            raise KeyFault(f"the content key of {place[0]} ({place[1]}) was destroyed; nothing new is sealed under it")
        return row

    def _select(self, place: tuple[str, str]) -> bytes | None:
        try:
            found = self._db.execute(
                "SELECT key FROM content_keys WHERE subject = ? AND compartment = ?", place
            ).fetchone()
        except sqlite3.Error as error:
            raise KeyFault(f"expected the vault to answer, found {error}") from None
        return None if found is None else bytes(found[0])

    def _transact(self, places: list[tuple[str, str]]) -> None:
        made = [(new_content_key(), subject, compartment) for subject, compartment in places]
        rows = [(key_id(key), s, c, key, time.time_ns() // 1_000_000) for key, s, c in made]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO content_keys VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise KeyFault(f"expected to keep a new content key in the vault, found {error}") from None

    def find(self, key_id: str) -> bytes | None:
        """A content key by its id."""
        with self._lock:
            try:
                found = self._db.execute("SELECT key FROM content_keys WHERE key_id = ?", (key_id,)).fetchone()
            except sqlite3.Error as error:
                raise KeyFault(f"expected the vault to answer, found {error}") from None
        return bytes(found[0]) if found and found[0] else None

    def destroy(self, subject: str, compartment: str) -> list[str]:
        """Destroy a compartment's key for good."""
        with self._lock:
            try:
                rows = self._db.execute(
                    "UPDATE content_keys SET key = x'' WHERE subject = ? AND compartment = ? AND key <> x'' "
                    "RETURNING key_id",
                    (subject, compartment),
                ).fetchall()
            except sqlite3.Error as error:
                raise KeyFault(f"expected the vault to destroy a key, which is there still, found {error}") from None
        return [row[0] for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
