"""Requests in writing and by word of mouth: O7, P5, A6.2a, A6.2b, A6.2c."""

from __future__ import annotations

import pytest

from tests.law.scene import Scene, shows

KZ_TIME = "+05:00"
DIRECT = {"kind": "direct_exchange", "requesting": "RU-OMS", "requested": "KZ-B-01", "channel": "direct"}


def spoken(when: str = "2025-03-03T10:00", *, direct: bool = False, urgency: bool = True, **stated: object) -> Scene:
    """A scene with an oral request of ours (event ``oral``)."""
    scene = Scene()
    scene.act("request.spoken", when, id="oral", urgency=urgency, **(DIRECT if direct else {}), **stated)
    return scene


def confirmed(scene: Scene, when: str, *, direct: bool = False, **stated: object) -> Scene:
    """The same with its written confirmation (event ``written``)."""
    content = {key: value for key, value in DIRECT.items() if key != "channel"} if direct else {}
    scene.act("request.confirmed", when, id="written", confirms="oral", **content, **stated)  # type: ignore[arg-type]
    return scene


# A6.2b: the term of three days


@shows("A6.2b met")
def test_s12_confirmed_one_minute_before_72_hours_is_met() -> None:
    scene = confirmed(spoken("2025-03-03T10:00"), "2025-03-06T09:59")
    finding = scene.expect("A6.2b", "met", item="oral", reason="in_time", marks=())
    assert [read.kept for read in finding.readings] == [True, True]
    assert finding.values == {"spoken": "2025-03-03 10:00", "written": "2025-03-06 09:59", "hours": "71"}
    assert finding.bound == "RU-OMS"


@shows("A6.2b undetermined")
def test_s13_confirmed_after_72_hours_but_on_the_third_day_is_undetermined() -> None:
    scene = confirmed(spoken("2025-03-03T10:00"), "2025-03-06T15:00")
    finding = scene.expect("A6.2b", "undetermined", reason="readings_differ")
    assert [(read.reading, read.kept) for read in finding.readings] == [("hours:72", False), ("days:3:next", True)]


@shows("A6.2b breached")
def test_s14_confirmed_on_the_fourth_day_is_breached_and_the_request_goes_on() -> None:
    scene = confirmed(spoken("2025-03-03T10:00"), "2025-03-07T00:30")
    scene.act("request.accepted", "2025-03-08")
    scene.expect("A6.2b", "breached", reason="late")
    scene.expect("A6.3", "met")


@shows("A6.2b open")
def test_s15_not_confirmed_yet_is_open_and_owed_by_the_requesting_side() -> None:
    finding = spoken("2025-03-03T10:00").expect("A6.2b", "open", as_of="2025-03-05T12:00", reason="running")
    assert finding.bound == "RU-OMS"


@shows("A6.2b breached")
def test_s16_never_confirmed_is_breached_when_the_last_reading_has_run_out() -> None:
    spoken("2025-03-03T10:00").expect("A6.2b", "breached", as_of="2025-03-07T12:00", reason="ran_out")


def test_s17_of_a_partners_confirmation_only_its_late_receipt_is_known() -> None:
    scene = Scene()
    partner = {"act_of": "KZ-B-01", "direction": "in", "requesting": "KZ-B-01", "requested": "RU-OMS"}
    scene.act("request.spoken", "2025-03-03T10:00", id="oral", **partner)
    scene.act("request.confirmed", "2025-03-07T08:00", confirms="oral", received_on="2025-03-07T08:00:00+06:00",
              **partner)  # fmt: skip
    finding = scene.expect("A6.2b", "undetermined", reason="sending_unknown", missing="was sent", marks=("reported",))
    assert finding.bound == "KZ-B-01"
    assert [read.kept for read in finding.readings] == [None, None]


def test_what_a_partner_sent_before_we_received_it_is_judged_by_its_sending() -> None:
    scene = Scene()
    partner = {"act_of": "KZ-B-01", "direction": "in", "requesting": "KZ-B-01", "requested": "RU-OMS"}
    scene.act("request.spoken", "2025-03-03T10:00", id="oral", **partner)
    scene.act("request.confirmed", "2025-03-05T08:00", confirms="oral", received_on="2025-03-09T08:00:00+06:00",
              admitted="2025-03-05T09:00", **partner)  # fmt: skip
    scene.expect("A6.2b", "met", marks=("reported",))


