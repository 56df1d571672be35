"""Refusals: consultation before, decision on a ground, notice in writing with the reason (Agr. 7)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from producers.simulator.chance import Weighted
from producers.simulator.places import GUMPS
from producers.simulator.requests import Case, far
from producers.simulator.story import DAY, HOUR, days


@lru_cache(4)
def _grounds(*weights: float) -> Weighted[str]:
    names = ("legislation", "international_obligation", "essential_interest", "security", "sovereignty")
    return Weighted(dict(zip(names, weights, strict=True)))


def tell(case: Case, arrived: int, at: int) -> None:
    """From the consultation to the closed file."""
    story, plant = case.story, case.plant
    side: dict[str, Any] = {"ours": not case.outgoing}
    decided = max(at, arrived + 2 * DAY)
    talk = {"about": "refusal", "with": [GUMPS, far(case)], "means": "video"}
    if plant != "no_consultation":
        before = HOUR if plant == "near_refusal" else DAY
        case.tell("consultation.held", decided - before, talk)
    grounds = _grounds(*story.parameters.under("refusal").values())
    ground = "other" if plant == "other_ground" else grounds.draw(story.chance)
    decision = case.tell(
        "refusal.decided", decided, {"scope": "full", "ground": ground, "decided_by": case.requested}, **side
    )  # fmt: skip
    if plant == "no_consultation" and story.chance.flip(0.5):
        case.tell("consultation.held", decided + HOUR, talk)  # too late to be one before
    told = decided + days(0.5 + 7 * story.chance.random())
    if plant == "near_refusal":
        told = decided + 10 * DAY - HOUR
    elif plant == "told_late":
        told = decided + 10 * DAY + HOUR
    notice = {
        "decision": decision,
        "written": plant != "told_orally",
        "reason": "" if plant == "no_reason" else story.text(6),
        "to": GUMPS if case.outgoing else far(case),
    }
    id_ = case.tell("refusal.notified", told, notice, **side)
    _note(case, decision, id_, (decided, told))
    limit = 30 if story.direct else 90
    if told >= arrived + limit * DAY:
        story.plant("undetermined", "durations", "A8.2", id_, at=told, span=(arrived, told))
    case.tell("request.closed", told + 5 * DAY, {"outcome": "refused"})


def _note(case: Case, decision: str, notice: str, span: tuple[int, int]) -> None:
    story = case.story
    match case.plant:
        case "no_reason" | "told_orally":
            story.plant("breach", case.plant, "A7.3", decision, notice, item=decision, span=span)
        case "told_late":
            story.plant("undetermined", case.plant, "A7.3", decision, notice, item=decision, span=span)
        case "no_consultation":
            story.plant("undetermined", case.plant, "A7.2a", decision, item=decision)
        case "other_ground":
            story.plant("undetermined", case.plant, "A7.1", decision, item=decision)
        case "near_refusal":
            story.plant("near_miss", case.plant, "A7.1 A7.2a A7.3", decision, notice, item=decision)
