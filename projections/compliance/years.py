"""Reporting years: whom an internal act binds in a year."""

from __future__ import annotations

from datetime import date

import msgspec

from projections.compliance.case import CaseAct
from projections.compliance.readings import day_in, end_of, start_of
from projections.compliance.register import LegalRegister

_PREFIX = "year/"


class Year(msgspec.Struct, frozen=True):
    """A reporting year as an act sees it."""

    year: int
    issued: CaseAct | None
    """The issue of the act that binds in it; None: the register has none, or none so early."""
    offices: tuple[str, ...]
    """Bound offices that exist at the year's end, in the order of the act."""

    def begins(self, tz: str) -> int:
        """Its first moment (ms) in a zone; not before the act was issued."""
        start = start_of(day_in(self.year, 1, 1), tz)
        return start if self.issued is None else max(start, self.issued.time)

    def ends(self, tz: str, later: int = 0) -> int:
        """The first moment (ms) after it, or after a later year."""
        return end_of(day_in(self.year + later, 12, 31), tz)


def year_of(subject: str) -> int:
    """The year of a subject ``year/2025``."""
    return int(subject.removeprefix(_PREFIX))


def bound_in(register: LegalRegister, act: str, year: int) -> Year:
    """Whom an internal act binds in a year: as last issued by the year's end.

    An office owes the year in which the act was issued, too, however late in it (our choice: the act asks for what was
    done in the reporting period, and says nothing of a first one).
    """
    issued = [
        each
        for each in register.acts("act.issued")
        if each.data.act == act and date.fromisoformat(each.data.date).year <= year
    ]
    if not issued:
        return Year(year, None, ())
    last_day = day_in(year, 12, 31)
    kept = tuple(code for code in dict.fromkeys(issued[-1].data.binds) if _exists(register, code, last_day))
    return Year(year, issued[-1], kept)


def _exists(register: LegalRegister, code: str, day: date) -> bool:
    """Whether an office exists on a day; one that was never registered is taken to."""
    return register.office(code) is None or register.office(code, day) is not None