def test_a_signed_request_that_arrives_after_the_call_confirms_it_when_it_arrives_in_time() -> None:
    for arrived, verdict, reason in (
        ("2025-03-06T09:59:59.999", "met", "in_time"),
        ("2025-03-06T10:00", "undetermined", "sending_unknown"),
        ("2025-03-07T08:00", "undetermined", "sending_unknown"),
    ):
        scene = Scene()
        partner = {"direction": "in", "requesting": "KZ-B-01", "requested": "RU-OMS"}
        scene.act("request.spoken", "2025-03-03T10:00", act_of="KZ-B-01", **partner)
        scene.act("request.received", arrived, from_="KZ-B-01", to="RU-OMS", signer="p-1", signer_role="head")
        scene.expect("A6.2b", verdict, reason=reason, marks=("reported",))


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        ("2025-03-06T09:59:59.999", "met"),
        ("2025-03-06T10:00", "undetermined"),
        ("2025-03-06T23:59:59.999", "undetermined"),
        ("2025-03-07T00:00", "breached"),
    ],
)
def test_the_last_moment_of_each_reading_is_in_time_and_the_next_is_not(written: str, verdict: str) -> None:
    confirmed(spoken("2025-03-03T10:00"), written).expect("A6.2b", verdict)


@pytest.mark.parametrize(("as_of", "verdict"), [("2025-03-06T23:59:59.999", "open"), ("2025-03-07T00:00", "breached")])
def test_silence_breaks_the_term_with_the_end_of_the_longest_reading(as_of: str, verdict: str) -> None:
    spoken("2025-03-03T10:00").expect("A6.2b", verdict, as_of=as_of)


def test_the_days_are_those_of_the_sender() -> None:
    # 00:30 of the 7th in Omsk (+06) is 23:30 of the 6th in Almaty (+05), where the third day has half an hour left.
    said = "2025-03-03T10:00"
    ours = confirmed(spoken(said), "2025-03-07T00:30")
    ours.expect("A6.2b", "breached")
    theirs = Scene()
    theirs.act("request.spoken", said, office="KZ-B-01", id="oral", requesting="KZ-B-01", requested="RU-OMS")
    theirs.act("request.confirmed", "2025-03-07T00:30", office="KZ-B-01", confirms="oral")
    theirs.expect("A6.2b", "undetermined", reason="readings_differ")


def test_a_confirmation_claimed_in_time_and_recorded_late_is_met_with_a_mark() -> None:
    scene = spoken("2025-03-03T10:00")
    scene.act("request.confirmed", "2025-03-05", admitted="2025-03-10", confirms="oral")
    scene.expect("A6.2b", "breached", as_of="2025-03-09")
    scene.expect("A6.2b", "met", as_of="2025-03-11", marks=("claimed",))


def test_sending_the_signed_text_confirms_as_well_and_sending_it_inside_ones_own_party_does_not() -> None:
    scene = spoken("2025-03-03T10:00")
    scene.act("request.signed", "2025-03-04")
    scene.act("request.sent", "2025-03-05", from_="RU-OMS", to="RU-GUMPS")
    scene.expect("A6.2b", "open", as_of="2025-03-06")
    scene.act("request.sent", "2025-03-06T09:00", from_="RU-GUMPS", to="KZ-DIC")
    scene.expect("A6.2b", "met")


def test_taken_back_while_the_term_runs_is_undetermined_and_afterwards_breached() -> None:
    scene = spoken("2025-03-03T10:00")
    scene.act("request.withdrawn", "2025-03-04")
    scene.expect("A6.2b", "undetermined", reason="withdrawn_first")
    late = spoken("2025-03-03T10:00")
    late.act("request.withdrawn", "2025-03-08")
    late.expect("A6.2b", "breached")


def test_each_oral_request_is_a_row_of_its_own() -> None:
    scene = spoken("2025-03-03T10:00")
    scene.act("request.spoken", "2025-03-10T10:00", id="second")
    confirmed(scene, "2025-03-04")
    scene.expect("A6.2b", "met", item="oral")
    scene.expect("A6.2b", "open", item="second", as_of="2025-03-11")


