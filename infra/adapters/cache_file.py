"""Small things that commands and services remember between runs, so that they need not read a ledger from its start.

Each is a JSON file beside the registrars' state.  All of it can be found again, and whoever uses it compares it with
the log first; so whatever cannot be read or written is passed over.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from ledger.bookmark import Bookmark

T = TypeVar("T")
_log = logging.getLogger(__name__)


class CacheFile(Generic[T]):
    """One value in one file."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind

    def load(self) -> T | None:
        """What was kept, or None if that is not to be had."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.info("cache %s: passed over (%s)", self._path, error)
            return None

    def save(self, value: T) -> None:
        """Keep a value in place of the one before; readers find the one or the other, whole."""
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(value))
            draft.replace(self._path)
        except OSError as error:
            _log.info("cache %s: not kept (%s)", self._path, error)
            with suppress(OSError):
                draft.unlink(missing_ok=True)


class BookmarkFiles:
    """``ledger.bookmark.Bookmarks`` in a folder, one file for each partition."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, partition: int) -> Bookmark | None:
        """What was kept last, or None."""
        return self._file(partition).load()

    def save(self, partition: int, bookmark: Bookmark) -> None:
        """Keep it."""
        self._file(partition).save(bookmark)

    def _file(self, partition: int) -> CacheFile[Bookmark]:
        return CacheFile(self._folder / f"bookmark-p{partition}.json", Bookmark)
