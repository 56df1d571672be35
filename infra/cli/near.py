"""``; did you mean …?``: what somebody may have meant who wrote something that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near(text: str, known: Iterable[str], most: int = 3) -> str:
    """The end of a message: the nearest of what is known; empty where nothing is near."""
    by_small = {name.lower(): name for name in known}
    small = text.lower().strip()
    found = [by_small[small]] if small in by_small else []
    found += [name for key, name in by_small.items() if small and key.startswith(small) and name not in found][:most]
    found = found or [by_small[each] for each in get_close_matches(small, by_small, n=most, cutoff=0.5)]
    return f"; did you mean {', '.join(found)}?" if found else ""
