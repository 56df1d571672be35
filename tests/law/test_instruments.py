"""A12, A13, A15.2: amendments and their rulebooks, disputes, and what a notice of termination leads to."""

from __future__ import annotations

from projections.compliance.register import LegalRegister
from projections.compliance.termination import in_force, standing
from projections.compliance.verdict import Read
from tests.law.profiles import ruled
from tests.law.scene import Scene, shows

REGISTER = {"subject": "register"}
READINGS = ("days:60:next", "days:60:same")


def _noticed(scene: Scene, received: str = "2027-01-15T12:00:00+03:00", **stated: object) -> str:
    return scene.reg("notice.received", "2027-01-15T12:00:00+03:00", received=received, **stated)


def _requested(when: str, **stated: object) -> Scene:
    """A request after the notice of 15 January 2027, signed in Moscow."""
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    scene.request("direct_exchange", when, office="RU-T-VOLGA", **stated)
    return scene


# A15.2 on requests


@shows("A15.2 met")
def test_s26_signed_on_15_march_it_is_in_force_by_both_readings() -> None:
    found = _requested("2027-03-15").expect("A15.2", "met", reason="before_end")
    assert [read.kept for read in found.readings] == [True, True]
    assert found.values == {"opened": "2027-03-15", "received": "2027-01-15", "ends": "2027-03-15, 2027-03-16"}
    assert "notice.received" in [ref.name for ref in found.evidence]


@shows("A15.2 undetermined")
def test_s27_signed_on_16_march_the_readings_differ() -> None:
    found = _requested("2027-03-16").expect("A15.2", "undetermined", reason="end_unclear")
    assert {read.reading: read.kept for read in found.readings} == {"days:60:next": True, "days:60:same": False}
    assert found.missing == ""


@shows("A15.2 breached")
def test_s28_signed_on_17_march_it_is_breached_and_recorded_all_the_same() -> None:
    scene = _requested("2027-03-17")
    scene.expect("A15.2", "breached", reason="after_end")
    assert [act.name for act in scene.files["request/2025-000123"].acts] == ["request.signed", "request.sent"]


@shows("A15.2 met", "A15.2 undetermined", "A15.2 breached")
def test_the_end_comes_with_the_receivers_midnight_to_the_millisecond() -> None:
    for when, verdict in [
        ("2027-03-15T23:59:59.999+03:00", "met"),
        ("2027-03-16T00:00:00.000+03:00", "undetermined"),
        ("2027-03-16T23:59:59.999+03:00", "undetermined"),
        ("2027-03-17T00:00:00.000+03:00", "breached"),
    ]:
        found = _requested(when).expect("A15.2", verdict)
        kept = {read.kept for read in found.readings}
        assert kept == {"met": {True}, "breached": {False}, "undetermined": {True, False}}[verdict]


@shows("A15.2 undetermined")
def test_a_notice_received_in_almaty_runs_by_the_days_of_almaty() -> None:
    # 23:00 in Moscow is already the next day there.
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene, "2027-01-15T23:00:00+03:00", from_="RU", act_of="KZ-PGO")
    scene.request("direct_exchange", "2027-03-16T23:00:00+05:00", office="RU-T-VOLGA")
    scene.expect("A15.2", "met", as_of="2027-12-01")
    scene.request("direct_exchange", "2027-03-17T00:00:00+05:00", office="RU-T-VOLGA", subject="request/2025-000124")
    scene.expect("A15.2", "undetermined", subject="request/2025-000124")


def test_a_request_opened_before_the_notice_has_no_row() -> None:
    _requested("2027-01-15T11:59:59.999+03:00").no_row("A15.2")
    assert _requested("2027-01-15T12:00:00+03:00").findings("A15.2") != []


def test_a_request_that_rests_on_another_instrument_only_has_no_row() -> None:
    _requested("2027-03-17", legal_basis=["cis-mla-1993"]).no_row("A15.2")


@shows("A15.2 breached")
def test_a_request_that_rests_on_the_protocol_rests_on_the_agreement() -> None:
    _requested("2027-03-17", legal_basis=["ru-kz-2009-ap-2022"]).expect("A15.2", "breached")


@shows("A15.2 met")
def test_a_claim_across_the_end_counts_and_is_marked() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    scene.request("direct_exchange", "2027-03-15", office="RU-T-VOLGA", sent=False, admitted="2027-03-20")
    scene.expect("A15.2", "met", marks=("claimed",))


