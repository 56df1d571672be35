"""Whether each access to a material was allowed: handled before, and by a person on the access list of that moment."""

from __future__ import annotations

from typing import Literal

import msgspec

from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.materials.region import Clock, Region, by_both_clocks, complete, effective, regions
from projections.compliance.verdict import Mark, Ref

Allowed = Literal["allowed", "not_allowed", "undetermined"]


class Ruling(msgspec.Struct, frozen=True):
    """What is said of one access."""

    verdict: Allowed
    reason: str
    """A code of ``texts/ordering.toml``."""
    acts: tuple[CaseAct, ...]
    """The access first."""
    marks: tuple[Mark, ...] = ()


class Access(msgspec.Struct, frozen=True):
    """One access to a material."""

    at: int
    """Effective time, ms."""
    material: str
    holder: str
    person: str
    how: str
    purpose: str
    verdict: Allowed
    reason: str
    evidence: tuple[Ref, ...]
    marks: tuple[Mark, ...] = ()


def accesses(case: Case, material: str | None = None) -> list[Access]:
    """Every access to a material (to all of the request), by effective time, and whether each was allowed."""
    opened = sorted(
        ((region, ruling) for region in regions(case, material) for ruling in rulings(case, region)),
        key=lambda pair: effective(pair[1].acts[0]),
    )
    found = []
    for region, ruling in opened:
        act = ruling.acts[0]
        marks = dict.fromkeys([*ruling.marks, *(mark for each in ruling.acts for mark in each.marks())])
        data = act.data
        refs = tuple(each.ref for each in ruling.acts)
        found.append(
            Access(
                act.time,
                region.material,
                region.holder,
                data.person,
                data.how,
                data.purpose,
                ruling.verdict,
                ruling.reason,
                refs,
                tuple(marks),
            )
        )
    return found


def rulings(case: Case, region: Region) -> tuple[Ruling, ...]:
    """What is said of each access to a region, by effective time; made once, since several rules ask."""
    key = ("rulings", region.material, region.holder)
    found: tuple[Ruling, ...] | None = case.memo.get(key)
    if found is None:
        found = case.memo[key] = tuple(_ruling(region, act) for act in sorted(region.accessed, key=effective))
    return found


def _ruling(region: Region, access: CaseAct) -> Ruling:
    ruling, marks = by_both_clocks(
        lambda clock: _weigh(region, access, clock), lambda each: each.verdict, in_order=region.in_order
    )
    return msgspec.structs.replace(ruling, marks=marks) if marks else ruling


def _weigh(region: Region, access: CaseAct, clock: Clock) -> Ruling:
    moment = clock(access)
    handling = region.handling(moment, clock)
    if handling is None:
        later = min((act for act in region.listing if act.name == "handling.set"), key=clock, default=None)
        return Ruling("not_allowed", "opened_unhandled", evidence(access, later))
    gone = min(region.disposals, key=clock, default=None)
    if gone is not None and clock(gone) < moment:
        return Ruling("undetermined", "opened_after_disposal", evidence(access, gone, handling))
    # By its own law a holder may have to open a material to others, or protect it less, than it says here.
    fault: Allowed = "undetermined" if handling.filled("law_limit") else "not_allowed"
    if not complete(handling):
        return Ruling(fault, _limited("handling_incomplete", fault), evidence(access, handling))
    put = region.persons(moment, clock).get(access.data.person)
    if put is None:
        changes = [act for act in region.listing if clock(handling) <= clock(act) <= moment]
        return Ruling(fault, _limited("not_listed", fault), evidence(access, handling, changes))
    return Ruling("allowed", "listed", evidence(access, handling, put))


def _limited(reason: str, verdict: Allowed) -> str:
    return "law_limit" if verdict == "undetermined" else reason
