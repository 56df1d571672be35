"""Silence has no stream: subjects that are judged though no record speaks of them.

A duty that is broken by nothing happening (an annual report that never came) is found by enumerating from the register:
every year from that of the first internal act on; each is judged, on an empty case file where the ledger has none, and
its rules then enumerate the bound offices (``years.py``).

Of an act that is dated more than a century ago only the last hundred years are enumerated (our choice: such a date is a
slip, and the list shall not grow with it).
"""

from __future__ import annotations

from datetime import date

from projections.compliance.readings import day_of
from projections.compliance.register import LegalRegister

_CENTURY = 100


def years(register: LegalRegister, as_of: int, tz: str = "Europe/Moscow") -> list[str]:
    """Subjects of all years that an internal act can bind in, from that of the first issue to that of a moment (ms)."""
    issued = register.acts("act.issued")
    if not issued:
        return []
    first = min(date.fromisoformat(each.data.date).year for each in issued)
    last = day_of(as_of, tz).year
    return [f"year/{year:04}" for year in range(max(first, last - _CENTURY + 1), last + 1)]
