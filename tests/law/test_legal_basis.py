"""What a request rests on: a basis named and in force (P1, A1, A8.1), a treaty beside the Agreement (A14)."""

from __future__ import annotations

import pytest

from tests.law.scene import Scene, shows
from tests.records import content

RULES = ("P1", "A1")


def ask(*basis: str, kind: str = "mla", when: str = "2025-03-03T10:00") -> Scene:
    """A request of Omsk that names its legal basis."""
    scene = Scene()
    scene.request(kind, when, channel="directorate", legal_basis=list(basis))
    return scene


def enter(scene: Scene, instrument: str, day: str, **stated: object) -> None:
    """The register learns that an instrument entered into force."""
    scene.reg("instrument.entered", f"{day}T12:00", instrument=instrument, date=day, **stated)


@shows("P1 met", "A1 met")
def test_a_basis_that_was_in_force_when_the_request_was_made() -> None:
    scene = ask("ru-kz-2009", "ru-kz-2009-ap-2022")
    for rule in RULES:
        found = scene.expect(rule, "met", reason="basis_in_force")
        assert found.values == {"basis": "ru-kz-2009, ru-kz-2009-ap-2022"}
        assert {ref.name for ref in found.evidence} == {"request.signed", "instrument.signed", "instrument.entered"}


@shows("P1 undetermined", "A1 undetermined")
def test_where_none_is_named_nothing_is_decided() -> None:
    scene = ask()
    for rule in RULES:
        scene.expect(rule, "undetermined", reason="no_basis", missing="legal basis")


def test_a_treaty_that_the_register_does_not_know_is_not_taken_for_one_in_force() -> None:
    scene = ask("cis-mla-1993")
    enter(scene, "cis-mla-1993", "2025-04-01")
    scene.expect("P1", "undetermined", reason="basis_unclear", missing="cis-mla-1993", as_of="2025-03-31")
    scene.expect("P1", "undetermined", reason="none_in_force", as_of="2025-04-02")


def test_a_treaty_counts_from_its_entry_into_force() -> None:
    scene = ask("cis-mla-1993")
    enter(scene, "cis-mla-1993", "1994-12-10")
    scene.expect("A1", "met")


def test_an_entry_into_force_that_is_recorded_later_counts_and_is_marked() -> None:
    scene = ask("cis-mla-1993")
    scene.reg("instrument.entered", "2025-06-01", instrument="cis-mla-1993", date="1994-12-10")
    scene.expect("A1", "undetermined", as_of="2025-05-31")
    scene.expect("A1", "met", marks=("retroactive",))


def test_an_entry_into_force_between_other_states_does_not_count() -> None:
    scene = ask("cis-mla-1993")
    enter(scene, "cis-mla-1993", "1994-12-10", between=["RU", "BY"])
    scene.expect("A1", "undetermined", reason="basis_unclear")


def test_one_of_two_that_had_ended_is_named() -> None:
    scene = ask("ru-kz-2009", "coe-old")
    enter(scene, "coe-old", "2000-01-01")
    scene.reg("instrument.ended", "2020-01-01", instrument="coe-old", date="2020-01-01", cause="expiry")
    found = scene.expect("P1", "undetermined", reason="one_not_in_force")
    assert found.values["out"] == "coe-old"


def test_a_principle_enters_into_no_force_and_needs_none() -> None:
    ask("reciprocity").expect("P1", "met")


@pytest.mark.parametrize("basis", ["ru-kz-2009", "ru-kz-2009-ap-2022"])
def test_after_a_notice_the_agreement_and_the_protocol_that_lives_with_it_end_by_each_reading(basis: str) -> None:
    for day, verdict, reason in (
        ("2027-03-15", "met", "basis_in_force"),
        ("2027-03-16", "undetermined", "basis_unclear"),
        ("2027-03-17", "undetermined", "none_in_force"),
    ):
        scene = ask(basis, when=f"{day}T12:00+03:00")
        scene.reg("notice.received", "2027-01-15T12:00+03:00", office="RU-PGO")
        scene.expect("A1", verdict, reason=reason)


