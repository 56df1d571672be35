"""Near misses: facts beside those that decide, which a check must tell apart from them."""

from __future__ import annotations

from typing import Any

import pytest

from projections.compliance.verdict import Finding
from tests.law.profiles import ruled
from tests.law.scene import Scene, shows
from tests.records import content

ASKED = [{"purpose": "criminal_case", "case": "c-1"}]
REGISTER: dict[str, Any] = {"subject": "register"}
YEAR: dict[str, Any] = {"subject": "year/2025"}


@pytest.fixture
def scene() -> Scene:
    """A direct request of ours."""
    scene = Scene()
    scene.request()
    return scene


@pytest.fixture
def ended() -> Scene:
    """Material received and handled in 2026, under an Agreement that ends by a notice of 15 January 2027."""
    scene = Scene()
    scene.request(when="2026-03-03")
    received(scene, "2026-04-01", under_confidentiality=True)
    scene.act("handling.set", "2026-04-01T12:30")
    scene.reg("notice.received", "2027-01-15T12:00+03:00")
    return scene


def received(scene: Scene, when: str = "2025-04-01", **stated: Any) -> str:
    return scene.act(
        "material.received", when, **{"from_": "KZ-B-01", "supplier": "KZ-B-01", "purposes": ASKED, **stated}
    )


def events(finding: Finding) -> set[str]:
    return {ref.event for ref in finding.evidence}


# Terms


def test_where_receipt_counts_a_notice_of_a_contact_that_came_late_by_every_reading_is_breached() -> None:
    scene = Scene(rulebook=ruled("O3", params={"act": "ru-order-136", "moment": "received"}))
    version = scene.reg("contact.designated", "2022-03-12", office="RU-OMS", effective="2022-03-12")
    scene.reg(
        "contact.notified", "2022-03-12", office="RU-OMS", version=version, received_on="2022-04-02T10:00:00+06:00"
    )
    scene.expect("O3", "breached", item="RU-OMS", reason="late", **REGISTER)


def test_the_issue_of_another_act_sets_no_term_for_contacts() -> None:
    scene = Scene(bare=True)
    scene.reg("act.issued", "2022-05-01", office="RU-PGO", act="ru-other", carries_out=None)
    scene.no_row("O3", **REGISTER)
    scene.no_row("O15", **REGISTER)


@shows("O11 open")
def test_where_arrival_alone_counts_a_report_whose_arrival_is_not_known_is_open_until_the_day() -> None:
    params = {"act": "ru-order-136", "moments": ["received"], "weekend_shift": False}
    scene = Scene(rulebook=ruled("O11", params=params))
    scene.act("annualreport.submitted", "2026-01-10", **YEAR)
    scene.expect("O11", "open", item="RU-OMS", as_of="2026-01-20", reason="receipt_awaited", **YEAR)


def test_where_late_claims_decide_nothing_a_report_recorded_after_the_day_is_undetermined_and_another_is_not() -> None:
    params = {"act": "ru-order-136", "moments": ["sent"], "late_claim": "undetermined"}
    for admitted, verdict, reason in (("2026-02-02", "undetermined", "only_claimed"), ("2026-01-11", "met", "in_time")):
        scene = Scene(rulebook=ruled("O11", params=params))
        scene.act("annualreport.submitted", "2026-01-10", admitted=admitted, **YEAR)
        scene.expect("O11", verdict, item="RU-OMS", reason=reason, **YEAR)


def test_of_two_records_of_an_end_the_earlier_counts_beside_the_readings() -> None:
    scene = Scene()
    scene.request(when="2027-03-10")
    scene.reg("notice.received", "2027-01-15")
    for day in ("2027-03-20", "2027-03-08"):
        scene.reg("instrument.ended", "2027-03-08", date=day)
    scene.expect("A15.1", "undetermined", reason="end_by_readings")


def test_a_term_that_the_calendar_does_not_know_leaves_the_end_of_an_instrument_open() -> None:
    scene = Scene(rulebook=ruled("A15.1", readings=("workdays:60:next",)))
    scene.request(when="2098-06-01")
    scene.reg("notice.received", "2098-01-15", received="2098-01-15T12:00:00+03:00")
    scene.expect("A15.1", "undetermined", as_of="2099-01-01", missing="date of receipt of the notice")


