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

_HELD = 30_000
"""Acts in memory, about 1 KB each; beyond that the later half goes to the disk."""
_CHUNK = 2000
_CACHE_KIB = 16 * 1024
_NEVER = 2**62
_SPAN = 2**23
"""ms, about two hours and a third: sorting a span at once takes a third of what a heap of all acts would."""


class Ready(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An act as it will be signed. The key is that of the moment when it is recorded."""

    recorded: int
    """ms."""
    office: str
    subject: str
    name: str
    id: str
    value: bytes


class Spool:
    """Acts by the time of recording; of equal times by the order in which they came."""

    def __init__(self, held: int = _HELD) -> None:
        """``held``: how many are kept in memory."""
        self._held = held
        self._near: dict[int, list[tuple[int, int, Ready]]] = {}
        """By spans of ``_SPAN``, each in the order in which they came; all of it is before ``_far``."""
        self._spans: list[int] = []
        """Their numbers, as a heap."""
        self._size = 0
        """Acts in memory."""
        self._far = _NEVER
        """From here on (ms) acts are on disk."""
        self._number = 0
        self._waiting: list[tuple[int, int, bytes]] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Ready).decode
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

    def put(self, acts: list[Ready]) -> None:
        """Some more acts, none of them before what was handed out."""
        for act in acts:
            self._number += 1
            if act.recorded >= self._far:
                self._waiting.append((act.recorded, self._number, self._encode(act)))
            else:
                self._keep((act.recorded, self._number, act))
        if self._size > self._held:
            self._spill()
        if len(self._waiting) >= _CHUNK:
            self._write()

    def _keep(self, entry: tuple[int, int, Ready]) -> None:
        span = entry[0] // _SPAN
        if span in self._near:
            self._near[span].append(entry)
        else:
            self._near[span] = [entry]
            heappush(self._spans, span)
        self._size += 1

    def until(self, end: int | None) -> Iterator[Ready]:
        """Acts that are recorded before a moment (ms; None: all), in order; each is handed out once.

        Nothing may be put in before all of them are taken.
        """
        last = _NEVER if end is None else end
        while True:
            while self._spans and self._spans[0] * _SPAN < last:
                for entry in self._first(last):
                    yield entry[2]
                if self._spans and self._spans[0] == last // _SPAN:
                    break
            if self._far >= last:
                return
            self._load()

    def _first(self, last: int) -> list[tuple[int, int, Ready]]:
        """What the first span has before a moment, in order; it is no longer here."""
        span = self._spans[0]
        entries = self._near[span]
        entries.sort()
        cut = bisect_left(entries, (last,))
        self._size -= cut
        if cut == len(entries):
            heappop(self._spans)
            return self._near.pop(span)
        found = entries[:cut]
        del entries[:cut]
        return found

    def _spill(self) -> None:
        """The later half goes to the disk, in whole spans."""
        self._spans.sort()  # a sorted list is a heap, too
        while self._spans and self._size > self._held // 2:
            span = self._spans.pop()
            entries = self._near.pop(span)
            self._waiting += [(recorded, number, self._encode(act)) for recorded, number, act in entries]
            self._size -= len(entries)
            self._far = span * _SPAN

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
            self._keep((recorded, number, self._decode(act)))

    def _write(self) -> None:
        if self._waiting:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT INTO acts VALUES(?, ?, ?)", self._waiting)
            self._connection.execute("COMMIT")
            self._waiting.clear()
