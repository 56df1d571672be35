"""Oral requests and their confirmation in writing (kind ``deadline``).

A request by word of mouth is confirmed by ``request.confirmed``, or by sending a signed text of it.  Of a partner's
confirmation the ledger may know only when it arrived (an act that carries nothing but its receipt): what arrived within
the term was sent within it; what arrived later may have been.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ledger.event import time_ms
from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.readings import DAY_MS
from projections.compliance.register import LegalRegister
from projections.compliance.requests import is_written, minute, passages
from projections.compliance.takes import TERM, Takes, one_of
from projections.compliance.verdict import Finding, Mark, Read, Step, Verdict

HOUR_MS = DAY_MS // 24


class Confirmation(NamedTuple):
    """How an oral request was confirmed: by what, and whether in time by the readings of the rule."""

    act: CaseAct
    at: int
    """When, as far as it is known (ms): its receipt where ``only_receipt``."""
    only_receipt: bool
    verdict: Verdict
    readings: tuple[Read, ...]
    marks: tuple[Mark, ...]


def confirmation(asked: Asked, spoken: CaseAct) -> Confirmation | None:
    """What confirmed an oral request; None: nothing did, as far as the ledger knows.

    By param ``moment`` of the rule it is its sending (``sent``, the default) or its receipt (``received``) that has to
    be in time; a receipt that is not known leaves the verdict open to both (``undetermined``).
    """
    found = _confirming(asked.case, asked.register, spoken)
    if found is None:
        return None
    act, only_receipt = found
    reads = asked.ends(spoken.time, asked.register.zone(spoken.office))
    if not reads:  # No reading of the term can be counted: the calendar does not know its year.
        return Confirmation(act, act.time, only_receipt, "undetermined", (), ())
    if asked.param("moment", "sent") == "received":
        return _by_receipt(act, only_receipt, reads)
    if only_receipt:
        arrived = _received_on(act) or act.time
        kept = tuple(msgspec.structs.replace(r, kept=True if arrived < r.ends else None) for r in reads)
        verdict: Verdict = "met" if all(r.kept for r in kept) else "undetermined"
        return Confirmation(act, arrived, True, verdict, kept, ())
    verdict, kept, marks = asked.done(reads, act)
    return Confirmation(act, act.time, False, verdict, kept, marks)


def _by_receipt(act: CaseAct, only_receipt: bool, reads: tuple[Read, ...]) -> Confirmation:
    arrived = act.time if only_receipt else _received_on(act)
    if arrived is None:
        return Confirmation(act, act.time, False, "undetermined", reads, ())
    kept = tuple(msgspec.structs.replace(r, kept=arrived < r.ends) for r in reads)
    results = {r.kept for r in kept}
    verdict: Verdict = "undetermined" if len(results) != 1 else "met" if True in results else "breached"
    return Confirmation(act, arrived, True, verdict, kept, ())


def _confirming(case: Case, register: LegalRegister, spoken: CaseAct) -> tuple[CaseAct, bool] | None:
    oral = {act.id for act in case.named("request.spoken")}
    sure = [
        act
        for act in case.named("request.confirmed")
        if act.data.confirms == spoken.id or (len(oral) == 1 and act.data.confirms not in oral)
    ]
    unsure = [act for act in sure if _only_receipt(act)]
    sure = [act for act in sure if act not in unsure]
    signed = case.first("request.signed")
    if signed is not None:
        sure += [act for act in passages(case, register) if act.name == "request.sent" and signed.order <= act.order]
    unsure += [act for act in case.named("request.received") if is_written(act) and act.order > spoken.order]
    if sure:
        return min(sure, key=lambda act: act.order), False
    return (min(unsure, key=lambda act: act.order), True) if unsure else None


def _only_receipt(act: CaseAct) -> bool:
    received = _received_on(act)
    return act.reported and received is not None and received <= act.time


def _received_on(act: CaseAct) -> int | None:
    text = act.get("received_on")
    return None if text is None else time_ms(text)


@check("deadline", "confirmed", takes=Takes({"moment": one_of("sent", "received"), **TERM}, readings=True))
def confirmed(asked: Asked) -> Iterator[Finding]:
    """Each oral request is confirmed in writing within the term; a lapse voids nothing."""
    for spoken in asked.case.named("request.spoken"):
        yield _confirmed(asked, spoken)


def _confirmed(asked: Asked, spoken: CaseAct) -> Finding:
    found = confirmation(asked, spoken)
    office = spoken.office
    shown = {
        "spoken": minute(asked.register, spoken.time, office),
        "written": minute(asked.register, None if found is None else found.at, office),
        "hours": "—" if found is None else str(max(0, found.at - spoken.time) // HOUR_MS),
    }
    if found is None:
        return _pending(asked, spoken, shown)
    known_to_be_sent = asked.param("moment", "sent") == "received" or not found.only_receipt
    reason = {"met": "in_time", "breached": "late", "undetermined": "readings_differ"}[found.verdict]
    missing = ""
    if not found.readings:
        reason, missing = "calendar_unknown", "calendar of the term"
    elif found.verdict == "undetermined" and not known_to_be_sent:
        reason, missing = "sending_unknown", f"when confirmation {found.act.id} was sent"
    elif found.verdict == "undetermined" and all(r.kept is None for r in found.readings):
        reason, missing = "arrival_unknown", f"when confirmation {found.act.id} was received"
    elif found.verdict == "undetermined" and len({r.kept for r in found.readings}) == 1:
        reason = "late_claim"
    return asked.finding(
        found.verdict, reason, rests_on=evidence(spoken, found.act), item=asked.case.item(spoken), bound=office,
        values=shown, readings=found.readings, marks=found.marks, missing=missing,
    )  # fmt: skip


def _pending(asked: Asked, spoken: CaseAct, shown: dict[str, str]) -> Finding:
    reads = asked.ends(spoken.time, asked.register.zone(spoken.office))
    if not reads:
        return asked.finding(
            "undetermined", "calendar_unknown", rests_on=spoken, item=asked.case.item(spoken), bound=spoken.office,
            values=shown, missing="calendar of the term",
        )  # fmt: skip
    steps = asked.timeline(spoken.time, reads)
    withdrawn = asked.case.withdrawn
    if withdrawn is not None and withdrawn.time < steps[-1].at:
        # The text does not say whether what is taken back has to be confirmed.
        steps = (steps[0], Step(max(withdrawn.time, spoken.time), "undetermined", "withdrawn_first"))
    else:
        withdrawn = None
    return asked.finding(
        "open", "running", rests_on=evidence(spoken, withdrawn), item=asked.case.item(spoken), bound=spoken.office,
        values=shown, readings=reads, steps=steps,
    )  # fmt: skip
