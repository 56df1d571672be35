"""What a request posts about time: open, whose step, how long."""

from __future__ import annotations

import msgspec
import pytest

from ledger.event import time_ms
from projections.compliance.facts import CaseFile
from tests.counted import counted, of, standing, sums
from tests.law.scene import REQUEST, Scene


def _lived(scene: Scene) -> None:
    """Signed and sent on 3 March, received 5, accepted 10, executed 20, answered 25, closed 30 March."""
    scene.request("mla", "2025-03-03")
    scene.act("request.received", "2025-03-05", office="KZ-B-01")
    scene.act("request.accepted", "2025-03-10", office="KZ-B-01")
    scene.act("request.executed", "2025-03-20", office="KZ-B-01")
    scene.act("request.answered", "2025-03-25", office="KZ-B-01")
    scene.act("request.closed", "2025-03-30")


def test_a_request_is_open_from_its_opener_until_it_ends() -> None:
    for end in ("request.closed", "request.withdrawn", "request.returned"):
        scene = Scene()
        scene.request("mla", "2025-03-03")
        scene.act(end, "2025-03-06")
        rows = counted(scene)
        assert standing(rows, "M4", scene.ms("2025-03-02")) == {}
        assert standing(rows, "M4", scene.ms("2025-03-05")) == {"out mla": 1}
        assert standing(rows, "M4", scene.ms("2025-03-07")) == {}


def test_only_the_first_of_several_ends_counts() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.withdrawn", "2025-03-06")
    scene.act("request.closed", "2025-03-09")
    rows = counted(scene)
    assert [(row.value, row.time) for row in of(rows, "M4")] == [
        (1, scene.ms("2025-03-03")), (-1, scene.ms("2025-03-06")),
    ]  # fmt: skip


def test_a_request_that_is_reopened_is_open_again_until_it_ends_again() -> None:
    scene = Scene()
    _lived(scene)
    scene.act("request.reopened", "2025-04-10")
    rows = counted(scene)
    assert standing(rows, "M4", scene.ms("2025-04-05")) == {}
    assert standing(rows, "M4", scene.ms("2025-04-15")) == {"out mla": 1}
    assert standing(rows, "M5", scene.ms("2025-04-15")) == {"requested": 1}
    scene.act("request.closed", "2025-05-01")
    rows = counted(scene)
    assert standing(rows, "M4", scene.ms("2025-05-02")) == standing(rows, "M5", scene.ms("2025-05-02")) == {}
    assert sums(rows, "M12") == {"requesting": 5, "requested": 22}, "that of the first end"


def test_a_reopening_that_is_dated_before_the_end_counts_from_the_end_on() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.closed", "2025-03-10")
    scene.act("request.reopened", "2025-03-06", admitted="2025-03-12")
    rows = counted(scene)
    for day in ("2025-03-07", "2025-03-11"):
        assert standing(rows, "M4", scene.ms(day)) == {"out mla": 1}, day
        assert sum(standing(rows, "M5", scene.ms(day)).values()) == 1, day


def test_that_a_request_is_reopened_which_never_ended_changes_nothing() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.reopened", "2025-03-06")
    assert standing(counted(scene), "M4", scene.ms("2025-04-01")) == {"out mla": 1}


def test_a_disowned_end_ends_nothing() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    closed = scene.act("request.closed", "2025-03-06")
    scene.act("record.corrected", "2025-03-07", target=closed, how="disown")
    assert standing(counted(scene), "M4", scene.ms("2025-04-01")) == {"out mla": 1}


def test_the_side_that_owes_the_next_step_follows_the_acts() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.received", "2025-03-05", office="KZ-B-01")
    asked = scene.act("information.requested", "2025-03-07", office="KZ-B-01")
    scene.act("information.supplied", "2025-03-12", answers=asked)
    scene.act("request.accepted", "2025-03-13", office="KZ-B-01")
    scene.act("consent.requested", "2025-03-14", office="RU-OMS", id="c")
    scene.act("consent.answered", "2025-03-16", office="KZ-PGO", answers="c")
    scene.act("request.answered", "2025-03-20", office="KZ-B-01")
    scene.act("request.closed", "2025-03-23")
    rows = counted(scene)
    sides = {
        "2025-03-03": "requested", "2025-03-08": "requesting", "2025-03-12": "requested", "2025-03-15": "supplying",
        "2025-03-17": "requested", "2025-03-21": "requesting",
    }  # fmt: skip
    for day, side in sides.items():
        assert standing(rows, "M5", scene.ms(day)) == {side: 1}, day
    assert standing(rows, "M5", scene.ms("2025-03-24")) == {}
    assert sums(rows, "M12") == {"requested": 4 + 2 + 4, "requesting": 5 + 3, "supplying": 2}


def test_a_side_that_owes_nothing_for_any_time_is_not_posted() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")  # signed and sent in one moment
    assert [(row.tag, row.value) for row in of(counted(scene), "M5")] == [("requested", 1)]


def test_a_side_that_goes_on_to_owe_the_next_step_is_posted_once() -> None:
    scene = Scene()
    _lived(scene)
    assert [(row.tag, row.value) for row in of(counted(scene), "M5")] == [
        ("requested", 1), ("requested", -1), ("requesting", 1), ("requesting", -1),
    ]  # fmt: skip


def test_an_oral_request_waits_for_its_confirmation() -> None:
    scene = Scene()
    spoken = scene.act("request.spoken", "2025-03-03", urgency=True)
    scene.act("request.confirmed", "2025-03-05", confirms=spoken)
    rows = counted(scene)
    assert standing(rows, "M5", scene.ms("2025-03-04")) == {"requesting": 1}
    assert standing(rows, "M5", scene.ms("2025-03-06")) == {"requested": 1}