# Oral requests


def test_an_arrival_that_shows_no_signature_confirms_nothing() -> None:
    scene = Scene()
    oral = scene.act("request.spoken", "2025-03-03T10:00", office="KZ-PGO")
    scene.act("request.received", "2025-03-04", from_="KZ-PGO", to="RU-OMS")
    scene.expect("A6.2b", "breached", item=oral, reason="ran_out")


def test_a_text_that_arrived_before_the_oral_request_does_not_confirm_it() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-02", from_="KZ-PGO", to="RU-OMS", signer="p-1", signer_role="head")
    oral = scene.act("request.spoken", "2025-03-03T10:00", office="KZ-PGO")
    scene.expect("A6.2b", "breached", item=oral, reason="ran_out")


def test_of_two_arrivals_the_first_is_the_confirmation() -> None:
    scene = Scene()
    oral = scene.act("request.spoken", "2025-03-03T10:00", office="KZ-PGO")
    for day in ("2025-03-04", "2025-03-20"):
        scene.act("request.received", day, from_="KZ-PGO", to="RU-OMS", signer="p-1", signer_role="head")
    scene.expect("A6.2b", "met", item=oral)


@shows("O7 undetermined", "P5 met")
def test_what_was_exchanged_and_what_confirmed_it_are_evidence() -> None:
    scene = Scene()
    said = content(kind="direct_exchange", requested="KZ-B-01")
    oral = scene.act("request.spoken", "2025-03-03T10:00", channel="direct", **said)
    written = scene.act("request.confirmed", "2025-03-04", confirms=oral, **said)
    answer = scene.act("request.answered", "2025-03-05", office="KZ-B-01", channel="direct")
    assert {oral, written, answer} <= events(scene.expect("P5", "met"))
    assert {oral, written, answer} <= events(scene.expect("O7", "undetermined"))


def test_what_was_exchanged_on_a_written_request_is_evidence(scene: Scene) -> None:
    answer = scene.act("request.answered", "2025-03-05", office="KZ-B-01", channel="direct")
    assert answer in events(scene.expect("P5", "met"))


# Routes


def test_an_answer_that_came_directly_is_no_request_to_be_passed_on() -> None:
    scene = Scene()
    scene.request("mla", to="KZ-PGO", channel="directorate")
    scene.act("request.answered", "2025-03-20", office="KZ-B-01", to="RU-OMS", channel="direct")
    scene.expect("O9", "met", reason="by_directorate")


@shows("O9 undetermined")
def test_of_an_arrival_whose_scope_nobody_decided_it_is_not_said_that_it_must_be_passed_on() -> None:
    scene = Scene()
    said = content(kind="law_enforcement", direction="in", requesting="KZ-B-01", requested="RU-OMS")
    signed = scene.act("request.received", "2025-03-03", channel="direct", from_="KZ-B-01", to="RU-OMS", **said)
    found = scene.expect("O9", "undetermined", reason="scope_undecided", missing="decision on the scope")
    assert signed in events(found)


def test_without_its_content_a_direct_exchange_from_before_the_protocol_is_outside_it_all_the_same() -> None:
    scene = Scene()
    scene.act("request.received", "2022-01-11", channel="direct", from_="KZ-B-01", to="RU-OMS")
    scene.expect("P7", "breached", reason="before_start")


# Signatures and doubts


def test_a_role_that_ended_later_makes_no_verdict_retroactive(scene: Scene) -> None:
    scene.reg("role.ended", "2025-12-01", effective="2025-12-01")
    scene.expect("A6.4", "met", marks=())


def test_an_answer_to_a_doubt_after_execution_is_evidence_and_so_is_a_consultation_after_the_refusal(
    scene: Scene,
) -> None:
    doubt = scene.act("authenticity.doubted", "2025-03-04", office="KZ-B-01")
    scene.act("request.accepted", "2025-03-05", office="KZ-B-01")
    answer = scene.act("authenticity.answered", "2025-03-06", answers=doubt)
    assert answer in events(scene.expect("A6.2c", "undetermined", reason="carried_on"))
    scene.act("refusal.decided", "2025-03-07", office="KZ-B-01", decided_by="KZ-B-01")
    talk = scene.act("consultation.held", "2025-03-08", with_=["KZ-B-01"])
    assert talk in events(scene.expect("A7.2a", "undetermined", reason="consulted_after"))


