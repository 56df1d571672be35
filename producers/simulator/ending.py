"""A notice of termination (knob ``agreement.notice_day``), and what it makes of requests (Agr. 15).

Sixty days from its receipt the Agreement ends, and the Protocol with it.  Whether the day of receipt counts the text
leaves open, so the sixtieth day after it is a day of doubt.  What was owed before goes on to be owed (Agr. 15(3)).
After the end the offices put no request on the Agreement any more, but for what is planted.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from producers.simulator import chance as chances
from producers.simulator.parameters import Parameters
from producers.simulator.places import AGREEMENT, GUMPS, KZ_PGO, PGO, PROTOCOL
from producers.simulator.requests import Case
from producers.simulator.story import DAY, HOUR, Act, Story, instant, start_of
from producers.simulator.truth import Sort

CONTINUING = ("A7.2b", "A9.1", "A9.2", "A9.3")
"""Duties that no act discharges."""
_RUSH = 80 * DAY
"""So long before the end half of the exchanges wait for its last day, and half for the day of doubt."""
_ORDER: tuple[Sort, ...] = ("breach", "undetermined", "near_miss")
_OPENERS = ("request.signed", "request.spoken", "request.received")
_EXECUTION = ("request.accepted", "request.executed")


class Ending(NamedTuple):
    """The end of the Agreement."""

    notice: int
    """When the notice was received, ms."""
    doubtful: int
    """Until here it is in force by every reading, ms."""
    over: int
    """From here it is by none, ms."""


def ending(parameters: Parameters) -> Ending | None:
    """When the Agreement ends; None: it does not."""
    number = int(parameters["agreement.notice_day"])
    if not number:
        return None
    day = date(parameters.year, 1, 1) + timedelta(days=number - 1)
    tz = "Europe/Moscow"
    return Ending(
        start_of(day, tz) + 11 * HOUR, start_of(day + timedelta(days=60), tz), start_of(day + timedelta(days=61), tz)
    )


def notice(parameters: Parameters) -> Story:
    """The record of the notice."""
    story = Story(chances.case(parameters.seed, parameters.year, "notice"), "register", parameters)
    end = ending(parameters)
    if end is not None:
        data = {"instrument": AGREEMENT, "from": "KZ", "received": instant(end.notice)}
        story.tell("notice.received", end.notice, GUMPS, data)
    return story


def prepare(case: Case, end: Ending) -> None:
    """Let a request that would rest on the Agreement rest on something else after its end, or be planted at it."""
    if case.kind not in ("direct_exchange", "initiative", "general_cooperation") or case.at < end.doubtful - _RUSH:
        return
    exchanged = case.kind == "direct_exchange" and not case.story.parameters.clean
    if exchanged and case.at < end.over:
        case.plant = "on_the_last_day" if case.number % 2 else "on_the_day_of_doubt"
        case.at = end.doubtful + (-HOUR if case.number % 2 else 12 * HOUR)
        case.at = max(case.at, case.slot)
        return
    if case.at < end.doubtful:
        return
    if exchanged and case.number % 3:
        case.plant = "after_the_end"
        return
    case.kind, case.channel, case.plant, case.ours, case.theirs = "law_enforcement", "directorate", "", PGO, KZ_PGO


def note(case: Case, end: Ending) -> None:
    """What the end makes of a request that was told, whatever else is planted in it."""
    story = case.story
    if not story.judged:
        return
    opener = next((act for act in story.acts if act.name in _OPENERS and "kind" in act.data), None)
    if opener is None:
        return
    _in_force(story, opener, end)
    _surviving(story, end)


def _in_force(story: Story, opener: Act, end: Ending) -> None:
    named = opener.data["legal_basis"]
    rests = not named or AGREEMENT in named or PROTOCOL in named
    at = opener.claimed
    sort: Sort = "near_miss" if at < end.doubtful else "undetermined" if at < end.over else "breach"
    knob = {"near_miss": "near_end", "undetermined": "day_of_doubt", "breach": "after_end"}[sort]
    if sort != "near_miss" or at >= end.doubtful - 2 * HOUR:
        if story.direct:
            story.plant(sort, knob, "P7", opener.id, at=at)
        if rests:
            story.plant(sort, knob, "A15.1 A15.2", opener.id, at=at)
    if not rests or not named:
        return
    if at >= end.doubtful:
        story.plant("undetermined", knob, "P1 A1", opener.id, at=at)
    begun = min((act for act in story.acts if act.name in _EXECUTION), key=lambda act: act.claimed, default=None)
    if begun is not None and begun.claimed >= end.doubtful:
        story.plant("undetermined", knob, "A8.1", begun.id, at=begun.claimed)


def _surviving(story: Story, end: Ending) -> None:
    """Duties that arose before the end: a row for each rule, the worst of its parts, whenever it was broken."""
    worst: dict[str, Sort] = {}

    def add(rule: str, sort: Sort) -> None:
        if _ORDER.index(sort) < _ORDER.index(worst.get(rule, "near_miss")) or rule not in worst:
            worst[rule] = sort

    for truth in list(story.truths):
        if truth.rule in CONTINUING:
            about = [act for act in story.acts if truth.item in _named(act)]
            lifted = any(act.name == "condition.lifted" and act.claimed < end.doubtful for act in about)
            if about and min(act.claimed for act in about) < end.over and not lifted:
                add(truth.rule, truth.sort)
    for rule, sort, since, until in story.spans:
        if since < end.over and until >= end.doubtful and sort != "near_miss":
            add(rule, sort)
    for rule, sort in worst.items():
        story.plant(sort, "after_end", "A15.3", item=rule, at=end.over)


def _named(act: Act) -> tuple[str | None, str | None]:
    """The material and the condition that an act speaks of."""
    return act.data.get("material"), act.data.get("condition")
