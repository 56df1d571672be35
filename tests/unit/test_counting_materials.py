"""What is posted about materials, consent, meetings, and the quality of records."""

from __future__ import annotations

from tests.counted import counted, of, standing, sums
from tests.law.scene import Scene

MEETING = "meeting/2025-07"


def _scene() -> Scene:
    scene = Scene()
    scene.request("mla", "2025-03-03", channel="directorate")
    return scene


def test_materials_count_as_sent_and_received_each_once() -> None:
    scene = _scene()
    scene.act("material.sent", "2025-03-10", office="KZ-B-01")
    scene.act("material.received", "2025-03-11")
    scene.act("material.received", "2025-03-12")
    scene.act("material.received", "2025-03-11", material="m-2")
    rows = counted(scene)
    assert sums(rows, "M31") == {"sent": 1, "received": 2}
    assert {(row.item, row.time) for row in of(rows, "M31") if row.tag == "received"} == {
        ("m-1 received", scene.ms("2025-03-11")), ("m-2 received", scene.ms("2025-03-11")),
    }  # fmt: skip


def test_a_material_is_held_at_its_last_grade_until_it_is_disposed_of() -> None:
    scene = _scene()
    scene.act("handling.set", "2025-03-10", grade="restricted")
    scene.act("handling.set", "2025-03-12", grade="restricted")
    scene.act("handling.set", "2025-03-14", grade="strict")
    scene.act("material.disposed", "2025-03-20", how="returned")
    rows = counted(scene)
    assert standing(rows, "M31.grade", scene.ms("2025-03-13")) == {"restricted": 1}
    assert standing(rows, "M31.grade", scene.ms("2025-03-15")) == {"strict": 1}
    assert standing(rows, "M31.grade", scene.ms("2025-03-21")) == {}
    assert sums(rows, "M31.disposed") == {"returned": 1}


def test_each_holder_has_a_grade_of_its_own() -> None:
    scene = _scene()
    scene.act("handling.set", "2025-03-10", grade="restricted")
    scene.act("handling.set", "2025-03-11", grade="open", holder="RU-PGO")
    scene.act("material.disposed", "2025-03-12")
    rows = counted(scene)
    assert standing(rows, "M31.grade", scene.ms("2025-03-11")) == {"restricted": 1, "open": 1}
    assert standing(rows, "M31.grade", scene.ms("2025-03-13")) == {"open": 1}


def test_a_material_is_held_at_a_grade_once_however_many_hold_it_there() -> None:
    scene = _scene()
    scene.act("handling.set", "2025-03-10", grade="strict")
    scene.act("handling.set", "2025-03-11", grade="strict", holder="RU-PGO")
    scene.act("handling.set", "2025-03-13", grade="open")
    rows = counted(scene)
    assert standing(rows, "M31.grade", scene.ms("2025-03-12")) == {"strict": 1}
    assert standing(rows, "M31.grade", scene.ms("2025-03-13")) == {"strict": 1, "open": 1}


def test_what_is_erased_is_held_no_more() -> None:
    scene = _scene()
    for material in ("m-1", "m-2", "m-3"):
        scene.act("handling.set", "2025-03-10", material=material)
    scene.act("content.erased", "2025-03-12", ids=["m-1", "m-2", "m-9"])
    rows = counted(scene)
    assert {row.item for row in of(rows, "M31.erased")} == {"m-1", "m-2", "m-9"}
    assert standing(rows, "M31.grade", scene.ms("2025-03-13")) == {"restricted": 1}


def test_that_the_content_of_a_request_is_erased_is_nothing_about_materials() -> None:
    scene = _scene()
    scene.act("content.erased", "2025-03-12", scope="request", ids=["2025-000123"])
    assert of(counted(scene), "M31.erased") == []


def test_consent_counts_as_asked_and_as_answered_with_the_days_between() -> None:
    scene = _scene()
    asked = scene.act("consent.requested", "2025-03-10")
    scene.act("consent.requested", "2025-03-11")
    scene.act("consent.answered", "2025-03-15", office="KZ-PGO", answers=asked)
    scene.act("consent.answered", "2025-03-18", office="KZ-PGO", answers=asked, granted=False)
    rows = counted(scene)
    assert sums(rows, "M32") == {"asked": 2, "granted": 1, "refused": 1}
    assert [row.value for row in of(rows, "M32.days")] == [5]
    assert standing(rows, "M32.open", scene.ms("2025-03-12")) == {"": 2}
    assert standing(rows, "M32.open", scene.ms("2025-03-16")) == {"": 1}