# Materials


def test_a_material_from_before_the_order_that_is_opened_later_is_not_its_business() -> None:
    scene = Scene()
    scene.request(when="2022-02-01")
    received(scene, "2022-03-01")
    scene.act("material.accessed", "2022-04-01")
    scene.no_row("O8")


def test_where_no_issue_is_recorded_nothing_is_asked_of_the_other_partys_holder() -> None:
    scene = Scene(bare=True)
    for code, party in (("RU-OMS", "RU"), ("KZ-B-01", "KZ")):
        scene.reg("office.registered", "2009-01-01", office_=code, party=party)
    scene.request()
    scene.act("material.sent", "2025-04-01", office="KZ-B-01", supplier="KZ-B-01", to="RU-OMS", channel="direct")
    scene.no_row("O8")


def test_an_office_of_the_other_party_need_not_be_known_to_hold_a_material() -> None:
    scene = Scene()
    scene.request()
    scene.act("material.sent", "2025-04-01", office="KZ-B-77", supplier="KZ-B-77", to="RU-OMS", channel="direct")
    scene.no_row("O8")


def test_once_it_is_gone_the_degree_binds_no_more_whatever_is_erased_later(scene: Scene) -> None:
    received(scene, degree={"scale": "kz", "value": "dsp"})
    scene.act("handling.set", "2025-04-02")
    scene.act("material.accessed", "2025-04-03")
    scene.act("material.disposed", "2025-05-01")
    scene.act("handling.set", "2025-05-02", grade="open")
    scene.act("content.erased", "2025-06-01")
    scene.expect("A9.2", "met")