@shows("A15.2 undetermined")
def test_a_request_after_an_undated_notice_is_undetermined_and_names_the_receipt() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene, "")
    scene.request("direct_exchange", "2027-02-01", office="RU-T-VOLGA")
    scene.expect("A15.2", "undetermined", reason="receipt_unknown", missing="date of receipt")


@shows("A15.2 met", "A15.2 undetermined")
def test_a_notice_known_by_its_dispatch_leaves_sixty_days_beyond_doubt() -> None:
    for when, verdict in (("2027-03-10", "met"), ("2027-03-20", "undetermined")):
        scene = Scene()
        scene.tz = "Europe/Moscow"
        _noticed(scene, "", sent="2027-01-10")
        scene.request("direct_exchange", when, office="RU-T-VOLGA")
        scene.expect("A15.2", verdict)


@shows("A15.2 undetermined")
def test_a_recorded_end_does_not_choose_between_the_readings() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    scene.reg("instrument.ended", "2027-03-16", date="2027-03-16")
    scene.request("direct_exchange", "2027-03-16", office="RU-T-VOLGA")
    scene.expect("A15.2", "undetermined")


# A15.2 on the register


@shows("A15.2 open", "A15.2 met")
def test_s29_on_the_register_the_term_runs_and_ends_after_15_or_16_march() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    found = scene.expect("A15.2", "open", as_of="2027-02-01", reason="term_running", **REGISTER)
    assert found.values == {"received": "2027-01-15", "ends": "2027-03-15, 2027-03-16"}
    scene.expect("A15.2", "open", as_of="2027-03-16T12:00", reason="may_have_ended", **REGISTER)
    scene.expect("A15.2", "open", as_of="2027-03-16T23:59:59.999", **REGISTER)
    scene.expect("A15.2", "met", as_of="2027-03-17T00:00", reason="ended", **REGISTER)


@shows("A15.2 undetermined")
def test_s30_a_notice_without_a_receipt_date_is_undetermined() -> None:
    scene = Scene()
    notice = _noticed(scene, "")
    scene.expect("A15.2", "undetermined", reason="receipt_unknown", missing=notice, **REGISTER)


@shows("A15.2 undetermined")
def test_an_end_by_notice_without_the_notice_is_undetermined() -> None:
    scene = Scene()
    scene.reg("instrument.ended", "2027-03-16")
    scene.expect("A15.2", "undetermined", reason="notice_unknown", missing="notice on ru-kz-2009", **REGISTER)


@shows("A15.2 undetermined")
def test_a_term_in_working_days_of_an_unknown_year_is_undetermined() -> None:
    scene = Scene(rulebook=ruled("A15.2", readings=("days:60:next", "workdays:60:next")))
    _noticed(scene, "2041-01-15T12:00:00+03:00")
    scene.expect("A15.2", "undetermined", reason="days_unknown", missing="working days of ru", **REGISTER)


def test_without_a_notice_and_for_another_instrument_there_is_no_row() -> None:
    scene = Scene()
    scene.no_row("A15.2", **REGISTER)
    _noticed(scene, instrument="ru-by-2004")
    scene.no_row("A15.2", **REGISTER)


# Standing of an instrument


def _says(scene: Scene, when: str, between: tuple[str, str] | None = ("RU", "KZ")) -> str:
    register = LegalRegister(scene.files["register"], "RU")
    return in_force(standing(register, "ru-kz-2009", READINGS, between), scene.ms(when))


def test_an_instrument_is_in_force_from_the_day_it_entered() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    assert _says(scene, "2009-06-22T23:59:59.999") == "no"
    assert _says(scene, "2009-06-23T00:00") == "yes"
    assert _says(scene, "2030-01-01") == "yes"


def test_of_an_instrument_that_the_register_does_not_know_nothing_is_said() -> None:
    scene = Scene(bare=True)
    scene.reg("rulebook.adopted", "2022-01-01")
    assert _says(scene, "2022-01-01") == "unclear"
    held = standing(LegalRegister(scene.files["register"], "RU"), "ru-kz-2009", READINGS)
    assert held.missing == "entry into force of ru-kz-2009"
    assert held.acts == ()


