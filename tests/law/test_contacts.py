"""O3, O4, O13, P3, P4: officials named for direct contact, and who was told of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from projections.compliance.rulebook import built_in
from projections.compliance.texts import line, reason
from tests.law.profiles import ruled
from tests.law.scene import SEVENTEEN, Scene, shows

REGISTER = {"subject": "register"}


def _told(scene: Scene, when: str, office: str = "RU-ALT", *, admitted: str | None = None, **stated: object) -> None:
    """An office of Barnaul names its official and tells of it at once."""
    scene.tz = SEVENTEEN.get(office, "Europe/Moscow")
    admit = {} if admitted is None else {"admitted": admitted}
    kids = stated.pop("kids", ())
    version = scene.reg("contact.designated", when, office=office, office_=office, contact="ct-a", **admit, **stated)
    scene.reg("contact.notified", when, office=office, office_=office, contact="ct-a", version=version, kids=kids,
              **admit)  # fmt: skip


def _replaced(scene: Scene, when: str, old: str = "ct-1", new: str = "ct-2", **stated: object) -> str:
    return scene.reg("contact.designated", when, office="RU-OMS", contact=new, replaces=old, effective=when[:10],
                     **stated)  # fmt: skip


def _notified(scene: Scene, when: str, version: str, contact: str = "ct-2", **stated: object) -> None:
    scene.reg("contact.notified", when, office="RU-OMS", contact=contact, version=version, **stated)


# O3: told within 15 days of the issue


@shows("O3 met")
def test_s01_told_on_24_march_2022_is_in_time_by_every_reading() -> None:
    scene = Scene()
    _told(scene, "2022-03-24")
    found = scene.expect("O3", "met", item="RU-ALT", marks=(), **REGISTER)
    assert [read.kept for read in found.readings] == [True, True, True]
    assert found.values["due"] == "2022-03-24, 2022-03-25, 2022-03-31"
    assert [ref.name for ref in found.evidence] == ["act.issued", "contact.notified", "contact.designated"]


@shows("O3 undetermined")
def test_s02_told_on_28_march_is_late_by_calendar_days_and_in_time_by_working_days() -> None:
    scene = Scene()
    _told(scene, "2022-03-28")
    found = scene.expect("O3", "undetermined", item="RU-ALT", reason="readings_differ", **REGISTER)
    assert {read.reading: read.kept for read in found.readings} == {
        "days:15:next": False, "days:15:same": False, "workdays:15:next": True,
    }  # fmt: skip


@shows("O3 breached")
def test_s03_told_on_1_april_is_late_by_every_reading() -> None:
    scene = Scene()
    _told(scene, "2022-04-01")
    scene.expect("O3", "breached", item="RU-ALT", reason="late", **REGISTER)


@shows("O3 open", "O3 breached")
def test_s04_told_nothing_it_stays_open_while_one_reading_runs() -> None:
    scene = Scene()
    scene.tz = "Asia/Barnaul"
    scene.expect("O3", "open", as_of="2022-03-20", item="RU-ALT", **REGISTER)
    scene.expect("O3", "open", as_of="2022-03-28", item="RU-ALT", **REGISTER)
    scene.expect("O3", "open", as_of="2022-03-31T23:59:59.999", item="RU-ALT", **REGISTER)
    scene.expect("O3", "breached", as_of="2022-04-01T00:00", item="RU-ALT", reason="ran_out", **REGISTER)


@shows("O3 breached")
def test_s05_an_empty_field_is_a_breach_though_told_in_time() -> None:
    scene = Scene()
    _told(scene, "2022-03-20", email=False)
    found = scene.expect("O3", "breached", item="RU-ALT", reason="field_missing", **REGISTER)
    assert found.values["fields"] == "email"


@shows("O3 met")
def test_s06_a_name_without_patronymic_has_none_to_give() -> None:
    scene = Scene()
    _told(scene, "2022-03-20", patronymic=None, no_patronymic=True)
    scene.expect("O3", "met", item="RU-ALT", **REGISTER)


@shows("O3 breached")
def test_an_empty_patronymic_is_an_empty_field() -> None:
    scene = Scene()
    _told(scene, "2022-03-20", patronymic=False)
    found = scene.expect("O3", "breached", item="RU-ALT", reason="field_missing", **REGISTER)
    assert found.values["fields"] == "patronymic"


@shows("O3 met")
def test_s07_an_act_admitted_after_the_term_counts_by_its_claimed_time_and_is_marked() -> None:
    scene = Scene()
    _told(scene, "2022-03-23", admitted="2022-04-05")
    scene.expect("O3", "met", item="RU-ALT", marks=("claimed",), **REGISTER)


@shows("O3 undetermined")
def test_s07_by_a_stricter_rulebook_a_claim_across_the_term_decides_nothing() -> None:
    scene = Scene(rulebook=ruled("O3", params={"act": "ru-order-136", "late_claim": "undetermined"}))
    _told(scene, "2022-03-23", admitted="2022-04-05")
    scene.expect("O3", "undetermined", item="RU-ALT", reason="late_claim", marks=("claimed",), **REGISTER)


@shows("O3 undetermined")
def test_s08_an_office_that_came_after_the_issue_is_not_known_to_be_bound() -> None:
    scene = Scene()
    scene.reg("office.registered", "2024-05-01", office_="RU-KHM", valid_from="2024-05-01", tz="Asia/Yekaterinburg")
    found = scene.expect("O3", "undetermined", item="RU-KHM", reason="added_later", **REGISTER)
    assert found.values["added"] == "2024-05-01"
    assert len(scene.findings("O3", **REGISTER)) == 18


@shows("O3 undetermined")
def test_s08_so_is_an_old_office_that_got_direct_contact_later() -> None:
    scene = Scene()
    scene.reg("office.registered", "2024-05-01", office_="RU-BA", border=False, direct_since="2024-05-01")
    scene.expect("O3", "undetermined", item="RU-BA", reason="added_later", **REGISTER)


def test_an_office_that_stood_at_issue_and_is_not_bound_has_no_row() -> None:
    scene = Scene()
    scene.reg("office.registered", "2024-05-01", office_="RU-BRY", border=True, valid_from="2000-01-01")
    scene.reg("office.registered", "2024-05-01", office_="KZ-B-02", party="KZ", valid_from="2024-05-01")
    scene.no_row("O3", item="RU-BRY", **REGISTER)
    scene.no_row("O3", item="KZ-B-02", **REGISTER)
    assert [f.item for f in scene.findings("O3", **REGISTER)] == sorted(SEVENTEEN)


@pytest.mark.parametrize(
    ("office", "when", "verdict"),
    [
        ("RU-ALT", "2022-03-24T23:59:59.999+07:00", "met"),
        ("RU-ALT", "2022-03-25T00:00:00.000+07:00", "undetermined"),
        ("RU-ALT", "2022-03-31T23:59:59.999+07:00", "undetermined"),
        ("RU-ALT", "2022-04-01T00:00:00.000+07:00", "breached"),
        # The same moment is still 31 March on the Volga.
        ("RU-SAM", "2022-04-01T00:00:00.000+07:00", "undetermined"),
        ("RU-T-VOLGA", "2022-03-31T23:59:59.999+03:00", "undetermined"),
        ("RU-T-VOLGA", "2022-04-01T00:00:00.000+03:00", "breached"),
    ],
)
def test_the_term_ends_with_the_day_of_the_office_to_the_millisecond(office: str, when: str, verdict: str) -> None:
    scene = Scene()
    _told(scene, when, office)
    scene.expect("O3", verdict, item=office, **REGISTER)


@shows("O3 met")
def test_an_incomplete_notice_is_mended_by_a_complete_one_in_time() -> None:
    scene = Scene()
    _told(scene, "2022-03-20", email=False)
    version = scene.reg("contact.changed", "2022-03-23", office="RU-ALT", office_="RU-ALT", contact="ct-a",
                        changed=["email"], effective="2022-03-23")  # fmt: skip
    scene.reg("contact.notified", "2022-03-23", office="RU-ALT", office_="RU-ALT", contact="ct-a", version=version)
    scene.expect("O3", "breached", as_of="2022-03-21", item="RU-ALT", **REGISTER)
    scene.expect("O3", "met", item="RU-ALT", **REGISTER)


@shows("O3 undetermined")
def test_a_notice_of_a_version_that_is_not_in_the_register_decides_nothing() -> None:
    scene = Scene()
    scene.reg("contact.notified", "2022-03-20", office="RU-ALT", office_="RU-ALT", version="e-nowhere")
    scene.expect("O3", "undetermined", item="RU-ALT", reason="version_unknown", missing="e-nowhere", **REGISTER)


@shows("O3 breached")
def test_a_notice_of_an_unknown_version_after_the_term_is_late_whatever_it_said() -> None:
    scene = Scene()
    scene.reg("contact.notified", "2022-04-20", office="RU-ALT", office_="RU-ALT", version="e-nowhere")
    scene.expect("O3", "breached", item="RU-ALT", reason="late", **REGISTER)


def test_a_version_of_another_office_is_not_taken_for_the_one_told() -> None:
    scene = Scene()
    version = scene.reg("contact.designated", "2022-03-20", office="RU-OMS", contact="ct-a")
    scene.reg("contact.notified", "2022-03-20", office="RU-ALT", office_="RU-ALT", version=version)
    scene.expect("O3", "undetermined", item="RU-ALT", reason="version_unknown", **REGISTER)


@shows("O3 undetermined")
def test_without_the_issue_in_the_register_nothing_is_decided_and_it_says_so() -> None:
    scene = Scene(bare=True)
    _told(scene, "2022-03-20")
    scene.expect("O3", "undetermined", item="RU-ALT", missing="issue of ru-order-136", **REGISTER)


@shows("O3 undetermined", "O3 met")
def test_in_a_year_whose_working_days_are_not_known_only_what_calendar_days_allow_is_decided() -> None:
    scene = Scene(bare=True)
    scene.reg("act.issued", "2031-03-10", office="RU-PGO", date="2031-03-10", binds=["RU-ALT", "RU-OMS"])
    _told(scene, "2031-03-24")
    scene.expect("O3", "met", as_of="2032-01-01", item="RU-ALT", **REGISTER)
    _told(scene, "2031-03-28", "RU-OMS")
    scene.expect("O3", "undetermined", as_of="2032-01-01", item="RU-OMS", missing="working days", **REGISTER)


@shows("O3 open", "O3 undetermined")
def test_silence_in_a_year_whose_working_days_are_not_known_ends_undetermined() -> None:
    scene = Scene(bare=True)
    scene.tz = "Europe/Moscow"
    scene.reg("act.issued", "2031-03-10", office="RU-PGO", date="2031-03-10", binds=["RU-T-SOUTH"])
    scene.expect("O3", "open", as_of="2031-03-25T23:59:59.999", **REGISTER)
    scene.expect("O3", "undetermined", as_of="2031-03-26T00:00", reason="calendar_unknown", **REGISTER)


@shows("O3 met", "O3 undetermined")
def test_a_rulebook_that_counts_the_receipt_needs_its_day() -> None:
    scene = Scene(rulebook=ruled("O3", params={"act": "ru-order-136", "moment": "received"}))
    _told(scene, "2022-03-20")
    scene.expect("O3", "undetermined", item="RU-ALT", reason="notice_arrival_unknown", missing="received", **REGISTER)
    scene.reg("contact.designated", "2022-03-20", office="RU-OMS", contact="ct-1", id="v-oms")
    _notified(scene, "2022-03-20", "v-oms", "ct-1", received_on="2022-03-24T10:00:00+03:00")
    scene.expect("O3", "met", item="RU-OMS", **REGISTER)


@shows("O3 undetermined")
def test_s45_a_notice_signed_with_a_compromised_key_shows_nothing() -> None:
    scene = Scene()
    kid = "RU-ALT#" + "5f" * 16
    _told(scene, "2022-03-20", kids=(kid,))
    scene.expect("O3", "met", item="RU-ALT", **REGISTER)
    scene.reg("key.revoked", "2022-06-01", kid=kid, effective="2022-03-15T00:00:00+07:00")
    found = scene.expect("O3", "undetermined", item="RU-ALT", reason="key_compromised", marks=("key_compromised",),
                         **REGISTER)  # fmt: skip
    assert "key.revoked" in [ref.name for ref in found.evidence]


def test_a_notice_signed_before_the_key_was_compromised_holds() -> None:
    scene = Scene()
    kid = "RU-ALT#" + "5f" * 16
    _told(scene, "2022-03-20", kids=(kid,))
    scene.reg("key.revoked", "2022-06-01", kid=kid, effective="2022-05-01T00:00:00+07:00")
    scene.expect("O3", "met", item="RU-ALT", marks=(), **REGISTER)


def test_a_corrected_date_of_issue_moves_the_term_and_is_cited() -> None:
    scene = Scene()
    _told(scene, "2022-04-01")
    scene.act("record.corrected", "2022-05-01", office="RU-PGO", subject="register", target="order-issued",
              how="replace", fields={"date": "2022-03-20"})  # fmt: skip
    found = scene.expect("O3", "met", item="RU-ALT", marks=("corrected",), **REGISTER)
    assert "record.corrected" in [ref.name for ref in found.evidence]


# O4: told of changes


@shows("O4 met")
def test_s09_a_replacement_told_the_next_day_is_met_by_configuration() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    _notified(scene, "2025-06-02", version)
    found = scene.expect("O4", "met", reason="within", marks=("by_configuration",), **REGISTER)
    assert found.values["lag"] == "1"
    assert found.bound == "RU-OMS"


@shows("O4 undetermined")
def test_s10_told_after_19_days_it_is_undetermined_since_the_text_has_no_number() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    _notified(scene, "2025-06-20", version)
    found = scene.expect("O4", "undetermined", reason="beyond", **REGISTER)
    _, rule = built_in().find("O4") or (None, None)
    assert rule is not None
    assert reason(rule, found, found.steps[0]) == (
        "done beyond the threshold: lag in days 19, threshold 3; the text gives no number"
    )
    assert line(rule, found, "ru").startswith("Замена или изменение данных ct-2 от 2025-06-01: сообщено 2025-06-20")


@shows("O4 breached", "O4 open")
def test_s11_a_change_that_the_next_one_overtook_untold_is_breached_and_the_next_is_open() -> None:
    scene = Scene()
    first = _replaced(scene, "2025-06-01")
    second = _replaced(scene, "2025-06-10", "ct-2", "ct-3")
    scene.expect("O4", "open", as_of="2025-06-09", item=first, overdue=True, **REGISTER)
    scene.expect("O4", "breached", as_of="2025-06-11", item=first, reason="superseded", **REGISTER)
    scene.expect("O4", "open", as_of="2025-06-11", item=second, overdue=False, **REGISTER)


@shows("O4 breached")
def test_a_change_of_data_that_a_replacement_overtook_is_breached() -> None:
    scene = Scene()
    first = scene.reg("contact.changed", "2025-06-01", office="RU-OMS", contact="ct-1", effective="2025-06-01")
    second = _replaced(scene, "2025-06-10", "ct-1", "ct-2")
    _notified(scene, "2025-06-11", second)
    scene.expect("O4", "breached", item=first, **REGISTER)
    scene.expect("O4", "met", item=second, **REGISTER)


@shows("O4 open")
def test_a_change_of_another_official_of_the_office_overtakes_nothing() -> None:
    scene = Scene()
    first = _replaced(scene, "2025-06-01")
    _replaced(scene, "2025-06-10", "ct-8", "ct-9")
    scene.expect("O4", "open", item=first, **REGISTER)


@shows("O4 undetermined")
def test_a_change_told_after_the_next_one_is_late_and_not_untold() -> None:
    scene = Scene()
    first = _replaced(scene, "2025-06-01")
    _replaced(scene, "2025-06-10", "ct-2", "ct-3")
    _notified(scene, "2025-06-12", first)
    scene.expect("O4", "undetermined", item=first, **REGISTER)


@shows("O4 met", "O4 undetermined")
def test_the_threshold_is_exclusive_to_the_millisecond() -> None:
    for told, verdict in (("2025-06-04T09:59:59.999", "met"), ("2025-06-04T10:00:00.000", "undetermined")):
        scene = Scene()
        version = _replaced(scene, "2025-06-01T10:00")
        _notified(scene, told, version)
        scene.expect("O4", verdict, **REGISTER)


@shows("O4 met")
def test_a_change_counts_from_the_day_it_takes_effect() -> None:
    scene = Scene()
    version = scene.reg("contact.designated", "2025-05-10", office="RU-OMS", contact="ct-2", replaces="ct-1",
                        effective="2025-06-01")  # fmt: skip
    _notified(scene, "2025-06-03", version)
    assert scene.expect("O4", "met", **REGISTER).values["since"] == "2025-06-01"


@shows("O4 breached")
def test_by_a_rulebook_that_calls_late_breached_it_is_and_says_that_it_is_configured() -> None:
    scene = Scene(rulebook=ruled("O4", params={"over": "breached"}))
    version = _replaced(scene, "2025-06-01")
    _notified(scene, "2025-06-20", version)
    scene.expect("O4", "breached", reason="beyond", marks=("by_configuration",), **REGISTER)


@shows("O4 met")
def test_told_in_time_and_admitted_later_is_marked_as_claimed() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    _notified(scene, "2025-06-02", version, admitted="2025-06-20")
    scene.expect("O4", "met", marks=("by_configuration", "claimed"), **REGISTER)


@shows("O4 undetermined")
def test_without_the_issue_a_change_owes_nothing_that_can_be_named() -> None:
    scene = Scene(bare=True)
    _replaced(scene, "2025-06-01")
    scene.expect("O4", "undetermined", missing="issue of ru-order-136", **REGISTER)


def test_a_first_designation_a_change_before_the_order_and_a_foreign_one_have_no_row() -> None:
    scene = Scene()
    scene.reg("contact.designated", "2025-06-01", office="RU-OMS")
    _replaced(scene, "2022-03-09")
    scene.reg("contact.designated", "2025-06-01", office="KZ-B-01", office_="KZ-B-01", replaces="ct-0")
    scene.no_row("O4", **REGISTER)


# O13, P4: told to the other Party


@shows("O13 met", "P4 met")
def test_a_change_sent_on_within_five_days_is_in_time_for_both() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    scene.reg("contact.forwarded", "2025-06-05", versions=[version])
    assert scene.expect("O13", "met", marks=("by_configuration",), **REGISTER).bound == "RU-GUMPS"
    assert scene.expect("P4", "met", marks=("by_configuration",), **REGISTER).bound == "RU"


@shows("O13 met", "P4 undetermined")
def test_a_change_sent_on_after_eight_days_is_timely_for_the_order_and_late_for_the_protocol() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    scene.reg("contact.forwarded", "2025-06-09", versions=["e-0", version])
    scene.expect("O13", "met", **REGISTER)
    scene.expect("P4", "undetermined", reason="beyond", **REGISTER)


@shows("O13 undetermined")
def test_a_version_sent_on_after_a_month_is_undetermined() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    scene.reg("contact.forwarded", "2025-07-01", versions=[version])
    scene.expect("O13", "undetermined", **REGISTER)


@shows("O13 open", "P4 open")
def test_a_version_not_sent_on_is_open_and_then_overdue() -> None:
    scene = Scene()
    _replaced(scene, "2025-06-01")
    scene.expect("O13", "open", as_of="2025-06-08", overdue=False, **REGISTER)
    scene.expect("O13", "open", as_of="2025-06-12", overdue=True, **REGISTER)
    scene.expect("P4", "open", as_of="2025-06-08", overdue=True, **REGISTER)


@shows("O13 breached", "P4 breached")
def test_a_version_that_the_next_one_overtook_can_no_longer_be_sent_on() -> None:
    scene = Scene()
    first = _replaced(scene, "2025-06-01")
    second = _replaced(scene, "2025-06-10", "ct-2", "ct-3")
    scene.reg("contact.forwarded", "2025-06-11", versions=[second])
    for rule in ("O13", "P4"):
        scene.expect(rule, "breached", item=first, reason="superseded", **REGISTER)
        scene.expect(rule, "met", item=second, **REGISTER)


@shows("O13 met")
def test_a_first_designation_is_to_be_sent_on_too_and_is_no_change_for_the_protocol() -> None:
    scene = Scene()
    version = scene.reg("contact.designated", "2022-03-20", office="RU-OMS", effective="2022-03-20")
    scene.reg("contact.forwarded", "2022-03-25", versions=[version])
    scene.expect("O13", "met", **REGISTER)
    scene.no_row("P4", **REGISTER)


def test_what_was_named_before_the_order_is_to_be_sent_on_since_its_issue() -> None:
    scene = Scene()
    version = scene.reg("contact.designated", "2022-02-01", office="RU-OMS", effective="2022-02-01")
    scene.reg("contact.forwarded", "2022-03-15", versions=[version])
    assert scene.expect("O13", "met", **REGISTER).values["since"] == "2022-03-10"


@shows("O13 open")
def test_sent_to_a_third_state_is_not_sent_to_the_other_party() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    scene.reg("office.registered", "2025-06-01", office_="BY-GP", party="BY", sort="party")
    scene.reg("contact.forwarded", "2025-06-02", versions=[version], to="BY-GP")
    scene.expect("O13", "open", **REGISTER)


@shows("O13 undetermined")
def test_without_the_issue_nothing_is_to_be_sent_on_that_can_be_named() -> None:
    scene = Scene(bare=True)
    _replaced(scene, "2025-06-01")
    scene.expect("O13", "undetermined", missing="issue of ru-order-136", **REGISTER)


@shows("P4 met", "P4 undetermined")
def test_a_change_at_the_other_party_counts_from_the_day_that_its_notice_names() -> None:
    for effective, verdict in (("2025-06-01", "met"), ("2025-05-01", "undetermined")):
        scene = Scene()
        first = scene.reg("contact.received", "2025-01-10")
        scene.reg("contact.received", "2025-06-04", changes_of=first, effective=effective)
        assert scene.expect("P4", verdict, **REGISTER).bound == "KZ"


@shows("P4 undetermined")
def test_a_change_at_the_other_party_without_a_day_is_undetermined() -> None:
    scene = Scene()
    first = scene.reg("contact.received", "2025-01-10")
    scene.reg("contact.received", "2025-06-04", changes_of=first)
    scene.expect("P4", "undetermined", reason="change_undated", missing="date of the change", **REGISTER)


@shows("P4 undetermined")
def test_a_change_under_a_protocol_whose_entry_into_force_is_not_recorded_is_undetermined() -> None:
    scene = Scene(bare=True)
    _replaced(scene, "2025-06-01")
    scene.expect("P4", "undetermined", missing="entry into force of ru-kz-2009-ap-2022", **REGISTER)


def test_a_change_before_the_protocol_or_after_its_end_has_no_row() -> None:
    scene = Scene()
    _replaced(scene, "2022-01-11")
    scene.reg("instrument.ended", "2027-03-16")
    _replaced(scene, "2027-05-01", "ct-2", "ct-3")
    scene.no_row("P4", **REGISTER)


@shows("P4 undetermined", "O13 met")
def test_the_protocol_does_not_speak_of_contacts_of_the_nature_office_and_the_order_does() -> None:
    scene = Scene()
    version = scene.reg("contact.changed", "2025-06-01", office="RU-N-VOLGA", office_="RU-N-VOLGA",
                        effective="2025-06-01")  # fmt: skip
    scene.reg("contact.forwarded", "2025-06-02", versions=[version])
    found = scene.expect("P4", "undetermined", reason="sort_unnamed", **REGISTER)
    assert found.values["sort"] == "nature"
    scene.expect("O13", "met", **REGISTER)


def test_a_change_that_the_other_party_tells_of_cites_what_it_changes() -> None:
    scene = Scene()
    first = scene.reg("contact.received", "2025-01-10")
    second = scene.reg("contact.received", "2025-06-04", changes_of=first, effective="2025-06-01")
    assert [ref.event for ref in scene.expect("P4", "met", **REGISTER).evidence] == [second, first]


@shows("P4 open")
def test_an_end_between_other_states_does_not_end_the_duty() -> None:
    scene = Scene()
    scene.reg("instrument.ended", "2024-01-01", date="2024-01-01", between=["RU", "BY"])
    _replaced(scene, "2025-06-01")
    scene.expect("P4", "open", **REGISTER)


# P3: contacts exchanged


@shows("P3 open", "P3 met")
def test_contacts_are_exchanged_once_they_went_both_ways() -> None:
    scene = Scene()
    scene.expect("P3", "open", as_of="2022-03-01", reason="none_yet", **REGISTER)
    scene.reg("contact.forwarded", "2022-04-01", versions=["e-1"])
    scene.expect("P3", "open", as_of="2022-04-02", reason="theirs_awaited", **REGISTER)
    scene.reg("contact.received", "2022-05-01", id="r-1")
    scene.reg("contact.received", "2022-05-01T13:00")
    found = scene.expect("P3", "met", as_of="2022-05-02", **REGISTER)
    assert found.evidence[2].event == "r-1"
    assert found.values == {"ours": "2022-04-01", "theirs": "2022-05-01"}
    assert [ref.name for ref in found.evidence] == ["instrument.entered", "contact.forwarded", "contact.received"]


@shows("P3 open")
def test_theirs_alone_leave_ours_awaited() -> None:
    scene = Scene(bare=True)
    scene.reg("contact.received", "2022-05-01")
    scene.expect("P3", "open", reason="ours_awaited", **REGISTER)


def test_before_the_protocol_is_in_the_register_there_is_nothing_to_exchange() -> None:
    Scene(bare=True).no_row("P3", **REGISTER)


def test_contacts_of_a_third_state_are_not_theirs() -> None:
    scene = Scene()
    scene.reg("contact.received", "2022-05-01", from_="BY-GP")
    scene.expect("P3", "open", reason="none_yet", **REGISTER)


# The same from the other side


def test_in_the_ledger_of_the_other_party_ours_are_its_own() -> None:
    scene = Scene(own="KZ")
    version = scene.reg("contact.designated", "2025-06-01", office="KZ-B-01", office_="KZ-B-01", replaces="ct-0",
                        contact="ct-1", effective="2025-06-01")  # fmt: skip
    scene.reg("contact.forwarded", "2025-06-03", office="KZ-DIC", versions=[version], to="RU-GUMPS")
    assert scene.expect("P4", "met", item=version, **REGISTER).bound == "KZ"
    assert scene.expect("P3", "open", **REGISTER).values == {"ours": "2025-06-03"}


def test_readings_of_a_finding_name_the_last_day_of_each() -> None:
    scene = Scene()
    scene.tz = "Asia/Barnaul"
    found = scene.finding("O3", item="RU-ALT", **REGISTER)
    days = {r.reading: datetime.fromtimestamp(r.ends / 1000, UTC) + timedelta(hours=7) for r in found.readings}
    assert {name: day.strftime("%Y-%m-%dT%H:%M") for name, day in days.items()} == {
        "days:15:next": "2022-03-26T00:00", "days:15:same": "2022-03-25T00:00", "workdays:15:next": "2022-04-01T00:00",
    }  # fmt: skip


def test_two_versions_with_the_same_event_id_keep_apart() -> None:
    scene = Scene()
    for office in ("RU-OMS", "RU-ALT"):
        scene.reg("contact.changed", "2025-06-01", office=office, office_=office, id="v-1", effective="2025-06-01")
    scene.reg("contact.notified", "2025-06-02", office="RU-ALT", office_="RU-ALT", version="v-1")
    scene.expect("O4", "open", item="v-1@RU-OMS", **REGISTER)
    scene.expect("O4", "met", item="v-1@RU-ALT", **REGISTER)


@shows("O4 met", "O13 met", "P4 met")
def test_told_twice_the_first_time_counts() -> None:
    scene = Scene()
    version = _replaced(scene, "2025-06-01")
    for when in ("2025-06-02", "2025-08-01"):
        _notified(scene, when, version)
        scene.reg("contact.forwarded", when, versions=[version])
    for rule in ("O4", "O13", "P4"):
        assert scene.expect(rule, "met", **REGISTER).values["told"] == "2025-06-02"


@shows("O4 breached", "O4 open")
def test_of_several_later_changes_the_next_one_ends_the_wait() -> None:
    scene = Scene()
    first = _replaced(scene, "2025-06-01")
    _replaced(scene, "2025-06-10", "ct-2", "ct-3")
    scene.reg("contact.changed", "2025-08-01", office="RU-OMS", contact="ct-2", effective="2025-08-01")
    scene.expect("O4", "open", as_of="2025-06-10T11:00", item=first, **REGISTER)
    scene.expect("O4", "breached", as_of="2025-06-10T13:00", item=first, **REGISTER)


@shows("O13 breached")
def test_a_version_that_was_overtaken_before_the_order_was_issued_is_lost_from_the_first_day() -> None:
    scene = Scene()
    first = scene.reg("contact.designated", "2022-02-01", office="RU-OMS", effective="2022-02-01")
    scene.reg("contact.changed", "2022-02-05", office="RU-OMS", effective="2022-02-05")
    found = scene.expect("O13", "breached", item=first, **REGISTER)
    assert [step.at for step in found.steps] == sorted(step.at for step in found.steps)
