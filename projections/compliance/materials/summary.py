"""A material as one flat row: what a reviewer sees of it in a table, holder by holder.

::

    for material in summaries(case, register, rulebook):
        material.holders[0].state, material.accesses, material.not_allowed

Duties that go on are named by rule (``survives``): closing the request ends none, the end of an instrument only those
that the Parties released.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from projections.compliance.case import Case, CaseAct
from projections.compliance.materials.conditions import Condition, binds, conditions
from projections.compliance.materials.holding import GRADES, Scales, allowances, askings, spans
from projections.compliance.materials.opening import rulings
from projections.compliance.materials.region import Region, State, effective, regions
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Profile, Rulebook

MATERIAL_CHECKS = ("handled_first", "degree", "use", "conditions")
"""Checks of the duties about a material."""


class Holding(msgspec.Struct, frozen=True, gc=False):
    """A material at one holder; times in ms, 0: not yet."""

    holder: str
    state: State
    since: int
    received: bool
    """False: it sent the material, or nothing says how it came to have it."""
    degree_asked: str
    """Grade that counts now; ``unmapped`` where the profile does not know the degree; empty: none was asked."""
    degree_held: str
    """Grade of the handling in force; empty: none."""
    custodian: str
    access_list: tuple[str, ...]
    measures: tuple[str, ...]
    accesses: int
    not_allowed: int
    undetermined: int
    uses: int
    disclosures: int
    incidents: tuple[str, ...]
    """Sorts of what was reported."""
    gone: int
    used_after_erasure: int


class Material(msgspec.Struct, frozen=True, gc=False):
    """One material of a request."""

    request: str
    material: str
    sort: str
    supplier: str
    supplied_as: str
    under_confidentiality: bool
    purposes: tuple[str, ...]
    holders: tuple[Holding, ...]
    accesses: int
    not_allowed: int
    undetermined: int
    """Accesses of which it cannot be said."""
    uses: tuple[str, ...]
    """Purposes of uses and disclosures, in order: ``criminal_case/c-1``."""
    conditions: tuple[str, ...]
    """Of those that bind or are written on it: ``c-1:no_onward:accepted``."""
    consents: int
    """Granted."""
    consents_open: int
    """Asked for and not answered."""
    incidents: int
    survives: tuple[str, ...]
    """Rules whose duty goes on."""


def summaries(case: Case, register: LegalRegister, rulebook: Rulebook, material: str | None = None) -> list[Material]:
    """All materials of a request, or one of them, in the order in which they appeared."""
    by_name: dict[str, list[Region]] = {}
    for region in regions(case, material):
        by_name.setdefault(region.material, []).append(region)
    profiles = [profile for profile in rulebook.profiles if register.own in ("", *profile.instrument.parties)]
    scales: dict[str, dict[str, str]] = {}
    for profile in profiles:
        scales.update(profile.requests.get("scales", {}))
    return [_material(name, of, case, register, profiles, scales) for name, of in by_name.items()]


def _material(
    name: str, of: list[Region], case: Case, register: LegalRegister, profiles: list[Profile], scales: Scales
) -> Material:
    described = next((act for region in of if (act := region.description) is not None), None)
    data = None if described is None else described.data
    holders = tuple(_holding(region, case, register, scales) for region in of)
    used = sorted((act for region in of for act in region.used), key=effective)
    bound = [
        each for each in conditions(case) if not each.declined and any(binds(each, region, register) for region in of)
    ]
    return Material(
        request=case.subject,
        material=name,
        sort="" if data is None else data.sort,
        supplier="" if data is None else data.supplier,
        supplied_as="" if data is None else data.supplied_as,
        under_confidentiality=any(region.confidential for region in of),
        purposes=() if data is None else tuple(_purpose(each.purpose, each.case) for each in data.purposes),
        holders=holders,
        accesses=sum(each.accesses for each in holders),
        not_allowed=sum(each.not_allowed for each in holders),
        undetermined=sum(each.undetermined for each in holders),
        uses=tuple(_purpose(act.data.purpose, act.get("case")) for act in used),
        conditions=tuple(f"{each.id}:{each.sort or 'unknown'}:{_standing(each)}" for each in bound),
        consents=sum(1 for act in case.named("consent.answered") if act.data.granted and name in act.data.materials),
        consents_open=len(_open_consents(case, name)),
        incidents=sum(len(each.incidents) for each in holders),
        survives=tuple(dict.fromkeys(_survives(of, bound, register, profiles, holders))),
    )


def _holding(region: Region, case: Case, register: LegalRegister, scales: Scales) -> Holding:
    end = (1 + max(act.time for act in (*region.listing, region.first)), 0)
    handling = region.handling(end)
    asked = askings(case, region, scales, register.party)
    over_time = spans(region, asked, allowances(case, region, register.party))
    verdicts = [ruling.verdict for ruling in rulings(case, region)]
    gone = region.gone()
    unmapped = any(each.grade is None for each in asked)
    return Holding(
        holder=region.holder,
        state=region.state(),
        since=region.first.time,
        received=bool(region.receipts),
        degree_asked=GRADES[over_time[-1].asked] if over_time else "unmapped" if unmapped else "",
        degree_held="" if handling is None else handling.data.grade,
        custodian="" if handling is None else handling.data.custodian,
        access_list=tuple(region.persons(end)),
        measures=() if handling is None else tuple(handling.data.measures),
        accesses=len(verdicts),
        not_allowed=verdicts.count("not_allowed"),
        undetermined=verdicts.count("undetermined"),
        uses=sum(1 for act in region.used if act.name == "material.used"),
        disclosures=sum(1 for act in region.used if act.name == "material.disclosed"),
        incidents=tuple(act.data.sort for act in region.incidents),
        gone=0 if gone is None else gone.time,
        used_after_erasure=sum(1 for act in region.used if _erased_before(region, act)),
    )


def _erased_before(region: Region, act: CaseAct) -> bool:
    return any(effective(erasure) < effective(act) for erasure in region.erasures)


def _open_consents(case: Case, name: str) -> list[CaseAct]:
    """Requests for consent that no answer names, and that no later answer about the material can be meant by."""
    answers = [act for act in case.named("consent.answered") if name in act.data.materials]
    named = {act.get("answers") for act in answers}
    unnamed = [act for act in answers if act.get("answers") is None]
    return [
        act
        for act in case.named("consent.requested")
        if name in act.data.materials
        and act.id not in named
        and not any(effective(answer) > effective(act) for answer in unnamed)
    ]


def _standing(condition: Condition) -> str:
    if condition.written:
        return "written"
    if condition.lifted is not None:
        return "lifted"
    return "proposed" if condition.accepted is None else "accepted"


def _survives(
    of: list[Region],
    bound: list[Condition],
    register: LegalRegister,
    profiles: list[Profile],
    holders: tuple[Holding, ...],
) -> Iterator[str]:
    """Rules about the material whose duty some holder still has."""
    held = [region for region in of if region.gone() is None]
    for profile in profiles:
        released = {duty for act in register.instrument(profile.instrument.id).released for duty in act.data.duties}
        for rule in profile.rule:
            if rule.check not in MATERIAL_CHECKS or {rule.id, rule.id.partition(".")[0]} & released:
                continue
            if rule.check == "handled_first":
                goes_on = bool(held) and (rule.params.get("which") == "offices" or _confidential(held))
            elif rule.check == "degree":
                goes_on = any(each.degree_asked and not each.gone for each in holders)
            elif rule.check == "use":
                # Once learnt it can be used, though the paper is returned.
                goes_on = any(region.receipts for region in of)
            else:
                goes_on = bool(held) and any(each.accepted and not each.lifted for each in bound)
            if goes_on:
                yield rule.id


def _confidential(held: Iterable[Region]) -> bool:
    return any(region.receipts and region.confidential for region in held)


def _purpose(purpose: str, case: object) -> str:
    return f"{purpose}/{case}" if isinstance(case, str) else purpose
