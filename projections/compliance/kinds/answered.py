"""How long the asking side waited to be told what came of its request (kind ``lag``).

The clock starts when the request reached the asked side.  Where the ledger does not know that it starts when the
request left, which is never later than its arrival: what is in time from then on is in time all the more.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ledger.event import time_ms
from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import days, iso_day, lagged
from projections.compliance.readings import span
from projections.compliance.register import LegalRegister
from projections.compliance.requests import PENDING, passages
from projections.compliance.takes import LAG, THRESHOLD, Takes
from projections.compliance.verdict import Finding

_UNTOLD = {"told": PENDING, "lag": PENDING}


@check("lag", "answered", takes=Takes({"direct": THRESHOLD, "initiative": THRESHOLD, **LAG}, threshold=True))
def answered(asked: Asked) -> Iterator[Finding]:
    """The result is told as soon as possible: of a request by a final answer or the notice of its full refusal.

    Param ``direct`` and ``initiative`` are the thresholds of direct exchanges and of initiatives.
    """
    case = asked.case
    reached = _reached(case, asked.register)
    told = _told(case)
    if reached is None or (told is None and case.withdrawn is not None):
        return
    arrival, start = reached
    bound = str(case.said("requested") or arrival.get("to") or "")
    zone = asked.register.zone(bound)
    asked = _with_threshold(asked)
    closed = case.closed
    if told is None and closed is not None:
        lapsed = closed.data.outcome in ("lapsed", "withdrawn", "returned")
        values = {"since": iso_day(start, zone), "threshold": days(span(asked.rule.threshold)), **_UNTOLD}
        yield asked.finding(
            "undetermined" if lapsed else "breached", "closed_otherwise" if lapsed else "closed_unanswered",
            rests_on=(arrival, closed), bound=bound, values=values,
        )  # fmt: skip
        return
    yield lagged(asked, start, arrival, zone, done=told, bound=bound, values=_UNTOLD)


def _with_threshold(asked: Asked) -> Asked:
    case = asked.case
    special = asked.param("initiative") if case.kind == "initiative" else asked.param("direct") if case.direct else None
    if special is None:
        return asked
    return msgspec.structs.replace(asked, rule=msgspec.structs.replace(asked.rule, threshold=special))


def _reached(case: Case, register: LegalRegister) -> tuple[CaseAct, int] | None:
    """The act by which the request reached the asked side, and when (ms); None: it did not leave, yet."""
    crossed = passages(case, register)
    sent = [act for act in crossed if act.name == "request.sent"]
    arrivals = [(act, act.time) for act in crossed if act.name == "request.received"]
    arrivals += [(act, time_ms(act.data.received_on)) for act in sent if act.get("received_on") is not None]
    arrivals += [(act, act.time) for act in case.named("request.spoken")]
    found = arrivals or [(act, act.time) for act in [*sent, *case.named("request.confirmed")]]
    return min(found, key=lambda each: each[1], default=None)


def _told(case: Case) -> CaseAct | None:
    full = {act.id for act in case.named("refusal.decided") if act.data.scope == "full"}
    found = [act for act in case.named("request.answered") if act.data.final]
    found += [act for act in case.named("refusal.notified") if act.data.decision in full]
    found += case.named("request.returned")
    return min(evidence(found), key=lambda act: act.order, default=None)
