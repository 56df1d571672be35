"""Which rules are asked of a request: by the states, the kind, the way it went, and what is not known of these."""

from __future__ import annotations

import pytest

from tests.law.scene import Scene
from tests.records import content

CONTENT_RULES = ("O2", "P2", "O6", "A2", "A3", "P1", "A1")
"""Rules about what a request says."""


def rules(scene: Scene) -> set[str]:
    """The rules that say something of the request."""
    return {finding.rule for finding in scene.judged().findings}


def test_a_request_to_a_state_that_is_no_party_is_asked_nothing() -> None:
    scene = Scene()
    scene.request("extradition", channel="directorate", partner="DE", to="DE-BFJ", legal_basis=["coe-extr-1957"])
    assert rules(scene) == set()


def test_what_the_content_says_of_the_partner_counts_and_not_the_offices() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate", partner="DE", to="KZ-PGO")
    assert rules(scene) == set()


def test_without_content_the_offices_show_the_partner() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", office="RU-GUMPS", from_="DE-BFJ", to="RU-GUMPS")
    assert rules(scene) == set()
    other = Scene()
    other.act("request.received", "2025-03-03", office="RU-GUMPS", from_="KZ-PGO", to="RU-GUMPS")
    assert {"A1", "A2"} <= rules(other)


def test_the_register_says_whose_an_office_is_and_not_its_code_alone() -> None:
    scene = Scene()
    scene.reg("office.registered", "2024-01-01", office_="DE-LIAISON", party="KZ", sort="other", name_ru="Связь",
              border=False)  # fmt: skip
    scene.act("request.received", "2025-03-03", office="RU-GUMPS", from_="DE-LIAISON", to="RU-GUMPS")
    scene.expect("A2", "undetermined", reason="no_content")


def test_an_unknown_partner_is_asked_everything_and_the_rules_say_what_they_miss() -> None:
    scene = Scene()
    scene.act("step.taken", "2025-03-03")
    for rule in ("A1", "A2", "A3", "P1"):
        scene.expect(rule, "undetermined", reason="no_content", missing="content of the request")


def test_two_possible_partners_leave_it_unknown() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", office="RU-GUMPS", from_="DE-BFJ", to="RU-GUMPS")
    scene.act("request.forwarded", "2025-03-04", office="RU-GUMPS", from_="KZ-PGO", to="RU-GUMPS")
    scene.expect("A2", "undetermined", reason="no_content")


def test_without_an_opening_the_rules_about_the_content_decide_nothing() -> None:
    scene = Scene()
    scene.act("material.received", "2025-03-03", from_="KZ-B-01", channel="direct")
    for rule in CONTENT_RULES:
        scene.expect(rule, "undetermined", reason="no_content")
    scene.expect("P7", "undetermined", reason="no_opening", missing="opening of the request")
    scene.no_row("A6.1")
    scene.no_row("A15.4")


def test_the_content_that_comes_later_decides_then() -> None:
    scene = Scene()
    scene.act("material.received", "2025-03-03", from_="KZ-B-01", channel="direct")
    scene.act("request.signed", "2025-03-10", **content(kind="direct_exchange", area="crime"))
    scene.expect("A2", "undetermined", as_of="2025-03-09")
    scene.expect("A2", "met")


@pytest.mark.parametrize("channel", ["directorate", "diplomatic", "interpol"])
def test_rules_about_direct_contact_are_not_asked_of_another_way(channel: str) -> None:
    scene = Scene()
    scene.request("law_enforcement", channel=channel)
    assert rules(scene) & {"O1", "O2", "O6", "P2", "P7"} == set()


def test_one_direct_crossing_makes_it_direct() -> None:
    scene = Scene()
    scene.request("law_enforcement", channel="directorate")
    scene.act("request.answered", "2025-03-10", office="KZ-B-01", channel="direct", to="RU-OMS")
    assert {"O1", "O2", "O6", "P2", "P7"} <= rules(scene)


def test_a_direct_exchange_is_one_by_its_kind_before_it_is_sent() -> None:
    scene = Scene()
    scene.request(sent=False)
    assert {"O2", "O6", "P2", "P7"} <= rules(scene)
    other = Scene()
    other.request(channel="directorate")
    assert {rule for rule in rules(other) if rule.startswith("P")} == {"P1"}


def test_a_kind_that_a_rule_is_not_about_has_no_row() -> None:
    scene = Scene()
    scene.request("general_cooperation", channel="directorate")
    scene.no_row("A14")
    offer = Scene()
    offer.request("initiative", channel="directorate")
    for rule in ("A6.3", "A6.4", "A14"):
        offer.no_row(rule)


def test_where_the_kind_is_not_known_rules_about_some_kinds_are_asked() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", office="RU-GUMPS", from_="KZ-PGO", to="RU-GUMPS")
    scene.expect("A14", "undetermined", reason="no_content")


def test_another_own_party_is_asked_the_rules_of_its_own_instruments() -> None:
    scene = Scene(own="BY")
    scene.request("mla", channel="directorate", partner="KZ")
    assert rules(scene) == set()


def test_rules_about_a_register_a_meeting_or_a_year_are_not_asked_of_a_request() -> None:
    scene = Scene()
    scene.request()
    asked = [scene.rulebook.find(rule) for rule in rules(scene)]
    assert asked
    assert all(place is not None and "request" in place[1].subjects for place in asked)


def test_a_rule_that_is_left_out_of_the_rulebook_says_nothing() -> None:
    scene = Scene()
    scene.request()
    before = rules(scene)
    scene.rulebook = scene.rulebook.without("O1")
    assert before - rules(scene) == {"O1"}


def test_judgement_says_which_entries_of_the_register_it_looked_at() -> None:
    scene = Scene()
    scene.request()
    depends = scene.judged().depends
    assert {"office:RU-OMS", "office:KZ-B-01", "instrument:ru-kz-2009", "instrument:ru-kz-2009-ap-2022", "acts",
            "rulebook"} <= depends  # fmt: skip
    assert "office:RU-SAM" not in depends
