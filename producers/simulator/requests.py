"""How a request begins: its kind, direction, partner, offices, content and signature.

Cases are numbered in the order in which they are opened, and the place of a number in the year is fixed
(``Plan.case``), so that none of them has to be kept to know when the next one begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from producers.simulator import chance as chances
from producers.simulator.breaches import Family, Planting
from producers.simulator.parameters import Parameters
from producers.simulator.places import (
    AGREEMENT,
    CLEAN,
    GUMPS,
    KZ_MTP,
    OLD,
    PGO,
    PROTOCOL,
    basis,
    centre,
    partners,
    unit,
)
from producers.simulator.story import Story, iso, moment
from producers.simulator.truth import Sort

TREATY_KINDS = ("extradition", "mla", "transfer_sentenced", "transfer_mental", "transfer_prosecution")
PURPOSES = {
    "extradition": "extradition", "transfer_sentenced": "sentence_execution", "transfer_mental": "medical_treatment",
    "asset": "asset_recovery", "admin_offence": "admin_case", "general_cooperation": "legislation",
    "initiative": "crime_analysis",
}  # fmt: skip
TOPICS = ("organised_crime", "terrorism_extremism", "drugs", "digital_assets", "ict_crime", "minors", "environment")


class Case(msgspec.Struct):
    """A request that is to be told."""

    number: int
    kind: str
    direction: str
    partner: str
    at: int
    """When it is opened, ms."""
    plant: str
    story: Story
    ours: str = PGO
    theirs: str = ""
    holder: str = ""
    """The office of the 17 that holds what is sent and received."""
    case_id: str = ""
    channel: str = "directorate"
    slot: int = 0
    """Nothing of it is recorded before, ms."""

    @property
    def requesting(self) -> str:
        """Who asks."""
        return self.ours if self.direction == "out" else self.theirs

    @property
    def requested(self) -> str:
        """Who is asked."""
        return self.theirs if self.direction == "out" else self.ours

    @property
    def outgoing(self) -> bool:
        """Whether our side asks."""
        return self.direction == "out"

    def tell(self, name: str, at: int, data: dict[str, Any], *, ours: bool = True, office: str = "") -> str:
        """An act of our side, or of theirs as our office reports it."""
        reporter = office or (self.ours if self.channel == "direct" else GUMPS)
        if not ours:
            data = {"act_of": self.theirs, **data}
        return self.story.tell(name, at, reporter, data)


class Plan:
    """Which cases the year has."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        weights: dict[tuple[str, str], float] = {}
        for name in ("extradition.out", "extradition.in"):
            kind, _, direction = name.partition(".")
            weights[kind, direction] = parameters[f"requests.{name}"]
        split = parameters["requests.other.out"]
        for kind in (
            "mla", "search_person", "transfer_prosecution", "asset", "law_enforcement", "admin_offence",
            "transfer_sentenced", "transfer_mental", "direct_exchange", "initiative", "general_cooperation",
        ):  # fmt: skip
            out = parameters["requests.mla.out"] if kind == "mla" else split
            weights[kind, "out"] = parameters[f"requests.{kind}"] * out
            weights[kind, "in"] = parameters[f"requests.{kind}"] * (1 - out)
        self._weights = {key: weight for key, weight in weights.items() if weight}
        self.total = max(1, round(sum(weights.values()) * parameters.scale)) if self._weights else 0
        self._partners = partners(parameters)
        self.begins = moment(f"{parameters.year}-01-01T00:00") - 3 * 3_600_000  # Moscow's new year
        self.length = moment(f"{parameters.year + 1}-01-01T00:00") - moment(f"{parameters.year}-01-01T00:00")

    def chances(self) -> dict[tuple[Family, str], float]:
        """Cases at scale 1 in which something can be planted."""
        found: dict[tuple[Family, str], float] = {}
        for (kind, direction), weight in self._weights.items():
            if kind == "direct_exchange":
                found["direct", direction] = found.get(("direct", direction), 0) + weight
            elif kind not in ("initiative", "general_cooperation"):
                found["central", direction] = found.get(("central", direction), 0) + weight * 0.10
        return found

    def cases(self) -> Iterator[Case]:
        """All of them in the order in which they are opened."""
        parameters = self.parameters
        planting = Planting(parameters, self.chances())
        keys, whole = list(self._weights), sum(self._weights.values())
        shares = [weight / whole for weight in self._weights.values()]
        due = [0.0] * len(keys)
        for number in range(self.total):
            due = [before + share for before, share in zip(due, shares, strict=True)]
            most = due.index(max(due))
            due[most] -= 1
            yield self._case(number, *keys[most], planting)

    def _case(self, number: int, kind: str, direction: str, planting: Planting) -> Case:
        parameters = self.parameters
        chance = chances.case(parameters.seed, parameters.year, "request", number)
        at = self.begins + int((number + chance.random()) * self.length / self.total)
        mutual = kind in ("direct_exchange", "initiative", "general_cooperation")
        partner = "KZ" if mutual else self._partners.draw(chance)
        plant = ""
        if partner == "KZ" and kind == "direct_exchange":
            plant = planting.next("direct", direction)
        elif partner == "KZ" and not mutual:
            plant = planting.next("central", direction)
        story = Story(chance, f"request/{parameters.year}-{number + 1:07d}", parameters, judged=partner == "KZ")
        case = Case(number, kind, direction, partner, at, plant, story)
        case.slot = at
        case.theirs, case.holder = centre(partner), chance.one(CLEAN)
        case.case_id = chance.token("c-")
        if kind == "direct_exchange":
            case.channel, case.ours = "direct", case.holder
            many = int(parameters["register.counterparts"])
            case.theirs = KZ_MTP if "-T-" in case.ours else f"KZ-B-{chance.whole(1, many):02d}"
        return case


