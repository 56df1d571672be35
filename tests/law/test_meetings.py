"""Meetings: proposed before and reported after (O10), held at all (A11), and the forms they are (O2, A3)."""

from __future__ import annotations

import pytest

from tests.law.scene import Scene, shows

MEETING = "meeting/2025-7"


def held(*, proposed: str | None = "2025-04-01", reported: str | None = None, **stated: object) -> Scene:
    """A meeting of 1 and 2 June 2025."""
    scene = Scene()
    if proposed:
        scene.act("meeting.proposed", proposed, subject=MEETING)
    scene.act("meeting.held", "2025-06-02T18:00", subject=MEETING, **stated)
    if reported:
        scene.act("meeting.reported", reported, subject=MEETING)
    return scene


@shows("O10 met")
def test_proposed_before_and_reported_after() -> None:
    found = held(reported="2025-06-20").expect("O10", "met", subject=MEETING)
    assert found.marks == ("by_configuration",)
    assert (found.values["proposal"], found.values["report"]) == ("2025-04-01", "2025-06-20")


@shows("O10 open")
def test_without_a_report_it_is_open_and_after_thirty_days_overdue() -> None:
    scene = held()
    scene.expect("O10", "open", subject=MEETING, as_of="2025-07-02T23:59", overdue=False)
    scene.expect("O10", "open", subject=MEETING, as_of="2025-07-03T00:00", overdue=True)


@shows("O10 undetermined")
def test_a_late_report_is_undetermined_since_its_term_is_elsewhere() -> None:
    assert held(reported="2025-07-02T23:59").finding("O10", subject=MEETING).steps[0].verdict == "met"
    held(reported="2025-07-03T00:00").expect("O10", "undetermined", subject=MEETING, reason="report_late")


@shows("O10 breached")
@pytest.mark.parametrize("proposed", [None, "2025-06-03"])
def test_without_an_earlier_proposal_it_is_breached(proposed: str | None) -> None:
    held(proposed=proposed, reported="2025-06-20").expect(
        "O10", "breached", subject=MEETING, reason="no_earlier_proposal"
    )


def test_a_proposal_during_the_meeting_is_not_earlier() -> None:
    scene = Scene()
    scene.act("meeting.proposed", "2025-06-02T09:00", subject=MEETING)
    scene.act("meeting.held", "2025-06-02T18:00", subject=MEETING)
    assert scene.finding("O10", subject=MEETING).steps[0].verdict == "breached"


def test_what_was_not_held_has_no_row() -> None:
    scene = Scene()
    scene.act("meeting.proposed", "2025-04-01", subject=MEETING)
    scene.act("meeting.cancelled", "2025-05-01", subject=MEETING)
    scene.no_row("O10", subject=MEETING)
    scene.no_row("A11", subject=MEETING)


def test_a_meeting_without_the_other_party_or_without_a_listed_office_is_not_the_orders() -> None:
    held(partners=["DE"], place="DE").no_row("O10", subject=MEETING)
    scene = Scene()
    scene.act("meeting.held", "2025-06-02", subject=MEETING, office="RU-PGO", offices=["RU-PGO"])
    scene.no_row("O10", subject=MEETING)
    scene.expect("A11", "met", subject=MEETING)


@shows("A11 met")
def test_a_meeting_held_is_met() -> None:
    held().expect("A11", "met", subject=MEETING)


@shows("O2 met", "A3 met")
@pytest.mark.parametrize("sort", ["working", "consultation", "conference", "seminar", "training", "visit", "other"])
def test_every_sort_of_meeting_is_a_form_of_both_lists(sort: str) -> None:
    scene = held(sort=sort)
    scene.expect("O2", "met", subject=MEETING)
    scene.expect("A3", "met", subject=MEETING)