def test_before_its_signature_an_instrument_was_not_in_force_though_its_entry_is_not_recorded() -> None:
    scene = Scene(bare=True)
    scene.reg("instrument.signed", "2009-06-23")
    assert _says(scene, "2009-06-20") == "no"
    assert _says(scene, "2009-06-25") == "unclear"


def test_the_earlier_of_two_notices_ends_it() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    _noticed(scene, "2027-01-10T12:00:00+03:00")
    assert _says(scene, "2027-03-10") == "yes"
    assert _says(scene, "2027-03-12") == "no"


def test_a_recorded_end_by_notice_holds_where_the_receipt_is_not_dated() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene, "")
    scene.reg("instrument.ended", "2027-03-16", date="2027-03-16")
    assert _says(scene, "2027-03-15") == "yes"
    assert _says(scene, "2027-03-16") == "no"


def test_a_recorded_end_that_no_reading_gives_widens_the_doubt() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    scene.reg("instrument.ended", "2027-03-20", date="2027-03-20")
    assert [_says(scene, day) for day in ("2027-03-15", "2027-03-18", "2027-03-20")] == ["yes", "unclear", "no"]


def test_an_end_by_succession_holds_by_its_day_whatever_a_notice_says() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _noticed(scene)
    scene.reg("instrument.ended", "2027-02-01", date="2027-02-01", cause="succession")
    assert [_says(scene, day) for day in ("2027-01-31", "2027-02-01")] == ["yes", "no"]


def test_an_instrument_with_a_last_day_ends_by_it() -> None:
    scene = Scene(bare=True)
    scene.tz = "Europe/Moscow"
    scene.reg("instrument.entered", "2009-06-23", until="2014-06-23")
    assert [_says(scene, day) for day in ("2014-06-22", "2014-06-23")] == ["yes", "no"]
    assert standing(LegalRegister(scene.files["register"], "RU"), "ru-kz-2009", READINGS).ends == (
        Read("recorded", scene.ms("2014-06-23T00:00")),
    )


def test_what_concerns_another_pair_of_states_is_passed_over() -> None:
    scene = Scene(bare=True)
    scene.tz = "Europe/Moscow"
    scene.reg("instrument.entered", "2009-06-23")
    scene.reg("instrument.ended", "2015-01-01", date="2015-01-01", between=["RU", "BY"], cause="succession")
    _noticed(scene, from_="BY")
    assert _says(scene, "2028-01-01") == "yes"
    assert _says(scene, "2028-01-01", ("RU", "BY")) == "no"
    assert _says(scene, "2028-01-01", None) == "no"


def test_of_two_undated_notices_the_earlier_brings_the_doubt() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    scene.reg("notice.received", "2027-01-15", received="")
    scene.reg("notice.received", "2027-06-15", received="")
    moments = ("2027-01-15T11:59:59.999", "2027-01-15T12:00:00.000", "2027-06-16")
    assert [_says(scene, moment) for moment in moments] == ["yes", "unclear", "unclear"]


def test_an_instrument_that_entered_between_some_states_first_is_in_force_from_the_earliest_day() -> None:
    scene = Scene(bare=True)
    scene.tz = "Europe/Moscow"
    scene.reg("instrument.entered", "2010-01-01", date="2010-01-01", between=["RU", "BY"])
    scene.reg("instrument.entered", "2015-01-01", date="2015-01-01", between=["RU", "KZ"])
    assert _says(scene, "2012-01-01") == "no"
    assert _says(scene, "2012-01-01", ("RU", "BY")) == "yes"
    assert _says(scene, "2012-01-01", None) == "yes"


def test_an_instrument_that_lives_with_another_is_doubtful_with_the_earlier_doubt_of_the_two() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    scene.reg("notice.received", "2027-01-15", received="", instrument="ru-kz-2009-ap-2022")
    scene.reg("notice.received", "2027-06-15", received="")
    scene.request("direct_exchange", "2027-03-01", office="RU-T-VOLGA")
    scene.expect("P7", "undetermined")


# A12: amendments


def _amended(scene: Scene, entered: str | None = "2026-05-01") -> None:
    scene.reg("instrument.signed", "2026-03-01", instrument="ru-kz-2009-ap-2026", date="2026-03-01", kind="protocol",
              amends="ru-kz-2009")  # fmt: skip
    if entered:
        scene.reg("instrument.entered", "2026-03-02", instrument="ru-kz-2009-ap-2026", date=entered)