@lru_cache(1024)
def official(seed: int, office: str, role: str) -> str:
    """Who holds a role: as the register says, too."""
    return chances.case(seed, "official", office, role).token("p-")


def deputy(seed: int, at_month: int) -> str:
    """The deputy head of the Prosecutor General's Office on duty in a month (1 to 12)."""
    return official(seed, PGO, f"deputy/{at_month}")


def content(case: Case) -> dict[str, Any]:
    """What a request says (Agr. 6(3)), complete but for what is planted."""
    story, kind = case.story, case.kind
    mutual = kind in ("direct_exchange", "initiative", "general_cooperation")
    said: dict[str, Any] = {
        "kind": kind,
        "direction": case.direction,
        "partner": case.partner,
        "requesting": case.requesting,
        "requested": case.requested,
        "substance": story.text(10),
        "purpose_text": story.text(5),
        "grounds": story.text(5),
        "purposes": [{"purpose": PURPOSES.get(kind, "criminal_case"), "case": case.case_id}],
        "assistance": story.text(8),
        "legal_basis": [AGREEMENT, PROTOCOL] if kind == "direct_exchange" else [AGREEMENT] if mutual
        else [basis(kind, case.partner)],
        "area": "crime" if kind in ("direct_exchange", "initiative") else "rights" if mutual else "extradition_mla",
    }  # fmt: skip
    if kind == "direct_exchange" or case.channel == "direct":
        form = story.chance.whole(1, 4)
        said["forms"] = {"order": [f"o{form}"], "protocol": [f"p{form}"], "agreement": ["a1"]}
        said["topics"] = [story.chance.one(TOPICS)]
    else:
        said["forms"] = {"agreement": ["a2" if kind in TREATY_KINDS else "a1"]}
    if kind == "transfer_mental":
        said["court_ruling"] = {"date": f"{case.story.parameters.year - 1}-11-10", "court": story.text(3)}
    _spoil(case, said)
    return said


