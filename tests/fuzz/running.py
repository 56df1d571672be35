"""Running one target on one input, and finding out what its parts cost."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from time import process_time

from tests.fuzz.targets import BUDGET, Target, folder_of


class TooSlow(AssertionError):
    """An input took more CPU than any should."""


def run(found: Target, raw: bytes, *, budget: float | None = BUDGET) -> None:
    """Check one input. Raises whatever is wrong with it; without ``budget`` however long it takes."""
    begun = process_time()
    found.check(raw)
    spent = process_time() - begun
    if budget is not None and spent > budget:
        raise TooSlow(f"{found.name}: {len(raw)} bytes took {spent:.1f} s of CPU, more than {budget:.1f}")


def keep(found: Target, raw: bytes) -> Path:
    """Put a finding among those that every test runs."""
    folder = folder_of(found.name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / sha256(raw).hexdigest()[:16]
    path.write_bytes(raw)
    return path