def _adopted(scene: Scene, when: str, valid_from: str, version: str = "2") -> None:
    profiles = [{"instrument": "ru-kz-2009-ap-2026", "sha256": "11" * 32}]
    scene.reg("rulebook.adopted", when, version=version, valid_from=valid_from, profiles=profiles)


@shows("A12 open", "A12 met")
def test_an_amendment_is_open_until_it_is_in_force_and_met_by_a_rulebook_in_time() -> None:
    scene = Scene()
    scene.tz = "Europe/Moscow"
    _amended(scene)
    _adopted(scene, "2026-04-20", "2026-05-01")
    scene.expect("A12", "open", as_of="2026-04-30T23:59:59.999", item="ru-kz-2009-ap-2026", **REGISTER)
    found = scene.expect("A12", "met", as_of="2026-05-01T00:00", item="ru-kz-2009-ap-2026", **REGISTER)
    assert found.values["version"] == "2"
    assert [ref.name for ref in found.evidence] == ["instrument.signed", "instrument.entered", "rulebook.adopted"]


@shows("A12 open")
def test_an_amendment_that_was_only_signed_is_open() -> None:
    scene = Scene()
    _amended(scene, entered=None)
    scene.expect("A12", "open", item="ru-kz-2009-ap-2026", reason="not_in_force", **REGISTER)


@shows("A12 undetermined")
def test_an_amendment_in_force_without_a_rulebook_is_undetermined() -> None:
    scene = Scene()
    _amended(scene)
    scene.reg("rulebook.adopted", "2026-04-20", valid_from="2026-05-01")  # of other instruments
    scene.expect("A12", "undetermined", item="ru-kz-2009-ap-2026", reason="no_rulebook", **REGISTER)


@shows("A12 undetermined")
def test_a_rulebook_that_came_after_the_entry_into_force_leaves_the_time_between_undetermined() -> None:
    for when, valid_from in (("2026-05-02", "2026-05-01"), ("2026-04-20", "2026-05-02")):
        scene = Scene()
        _amended(scene)
        _adopted(scene, when, valid_from)
        found = scene.expect("A12", "undetermined", item="ru-kz-2009-ap-2026", reason="adopted_late", **REGISTER)
        assert "rulebook.adopted" in [ref.name for ref in found.evidence]


def test_the_protocol_of_2022_is_an_amendment_and_a_treaty_of_its_own_is_none() -> None:
    scene = Scene()
    scene.reg("instrument.signed", "2026-03-01", instrument="ru-by-2026", date="2026-03-01", parties=["RU", "BY"])
    assert [finding.item for finding in scene.findings("A12", **REGISTER)] == ["ru-kz-2009-ap-2022"]


# A13: disputes


@shows("A13 open", "A13 met")
def test_a_dispute_is_open_until_it_is_resolved_by_consultation_or_negotiation() -> None:
    for means in ("consultation", "negotiation"):
        scene = Scene()
        scene.reg("dispute.opened", "2025-05-01")
        scene.expect("A13", "open", as_of="2025-06-01", item="d-1", **REGISTER)
        scene.reg("dispute.resolved", "2025-07-01", means=means)
        found = scene.expect("A13", "met", item="d-1", reason="by_means", **REGISTER)
        assert found.values == {"article": "9(3)", "means": means}


@shows("A13 breached")
def test_a_dispute_resolved_by_other_means_is_a_breach() -> None:
    scene = Scene()
    scene.reg("dispute.opened", "2025-05-01")
    scene.reg("dispute.resolved", "2025-07-01", means="other")
    scene.expect("A13", "breached", reason="other_means", **REGISTER)


@shows("A13 open")
def test_each_dispute_stands_for_itself() -> None:
    scene = Scene()
    scene.reg("dispute.opened", "2025-05-01")
    scene.reg("dispute.opened", "2025-05-02", dispute="d-2")
    scene.reg("dispute.resolved", "2025-07-01", dispute="d-2")
    scene.expect("A13", "open", item="d-1", **REGISTER)
    scene.expect("A13", "met", item="d-2", **REGISTER)


def test_a_dispute_on_another_instrument_or_one_never_opened_has_no_row() -> None:
    scene = Scene()
    scene.reg("dispute.opened", "2025-05-01", instrument="ru-kz-2009-ap-2022")
    scene.reg("dispute.resolved", "2025-07-01", dispute="d-9")
    scene.no_row("A13", **REGISTER)
