"""The register records of one partition's history, found by reading its ledger once and then only what is new.

History is the first record at each next index; nothing else counts, and all records are counted, or one that somebody
wrote ahead of its index would hide the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from consumers.tail import leaf_of, seal_of
from ledger.bookmark import Bookmark, Bookmarks, NoBookmarks
from ledger.log import LEDGER, Log, Reader, Stored, header
from ledger.submission import SEAL_HEADER

KEY = b"register"
_READ = 2000


class RegisterTail:
    """Follows one partition. Owned by one task."""

    def __init__(
        self,
        log: Log,
        partition: int,
        bookmarks: Bookmarks | None = None,
        counts: Callable[[Stored], bool] = lambda _: True,
        settled: Mapping[int, bytes] | None = None,
    ) -> None:
        """Begin at the bookmark that was kept, or at the start.

        Args:
            log: carries the ledger.
            partition: which one.
            bookmarks: remember how far it was read.
            counts: says which register records are meant.
            settled: the leaves that count at forked indices.
        """
        self._log = log
        self.partition = partition
        self._bookmarks = bookmarks or NoBookmarks()
        self._counts = counts
        self._settled = settled or {}
        self._reader: Reader | None = None
        self._size = 0
        self._last: Stored | None = None
        self._kept = 0  # the size that was saved last
        self.places: list[int] = []
        """Positions of the register records that were found."""

    async def new(self) -> list[Stored]:
        """Register records that have come since the last call, in the order of the register.

        After the first call ``places`` also has those that a bookmark has saved us from reading.

        Raises:
            LogUnavailable: the log does not answer; calling again goes on.
        """
        reader = self._reader = self._reader or await self._opened()
        found = []
        while stored := await reader.read(_READ):
            for one in stored:
                if self._is_next(one) and one.key == KEY and self._counts(one):
                    self.places.append(one.position)
                    found.append(one)
        return found

    async def at(self, number: int) -> Stored | None:
        """The register record of that number (from 0), read again."""
        return await self._one(self.places[number])

    def save(self) -> None:
        """Keep a bookmark of how far this has come."""
        last = self._last
        if last is None or self._size == self._kept:
            return
        text = header(last.headers, SEAL_HEADER) or b""
        self._bookmarks.save(
            self.partition, Bookmark(self._size, last.position, leaf_of(text, last).hex(), tuple(self.places))
        )
        self._kept = self._size

    async def close(self) -> None:
        """Keep a bookmark and give back the reader."""
        self.save()
        if self._reader is not None:
            await self._reader.close()

    async def _opened(self) -> Reader:
        mark = self._bookmarks.load(self.partition)
        # A bookmark behind a fork may have been kept before that was settled.
        if mark is not None and not any(index < mark.size for index in self._settled):
            record = await self._one(mark.place)
            text = header(record.headers, SEAL_HEADER) if record else None
            if record is not None and text is not None and leaf_of(text, record).hex() == mark.leaf:
                self._size = self._kept = mark.size
                self.places = list(mark.register)
                return self._log.reader(LEDGER, self.partition, mark.place + 1)
        return self._log.reader(LEDGER, self.partition)

    def _is_next(self, stored: Stored) -> bool:
        seal = seal_of(stored)
        if seal is None or seal.index != self._size:
            return False
        if seal.index in self._settled:
            text = header(stored.headers, SEAL_HEADER) or b""
            if leaf_of(text, stored) != self._settled[seal.index]:
                return False
        self._size += 1
        self._last = stored
        return True

    async def _one(self, position: int) -> Stored | None:
        reader = self._log.reader(LEDGER, self.partition, position)
        try:
            found = await reader.read(1)
        finally:
            await reader.close()
        return found[0] if found and found[0].position == position else None
