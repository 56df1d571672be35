"""Rule kind ``closed_list``: is it one of those that the text lists.

What is not recorded is not outside a list: it gives ``undetermined``.  Whether something outside the list is a breach
depends on the text: a list that it leaves open gives ``undetermined`` there, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.compliance.case import CaseAct, evidence
from projections.compliance.correspondence import passages, said_forms
from projections.compliance.kinds.base import Asked, check
from projections.compliance.kinds.meetings import meeting_form
from projections.compliance.register import local_day, retroactive
from projections.compliance.requests import bound_office
from projections.compliance.takes import WORDS, Takes, needed
from projections.compliance.verdict import Finding


@check("closed_list", "order_form", takes=Takes(requests=("forms", "same_forms", "wider_forms", "meeting_forms")))
def order_form(asked: Asked) -> Iterator[Finding]:
    """A form of an order that carries out another text; a form of that one stands for it where the words agree."""
    if asked.case.sort == "meeting":
        yield from meeting_form(asked)
        return
    content = asked.case.content
    if content is None:
        yield asked.no_content("form")
        return
    profile = asked.profile.requests
    own, wider = said_forms(asked.case, "order"), said_forms(asked.case, "protocol")
    values, bound = {"form": _listed([*own, *wider])}, bound_office(asked, content)
    if not own and not wider:
        yield asked.finding("undetermined", "form_not_said", rests_on=content, values=values, bound=bound,
                            missing="form")  # fmt: skip
    elif own and all(form in profile["forms"] for form in own):
        yield asked.finding("met", "form_listed", rests_on=content, values=values, bound=bound)
    elif not own and all(form in profile["same_forms"] for form in wider):
        yield asked.finding("met", "form_by_other_text", rests_on=content, values=values, bound=bound)
    elif any(form in profile["wider_forms"] for form in (*own, *wider)):
        yield asked.finding("undetermined", "form_wider", rests_on=content, values=values, bound=bound)
    else:
        yield asked.finding("breached", "form_not_listed", rests_on=content, values=values, bound=bound)


@check("closed_list", "protocol_form", takes=Takes(requests=("forms", "same_forms", "sorts")))
def protocol_form(asked: Asked) -> Iterator[Finding]:
    """A form of the text itself, between offices of the sorts it names, by a procedure that both Parties have set."""
    content = asked.case.content
    if content is None:
        yield asked.no_content("form")
        return
    profile = asked.profile.requests
    own, other = said_forms(asked.case, "protocol"), said_forms(asked.case, "order")
    values = {"form": _listed(own or other)}
    listed = [*profile["forms"], *profile["same_forms"]]
    if not own and not other:
        yield asked.finding("undetermined", "form_not_said", rests_on=content, values=values, missing="form")
        return
    if any(form not in listed for form in own or other):
        yield asked.finding("breached", "form_not_listed", rests_on=content, values=values)
        return
    offices, act = _ends(asked, content)
    day = local_day(asked.register, act)
    entries = {code: asked.register.office(code, day) for code in offices}
    rests_on = evidence(content, act, (entry.act for entry in entries.values() if entry is not None))
    unknown = [code for code, entry in entries.items() if entry is None]
    if unknown:
        yield asked.finding("undetermined", "office_unknown", rests_on=rests_on, values=values,
                            missing=f"registration of {', '.join(unknown)}")  # fmt: skip
    elif any(entry is not None and entry.sort not in profile["sorts"] for entry in entries.values()):
        yield asked.finding("undetermined", "sort_not_named", rests_on=rests_on, values=values)
    else:
        yield _by_procedure(asked, rests_on, values, day.isoformat())


def _by_procedure(asked: Asked, rests_on: tuple[CaseAct, ...], values: dict[str, str], day: str) -> Finding:
    """Met, once each Party has issued the act by which its offices proceed."""
    instrument = asked.profile.instrument
    issued = [
        act
        for act in asked.register.acts("act.issued")
        if act.get("carries_out") == instrument.id and act.data.date <= day
    ]
    parties = {asked.register.party(act.office) for act in issued}
    without = [party for party in instrument.parties if party not in parties]
    if without:
        return asked.finding("undetermined", "no_procedure", rests_on=evidence(rests_on, issued), values=values,
                             missing=f"act of {', '.join(without)} that carries out {instrument.id}")  # fmt: skip
    return asked.finding("met", "form_listed", rests_on=evidence(rests_on, issued), values=values,
                         marks=retroactive(rests_on[0], issued))  # fmt: skip


def _ends(asked: Asked, content: CaseAct) -> tuple[list[str], CaseAct]:
    """The two offices of a direct exchange: as it went, else as the content names them."""
    for passage in passages(asked.case, asked.register):
        if passage.channel == "direct":
            return [code for code in (passage.sender, passage.receiver) if code], passage.act
    return [code for code in (content.get("requesting"), content.get("requested")) if code], content


@check("closed_list", "agreement_form", takes=Takes(requests=("forms", "meeting_forms")))
def agreement_form(asked: Asked) -> Iterator[Finding]:
    """A form of a list that the text leaves open: ``other`` will do, but something must be said."""
    if asked.case.sort == "meeting":
        yield from meeting_form(asked)
        return
    content = asked.case.content
    if content is None:
        yield asked.no_content("form")
        return
    forms = said_forms(asked.case, "agreement")
    values = {"form": _listed(forms)}
    if not forms:
        yield asked.finding("undetermined", "form_not_said", rests_on=content, values=values, missing="form")
    elif all(form in (*asked.profile.requests["forms"], "other") for form in forms):
        yield asked.finding("met", "form_listed", rests_on=content, values=values)
    else:
        yield asked.finding("undetermined", "form_left_open", rests_on=content, values=values)


@check("closed_list", "area", takes=Takes(requests=("areas",)))
def area(asked: Asked) -> Iterator[Finding]:
    """A direction of co-operation; the list is open."""
    content = asked.case.content
    if content is None:
        yield asked.no_content("area")
        return
    said = content.get("area")
    values = {"area": _listed([] if said is None else [said])}
    if said is None:
        yield asked.finding("undetermined", "area_not_said", rests_on=content, values=values, missing="area")
    elif said in asked.profile.requests["areas"]:
        yield asked.finding("met", "area_listed", rests_on=content, values=values)
    else:
        yield asked.finding("undetermined", "area_left_open", rests_on=content, values=values)


@check("closed_list", "kind")
def kind(asked: Asked) -> Iterator[Finding]:
    """A request, or an offer unasked: there is no third way. Nothing while the content is not known."""
    content = asked.case.content
    if content is not None:
        reason = "is_initiative" if asked.case.kind == "initiative" else "is_request"
        yield asked.finding("met", reason, rests_on=content, values={"kind": str(asked.case.kind)})


@check("closed_list", "covered_kind", takes=Takes({"covers": needed(WORDS)}))
def covered_kind(asked: Asked) -> Iterator[Finding]:
    """A kind that the instrument is known to cover, where a request rests on it; of others nothing is known."""
    content = asked.case.content
    if content is None or asked.profile.instrument.id not in content.data.legal_basis:
        return
    values = {"kind": str(asked.case.kind)}
    if asked.case.kind in asked.param("covers"):
        yield asked.finding("met", "kind_covered", rests_on=content, values=values)
    else:
        yield asked.finding("undetermined", "kind_not_known", rests_on=content, values=values,
                            missing=f"text of {asked.profile.instrument.id}")  # fmt: skip


def _listed(words: list[str]) -> str:
    return ", ".join(dict.fromkeys(words)) or "—"
