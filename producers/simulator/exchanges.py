"""What goes from office to office: direct exchanges under the Protocol; and offers and general co-operation."""

from __future__ import annotations

from typing import Any

from producers.simulator import central, materials, oral
from producers.simulator.places import CLEAN, DOUBTFUL, GUMPS, KZ_INNER, KZ_MTP, UNLISTED
from producers.simulator.requests import Case, content, far, note_content, signer
from producers.simulator.story import DAY, HOUR, days, moment


def direct(case: Case) -> None:
    """An exchange between two border offices."""
    story, chance, plant = case.story, case.story.chance, case.plant
    _pair(case)
    early = plant in ("before_protocol", "near_protocol")
    if early:
        # An old file that is recorded now: what counts is when it was.
        case.at = moment("2021-11-10T06:00") + days(20 * chance.random())
        if plant == "near_protocol":
            case.at = moment("2022-01-12T06:00")
        story.earliest = case.slot
    if plant == "exchange_first":
        data = _supply(case, "exchange")
        story.tell("handling.set", case.at - 3 * HOUR, case.ours, data[1])
        first = story.tell("material.sent", case.at - 2 * HOUR, case.ours, {**data[0], "to": case.theirs})
    arrived = oral.tell(case) if plant == "direct_oral" or _is_oral(case) else _open(case)
    if arrived is None:
        return
    if plant == "exchange_first":
        story.plant("breach", plant, "O7 P5", story.acts[-1].id, first)
    if plant == "near_direct":
        story.plant("near_miss", plant, "O7 P5", story.acts[0].id)
    took = min(central.length(case), 25.0) if early else central.length(case)
    told = arrived + days(took)
    side: dict[str, Any] = {"ours": not case.outgoing}
    start = arrived + HOUR
    if not case.outgoing or chance.flip(0.3):
        id_ = case.tell("request.accepted", start, {"executing": case.requested}, **side)
        if plant == "before_protocol":
            story.plant("undetermined", plant, "A8.1", id_)
    materials.tell(case, start, told)
    answer = {"outcome": "granted", "channel": "direct", "written": True, "to": case.requesting, "final": True}
    id_ = case.tell("request.answered", told, answer, **side)
    central.note_answer(case, arrived, told, id_)
    case.tell("request.closed", told + days(1 + 5 * chance.random()), {"outcome": "done"})


def _is_oral(case: Case) -> bool:
    return not case.plant and case.story.chance.random() < case.story.parameters["oral.share"]


def _pair(case: Case) -> None:
    """Who writes to whom, where that is planted."""
    chance = case.story.chance
    match case.plant:
        case "pair_unlisted":
            if chance.flip(0.5):
                case.ours = UNLISTED.code
                case.theirs = "KZ-B-01"
            else:
                case.theirs = KZ_INNER
        case "nature_office":
            case.ours = case.holder = DOUBTFUL
        case "near_direct":
            case.ours = case.holder = chance.one([code for code in CLEAN if "-T-" in code])
            case.theirs = KZ_MTP
        case _:
            pass


def _open(case: Case) -> int:
    """A written request and its way; when it arrived."""
    story, at, plant = case.story, case.at, case.plant
    said = {**content(case), **signer(case, at)}
    passage = {"channel": "direct", "from": case.requesting, "to": case.requested, "translations": ["ru"]}
    if case.outgoing:
        opener = story.tell("request.signed", at, case.ours, {**said, "signature": "ink", "lang": "ru"})
        sent = story.tell("request.sent", at + HOUR, case.ours, {**passage, "means": "email"})
        arrived = at + HOUR
    else:
        opener = sent = story.tell("request.received", at, case.ours, {**said, **passage})
        arrived = at
    note_content(case, opener)
    match plant:
        case "pair_unlisted":
            story.plant("breach", plant, "O1", sent)
            if case.theirs == KZ_INNER:
                story.plant("undetermined", plant, "P2", sent)
        case "nature_office":
            story.plant("undetermined", plant, "O1 P2", sent)
        case "before_protocol":
            story.plant("breach", plant, "P7", opener)
            # The Protocol has nothing to say of what was over before it was signed: of P1 and P2 there is no row.
            story.plant("undetermined", plant, "O1 A1", sent)
        case "near_protocol":
            story.plant("near_miss", plant, "P7 P1 A1", opener)
            story.plant("undetermined", plant, "O1 P2", sent)
    return arrived


def _supply(case: Case, sort: str) -> tuple[dict[str, Any], dict[str, Any]]:
    story, chance = case.story, case.story.chance
    material, person = chance.token("m-"), story.person()
    said = {
        "material": material, "sort": "information", "supplier": case.ours, "supplied_as": sort,
        "under_confidentiality": False, "purposes": [{"purpose": "crime_analysis"}], "title": story.text(4),
        "ciphertext_sha256": f"{chance.getrandbits(256):064x}", "lang": "ru", "channel": "direct",
    }  # fmt: skip
    handling = {
        "material": material, "holder": case.ours, "grade": "restricted", "custodian": person, "access": [person],
        "measures": ["locked"],
    }  # fmt: skip
    return said, handling


def mutual(case: Case) -> None:
    """An initiative or other co-operation of the two Parties, through their units."""
    story, chance, at = case.story, case.story.chance, case.at
    said = {**content(case), **signer(case, at)}
    if case.outgoing:
        story.tell("request.signed", at, case.ours, {**said, "signature": "ink", "lang": "ru"})
        passage = {"channel": "directorate", "from": GUMPS, "to": far(case), "translations": ["ru"], "means": "post"}
        story.tell("request.sent", at + DAY, GUMPS, passage)
        arrived = at + DAY
    else:
        passage = {"channel": "directorate", "from": far(case), "to": GUMPS, "translations": ["ru"]}
        story.tell("request.received", at, GUMPS, {**said, **passage})
        arrived = at
    told = arrived + days(central.length(case))
    ends = ("initiative_accepted", "initiative_declined") if case.kind == "initiative" else ("granted", "granted")
    data = {"outcome": chance.one(ends), "channel": "directorate", "written": True, "final": True,
            "to": GUMPS if case.outgoing else far(case)}  # fmt: skip
    id_ = case.tell("request.answered", told, data, ours=not case.outgoing)
    central.note_answer(case, arrived, told, id_)
    case.tell("request.closed", told + 3 * DAY, {"outcome": "done"})
