"""Meetings: proposed before, reported after; and that they were held at all.

Checks of the kinds ``ordering`` and ``information`` for subjects ``meeting/<id>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from projections.compliance.case import CaseAct
from projections.compliance.kinds.base import Asked, check
from projections.compliance.readings import day_of, end_of, span
from projections.compliance.takes import Takes
from projections.compliance.verdict import Finding


def held_with_a_party(asked: Asked) -> CaseAct | None:
    """The meeting, if it was held with another party of the instrument."""
    held = asked.case.first("meeting.held")
    if held is None:
        return None
    others = set(asked.profile.instrument.parties) - {asked.register.own}
    return held if others & {*held.data.partners, held.data.place} else None


@check("ordering", "meeting", takes=Takes(requests=("direct_offices",), threshold=True))
def meeting(asked: Asked) -> Iterator[Finding]:
    """Proposal before, report after; asked of meetings in which an office that the act binds took part."""
    held = held_with_a_party(asked)
    bound = asked.profile.requests["direct_offices"]
    if held is None or not {held.office, *held.data.offices} & set(bound):
        return
    office = next((code for code in (held.office, *held.data.offices) if code in bound), held.office)
    tz = asked.register.zone(office)
    proposal = next((act for act in asked.case.named("meeting.proposed") if _before(act, held, tz)), None)
    report = next((act for act in asked.case.named("meeting.reported") if act.order > held.order), None)
    over = end_of(date.fromisoformat(held.data.held_to), tz)
    expected_by = over + span(asked.rule.threshold)
    rests = [act for act in (held, proposal, report) if act is not None]
    values = {
        "proposal": "—" if proposal is None else day_of(proposal.time, tz).isoformat(),
        "report": "—" if report is None else day_of(report.time, tz).isoformat(),
    }
    item = asked.case.subject.partition("/")[2]
    if proposal is None:
        late = asked.case.first("meeting.proposed")
        found = asked.finding(
            "breached", "no_earlier_proposal", rests_on=[*rests, *([late] if late else [])], item=item, bound=office,
            values=values,
        )  # fmt: skip
    elif report is None:
        found = asked.finding(
            "open", "report_awaited", rests_on=rests, item=item, bound=office, values=values, expected_by=expected_by
        )
    elif report.time >= expected_by:
        found = asked.finding(
            "undetermined", "report_late", rests_on=rests, item=item, bound=office, values=values,
            missing="a term for the report in the texts",
        )  # fmt: skip
    else:
        found = asked.finding(
            "met", "proposed_and_reported", rests_on=rests, item=item, bound=office, values=values,
            marks=("by_configuration",),
        )  # fmt: skip
    yield found


def _before(proposal: CaseAct, held: CaseAct, tz: str) -> bool:
    return proposal.order < held.order and day_of(proposal.time, tz) <= date.fromisoformat(held.data.held_from)


@check("information", "meetings")
def meetings(asked: Asked) -> Iterator[Finding]:
    """That a meeting was held: the text has them "where necessary", so one more is never too few."""
    held = held_with_a_party(asked)
    if held is not None:
        yield asked.finding("met", "held", rests_on=held, item=asked.case.subject.partition("/")[2])


def meeting_form(asked: Asked) -> Iterator[Finding]:
    """The form of co-operation that a meeting is, by the profile's table of sorts (for checks of forms)."""
    held = held_with_a_party(asked)
    if held is None:
        return
    listed = asked.profile.requests.get("direct_offices")
    of_list = [code for code in (held.office, *held.data.offices) if code in (listed or ())]
    if listed is not None and not of_list:
        return  # An act about the contacts of some offices says nothing of a meeting of others.
    bound = of_list[0] if of_list else ""
    form = asked.profile.requests["meeting_forms"].get(held.data.sort)
    item = asked.case.subject.partition("/")[2]
    values = {"form": form or held.data.sort}
    if form is None:
        yield asked.finding("undetermined", "meeting_sort_unmapped", rests_on=held, item=item, bound=bound,
                            values=values, missing=f"the form that a meeting of sort {held.data.sort} is")  # fmt: skip
    else:
        yield asked.finding("met", "meeting_is_a_form", rests_on=held, item=item, bound=bound, values=values)
