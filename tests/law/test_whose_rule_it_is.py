"""Whom a rule binds and from when on: an internal act binds its own Party, and no text what was before it."""

from __future__ import annotations

import pytest

from projections.compliance.rulebook import built_in
from tests.law.scene import SEVENTEEN, Scene, shows
from tests.records import content

ORDER = {rule.id for profile in built_in().profiles if profile.instrument.issued_by for rule in profile.rule}


def arrived(scene: Scene, when: str = "2025-03-03T10:00") -> None:
    """A direct request of a Kazakh border office, as our office recorded its receipt."""
    said = content(kind="direct_exchange", direction="in", requesting="KZ-B-01", requested="RU-OMS",
                   legal_basis=["ru-kz-2009-ap-2022"], forms={"order": ["o1"], "protocol": ["p1"]},
                   topics=["drugs"])  # fmt: skip
    scene.act("request.received", when, channel="direct", from_="KZ-B-01", to="RU-OMS", signer="p-1",
              signer_role="head", act_of="KZ-B-01", **said)  # fmt: skip
    scene.act("request.answered", "2025-03-10", channel="direct", to="KZ-B-01")


def by_rule(scene: Scene, subject: str | None = None) -> dict[str, str]:
    """Who is bound by the rules of the Order that say something."""
    found = scene.judged(subject).findings if subject else scene.judged().findings
    return {finding.rule: finding.bound for finding in found if finding.rule in ORDER}


def test_of_an_incoming_request_the_order_asks_our_office_and_not_the_kazakh_one() -> None:
    scene = Scene()
    arrived(scene)
    assert by_rule(scene) == dict.fromkeys(["O1", "O2", "O6", "O7"], "RU-OMS")
    assert scene.finding("P5").bound == "KZ-B-01"
    assert scene.finding("A6.4").bound == "KZ-B-01"
    assert scene.finding("A8.2").bound == "RU-OMS"


def test_of_an_outgoing_request_the_order_asks_the_office_that_wrote_it() -> None:
    scene = Scene()
    scene.request()
    assert by_rule(scene) == dict.fromkeys(["O1", "O2", "O6", "O7"], "RU-OMS")


def test_where_no_office_of_the_party_is_known_the_party_is_bound() -> None:
    scene = Scene()
    said = content(kind="direct_exchange", direction="in", requesting="KZ-B-01", requested="KZ-B-01")
    scene.act("request.signed", "2025-03-03", office="KZ-B-01", **said)
    assert scene.finding("O6").bound == "RU"


def test_no_row_of_the_order_is_owed_by_anybody_but_offices_of_its_party() -> None:
    for direction in ("out", "in"):
        scene = Scene()
        if direction == "in":
            arrived(scene)
        else:
            scene.request()
        scene.reg("contact.changed", "2025-06-01", office="RU-OMS")
        scene.act("meeting.held", "2025-06-02", subject="meeting/1", office="KZ-PGO")
        for subject in ("request/2025-000123", "register", "meeting/1", "year/2025"):
            for rule, bound in by_rule(scene, subject).items():
                assert bound == "RU" or bound.startswith("RU-"), (rule, bound)


def test_in_the_ledger_of_the_other_party_the_order_is_asked_of_nobody() -> None:
    scene = Scene(own="KZ")
    arrived(scene)
    scene.act(
        "material.sent", "2025-03-04", office="KZ-XX", material="m-9", supplier="KZ-XX", to="RU-OMS", channel="direct"
    )
    scene.act("material.accessed", "2025-03-05", office="KZ-XX", material="m-9", holder="KZ-XX")
    scene.reg("contact.designated", "2025-06-01", office="KZ-B-01", office_="KZ-B-01", effective="2025-06-01")
    scene.act("meeting.held", "2025-06-02", subject="meeting/1")
    for subject in ("request/2025-000123", "register", "meeting/1", "year/2025"):
        assert by_rule(scene, subject) == {}
    assert {"P5", "P7", "A6.4"} <= {finding.rule for finding in scene.judged().findings}


def test_a_meeting_without_an_office_of_the_list_is_no_form_of_direct_contact() -> None:
    scene = Scene()
    scene.act("meeting.held", "2025-06-02", subject="meeting/1", office="RU-PGO", offices=["RU-PGO"])
    assert {finding.rule for finding in scene.judged("meeting/1").findings} == {"A3", "A11"}
    scene.act("meeting.held", "2025-06-02", subject="meeting/2", office="RU-GUMPS", offices=["RU-PGO", "RU-OMS"])
    assert scene.finding("O2", subject="meeting/2").bound == "RU-OMS"


# From when on


@pytest.mark.parametrize(
    ("when", "asked"),
    [("2022-03-09T23:59:59.999", False), ("2022-03-10T00:00", True), ("2022-03-10T00:00+03:00", True)],
)
def test_the_order_asks_nothing_of_what_was_before_it_by_the_day_of_the_office(when: str, asked: bool) -> None:
    scene = Scene()
    scene.request("mla", when, to="KZ-PGO")
    assert (scene.findings("O9") != []) is asked
    assert (scene.findings("O6") != []) is asked
    scene.expect("O1", "undetermined" if not asked else "breached", reason=None if asked else "before_order")


@shows("O9 breached")
def test_one_act_after_the_order_is_enough_to_be_asked() -> None:
    scene = Scene()
    scene.request("mla", "2022-03-09", to="KZ-PGO", channel="directorate")
    scene.no_row("O9")
    scene.act("request.answered", "2022-03-20", office="KZ-B-01", to="RU-OMS", channel="direct")
    scene.act("material.sent", "2022-03-21", supplier="RU-OMS", to="KZ-B-01", channel="direct")
    scene.expect("O9", "breached")


def test_a_meeting_from_before_the_order_needed_no_proposal_under_it() -> None:
    for when, verdict in (("2022-03-09", None), ("2022-03-10", "breached")):
        scene = Scene()
        scene.act("meeting.held", when, subject="meeting/1", held_from=when, held_to=when)
        if verdict is None:
            scene.no_row("O10", subject="meeting/1")
            scene.no_row("O2", subject="meeting/1")
        else:
            scene.expect("O10", verdict, subject="meeting/1")
        scene.expect("A11", "met", subject="meeting/1")


def test_before_the_agreement_only_its_own_validity_is_asked() -> None:
    scene = Scene()
    scene.request("mla", "2009-06-22", to="KZ-PGO", channel="directorate", signer_role="contact", substance=False)
    assert {finding.rule for finding in scene.judged().findings} == {"A15.1"}
    scene.expect("A15.1", "breached", reason="before_start")


def test_a_direct_exchange_from_before_the_protocol_is_outside_it_and_owes_it_nothing_else() -> None:
    scene = Scene()
    scene.request(when="2022-01-11")
    assert {rule for rule in {f.rule for f in scene.judged().findings} if rule.startswith("P")} == {"P7"}
    scene.expect("P7", "breached", reason="before_start")
    assert set(SEVENTEEN) >= {scene.finding("O1").bound}
