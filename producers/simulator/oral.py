"""Urgent requests by word of mouth, and their confirmation in writing within three days and nights (Agr. 6(2))."""

from __future__ import annotations

from datetime import timedelta

from producers.simulator.places import GUMPS, ZONES
from producers.simulator.requests import Case, content, far, signer
from producers.simulator.story import DAY, HOUR, MINUTE, day_of, days, start_of
from producers.simulator.truth import Sort


def tell(case: Case) -> int | None:
    """Spoken, confirmed (or not), arrived; None where nothing follows."""
    story, plant = case.story, case.plant
    said = content(case)
    channel = "direct" if case.channel == "direct" else "directorate"
    speaker = case.ours if channel == "direct" else GUMPS
    if channel == "directorate":
        said |= {"requesting": case.requesting, "requested": case.requested}
    mine = case.outgoing
    urgency = "" if plant == "oral_not_urgent" else story.text(5)
    spoken_by = case.ours if mine else case.theirs
    by = {} if mine else {"act_of": spoken_by}
    data = {**said, **by, "channel": channel, "means": "phone", "urgency": urgency}
    if channel == "directorate":  # the unit speaks for its centre
        data |= {"requesting": GUMPS, "requested": far(case)} if mine else {"requesting": far(case), "requested": GUMPS}
        data |= {} if mine else {"act_of": far(case)}
        case.ours = GUMPS
        if not mine:
            case.theirs = far(case)
    tz = ZONES.get(case.ours, "Europe/Moscow") if mine else "Asia/Almaty"
    spoken = story.tell("request.spoken", case.at, speaker, data)
    if plant in ("oral_never", "oral_not_urgent"):
        _never(case, spoken, tz)
        return None
    kind = plant or _natural(case)
    at = _confirmed_at(case, kind, tz, spoken)
    if channel == "direct":
        story.plant("undetermined", kind or "oral", "O7", spoken)
        if kind in ("oral_late", "oral_between"):
            story.plant("undetermined", kind, "P5", spoken)
    written = {name: value for name, value in data.items() if name not in ("channel", "means", "urgency")}
    written |= {**signer(case, at), "confirms": spoken, "means": "fax"}
    story.tell("request.confirmed", at, speaker, written)
    sender, to = (case.ours, case.theirs) if mine else (case.theirs, case.ours)
    passage = {"channel": channel, "from": sender, "to": to, "translations": ["ru"], "means": "fax", **by}
    if not mine:
        passage["act_of"] = case.theirs
    story.tell("request.sent", at + MINUTE, speaker, passage)
    return case.at


def _confirmed_at(case: Case, kind: str, tz: str, spoken: str) -> int:
    """When it is confirmed: within 72 hours, after the third day, or between the two."""
    story, chance = case.story, case.story.chance
    term, third = case.at + 72 * HOUR, _third(case.at, tz)
    match kind:
        case "oral_late":
            late = third + int(chance.random() * 2 * DAY) + MINUTE
            story.plant("breach", kind, "A6.2b", spoken, item=spoken, span=(case.at, late))
            story.plant("undetermined", kind, "A6.2a", spoken)
            return late
        case "oral_between":
            between = term + (third - term) // 2
            story.plant("undetermined", kind, "A6.2b", spoken, item=spoken, span=(case.at, between))
            story.plant("undetermined", kind, "A6.2a", spoken)
            return between
        case "near_oral" | "direct_oral":
            story.plant("near_miss", kind, "A6.2b", spoken, item=spoken)
            story.plant("near_miss", kind, "A6.2a", spoken)
            return term - MINUTE
    return case.at + days(0.2 + 2.5 * chance.random())


def _third(at: int, tz: str) -> int:
    """The end of the third day after that of the call, in the zone of the speaker."""
    return start_of(day_of(at, tz) + timedelta(days=4), tz)


def _natural(case: Case) -> str:
    """How an ordinary oral request is confirmed, by its knobs."""
    parameters, draw = case.story.parameters, case.story.chance.random()
    if not case.story.judged:
        return ""
    for name in ("late", "between"):
        draw -= parameters[f"oral.{name}"]
        if draw < 0:
            return f"oral_{name}"
    return ""


def _never(case: Case, spoken: str, tz: str) -> None:
    """Answered all the same, never confirmed, closed."""
    story, mine = case.story, case.outgoing
    at = case.at + 6 * DAY
    answer = {"outcome": "granted", "channel": case.channel, "written": True, "to": case.requesting, "final": True}
    case.tell("request.answered", at, answer, ours=not mine)
    closed = case.tell("request.closed", at + 10 * DAY, {"outcome": "done"})
    story.plant("breach", case.plant, "A6.2b", spoken, item=spoken, span=(case.at, _third(case.at, tz)))
    lost: Sort = "breach" if case.plant == "oral_not_urgent" else "undetermined"
    story.plant(lost, case.plant, "A6.2a", spoken, closed)
