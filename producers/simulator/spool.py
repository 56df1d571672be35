"""Acts that are still to come: the next ones in memory, the others on disk, so that memory does not grow with the year.

The disk is a temporary SQLite database in the order of recording; what was handed out is deleted.  It is scratch:
nothing is ever synced, and a year that was interrupted is simply told again.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator
from heapq import heappop, heappush
from types import TracebackType
from typing import Self

import msgspec

from producers.simulator.story import Act

_HELD = 40_000
"""Acts in memory, about 1 KB each; beyond that the later half goes to the disk."""
_CHUNK = 2000
_CACHE_KIB = 16 * 1024
_NEVER = 2**62


class Spool:
    """Acts by the time of recording; of equal times by the order in which they came."""

    def __init__(self, held: int = _HELD) -> None:
        """``held``: how many are kept in memory."""
        self._held = held
        self._near: list[tuple[int, int, Act]] = []
        """A heap; all of it is before ``_far``."""
        self._far = _NEVER
        """From here on (ms) acts are on disk."""
        self._number = 0
        self._waiting: list[tuple[int, int, bytes]] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Act).decode
        # No name: a temporary file of SQLite's own, which is gone however this process ends.
        self._connection = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}", "locking_mode=EXCLUSIVE"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(
            "CREATE TABLE acts(recorded INTEGER, number INTEGER, act BLOB, PRIMARY KEY(recorded, number)) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def put(self, acts: list[Act]) -> None:
        """Some more acts, none of them before what was handed out."""
        for act in acts:
            self._number += 1
            if act.recorded >= self._far:
                self._waiting.append((act.recorded, self._number, self._encode(act)))
            else:
                heappush(self._near, (act.recorded, self._number, act))
        if len(self._near) > self._held:
            self._spill()
        if len(self._waiting) >= _CHUNK:
            self._write()

    def until(self, end: int | None) -> Iterator[Act]:
        """Acts that are recorded before a moment (ms; None: all), in order; each is handed out once."""
        last = _NEVER if end is None else end
        while True:
            while self._near and self._near[0][0] < last:
                yield heappop(self._near)[2]
            if self._far >= last:
                return
            self._load()

    def _spill(self) -> None:
        """The later half goes to the disk."""
        self._near.sort()  # a sorted list is a heap, too
        self._far = self._near[len(self._near) // 2][0]
        cut = bisect_left(self._near, (self._far,))  # by the first member alone
        self._waiting += [(recorded, number, self._encode(act)) for recorded, number, act in self._near[cut:]]
        del self._near[cut:]

    def _load(self) -> None:
        """The next ones come back from the disk."""
        self._write()
        run = self._connection.execute
        found = run("SELECT recorded FROM acts ORDER BY recorded, number LIMIT 1 OFFSET ?", (_CHUNK,)).fetchone()
        if found is None:
            self._far = _NEVER
        else:  # all of one moment stay together
            first = run("SELECT min(recorded) FROM acts").fetchone()[0]
            self._far = max(found[0], first + 1)
        rows = run("SELECT recorded, number, act FROM acts WHERE recorded < ?", (self._far,)).fetchall()
        run("DELETE FROM acts WHERE recorded < ?", (self._far,))
        for recorded, number, act in rows:
            heappush(self._near, (recorded, number, self._decode(act)))

    def _write(self) -> None:
        if self._waiting:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT INTO acts VALUES(?, ?, ?)", self._waiting)
            self._connection.execute("COMMIT")
            self._waiting.clear()
