"""A9.2: the degree of confidentiality that the other Party asks for is held at every moment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows

CONFIDENTIAL = {"scale": "rogatory", "value": "confidential"}
STRICT = {"scale": "rogatory", "value": "strict"}


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.request()
    return scene


def received(scene: Scene, when: str = "2025-04-01T10:00", **stated: Any) -> None:
    members = {"from_": "KZ-B-01", "supplier": "KZ-B-01", "degree": CONFIDENTIAL, **stated}
    scene.act("material.received", when, **members)


@shows("A9.2 met")
def test_a_material_held_at_the_degree_asked_is_kept(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02", grade="confidential")
    found = scene.expect("A9.2", "met", reason="held", item="m-1")
    assert found.bound == "RU-OMS"
    assert (found.values["asked"], found.values["held"]) == ("confidential", "confidential")


@shows("A9.2 breached")
def test_s52_held_lower_for_three_days_then_raised(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02", grade="restricted")
    scene.expect("A9.2", "breached", reason="held_lower", as_of="2025-04-04")
    scene.act("handling.set", "2025-04-05", grade="confidential")
    found = scene.expect("A9.2", "breached", reason="held_lower_for_a_time")
    assert found.values == {
        "holder": "RU-OMS", "asked": "confidential", "held": "restricted", "since": "2025-04-02", "until": "2025-04-05",
    }  # fmt: skip


@shows("A9.2 met")
def test_s53_lowered_with_an_allowance_of_the_day_before(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T10:00", grade="confidential")
    scene.act("downgrade.allowed", "2025-05-09", office="KZ-B-01", by="KZ-B-01", to="restricted")
    scene.act("handling.set", "2025-05-10", grade="restricted")
    scene.expect("A9.2", "met", marks=())


@shows("A9.2 breached")
def test_s53_lowered_with_an_allowance_of_the_day_after(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T10:00", grade="confidential")
    scene.act("handling.set", "2025-05-10", grade="restricted")
    scene.act("downgrade.allowed", "2025-05-11", office="KZ-B-01", by="KZ-B-01", to="restricted")
    found = scene.expect("A9.2", "breached", reason="held_lower_for_a_time")
    assert (found.values["since"], found.values["until"]) == ("2025-05-10", "2025-05-11")


@shows("A9.2 met", "A9.2 breached")
def test_an_allowance_counts_from_its_moment_on_to_the_millisecond(scene: Scene) -> None:
    for material, fall in (("m-1", "2025-05-09T12:00"), ("m-2", "2025-05-09T11:59:59.999")):
        received(scene, material=material)
        scene.act("handling.set", "2025-04-01T10:00", grade="confidential", material=material)
        scene.act("downgrade.allowed", "2025-05-09T12:00", office="KZ-B-01", by="KZ-B-01", to="restricted",
                  materials=[material])  # fmt: skip
        scene.act("handling.set", fall, grade="restricted", material=material, admitted="2025-05-10")
    scene.expect("A9.2", "met", item="m-1")
    scene.expect("A9.2", "breached", item="m-2")


@shows("A9.2 met")
def test_an_allowance_recorded_after_the_fall_is_marked(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T10:00", grade="confidential")
    scene.act("handling.set", "2025-05-10", grade="restricted")
    scene.act("downgrade.allowed", "2025-05-09", admitted="2025-05-12", office="KZ-B-01", by="KZ-B-01", to="restricted")
    scene.expect("A9.2", "met", marks=("claimed",))


@shows("A9.2 breached")
def test_an_allowance_of_the_holders_own_party_allows_nothing(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02", grade="confidential")
    scene.act("downgrade.allowed", "2025-05-09", by="RU-PGO", to="restricted")
    scene.act("handling.set", "2025-05-10", grade="restricted")
    scene.expect("A9.2", "breached", reason="held_lower")


@shows("A9.2 undetermined")
def test_s54_a_degree_of_a_scale_that_the_profile_does_not_map(scene: Scene) -> None:
    received(scene, degree={"scale": "nato", "value": "cosmic"})
    scene.act("handling.set", "2025-04-02", grade="strict")
    found = scene.expect("A9.2", "undetermined", reason="unmapped", missing="nato:cosmic")
    assert found.values["asked"] == "nato:cosmic"


@shows("A9.2 met", "A9.2 breached")
def test_a_partners_own_scale_is_read_by_the_profile(scene: Scene) -> None:
    received(scene, degree={"scale": "kz", "value": "dsp"})
    scene.act("handling.set", "2025-04-02", grade="restricted")
    scene.expect("A9.2", "met")
    received(scene, degree={"scale": "kz", "value": "secret"}, material="m-2")
    scene.act("handling.set", "2025-04-02", grade="restricted", material="m-2")
    scene.expect("A9.2", "breached", item="m-2")


@shows("A9.2 undetermined")
def test_a_limit_of_the_holders_own_law_makes_a_lower_degree_undetermined(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02", grade="restricted", law_limit=True)
    scene.expect("A9.2", "undetermined", reason="law_limit")


@shows("A9.2 open", "A9.2 breached")
def test_until_somebody_opens_an_unhandled_material_it_is_open(scene: Scene) -> None:
    received(scene)
    scene.expect("A9.2", "open", reason="unhandled")
    scene.act("material.accessed", "2025-04-03")
    scene.expect("A9.2", "breached", reason="opened_unheld")


@shows("A9.2 breached", "A9.2 met")
def test_a_degree_asked_later_binds_from_the_moment_it_reached_the_holder(scene: Scene) -> None:
    received(scene, degree=None)
    scene.act("handling.set", "2025-04-02", grade="restricted")
    scene.no_row("A9.2")
    scene.act("degree.requested", "2025-05-01", office="KZ-B-01", by="KZ-B-01", degree=STRICT,
              received_on="2025-05-03T10:00:00+06:00", admitted="2025-05-04")  # fmt: skip
    scene.act("handling.set", "2025-05-03T10:00:00.000+06:00", grade="strict", admitted="2025-05-04")
    scene.expect("A9.2", "met")
    scene.act("degree.requested", "2025-06-01", office="KZ-B-01", by="KZ-B-01", degree=STRICT)
    scene.act("handling.set", "2025-06-02", grade="confidential")
    scene.expect("A9.2", "breached")


@shows("A9.2 breached")
def test_of_several_degrees_the_highest_that_is_not_released_counts(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T10:00", grade="strict")
    scene.act("degree.requested", "2025-05-01", office="KZ-B-01", by="KZ-B-01", degree=STRICT)
    scene.act("downgrade.allowed", "2025-05-02", office="KZ-B-01", by="KZ-B-01", to="restricted")
    scene.act("degree.requested", "2025-05-03", office="KZ-B-01", by="KZ-B-01", degree=CONFIDENTIAL)
    scene.act("handling.set", "2025-05-04", grade="restricted")
    found = scene.expect("A9.2", "breached")
    assert found.values["asked"] == "confidential"


def test_a_degree_that_a_holders_own_side_asks_for_is_no_duty_of_the_agreement(scene: Scene) -> None:
    received(scene, degree=None)
    scene.act("degree.requested", "2025-05-01", by="RU-PGO", degree=STRICT)
    scene.act("material.sent", "2025-05-01", material="m-2", supplier="RU-OMS", to="KZ-B-01", degree=STRICT)
    scene.no_row("A9.2")


@shows("A9.2 met")
def test_what_happens_after_disposal_does_not_count(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02", grade="confidential")
    scene.act("material.disposed", "2025-05-01")
    scene.act("handling.set", "2025-05-02", grade="open")
    scene.expect("A9.2", "met")


@shows("A9.2 met")
def test_a_degree_asked_before_the_material_arrived_binds_from_its_arrival_on(scene: Scene) -> None:
    scene.act("degree.requested", "2025-03-30", office="KZ-B-01", by="KZ-B-01", degree=CONFIDENTIAL)
    scene.act("handling.set", "2025-03-31", grade="restricted")
    received(scene, "2025-04-05T10:00", degree=None)
    scene.act("handling.set", "2025-04-05T10:00", grade="confidential")
    scene.expect("A9.2", "met")
