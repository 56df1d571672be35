"""Duties of a year: annual information (O11), checks (O12), review (O14), supervision (O16), silence (O5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.compliance.facts import NOTHING
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import built_in_texts, make_rulebook, read_profile
from projections.compliance.silence import years
from projections.compliance.years import bound_in
from tests.law.scene import SEVENTEEN, Scene, shows

YEAR = "year/2025"
ORDER = "ru-order-136"


def told(when: str, *, office: str = "RU-OMS", received: str | None = None, scene: Scene | None = None,
         **stated: object) -> Scene:  # fmt: skip
    """A year in which one office submitted its report, and the Main Directorate received it."""
    scene = scene or Scene()
    id_ = scene.act("annualreport.submitted", when, office=office, office_=office, subject=YEAR, **stated)
    if received:
        scene.act("annualreport.received", received, office="RU-GUMPS", office_=office, report=id_, subject=YEAR)
    return scene


def verdict(scene: Scene, as_of: str, office: str = "RU-OMS") -> str:
    return scene.finding("O11", subject=YEAR, item=office, as_of=as_of).at(scene.ms(as_of)).verdict


@shows("O11 met")
def test_s19_a_report_sent_on_the_29th_and_received_on_the_30th_is_in_time() -> None:
    told("2026-01-29", received="2026-01-30").expect(
        "O11", "met", subject=YEAR, item="RU-OMS", as_of="2026-02-15", reason="in_time"
    )


@shows("O11 undetermined")
def test_s20_sent_on_the_last_evening_and_received_later_is_undetermined() -> None:
    scene = told("2026-01-30T23:00", received="2026-02-02")
    found = scene.expect("O11", "undetermined", subject=YEAR, item="RU-OMS", reason="sent_in_time_received_late")
    assert [(r.reading, r.kept) for r in found.readings] == [("sent", True), ("received", False)]


@shows("O11 breached")
def test_s21_a_report_of_the_31st_is_late() -> None:
    told("2026-01-31", received="2026-01-31").expect(
        "O11", "breached", subject=YEAR, item="RU-OMS", as_of="2026-02-15", reason="late"
    )


@shows("O11 open", "O11 breached")
def test_s22_nothing_is_open_until_the_day_has_passed_then_breached() -> None:
    """Given no record of the year at all, then each bound office has a finding all the same."""
    scene = Scene()
    scene.expect("O11", "open", subject=YEAR, item="RU-OMS", as_of="2026-01-15")
    found = scene.expect("O11", "breached", subject=YEAR, item="RU-OMS", as_of="2026-01-31", reason="no_report")
    assert [ref.event for ref in found.evidence] == ["order-issued"]
    assert {f.item for f in scene.findings("O11", subject=YEAR)} == set(SEVENTEEN)


@shows("O11 breached")
def test_s23_not_a_separate_block() -> None:
    told("2026-01-20", separate_block=False).expect(
        "O11", "breached", subject=YEAR, item="RU-OMS", as_of="2026-01-21", reason="no_block"
    )


@shows("O11 breached")
def test_s24_a_weekend_moves_nothing() -> None:
    """Given 30 January 2027, a Saturday, when the report comes on the Monday after, then it is late."""
    scene = Scene()
    scene.act("annualreport.submitted", "2027-02-01", year=2026, subject="year/2026")
    scene.expect("O11", "breached", subject="year/2026", item="RU-OMS", reason="late")


def test_the_configuration_may_shift_a_weekend() -> None:

    changed = {
        name: text.replace("weekend_shift = false", "weekend_shift = true") for name, text in built_in_texts().items()
    }
    assert read_profile(changed["ru-order-136.toml"]).rule
    scene = Scene(rulebook=make_rulebook(changed))
    scene.act("annualreport.submitted", "2027-02-01", year=2026, subject="year/2026",
              received_on="2027-02-01T18:00:00+06:00")  # fmt: skip
    scene.expect("O11", "met", subject="year/2026", item="RU-OMS")


@pytest.mark.parametrize(
    ("office", "when", "expected"),
    [
        ("RU-OMS", "2026-01-30T23:59:59.999+06:00", "met"),
        ("RU-OMS", "2026-01-31T00:00+06:00", "breached"),
        ("RU-T-SOUTH", "2026-01-31T02:59+06:00", "met"),  # 30 January, 23:59 in Moscow
        ("RU-T-SOUTH", "2026-01-31T03:00+06:00", "breached"),
    ],
)
def test_the_day_ends_at_midnight_of_the_office(office: str, when: str, expected: str) -> None:
    scene = told(when, office=office, received=when)
    assert verdict(scene, "2026-03-01", office) == expected


def test_a_report_that_nobody_received_is_open_until_the_day_and_undetermined_after() -> None:
    scene = told("2026-01-20")
    assert verdict(scene, "2026-01-25") == "open"
    found = scene.expect("O11", "undetermined", subject=YEAR, item="RU-OMS", as_of="2026-02-01")
    assert found.missing == "receipt of the report"


def test_the_second_report_mends_the_first() -> None:
    scene = told("2026-01-20", separate_block=False)
    told("2026-01-25", received="2026-01-26", scene=scene)
    assert verdict(scene, "2026-02-01") == "met"


def test_a_claim_in_time_admitted_late_is_marked() -> None:
    scene = told("2026-01-30T12:00", admitted="2026-02-03", received_on="2026-01-30T12:00:00+06:00")
    found = scene.expect("O11", "met", subject=YEAR, item="RU-OMS")
    assert "claimed" in found.marks


def test_offices_that_no_act_binds_owe_nothing() -> None:
    scene = Scene()
    assert scene.findings("O11", subject="year/2021") == []
    scene.reg("office.registered", "2024-01-01", office_="RU-NEW", sort="territorial")
    assert "RU-NEW" not in {f.item for f in scene.findings("O11", subject=YEAR)}


def test_an_office_that_was_closed_owes_no_report_of_the_year_it_was_closed_in() -> None:
    scene = Scene(bare=True)
    scene.reg("office.registered", "2010-01-01", office_="RU-OMS", valid_from="2010-01-01", valid_to="2025-07-01")
    scene.reg("act.issued", "2022-03-10", binds=["RU-OMS"])
    assert [f.item for f in scene.findings("O11", subject="year/2024")] == ["RU-OMS"]
    assert scene.findings("O11", subject=YEAR) == []


def test_a_report_without_a_record_of_who_is_bound_is_undetermined() -> None:
    scene = Scene(bare=True)
    told("2026-01-20", scene=scene)
    scene.expect("O11", "undetermined", subject=YEAR, item="RU-OMS", missing=f"issue of {ORDER}")


@given(st.permutations(["RU-OMS", "RU-AL", "RU-SAM", "RU-TYU"]))
def test_the_order_of_the_offices_reports_changes_nothing(order: list[str]) -> None:
    scene = Scene()
    days = {"RU-OMS": "2026-01-29", "RU-AL": "2026-01-31", "RU-SAM": "2026-01-30", "RU-TYU": "2026-02-20"}
    for office in order:
        told(days[office], office=office, received=days[office], scene=scene)
    found = {office: verdict(scene, "2026-03-01", office) for office in days}
    assert found == {"RU-OMS": "met", "RU-AL": "breached", "RU-SAM": "met", "RU-TYU": "breached"}


# Checks, Order 4.1


@shows("O12 met")
def test_a_year_in_which_all_were_checked() -> None:
    scene = Scene()
    scene.act("control.performed", "2025-06-01", office="RU-GUMPS", offices=list(SEVENTEEN)[:9], subject=YEAR)
    scene.act("control.performed", "2025-11-01", office="RU-GUMPS", offices=list(SEVENTEEN)[9:], subject=YEAR)
    found = scene.expect("O12", "met", subject=YEAR, as_of="2025-11-02")
    assert found.values["checked"] == "17"


@shows("O12 open", "O12 undetermined")
def test_who_was_not_checked_is_open_in_the_year_and_undetermined_after_it() -> None:
    scene = Scene()
    scene.act("control.performed", "2025-06-01", office="RU-GUMPS", offices=list(SEVENTEEN)[1:], subject=YEAR)
    scene.expect("O12", "open", subject=YEAR, as_of="2025-12-31T23:59+03:00")
    scene.expect("O12", "undetermined", subject=YEAR, as_of="2026-01-01T00:00+03:00", missing="RU-AL",
                 reason="not_all_checked")  # fmt: skip


def test_a_check_of_others_is_none_of_the_bound() -> None:
    scene = Scene()
    scene.act("control.performed", "2025-06-01", office="RU-GUMPS", offices=["RU-PGO"], subject=YEAR)
    assert scene.finding("O12", subject=YEAR).values["checked"] == "0"


def test_where_no_bound_office_existed_yet_nothing_was_to_be_checked() -> None:
    scene = Scene(bare=True)
    scene.reg("office.registered", "2024-01-01", office_="RU-OMS", valid_from="2024-01-01")
    scene.reg("act.issued", "2022-03-10", binds=["RU-OMS"])
    scene.no_row("O12", subject="year/2023")
    scene.expect("O12", "undetermined", subject="year/2024", as_of="2026-01-01")


# The review of practice, Order 4.3


def reviewed(cited: int = 17, *, reports: int = 17, **stated: object) -> Scene:
    """A year with reports of the first offices, and a review that cites some of them."""
    scene = Scene()
    ids = [
        scene.act("annualreport.submitted", "2026-01-20", office=office, office_=office, subject=YEAR)
        for office in list(SEVENTEEN)[:reports]
    ]
    scene.act("practicereview.submitted", "2026-06-30", office="RU-GUMPS", cites=ids[:cited], subject=YEAR, **stated)
    return scene


@shows("O14 undetermined")
def test_s25_a_review_that_leaves_out_one_report() -> None:
    found = reviewed(16).expect("O14", "undetermined", subject=YEAR, reason="not_all_cited")
    assert (found.values["cited"], found.values["all"]) == ("16", "17")
    assert "e-" in found.missing


@shows("O14 met")
def test_a_review_that_cites_all() -> None:
    reviewed(17).expect("O14", "met", subject=YEAR, reason="all_cited")
    reviewed(5, reports=5).expect("O14", "met", subject=YEAR)


@shows("O14 breached")
def test_a_review_for_another_addressee_or_without_proposals() -> None:
    reviewed(to_role="head").expect("O14", "breached", subject=YEAR, reason="other_addressee")
    reviewed(proposals=0).expect("O14", "breached", subject=YEAR, reason="no_proposals")


@shows("O14 open", "O14 breached")
def test_no_review_is_open_until_the_next_year_is_over() -> None:
    scene = Scene()
    scene.expect("O14", "open", subject=YEAR, as_of="2026-12-31T23:59+03:00")
    scene.expect("O14", "breached", subject=YEAR, as_of="2027-01-01T00:00+03:00", reason="no_review")


def test_the_better_of_two_reviews_counts() -> None:
    scene = reviewed(3)
    ids = [act.id for act in scene.files[YEAR].acts if act.name == "annualreport.submitted"]
    scene.act("practicereview.submitted", "2026-09-01", office="RU-GUMPS", cites=ids, subject=YEAR)
    scene.expect("O14", "met", subject=YEAR)


# Supervision, Order 6


@shows("O16 met")
def test_one_supervising_deputy_got_the_review() -> None:
    reviewed().expect("O16", "met", subject=YEAR, as_of="2026-07-01")


@shows("O16 open")
def test_one_supervising_deputy_waits_for_it() -> None:
    Scene().expect("O16", "open", subject=YEAR, as_of="2026-05-01", reason="review_awaited")


@shows("O16 undetermined")
def test_nobody_or_two_persons_hold_the_role() -> None:
    scene = Scene()
    scene.reg("role.ended", "2026-02-01", office_="RU-PGO", person="p-9", role="supervising_deputy",
              effective="2026-02-01")  # fmt: skip
    scene.expect("O16", "open", subject=YEAR, as_of="2026-01-15")
    scene.expect("O16", "undetermined", subject=YEAR, as_of="2026-02-02", reason="vacant",
                 missing="supervising_deputy of RU-PGO")  # fmt: skip
    for person in ("p-8", "p-10"):
        scene.reg("role.assigned", "2026-03-01", office_="RU-PGO", person=person, role="supervising_deputy",
                  valid_from="2026-03-01")  # fmt: skip
    scene.expect("O16", "undetermined", subject=YEAR, as_of="2026-03-02", reason="held_twice")


def test_a_review_for_somebody_else_is_still_awaited() -> None:
    reviewed(to_role="head").expect("O16", "open", subject=YEAR, as_of="2026-07-01")


# Silence


@shows("O5 undetermined")
def test_activity_has_no_measure() -> None:
    Scene().expect("O5", "undetermined", subject=YEAR, as_of="2026-05-01", missing="a number in the text")


def test_the_years_that_nobody_spoke_of_are_there() -> None:
    scene = Scene()
    register = LegalRegister(scene.files["register"], "RU")
    assert years(register, scene.ms("2025-12-31T23:59+03:00")) == [f"year/{year}" for year in range(2022, 2026)]
    assert years(register, scene.ms("2026-01-01T00:00+03:00"))[-1] == "year/2026"
    assert years(LegalRegister(NOTHING, "RU"), scene.ms("2026-01-01")) == []


def test_of_an_act_from_the_year_1_a_century_is_enumerated() -> None:
    scene = Scene()
    scene.reg("act.issued", "2024-05-01", office="RU-PGO", act="old", date="0001-01-01")
    found = years(LegalRegister(scene.files["register"], "RU"), scene.ms("2025-06-01"))
    assert found == [f"year/{year}" for year in range(1926, 2026)]


def test_the_list_of_a_year_is_that_last_issued_by_its_end() -> None:
    scene = Scene()
    scene.reg("act.issued", "2024-05-01", office="RU-PGO", date="2024-05-01", binds=["RU-OMS", "RU-AL"])
    register = LegalRegister(scene.files["register"], "RU")
    assert len(bound_in(register, ORDER, 2023).offices) == 17
    assert bound_in(register, ORDER, 2024).offices == ("RU-OMS", "RU-AL")
    assert bound_in(register, ORDER, 2021).issued is None
