"""O8, A9.1: a material is handled before anybody opens it, and opened by listed persons only."""

from __future__ import annotations

from typing import Any

import pytest

from projections.compliance.case import Case
from projections.compliance.materials import Access, accesses
from tests.law.scene import REQUEST, Scene, shows


def received(scene: Scene, when: str = "2025-04-01T10:00", *, office: str = "RU-OMS", **stated: Any) -> str:
    """A confidential answer of the partner reaches an office of the Order."""
    return scene.act("material.received", when, office=office, **{"from_": "KZ-B-01", "supplier": "KZ-B-01", **stated})


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.request()
    return scene


def opened(scene: Scene, material: str | None = "m-1") -> list[Access]:
    return accesses(Case(REQUEST, scene.files[REQUEST]), material)


@shows("O8 met", "A9.1 met")
def test_a_material_handled_before_it_is_opened_by_a_listed_person_is_kept(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00")
    scene.act("material.accessed", "2025-04-01T11:01")
    for rule in ("O8", "A9.1"):
        found = scene.expect(rule, "met", item="m-1", reason="handled_first", marks=())
        assert found.bound == "RU-OMS"
        assert found.values == {
            "holder": "RU-OMS", "handled": "2025-04-01", "opened": "2025-04-01", "person": "p-2",
        }  # fmt: skip


@shows("O8 open", "A9.1 open")
def test_a_material_that_nobody_handled_or_opened_is_open(scene: Scene) -> None:
    received(scene)
    scene.expect("O8", "open", reason="unhandled")
    scene.expect("A9.1", "open", reason="unhandled")


@shows("O8 met")
def test_a_handled_material_that_nobody_opened_is_kept(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02")
    scene.expect("O8", "met", reason="handled_unopened")


@shows("O8 breached", "A9.1 breached")
def test_s58_a_colleague_who_is_not_on_the_list_opens_a_graded_material(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00", grade="confidential", access=["p-2"])
    scene.act("material.accessed", "2025-04-02", person="p-2")
    access = scene.act("material.accessed", "2025-04-03", person="p-5")
    for rule in ("O8", "A9.1"):
        found = scene.expect(rule, "breached", reason="not_listed")
        assert found.evidence[0].event == access
        assert found.values["person"] == "p-5"


@shows("O8 breached")
def test_opened_one_moment_before_it_is_handled_is_broken_and_at_the_same_moment_is_not(scene: Scene) -> None:
    received(scene)
    scene.act("material.accessed", "2025-04-02T09:59:59.999")
    scene.act("handling.set", "2025-04-02T10:00")
    found = scene.expect("O8", "breached", reason="opened_unhandled")
    assert [ref.name for ref in found.evidence[:2]] == ["material.accessed", "handling.set"]

    received(scene, material="m-2")
    scene.act("handling.set", "2025-04-02T10:00", material="m-2")
    scene.act("material.accessed", "2025-04-02T10:00", material="m-2")
    scene.expect("O8", "met", item="m-2")


@shows("O8 met")
def test_a_handling_that_was_recorded_after_the_access_counts_by_its_own_time_and_is_marked(scene: Scene) -> None:
    received(scene)
    scene.act("material.accessed", "2025-04-02T12:00")
    scene.act("handling.set", "2025-04-02T11:00", admitted="2025-04-05")
    scene.expect("O8", "met", marks=("claimed",))
    scene.expect("O8", "breached", as_of="2025-04-04")


@shows("O8 breached", "O8 open")
@pytest.mark.parametrize("lack", [{"measures": []}, {"access": []}])
def test_a_handling_without_measures_or_persons_is_none(scene: Scene, lack: dict[str, Any]) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-02", **lack)
    scene.expect("O8", "open", reason="handling_lacks")
    scene.act("material.accessed", "2025-04-03")
    scene.expect("O8", "breached")


@shows("O8 breached", "O8 met")
def test_the_list_is_that_of_the_moment_of_access(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00", access=["p-2"])
    scene.act("access.granted", "2025-04-02", persons=["p-3"])
    scene.act("material.accessed", "2025-04-02T12:00:00.001", person="p-3")
    scene.expect("O8", "met")
    withdrawn = scene.act("access.withdrawn", "2025-04-04", persons=["p-3"])
    scene.expect("O8", "met")
    scene.act("material.accessed", "2025-04-05", person="p-3")
    found = scene.expect("O8", "breached", reason="not_listed")
    assert withdrawn in [ref.event for ref in found.evidence]


@shows("O8 breached")
def test_a_new_handling_begins_a_new_list(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00", access=["p-2", "p-3"])
    scene.act("handling.set", "2025-04-02", access=["p-3"])
    scene.act("material.accessed", "2025-04-03", person="p-2")
    scene.expect("O8", "breached", reason="not_listed")


@shows("O8 undetermined", "A9.1 undetermined")
def test_an_unlisted_access_under_a_limit_of_the_holders_own_law_is_undetermined(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00", law_limit=True)
    scene.act("material.accessed", "2025-04-02", person="p-5")
    scene.expect("O8", "undetermined", reason="law_limit")
    scene.expect("A9.1", "undetermined", reason="law_limit")


@shows("A9.1 undetermined", "O8 met")
@pytest.mark.parametrize("sort", ["leak", "unauthorised"])
def test_a_leak_makes_the_treaty_duty_undetermined_and_a_loss_does_not(scene: Scene, sort: str) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00")
    scene.act("incident.reported", "2025-04-02", sort="loss")
    scene.expect("A9.1", "met")
    scene.act("incident.reported", "2025-04-03", sort=sort)
    scene.expect("A9.1", "undetermined", reason="incident")
    scene.expect("O8", "met")


@shows("O8 met")
def test_material_that_is_sent_or_not_marked_is_the_orders_business_and_not_the_agreements(scene: Scene) -> None:
    scene.act("material.sent", "2025-04-01", supplier="RU-OMS", to="KZ-B-01", material="m-2")
    scene.act("handling.set", "2025-04-01T12:30", material="m-2")
    received(scene, under_confidentiality=False)
    scene.act("handling.set", "2025-04-01T12:30")
    scene.expect("O8", "met", item="m-1")
    scene.expect("O8", "met", item="m-2")
    scene.no_row("A9.1")


@shows("A9.1 open")
def test_an_office_that_the_order_does_not_bind_owes_only_what_the_agreement_asks(scene: Scene) -> None:
    received(scene, office="RU-PGO")
    scene.no_row("O8")
    scene.expect("A9.1", "open")


@shows("O8 undetermined")
def test_without_the_holders_registration_or_the_issue_of_the_order_it_is_undetermined() -> None:
    scene = Scene()
    scene.request()
    received(scene, office="RU-XXX")
    scene.expect("O8", "undetermined", reason="holder_unknown", missing="registration of RU-XXX")
    bare = Scene(bare=True)
    bare.reg("office.registered", "2009-01-01", office_="RU-OMS")
    bare.request()
    received(bare)
    bare.expect("O8", "undetermined", reason="holder_unknown", missing="issue of ru-order-136")


@shows("O8 breached", "O8 met")
def test_each_holder_of_a_material_has_its_own_row(scene: Scene) -> None:
    received(scene)
    received(scene, "2025-04-02", office="RU-AST", from_="RU-OMS")
    scene.act("handling.set", "2025-04-01T11:00")
    scene.act("material.accessed", "2025-04-03", office="RU-AST", holder="RU-AST")
    scene.expect("O8", "met", item="m-1@RU-OMS")
    scene.expect("O8", "breached", item="m-1@RU-AST")


@shows("O8 open", "O8 met")
def test_what_is_destroyed_before_anybody_opened_it_can_no_longer_be_opened(scene: Scene) -> None:
    received(scene)
    scene.act("material.disposed", "2025-04-10")
    scene.expect("O8", "open", as_of="2025-04-09")
    scene.expect("O8", "met", reason="gone_unopened")
    found = scene.finding("O8")
    assert found.at(scene.ms("2025-04-10") - 1).verdict == "open"


@shows("O8 undetermined")
def test_an_access_after_disposal_is_undetermined(scene: Scene) -> None:
    received(scene)
    scene.act("handling.set", "2025-04-01T11:00")
    scene.act("material.disposed", "2025-04-10")
    scene.act("material.accessed", "2025-04-11")
    scene.expect("O8", "undetermined", reason="opened_after_disposal")


@shows("A9.1 open")
def test_what_the_supplier_sent_as_confidential_is_so_though_the_receipt_does_not_say_it(scene: Scene) -> None:
    sent = scene.act("material.sent", "2025-03-30", office="KZ-B-01", supplier="KZ-B-01")
    received(scene, under_confidentiality=False)
    found = scene.expect("A9.1", "open")
    assert sent in [ref.event for ref in found.evidence]


@shows("A9.1 open")
def test_a_receipt_of_the_partner_that_we_report_is_the_partners_duty(scene: Scene) -> None:
    scene.act("material.received", "2025-04-01", act_of="KZ-B-01", from_="RU-OMS", supplier="RU-OMS")
    assert scene.expect("A9.1", "open", marks=("reported",)).bound == "KZ-B-01"
    scene.no_row("O8")


@shows("O8 met", "O8 breached")
def test_corrections_count_and_are_marked(scene: Scene) -> None:
    received(scene)
    handled = scene.act("handling.set", "2025-04-01T11:00", access=["p-2"])
    access = scene.act("material.accessed", "2025-04-02", person="p-3")
    scene.expect("O8", "breached")
    scene.act("record.corrected", "2025-04-05", target=handled, how="replace", fields={"access": ["p-2", "p-3"]})
    scene.expect("O8", "met", marks=("corrected",))
    scene.act("record.corrected", "2025-04-06", target=handled, how="replace", fields={"access": ["p-2"]})
    scene.expect("O8", "breached", marks=("corrected",))
    scene.act("record.corrected", "2025-04-07", target=access, how="disown")
    scene.expect("O8", "met", reason="handled_unopened")


def test_material_from_before_the_order_is_not_its_business() -> None:
    scene = Scene()
    scene.request(when="2022-02-01")
    received(scene, "2022-03-09T23:59:59.999")
    scene.no_row("O8")
    received(scene, "2022-03-10T00:00", material="m-2")
    scene.expect("O8", "open", item="m-2")


def test_every_access_says_whether_it_was_allowed_and_why(scene: Scene) -> None:
    received(scene)
    early = scene.act("material.accessed", "2025-04-01T10:30", how="copied")
    handled = scene.act("handling.set", "2025-04-01T11:00")
    scene.act("material.accessed", "2025-04-02", person="p-2", purpose="training")
    granted = scene.act("access.granted", "2025-04-03", persons=["p-3"])
    scene.act("material.accessed", "2025-04-04", person="p-3")
    scene.act("material.accessed", "2025-04-05", person="p-9")
    scene.act("handling.set", "2025-04-06", law_limit=True)
    scene.act("material.accessed", "2025-04-07", person="p-9")

    found = opened(scene)

    assert [(each.person, each.verdict, each.reason) for each in found] == [
        ("p-2", "not_allowed", "opened_unhandled"),
        ("p-2", "allowed", "listed"),
        ("p-3", "allowed", "listed"),
        ("p-9", "not_allowed", "not_listed"),
        ("p-9", "undetermined", "law_limit"),
    ]
    assert (found[0].how, found[0].at, found[1].purpose) == ("copied", scene.ms("2025-04-01T10:30"), "training")
    assert [ref.event for ref in found[0].evidence] == [early, handled]
    assert [ref.event for ref in found[2].evidence[1:]] == [handled, granted]
    assert opened(scene, "m-2") == []
    assert opened(scene, None) == found


def test_accesses_of_all_materials_come_in_the_order_in_which_they_happened(scene: Scene) -> None:
    for material, when in (("m-1", "2025-04-05"), ("m-2", "2025-04-03"), ("m-1", "2025-04-01")):
        scene.act("material.accessed", when, material=material, admitted="2025-04-06")
    assert [each.material for each in opened(scene, None)] == ["m-1", "m-2", "m-1"]


def test_what_is_said_of_a_material_gone_before_anything_else_of_it_is_met_from_then_on() -> None:
    """Given a disposal that happened before what makes the duty visible, then there is no step back in time."""
    scene = Scene()
    scene.request()
    scene.act("material.disposed", "2025-03-04")
    scene.act("access.granted", "2025-03-05")
    for finding in scene.findings("O8"):
        assert [step.at for step in finding.steps] == sorted(step.at for step in finding.steps)
