"""Materials: supplied, handled at the degree that was asked, opened by listed persons, used for their purpose."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from producers.simulator.chance import Weighted
from producers.simulator.places import GUMPS
from producers.simulator.requests import PURPOSES, Case, far
from producers.simulator.story import DAY, HOUR, MINUTE, days
from producers.simulator.truth import Sort

PLANTED = (
    "access_unlisted", "opened_unhandled", "grade_low", "use_without_consent", "use_late_consent", "condition_broken",
    "near_material", "law_limit", "unmapped_degree", "consent_unwritten", "condition_unanswered",
)  # fmt: skip
_GRADES = ("open", "restricted", "confidential", "strict")


@lru_cache(4)
def _grades(*weights: float) -> Weighted[str]:
    return Weighted(dict(zip(_GRADES, weights, strict=True)))


def tell(case: Case, start: int, end: int) -> list[str]:
    """The materials of a request between its acceptance and its answer; their ids."""
    story, chance = case.story, case.story.chance
    number = chance.few(story.parameters["materials.per_request"])
    if case.plant in PLANTED:
        number = max(1, number)
    held = []
    for n in range(number):
        at = start + HOUR + int((end - start - 3 * HOUR) * chance.random()) if end - start > 4 * HOUR else start + HOUR
        held.append(one(case, at, case.plant if n == 0 else ""))
    return held


def one(case: Case, at: int, plant: str) -> str:
    """One material from its supply to its use; its id."""
    story, chance = case.story, case.story.chance
    material = chance.token("m-")
    grade = _grades(*story.parameters.under("grades").values()).draw(chance)
    if plant in ("grade_low", "law_limit", "near_material"):
        grade = "confidential"
    sealed = plant in ("access_unlisted", "opened_unhandled", "near_material") or chance.flip(0.5)
    degree = {"scale": "rogatory", "value": grade}
    if plant == "unmapped_degree":
        degree = {"scale": "kz", "value": "for_internal_use"}
    purpose = {"purpose": PURPOSES.get(case.kind, "criminal_case"), "case": case.case_id}
    said: dict[str, Any] = {
        "material": material, "sort": "document", "supplier": case.requested,
        "supplied_as": "answer", "under_confidentiality": sealed, "degree": degree, "purposes": [purpose],
        "title": story.text(4), "pages": chance.whole(1, 60), "ciphertext_sha256": f"{chance.getrandbits(256):064x}",
        "lang": "ru", "channel": case.channel,
    }  # fmt: skip
    holder = case.ours if case.channel == "direct" else case.holder
    other = case.theirs if case.channel == "direct" else far(case)
    listed = [story.person() for _ in range(chance.whole(2, 4))]
    handling = {
        "material": material, "holder": holder, "grade": "restricted" if plant in ("grade_low", "law_limit") else grade,
        "custodian": listed[0], "access": listed, "measures": ["locked", "logged"],
    }  # fmt: skip
    if plant == "law_limit":
        handling["law_limit"] = story.text(5)
    if case.outgoing:
        _received(case, at, plant, {**said, "from": other}, handling)
    else:
        story.tell("handling.set", at - HOUR, holder, handling)
        story.tell("material.sent", at, holder, {**said, "to": other})
        _open(case, material, holder, listed, at + HOUR, purpose["purpose"])
    return material


def _received(case: Case, at: int, plant: str, said: dict[str, Any], handling: dict[str, Any]) -> None:
    """What our side received: handled, opened, used."""
    story, material, holder, listed = case.story, said["material"], handling["holder"], handling["access"]
    purpose = said["purposes"][0]
    code = purpose["purpose"]
    _condition(case, plant, material, at - HOUR)
    got = story.tell("material.received", at, holder, said)
    if plant == "opened_unhandled":
        id_ = _access(case, material, holder, listed[1], at + MINUTE, code)
        story.plant("breach", plant, "O8 A9.1", id_, item=material)
        if said["degree"]["value"] != "open":
            story.plant("breach", plant, "A9.2", got, id_, item=material)
    set_ = story.tell("handling.set", at + HOUR, holder, handling)
    if plant == "grade_low":
        story.plant("breach", plant, "A9.2", set_, item=material)
    elif plant in ("law_limit", "unmapped_degree"):
        story.plant("undetermined", plant, "A9.2", set_, item=material)
    _stranger(case, at + 2 * HOUR, plant, said, holder)
    _open(case, material, holder, listed, at + 3 * HOUR, code)
    _use(case, plant, material, holder, at + 2 * DAY, purpose)


def _stranger(case: Case, at: int, plant: str, said: dict[str, Any], holder: str) -> None:
    """Somebody opens it who is not on the list, or only just on it."""
    if plant not in ("access_unlisted", "near_material"):
        return
    story, material, person = case.story, said["material"], case.story.person()
    if plant == "near_material":
        data = {"material": material, "holder": holder, "persons": [person], "basis": "need_to_know"}
        story.tell("access.granted", at - MINUTE, holder, data)
    id_ = _access(case, material, holder, person, at, said["purposes"][0]["purpose"])
    if plant == "near_material":
        story.plant("near_miss", plant, "O8 A9.1 A9.2", id_, item=material)
    else:
        story.plant("breach", plant, "O8 A9.1", id_, item=material)


def _open(case: Case, material: str, holder: str, listed: list[str], at: int, purpose: str) -> None:
    chance = case.story.chance
    for n in range(chance.few(case.story.parameters["accesses.per_material"])):
        _access(case, material, holder, chance.one(listed), at + n * 2 * HOUR + int(HOUR * chance.random()), purpose)


def _access(case: Case, material: str, holder: str, person: str, at: int, purpose: str) -> str:
    data = {"material": material, "holder": holder, "person": person, "how": "viewed", "purpose": purpose}
    return case.story.tell("material.accessed", at, holder, data)


def _use(case: Case, plant: str, material: str, holder: str, at: int, purpose: dict[str, str]) -> None:
    story = case.story
    use = {"material": material, "by": holder, **purpose}
    if plant not in ("use_without_consent", "use_late_consent", "near_material", "consent_unwritten"):
        if story.chance.flip(0.5):
            story.tell("material.used", at, holder, use)
        return
    other = {"purpose": "criminal_case", "case": f"{case.case_id}-other"}
    consent = {"granted": True, "materials": [material], "purposes": [other], "by": case.requested,
               "written": plant != "consent_unwritten", "act_of": case.requested}  # fmt: skip
    if plant in ("near_material", "consent_unwritten"):
        story.tell("consent.answered", at - MINUTE, holder, consent)
    used = story.tell("material.used", at, holder, {**use, **other})
    if plant == "use_late_consent":
        story.tell("consent.answered", at + DAY, holder, consent)
    sort: Sort = "breach"
    if plant in ("consent_unwritten", "near_material"):
        sort = "undetermined" if plant == "consent_unwritten" else "near_miss"
    story.plant(sort, plant, "A9.3", used, item=material)


def _condition(case: Case, plant: str, material: str, at: int) -> None:
    story = case.story
    if plant not in ("condition_broken", "near_material", "condition_unanswered"):
        return
    name = f"cond-{case.case_id}"
    data = {"condition": name, "sort": "no_onward", "materials": [material]}
    put = case.tell("condition.proposed", at, data, ours=False)
    if plant == "condition_unanswered":
        story.plant("undetermined", plant, "A7.2b", put, item=name)
        return
    accepted = {"condition": name, "accepted": True}
    case.tell("condition.answered", at + MINUTE, accepted, office=GUMPS if case.channel != "direct" else case.ours)
    passed = at + days(1.5)
    if plant == "near_material":
        case.tell("condition.lifted", passed - MINUTE, {"condition": name}, ours=False)
    purpose = {"purpose": PURPOSES.get(case.kind, "criminal_case"), "case": case.case_id}
    holder = case.ours if case.channel == "direct" else case.holder
    out = story.tell("material.disclosed", passed, holder, {"material": material, "to": "office", **purpose})
    story.plant("breach" if plant == "condition_broken" else "near_miss", plant, "A7.2b", out, item=name)
