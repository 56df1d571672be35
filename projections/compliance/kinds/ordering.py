"""Rule kind ``ordering``: did one act come before another.

``written_form.py`` and ``handling.py`` have further checks of this kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import lagged
from projections.compliance.requests import before, day
from projections.compliance.takes import LAG, Takes, one_of
from projections.compliance.verdict import Finding

_CARRYING_ON = (
    "request.accepted", "request.executed", "measure.performed", "document.served", "decision.granted",
    "person.detained", "person.handedover", "prosecution.takenover", "asset.restrained", "asset.confiscated",
    "asset.returned",
)  # fmt: skip
"""Acts by which a request is executed, though it is in doubt."""


@check("ordering", "doubt_answered", takes=Takes(LAG, threshold=True))
def doubt_answered(asked: Asked) -> Iterator[Finding]:
    """Whoever doubts that a request is genuine may ask, and is answered; to wait for it is no duty."""
    for doubt in asked.case.named("authenticity.doubted"):
        yield _doubt(asked, doubt)


def _doubt(asked: Asked, doubt: CaseAct) -> Finding:
    case, register = asked.case, asked.register
    answers = [act for act in case.named("authenticity.answered") if act.data.answers == doubt.id]
    answer = min(answers, key=lambda act: act.order, default=None)
    until = None if answer is None else answer.order
    gone_on = next(
        (
            act
            for act in sorted(case.named(*_CARRYING_ON), key=lambda act: act.order)
            if doubt.order < act.order and (until is None or act.order < until)
        ),
        None,
    )
    bound, moot = doubt.data.asked_of, case.closed or case.withdrawn
    values = {"doubted": day(register, doubt, bound), "answered": day(register, answer, bound)}
    if gone_on is not None:
        acts = evidence(doubt, gone_on, answer)
        return asked.finding(
            "undetermined", "carried_on", rests_on=acts, item=asked.case.item(doubt), bound=bound,
            values={**values, "step": gone_on.name},
        )  # fmt: skip
    if answer is None and moot is not None:
        return asked.finding(
            "undetermined",
            "never_answered",
            rests_on=(doubt, moot),
            item=asked.case.item(doubt),
            bound=bound,
            values=values,
        )
    zone = register.zone(bound)
    return lagged(asked, doubt.time, doubt, zone, done=answer, item=asked.case.item(doubt), bound=bound, values=values)


@check("ordering", "consultation_before_refusal", takes=Takes({"silent": one_of("undetermined", "breached")}))
def consultation_before_refusal(asked: Asked) -> Iterator[Finding]:
    """Where possible the two sides consult before assistance is refused; each decision by itself."""
    talks = [
        act
        for act in asked.case.named("consultation.held")
        if act.data.about in ("refusal", "conditions") and _between_sides(asked, act)
    ]
    talks.sort(key=lambda act: act.order)
    for decision in asked.case.named("refusal.decided"):
        yield _consulted(asked, decision, talks)


def _between_sides(asked: Asked, talk: CaseAct) -> bool:
    return len({asked.register.party(office) for office in (talk.office, *talk.data.with_)}) > 1


def _consulted(asked: Asked, decision: CaseAct, talks: list[CaseAct]) -> Finding:
    bound = decision.data.decided_by
    earlier = [talk for talk in talks if talk.order < decision.order]
    talk = earlier[-1] if earlier else talks[0] if talks else None
    values = {"consulted": day(asked.register, talk, bound), "decided": day(asked.register, decision, bound)}
    if earlier:
        # The one that needs no claim about its time, where there is such a one.
        plain = [talk for talk in earlier if not before(talk, decision)[1]]
        talk = plain[-1] if plain else earlier[-1]
        values["consulted"] = day(asked.register, talk, bound)
        return asked.finding(
            "met", "consulted_before", rests_on=(decision, talk), item=asked.case.item(decision), bound=bound,
            values=values, marks=before(talk, decision)[1],
        )  # fmt: skip
    if decision.filled("no_consultation_reason"):
        return asked.finding(
            "met",
            "reason_given",
            rests_on=evidence(decision, talk),
            item=asked.case.item(decision),
            bound=bound,
            values=values,
        )
    return asked.finding(
        asked.param("silent", "undetermined"), "consulted_after" if talks else "not_consulted",
        rests_on=evidence(decision, talk), item=asked.case.item(decision), bound=bound, values=values,
        missing="whether a consultation was possible before the decision",
    )  # fmt: skip
