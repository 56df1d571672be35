"""What is planted, in which cases, how often.

A case carries at most one plant; of those that fit it (its family and direction) the one is taken that is most in
arrears, so that after any number of cases each has come as often as its share says, give or take one.  That takes a
counter for each plant and nothing else.  Only requests with Kazakhstan carry any: for others there is no rulebook.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from producers.simulator.parameters import Parameters

Family = Literal["central", "direct"]


class Plant(msgspec.Struct, frozen=True):
    """One sort of thing to plant."""

    name: str
    family: Family
    knob: str
    direction: str = ""
    """Only in requests of this direction; empty: in either."""
    undecided: bool = False
    """No breach: the text leaves it open. Half of the least number will do."""


def _central(direction: str, knob: str, *names: str, undecided: bool = False) -> list[Plant]:
    return [Plant(name, "central", f"breaches.{knob}", direction, undecided) for name in names]


PLANTS: tuple[Plant, ...] = (
    # Breaches
    *_central("", "field_missing", "field_missing"),
    *_central("", "wrong_signer", "wrong_signer"),
    *_central("out", "wrong_signer", "role_over"),
    *_central("", "other", "old_agreement", "unanswered"),
    *_central("", "no_reason", "no_reason", "told_orally"),
    *_central("", "cost_unagreed", "cost_unagreed"),
    *_central("out", "access_unlisted", "access_unlisted", "opened_unhandled"),
    *_central("out", "grade_low", "grade_low"),
    *_central("out", "use_without_consent", "use_without_consent"),
    *_central("out", "use_late_consent", "use_late_consent"),
    *_central("out", "other", "condition_broken"),
    *_central("out", "misrouted", "misrouted_out"),
    *_central("in", "misrouted", "misrouted_in"),
    *_central("", "other", "oral_late", "oral_never", "oral_not_urgent"),
    # Near misses
    *_central("", "other", "near_request", "near_answer", "near_refusal", "near_oral", "near_cost"),
    *_central("out", "other", "near_route_out", "near_material"),
    *_central("in", "other", "near_route_in"),
    # What the texts do not decide
    *_central("", "acting_head", "acting_head", undecided=True),
    *_central("", "no_consultation", "no_consultation", undecided=True),
    *_central("", "other", "other_ground", "told_late", "oral_between", "no_basis", "doubt_ignored", undecided=True),
    *_central("", "other", "no_area", "no_form", "no_translation", "diplomatic", "other_unit", undecided=True),
    *_central("", "other", "cost_unclear", undecided=True),
    *_central(
        "out", "other", "law_limit", "unmapped_degree", "consent_unwritten", "condition_unanswered", undecided=True
    ),
    *_central("in", "other", "returned_misrouted", undecided=True),
    # Between border offices
    *(
        Plant(name, "direct", f"breaches.{knob}")
        for name, knob in (
            ("form_none", "other"), ("exchange_first", "other"), ("pair_unlisted", "other"),
            ("before_protocol", "other"), ("direct_signer", "wrong_signer"), ("near_direct", "other"),
            ("near_protocol", "other"),
        )
    ),
    *(
        Plant(name, "direct", "breaches.other", undecided=True)
        for name in ("form_wider", "nature_office", "direct_oral", "no_topic")
    ),
)  # fmt: skip


class Planting:
    """Whose turn it is."""

    def __init__(self, parameters: Parameters, chances: dict[tuple[Family, str], float]) -> None:
        """``chances``: cases that can carry something, by family and direction, at scale 1."""
        self._shares: list[float] = []
        self._due: list[float] = []
        least = parameters["breaches.minimum"]
        for plant in PLANTS:
            share = parameters[plant.knob] if plant.knob in parameters.values else 0.0
            expected = sum(
                count for (family, way), count in chances.items()
                if family == plant.family and plant.direction in ("", way)
            )  # fmt: skip
            if least and expected and not parameters.clean:
                share = max(share, min(1.0, (least / (2 if plant.undecided else 1) + 1) / expected))
            self._shares.append(share)
            self._due.append(0.5 * bool(share))

    def next(self, family: Family, direction: str) -> str:
        """What the next such case carries; empty: nothing."""
        chosen, most = -1, 1.0 - 1e-9
        for place, plant in enumerate(PLANTS):
            if plant.family != family or plant.direction not in ("", direction):
                continue
            self._due[place] += self._shares[place]
            if self._due[place] > most:
                chosen, most = place, self._due[place]
        if chosen < 0:
            return ""
        self._due[chosen] -= 1.0
        return PLANTS[chosen].name
