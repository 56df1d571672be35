"""A registrar's state with millions of identities: what a look-up costs, and how much memory it takes.

``python -m benchmarks.measure state_identities 10000000`` makes a state file of so many synthetic identities (a second
process writes it, so that the peak memory is that of looking up) and looks up batches of 1,000, as a registrar does for
each piece of submissions: identities that are new, which is the usual case, and identities that are known.

*Cold* is behind a drop of the file from the system's cache, where the system lets us; *warm* is the best of many
batches.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from infra.adapters.state_file import SqliteStateFile

BATCH = 1000
_ROUNDS = 8
_BATCHES = 50


def identity(number: int) -> bytes:
    """The synthetic identity of this number: like real ones, a hash."""
    return sha256(b"identity %d" % number).digest()


def fill(path: str, count: int) -> None:
    """Write a state file with identities 0 to ``count`` - 1.

    Each round writes its share in the order of keys, which is fast, and splits the pages that the round before it
    filled: so pages end up about as full as if records had come one after the other.
    """
    SqliteStateFile(Path(path), 0).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    for turn in range(_ROUNDS):
        keys = sorted((identity(n), n) for n in range(turn, count, _ROUNDS))
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO identities VALUES (?, ?, 0, ?, ?, 1, ?)",
            ((key, key[::-1], n, n, key) for key, n in keys),
        )
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def state_identities(count: int) -> dict[str, Any]:
    """µs per identity of a batched look-up, cold and warm, for new and for known ones; MB of memory and of file."""
    with tempfile.TemporaryDirectory(prefix="rogatory-state-") as there:
        path = Path(there) / "state.sqlite"
        code = f"from benchmarks.identities import fill; fill({str(path)!r}, {count})"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
        found: dict[str, Any] = {"n": count, "file_mb": path.stat().st_size / 2**20}
        new = [[identity(count + 1 + b * BATCH + n) for n in range(BATCH)] for b in range(_BATCHES)]
        stride = max(1, count // (BATCH * _BATCHES))
        known = [[identity((b * BATCH + n) * stride % count) for n in range(BATCH)] for b in range(_BATCHES)]
        for name, batches in (("new", new), ("known", known)):
            _drop_from_cache(path)
            state = SqliteStateFile(path, 0)
            found[f"{name}_cold_us"] = _look_up(state, batches[0], hits=name == "known")
            for batch in batches:
                _look_up(state, batch, hits=name == "known")
            found[f"{name}_warm_us"] = min(_look_up(state, batch, hits=name == "known") for batch in batches)
            state.close()
        found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return found


def _look_up(state: SqliteStateFile, batch: Sequence[bytes], *, hits: bool) -> float:
    begun = time.perf_counter()
    found = state.identities(batch)
    spent = time.perf_counter() - begun
    assert len(found) == (len(batch) if hits else 0)
    return spent / len(batch) * 1e6


def _drop_from_cache(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
