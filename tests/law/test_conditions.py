"""A7.2b: a condition of assistance that was accepted is kept until its end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows
from tests.records import box

ASKED = [{"purpose": "criminal_case", "case": "c-1"}]


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.request()
    return scene


def agreed(scene: Scene, sort: str, *, condition: str = "k-1", accepted: bool | None = True, **stated: Any) -> None:
    scene.act("condition.proposed", "2025-03-10", office="KZ-B-01", condition=condition, sort=sort, **stated)
    if accepted is not None:
        scene.act("condition.answered", "2025-03-12", condition=condition, accepted=accepted)


def received(scene: Scene, **stated: Any) -> None:
    members = {"from_": "KZ-B-01", "supplier": "KZ-B-01", "purposes": ASKED, **stated}
    scene.act("material.received", "2025-04-01", **members)
    scene.act("handling.set", "2025-04-01T12:30", material=str(members.get("material", "m-1")), access=["p-2"])


@shows("A7.2b met", "A7.2b breached")
def test_no_onward_is_kept_until_it_is_passed_on(scene: Scene) -> None:
    agreed(scene, "no_onward")
    received(scene)
    scene.act("material.used", "2025-05-01", case="c-1")
    scene.expect("A7.2b", "met", reason="kept", item="k-1")
    passed = scene.act("material.disclosed", "2025-05-02")
    found = scene.expect("A7.2b", "breached", reason="passed_on")
    assert found.evidence[0].event == passed
    assert found.bound == "RU-OMS"
    assert found.values["sort"] == "no_onward"


@shows("A7.2b breached", "A7.2b met")
@pytest.mark.parametrize(
    ("sort", "kept", "broken"),
    [
        ("purpose_only", ("material.used", {"case": "c-1"}), ("material.used", {"case": "c-2"})),
        ("purpose_only", ("material.accessed", {}), ("material.accessed", {"purpose": "training"})),
        ("named_persons", ("material.accessed", {"person": "p-2"}), ("material.accessed", {"person": "p-7"})),
        ("no_publication", ("material.used", {"case": "c-1"}), ("material.disclosed", {"purpose": "public_statement"})),
        ("no_onward", ("material.accessed", {}), ("material.disclosed", {"to": "state"})),
    ],
)
def test_each_sort_has_its_own_test(
    scene: Scene, sort: str, kept: tuple[str, dict[str, Any]], broken: tuple[str, dict[str, Any]]
) -> None:
    agreed(scene, sort)
    received(scene)
    scene.act(kept[0], "2025-05-01", **kept[1])
    scene.expect("A7.2b", "met")
    scene.act(broken[0], "2025-05-02", **broken[1])
    scene.expect("A7.2b", "breached")


@shows("A7.2b open", "A7.2b breached", "A7.2b met")
@pytest.mark.parametrize(("sort", "how"), [("return_by", "returned"), ("destroy_by", "destroyed")])
def test_a_dated_condition_is_open_to_the_end_of_its_day_in_the_holders_zone(scene: Scene, sort: str, how: str) -> None:
    agreed(scene, sort, until="2025-06-30")
    received(scene)
    scene.expect("A7.2b", "open", as_of="2025-06-30T23:59:59.999", reason="not_due")
    scene.expect("A7.2b", "breached", as_of="2025-07-01T00:00", reason="not_disposed")
    scene.act("material.disposed", "2025-06-30T23:59:59.999", how=how, admitted="2025-07-02")
    scene.expect("A7.2b", "met", reason="disposed", marks=("claimed",))


@shows("A7.2b breached")
def test_disposed_of_a_moment_too_late(scene: Scene) -> None:
    agreed(scene, "return_by", until="2025-06-30")
    received(scene)
    scene.act("material.disposed", "2025-07-01T00:00", how="returned")
    scene.expect("A7.2b", "breached", reason="disposed_late")


@shows("A7.2b breached", "A7.2b undetermined")
def test_destroyed_it_cannot_be_returned_but_returned_it_may_be_destroyed(scene: Scene) -> None:
    agreed(scene, "return_by", condition="k-1", until="2025-06-30", materials=["m-1"])
    agreed(scene, "destroy_by", condition="k-2", until="2025-06-30", materials=["m-2"])
    received(scene)
    received(scene, material="m-2")
    scene.act("material.disposed", "2025-06-01", how="destroyed")
    scene.act("material.disposed", "2025-06-01", how="returned", material="m-2")
    scene.expect("A7.2b", "breached", item="k-1", reason="disposed_otherwise")
    scene.expect("A7.2b", "undetermined", item="k-2", reason="disposed_otherwise")


@shows("A7.2b undetermined")
def test_what_no_machine_can_decide_is_undetermined(scene: Scene) -> None:
    agreed(scene, "other", condition="k-1")
    agreed(scene, "return_by", condition="k-2")
    agreed(scene, "no_onward", condition="k-3", accepted=None)
    scene.act("condition.answered", "2025-03-12", condition="k-4", accepted=True)
    received(scene)
    scene.expect("A7.2b", "undetermined", item="k-1", reason="not_decidable")
    scene.expect("A7.2b", "undetermined", item="k-2", reason="no_date", missing="day of condition k-2")
    scene.expect("A7.2b", "undetermined", item="k-3", reason="not_accepted", missing="answer to condition k-3")
    scene.expect("A7.2b", "undetermined", item="k-4", reason="no_proposal")


@shows("A7.2b undetermined", "A7.2b met")
def test_a_use_is_announced_by_a_request_for_consent(scene: Scene) -> None:
    agreed(scene, "notify_use")
    received(scene)
    scene.act("consent.requested", "2025-05-01", purposes=ASKED)
    scene.act("material.used", "2025-05-02", case="c-1")
    scene.expect("A7.2b", "met", reason="announced")
    scene.act("material.used", "2025-05-03", case="c-2")
    scene.expect("A7.2b", "undetermined", reason="not_announced")


def test_a_declined_condition_binds_nobody(scene: Scene) -> None:
    agreed(scene, "no_onward", accepted=False)
    received(scene)
    scene.act("material.disclosed", "2025-05-02")
    scene.no_row("A7.2b")


@shows("A7.2b undetermined")
def test_a_condition_only_written_on_the_material_is_undetermined_where_it_is_not_kept(scene: Scene) -> None:
    received(scene, conditions=["no_onward", "other"])
    scene.no_row("A7.2b")
    scene.act("material.disclosed", "2025-05-02")
    scene.expect("A7.2b", "undetermined", reason="only_written", item="m-1:no_onward")


@shows("A7.2b breached")
def test_written_and_accepted_it_is_one_condition(scene: Scene) -> None:
    agreed(scene, "no_onward")
    received(scene, conditions=["no_onward"])
    scene.act("material.disclosed", "2025-05-02")
    scene.expect("A7.2b", "breached")


@shows("A7.2b met", "A7.2b breached")
def test_a_condition_lives_from_its_acceptance_until_it_is_lifted(scene: Scene) -> None:
    received(scene)
    scene.act("material.disclosed", "2025-03-11", admitted="2025-04-02")
    agreed(scene, "no_onward")
    scene.act("condition.lifted", "2025-06-01", office="KZ-B-01", condition="k-1")
    scene.act("material.disclosed", "2025-06-01T12:00:00.001")
    scene.expect("A7.2b", "met")
    scene.act("material.disclosed", "2025-05-31", admitted="2025-06-02")
    scene.expect("A7.2b", "breached")


@shows("A7.2b met", "A7.2b breached")
def test_a_condition_with_a_last_day_lives_to_the_end_of_it(scene: Scene) -> None:
    agreed(scene, "no_onward", until="2025-05-31")
    received(scene)
    scene.act("material.disclosed", "2025-06-01T00:00")
    scene.expect("A7.2b", "met")
    scene.act("material.disclosed", "2025-05-31T23:59:59.999", admitted="2025-06-02")
    scene.expect("A7.2b", "breached")


@shows("A7.2b met")
def test_it_covers_the_materials_that_it_names_and_not_the_acts_of_its_author(scene: Scene) -> None:
    agreed(scene, "no_onward", materials=["m-1"])
    received(scene)
    received(scene, material="m-2")
    scene.act("material.disclosed", "2025-05-02", material="m-2")
    scene.act("material.disclosed", "2025-05-02", office="KZ-B-01")
    scene.expect("A7.2b", "met")


@shows("A7.2b undetermined")
def test_that_it_is_public_is_no_exception_to_a_condition(scene: Scene) -> None:
    agreed(scene, "purpose_only")
    received(scene)
    scene.act("material.used", "2025-05-02", case="c-2", public={"evidence": box(), "checked": "2025-05-01"})
    scene.expect("A7.2b", "undetermined", reason="purpose_unclear")
    scene.expect("A9.3", "met", reason="public")


@shows("A7.2b undetermined", "A7.2b breached")
def test_what_is_undetermined_of_one_holder_is_broken_when_the_day_of_another_has_passed(scene: Scene) -> None:
    agreed(scene, "destroy_by", until="2025-06-30")
    received(scene)
    scene.act("material.disposed", "2025-05-01", how="returned")
    scene.act("material.received", "2025-04-02", office="RU-PGO", from_="RU-OMS", supplier="KZ-B-01")
    scene.expect("A7.2b", "undetermined", as_of="2025-06-30", reason="disposed_otherwise")
    scene.expect("A7.2b", "breached", as_of="2025-07-02", reason="not_disposed")


@shows("A7.2b open", "A7.2b breached")
def test_of_two_holders_the_one_whose_day_ends_first_decides(scene: Scene) -> None:
    agreed(scene, "destroy_by", until="2025-06-30")
    received(scene)
    scene.act("material.received", "2025-04-02", office="RU-PGO", from_="RU-OMS", supplier="KZ-B-01")
    scene.expect("A7.2b", "open", as_of="2025-06-30T23:59:59.999+06:00")
    scene.expect("A7.2b", "breached", as_of="2025-07-01T00:00+06:00")


@shows("A7.2b undetermined")
def test_an_announcement_after_the_use_is_none(scene: Scene) -> None:
    agreed(scene, "notify_use")
    received(scene)
    scene.act("material.used", "2025-05-02", case="c-1")
    scene.act("consent.requested", "2025-05-03", purposes=ASKED)
    scene.expect("A7.2b", "undetermined", reason="not_announced", missing="notice of the use")
