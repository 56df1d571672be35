"""Refusing assistance: on which ground, after which consultation, told how: A7.1, A7.2a, A7.3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows


def asked() -> Scene:
    """A scene with a request of ours on its way since 3 March."""
    scene = Scene()
    scene.request("mla", "2025-03-03T10:00", to="KZ-PGO", channel="directorate")
    return scene


def refused(when: str = "2025-05-10T10:00", **stated: Any) -> Scene:
    """The same, refused by the other side (event ``no``)."""
    scene = asked()
    scene.act("refusal.decided", when, id="no", office="KZ-PGO", **stated)
    return scene


def consult(scene: Scene, when: str, about: str = "refusal", *, admitted: str | None = None, **stated: Any) -> str:
    """A consultation between the two sides."""
    who = {"office": "KZ-PGO", "with_": ["RU-OMS"], **stated}
    return scene.act("consultation.held", when, about=about, admitted=admitted, **who)


# Two offices may use one event id


def test_decisions_of_two_offices_with_one_id_are_two_items() -> None:
    """Identities are those of subject, office and id."""
    scene = refused()
    scene.act("refusal.decided", "2025-05-11T10:00", id="no", office="KZ-B-01", decided_by="KZ-B-01")
    for rule in ("A7.1", "A7.2a", "A7.3"):
        assert {finding.item for finding in scene.findings(rule)} == {"no@KZ-PGO", "no@KZ-B-01"}


# A7.1: grounds


@shows("A7.1 met")
@pytest.mark.parametrize(
    "ground", ["sovereignty", "security", "essential_interest", "legislation", "international_obligation"]
)
def test_each_ground_of_the_text_will_do(ground: str) -> None:
    finding = refused(ground=ground).expect("A7.1", "met", item="no", reason="ground_listed")
    assert finding.values == {"scope": "full", "ground": ground}
    assert finding.bound == "KZ-PGO"


@shows("A7.1 undetermined")
def test_another_ground_is_undetermined_since_the_text_does_not_say_only() -> None:
    refused(ground="other").expect("A7.1", "undetermined", reason="ground_not_listed")


@shows("A7.1 undetermined")
def test_a_refusal_told_without_a_decision_is_undetermined() -> None:
    scene = asked()
    told = scene.act("refusal.notified", "2025-05-12", office="KZ-PGO", decision="unknown")
    scene.expect("A7.1", "undetermined", item=told, reason="no_decision", missing="decision")


def test_an_answer_that_refuses_without_a_decision_is_undetermined_and_one_with_it_adds_no_row() -> None:
    scene = asked()
    answer = scene.act("request.answered", "2025-05-12", office="KZ-PGO", outcome="refused")
    scene.expect("A7.1", "undetermined", item=answer)
    both = refused()
    both.act("request.answered", "2025-05-12", office="KZ-PGO", outcome="refused")
    both.expect("A7.1", "met")


def test_what_is_not_refused_has_no_row() -> None:
    scene = asked()
    scene.act("request.answered", "2025-05-12", office="KZ-PGO")
    for rule in ("A7.1", "A7.2a", "A7.3"):
        scene.no_row(rule)


def test_each_decision_is_a_row_of_its_own() -> None:
    scene = refused(scope="partial")
    scene.act("refusal.decided", "2025-05-20", id="again", office="KZ-PGO", scope="partial", ground="other")
    scene.expect("A7.1", "met", item="no")
    scene.expect("A7.1", "undetermined", item="again")


# A7.2a: consultation


@shows("A7.2a met")
@pytest.mark.parametrize("about", ["refusal", "conditions"])
def test_consulted_before_the_decision_is_met(about: str) -> None:
    scene = asked()
    consult(scene, "2025-05-09", about)
    scene.act("refusal.decided", "2025-05-10T10:00", id="no", office="KZ-PGO")
    finding = scene.expect("A7.2a", "met", item="no", reason="consulted_before", marks=())
    assert finding.values == {"consulted": "2025-05-09", "decided": "2025-05-10"}


@shows("A7.2a undetermined")
def test_s49_partial_refusal_with_neither_consultation_nor_reason_is_undetermined() -> None:
    scene = refused(scope="partial")
    scene.expect("A7.2a", "undetermined", reason="not_consulted", missing="possible")
    scene.expect("A7.3", "open", as_of="2025-05-11")


@shows("A7.2a undetermined", "A7.2a met")
def test_s50_consulted_only_after_the_decision_is_undetermined_and_with_a_reason_met() -> None:
    after = refused("2025-05-10T10:00")
    consult(after, "2025-05-12")
    after.expect("A7.2a", "undetermined", reason="consulted_after")
    reason = refused("2025-05-10T10:00", no_consultation_reason=True)
    consult(reason, "2025-05-12")
    reason.expect("A7.2a", "met", reason="reason_given")


def test_an_empty_reason_is_none() -> None:
    refused(no_consultation_reason=False).expect("A7.2a", "undetermined")


@pytest.mark.parametrize(
    ("held", "verdict"), [("2025-05-10T09:59:59.999", "met"), ("2025-05-10T10:00", "undetermined")]
)
def test_before_is_a_matter_of_milliseconds_and_then_of_sequence(held: str, verdict: str) -> None:
    scene = refused("2025-05-10T10:00")
    consult(scene, held)
    scene.expect("A7.2a", verdict)


def test_a_consultation_claimed_before_and_recorded_after_the_decision_is_met_with_a_mark() -> None:
    scene = refused("2025-05-10T10:00")
    consult(scene, "2025-05-09", admitted="2025-05-20")
    scene.expect("A7.2a", "undetermined", as_of="2025-05-19")
    scene.expect("A7.2a", "met", as_of="2025-05-21", marks=("claimed",))


def test_of_two_earlier_consultations_the_one_that_needs_no_claim_is_named() -> None:
    scene = asked()
    plain = consult(scene, "2025-05-01")
    scene.act("refusal.decided", "2025-05-10T10:00", office="KZ-PGO")
    consult(scene, "2025-05-09", admitted="2025-05-20")
    finding = scene.expect("A7.2a", "met", marks=())
    assert plain in [ref.event for ref in finding.evidence]


def test_talks_on_another_matter_or_inside_one_side_are_no_consultation_on_the_refusal() -> None:
    scene = asked()
    consult(scene, "2025-05-09", "execution")
    consult(scene, "2025-05-09", office="KZ-PGO", with_=["KZ-DIC", "KZ-B-01"])
    scene.act("refusal.decided", "2025-05-10T10:00", office="KZ-PGO")
    scene.expect("A7.2a", "undetermined", reason="not_consulted")


# A7.3: telling it


def tell(scene: Scene, when: str, **stated: Any) -> str:
    """The refusal is told to us."""
    return scene.act("refusal.notified", when, office="KZ-PGO", **{"decision": "no", **stated})


@shows("A7.3 met", "A7.3 open")
def test_told_in_writing_with_the_reason_within_the_threshold_is_met_by_configuration() -> None:
    scene = refused("2025-05-10T10:00")
    tell(scene, "2025-05-12")
    scene.expect("A7.3", "open", as_of="2025-05-11", item="no", overdue=False)
    finding = scene.expect("A7.3", "met", item="no", marks=("by_configuration",))
    assert finding.values["told"] == "2025-05-12"
    assert (finding.values["written"], finding.values["stated"]) == ("✓", "✓")


@pytest.mark.parametrize(
    ("told", "verdict"), [("2025-05-20T09:59:59.999", "met"), ("2025-05-20T10:00", "undetermined")]
)
def test_the_threshold_ends_with_its_last_millisecond(told: str, verdict: str) -> None:
    scene = refused("2025-05-10T10:00")
    tell(scene, told)
    scene.expect("A7.3", verdict)


@shows("A7.3 undetermined")
def test_told_beyond_the_threshold_is_undetermined_since_the_text_has_no_number() -> None:
    scene = refused("2025-05-10T10:00")
    tell(scene, "2025-06-10")
    scene.expect("A7.3", "open", as_of="2025-05-21", overdue=True)
    scene.expect("A7.3", "undetermined", reason="beyond")


@shows("A7.3 breached")
def test_s51_partial_refusal_told_by_telephone_only_and_closed_is_breached() -> None:
    scene = refused(scope="partial")
    tell(scene, "2025-05-12", written=False)
    scene.act("request.closed", "2025-06-01", outcome="refused")
    finding = scene.expect("A7.3", "breached", reason="told_orally")
    assert finding.values["written"] == "✗"


@shows("A7.3 breached", "A7.3 met")
def test_told_orally_is_breached_until_it_is_told_in_writing() -> None:
    scene = refused("2025-05-10T10:00")
    tell(scene, "2025-05-11", written=False)
    tell(scene, "2025-05-13")
    scene.expect("A7.3", "breached", as_of="2025-05-12")
    scene.expect("A7.3", "met")


@shows("A7.3 breached")
def test_told_in_writing_without_the_reason_is_breached() -> None:
    scene = refused()
    tell(scene, "2025-05-12", reason=False)
    scene.expect("A7.3", "breached", reason="no_reason")


def test_a_reason_by_telephone_and_a_letter_without_it_are_not_a_notice_in_writing_with_the_reason() -> None:
    scene = refused()
    tell(scene, "2025-05-12", written=False)
    tell(scene, "2025-05-13", reason=False)
    scene.expect("A7.3", "breached", reason="no_reason")


@shows("A7.3 breached")
def test_closed_and_never_told_is_breached() -> None:
    scene = refused()
    scene.act("request.closed", "2025-06-01", outcome="refused")
    scene.expect("A7.3", "open", as_of="2025-05-31")
    scene.expect("A7.3", "breached", reason="closed_untold")


def test_taken_back_before_it_was_told_is_undetermined() -> None:
    scene = refused()
    scene.act("request.withdrawn", "2025-05-12")
    scene.act("request.closed", "2025-06-01", outcome="withdrawn")
    scene.expect("A7.3", "undetermined", reason="withdrawn_first")


def test_a_notice_belongs_to_one_decision() -> None:
    scene = refused(scope="partial")
    scene.act("refusal.decided", "2025-05-11", id="again", office="KZ-PGO", scope="partial")
    tell(scene, "2025-05-12", decision="again")
    scene.expect("A7.3", "open", item="no", as_of="2025-05-13")
    scene.expect("A7.3", "met", item="again")


def test_a_notice_without_a_decision_is_judged_by_its_form() -> None:
    for stated, verdict in (({}, "met"), ({"written": False}, "breached"), ({"reason": False}, "breached")):
        scene = asked()
        told = tell(scene, "2025-05-12", decision="unknown", **stated)
        scene.expect("A7.3", verdict, item=told)
    scene = asked()
    answer = scene.act("request.answered", "2025-05-12", office="KZ-PGO", outcome="refused")
    scene.expect("A7.3", "undetermined", item=answer, reason="reason_unknown")
