"""The port to bookmarks: how far a partition's ledger was searched for register records, kept between runs.

A cache.  Whoever opens one looks whether the record that it names still stands where it says, and reads from the start
if it does not; losing it costs time only.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class Bookmark(msgspec.Struct, frozen=True):
    """One partition, as it was found once."""

    size: int
    """Records of history up to here; the last of them has index ``size - 1``."""
    place: int
    """Position of that record in the ledger log."""
    leaf: str
    """Its leaf, in hex."""
    register: tuple[int, ...]
    """Positions of the register records among them, in order."""


class Bookmarks(Protocol):
    """Keeps a bookmark for each partition. Calls are short and may fail in silence."""

    def load(self, partition: int) -> Bookmark | None:
        """What was kept last, or None."""
        ...

    def save(self, partition: int, bookmark: Bookmark) -> None:
        """Keep it, or not."""
        ...


class NoBookmarks:
    """Keeps nothing."""

    def load(self, partition: int) -> Bookmark | None:
        """Nothing."""
        del partition
        return None

    def save(self, partition: int, bookmark: Bookmark) -> None:
        """Forgotten at once."""
