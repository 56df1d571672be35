"""Judgement: what the rulebook says of one subject, given its case file and the register. Pure; no clock.

    judged = judge("request/2025-000123", file, register, rulebook)
    judged.findings            # each a timeline of verdicts
    judged.depends             # entries of the register that were looked at

Which rules are asked: those of every instrument between the own Party and the partner (and of an act that carries out
such an instrument, in the ledger of the Party that issued it), for the sort of subject, the kind of request and the way
it went.  Where the partner is not known the rules of all are asked and say what they miss.  What happened wholly before
an instrument was signed owes it nothing: only checks that ask for that themselves (``TIMED``) speak of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ledger.event import time_ms
from projections.compliance.case import Case, CaseAct
from projections.compliance.facts import CaseFile
from projections.compliance.faults import fault_of
from projections.compliance.kinds.base import CHECKS, COMPOSITE, TIMED, Asked
from projections.compliance.readings import end_of
from projections.compliance.register import SUBJECT, LegalRegister, local_day
from projections.compliance.rulebook import Profile, Rule, Rulebook
from projections.compliance.verdict import Finding, Step

REASON_COMPROMISED = "key_compromised"
SILENT = ("year", "register")
"""Sorts of subjects that are judged though no record speaks of them; of others nothing is asked before one does."""


class Judged(msgspec.Struct, frozen=True):
    """What the rulebook says of one subject."""

    subject: str
    findings: tuple[Finding, ...]
    register_seq: int
    depends: frozenset[str]


def judge(subject: str, file: CaseFile, register: LegalRegister, rulebook: Rulebook) -> Judged:
    """Judge one subject.

    Args:
        subject: its name; ``register`` is judged on the register's own file.
        file: its case file, cut to what was known.
        register: cut likewise; what stood later in it is not seen.
        rulebook: the rules.

    Raises:
        JudgementFault: the file cannot be read, or a rule failed on it.
    """
    return judge_case(register.case if subject == SUBJECT else read_case(subject, file), register, rulebook)


def read_case(subject: str, file: CaseFile) -> Case:
    """A case file as rules read it. Raises JudgementFault where that fails."""
    try:
        return Case(subject, file)
    except MemoryError:
        raise
    except Exception as error:  # whatever it is, it is a fault of the reading
        raise fault_of(error, subject, file.acts[-1].seq if file.acts else 0, "the reading of its file") from error


def judge_case(case: Case, register: LegalRegister, rulebook: Rulebook) -> Judged:
    """The same of a case that is read already.

    Raises:
        JudgementFault: a rule failed on it.
    """
    asking = _Asking()
    try:
        return _judge(case, register, rulebook, asking)
    except MemoryError:
        raise
    except Exception as error:  # whatever a rule lets out is a fault of its own, and says so
        seq = case.every[-1].seq if case.every else 0
        raise fault_of(error, case.subject, seq, str(asking)) from error


class _Asking:
    """What is being asked, for the case that it fails."""

    what = "the choice of rules"
    rule: Rule | None = None

    def __str__(self) -> str:
        return self.what if self.rule is None else f"rule {self.rule.id}"


def _judge(case: Case, register: LegalRegister, rulebook: Rulebook, asking: _Asking) -> Judged:
    asked, subject = register.asked(), case.subject
    if asked.looked is not None:
        asked.looked.add("rulebook")
    if not case.acts and case.sort not in SILENT:
        return Judged(subject, (), register.seq, frozenset(asked.looked or ()))
    firsts: list[Finding] = []
    later: list[tuple[Profile, Rule, frozenset[str]]] = []
    for profile in rulebook.profiles:
        if not _concerns(profile, case, asked):
            continue
        older = _older(profile, case, asked)
        for rule in profile.rule:
            if not _applies(rule, case):
                continue
            if (rule.kind, rule.check) in COMPOSITE:
                later.append((profile, rule, older))
                continue
            asking.rule = rule
            timed = (rule.kind, rule.check) in TIMED
            made = CHECKS[rule.kind, rule.check](Asked(case, asked, rule, profile))
            firsts.extend(each for each in made if timed or _reaches(each, subject, older))
    asking.what, asking.rule = "the doubt about keys", None
    firsts = _doubted(firsts, case, asked)
    for profile, rule, older in later:
        asking.rule = rule
        made = CHECKS[rule.kind, rule.check](Asked(case, asked, rule, profile, tuple(firsts)))
        firsts.extend([each for each in made if _reaches(each, subject, older)])
    found = tuple(sorted(firsts, key=lambda f: (f.rule, f.item)))
    return Judged(subject, found, register.seq, frozenset(asked.looked or ()))


def _concerns(profile: Profile, case: Case, register: LegalRegister) -> bool:
    parties = profile.instrument.parties
    if register.own and register.own not in parties:
        return False
    if register.own and profile.instrument.issued_by not in ("", register.own):
        return False
    if case.sort != "request":
        return True
    partner = case.partner or _seen_partner(case, register)
    if partner is None or not register.own or not profile.instrument.excluded:
        return partner is None or partner in parties
    first = case.opener or next(iter(case.acts), None)
    return profile.between(register.own, partner, "" if first is None else local_day(register, first).isoformat())


def _older(profile: Profile, case: Case, register: LegalRegister) -> frozenset[str]:
    """Acts of a request or meeting (ids) from before the instrument was signed, by the day of whoever's act each is."""
    day = profile.instrument.signed
    if not day or case.sort not in ("request", "meeting"):
        return frozenset()
    latest = end_of(date.fromisoformat(day), "Etc/GMT+12")  # it is that day nowhere any more
    return frozenset(act.id for act in case.acts if act.time < latest and local_day(register, act).isoformat() < day)


