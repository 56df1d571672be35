"""Rule kind ``cost``: did the one bear a cost who must.

Each state bears its own costs, unless the two agree otherwise for a case; the text sets no form and no time for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.requests import said
from projections.compliance.verdict import Finding

_WHOLE = Decimal(100)


@check("cost", "borne")
def borne(asked: Asked) -> Iterator[Finding]:
    """Each cost is borne by the state that incurred it, or as agreed for the case; of two records the later counts."""
    costs = {act.data.cost: act for act in _in_time(asked.case.named("cost.incurred"))}
    for cost in costs.values():
        yield _borne(asked, cost)


def _borne(asked: Asked, cost: CaseAct) -> Finding:
    data = cost.data
    covering = [act for act in _in_time(asked.case.named("cost.agreed")) if _covers(act, cost)]
    values = {
        "money": f"{data.money.amount} {data.money.currency}",
        "state": data.borne_by,
        "incurred": data.incurred_by,
        "agreed": said(bool(covering)),
    }
    closed = asked.case.closed
    where = {"item": data.cost, "bound": data.incurred_by, "values": values}
    if data.borne_by == data.incurred_by:
        return asked.finding("met", "own_cost", rests_on=cost, **where)
    same = [act for act in covering if _as_borne(act, cost)]
    if same:
        return asked.finding("met", "agreed", rests_on=evidence(cost, same[-1]), **where)
    if covering and not covering[-1].data.written:
        return asked.finding("undetermined", "shares_differ", rests_on=evidence(cost, covering), **where)
    reason = "agreed_otherwise" if covering else "not_agreed"
    return asked.finding(
        "open" if closed is None else "breached", reason, rests_on=evidence(cost, covering, closed), **where
    )


def _in_time(acts: list[CaseAct]) -> list[CaseAct]:
    return sorted(acts, key=lambda act: act.order)


def _covers(agreement: CaseAct, cost: CaseAct) -> bool:
    return agreement.data.scope == "all" or cost.data.cost in (agreement.get("costs") or ())


def _as_borne(agreement: CaseAct, cost: CaseAct) -> bool:
    """Whether the cost is borne as agreed: a record of a cost names one state, so by that state, and wholly."""
    return agreement.data.borne_by == cost.data.borne_by and Decimal(agreement.data.share) == _WHOLE