def test_a_confirmation_that_names_none_of_two_oral_requests_confirms_neither_and_of_one_that_one() -> None:
    scene = spoken("2025-03-03T10:00")
    scene.act("request.confirmed", "2025-03-04", confirms="elsewhere")
    scene.expect("A6.2b", "met", item="oral")
    scene.act("request.spoken", "2025-03-03T12:00", id="second", admitted="2025-03-05")
    scene.expect("A6.2b", "breached", item="oral")
    scene.expect("A6.2b", "breached", item="second")


def test_a_written_request_has_no_row_of_the_term() -> None:
    scene = Scene()
    scene.request()
    scene.no_row("A6.2b")


# A6.2a: the written form


@shows("A6.2a met")
def test_a_signed_request_is_in_writing() -> None:
    scene = Scene()
    scene.request()
    scene.expect("A6.2a", "met", reason="written", marks=())


@shows("A6.2a met")
def test_a_received_request_with_its_signer_is_in_writing() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", from_="KZ-PGO", to="RU-GUMPS", signer="p-1", signer_role="head")
    scene.expect("A6.2a", "met")


@shows("A6.2a undetermined")
def test_a_received_request_without_a_signer_may_be_in_writing_or_not() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", from_="KZ-PGO", to="RU-GUMPS")
    scene.expect("A6.2a", "undetermined", reason="form_unknown", missing="signature")


@shows("A6.2a met", "A6.2a undetermined")
def test_sent_without_a_signature_is_undetermined_until_one_is_recorded() -> None:
    scene = Scene()
    scene.act("request.sent", "2025-03-03T12:00")
    scene.act("request.signed", "2025-03-03T11:00", admitted="2025-03-05")
    scene.expect("A6.2a", "undetermined", as_of="2025-03-04", missing="signature")
    scene.expect("A6.2a", "met", as_of="2025-03-06")


@shows("A6.2a met", "A6.2a open")
def test_an_urgent_oral_request_is_open_until_it_is_confirmed_in_time() -> None:
    scene = confirmed(spoken("2025-03-03T10:00"), "2025-03-06T09:59")
    scene.expect("A6.2a", "open", as_of="2025-03-04", reason="confirmation_runs")
    scene.expect("A6.2a", "met", reason="confirmed")


@shows("A6.2a undetermined")
@pytest.mark.parametrize(
    ("written", "reason"),
    [("2025-03-06T15:00", "confirmed_in_doubt"), ("2025-03-07T00:30", "confirmed_late")],
)
def test_what_a_late_confirmation_does_to_the_oral_form_is_not_said(written: str, reason: str) -> None:
    confirmed(spoken("2025-03-03T10:00"), written).expect("A6.2a", "undetermined", reason=reason)


@shows("A6.2a undetermined")
def test_an_oral_request_without_stated_urgency_is_undetermined_even_when_confirmed_in_time() -> None:
    scene = confirmed(spoken("2025-03-03T10:00", urgency=False), "2025-03-04")
    scene.expect("A6.2a", "undetermined", reason="urgency_unknown", missing="urgent")


@shows("A6.2a open", "A6.2a undetermined", "A6.2a breached")
def test_not_urgent_never_confirmed_and_closed_is_breached() -> None:
    scene = spoken("2025-03-03T10:00", urgency=False)
    scene.act("request.closed", "2025-04-01", outcome="lapsed")
    scene.expect("A6.2a", "open", as_of="2025-03-06T23:59:59.999")
    scene.expect("A6.2a", "undetermined", as_of="2025-03-07T00:00", reason="never_confirmed")
    scene.expect("A6.2a", "breached", as_of="2025-04-02", reason="never_in_writing")


def test_urgent_never_confirmed_and_closed_stays_undetermined() -> None:
    scene = spoken("2025-03-03T10:00")
    scene.act("request.closed", "2025-03-04", outcome="lapsed")
    finding = scene.expect("A6.2a", "undetermined", as_of="2025-03-05", reason="closed_unconfirmed")
    assert [step.verdict for step in finding.steps] == ["open", "undetermined"]


def test_a_confirmation_of_nothing_spoken_is_a_written_request() -> None:
    scene = Scene()
    scene.act("request.confirmed", "2025-03-03", confirms="unheard")
    scene.expect("A6.2a", "met")
    scene.no_row("A6.2b")