def _spoil(case: Case, said: dict[str, Any]) -> None:
    """What is planted in the content."""
    spoiled = case.story.chance.one(("substance", "grounds", "assistance"))
    if not case.plant:
        return
    basis_ = said["legal_basis"]
    changes: dict[str, dict[str, Any]] = {
        "field_missing": {spoiled: ""},
        # Group f is not required, the Agreement named is not the one of 1992, and the direction is one of the five.
        "near_request": {"other": "", "legal_basis": [*basis_, AGREEMENT], "area": "research"},
        "near_answer": {"forms": {"agreement": ["other"]}},  # the list of Agr. 3 is open
        "old_agreement": {"legal_basis": [*basis_, OLD]},
        "no_basis": {"legal_basis": []},
        "form_none": {"forms": {"order": ["none"], "protocol": ["none"], "agreement": ["a1"]}},
        "form_wider": {"forms": {"protocol": ["p5"], "agreement": ["other"]}},
        "near_direct": {"forms": {"protocol": ["p2"], "agreement": ["a1"]}, "topics": ["none"]},
    }
    said |= changes.get(case.plant, {})
    left_out = {"no_area": "area", "no_form": "forms", "no_topic": "topics"}.get(case.plant)
    if left_out:
        del said[left_out]


def signer(case: Case, at: int) -> dict[str, Any]:
    """Who signs, and as what."""
    seed = case.story.parameters.seed
    office = case.requesting
    who, role = official(seed, office, "head"), "head"
    match case.plant:
        case "wrong_signer" | "direct_signer":
            who, role = official(seed, office, "contact"), "contact"
        case "role_over":  # on duty a month before
            who, role = deputy(seed, (_month(at) + 10) % 12 + 1), "deputy_head"
        case "acting_head":
            who, role = official(seed, office, "acting"), "acting_head"
        case "near_direct":
            who, role = official(seed, office, "deputy_head"), "deputy_head"
        case "near_request" if office == PGO and _in_year(case, at):
            who, role = deputy(seed, _month(at)), "deputy_head"
        case _:
            pass
    return {"signer": who, "signer_role": role}


def _month(at: int) -> int:
    return int(_local(at)[5:7])


def _in_year(case: Case, at: int) -> bool:
    return _local(at)[:4] == str(case.story.parameters.year)


def _local(at: int) -> str:
    return iso(at + 3 * 3_600_000)  # Moscow


_DESERVED: dict[str, tuple[tuple[Sort, str], ...]] = {
    "field_missing": (("breach", "A6.3"),),
    "wrong_signer": (("breach", "A6.4"),),
    "role_over": (("breach", "A6.4"),),
    "direct_signer": (("breach", "A6.4"),),
    "acting_head": (("undetermined", "A6.4"),),
    "near_request": (("near_miss", "A6.3 A6.4 A15.4 P1 A1 A8.1 A2 A6.1"),),
    "near_answer": (("near_miss", "A3"),),
    "old_agreement": (("breach", "A15.4"), ("undetermined", "P1 A1 A8.1")),
    "no_basis": (("undetermined", "P1 A1 A8.1"),),
    "no_area": (("undetermined", "A2"),),
    "no_form": (("undetermined", "A3"),),
    "form_none": (("breach", "O2 P2"),),
    "form_wider": (("undetermined", "O2 O9"), ("near_miss", "A3")),
    "near_direct": (("near_miss", "O1 O2 P2 O6 A6.4 A6.1"),),
    "no_topic": (("undetermined", "O6"),),
}
"""Verdicts on what is planted in the content and the signature."""


def note_content(case: Case, opener: str) -> None:
    """What is planted in the content and the signature deserves these verdicts."""
    for sort, rules in _DESERVED.get(case.plant, ()):
        case.story.plant(sort, case.plant, rules, opener)
    if case.plant in ("no_basis", "near_request") and case.kind in TREATY_KINDS:
        # The Agreement beside a treaty leaves the treaty as it is.
        case.story.plant("undetermined" if case.plant == "no_basis" else "near_miss", case.plant, "A14", opener)


def far(case: Case) -> str:
    """Where correspondence with the other side's centre goes."""
    return case.theirs if case.channel == "direct" else unit(case.partner)
