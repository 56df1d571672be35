"""The file of an event log: plain or gzip, read from front to back, with its digest and size.

Gzip is known by its first bytes, not by its name.  The digest is that of the XML itself, so that ``receipt.xes`` and
``receipt.xes.gz`` are one log.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedReader
from pathlib import Path

import msgspec

from ledger.errors import FormatError

_MAX_QUIET = 4 * 1024 * 1024  # bytes from one element to the next, so that no single value fills the memory
_CHUNK = 1 << 20
_TAG = re.compile(rb"<(?:[\w.-]{1,32}:)?(event|trace)[\s/>]")


class Survey(msgspec.Struct, frozen=True):
    """What a first pass says about a log: its SHA-256 (hex), and numbers for a progress bar."""

    digest: str
    cases: int
    events: int
    size: int
    """Bytes of XML."""


class Source:
    """A file that knows when it is asked for too much without an element coming of it."""

    def __init__(self, file: BufferedReader | gzip.GzipFile) -> None:
        self._file = file
        self._read = 0
        self._heard = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises FormatError: broken gzip, or too much without an element."""
        if self._read - self._heard > _MAX_QUIET:
            raise FormatError(f"expected elements of at most {_MAX_QUIET} bytes, found a longer one")
        try:
            chunk = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FormatError(f"expected whole gzip, found an error after {self._read} bytes of XML: {error}") from None
        self._read += len(chunk)
        return chunk

    def heard(self) -> None:
        """What was read so far was good for something."""
        self._heard = self._read


@contextmanager
def open_log(path: Path) -> Iterator[Source]:
    """The XML of a log. Raises OSError: it can't be read."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"  # RFC 1952 2.3.1
        file.seek(0)
        if not zipped:
            yield Source(file)
            return
        with gzip.GzipFile(fileobj=file) as inner:
            yield Source(inner)


def survey(path: Path) -> Survey:
    """Digest and size of a log, without parsing it: of the XML itself, so that gzip makes no difference.

    ``cases`` and ``events`` are counts of tags: right for every log in UTF-8 or Latin letters that has no
    tags inside comments.

    Raises:
        FormatError: broken gzip.
        OSError: the file can't be read.
    """
    digest, tail, size = sha256(), b"", 0
    counts = {b"event": 0, b"trace": 0}
    with open_log(path) as source:
        while chunk := source.read(_CHUNK):
            source.heard()
            digest.update(chunk)
            size += len(chunk)
            window = tail + chunk
            for match in _TAG.finditer(window):
                counts[match[1]] += match.end() > len(tail)  # else it was counted with the chunk before
            tail = window[-64:]
    return Survey(digest.hexdigest(), counts[b"trace"], counts[b"event"], size)


def log_digest(path: Path) -> str:
    """The SHA-256 (hex) of a log's XML. Raises as ``survey``."""
    return survey(path).digest
