"""Meetings, by partner state (M23, M27.events).

A meeting is one thing however many states, or records, speak of it.  Our choice: one that was cancelled is of the sort,
and with the states, of its last proposal.
"""

from __future__ import annotations

from projections.compliance.case import Case, CaseAct, items
from projections.figures.posting import Posting
from projections.figures.sheet import UNKNOWN


def count_meeting(case: Case, own: str) -> list[Posting]:
    """The postings of a meeting; ``own`` is the own Party, which is no partner."""
    acts = case.named("meeting.held", "meeting.cancelled")
    if not acts:
        return []
    names, rows = items(acts), list[Posting]()
    for act in acts:
        plan = act if act.name == "meeting.held" else case.last("meeting.proposed")
        states = () if plan is None else plan.data.partners
        for state in list(dict.fromkeys(state for state in states if state != own)) or [""]:
            rows += _of(act, plan, state, f"{names[act]} {state}".rstrip())
    return rows


def _of(act: CaseAct, plan: CaseAct | None, state: str, item: str) -> list[Posting]:
    def row(part: str, tag: str) -> Posting:
        return Posting(part, item, act.time, state, "", "", act.source, "", tag, act.subject, 1, "", act.index)

    sort = UNKNOWN if plan is None else plan.data.sort
    if act.name == "meeting.cancelled":
        return [row("M23", f"cancelled {sort}")]
    rows = [row("M23", f"held {sort}"), row("M23.place", act.data.place)]
    programme = act.get("programme")
    if programme is not None:
        rows += [row("M23.programme", programme), row("M27.events", programme)]
    return rows
