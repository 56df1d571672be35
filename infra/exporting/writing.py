"""Where an export is written to: standard output, or a file that is there only once it is whole."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ledger.errors import ConfigError


class Writable(Protocol):
    """What takes bytes."""

    def write(self, raw: bytes, /) -> int | None:
        """Take some."""
        ...


@contextmanager
def beside(out: Path, *, private: bool) -> Iterator[Path]:
    """A new, empty file that takes its place once it is whole: nobody takes half an export for one.

    Raises:
        ConfigError: it can't be written.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666))
        yield part
        part.replace(out)
    except OSError as error:
        raise ConfigError(f"expected to write to {out}, found {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written(out: Path | None, *, private: bool) -> Iterator[Writable]:
    """Standard output, or such a file; gzip if it ends in ``.gz``; ``private``: only its owner may read it."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with beside(out, private=private) as part, part.open("wb") as file:
        if out.suffix == ".gz":
            # No name and no time inside: the same ledger gives the same bytes.
            with gzip.GzipFile("", "wb", 6, file, 0) as zipped:
                yield zipped
        else:
            yield file
