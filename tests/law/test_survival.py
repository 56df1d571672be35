"""A15.3: duties that arose while the Agreement was in force outlive it, unless the Parties release them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows

ASKED = [{"purpose": "criminal_case", "case": "c-1"}]


@pytest.fixture
def ended() -> Scene:
    """Material received in 2026; a notice of 15 January 2027; the end by either reading is past in April."""
    scene = Scene()
    scene.request(when="2026-03-03")
    scene.act(
        "material.received", "2026-04-01", from_="KZ-B-01", supplier="KZ-B-01", purposes=ASKED,
        under_confidentiality=True,
    )  # fmt: skip
    scene.act("handling.set", "2026-04-01T12:30", access=["p-2"])
    scene.reg("notice.received", "2027-01-15T12:00+03:00", id="notice")
    return scene


def used(scene: Scene, when: str = "2027-05-10", case: str = "c-2") -> str:
    return scene.act("material.used", when, case=case)


def released(scene: Scene, date: str = "2027-04-01", *duties: str) -> str:
    return scene.reg("instrument.released", date, date=date, duties=list(duties) or ["A9.3"])


@shows("A9.3 breached", "A15.3 breached")
def test_s31_material_received_before_the_end_is_used_for_another_case_after_it(ended: Scene) -> None:
    use = used(ended)
    ended.expect("A9.3", "breached")
    found = ended.expect("A15.3", "breached", item="A9.3")
    assert use in [ref.event for ref in found.evidence]
    assert "notice" in [ref.event for ref in found.evidence]
    assert found.values["ended"] == "2027-03-16"


@shows("A9.3 met")
def test_s32_the_release_before_the_use_ends_the_duty_and_is_cited(ended: Scene) -> None:
    release = released(ended)
    used(ended)
    ended.no_row("A15.3", item="A9.3")
    found = ended.expect("A9.3", "met", reason="released")
    assert release in [ref.event for ref in found.evidence]


@shows("A9.3 breached", "A15.3 breached")
def test_a_release_does_not_mend_what_was_broken_before_it(ended: Scene) -> None:
    used(ended, "2027-03-31T23:59:59.999+03:00")
    released(ended)
    ended.expect("A9.3", "breached")
    ended.expect("A15.3", "breached", item="A9.3")


@shows("A9.3 met")
def test_a_release_of_the_article_works_from_the_first_moment_of_its_day(ended: Scene) -> None:
    released(ended, "2027-04-01", "A9")
    used(ended, "2027-04-01T00:00+03:00")
    ended.expect("A9.3", "met", reason="released")
    for duty in ("A9.1", "A9.3"):
        ended.no_row("A15.3", item=duty)


@shows("A9.3 breached")
def test_a_release_before_the_end_works_from_the_end_on(ended: Scene) -> None:
    released(ended, "2027-02-01")
    used(ended, "2027-03-16T12:00+03:00")
    ended.expect("A9.3", "breached")


@shows("A9.3 undetermined", "A15.3 undetermined")
def test_a_release_of_a_part_leaves_what_comes_after_it_undetermined(ended: Scene) -> None:
    released(ended, "2027-04-01", "A9.3-crime")
    used(ended)
    ended.expect("A9.3", "undetermined", reason="released_in_part")
    ended.expect("A15.3", "undetermined", item="A9.3")


@shows("A15.3 met")
def test_duties_that_are_kept_after_the_end_are_kept_so_far(ended: Scene) -> None:
    used(ended, case="c-1")
    for duty in ("A9.1", "A9.3"):
        ended.expect("A15.3", "met", item=duty)


@shows("A15.3 breached", "A9.1 breached")
def test_the_list_binds_after_the_end(ended: Scene) -> None:
    ended.act("material.accessed", "2027-06-01", person="p-7")
    ended.expect("A9.1", "breached")
    found = ended.expect("A15.3", "breached", item="A9.1")
    assert "A9.1" in found.values["breached"]


def test_releases_end_the_other_duties_about_materials_too(ended: Scene) -> None:
    ended.act("degree.requested", "2026-04-02", office="KZ-B-01", by="KZ-B-01")
    ended.act("condition.proposed", "2026-03-10", office="KZ-B-01", condition="k-1", sort="no_onward")
    ended.act("condition.answered", "2026-03-12", condition="k-1", accepted=True)
    released(ended, "2027-04-01", "A9", "A7.2b")
    ended.act("material.accessed", "2027-06-01", person="p-7")
    ended.act("material.disclosed", "2027-06-01", purpose="training")
    ended.act("handling.set", "2027-06-02", grade="open")
    for rule in ("A9.1", "A9.2", "A9.3", "A7.2b"):
        ended.expect(rule, "met")
        ended.no_row("A15.3", item=rule)


@shows("A15.3 breached")
def test_a_material_gone_before_the_end_need_not_be_kept_but_what_it_said_is_not_free(ended: Scene) -> None:
    ended.act("material.disposed", "2027-03-15")
    ended.no_row("A15.3", item="A9.1")
    used(ended)
    ended.expect("A15.3", "breached", item="A9.3")


def agreed(scene: Scene, condition: str, sort: str, **stated: Any) -> None:
    scene.act("condition.proposed", "2026-03-10", office="KZ-B-01", condition=condition, sort=sort, **stated)
    scene.act("condition.answered", "2026-03-12", condition=condition, accepted=True)


def test_a_condition_that_came_to_its_end_before_leaves_no_duty(ended: Scene) -> None:
    agreed(ended, "k-1", "no_onward")
    agreed(ended, "k-2", "no_publication", until="2027-03-14")
    agreed(ended, "k-3", "return_by", until="2027-03-14")
    ended.act("condition.lifted", "2027-03-01", office="KZ-B-01", condition="k-1")
    ended.act("material.disposed", "2027-03-10", how="returned")
    ended.no_row("A15.3", item="A7.2b")


@shows("A15.3 met")
def test_a_condition_that_lives_on_binds_after_the_end(ended: Scene) -> None:
    agreed(ended, "k-1", "no_onward", until="2027-03-16")
    ended.expect("A15.3", "met", item="A7.2b")


@shows("A15.3 open", "A15.3 breached")
def test_a_condition_that_falls_due_after_the_end_is_open_until_its_day(ended: Scene) -> None:
    ended.act("condition.proposed", "2026-03-10", office="KZ-B-01", condition="k-1", sort="destroy_by",
              until="2027-12-31")  # fmt: skip
    ended.act("condition.answered", "2026-03-12", condition="k-1", accepted=True)
    ended.expect("A15.3", "open", item="A7.2b", as_of="2027-12-31T23:59:59.999")
    ended.expect("A15.3", "breached", item="A7.2b", as_of="2028-01-01T00:00")


@shows("A15.3 met", "A15.3 breached")
def test_before_the_end_the_row_says_that_the_instrument_is_in_force(ended: Scene) -> None:
    used(ended, "2027-02-01")
    ended.expect("A15.3", "met", item="A9.3", as_of="2027-02-02", reason="in_force")
    ended.expect("A15.3", "breached", item="A9.3", as_of="2027-03-17")


def test_without_a_notice_there_is_nothing_to_outlive() -> None:
    scene = Scene()
    scene.request()
    scene.act("material.received", "2026-04-01", from_="KZ-B-01", supplier="KZ-B-01", purposes=ASKED)
    scene.act("material.used", "2026-05-10", case="c-2")
    scene.no_row("A15.3")


def test_what_arose_after_the_end_is_no_duty_of_the_agreement(ended: Scene) -> None:
    ended.act("material.received", "2027-04-01", material="m-2", from_="KZ-B-01", supplier="KZ-B-01", purposes=ASKED)
    ended.act("material.used", "2027-05-01", material="m-2", case="c-2")
    ended.no_row("A15.3", item="A9.3")


@shows("A9.1 met", "A9.1 breached")
def test_an_access_is_free_from_the_first_moment_of_the_release_on(ended: Scene) -> None:
    released(ended, "2027-04-01", "A9.1")
    ended.act("material.accessed", "2027-04-01T00:00+03:00", person="p-7")
    ended.expect("A9.1", "met")
    ended.act("material.accessed", "2027-03-31T23:59:59.999+03:00", person="p-7", admitted="2027-04-02")
    ended.expect("A9.1", "breached")