def test_a_correction_that_the_catalogue_would_not_take_stops_nothing() -> None:
    scene = Scene()
    spoken = scene.act("request.spoken", "2025-03-03", urgency=True)
    scene.act("record.corrected", "2025-03-04", target=spoken, how="replace", fields={"partner": "nowhere"})
    scene.act("request.confirmed", "2025-03-05", confirms=spoken)
    rows = counted(scene)
    assert standing(rows, "M4", scene.ms("2025-03-06")) == {"out mla": 1}
    assert sum(standing(rows, "M5", scene.ms("2025-03-06")).values()) == 1


def test_an_old_act_that_is_recorded_late_does_not_turn_time_back() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.received", "2025-03-10", office="KZ-B-01")
    scene.act("authenticity.doubted", "2025-03-06", office="KZ-B-01", admitted="2025-03-11")
    rows = counted(scene)
    assert standing(rows, "M5", scene.ms("2025-03-09")) == {"requested": 1}
    assert standing(rows, "M5", scene.ms("2025-03-10")) == {"requesting": 1}


def test_an_opener_that_is_recorded_late_opens_all_the_same() -> None:
    scene = Scene()
    scene.act("request.accepted", "2025-03-05", office="KZ-B-01")
    scene.act("request.signed", "2025-03-03", admitted="2025-03-20", kind="mla")
    rows = counted(scene)
    assert standing(rows, "M4", scene.ms("2025-03-04")) == {"out mla": 1}
    assert sum(standing(rows, "M5", scene.ms("2025-03-04")).values()) == 1


def test_answer_acceptance_and_execution_take_whole_days_from_what_comes_before() -> None:
    scene = Scene()
    _lived(scene)
    rows = counted(scene)
    assert (sums(rows, "M10"), sums(rows, "M11.accept"), sums(rows, "M11.execute")) == ({"": 20}, {"": 5}, {"": 10})
    received = next(act for act in scene.files["request/2025-000123"].acts if act.name == "request.received")
    assert of(rows, "M10")[0].begun == received.index
    for part, open_, over in [
        ("M10.open", "2025-03-24", "2025-03-26"),
        ("M11.accept.open", "2025-03-09", "2025-03-11"),
        ("M11.execute.open", "2025-03-19", "2025-03-21"),
    ]:
        assert standing(rows, part, scene.ms(open_)) == {"": 1}
        assert standing(rows, part, scene.ms(over)) == {}


def test_a_day_that_is_not_over_does_not_count() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.received", "2025-03-05T10:00", office="KZ-B-01")
    scene.act("request.answered", "2025-03-07T09:59", office="KZ-B-01")
    assert [row.value for row in of(counted(scene), "M10")] == [1]


def test_the_first_answer_that_is_final_counts() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.received", "2025-03-05", office="KZ-B-01")
    for day, final in [("2025-03-08", False), ("2025-03-10", True), ("2025-03-20", True)]:
        scene.act("request.answered", day, office="KZ-B-01", final=final)
    assert [row.value for row in of(counted(scene), "M10")] == [5]


def test_what_is_answered_before_it_is_received_took_no_day_and_never_less() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.answered", "2025-03-04", office="KZ-B-01")
    scene.act("request.received", "2025-03-09", office="KZ-B-01")
    rows = counted(scene)
    assert [row.value for row in of(rows, "M10")] == [0]
    assert standing(rows, "M10.open", scene.ms("2025-03-05")) == {}, "and not -1"
    assert standing(rows, "M10.open", scene.ms("2025-03-09")) == {}


def test_of_a_request_that_was_withdrawn_nothing_is_waited_for_and_no_days_are_posted() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    scene.act("request.received", "2025-03-05", office="KZ-B-01")
    scene.act("request.withdrawn", "2025-03-08")
    rows = counted(scene)
    for part in ("M10.open", "M11.accept.open"):
        assert standing(rows, part, scene.ms("2025-03-06")) == {"": 1}
        assert standing(rows, part, scene.ms("2025-03-08")) == {}
    assert of(rows, "M10") == of(rows, "M11.accept") == []


def test_a_handover_executes_unless_it_is_temporary() -> None:
    for what, days in [("temporary", []), ("extradition", [4])]:
        scene = Scene()
        scene.request("extradition", "2025-03-03", channel="directorate")
        scene.act("request.accepted", "2025-03-10", office="KZ-B-01")
        scene.act("person.handedover", "2025-03-14", office="KZ-B-01", what=what)
        assert [row.value for row in of(counted(scene), "M11.execute")] == days


def test_a_conclusion_executes_a_prosecution_that_was_taken_over() -> None:
    scene = Scene()
    scene.request("transfer_prosecution", "2025-03-03", channel="directorate")
    scene.act("request.accepted", "2025-03-10", office="KZ-B-01")
    scene.act("prosecution.takenover", "2025-03-11", office="KZ-B-01")
    scene.act("prosecution.concluded", "2025-04-10", office="KZ-B-01")
    assert [row.value for row in of(counted(scene), "M11.execute")] == [31]


def test_a_request_that_has_not_ended_has_waited_for_nobody_yet() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-03")
    assert of(counted(scene), "M12") == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_request_from_beyond_the_calendar_is_counted(moment: str) -> None:
    """By its offset a time may lie outside the years 1 to 9999."""
    scene = Scene()
    _lived(scene)
    at = time_ms(moment)
    acts = scene.files[REQUEST].acts
    scene.files[REQUEST] = CaseFile(tuple(msgspec.structs.replace(act, claimed=at, admitted=at) for act in acts))
    assert {row.time for row in counted(scene)} == {at}