def _reaches(finding: Finding, subject: str, older: frozenset[str]) -> bool:
    """Whether a finding rests on an act that is not older than its instrument, which asks nothing of what is."""
    return not older or any(ref.subject == subject and ref.event not in older for ref in finding.evidence)


def _seen_partner(case: Case, register: LegalRegister) -> str | None:
    """The other state as the offices that acts name show it, where no content is known."""
    states = {
        register.party(code)
        for act in case.acts
        for code in (act.get("from_"), act.get("to"), act.office)
        if isinstance(code, str) and "-" in code
    }
    others = sorted(states - {register.own})
    return others[0] if len(others) == 1 else None


def _applies(rule: Rule, case: Case) -> bool:
    if case.sort not in rule.subjects:
        return False
    if case.sort != "request":
        return True
    if rule.direct_only and not case.direct:
        return False
    kind = case.kind
    if kind is None:
        return True
    return (not rule.kinds or kind in rule.kinds) and kind not in rule.not_kinds


def _doubted(findings: Iterable[Finding], case: Case, register: LegalRegister) -> list[Finding]:
    """Findings that rest on a record signed by nothing but keys that were compromised by then decide nothing."""
    here = {act.ref: act for act in case.every}
    return [
        _doubt(
            finding, [act for ref in finding.evidence if (act := here.get(ref) or register.by_ref.get(ref))], register
        )
        for finding in findings
    ]


def _doubt(finding: Finding, acts: Iterable[CaseAct], register: LegalRegister) -> Finding:
    revocations: list[CaseAct] = []
    for act in acts:
        found = [register.compromised(kid) for kid in act.kids]
        if found and all(r is not None and time_ms(r.data.effective) <= act.admitted for r in found):
            revocations.extend(r for r in found if r is not None)
    if not revocations:
        return finding
    refs = dict.fromkeys(r.ref for r in revocations if r.ref not in finding.evidence)
    return msgspec.structs.replace(
        finding,
        steps=(Step(finding.steps[0].at, "undetermined", REASON_COMPROMISED),),
        evidence=(*finding.evidence, *refs),
        marks=tuple(dict.fromkeys((*finding.marks, "key_compromised"))),
    )
