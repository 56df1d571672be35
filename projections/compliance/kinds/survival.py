"""Rule kind ``survival``: was a duty kept that outlives its occasion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.composite import compose
from projections.compliance.kinds.base import Asked, check
from projections.compliance.materials.conditions import DATED, DISCHARGED, Condition, Outcome, conditions, outcomes
from projections.compliance.materials.region import by_both_clocks, regions
from projections.compliance.materials.release import Release, release_of
from projections.compliance.readings import day_of, end_of
from projections.compliance.takes import READINGS, WORDS, Takes, needed
from projections.compliance.termination import Standing, standing_of
from projections.compliance.verdict import WORST, Finding, Ref, Step

NONE = "—"


@check("survival", "conditions", takes=Takes({"term": READINGS}))
def kept_conditions(asked: Asked) -> Iterator[Finding]:
    """Each condition of assistance that was accepted is kept by the side that accepted it, until its end.

    A row per condition that was proposed and not declined; of one that the supplier only wrote on a material a row
    where it is not kept.

    Params:
        term: readings by which a notice ends the instrument, for a release.
    """
    found = [each for each in conditions(asked.case) if not each.declined]
    released = release_of(asked) if found else None
    for condition in found:
        if not (condition.written and any(_agreed_too(each, condition) for each in found)):
            yield from _condition(asked, condition, released)


def _agreed_too(agreed: Condition, written: Condition) -> bool:
    """Whether what is written on a material was accepted as a condition as well."""
    covers = agreed.materials is None or set(written.materials or ()) <= set(agreed.materials)
    return agreed.accepted is not None and agreed.sort == written.sort and covers


def _condition(asked: Asked, condition: Condition, released: Release | None) -> Iterator[Finding]:
    until = None if released is None or released.part else released.at
    results, marks = by_both_clocks(
        lambda clock: outcomes(condition, asked.case, asked.register, clock, until),
        lambda each: _worst(each).verdict,
    )
    worst = _in_part(_worst(results), released)
    steps: tuple[Step, ...] = ()
    if condition.written:
        if worst.verdict not in ("breached", "undetermined") or worst.reason in ("no_date", "not_decidable"):
            return
        worst = msgspec.structs.replace(worst, verdict="undetermined", reason="only_written")
    elif condition.accepted is None:
        worst = Outcome("undetermined", "not_accepted", missing=f"answer to condition {condition.id}")
    else:
        steps = _steps(results, worst, condition.accepted.time)
    acts = evidence(
        worst.acts,
        condition.acts,
        *((each.acts for each in results) if worst.verdict == "met" else ()),
        () if released is None else released.acts,
    )
    bound = _bound(asked, condition, worst)
    yield asked.finding(
        worst.verdict,
        worst.reason,
        rests_on=acts,
        item=condition.id,
        bound=bound,
        marks=marks,
        missing=worst.missing,
        steps=steps,
        at=worst.acts[0].time if worst.verdict == "breached" and worst.acts else None,
        values={
            "sort": condition.sort or NONE,
            "accepted": _day(asked, condition.accepted, bound),
            "until": condition.until or NONE,
            "by": f"{worst.acts[0].name} {worst.acts[0].id}" if worst.acts else NONE,
        },
    )


def _steps(results: Sequence[Outcome], worst: Outcome, since: int) -> tuple[Step, ...]:
    """Where something is still to be done by a day: broken from then on, whatever else is said until then."""
    ends = [each.ends for each in results if each.verdict == "open" and each.ends is not None]
    if not ends or worst.verdict == "breached":
        return ()
    return Step(since, worst.verdict, worst.reason), Step(max(min(ends), since), "breached", "not_disposed")


def _in_part(worst: Outcome, released: Release | None) -> Outcome:
    """What was done after a release of a part of the duty, which may be that part."""
    if released is None or not released.part or worst.verdict != "breached":
        return worst
    if max((act.time for act in worst.acts), default=0) < released.at:
        return worst
    return msgspec.structs.replace(worst, verdict="undetermined", reason="released_in_part")


def _worst(results: Sequence[Outcome]) -> Outcome:
    """The first of the worst verdict; of open ones the one that ends first; none at all: kept."""
    ranked = sorted(results, key=lambda each: (WORST.index(each.verdict), each.ends or 0))
    return ranked[0] if ranked else Outcome("met", "kept")


def _bound(asked: Asked, condition: Condition, worst: Outcome) -> str:
    """Who is bound: who did what decides, else who accepted it, else the requesting office."""
    for act in worst.acts[:1]:
        holder = act.get("holder") or act.get("by") or act.office
        if asked.register.party(str(holder)) != asked.register.party(condition.author):
            return str(holder)
    if condition.accepted is not None:
        return condition.accepted.office
    return str(asked.case.said("requesting") or "")


@check(
    "survival",
    "after_termination",
    composite=True,
    takes=Takes({"duties": needed(WORDS), "continuing": WORDS, "until_gone": WORDS}, readings=True),
)
def after_termination(asked: Asked) -> Iterator[Finding]:
    """Duties that arose while the instrument was in force are kept after its end, unless the Parties release them.

    A row per duty that arose before the end and was not discharged by then: the worst of its findings from the end on.
    Before the end the row says that the instrument is still in force.

    Params:
        duties: rules that may outlive it.
        continuing: those of them that no act discharges.
        until_gone: those of them that end with the disposal or erasure of the material.
    """
    duties = [name for name in asked.param("duties", ()) if any(each.rule == name for each in asked.before)]
    if not duties:
        return
    held = standing_of(asked)
    if held.first_end is None:
        return
    here = {act.ref: act for act in asked.case.every}
    for name in duties:
        parts = [each for each in asked.before if each.rule == name and _outlives(asked, each, here, held)]
        if not parts:
            continue
        released = release_of(asked, name, held)
        if released is not None:
            parts = _unreleased(parts, released)
        if parts:
            yield _after(asked, name, parts, held, released)


def _after(asked: Asked, name: str, parts: Sequence[Finding], held: Standing, released: Release | None) -> Finding:
    end = held.first_end or 0
    zone = asked.register.zone(parts[0].bound)
    made = compose(asked.rule.id, parts, zone, item=name, also=[act.ref for act in held.acts])
    begun = min(each.steps[0].at for each in parts)
    later = tuple(step for step in made.steps if step.at > end)
    steps = (Step(end, made.at(end).verdict, made.at(end).reason), *later)
    if released is not None:  # of a part only, or what stands is from before it
        made = msgspec.structs.replace(
            made, evidence=tuple(dict.fromkeys([*made.evidence, *(act.ref for act in released.acts)]))
        )
        if released.part:
            steps = _doubted_from(steps, released.at)
    steps = (Step(min(begun, end - 1), "met", "in_force"), *steps)
    return msgspec.structs.replace(made, steps=steps, values={**made.values, "ended": day_of(end, zone).isoformat()})


def _doubted_from(steps: tuple[Step, ...], at: int) -> tuple[Step, ...]:
    """From a release in part on nothing can be said, but that what was broken before it stays broken."""
    before = tuple(step for step in steps if step.at < at)
    if before and before[-1].verdict == "breached":
        return before
    return *before, Step(at, "undetermined", "released_in_part")


def _unreleased(parts: Sequence[Finding], released: Release) -> list[Finding]:
    """What is left of a duty that the Parties released: what was broken before."""
    if released.part:
        return list(parts)
    return [each for each in parts if each.steps[-1].verdict == "breached"
            and each.steps[-1].at < released.at]  # fmt: skip


def _outlives(asked: Asked, part: Finding, here: dict[Ref, CaseAct], held: Standing) -> bool:
    """Whether a duty arose before the end, and was not discharged by then."""
    end = held.first_end or 0
    acts = [act for ref in part.evidence if (act := here.get(ref)) is not None]
    if not acts or min(act.time for act in acts) >= (held.last_end or end):
        return False
    if part.rule in asked.param("continuing", ()):
        return not _over(asked, part, end)
    return part.at(end - 1).verdict == "open" or max(act.time for act in acts) >= end


def _over(asked: Asked, part: Finding, end: int) -> bool:
    """Whether a continuing duty was over before the end: its material was gone, or its condition had come to an end."""
    if part.rule in asked.param("until_gone", ()):
        material = part.item.partition("@")[0]
        gone = [each.gone() for each in regions(asked.case, material) if each.holder == part.bound]
        return bool(gone) and all(act is not None and act.time < end for act in gone)
    condition = next((each for each in conditions(asked.case) if each.id == part.item), None)
    if condition is None:
        return False
    if condition.lifted is not None:
        return condition.lifted.time < end
    if condition.sort in DATED:
        return part.steps[-1].reason in DISCHARGED and part.steps[-1].at < end
    last = condition.until
    return bool(last) and end_of(date.fromisoformat(last), asked.register.zone(part.bound)) <= end


def _day(asked: Asked, act: CaseAct | None, office: str) -> str:
    return NONE if act is None else day_of(act.time, asked.register.zone(office or act.office)).isoformat()
