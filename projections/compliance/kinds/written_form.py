"""Whether a request was put in writing, and before what (kind ``ordering``).

Three duties look at one thing: the form of a request by itself (``written_form``), and the form of the request on which
a direct exchange rests (``written_first``), by a text that allows urgent requests by word of mouth (param
``oral = "met"``) or is silent about them (``oral = "undetermined"``).
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.kinds.base import Asked, Rests, check
from projections.compliance.kinds.confirmation import confirmation
from projections.compliance.requests import before, bound_office, day, first_written
from projections.compliance.takes import TERM, Takes, one_of
from projections.compliance.verdict import Finding, Mark, Step, Verdict

_TRACES = ("request.sent", "request.received", "request.forwarded", "request.accepted", "request.returned")
"""Acts that presuppose a request but do not show its form."""


@check("ordering", "written_form", takes=Takes(TERM, readings=True))
def written_form(asked: Asked) -> Iterator[Finding]:
    """A request or initiative is made in writing; an urgent one by word of mouth, and then confirmed."""
    case = asked.case
    written, spoken = first_written(case), case.first("request.spoken")
    if written is not None and (spoken is None or written.order < spoken.order):
        marks = before(written, spoken)[1] if spoken is not None else ()
        yield _finding(asked, "met", "written", evidence(written, spoken), written=written, marks=marks)
    elif spoken is not None:
        yield _oral(asked, spoken, lost="breached")
    elif case.acts:
        trace = case.first(*_TRACES) or case.acts[0]
        yield _finding(asked, "undetermined", "form_unknown", trace, missing="signature of the request")


@check("ordering", "written_first", takes=Takes({"oral": one_of("met", "undetermined"), **TERM}, readings=True))
def written_first(asked: Asked) -> Iterator[Finding]:
    """What is exchanged directly is exchanged on the basis of a written request, which comes first."""
    case = asked.case
    written, spoken, exchanged = first_written(case), case.first("request.spoken"), _exchange(case)
    opened = min(evidence(written, spoken), key=lambda act: act.order, default=None)
    if case.kind == "initiative":
        first = opened or case.content
        yield _finding(asked, "undetermined", "initiative", evidence(first, exchanged), exchanged=exchanged)
    elif opened is not None and exchanged is not None and exchanged.order < opened.order:
        yield _finding(
            asked, "breached", "exchange_first", evidence(opened, exchanged), written=written, exchanged=exchanged
        )
    elif written is not None and opened is written:
        marks = before(written, exchanged)[1] if exchanged is not None else ()
        yield _finding(
            asked, "met", "written_before", evidence(written, exchanged), written=written, exchanged=exchanged,
            marks=marks,
        )  # fmt: skip
    elif spoken is not None:
        yield _oral(asked, spoken, exchanged=exchanged)
    elif (trace := case.first(*_TRACES)) is not None:
        yield _finding(
            asked, "undetermined", "form_unknown", evidence(trace, exchanged), exchanged=exchanged,
            missing="signature of the request",
        )  # fmt: skip
    elif exchanged is not None:
        yield _finding(asked, "breached", "no_request", exchanged, exchanged=exchanged)


def _exchange(case: Case) -> CaseAct | None:
    """The first that was exchanged on a request: a material, unless it came with the request itself, or an answer."""
    found = [
        act
        for act in case.named("material.sent", "material.received", "request.answered")
        if act.get("supplied_as") != "request"
    ]
    return min(found, key=lambda act: act.order, default=None)


def _oral(
    asked: Asked, spoken: CaseAct, *, exchanged: CaseAct | None = None, lost: Verdict = "undetermined"
) -> Finding:
    """A request that was made by word of mouth first; ``lost``: not urgent, never confirmed and closed."""
    found = confirmation(asked, spoken)
    if found is None:
        return _unconfirmed(asked, spoken, exchanged, lost)
    acts = evidence(spoken, found.act, exchanged)
    urgent, missing = spoken.filled("urgency"), ""
    verdict: Verdict = "undetermined"
    if asked.param("oral", "met") != "met":
        reason = "oral_not_provided"
    elif found.verdict == "breached":
        reason = "confirmed_late"
    elif found.verdict == "undetermined":
        reason = "confirmed_in_doubt"
    elif not urgent:
        reason, missing = "urgency_unknown", "what made the oral request urgent"
    else:
        verdict, reason = "met", "confirmed"
    return _finding(
        asked, verdict, reason, acts, written=found.act, exchanged=exchanged, marks=found.marks, missing=missing
    )


def _unconfirmed(asked: Asked, spoken: CaseAct, exchanged: CaseAct | None, lost: Verdict) -> Finding:
    reads = asked.ends(spoken.time, asked.register.zone(spoken.office))
    if not reads:  # No reading of the term can be counted: the calendar does not know its year.
        return _finding(
            asked, "undetermined", "term_unknown", evidence(spoken, exchanged), exchanged=exchanged,
            missing="calendar of the term",
        )  # fmt: skip
    last, closed = max(r.ends for r in reads), asked.case.closed
    steps = [Step(spoken.time, "open", "confirmation_runs")]
    if closed is None or last < closed.time:
        steps.append(Step(last, "undetermined", "never_confirmed"))
    if closed is not None:
        final: Verdict = "undetermined" if spoken.filled("urgency") else lost
        reason = "closed_unconfirmed" if final == "undetermined" else "never_in_writing"
        steps.append(Step(max(closed.time, spoken.time), final, reason))
    return _finding(asked, "open", "", evidence(spoken, exchanged, closed), exchanged=exchanged, steps=tuple(steps))


def _finding(
    asked: Asked,
    verdict: Verdict,
    reason: str,
    acts: Rests,
    *,
    written: CaseAct | None = None,
    exchanged: CaseAct | None = None,
    marks: tuple[Mark, ...] = (),
    missing: str = "",
    steps: tuple[Step, ...] = (),
) -> Finding:
    shown = evidence(acts)
    bound = bound_office(asked, shown[0])
    values = {
        "written": day(asked.register, written, bound),
        "exchanged": day(asked.register, exchanged, bound),
    }
    return asked.finding(
        verdict, reason, rests_on=shown, bound=bound, values=values, marks=marks, missing=missing, steps=steps
    )
