"""Conditions of the supplying side: which bind, from when until when, and whether each was kept.

A condition is a restriction beside the degree, not a further grade.  It binds when it was accepted (Agr. 7(2)); it
lives until it is lifted, until its day has passed, or until the material is gone.  Tested by sort (our choice)::

    sort             kept while
    purpose_only     it is opened and used for the purposes it was given for, or with consent
    no_onward        nobody passes it on
    named_persons    only persons on the access list open it (their names are sealed; the list stands for them)
    no_publication   no use or disclosure is a public statement
    return_by        it is returned by the end of that day, in the holder's zone
    destroy_by       it is destroyed by then
    notify_use       each use was announced to the supplier before (a request for consent does so)
    other            never decided by a machine
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.materials import using
from projections.compliance.materials.region import Clock, Moment, Region, regions
from projections.compliance.readings import end_of
from projections.compliance.register import LegalRegister
from projections.compliance.verdict import Verdict

DISCHARGED = ("disposed", "disposed_late")
"""Reasons that say that a dated condition asks for nothing more."""
DATED = {"return_by": "returned", "destroy_by": "destroyed"}


class Condition(msgspec.Struct, frozen=True):
    """A condition as proposed and answered, or as only written on a material."""

    id: str
    sort: str
    """Empty: it was answered, its proposal is not recorded."""
    acts: tuple[CaseAct, ...]
    """Proposal, answer, lifting; or the supply on which it is written."""
    accepted: CaseAct | None = None
    declined: bool = False
    lifted: CaseAct | None = None
    until: str = ""
    """ISO day; its last one."""
    materials: tuple[str, ...] | None = None
    """None: all that its author supplied in the request."""
    written: bool = False
    """Whether it is only written on the material."""

    @property
    def author(self) -> str:
        """Office that set it."""
        act = self.acts[0]
        return str(act.data.supplier) if self.written else act.office


class Outcome(msgspec.Struct, frozen=True):
    """What one act, or the lack of one, says of a condition."""

    verdict: Verdict
    reason: str
    """A code of ``texts/survival.toml``."""
    acts: tuple[CaseAct, ...] = ()
    missing: str = ""
    ends: int | None = None
    """Of an ``open`` one: from when on it is breached (ms)."""


def conditions(case: Case) -> tuple[Condition, ...]:
    """All conditions of a request: proposed or answered ones, then those only written on materials."""
    found: dict[str, list[CaseAct]] = {}
    for act in case.named("condition.proposed", "condition.answered", "condition.lifted"):
        found.setdefault(act.data.condition, []).append(act)
    return (*(_agreed(id_, acts) for id_, acts in found.items()), *_written(case))


def _agreed(id_: str, acts: list[CaseAct]) -> Condition:
    proposals = [act for act in acts if act.name == "condition.proposed"]
    answers = [act for act in acts if act.name == "condition.answered"]
    lifted = next((act for act in acts if act.name == "condition.lifted"), None)
    proposal = proposals[-1] if proposals else None
    answer = max(answers, key=lambda act: act.order, default=None)
    of = None if proposal is None else proposal.get("materials")
    return Condition(
        id_,
        "" if proposal is None else proposal.data.sort,
        evidence(proposal, answer, lifted, acts[:1]),
        accepted=answer if answer is not None and answer.data.accepted else None,
        declined=answer is not None and not answer.data.accepted,
        lifted=lifted,
        until="" if proposal is None else proposal.get("until") or "",
        materials=None if of is None else tuple(of),
    )


def _written(case: Case) -> Iterator[Condition]:
    """Conditions on a supply that nobody put as a condition of assistance; twice the same counts once."""
    seen: set[tuple[str, str]] = set()
    for act in case.named("material.received", "material.sent"):
        for sort in act.get("conditions") or ():
            key = (act.data.material, sort)
            if key not in seen:
                seen.add(key)
                yield Condition(f"{key[0]}:{sort}", sort, (act,), materials=(key[0],), written=True)


def outcomes(
    condition: Condition, case: Case, register: LegalRegister, clock: Clock, released: int | None
) -> list[Outcome]:
    """What the acts of the bound side say of a condition; empty: there was nothing by which it could be broken.

    Args:
        condition: one that binds, or that is written on a material.
        case: the request.
        register: says whose office is whose.
        clock: by which all is put in order.
        released: when the Parties ended the duty (ms), if they did.
    """
    held = [region for region in regions(case) if binds(condition, region, register)]
    if condition.sort in DATED:
        return [_dated(condition, region, register, clock, released) for region in held]
    found: list[Outcome] = []
    for region in held:
        begins = clock(condition.accepted or condition.acts[0])
        ends = _ends(condition, region, register, clock, released)
        live = [
            act
            for act in sorted((*region.accessed, *region.used), key=clock)
            if begins <= clock(act) and (ends is None or clock(act) < ends)
        ]
        found += [each for act in live for each in _tested(condition, case, region, act, register, clock)]
    if condition.sort in ("other", ""):
        missing = "sort of the condition" if not condition.sort else ""
        return [Outcome("undetermined", "not_decidable" if condition.sort else "no_proposal", missing=missing)]
    return found


def binds(condition: Condition, region: Region, register: LegalRegister) -> bool:
    """Whether the holder is bound: it is not of the side that set the condition, which covers the material."""
    if condition.sort and register.party(region.holder) == register.party(condition.author):
        return False
    if condition.materials is not None:
        return region.material in condition.materials
    supplier = region.supplier
    return supplier is None or register.party(supplier) == register.party(condition.author)


def _ends(
    condition: Condition, region: Region, register: LegalRegister, clock: Clock, released: int | None
) -> Moment | None:
    """The end of its life for a region."""
    moments: list[Moment] = []
    if condition.lifted is not None:
        moments.append(clock(condition.lifted))
    if condition.until:
        moments.append((end_of(date.fromisoformat(condition.until), register.zone(region.holder)), 0))
    if released is not None:
        moments.append((released, 0))
    if region.disposals:
        moments.append(min(clock(act) for act in region.disposals))
    return min(moments, default=None)


def _dated(
    condition: Condition, region: Region, register: LegalRegister, clock: Clock, released: int | None
) -> Outcome:
    """A condition that asks for an act by a day."""
    how = DATED[condition.sort]
    due = condition.until
    ends = None if not due else end_of(date.fromisoformat(due), register.zone(region.holder))
    done = [act for act in region.disposals if act.data.how == how]
    first = min(done, key=clock, default=None)
    if first is not None:
        late = ends is not None and clock(first)[0] >= ends
        return Outcome("breached", "disposed_late", (first,)) if late else Outcome("met", "disposed", (first,))
    if condition.lifted is not None and (ends is None or clock(condition.lifted)[0] < ends):
        return Outcome("met", "lifted", (condition.lifted,))
    if released is not None and (ends is None or released < ends):
        return Outcome("met", "released")
    if region.disposals:
        # What was destroyed can no longer be returned; what was returned may be destroyed by whoever has it.
        lost = condition.sort == "return_by"
        return Outcome("breached" if lost else "undetermined", "disposed_otherwise", region.disposals[:1])
    if ends is None:
        return Outcome("undetermined", "no_date", region.supplied[:1], missing=f"day of condition {condition.id}")
    return Outcome("open", "not_due", region.supplied[:1], ends=ends)


def _tested(
    condition: Condition, case: Case, region: Region, act: CaseAct, register: LegalRegister, clock: Clock
) -> Iterable[Outcome]:
    """What one access, use or disclosure says of a condition of its sort; nothing where it has no bearing on it."""
    used = act.name != "material.accessed"
    if condition.sort == "purpose_only":
        yield _for_purpose(case, region, act, register, clock)
    elif condition.sort == "named_persons" and not used:
        listed = act.data.person in region.persons(clock(act), clock)
        yield Outcome("met", "by_named", (act,)) if listed else Outcome("breached", "not_named", (act,))
    elif condition.sort == "no_onward" and act.name == "material.disclosed":
        yield Outcome("breached", "passed_on", (act,))
    elif condition.sort == "no_publication" and used and act.data.purpose == "public_statement":
        yield Outcome("breached", "published", (act,))
    elif condition.sort == "notify_use" and used:
        told = [
            ask
            for ask in case.named("consent.requested")
            if region.material in ask.data.materials
            and clock(ask) < clock(act)
            and any(using.alike(act, purpose) == "same" for purpose in ask.data.purposes)
        ]
        if told:
            yield Outcome("met", "announced", (act, told[-1]))
        else:
            yield Outcome("undetermined", "not_announced", (act,), missing=f"notice of the use {act.id}")


def _for_purpose(case: Case, region: Region, act: CaseAct, register: LegalRegister, clock: Clock) -> Outcome:
    """Purpose of an access (its code) or of a use. That it was public is no exception to a condition."""
    if act.name == "material.accessed":
        supplied, said = using.given_for(case, region)
        codes = {purpose.purpose for purpose in (*supplied, *said)}
        if act.data.purpose == "other" or not codes or (act.data.purpose not in codes and "other" in codes):
            return Outcome("undetermined", "purpose_unclear", (act,))
        if act.data.purpose in codes:
            return Outcome("met", "for_purpose", (act,))
        return Outcome("breached", "other_purpose", (act,))
    ruling = using.weigh(case, region, act, register, clock)
    if ruling.verdict == "met" and ruling.reason != "public":
        return Outcome("met", "for_purpose", ruling.acts)
    if ruling.verdict == "breached":
        return Outcome("breached", "other_purpose", ruling.acts)
    return Outcome("undetermined", "purpose_unclear", ruling.acts, missing=ruling.missing)
