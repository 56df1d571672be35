"""Whether a material was used for what it was given for, or with prior consent, or was public anyway.

Two purposes are the same if code and case are equal; "another case" is another purpose; ``other`` equals nothing (all
our choice).  What a material was given for is what its supply says and, since the text speaks of the purposes "for
which they were requested", what the request says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from projections.compliance.case import CONTENT, Case, CaseAct, evidence
from projections.compliance.materials.region import Clock, Region
from projections.compliance.readings import day_of
from projections.compliance.register import LegalRegister
from projections.compliance.verdict import Verdict

Likeness = Literal["same", "other", "unclear"]
ORGANS = ("party", "coordinator")
"""Sorts of offices that may speak for a Party in a consent, beside the supplier itself."""


class Ruling(msgspec.Struct, frozen=True):
    """What is said of one use."""

    verdict: Verdict
    reason: str
    """A code of ``texts/purpose_limit.toml``."""
    acts: tuple[CaseAct, ...]
    """The use first."""
    consent: CaseAct | None = None
    missing: str = ""


def alike(use: CaseAct, stated: Any) -> Likeness:
    """Whether a use has a purpose that is stated somewhere."""
    if "other" in (use.data.purpose, stated.purpose):
        return "unclear"
    if use.data.purpose != stated.purpose:
        return "other"
    case, of = use.get("case"), getattr(stated, "case", None)
    named = None if not isinstance(of, str) else of
    if case == named:
        return "same"
    return "unclear" if case is None else "other"


def given_for(case: Case, region: Region) -> tuple[list[Any], list[Any]]:
    """Purposes for which a material was supplied, and those for which the request asks."""
    supplied = [purpose for act in region.described for purpose in act.data.purposes]
    said = [purpose for act in case.named(*CONTENT) for purpose in act.get("purposes") or ()]
    return supplied, said


def text_of(purposes: Iterable[Any]) -> str:
    """Purposes as a reader sees them: ``criminal_case/c-1``."""
    found = dict.fromkeys(
        purpose.purpose + (f"/{purpose.case}" if isinstance(getattr(purpose, "case", None), str) else "")
        for purpose in purposes
    )
    return ", ".join(found) or "—"


def weigh(case: Case, region: Region, use: CaseAct, register: LegalRegister, clock: Clock) -> Ruling:
    """What is said of a use or disclosure, whoever's duty it is."""
    supplied, said = given_for(case, region)
    if any(alike(use, purpose) == "same" for purpose in supplied):
        return Ruling("met", "same_purpose", evidence(use, region.described))
    if any(alike(use, purpose) == "same" for purpose in said):
        return Ruling("met", "requested_for", evidence(use, region.described, case.content))
    public = use.get("public")
    proven = public is not None and public.evidence.filled and _checked_by(use, region, public, register)
    if proven:
        return Ruling("met", "public", evidence(use, region.described))
    ruling = _consented(case, region, use, register, clock)
    if ruling.verdict != "breached":
        return ruling
    unclear = _unclear(region, use, supplied, said)
    if public is not None:
        unclear = "public_unproven", "proof that it was public when it was used"
    if unclear is None:
        return ruling
    return msgspec.structs.replace(ruling, verdict="undetermined", reason=unclear[0], missing=unclear[1])


def _unclear(region: Region, use: CaseAct, supplied: Sequence[Any], said: Sequence[Any]) -> tuple[str, str] | None:
    """Why a use without consent is not shown to be for another purpose: reason and what is missing."""
    if not region.described:
        return "no_supply", f"supply of {region.material}"
    if use.data.purpose == "other":
        return "purpose_other", ""
    stated = [*supplied, *said]
    if not stated:
        return "no_purpose", f"purpose of the supply of {region.material}"
    if any(alike(use, purpose) == "unclear" for purpose in stated):
        in_case = any(purpose.purpose == use.data.purpose for purpose in stated)
        return ("case_unknown", f"case of the use {use.id}") if in_case else ("purpose_other", "")
    return None


def _checked_by(use: CaseAct, region: Region, public: Any, register: LegalRegister) -> bool:
    """Whether it was looked up before the use; a later look shows that it is public now, not that it was."""
    return str(public.checked) <= day_of(use.time, register.zone(region.holder)).isoformat()


def _consented(case: Case, region: Region, use: CaseAct, register: LegalRegister, clock: Clock) -> Ruling:
    answers = [
        act
        for act in case.named("consent.answered")
        if region.material in act.data.materials and _of_supplier(act, region, register)
    ]
    full = [act for act in answers if any(alike(use, purpose) == "same" for purpose in act.data.purposes)]
    last = max((act for act in full if clock(act) < clock(use)), key=clock, default=None)
    about = evidence(use, region.described)
    if last is not None:
        verdict, reason = _answered(last, region, use, register)
        return Ruling(verdict, reason, evidence(about, last), last)
    wide = [act for act in answers if act.data.granted and clock(act) < clock(use) and _wide(use, act)]
    if wide:
        return Ruling("undetermined", "consent_scope", evidence(about, wide), wide[-1])
    if full:
        return Ruling("breached", "consent_after", evidence(about, full[0]), full[0])
    return Ruling("breached", "no_consent", about)


def _answered(answer: CaseAct, region: Region, use: CaseAct, register: LegalRegister) -> tuple[Verdict, str]:
    """What the last answer before a use, which names its purpose, says of it."""
    if not answer.data.granted:
        return "breached", "consent_refused"
    until = answer.get("until")
    if until is not None and day_of(use.time, register.zone(answer.office)).isoformat() > until:
        return "breached", "consent_expired"
    if not answer.data.written or not _organ(answer, region, register):
        return "undetermined", "consent_doubtful"
    return "met", "consented"


def _wide(use: CaseAct, answer: CaseAct) -> bool:
    """Whether a consent may be meant for the use: it names the purpose and no case, or ``other``, or no purpose."""
    stated = answer.data.purposes
    return not stated or any(
        purpose.purpose == "other" or (purpose.purpose == use.data.purpose and not isinstance(purpose.case, str))
        for purpose in stated
    )


def _of_supplier(answer: CaseAct, region: Region, register: LegalRegister) -> bool:
    """Whether it is an answer of the Party that supplied the material; nobody else can consent."""
    return region.supplier is None or register.party(answer.data.by) == register.party(region.supplier)


def _organ(answer: CaseAct, region: Region, register: LegalRegister) -> bool:
    """Whether the office that answers may speak for its Party: the supplier, the Party's office, its coordinator."""
    by = str(answer.data.by)
    if by == region.supplier:
        return True
    entry = register.office(by)
    if entry is not None and entry.sort in ORGANS:
        return True
    return by in register.coordinators(register.party(by), day_of(answer.time, register.zone(by)))
