"""Rule kind ``required_fields``: does it say everything that it must.

``refusal.py`` has a further check of this kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.requests import PENDING, Text, day, passages, requested_state, requesting, written_text
from projections.compliance.takes import Takes, some_of
from projections.compliance.verdict import Finding

GROUPS: dict[str, tuple[str, ...]] = {
    "a": ("requesting",),
    "b": ("requested",),
    "c": ("substance",),
    "d": ("purpose_text", "grounds", "purposes"),
    "e": ("assistance",),
    "f": ("other",),
}
"""Groups of a request's content, as the catalogue has them, and the members that must not be empty in each."""


@check("required_fields", "content", takes=Takes({"groups": some_of(*GROUPS)}))
def content(asked: Asked) -> Iterator[Finding]:
    """The text of a request, as it left, fills every group of its content; what is supplied later mends nothing."""
    case = asked.case
    text = written_text(case, asked.register)
    if text is not None:
        yield _content(asked, text)
        return
    spoken = case.first("request.spoken")
    if spoken is not None:
        yield _spoken_content(asked, spoken)
    elif case.acts:
        yield asked.no_content("groups", "supplied")


def _content(asked: Asked, text: Text) -> Finding:
    bound = requesting(asked.case, text.act)
    empty = empty_groups(text.act, asked.param("groups", list(GROUPS)))
    values = {"groups": ", ".join(empty) or PENDING, "supplied": PENDING}
    if text.sent is None:
        return asked.finding("open", "not_sent", rests_on=text.act, bound=bound, values=values)
    if not empty:
        return asked.finding("met", "complete", rests_on=evidence(*text), bound=bound, values=values)
    later = _supplements(asked.case, text, empty)
    values["supplied"] = ", ".join(f"{day(asked.register, act, bound)} {act.id}" for act in later) or PENDING
    return asked.finding(
        "breached", "supplied_later" if later else "group_empty", rests_on=evidence(*text, later), bound=bound,
        values=values, at=text.sent.time,
    )  # fmt: skip


def _spoken_content(asked: Asked, spoken: CaseAct) -> Finding:
    """Before it is confirmed a request has no text; what was said is held against the list once nothing will follow."""
    bound = requesting(asked.case, spoken)
    empty = empty_groups(spoken, asked.param("groups", list(GROUPS)))
    values = {"groups": ", ".join(empty) or PENDING, "supplied": PENDING}
    closed = asked.case.closed
    if closed is None:
        return asked.finding("open", "only_spoken", rests_on=spoken, bound=bound, values=values)
    return asked.finding(
        "breached" if empty else "met", "group_empty" if empty else "complete", rests_on=(spoken, closed), bound=bound,
        values=values,
    )  # fmt: skip


def empty_groups(act: CaseAct, groups: list[str]) -> list[str]:
    """The groups of which some member is empty."""
    return [group for group in groups if not all(_said(act, member) for member in GROUPS[group])]


def _said(act: CaseAct, member: str) -> bool:
    value = act.get(member)
    return act.filled(member) if hasattr(value, "filled") else bool(value)


def _supplements(case: Case, text: Text, empty: list[str]) -> list[CaseAct]:
    """What was told later of groups that were empty: by an answer to a question, or in a later text."""
    told = [
        act
        for act in case.named("information.supplied")
        if act.filled("what") and (act.get("groups") is None or set(act.data.groups) & set(empty))
    ]
    texts = [
        act
        for act in case.named("request.signed", "request.confirmed", "request.received")
        if act is not text.act and act.get("kind") is not None and act.order > text.act.order
        and set(empty) - set(empty_groups(act, empty))
    ]  # fmt: skip
    return sorted([*told, *texts], key=lambda act: act.order)


@check("required_fields", "translation")
def translation(asked: Asked) -> Iterator[Finding]:
    """A request with its attachments is in a language of the asked state, or translated, or there is a reason."""
    case, register = asked.case, asked.register
    text = written_text(case, register)
    signed = case.first("request.signed", "request.confirmed")
    leaving = passages(case, register)
    first = signed or (leaving[0] if leaving else None)
    if first is None:
        return  # Nothing in writing is known: there is nothing to translate.
    bound = requesting(case, first)
    state = requested_state(case, register)
    known = asked.profile.requests.get("state_languages", {}).get(state)
    acts = evidence(first, leaving, _attached(case))
    values = {"translation": PENDING, "languages": ", ".join(known or ()) or PENDING}
    if not leaving:
        confirmed = case.first("request.confirmed")
        if confirmed is None:
            yield asked.finding("open", "not_sent", rests_on=acts, bound=bound, values=values)
        else:
            yield asked.finding(
                "undetermined", "languages_unknown", rests_on=evidence(confirmed, acts), bound=bound, values=values,
                missing="languages of the confirmation",
            )  # fmt: skip
        return
    given = sorted({lang for act in leaving for lang in act.data.translations})
    reasons = [act.data.no_translation_reason for act in leaving if act.get("no_translation_reason") is not None]
    own = None if text is None else text.act.get("lang")
    values["translation"] = ", ".join(given) or (reasons[0] if reasons else PENDING)
    if reasons:
        yield asked.finding("met", "reason_stated", rests_on=acts, bound=bound, values=values)
    elif known is None:
        yield asked.finding(
            "undetermined", "state_language_unknown", rests_on=acts, bound=bound, values=values,
            missing=f"language of {state or 'the requested state'}",
        )  # fmt: skip
    elif set(given) & set(known):
        yield asked.finding("met", "translated", rests_on=acts, bound=bound, values=values)
    elif own is not None and own in known and all(act.data.lang in known for act in _attached(case)):
        values["translation"] = own
        yield asked.finding("met", "in_its_language", rests_on=acts, bound=bound, values=values)
    else:
        yield asked.finding("undetermined", "not_translated", rests_on=acts, bound=bound, values=values)


def _attached(case: Case) -> list[CaseAct]:
    """Materials that came with the request."""
    return [act for act in case.named("material.sent", "material.received") if act.data.supplied_as == "request"]
