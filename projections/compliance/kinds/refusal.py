"""Refusals: their grounds (kind ``closed_list``) and how they are told (kind ``required_fields``).

A request may be refused in part several times, so each decision is a row of its own (item: its event id).  A refusal
that was told with no decision on record is a row of the act that told it.
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import lagged
from projections.compliance.requests import PENDING, day, said
from projections.compliance.takes import LAG, Takes
from projections.compliance.verdict import Finding


@check("closed_list", "refusal_ground", takes=Takes(requests=("grounds",)))
def refusal_ground(asked: Asked) -> Iterator[Finding]:
    """A refusal names one of the grounds of the text, which says when to refuse but not that only then."""
    grounds = asked.profile.requests["grounds"]
    for decision in asked.case.named("refusal.decided"):
        data = decision.data
        listed = data.ground in grounds
        yield asked.finding(
            "met" if listed else "undetermined", "ground_listed" if listed else "ground_not_listed", rests_on=decision,
            item=asked.case.item(decision), bound=data.decided_by, values={"scope": data.scope, "ground": data.ground},
        )  # fmt: skip
    for told in _undecided(asked.case):
        yield asked.finding(
            "undetermined", "no_decision", rests_on=told, item=asked.case.item(told), bound=told.office,
            values={"scope": PENDING, "ground": PENDING}, missing="decision to refuse and its ground",
        )  # fmt: skip


@check("required_fields", "refusal_notice", takes=Takes(LAG, threshold=True))
def refusal_notice(asked: Asked) -> Iterator[Finding]:
    """The asking side is told of a refusal, whole or in part, in writing and with the reason."""
    case = asked.case
    notices = sorted(case.named("refusal.notified"), key=lambda act: act.order)
    for decision in case.named("refusal.decided"):
        yield _told(asked, decision, [act for act in notices if act.data.decision == decision.id])
    for told in _undecided(case):
        yield _orphan(asked, told)


def _undecided(case: Case) -> list[CaseAct]:
    """Acts that tell of a refusal of which no decision is on record."""
    decided = {act.id for act in case.named("refusal.decided")}
    found = [act for act in case.named("refusal.notified") if act.data.decision not in decided]
    if not decided and not found:
        found = [act for act in case.named("request.answered") if act.data.outcome == "refused"]
    return found


def _told(asked: Asked, decision: CaseAct, notices: list[CaseAct]) -> Finding:
    case, bound = asked.case, decision.data.decided_by
    whole = next((act for act in notices if act.data.written and act.filled("reason")), None)
    values = _shown(asked, whole or (notices[-1] if notices else None), bound)
    if whole is None and notices:
        reason = "told_orally" if not any(act.data.written for act in notices) else "no_reason"
        return asked.finding(
            "breached",
            reason,
            rests_on=(decision, *notices),
            item=asked.case.item(decision),
            bound=bound,
            values=values,
        )
    if whole is None and case.withdrawn is not None:
        return asked.finding(
            "undetermined", "withdrawn_first", rests_on=(decision, case.withdrawn), item=asked.case.item(decision),
            bound=bound, values=values,
        )  # fmt: skip
    if whole is None and case.closed is not None:
        return asked.finding(
            "breached",
            "closed_untold",
            rests_on=(decision, case.closed),
            item=asked.case.item(decision),
            bound=bound,
            values=values,
        )
    zone = asked.register.zone(bound)
    return lagged(
        asked, decision.time, decision, zone, done=whole, item=asked.case.item(decision), bound=bound, values=values
    )


def _orphan(asked: Asked, told: CaseAct) -> Finding:
    """A refusal that was told, with no decision from which its lag could be counted."""
    values = _shown(asked, told, told.office)
    if not told.data.written:
        return asked.finding("breached", "told_orally", rests_on=told, item=asked.case.item(told), values=values)
    if told.name == "request.answered":
        return asked.finding(
            "undetermined", "reason_unknown", rests_on=told, item=asked.case.item(told), values=values,
            missing="notice of the refusal with its reason",
        )  # fmt: skip
    if not told.filled("reason"):
        return asked.finding("breached", "no_reason", rests_on=told, item=asked.case.item(told), values=values)
    return asked.finding("met", "told", rests_on=evidence(told), item=asked.case.item(told), values=values)


def _shown(asked: Asked, told: CaseAct | None, office: str) -> dict[str, str]:
    if told is None:
        return {"told": PENDING, "written": PENDING, "stated": PENDING}
    return {
        "told": day(asked.register, told, office),
        "written": said(told.data.written),
        "stated": said(told.filled("reason")),
    }
