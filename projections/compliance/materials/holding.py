"""The degree of confidentiality asked of a holder and the degree at which it held a material, over time.

Grades (our choice, Agr. 9(2) names degrees but no scale): ``open`` < ``restricted`` < ``confidential`` < ``strict``.  A
degree of a partner's scale becomes one of them by the profile's ``scales``.  Of several requests for a degree the
highest counts that the supplying Party has not released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ledger.event import time_ms
from projections.compliance.case import Case, CaseAct
from projections.compliance.materials.region import Clock, Moment, Region, effective

GRADES = ("open", "restricted", "confidential", "strict")
Scales = Mapping[str, Mapping[str, str]]
Party = Callable[[str], str]
"""The state of an office."""


class Asking(msgspec.Struct, frozen=True):
    """A request for a degree."""

    act: CaseAct
    degree: str
    """As asked: ``kz:dsp``."""
    grade: int | None
    """Of ours; None: the profile does not map that degree."""


class Span(msgspec.Struct, frozen=True):
    """A time in which neither the degree asked nor the one held changed."""

    since: int
    """ms."""
    until: int | None
    """Exclusive; None: it goes on."""
    asked: int
    held: int | None
    """None: unhandled and unopened, so nothing was held and nobody saw it."""
    acts: tuple[CaseAct, ...]
    """What set the two."""
    law_limit: bool = False
    """Whether the holder said that its own law limits the degree (Agr. 9(2): "in accordance with" it)."""

    @property
    def short(self) -> bool:
        """Whether less was held than asked."""
        return self.held is not None and self.held < self.asked


def askings(case: Case, region: Region, scales: Scales, party: Party) -> tuple[Asking, ...]:
    """Requests for a degree that bind the holder: those of the other Party, with the supply or later."""
    found: list[Asking] = []
    for act in region.described:
        degree = act.get("degree")
        if degree is not None and party(act.data.supplier) != party(region.holder):
            found.append(_asking(act, degree, scales))
    later = [
        _asking(act, act.data.degree, scales)
        for act in case.named("degree.requested")
        if region.material in act.data.materials and party(act.data.by) != party(region.holder)
    ]
    return (*found, *later)


def allowances(case: Case, region: Region, party: Party) -> tuple[CaseAct, ...]:
    """Allowances of a lower grade that count for the holder: those of the other Party."""
    return tuple(
        act
        for act in case.named("downgrade.allowed")
        if region.material in act.data.materials and party(act.data.by) != party(region.holder)
    )


def spans(
    region: Region,
    asked: Iterable[Asking],
    lower: Iterable[CaseAct],
    clock: Clock = effective,
    until: int | None = None,
) -> tuple[Span, ...]:
    """What was asked and what was held, from the first request that reached the holder until the material was gone.

    Args:
        region: of the holder.
        asked: those whose degree is mapped count.
        lower: allowances.
        clock: by which all is put in order.
        until: when the duty ended (ms), if it did.
    """
    reached = [(_reached(each.act, region, clock), each) for each in asked if each.grade is not None]
    allowed = [(_told(act, clock), act) for act in lower]
    gone = region.gone(clock)
    ends = min((m for m in (until, None if gone is None else clock(gone)[0]) if m is not None), default=None)
    handled = [clock(act) for act in region.listing if act.name == "handling.set"]
    opened = min((clock(act) for act in region.accessed), default=None)
    points = sorted({*(m for m, _ in reached), *(m for m, _ in allowed), *handled, *([opened] if opened else [])})
    found: list[Span] = []
    for place, moment in enumerate(points):
        after = points[place + 1][0] if place + 1 < len(points) else None
        stop = min((m for m in (after, ends) if m is not None), default=None)
        if stop is not None and stop <= moment[0]:
            continue
        span = _span(region, reached, allowed, opened, moment, stop, clock)
        if span is not None:
            found.append(span)
    return tuple(found)


def _span(
    region: Region,
    reached: Iterable[tuple[Moment, Asking]],
    allowed: list[tuple[Moment, CaseAct]],
    opened: Moment | None,
    moment: Moment,
    stop: int | None,
    clock: Clock,
) -> Span | None:
    most = -1
    acts: tuple[CaseAct, ...] = ()
    for came, each in reached:
        if came > moment or each.grade is None:
            continue
        grade = each.grade
        why: tuple[CaseAct, ...] = (each.act,)
        for told, act in allowed:
            # An allowance releases from what was asked before it, not from what is asked later.
            if clock(each.act) < clock(act) and told <= moment and GRADES.index(act.data.to) < grade:
                grade, why = GRADES.index(act.data.to), (each.act, act)
        if grade > most:
            most, acts = grade, why
    if most < 0:
        return None
    handling = region.handling(moment, clock)
    if handling is not None:
        held: int | None = GRADES.index(handling.data.grade)
        return Span(moment[0], stop, most, held, (handling, *acts), handling.filled("law_limit"))
    if opened is not None and opened <= moment:
        return Span(moment[0], stop, most, 0, (*acts, *_first(region.accessed, clock)))
    return Span(moment[0], stop, most, None, acts)


def _first(acts: Iterable[CaseAct], clock: Clock) -> tuple[CaseAct, ...]:
    found = min(acts, key=clock, default=None)
    return () if found is None else (found,)


def _asking(act: CaseAct, degree: Any, scales: Scales) -> Asking:
    grade = scales.get(degree.scale, {}).get(degree.value)
    return Asking(act, f"{degree.scale}:{degree.value}", None if grade is None else GRADES.index(grade))


def _told(act: CaseAct, clock: Clock) -> Moment:
    """When it reached the holder: as recorded, else when it was done."""
    received = act.get("received_on")
    if received is not None and clock is effective:
        return max(time_ms(received), act.time), act.seq
    return clock(act)


def _reached(act: CaseAct, region: Region, clock: Clock) -> Moment:
    """A degree asked before the material arrived binds from its arrival on."""
    came = min((clock(each) for each in region.receipts), default=None)
    told = clock(act) if act in region.receipts else _told(act, clock)
    return told if came is None else max(told, came)
