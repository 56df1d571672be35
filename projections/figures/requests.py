"""Requests as such: openers, documents, outcomes, refusals, forms and topics, channels (M1, M2, M6-M9, M22, M33, M35).

Our choices:

- M1 and M22 are posted at the opener; kind, direction and forms are those of the content as last put in writing.
- M6 is the last final answer by effective time.
- M8 has a request that was answered for good or refused in full; one refused in full, whatever was answered, is a
  refused one.
- M9 asks what rule A7.2a asks: a consultation about the refusal or about conditions, between offices of two states,
  before the decision.  Whether a reason was given for holding none is not asked here.
- M22 has the forms of the Order; where none of these is named those of the Protocol, else ``unnamed``.
"""

from __future__ import annotations

from typing import Any

from projections.compliance.case import CaseAct
from projections.figures.sheet import UNKNOWN, Sheet, in_time

DOCUMENTS = (
    "request.sent", "request.received", "request.forwarded", "request.answered", "information.requested",
    "information.supplied", "refusal.notified", "material.sent", "material.received",
)  # fmt: skip
"""Acts that are a document each (DOMAIN: "documents considered")."""
_DOCUMENTS = frozenset(DOCUMENTS)
REFUSAL = frozenset({"refusal.decided"})


def count_documents(sheet: Sheet) -> None:
    """M2."""
    for act in sheet.case.acts:
        if act.name in _DOCUMENTS:
            sheet.post("M2", act, act.name)


def count_request(sheet: Sheet) -> None:
    """M1, M6, M8, M22, M33, M35; of a request with an opener."""
    case, opener = sheet.case, sheet.case.opener
    assert opener is not None
    sheet.post("M1", opener, line_of(sheet))
    answers = [act for act in case.named("request.answered") if act.data.final]
    refusals = [act for act in case.named("refusal.decided") if act.data.scope == "full"]
    if answers:
        last = in_time(answers)[-1]
        sheet.post("M6", last, last.data.outcome)
    if answers or refusals:
        sheet.post("M8", in_time(answers + refusals)[0], "refused" if refusals else "answered", item="M8")
    if sheet.kind == "direct_exchange":
        _count_forms(sheet, opener)
    spoken = case.first("request.spoken")
    if spoken is not None:
        sheet.post("M33", spoken)
    routed = case.first("request.sent", "request.received", "request.spoken")
    if routed is not None:
        sheet.post("M35", routed, routed.data.channel)
    for act in case.named("request.forwarded", "request.returned"):
        if act.data.why == "misrouted":
            sheet.post("M35.moved", act, "misrouted", thing=case.subject)
        elif act.name == "request.forwarded":
            sheet.post("M35.moved", act, "forwarded", thing=case.subject)


def line_of(sheet: Sheet) -> str:
    """The line of a request in M1 and M4: ``out extradition``."""
    return f"{sheet.direction or UNKNOWN} {sheet.kind or UNKNOWN}"


def _count_forms(sheet: Sheet, opener: CaseAct) -> None:
    forms: Any = sheet.case.said("forms")
    named = () if forms is None else forms.order or forms.protocol or ()
    for form in dict.fromkeys(named or ("unnamed",)):
        sheet.post("M22", opener, form, item=form, thing=sheet.case.subject)
    for topic in dict.fromkeys(sheet.case.said("topics") or ()):
        sheet.post("M22.topic", opener, topic, item=topic)


def count_refusals(sheet: Sheet) -> None:
    """M7, M9: each decision to refuse."""
    talks = [
        act
        for act in sheet.case.named("consultation.held")
        if act.data.about in ("refusal", "conditions") and _between_states(act)
    ]
    for act in sheet.case.named("refusal.decided"):
        sheet.post("M7", act, f"{act.data.ground} {act.data.scope}")
        consulted = any(talk.order < act.order for talk in talks)
        sheet.post("M9", act, "consulted" if consulted else "not_consulted")


def _between_states(talk: CaseAct) -> bool:
    # By the first part of the codes, as the register does for an office that it does not know: what a request posts
    # shall not hang on the register.
    return len({office.partition("-")[0] for office in (talk.office, *talk.data.with_)}) > 1