def test_a_notice_on_another_treaty_counts_no_days_of_the_agreement() -> None:
    scene = ask("cis-mla-1993", when="2027-06-01T12:00")
    enter(scene, "cis-mla-1993", "1994-12-10")
    scene.reg("notice.received", "2027-01-15T12:00+03:00", instrument="cis-mla-1993")
    scene.expect("A1", "met")


def test_it_is_judged_as_the_request_was_made_not_as_things_stand_later() -> None:
    scene = ask("ru-kz-2009", when="2027-01-10T12:00")
    scene.reg("instrument.ended", "2027-02-01", date="2027-02-01", cause="other")
    scene.expect("P1", "met")


def test_of_unknown_content_the_basis_is_not_known() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", from_="KZ-PGO", to="RU-GUMPS", office="RU-GUMPS")
    for rule in RULES:
        scene.expect(rule, "undetermined", reason="no_content", missing="content")
    scene.expect("A14", "undetermined", reason="no_content", missing="content")


# At execution


@shows("A8.1 met")
def test_when_execution_begins_the_basis_is_looked_at_again() -> None:
    scene = ask("ru-kz-2009")
    scene.no_row("A8.1", as_of="2025-03-10")
    scene.act("request.accepted", "2025-03-11", office="KZ-B-01")
    found = scene.expect("A8.1", "met")
    assert "request.accepted" in {ref.name for ref in found.evidence}


@shows("A8.1 undetermined")
def test_a_basis_that_ended_between_request_and_execution() -> None:
    scene = ask("ru-kz-2009", when="2027-03-01T12:00")
    scene.reg("instrument.ended", "2027-03-10", date="2027-03-10", cause="other")
    scene.act("request.accepted", "2027-03-11", office="KZ-B-01")
    scene.expect("A1", "met")
    scene.expect("A8.1", "undetermined", reason="none_in_force")


def test_where_no_acceptance_is_recorded_the_end_of_execution_counts() -> None:
    scene = ask("ru-kz-2009")
    scene.act("request.executed", "2025-04-01", office="KZ-B-01")
    scene.expect("A8.1", "met")


# A treaty beside the Agreement


@shows("A14 met")
@pytest.mark.parametrize(
    "kind", ["extradition", "mla", "transfer_sentenced", "transfer_mental", "transfer_prosecution"]
)
def test_a_treaty_beside_the_agreement_is_named(kind: str) -> None:
    scene = ask("ru-kz-2009", "cis-mla-1993", kind=kind)
    assert scene.expect("A14", "met").values == {"basis": "cis-mla-1993"}


@shows("A14 undetermined")
@pytest.mark.parametrize(
    ("basis", "reason"),
    [
        (("ru-kz-2009",), "own_basis_only"),
        (("ru-kz-2009-ap-2022", "ru-kz-2009"), "own_basis_only"),
        (("ru-kz-2009", "reciprocity"), "principle_only"),
        ((), "no_basis"),
    ],
)
def test_the_agreement_alone_or_a_principle_or_nothing_decides_nothing(basis: tuple[str, ...], reason: str) -> None:
    ask(*basis).expect("A14", "undetermined", reason=reason)


def test_it_is_not_asked_of_plain_co_operation() -> None:
    ask("ru-kz-2009", kind="general_cooperation").no_row("A14")


def test_the_basis_as_last_put_in_writing_counts() -> None:
    scene = Scene()
    said = content(kind="mla", requested="KZ-PGO")
    scene.act("request.spoken", "2025-03-03", **{**said, "legal_basis": []})
    scene.act("request.confirmed", "2025-03-04", **{**said, "legal_basis": ["ru-kz-2009"]})
    scene.expect("P1", "met")
