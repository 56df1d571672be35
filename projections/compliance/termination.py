"""From when an instrument is in force and when it ends, by each reading of the term that a notice sets running.

::

    held = standing(register, "ru-kz-2009", ("days:60:next", "days:60:same"), ("RU", "KZ"))
    in_force(held, act.time)        # "yes", "no" or "unclear"
    held.ends                       # (Read("days:60:next", …), Read("days:60:same", …)), exclusive ends in ms
    held.acts                       # what a verdict rests on

What counts, in the words of Agr. 15(2): the term runs "from the date of receipt" of the notice, so its days are those
of the receiver's zone (our choice).  A record ``instrument.ended`` with cause ``notice`` is one Party's word on a term
that the text leaves open: it stands beside the readings and decides none of them (our choice); without a dated receipt
it is all there is, and holds.  With any other cause its day holds by itself.  Days of records are half-open: the day
of an end, and of ``until``, is not in force any more (as everywhere in the register).  After an end there is no new
beginning: what the Parties want again they sign again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ledger.event import time_ms
from projections.compliance.case import CaseAct, evidence
from projections.compliance.readings import ends, start_of
from projections.compliance.register import LegalRegister
from projections.compliance.verdict import Read

if TYPE_CHECKING:  # the checks import this module
    from projections.compliance.kinds.base import Asked

RECORDED = "recorded"
"""The reading of an end that is no term but a day which a record names."""

InForce = Literal["yes", "no", "unclear"]


class Standing(msgspec.Struct, frozen=True):
    """What the register says of an instrument in time; moments in ms."""

    instrument: str
    acts: tuple[CaseAct, ...] = ()
    """Records that it rests on; none: the register knows nothing of it."""
    signed: int | None = None
    """Start of the day of signature; it was not in force before."""
    begins: int | None = None
    """From when on it is in force; None: its entry into force is not recorded."""
    ends: tuple[Read, ...] = ()
    """Its end by each reading, exclusive: in force before it. Empty: no end is in sight, or none that is dated."""
    doubtful_from: int | None = None
    """From when on nothing can be said, since the receipt of a notice is not dated (the calendar does not know the
    term's year, likewise)."""

    @property
    def first_end(self) -> int | None:
        """The earliest end by any reading: it is in force until then by all."""
        return min((read.ends for read in self.ends), default=None)

    @property
    def last_end(self) -> int | None:
        """The latest end by any reading: by all it is not in force from then on. None: no end, or no date of it."""
        return max((read.ends for read in self.ends), default=None)

    @property
    def missing(self) -> str:
        """The fact whose absence makes it unclear; empty where readings differ, or nothing is unclear."""
        if self.begins is None:
            return f"entry into force of {self.instrument}"
        if self.doubtful_from is not None:
            return f"date of receipt of the notice on {self.instrument}"
        return ""


def in_force(held: Standing, ms: int) -> InForce:
    """Whether an instrument is in force at a moment (ms): by all readings, by none, or it cannot be said."""
    if held.signed is not None and ms < held.signed:
        return "no"
    if held.begins is not None and ms < held.begins:
        return "no"
    if held.last_end is not None and ms >= held.last_end:
        return "no"
    if held.begins is None:
        return "unclear"
    if held.doubtful_from is not None and ms >= held.doubtful_from:
        return "unclear"
    return "yes" if held.first_end is None or ms < held.first_end else "unclear"


def standing(
    register: LegalRegister,
    instrument_id: str,
    readings: Iterable[str],
    between: tuple[str, str] | None = None,
    *,
    calendar_id: str = "ru",
) -> Standing:
    """What the register says of an instrument in time.

    Args:
        register: cut to what was known; the entry of the instrument is looked at.
        instrument_id: as in the register.
        readings: of the term that a notice sets running (``readings.py``).
        between: two states; what concerns another pair only is passed over. None: nothing is.
        calendar_id: of the working days, should a reading count them.
    """
    terms = tuple(readings)
    return register.once(
        ("standing", instrument_id, terms, between, calendar_id),
        lambda one: _standing(one, instrument_id, terms, between, calendar_id),
    )


def _standing(
    register: LegalRegister,
    instrument_id: str,
    readings: tuple[str, ...],
    between: tuple[str, str] | None,
    calendar_id: str,
) -> Standing:
    entry = register.instrument(instrument_id)
    signed = [act for act in entry.signed if _concerns(act.get("parties"), between)]
    entered = [act for act in entry.entered if _concerns(act.get("between"), between)]
    notices = [act for act in entry.notices if between is None or act.data.from_ in between]
    ended = [act for act in entry.ended if _concerns(act.get("between"), between)]

    terms: dict[str, list[int]] = {}
    doubtful: list[int] = []
    for notice in notices:
        _count(notice, register, readings, calendar_id, terms, doubtful)
    found = [Read(reading, min(moments)) for reading, moments in terms.items()]
    by_notice = [_start(act, register) for act in ended if act.data.cause == "notice"]
    firm = [_start(act, register) for act in ended if act.data.cause != "notice"]
    firm += [_start(act, register, "until") for act in entered if act.get("until") is not None]
    if by_notice:
        found.append(Read(RECORDED, min(by_notice)))
        doubtful = []
    if firm:
        day = min(firm)  # whatever the readings say, it is over by then
        found = [Read(read.reading, min(read.ends, day)) for read in found] or [Read(RECORDED, day)]
    return Standing(
        instrument_id,
        evidence(signed, entered, notices, ended),
        min((_start(act, register) for act in signed), default=None),
        min((_start(act, register) for act in entered), default=None),
        tuple(found),
        min(doubtful, default=None),
    )


def standing_of(asked: Asked) -> Standing:
    """The standing of the instrument of a rule: its param ``instrument`` (else that of its profile), its readings.

    An instrument that lives with another (``lives_with``) is in force no longer than that one.
    """
    profile = asked.profile.instrument
    own, partner = asked.register.own, asked.case.partner
    between = (profile.parties[0], profile.parties[1]) if len(profile.parties) == 2 else None
    if between is None and own and partner:  # of an instrument of several, the pair in question
        between = (own, partner)
    name = str(asked.param("instrument", profile.id))
    readings, days = asked.rule.readings, asked.profile.calendar
    held = standing(asked.register, name, readings, between, calendar_id=days)
    if name != profile.id or not profile.lives_with:
        return held
    return _within(held, standing(asked.register, profile.lives_with, readings, between, calendar_id=days))


def _within(held: Standing, frame: Standing) -> Standing:
    """A standing cut to that of the instrument it lives with."""
    begins = None if held.begins is None or frame.begins is None else max(held.begins, frame.begins)
    found = [
        Read(reading, int(min(_end_by(reading, held), _end_by(reading, frame))))
        for reading in dict.fromkeys(read.reading for read in (*frame.ends, *held.ends))
    ]
    doubtful = [moment for moment in (held.doubtful_from, frame.doubtful_from) if moment is not None]
    return Standing(
        held.instrument,
        evidence(held.acts, frame.acts),
        held.signed,
        begins,
        tuple(found),
        min(doubtful, default=None),
    )


def _end_by(reading: str, held: Standing) -> float:
    """Its end by a reading, by another where that one does not count it; infinite while no end is in sight."""
    own = next((read.ends for read in held.ends if read.reading == reading), held.last_end)
    return inf if own is None else own


def _count(
    notice: CaseAct,
    register: LegalRegister,
    readings: tuple[str, ...],
    calendar_id: str,
    terms: dict[str, list[int]],
    doubtful: list[int],
) -> None:
    """The ends that one notice leads to, or from when on it makes them doubtful."""
    zone = register.zone(notice.office)
    received = notice.data.received
    if received:
        for reading in readings:
            end = ends(reading, time_ms(received), zone, calendar_id=calendar_id)
            if end is None:
                doubtful.append(time_ms(received))
            else:
                terms.setdefault(reading, []).append(end)
        return
    # Not received before it was sent: the term cannot end earlier than one that began then.
    sent = notice.get("sent")
    earliest = None if sent is None else start_of(date.fromisoformat(sent), zone)
    counted = [] if earliest is None else [ends(r, earliest, zone, calendar_id=calendar_id) for r in readings]
    doubtful.append(min((end for end in counted if end is not None), default=notice.time))


def _start(act: CaseAct, register: LegalRegister, member: str = "date") -> int:
    return start_of(date.fromisoformat(act.get(member)), register.zone(act.office))


def _concerns(states: Any, between: tuple[str, str] | None) -> bool:
    return states is None or between is None or all(state in states for state in between)
