"""What a request must say, who signs it and in which language: A6.3, A6.4, A6.5."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows

KID = "RU-OMS#" + "5f" * 16


def signed(role: str = "head", when: str = "2025-03-03T10:00", **stated: Any) -> Scene:
    """A scene with a request of ours, sent through the directorate."""
    scene = Scene()
    scene.request("mla", when, to="KZ-PGO", channel="directorate", signer_role=role, **stated)
    return scene


def theirs(**stated: Any) -> Scene:
    """A scene with a request of the other side, as it arrived."""
    scene = Scene()
    said = {"kind": "mla", "direction": "in", "partner": "KZ", "requesting": "KZ-PGO", "requested": "RU-PGO"}
    arrived = {"from_": "KZ-DIC", "to": "RU-GUMPS", "signer": "p-1", "signer_role": "head"}
    scene.act("request.received", "2025-03-03", office="RU-GUMPS", **(_content() | said | arrived | stated))
    return scene


def _content() -> dict[str, Any]:
    return {
        "substance": True, "purpose_text": True, "grounds": True, "assistance": True,
        "purposes": [{"purpose": "criminal_case", "case": "c-1"}], "legal_basis": ["cis-mla-1993"],
    }  # fmt: skip


# A6.3: content


@shows("A6.3 met")
def test_a_request_with_every_group_is_met() -> None:
    scene = signed()
    finding = scene.expect("A6.3", "met", reason="complete")
    assert finding.values["groups"] == "—"
    theirs().expect("A6.3", "met")


@shows("A6.3 breached")
@pytest.mark.parametrize(
    ("empty", "group"),
    [
        ({"requesting": ""}, "a"),
        ({"requested": ""}, "b"),
        ({"substance": False}, "c"),
        ({"purpose_text": False}, "d"),
        ({"grounds": False}, "d"),
        ({"purposes": []}, "d"),
        ({"assistance": False}, "e"),
    ],
)
def test_a_request_that_left_with_a_group_empty_is_breached(empty: dict[str, Any], group: str) -> None:
    finding = signed(**empty).expect("A6.3", "breached", reason="group_empty")
    assert finding.values["groups"] == group


def test_of_a_partners_request_the_partner_is_bound() -> None:
    finding = theirs(substance=False, assistance=False).expect("A6.3", "breached")
    assert finding.bound == "KZ-PGO"
    assert finding.values["groups"] == "c, e"


def test_group_f_is_not_required() -> None:
    signed(other=False).expect("A6.3", "met")


@shows("A6.3 open")
def test_signed_and_not_sent_is_open_whatever_it_says() -> None:
    for filled in (True, False):
        scene = Scene()
        scene.request("mla", sent=False, substance=filled)
        scene.expect("A6.3", "open", reason="not_sent")


@shows("A6.3 breached")
def test_s46_what_is_supplied_later_is_named_and_mends_nothing() -> None:
    scene = signed(substance=False)
    asked = scene.act("information.requested", "2025-03-10", office="KZ-PGO", groups=["c"])
    told = scene.act("information.supplied", "2025-03-12", answers=asked, groups=["c"])
    finding = scene.expect("A6.3", "breached", reason="supplied_later")
    assert finding.values["supplied"] == f"2025-03-12 {told}"
    assert told in [ref.event for ref in finding.evidence]


def test_information_on_another_group_is_no_supplement() -> None:
    scene = signed(substance=False)
    scene.act("information.supplied", "2025-03-12", groups=["e"])
    scene.act("information.supplied", "2025-03-12", groups=["c"], what=False)
    scene.expect("A6.3", "breached", reason="group_empty")


def test_a_text_signed_anew_before_it_leaves_is_the_one_that_counts() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03T10:00", sent=False, substance=False)
    scene.request("mla", "2025-03-04T10:00", to="KZ-PGO", channel="directorate")
    scene.expect("A6.3", "met")
    late = signed(substance=False)
    late.request("mla", "2025-03-04T10:00", sent=False)
    late.expect("A6.3", "breached", reason="supplied_later")


def test_what_goes_back_and_forth_inside_the_asking_side_has_not_left_it() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03T10:00", sent=False, substance=False)
    scene.act("request.sent", "2025-03-03T11:00", from_="RU-OMS", to="RU-GUMPS")
    scene.act("request.received", "2025-03-04", office="RU-GUMPS", from_="RU-OMS", to="RU-GUMPS")
    scene.expect("A6.3", "open", reason="not_sent")
    scene.act("request.signed", "2025-03-05")
    scene.act("request.sent", "2025-03-06", office="RU-GUMPS", from_="RU-GUMPS", to="KZ-DIC")
    scene.expect("A6.3", "met")


def test_a_partners_request_first_seen_on_its_way_inside_our_side_has_left_the_partner() -> None:
    theirs(from_="RU-GUMPS", to="RU-OMS", substance=False).expect("A6.3", "breached")
    theirs(from_="RU-GUMPS", to="RU-OMS", requesting="").expect("A6.3", "breached")
    theirs(from_="RU-GUMPS", to="RU-OMS").expect("A8.2", "open", as_of="2025-03-10")


@shows("A6.3 undetermined")
def test_a_request_whose_content_no_record_has_is_undetermined() -> None:
    scene = Scene()
    scene.act("request.accepted", "2025-03-03", office="KZ-B-01")
    scene.expect("A6.3", "undetermined", reason="no_content", missing="content")


@shows("A6.3 open", "A6.3 met")
def test_of_an_oral_request_the_written_text_is_judged() -> None:
    scene = Scene()
    oral = scene.act("request.spoken", "2025-03-03T10:00", substance=False)
    scene.act("request.confirmed", "2025-03-05", confirms=oral)
    scene.expect("A6.3", "open", as_of="2025-03-04", reason="only_spoken")
    scene.expect("A6.3", "met")


@shows("A6.3 breached")
def test_an_oral_request_closed_without_a_text_is_judged_as_it_was_spoken() -> None:
    scene = Scene()
    scene.act("request.spoken", "2025-03-03T10:00", substance=False)
    scene.act("request.closed", "2025-03-05", outcome="lapsed")
    finding = scene.expect("A6.3", "breached", reason="group_empty")
    assert finding.values["groups"] == "c"


def test_s47_erasing_the_content_changes_no_verdict_on_it() -> None:
    for filled, verdict in ((True, "met"), (False, "breached")):
        scene = signed(substance=filled)
        scene.act("request.closed", "2025-06-01")
        scene.act("content.erased", "2025-07-01", scope="request", ids=["2025-000123"])
        scene.expect("A6.3", verdict, as_of="2025-06-02")
        scene.expect("A6.3", verdict)


def test_an_offer_has_no_row_of_the_duties_of_requests() -> None:
    scene = Scene()
    scene.request("initiative", substance=False, signer_role="contact")
    for rule in ("A6.3", "A6.4", "A6.5"):
        scene.no_row(rule)


def test_a_corrected_office_fills_the_group_and_is_marked() -> None:
    scene = Scene()
    target = scene.request("mla", requested="", to="KZ-PGO", channel="directorate")
    scene.act("record.corrected", "2025-03-10", target=target, how="replace", fields={"requested": "KZ-PGO"})
    scene.expect("A6.3", "breached", as_of="2025-03-09")
    scene.expect("A6.3", "met", marks=("corrected",))


# A6.4: signature


@shows("A6.4 met")
def test_the_head_of_the_requesting_body_signs() -> None:
    finding = signed().expect("A6.4", "met", marks=())
    assert finding.values == {"role": "head", "office": "RU-OMS", "signed": "2025-03-03"}
    assert "role.assigned" in [ref.name for ref in finding.evidence]


@shows("A6.4 undetermined")
def test_s40_an_acting_head_signs() -> None:
    finding = signed("acting_head").expect("A6.4", "undetermined", reason="role_doubtful")
    assert finding.values["role"] == "acting_head"


@shows("A6.4 breached")
def test_s41_a_contact_official_signs() -> None:
    signed("contact").expect("A6.4", "breached", reason="wrong_role")


@shows("A6.4 breached", "A6.4 met")
def test_s42_a_deputy_signs_the_day_after_the_role_ended() -> None:
    for when, verdict in (
        ("2025-05-31T23:59:59.999", "met"),
        ("2025-06-01T00:00", "breached"),
        ("2025-06-02T10:00", "breached"),
    ):
        scene = signed("deputy_head", when, signer="p-2")
        scene.reg("role.assigned", "2025-01-01", office="RU-OMS", person="p-2", role="deputy_head")
        scene.reg("role.ended", "2025-06-01", office="RU-OMS", person="p-2", role="deputy_head", effective="2025-06-01")
        scene.expect("A6.4", verdict)


def test_the_day_of_signing_is_that_of_the_requesting_body() -> None:
    # 19:00 in Moscow on 31 May is 22:00 in Omsk; 21:30 in Moscow is 00:30 of 1 June there.
    for when, verdict in (("2025-05-31T19:00+03:00", "met"), ("2025-05-31T21:30+03:00", "breached")):
        scene = signed("deputy_head", when, signer="p-2")
        scene.reg("role.assigned", "2025-01-01", person="p-2", role="deputy_head")
        scene.reg("role.ended", "2025-06-01", person="p-2", role="deputy_head", effective="2025-06-01")
        scene.expect("A6.4", verdict)


@shows("A6.4 breached", "A6.4 met")
def test_s43_a_role_recorded_late_is_met_with_a_mark_once_it_is_recorded() -> None:
    scene = signed("head", "2025-04-01T10:00", signer="p-5")
    scene.reg("role.assigned", "2025-04-10", person="p-5", role="head", valid_from="2025-03-28")
    scene.expect("A6.4", "breached", as_of="2025-04-05", reason="role_not_held")
    scene.expect("A6.4", "met", as_of="2025-04-11", marks=("retroactive",))


def test_a_role_that_begins_the_day_after_signing_was_not_held() -> None:
    scene = signed("head", "2025-04-01T10:00", signer="p-5")
    scene.reg("role.assigned", "2025-03-20", person="p-5", role="head", valid_from="2025-04-02")
    scene.expect("A6.4", "breached", reason="role_not_held")


@shows("A6.4 undetermined")
def test_s45_signed_with_a_key_compromised_by_then_is_undetermined_and_stays() -> None:
    scene = Scene()
    scene.act("request.signed", "2025-05-03", kids=(KID,))
    scene.reg("key.revoked", "2025-05-10", kid=KID, effective="2025-05-01T00:00:00+06:00")
    scene.expect("A6.4", "met", as_of="2025-05-09")
    finding = scene.expect("A6.4", "undetermined", as_of="2025-05-11", marks=("key_compromised",))
    assert finding.at(scene.ms("2025-05-11")).reason == "key_compromised"
    assert "key.revoked" in [ref.name for ref in finding.evidence]


def test_a_role_at_another_office_does_not_count() -> None:
    scene = signed("head", signer="p-6")
    scene.reg("role.assigned", "2025-01-01", office_="RU-SAR", person="p-6", role="head")
    scene.expect("A6.4", "breached")


def test_who_is_named_head_and_held_the_post_of_deputy_may_sign_too() -> None:
    scene = signed("head", signer="p-7")
    scene.reg("role.assigned", "2025-01-01", person="p-7", role="deputy_head")
    finding = scene.expect("A6.4", "met")
    assert finding.values["role"] == "deputy_head"


@shows("A6.4 undetermined")
def test_a_partners_signer_whom_the_register_does_not_know_is_undetermined() -> None:
    theirs(signer="p-kz").expect("A6.4", "undetermined", reason="role_unknown", missing="p-kz at KZ-PGO")


def test_a_partners_signer_whose_role_had_ended_is_breached() -> None:
    scene = theirs()
    scene.reg("role.ended", "2025-02-01", office_="KZ-PGO", person="p-1", role="head", effective="2025-02-01")
    scene.expect("A6.4", "breached", reason="role_not_held")


@shows("A6.4 met")
def test_a_partners_head_who_is_in_the_register_is_met() -> None:
    theirs().expect("A6.4", "met")


def test_an_electronic_signature_is_ours_to_accept_and_of_the_other_side_undetermined() -> None:
    signed(signature="electronic").expect("A6.4", "met")
    scene = Scene()
    scene.request("mla", office="KZ-PGO", to="RU-PGO", direction="in", channel="directorate", signature="electronic")
    scene.expect("A6.4", "undetermined", reason="electronic")


def test_an_unknown_signer_is_undetermined() -> None:
    signed(signer="").expect("A6.4", "undetermined", reason="signer_unknown", missing="signer")
    theirs(signer=None, signer_role=None).expect("A6.4", "undetermined", reason="signature_unknown")


def test_a_contact_official_without_a_name_is_still_one_who_may_not_sign() -> None:
    signed("contact", signer="").expect("A6.4", "breached")


@shows("A6.4 open")
def test_an_oral_request_awaits_its_signature() -> None:
    scene = Scene()
    oral = scene.act("request.spoken", "2025-03-03T10:00")
    scene.act("request.confirmed", "2025-03-05", confirms=oral, signer_role="contact")
    scene.expect("A6.4", "open", as_of="2025-03-04", reason="only_spoken")
    scene.expect("A6.4", "breached")


def test_an_oral_request_that_is_over_and_was_never_written_has_nothing_to_sign() -> None:
    scene = Scene()
    scene.act("request.spoken", "2025-03-03T10:00")
    scene.act("request.closed", "2025-03-05", outcome="lapsed")
    scene.no_row("A6.4")


def test_sent_with_no_signature_on_record_is_undetermined() -> None:
    scene = Scene()
    scene.act("request.sent", "2025-03-03")
    scene.expect("A6.4", "undetermined", missing="signature")


# A6.5: translation


def sent(**stated: Any) -> Scene:
    """A request in Russian of ours to Kazakhstan, sent as stated."""
    scene = Scene()
    scene.request("mla", sent=False)
    scene.act("request.sent", "2025-03-03T11:00", **stated)
    return scene


@shows("A6.5 met")
def test_either_language_of_the_asked_state_will_do() -> None:
    for lang in ("kk", "ru"):
        scene = Scene()
        scene.request("mla", sent=False, lang="en")
        scene.act("request.sent", "2025-03-03T11:00", translations=[lang])
        finding = scene.expect("A6.5", "met", reason="translated")
        assert finding.values == {"translation": lang, "languages": "kk, ru"}


@shows("A6.5 met")
def test_a_request_written_in_the_language_of_the_asked_state_needs_no_translation() -> None:
    sent(translations=[]).expect("A6.5", "met", reason="in_its_language")


@shows("A6.5 met")
def test_a_stated_reason_takes_the_place_of_a_translation() -> None:
    scene = Scene()
    scene.request("mla", sent=False, lang="en")
    scene.act("request.sent", "2025-03-03T11:00", translations=[], no_translation_reason="agreed")
    finding = scene.expect("A6.5", "met", reason="reason_stated")
    assert finding.values["translation"] == "agreed"


@shows("A6.5 undetermined")
def test_neither_translation_nor_reason_is_undetermined() -> None:
    scene = Scene()
    scene.request("mla", sent=False, lang="en")
    scene.act("request.sent", "2025-03-03T11:00", translations=["de"])
    scene.expect("A6.5", "undetermined", reason="not_translated")


def test_kazakh_will_do_for_kazakhstan_and_not_for_russia() -> None:
    theirs(translations=["kk"]).expect("A6.5", "undetermined", reason="not_translated")
    theirs(translations=["ru"]).expect("A6.5", "met")
    theirs(translations=["ru"], requested="").expect("A6.5", "met")


def test_an_attachment_in_a_foreign_language_without_translation_is_undetermined() -> None:
    scene = sent(translations=[])
    scene.act("material.sent", "2025-03-03T11:00", supplier="RU-OMS", supplied_as="request", lang="en", to="KZ-PGO")
    scene.expect("A6.5", "undetermined", reason="not_translated")


@shows("A6.5 open")
def test_what_has_not_left_the_own_side_is_open() -> None:
    scene = Scene()
    scene.request("mla", sent=False, lang="en")
    scene.act("request.sent", "2025-03-03T11:00", from_="RU-OMS", to="RU-GUMPS", translations=[])
    scene.expect("A6.5", "open", reason="not_sent")


def test_a_confirmation_of_unknown_language_is_undetermined() -> None:
    scene = Scene()
    oral = scene.act("request.spoken", "2025-03-03T10:00")
    scene.no_row("A6.5")
    scene.act("request.confirmed", "2025-03-04", confirms=oral)
    scene.expect("A6.5", "undetermined", reason="languages_unknown", missing="languages")