def test_a_call_after_the_signed_request_left_changes_nothing() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03T10:00", to="KZ-PGO", channel="directorate")
    scene.act("request.spoken", "2025-03-04")
    scene.expect("A6.2a", "met", reason="written")
    scene.expect("A6.2b", "met")


# O7 and P5: a written request before a direct exchange


@shows("O7 met", "P5 met")
def test_a_written_request_before_what_is_exchanged_is_met() -> None:
    scene = Scene()
    scene.request(when="2025-03-03T10:00")
    scene.act("material.received", "2025-04-01", supplier="KZ-B-01", from_="KZ-B-01", channel="direct")
    for rule in ("O7", "P5"):
        finding = scene.expect(rule, "met", reason="written_before", marks=())
        assert finding.values == {"written": "2025-03-03", "exchanged": "2025-04-01"}


def test_a_written_request_on_which_nothing_was_exchanged_yet_is_met() -> None:
    scene = Scene()
    scene.request()
    scene.expect("O7", "met")


@shows("O7 breached", "P5 breached")
def test_an_exchange_with_no_request_of_any_sort_is_breached() -> None:
    scene = Scene()
    scene.act("material.sent", "2025-03-03", supplier="RU-OMS", to="KZ-B-01", channel="direct", supplied_as="exchange")
    scene.expect("O7", "breached", reason="no_request")
    scene.expect("P5", "breached", reason="no_request")


@shows("O7 breached")
def test_an_exchange_one_millisecond_before_the_request_is_breached_and_at_the_same_moment_after_it_is_not() -> None:
    early = Scene()
    early.request(when="2025-03-03T10:00")
    early.act("material.sent", "2025-03-03T09:59:59.999", admitted="2025-03-03T10:00", supplier="RU-OMS", to="KZ-B-01",
              channel="direct")  # fmt: skip
    early.expect("O7", "breached", reason="exchange_first")
    level = Scene()
    level.request(when="2025-03-03T10:00")
    level.act("material.sent", "2025-03-03T10:00", supplier="RU-OMS", to="KZ-B-01", channel="direct")
    level.expect("O7", "met")


def test_materials_that_come_with_the_request_are_no_exchange() -> None:
    scene = Scene()
    scene.act("material.sent", "2025-03-03T09:00", supplier="RU-OMS", to="KZ-B-01", channel="direct",
              supplied_as="request")  # fmt: skip
    scene.request(when="2025-03-03T10:00")
    scene.expect("O7", "met")


def test_a_request_recorded_after_the_exchange_and_claimed_before_it_is_met_with_a_mark() -> None:
    scene = Scene()
    scene.act("material.sent", "2025-03-03T12:00", supplier="RU-OMS", to="KZ-B-01", channel="direct")
    scene.act("request.signed", "2025-03-03T10:00", admitted="2025-03-05", kind="direct_exchange", requested="KZ-B-01")
    scene.expect("O7", "breached", as_of="2025-03-04")
    scene.expect("O7", "met", as_of="2025-03-06", marks=("claimed",))


@shows("P5 met", "O7 undetermined")
def test_s18_a_direct_oral_request_confirmed_in_time_is_met_by_the_protocol_and_unknown_to_the_order() -> None:
    scene = confirmed(spoken("2025-03-03T10:00", direct=True), "2025-03-05", direct=True)
    scene.expect("P5", "met", reason="confirmed")
    scene.expect("O7", "undetermined", reason="oral_not_provided")


@shows("O7 open", "P5 open", "O7 undetermined", "P5 undetermined")
def test_a_direct_oral_request_is_open_while_it_can_be_confirmed_and_then_undetermined() -> None:
    scene = spoken("2025-03-03T10:00", direct=True)
    for rule in ("O7", "P5"):
        scene.expect(rule, "open", as_of="2025-03-06T23:59:59.999")
        scene.expect(rule, "undetermined", as_of="2025-03-07T00:00", reason="never_confirmed")


@shows("P5 undetermined")
def test_a_direct_oral_request_confirmed_late_is_undetermined() -> None:
    scene = confirmed(spoken("2025-03-03T10:00", direct=True), "2025-03-09", direct=True)
    scene.expect("P5", "undetermined", reason="confirmed_late")


