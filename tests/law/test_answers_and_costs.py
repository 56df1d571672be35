"""What came of a request, and who pays: A8.2, A10."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows
from tests.records import instant


def arrived(kind: str = "mla", channel: str = "directorate", when: str = "2025-03-03T10:00") -> Scene:
    """A scene with a request of ours that reached the other side at that moment."""
    scene = Scene()
    to = "KZ-B-01" if channel == "direct" else "KZ-PGO"
    scene.request(kind, "2025-03-01T10:00", to=to, channel=channel)
    scene.act("request.received", when, office=to, from_="RU-OMS", to=to, channel=channel)
    return scene


def answer(scene: Scene, when: str, **stated: Any) -> str:
    """The other side answers."""
    return scene.act("request.answered", when, office="KZ-PGO", **stated)


# A8.2


@shows("A8.2 met", "A8.2 open")
def test_answered_within_the_threshold_is_met_by_configuration() -> None:
    scene = arrived()
    answer(scene, "2025-04-02T10:00")
    scene.expect("A8.2", "open", as_of="2025-04-01", overdue=False)
    finding = scene.expect("A8.2", "met", marks=("by_configuration",))
    assert [finding.values[name] for name in ("since", "told", "lag")] == ["2025-03-03", "2025-04-02", "30"]
    assert finding.bound == "KZ-PGO"


@shows("A8.2 undetermined")
def test_answered_beyond_the_threshold_is_undetermined() -> None:
    scene = arrived()
    answer(scene, "2025-06-20")
    scene.expect("A8.2", "open", as_of="2025-06-10", overdue=True)
    scene.expect("A8.2", "undetermined", reason="beyond")


@pytest.mark.parametrize(
    ("kind", "channel", "days"),
    [("mla", "directorate", 90), ("direct_exchange", "direct", 30), ("initiative", "directorate", 30)],
)
def test_the_threshold_is_that_of_the_kind_and_way_to_the_millisecond(kind: str, channel: str, days: int) -> None:
    for early, verdict in ((1, "met"), (0, "undetermined")):
        scene = arrived(kind, channel)
        end = scene.ms("2025-03-03T10:00") + days * 86_400_000 - early
        scene.act("request.answered", instant(end), office="KZ-PGO", channel=channel, to="RU-OMS")
        scene.expect("A8.2", verdict)


def test_an_interim_answer_does_not_stop_the_clock() -> None:
    scene = arrived()
    answer(scene, "2025-03-10", final=False, outcome="partial")
    scene.expect("A8.2", "open", as_of="2025-03-11")


@shows("A8.2 breached")
def test_closed_as_done_without_an_answer_is_breached() -> None:
    scene = arrived()
    scene.act("request.closed", "2025-03-10")
    scene.expect("A8.2", "breached", reason="closed_unanswered")


def test_closed_as_lapsed_without_an_answer_is_undetermined() -> None:
    scene = arrived()
    scene.act("request.closed", "2025-03-10", outcome="lapsed")
    scene.expect("A8.2", "undetermined", reason="closed_otherwise")


def test_opened_again_the_duty_is_open_again() -> None:
    scene = arrived()
    scene.act("request.closed", "2025-03-10")
    scene.act("request.reopened", "2025-03-12")
    scene.expect("A8.2", "open", as_of="2025-03-13")


def test_a_request_taken_back_has_no_row_unless_it_was_answered_before() -> None:
    scene = arrived()
    scene.act("request.withdrawn", "2025-03-10")
    scene.act("request.closed", "2025-03-11", outcome="withdrawn")
    scene.no_row("A8.2")
    told = arrived()
    answer(told, "2025-03-09")
    told.act("request.withdrawn", "2025-03-10")
    told.expect("A8.2", "met")


def test_the_notice_of_a_full_refusal_tells_the_result_and_that_of_a_partial_one_does_not() -> None:
    for scope, verdict in (("full", "met"), ("partial", "open")):
        scene = arrived()
        decided = scene.act("refusal.decided", "2025-03-05", office="KZ-PGO", scope=scope)
        scene.act("refusal.notified", "2025-03-06", office="KZ-PGO", decision=decided)
        scene.expect("A8.2", verdict)


def test_a_request_that_was_sent_back_was_told_of() -> None:
    scene = arrived()
    scene.act("request.returned", "2025-03-05", office="KZ-PGO")
    scene.act("request.closed", "2025-03-06", outcome="returned")
    scene.expect("A8.2", "met")


def test_where_the_arrival_is_not_known_the_clock_starts_with_the_sending() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-01T10:00", to="KZ-PGO", channel="directorate")
    finding = scene.expect("A8.2", "open", as_of="2025-03-02")
    assert finding.values["since"] == "2025-03-01"
    known = Scene()
    known.request("mla", "2025-03-01T10:00", sent=False)
    known.act("request.sent", "2025-03-01T11:00", received_on="2025-03-04T10:00:00+05:00")
    assert known.expect("A8.2", "open", as_of="2025-03-05").values["since"] == "2025-03-04"


def test_what_has_not_left_the_own_side_awaits_no_answer() -> None:
    scene = Scene()
    scene.request("mla", sent=False)
    scene.act("request.sent", "2025-03-03T11:00", from_="RU-OMS", to="RU-GUMPS")
    scene.act("request.received", "2025-03-04", office="RU-GUMPS", from_="RU-OMS", to="RU-GUMPS")
    scene.no_row("A8.2")


def test_an_answer_claimed_within_the_threshold_and_recorded_after_it_is_marked() -> None:
    scene = arrived()
    scene.act("request.answered", "2025-04-02", admitted="2025-07-01", office="KZ-PGO")
    scene.expect("A8.2", "met", marks=("by_configuration", "claimed"))


# A10


def incurred(borne_by: str = "RU", incurred_by: str = "KZ", **stated: Any) -> Scene:
    """A scene with one cost (``k-1``) of executing a request."""
    scene = arrived()
    scene.act("cost.incurred", "2025-03-10", office="KZ-PGO", incurred_by=incurred_by, borne_by=borne_by, **stated)
    return scene


@shows("A10 met")
def test_each_bears_its_own_cost() -> None:
    finding = incurred("KZ", "KZ").expect("A10", "met", item="k-1", reason="own_cost")
    assert finding.values["money"] == "100 EUR"
    assert finding.bound == "KZ"


@shows("A10 met")
def test_s59_borne_by_the_other_under_an_agreement_recorded_afterwards_is_met() -> None:
    scene = incurred(what="transport")
    scene.act("request.closed", "2025-05-01")
    scene.act("cost.agreed", "2025-05-02", borne_by="RU")
    scene.expect("A10", "breached", as_of="2025-05-01T13:00")
    scene.expect("A10", "met", reason="agreed")


@shows("A10 open", "A10 breached")
def test_s59_borne_by_the_other_and_never_agreed_is_open_until_closure_and_then_breached() -> None:
    scene = incurred(what="transport")
    scene.act("request.closed", "2025-05-01T12:00")
    scene.expect("A10", "open", as_of="2025-05-01T11:59:59.999", reason="not_agreed")
    scene.expect("A10", "breached", as_of="2025-05-01T12:00", reason="not_agreed")


def test_an_agreement_on_listed_costs_covers_those_only() -> None:
    scene = incurred()
    scene.act("cost.incurred", "2025-03-11", office="KZ-PGO", cost="k-2")
    scene.act("cost.agreed", "2025-03-12", scope="listed", costs=["k-2"])
    scene.expect("A10", "open", item="k-1")
    scene.expect("A10", "met", item="k-2")


def test_an_oral_agreement_on_just_this_is_enough() -> None:
    scene = incurred()
    scene.act("cost.agreed", "2025-03-12", written=False)
    scene.expect("A10", "met")


@shows("A10 undetermined")
@pytest.mark.parametrize("stated", [{"share": "50"}, {"borne_by": "KZ"}])
def test_an_oral_agreement_on_another_sharing_is_undetermined(stated: dict[str, str]) -> None:
    scene = incurred()
    scene.act("cost.agreed", "2025-03-12", written=False, **stated)
    scene.expect("A10", "undetermined", reason="shares_differ")


def test_a_written_agreement_on_another_sharing_does_not_cover_what_was_borne() -> None:
    scene = incurred()
    scene.act("cost.agreed", "2025-03-12", share="50.5")
    scene.act("request.closed", "2025-05-01")
    scene.expect("A10", "open", as_of="2025-04-01", reason="agreed_otherwise")
    scene.expect("A10", "breached", reason="agreed_otherwise")


def test_of_one_cost_recorded_twice_the_later_record_counts() -> None:
    scene = incurred()
    scene.act("cost.incurred", "2025-03-20", office="KZ-PGO", incurred_by="KZ", borne_by="KZ")
    scene.expect("A10", "met")


def test_a_request_without_costs_has_no_row() -> None:
    arrived().no_row("A10")
