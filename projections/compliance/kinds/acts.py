"""Checks on an internal act of one Party.

``published``   (lag)          it appeared wherever it was to appear
``acquainted``  (information)  its addressees made it known
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from projections.compliance.case import CaseAct
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import lagged
from projections.compliance.readings import start_of
from projections.compliance.takes import LAG, WORD, WORDS, Takes, needed
from projections.compliance.verdict import Finding


@check("lag", "published", takes=Takes({"act": WORD, "outlets": needed(WORDS), "over": LAG["over"]}, threshold=True))
def published(asked: Asked) -> Iterator[Finding]:
    """Order 5: in every outlet of the rule's params; counted by the days of issue and of the last of them."""
    issued = _issued(asked)
    if issued is None:
        return
    outlets = [str(outlet) for outlet in asked.param("outlets")]
    first: dict[str, CaseAct] = {}
    for act in asked.register.acts("act.published"):
        if act.data.act == issued.data.act and act.data.outlet in outlets:
            known = first.get(act.data.outlet)
            if known is None or act.data.date < known.data.date:
                first[act.data.outlet] = act
    values = {outlet: act.data.date for outlet, act in first.items()}
    tz = asked.register.zone(issued.office)
    last = max(first.values(), key=lambda act: (act.data.date, act.seq), default=None)
    trigger = (issued, *first.values())
    start = start_of(date.fromisoformat(issued.data.date), tz)
    if last is None or len(first) < len(outlets):
        values["awaited"] = ", ".join(outlet for outlet in outlets if outlet not in first)
        yield lagged(asked, start, trigger, tz, bound=issued.office, values=values)
        return
    yield lagged(asked, start, trigger, tz, done=last, at=start_of(date.fromisoformat(last.data.date), tz),
                 bound=issued.office, values=values)  # fmt: skip


@check("information", "acquainted", takes=Takes({"act": WORD}))
def acquainted(asked: Asked) -> Iterator[Finding]:
    """Order, closing paragraph. One row: the addressees are more than the register can list."""
    issued = _issued(asked)
    if issued is None:
        return
    told = [act for act in asked.register.acts("act.acquainted") if act.data.act == issued.data.act]
    offices = list(dict.fromkeys(act.data.office for act in told))
    every = dict.fromkeys(issued.data.binds)
    bound = [code for code in every if code in offices]
    values = {"count": str(len(offices)), "bound": str(len(bound)), "all": str(len(every))}
    verdict, reason = ("met", "acquainted") if told else ("open", "not_acquainted")
    yield asked.finding("met" if verdict == "met" else "open", reason, rests_on=(issued, *told), bound=issued.office,
                        values=values)  # fmt: skip


def _issued(asked: Asked) -> CaseAct | None:
    name = asked.param("act", asked.profile.instrument.id)
    issued = [act for act in asked.register.acts("act.issued") if act.data.act == name]
    return issued[-1] if issued else None
