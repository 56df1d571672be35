"""The ledger's tail as a registrar compares with it: records beyond its saved state, in the order of the log."""

from __future__ import annotations

import logging

from ledger.errors import FormatError
from ledger.log import Reader, Stored, header
from ledger.seal import Seal, entry, leaf_hash, read_seal
from ledger.submission import SEAL_HEADER

_READ = 1000
_log = logging.getLogger(__name__)


class Tail:
    """History's next records beyond the saved state, as the ledger log has them. Owned by one task."""

    def __init__(self, reader: Reader, partition: int) -> None:
        """Read on from where ``reader`` stands."""
        self._reader = reader
        self._partition = partition
        self._waiting: list[Stored] = []
        self.seal: Seal
        """Of the record that ``peek`` has found."""
        self.end = reader.position
        """Behind what was passed."""

    async def peek(self, index: int) -> tuple[int, bytes] | None:
        """Position and leaf of the first record at ``index``, or None at the log's end; asked with rising ``index``."""
        while True:
            if not self._waiting:
                self._waiting = await self._reader.read(_READ)
                self._waiting.reverse()
                if not self._waiting:
                    return None
            stored = self._waiting[-1]
            text = header(stored.headers, SEAL_HEADER)
            seal = seal_of(stored)
            found = seal.index if seal else -1
            if seal is not None and found == index:
                assert text is not None
                self.seal = seal
                return stored.position, leaf_of(text, stored)
            self.skip()
            if found < 0 or found > index:
                _log.error(
                    "partition %d, position %d: a stray message in the ledger (index %d, expected %d); ignored",
                    self._partition, stored.position, found, index,
                )  # fmt: skip

    async def shown(self, index: int, wait: float) -> list[Seal]:
        """The seals at hand that follow each other from ``index`` on, in one epoch.

        Waits up to ``wait`` seconds for the first of them; none if it does not come.
        """
        if await self.peek(index) is None:
            self._waiting = (await self._reader.read(_READ, wait))[::-1]
            if await self.peek(index) is None:
                return []
        found: list[Seal] = []
        for stored in reversed(self._waiting):
            seal = seal_of(stored)
            if seal is not None and seal.index == index + len(found) and (not found or seal.epoch == found[0].epoch):
                found.append(seal)
        return found

    def skip(self) -> None:
        """Pass the message that ``peek`` has found."""
        self.end = self._waiting.pop().position + 1

    async def close(self) -> None:
        """Give back the reader."""
        await self._reader.close()


def seal_of(stored: Stored) -> Seal | None:
    """The seal of a message; None where there is none, or none that is well formed."""
    text = header(stored.headers, SEAL_HEADER)
    try:
        return None if text is None else read_seal(text)
    except FormatError:
        return None


def leaf_of(seal_text: bytes, stored: Stored) -> bytes:
    """The leaf (32 bytes) of the record that a message carries."""
    return leaf_hash(entry(seal_text, stored.value or b""))