def test_consent_that_comes_unasked_answers_no_question() -> None:
    scene = _scene()
    scene.act("consent.requested", "2025-03-10")
    scene.act("consent.answered", "2025-03-15", office="KZ-PGO")
    rows = counted(scene)
    assert sums(rows, "M32") == {"asked": 1, "granted": 1}
    assert of(rows, "M32.days") == []
    assert standing(rows, "M32.open", scene.ms("2025-03-16")) == {"": 1}


# Meetings


def test_a_meeting_counts_with_each_partner_state_as_one_thing() -> None:
    scene = Scene()
    scene.act("meeting.proposed", "2025-05-01", subject=MEETING)
    scene.act("meeting.held", "2025-06-03", subject=MEETING, partners=["KZ", "BY", "RU"], place="BY", sort="seminar",
              programme="ru-cn-prog")  # fmt: skip
    rows = counted(scene, MEETING)
    assert {(row.partner, row.tag, row.thing, row.office) for row in of(rows, "M23")} == {
        ("KZ", "held seminar", MEETING, "RU-OMS"), ("BY", "held seminar", MEETING, "RU-OMS"),
    }  # fmt: skip
    assert {row.tag for row in of(rows, "M23.place")} == {"BY"}
    assert (
        {row.tag for row in of(rows, "M23.programme")} == {row.tag for row in of(rows, "M27.events")} == {"ru-cn-prog"}
    )


def test_a_meeting_outside_any_programme_is_no_event_of_one() -> None:
    scene = Scene()
    scene.act("meeting.held", "2025-06-03", subject=MEETING)
    rows = counted(scene, MEETING)
    assert of(rows, "M23.programme") == of(rows, "M27.events") == []


def test_a_cancelled_meeting_is_what_was_proposed() -> None:
    scene = Scene()
    scene.act("meeting.proposed", "2025-05-01", subject=MEETING, sort="visit", partners=["BY"])
    scene.act("meeting.cancelled", "2025-05-20", subject=MEETING)
    rows = counted(scene, MEETING)
    assert [(row.partner, row.tag) for row in of(rows, "M23")] == [("BY", "cancelled visit")]
    assert of(rows, "M23.place") == []


def test_of_a_cancelled_meeting_that_was_never_proposed_neither_sort_nor_state_is_known() -> None:
    scene = Scene()
    scene.act("meeting.cancelled", "2025-05-20", subject=MEETING)
    assert [(row.partner, row.tag) for row in of(counted(scene, MEETING), "M23")] == [("", "cancelled unknown")]


# Quality


def test_records_count_by_month_of_the_ledgers_zone_and_by_whether_they_came_within_a_day() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-31T20:00+00:00")  # 23:00 in Moscow
    scene.act("request.received", "2025-03-31T21:30+00:00", admitted="2025-04-01T21:30+00:00", office="KZ-B-01")
    scene.act("request.accepted", "2025-04-02T10:00", admitted="2025-04-03T10:01", office="KZ-B-01")
    rows = counted(scene)
    assert {(row.item, row.tag, row.value) for row in of(rows, "M36")} == {
        ("202503 in_time", "in_time", 2), ("202504 in_time", "in_time", 1), ("202504 late", "late", 1),
    }  # fmt: skip
    assert {row.partner for row in of(rows, "M36")} == {"KZ"}


def test_records_of_a_month_rest_on_the_first_of_them() -> None:
    scene = Scene()
    scene.request("mla", "2025-03-05", sent=False)
    scene.act("request.sent", "2025-03-04", admitted="2025-03-05")
    (row,) = of(counted(scene), "M36")
    assert row.time == scene.ms("2025-03-04")
    assert row.record == scene.files["request/2025-000123"].acts[1].index


def test_corrections_and_records_that_are_dated_ahead_count_one_by_one_and_disowned_ones_remain_records() -> None:
    scene = _scene()
    wrong = scene.act("request.received", "2025-03-09", admitted="2025-03-08", office="KZ-B-01")
    scene.act("record.corrected", "2025-03-10", office="KZ-B-01", target=wrong, how="disown")
    rows = counted(scene)
    assert sums(rows, "M36.corrections") == sums(rows, "M36.future") == {"": 1}
    assert sums(rows, "M36") == {"in_time": 4}


def test_records_of_every_sort_of_subject_count() -> None:
    scene = Scene()
    scene.act("annualreport.submitted", "2026-01-20", subject="year/2025")
    scene.act("meeting.reported", "2026-01-20", subject=MEETING)
    for subject in ("year/2025", MEETING, "register"):
        assert sum(sums(counted(scene, subject), "M36").values()) == len(scene.files[subject].acts)
