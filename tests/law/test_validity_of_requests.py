"""Whether the Protocol (P7) and the Agreement (A15.1) were in force, and that of 1992 not named (A15.4)."""

from __future__ import annotations

from tests.law.scene import Scene, shows

RECEIVED = "2027-01-15T12:00+03:00"


def after_notice(when: str, *, received: str = "2027-01-15T12:00:00+03:00") -> Scene:
    """A direct exchange, after a notice of Kazakhstan has reached the Prosecutor General's Office of Russia."""
    scene = Scene()
    scene.reg("notice.received", RECEIVED, office="RU-PGO", received=received)
    scene.request(when=when)
    return scene


@shows("P7 met", "A15.1 met")
def test_s26_a_request_of_the_fifteenth_of_march_is_in_force_under_both_readings() -> None:
    scene = after_notice("2027-03-15T12:00")
    for rule in ("P7", "A15.1"):
        found = scene.expect(rule, "met", reason="in_force")
        assert [read.kept for read in found.readings] == [True, True]
        assert found.values["ends"] == "2027-03-16 / 2027-03-15"


@shows("P7 undetermined", "A15.1 undetermined")
def test_s27_on_the_sixteenth_of_march_the_readings_differ() -> None:
    scene = after_notice("2027-03-16T12:00")
    for rule in ("P7", "A15.1"):
        found = scene.expect(rule, "undetermined", reason="end_by_readings")
        assert {read.reading: read.kept for read in found.readings} == {"days:60:next": True, "days:60:same": False}


@shows("P7 breached", "A15.1 breached")
def test_s28_on_the_seventeenth_of_march_it_is_over_and_the_request_goes_on() -> None:
    scene = after_notice("2027-03-17T12:00")
    for rule in ("P7", "A15.1"):
        scene.expect(rule, "breached", reason="after_end")
    assert scene.judged().findings


def test_the_days_are_those_of_the_receiver_of_the_notice_to_the_millisecond() -> None:
    for moment, verdict, reason in (
        ("2027-03-15T23:59:59.999+03:00", "met", "in_force"),
        ("2027-03-16T00:00:00.000+03:00", "undetermined", "end_by_readings"),
        ("2027-03-16T23:59:59.999+03:00", "undetermined", "end_by_readings"),
        ("2027-03-17T00:00:00.000+03:00", "breached", "after_end"),
    ):
        after_notice(moment).expect("A15.1", verdict, reason=reason)


def test_a_reading_is_kept_until_just_before_its_end() -> None:
    scene = after_notice("2027-03-16T00:00:00.000+03:00")
    assert [read.kept for read in scene.finding("A15.1").readings] == [True, False]


def test_a_notice_that_reaches_astana_counts_the_days_of_astana() -> None:
    scene = Scene()
    scene.reg("notice.received", "2027-01-15T23:00+03:00", office="KZ-PGO", from_="RU",
              received="2027-01-15T23:00:00+03:00")  # fmt: skip
    scene.request(when="2027-03-15T12:00")
    assert scene.finding("P7").values["ends"] == "2027-03-17 / 2027-03-16"  # received on the 16th there


def test_a_notice_whose_receipt_is_not_dated_decides_nothing_after_it() -> None:
    scene = after_notice("2027-03-17T12:00", received="")
    scene.expect("P7", "undetermined", reason="not_known_in_force", missing="date of receipt of the notice")


def test_s38_direct_exchange_after_the_protocol_before_the_order_is_under_the_protocol() -> None:
    scene = Scene()
    scene.request(when="2022-02-15T10:00")
    found = scene.expect("P7", "met")
    assert found.values == {"day": "2022-02-15", "since": "2022-01-12", "ends": "—"}


def test_the_day_of_signature_is_the_first_day_of_the_protocol() -> None:
    scene = Scene()
    scene.request(when="2022-01-11T23:59:59.999+03:00")
    scene.request(when="2022-01-12T00:00+03:00", subject="request/later")
    scene.expect("P7", "breached", reason="before_start")
    scene.expect("P7", "met", subject="request/later")


def test_the_protocol_is_not_asked_of_what_goes_by_the_directorate() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate")
    scene.no_row("P7")
    scene.expect("A15.1", "met")


def test_the_day_of_signature_is_the_first_day_of_the_agreement() -> None:
    scene = Scene()  # Moscow kept summer time then
    scene.request("mla", "2009-06-22T23:59:59.999+04:00", channel="directorate")
    scene.request("mla", "2009-06-23T00:00+04:00", channel="directorate", subject="request/later")
    scene.expect("A15.1", "breached", reason="before_start")
    scene.expect("A15.1", "met", subject="request/later")


