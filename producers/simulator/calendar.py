"""What comes round with the calendar: meetings, annual information, checks, the review of practice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from producers.simulator import chance as chances
from producers.simulator.parameters import Parameters
from producers.simulator.places import CLEAN, GUMPS, LISTED, ZONES, centre, partners
from producers.simulator.register import Turns, opening, supervised
from producers.simulator.story import DAY, HOUR, MINUTE, Story, moment, start_of

FIRST_YEAR = 2022
"""The Order's own: information for it was the first to be owed."""


def years(parameters: Parameters) -> Iterator[Story]:
    """One story for each reporting year from the Order's issue to the simulated one."""
    every = range(FIRST_YEAR, parameters.year + 1)
    chances_ = len(LISTED) * len(every)
    least = 0 if parameters.clean else parameters["breaches.minimum"]
    share = max(parameters["breaches.report_late"], (least + 1) / chances_ * bool(least))
    between = max(parameters["breaches.report_between"], 0)
    turns = Turns({"report_late": share, "near_report": share * (not parameters.clean), "report_between": between})
    reviews = Turns({"review_bad": 0.25, "near_review": 0.25, "review_uncited": 0.25} if least else {"": 0.0})
    checks = Turns({"near_check": 0.5, "check_short": 0.25} if least else {"": 0.0})
    for year in every:
        yield _year(parameters, year, turns, reviews.next(), checks.next())


def _year(parameters: Parameters, year: int, turns: Turns, review: str, check: str) -> Story:
    story = Story(chances.case(parameters.seed, parameters.year, "year", year), f"year/{year}", parameters)
    start, least = opening(parameters) + 2 * DAY, not parameters.clean and parameters["breaches.minimum"]
    plants = [turns.next() for _ in LISTED]
    _checks(story, year, check)
    reports = []
    for office, plant in zip(LISTED, plants, strict=True):
        story.earliest = start
        reports += _report(story, year, office, plant)
    story.earliest = start
    at = moment(f"{year + 1}-06-30T08:00")
    if review == "near_review":
        at = start_of(date(year + 2, 1, 1), "Europe/Moscow") - HOUR
    uncited = review == "review_uncited"
    said = {"year": year, "to_role": "supervising_deputy", "cites": reports[1:] if uncited else reports,
            "proposals": 0 if review == "review_bad" else 2,
            "sha256": f"{story.chance.getrandbits(256):064x}"}  # fmt: skip
    done = story.tell("practicereview.submitted", at, GUMPS, said)
    if least:  # whoever holds the role, the review went to it
        double = supervised(parameters) in ("vacant", "held_twice")
        story.plant("undetermined" if double else "near_miss", "supervision", "O16", done)
    if review:
        sort = {"review_bad": "breach", "near_review": "near_miss"}.get(review, "undetermined")
        story.plant(sort, review, "O14", done)  # type: ignore[arg-type]
    story.plant("undetermined", "text", "O5", at=moment(f"{year}-12-31T12:00"))
    return story


def _checks(story: Story, year: int, plant: str) -> None:
    """Checks of the offices: of all at once, or of each once by the last day of the year, or of all but one."""
    parts = {"near_check": [LISTED[:9], LISTED[9:]], "check_short": [LISTED[1:]]}.get(plant, [LISTED])
    done = []
    for n, offices in enumerate(parts):
        story.earliest = opening(story.parameters) + 2 * DAY
        at = moment(f"{year}-12-31T08:00" if n else f"{year}-12-05T08:00")
        data = {"offices": list(offices), "how": "data", "from": f"{year}-01-01", "to": f"{year}-11-30", "findings": 0}
        done.append(story.tell("control.performed", at, GUMPS, data))
    if plant:
        story.plant("near_miss" if plant == "near_check" else "undetermined", plant, "O12", *done)


def _report(story: Story, year: int, office: str, plant: str) -> list[str]:
    chance, last = story.chance, start_of(date(year + 1, 1, 31), ZONES[office])
    sent = start_of(date(year + 1, 1, chance.whole(12, 26)), ZONES[office]) + 10 * HOUR
    got = sent + DAY
    block = True
    variant = chance.whole(0, 2) if plant == "report_late" else 0
    if plant == "near_report":
        sent, got = last - HOUR, last - MINUTE
    elif plant == "report_between":
        sent, got = last - HOUR, last + 2 * DAY
    elif plant == "report_late":
        if variant == 0:
            sent, got = last + HOUR, last + DAY
        block = variant != 1
    if variant == 2:  # none at all
        story.plant("breach", plant, "O11", item=office, at=last)
        return []
    said = {"office": office, "year": year, "separate_block": block, "memo_ref": chance.token("memo-"),
            "contacts": chance.whole(1, 20), "proposals": chance.whole(0, 3), "nil": False}  # fmt: skip
    id_ = story.tell("annualreport.submitted", sent, office, said)
    story.tell("annualreport.received", got, GUMPS, {"office": office, "report": id_})
    if plant:
        sort = {"report_late": "breach", "near_report": "near_miss"}.get(plant, "undetermined")
        story.plant(sort, plant, "O11", id_, item=office)  # type: ignore[arg-type]
    return [id_]


def meetings(parameters: Parameters) -> Iterator[Story]:
    """Meetings of the year, spread over it; those with Kazakhstan are judged."""
    least = 0 if parameters.clean else parameters["breaches.minimum"]
    number = parameters.count("meetings") + round((2 * least + 4) * min(parameters.scale, 1)) * bool(least)
    share = max(parameters["breaches.other"], (least + 1) * min(parameters.scale, 1) / number) if least else 0.0
    turns = Turns({"unproposed": share, "near_meeting": share, "reported_late": share / 8})
    states = partners(parameters)
    for n in range(number):
        chance = chances.case(parameters.seed, parameters.year, "meeting", n)
        plant = turns.next()
        state = "KZ" if plant else states.draw(chance)
        name = f"meeting/{parameters.year}-{n + 1:04d}"
        story = Story(chance, name, parameters, judged=state == "KZ")
        _meeting(story, n, number, state, plant)
        yield story


def _meeting(story: Story, n: int, number: int, state: str, plant: str) -> None:
    chance, year = story.chance, story.parameters.year
    office = chance.one(CLEAN)
    day = date(year, 1, 25) + timedelta(days=n * 330 // number)
    begins = start_of(day, ZONES[office])
    said = {"sort": "working", "place": chance.one(("RU", state)), "partners": [state],
            "offices": [office, centre(state)], "planned": day.isoformat(), "agenda": story.text(6)}  # fmt: skip
    proposed = begins + 8 * HOUR if plant == "near_meeting" else begins - 14 * DAY
    if plant != "unproposed":
        story.tell("meeting.proposed", proposed, office, said)
    held = begins + 18 * HOUR
    first = story.tell(
        "meeting.held", held, office,
        {**said, "held_from": day.isoformat(), "held_to": day.isoformat(), "participants": chance.whole(4, 30)},
    )  # fmt: skip
    report = held + 10 * DAY
    if plant == "near_meeting":
        report = begins + 31 * DAY - HOUR
    elif plant == "reported_late":
        report = begins + 31 * DAY + 2 * HOUR
    story.tell("meeting.reported", report, office, {"report_sha256": f"{chance.getrandbits(256):064x}", "to": GUMPS})
    if plant:
        sort = {"unproposed": "breach", "near_meeting": "near_miss"}.get(plant, "undetermined")
        item = story.subject.partition("/")[2]
        story.plant(sort, plant, "O10 A11" if plant == "near_meeting" else "O10", first, item=item)  # type: ignore[arg-type]