@shows("O7 undetermined", "P5 undetermined")
def test_an_unasked_direct_offer_is_undetermined() -> None:
    scene = Scene()
    scene.request("initiative")
    scene.expect("O7", "undetermined", reason="initiative")
    scene.expect("P5", "undetermined", reason="initiative")


def test_a_direct_request_of_which_only_its_sending_is_known_is_undetermined() -> None:
    scene = Scene()
    scene.act("request.sent", "2025-03-03", channel="direct", to="KZ-B-01")
    scene.expect("O7", "undetermined", reason="form_unknown", missing="signature")


def test_what_goes_through_the_directorate_has_no_row_of_the_direct_rules() -> None:
    scene = Scene()
    scene.request("mla", to="KZ-PGO", channel="directorate")
    scene.no_row("O7")
    scene.no_row("P5")
    scene.no_row("P6")


# A6.2c: doubt


def doubted(**stated: object) -> Scene:
    """A request whose authenticity is doubted on 10 March (event ``doubt``)."""
    scene = Scene()
    scene.request("mla", "2025-03-03T10:00", to="KZ-PGO", channel="directorate")
    scene.act("authenticity.doubted", "2025-03-10", id="doubt", office="KZ-PGO", **stated)  # type: ignore[arg-type]
    return scene


@shows("A6.2c met", "A6.2c open")
def test_a_doubt_answered_within_the_threshold_is_met_by_configuration() -> None:
    scene = doubted()
    scene.act("authenticity.answered", "2025-03-12", answers="doubt")
    finding = scene.expect("A6.2c", "open", as_of="2025-03-11", item="doubt", overdue=False)
    assert finding.bound == "RU-OMS"
    scene.expect("A6.2c", "met", item="doubt", marks=("by_configuration",))


def test_a_doubt_beyond_the_threshold_is_open_and_overdue() -> None:
    doubted().expect("A6.2c", "open", as_of="2025-03-20T12:00", overdue=True)
    doubted().expect("A6.2c", "open", as_of="2025-03-20T11:59:59.999", overdue=False)


@shows("A6.2c undetermined")
def test_a_doubt_answered_beyond_the_threshold_is_undetermined() -> None:
    scene = doubted()
    scene.act("authenticity.answered", "2025-03-20T12:00", answers="doubt")
    scene.expect("A6.2c", "undetermined", reason="beyond")


@shows("A6.2c undetermined")
def test_s48_executed_the_day_after_the_doubt_and_never_answered_is_undetermined() -> None:
    scene = doubted()
    scene.act("request.executed", "2025-03-11", office="KZ-PGO")
    finding = scene.expect("A6.2c", "undetermined", reason="carried_on")
    assert finding.values["step"] == "request.executed"


def test_executed_before_the_answer_stays_undetermined_and_after_it_does_not() -> None:
    before = doubted()
    before.act("request.executed", "2025-03-11", office="KZ-PGO")
    before.act("authenticity.answered", "2025-03-12", answers="doubt")
    before.expect("A6.2c", "undetermined", reason="carried_on")
    after = doubted()
    after.act("authenticity.answered", "2025-03-12", answers="doubt")
    after.act("request.executed", "2025-03-13", office="KZ-PGO")
    after.expect("A6.2c", "met")


def test_what_was_executed_before_the_doubt_is_no_matter() -> None:
    scene = Scene()
    scene.request("mla", to="KZ-PGO", channel="directorate")
    scene.act("request.accepted", "2025-03-09", office="KZ-PGO")
    scene.act("authenticity.doubted", "2025-03-10", office="KZ-PGO")
    scene.expect("A6.2c", "open")


def test_a_doubt_that_was_never_answered_is_undetermined_once_the_file_is_closed() -> None:
    scene = doubted()
    scene.act("request.closed", "2025-03-12", outcome="returned")
    scene.expect("A6.2c", "undetermined", reason="never_answered")


def test_each_doubt_is_a_row_of_its_own_and_an_answer_belongs_to_one() -> None:
    scene = doubted()
    scene.act("authenticity.doubted", "2025-03-11", id="other", office="KZ-PGO")
    scene.act("authenticity.answered", "2025-03-12", answers="other")
    scene.expect("A6.2c", "open", item="doubt")
    scene.expect("A6.2c", "met", item="other")