def test_an_access_after_the_first_of_two_disposals_is_after_disposal(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02")
    scene.act("material.disposed", "2025-05-01", how="returned")
    scene.act("material.accessed", "2025-05-02")
    scene.act("material.disposed", "2025-06-01")
    scene.expect("O8", "undetermined", reason="opened_after_disposal")


def test_a_handled_and_unopened_material_rests_on_its_supply(scene: Scene) -> None:
    supply = received(scene)
    scene.act("handling.set", "2025-04-02")
    assert supply in events(scene.expect("O8", "met", reason="handled_unopened"))


def test_a_use_that_was_requested_for_rests_on_the_supply_and_the_request(scene: Scene) -> None:
    supply = received(scene, purposes=[])
    scene.act("material.used", "2025-06-10", case="c-1")
    assert supply in events(scene.expect("A9.3", "met", reason="requested_for"))


@pytest.mark.parametrize(
    ("opened_for", "verdict"),
    [("criminal_case", "undetermined"), ("other", "undetermined"), ("training", "undetermined")],
)
def test_where_it_was_given_for_other_purposes_no_access_is_outside_them(opened_for: str, verdict: str) -> None:
    scene = Scene()
    scene.request(purposes=[])
    scene.act("condition.proposed", "2025-03-10", office="KZ-B-01", sort="purpose_only")
    scene.act("condition.answered", "2025-03-11")
    received(scene, purposes=[{"purpose": "other"}])
    scene.act("material.accessed", "2025-04-02", purpose=opened_for)
    scene.expect("A7.2b", verdict, reason="purpose_unclear")


@shows("A7.2b breached")
def test_a_broken_condition_is_broken_from_the_act_on_and_by_its_holder(scene: Scene) -> None:
    scene.act("condition.proposed", "2025-03-10", office="KZ-B-01", sort="no_onward")
    scene.act("condition.answered", "2025-03-11", office="RU-PGO")
    received(scene)
    scene.act("material.disclosed", "2025-06-10")
    scene.act("condition.lifted", "2025-07-01", office="KZ-B-01")
    found = scene.expect("A7.2b", "breached")
    assert found.steps[0].at == scene.ms("2025-06-10")
    assert found.bound == "RU-OMS"


# Releases


def test_the_release_of_another_duty_releases_nothing_here(ended: Scene) -> None:
    ended.reg("instrument.released", "2027-04-01", duties=["A10"], date="2027-04-01")
    ended.act("material.used", "2027-05-10", case="c-2")
    ended.expect("A9.3", "breached")


def test_a_release_before_any_end_is_in_sight_works_not_yet(scene: Scene) -> None:
    scene.reg("instrument.released", "2025-04-01", duties=["A9.3"], date="2025-04-01")
    received(scene)
    scene.act("material.used", "2025-06-10", case="c-2")
    scene.expect("A9.3", "breached")


def test_of_a_release_in_part_and_a_later_one_of_the_whole_duty_the_whole_counts_from_its_day(ended: Scene) -> None:
    for day, duty in (("2027-04-01", "A9.3-m-1"), ("2027-06-01", "A9.3")):
        ended.reg("instrument.released", day, duties=[duty], date=day)
    ended.act("material.used", "2027-07-01", case="c-2")
    ended.expect("A9.3", "met", reason="released")
    ended.act("material.used", "2027-05-01", case="c-3", admitted="2027-07-02")
    ended.expect("A9.3", "breached")


def test_after_a_release_in_part_an_unlisted_access_decides_nothing_and_an_earlier_one_stays(ended: Scene) -> None:
    ended.reg("instrument.released", "2027-04-01", duties=["A9.1-m-1"], date="2027-04-01")
    ended.act("material.accessed", "2027-05-01", person="p-9")
    ended.expect("A9.1", "undetermined", reason="released_in_part")
    ended.act("material.accessed", "2026-05-01", person="p-9", admitted="2027-05-02")
    ended.expect("A9.1", "breached", reason="not_listed")


def test_after_a_release_in_part_what_breaks_a_condition_decides_nothing(ended: Scene) -> None:
    ended.act("condition.proposed", "2026-03-10", office="KZ-B-01", sort="purpose_only")
    ended.act("condition.answered", "2026-03-11")
    ended.reg("instrument.released", "2027-04-01", duties=["A7.2b-1"], date="2027-04-01")
    ended.act("material.used", "2027-05-10", case="c-2")
    ended.expect("A7.2b", "undetermined", reason="released_in_part")
    ended.act("material.used", "2026-05-10", case="c-3", admitted="2027-05-11")
    ended.expect("A7.2b", "breached", reason="other_purpose")


# What is shown


def test_of_two_texts_that_did_not_leave_yet_the_later_one_counts() -> None:
    scene = Scene()
    scene.request(when="2025-03-03", substance=False, sent=False)
    scene.request(when="2025-03-04", sent=False)
    assert scene.expect("A6.3", "open", reason="not_sent").values["groups"] == "—"


@shows("O2 undetermined")
def test_what_is_not_recorded_is_shown_as_a_dash() -> None:
    scene = Scene()
    scene.request(forms=None, area=None)
    assert scene.expect("O2", "undetermined").values == {"form": "—"}
    assert scene.finding("A2").values == {"area": "—"}


def test_of_two_records_of_the_entry_into_force_the_earlier_is_shown(scene: Scene) -> None:
    scene.reg("instrument.entered", "2025-01-01", date="2025-01-01")
    assert scene.expect("A15.1", "met").values["since"] == "2009-06-23"


def test_an_amendment_that_was_in_force_before_it_was_recorded_as_signed_has_one_step(scene: Scene) -> None:
    scene.reg("instrument.signed", "2025-06-02", instrument="new", amends="ru-kz-2009", date="2025-06-01")
    scene.reg("instrument.entered", "2025-06-02", instrument="new", date="2025-06-01")
    found = scene.expect("A12", "undetermined", item="new", **REGISTER)
    assert [step.verdict for step in found.steps] == ["undetermined"]


def test_of_records_that_disown_each_other_nothing_is_left_to_judge() -> None:
    scene = Scene()
    scene.act("record.corrected", "2025-03-03", id="e-x", target="e-y")
    scene.act("record.corrected", "2025-03-04", id="e-y", target="e-x")
    assert scene.judged().findings == ()