def test_a_register_that_does_not_know_the_entry_into_force_decides_nothing() -> None:
    scene = Scene(bare=True)
    scene.request("mla", channel="directorate")
    scene.expect("A15.1", "undetermined", reason="not_known_in_force", missing="entry into force of ru-kz-2009")


def test_a_request_that_rests_on_another_treaty_does_not_need_the_agreement() -> None:
    scene = Scene()
    scene.reg("instrument.ended", "2027-01-01", date="2027-01-01", cause="other")
    scene.request("mla", "2027-02-01T12:00", channel="directorate", legal_basis=["cis-mla-1993"])
    scene.request("mla", "2027-02-01T12:00", channel="directorate", legal_basis=[], subject="request/nothing")
    scene.no_row("A15.1")
    scene.expect("A15.1", "breached", subject="request/nothing")


def test_of_unknown_content_it_cannot_be_said_that_it_had_to_rest_on_the_agreement() -> None:
    for when, verdict in (("2026-12-31", "met"), ("2027-01-02", "undetermined")):
        scene = Scene()
        scene.reg("instrument.ended", "2026-12-01", date="2027-01-01", cause="other")
        scene.act("request.received", when, from_="KZ-PGO", to="RU-GUMPS", office="RU-GUMPS")
        scene.expect("A15.1", verdict)


def test_an_end_that_is_recorded_after_the_request_breaches_it_with_a_mark() -> None:
    scene = Scene()
    scene.request(when="2027-02-01T12:00")
    scene.reg("instrument.ended", "2027-05-01", date="2027-01-01", cause="other")
    scene.expect("P7", "met", as_of="2027-04-30", marks=())
    scene.expect("P7", "breached", marks=("retroactive",))


def test_a_notice_after_the_request_changes_nothing_and_marks_nothing() -> None:
    scene = Scene()
    scene.request(when="2027-01-10T12:00")
    scene.reg("notice.received", RECEIVED, office="RU-PGO")
    scene.expect("P7", "met", marks=())


def test_what_was_asked_in_time_stays_valid_when_it_is_answered_after_the_end() -> None:
    scene = after_notice("2027-03-01T12:00")
    scene.act("request.answered", "2027-05-01", office="KZ-B-01", channel="direct")
    scene.expect("P7", "met")


def test_a_claim_of_the_past_admitted_after_the_end_counts_by_its_claim() -> None:
    scene = Scene()
    scene.reg("notice.received", RECEIVED, office="RU-PGO")
    scene.act("request.signed", "2027-03-10", admitted="2027-04-10", kind="direct_exchange", requested="KZ-B-01",
              legal_basis=["ru-kz-2009"])  # fmt: skip
    scene.expect("P7", "met")


# The agreement of 1992


@shows("A15.4 breached")
def test_s33_the_agreement_of_1992_is_named_between_russia_and_kazakhstan_in_2010() -> None:
    scene = Scene()
    scene.request("mla", "2010-05-05T12:00", channel="directorate", legal_basis=["ru-by-kz-kg-1992"])
    found = scene.expect("A15.4", "breached", reason="succeeded_named")
    assert found.values == {"basis": "ru-by-kz-kg-1992", "day": "2010-05-05"}


def test_s33_the_same_between_russia_and_belarus_is_not_asked() -> None:
    scene = Scene()
    scene.request("mla", "2010-05-05T12:00", channel="directorate", legal_basis=["ru-by-kz-kg-1992"], partner="BY",
                  requested="BY-PGO", to="BY-PGO")  # fmt: skip
    scene.no_row("A15.4")
    scene.no_row("A15.1")


@shows("A15.4 met")
def test_a_request_that_does_not_name_it_meets_it() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate", legal_basis=["ru-kz-2009"])
    scene.expect("A15.4", "met", reason="succeeded_not_named")


def test_before_the_day_of_the_agreement_that_of_1992_was_rightly_named() -> None:
    scene = Scene()
    for subject, when in (("request/before", "2009-06-22T23:59:59.999"), ("request/after", "2009-06-23T00:00")):
        scene.request("mla", when, channel="directorate", legal_basis=["ru-by-kz-kg-1992"], subject=subject)
    scene.no_row("A15.4", subject="request/before")
    scene.expect("A15.4", "breached", subject="request/after")


def test_while_the_content_is_not_known_nothing_is_said_of_1992() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", from_="KZ-PGO", to="RU-GUMPS", office="RU-GUMPS")
    scene.no_row("A15.4")
