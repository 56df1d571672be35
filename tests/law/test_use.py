"""A9.3: what the requested Party supplied is used for its purpose, with prior consent, or because it is public."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows
from tests.records import box

ASKED = [{"purpose": "criminal_case", "case": "c-1"}]
OTHER = [{"purpose": "criminal_case", "case": "c-2"}]


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.request()
    return scene


def received(scene: Scene, when: str = "2025-04-01", **stated: Any) -> None:
    members = {"from_": "KZ-B-01", "supplier": "KZ-B-01", "purposes": ASKED, **stated}
    scene.act("material.received", when, **members)


def used(scene: Scene, when: str = "2025-06-10", *, case: str | None = "c-2", **stated: Any) -> str:
    return scene.act("material.used", when, case=case, **stated)


def consent(scene: Scene, when: str, *, admitted: str | None = None, **stated: Any) -> str:
    members = {"by": "KZ-B-01", "purposes": OTHER, **stated}
    return scene.act("consent.answered", when, admitted=admitted, office=str(members["by"]), **members)


@shows("A9.3 met")
def test_used_for_the_purpose_for_which_it_was_supplied(scene: Scene) -> None:
    received(scene)
    used(scene, case="c-1")
    found = scene.expect("A9.3", "met", reason="same_purpose", item="m-1")
    assert found.bound == "RU-OMS"
    assert found.values == {
        "holder": "RU-OMS", "used": "criminal_case/c-1", "used_on": "2025-06-10", "supplied": "criminal_case/c-1",
        "consent": "—",
    }  # fmt: skip


def test_no_use_no_row(scene: Scene) -> None:
    received(scene)
    scene.no_row("A9.3")


@shows("A9.3 breached")
def test_another_case_is_another_purpose(scene: Scene) -> None:
    received(scene)
    use = used(scene)
    found = scene.expect("A9.3", "breached", reason="no_consent")
    assert found.evidence[0].event == use


@shows("A9.3 met")
def test_s55_consent_of_the_day_before(scene: Scene) -> None:
    received(scene)
    consent(scene, "2025-06-09")
    used(scene)
    found = scene.expect("A9.3", "met", reason="consented", marks=())
    assert found.values["consent"] == "2025-06-09"


@shows("A9.3 breached")
def test_s55_consent_of_the_day_after_is_not_prior(scene: Scene) -> None:
    received(scene)
    used(scene)
    consent(scene, "2025-06-11")
    scene.expect("A9.3", "breached", reason="consent_after")


@shows("A9.3 met", "A9.3 breached")
def test_s55_consent_dated_before_and_admitted_after_is_marked(scene: Scene) -> None:
    received(scene)
    used(scene)
    consent(scene, "2025-06-09", admitted="2025-06-12")
    scene.expect("A9.3", "met", marks=("claimed",))
    scene.expect("A9.3", "breached", as_of="2025-06-11")


@shows("A9.3 met", "A9.3 breached")
def test_consent_is_prior_to_the_millisecond(scene: Scene) -> None:
    for material, given in (("m-1", "2025-06-10T11:59:59.999"), ("m-2", "2025-06-10T12:00:00.000")):
        received(scene, material=material)
        used(scene, "2025-06-10T12:00", material=material)
        consent(scene, given, materials=[material], admitted="2025-06-11")
    scene.expect("A9.3", "met", item="m-1", marks=("claimed",))
    scene.expect("A9.3", "breached", item="m-2", reason="consent_after")


@shows("A9.3 met")
def test_s56_another_purpose_but_public_there(scene: Scene) -> None:
    received(scene)
    used(scene, public={"evidence": box(), "checked": "2025-06-10"})
    scene.expect("A9.3", "met", reason="public")


@shows("A9.3 undetermined")
@pytest.mark.parametrize(
    "public", [{"evidence": False, "checked": "2025-06-09"}, {"evidence": True, "checked": "2025-06-11"}]
)
def test_public_without_evidence_or_looked_up_afterwards_is_undetermined(scene: Scene, public: dict[str, Any]) -> None:
    received(scene)
    used(scene, public={"evidence": box(bool(public["evidence"])), "checked": public["checked"]})
    scene.expect("A9.3", "undetermined", reason="public_unproven")


@shows("A9.3 undetermined")
def test_s57_content_of_the_partners_own_request_used_for_another_purpose() -> None:
    scene = Scene()
    scene.request(direction="in", office="KZ-B-01", to="RU-OMS")
    received(scene, supplied_as="request")
    used(scene)
    scene.expect("A9.3", "undetermined", reason="outside_letter")


@shows("A9.3 undetermined", "A9.3 met")
def test_an_unasked_supply_is_outside_the_letter(scene: Scene) -> None:
    received(scene, supplied_as="initiative")
    used(scene, case="c-1")
    scene.expect("A9.3", "met")
    used(scene)
    scene.expect("A9.3", "undetermined", reason="outside_letter")


@shows("A9.3 undetermined", "A9.3 breached")
def test_an_exchange_is_within_the_letter_where_the_requested_side_supplies() -> None:
    scene = Scene()
    scene.request()
    received(scene, supplied_as="exchange")
    used(scene)
    scene.expect("A9.3", "breached")
    incoming = Scene()
    incoming.request(direction="in", office="KZ-B-01", to="RU-OMS")
    received(incoming, supplied_as="exchange")
    used(incoming)
    incoming.expect("A9.3", "undetermined", reason="outside_letter")


@shows("A9.3 breached")
def test_an_answer_is_within_the_letter_though_no_content_is_recorded() -> None:
    scene = Scene()
    received(scene)
    used(scene)
    scene.expect("A9.3", "breached")


@shows("A9.3 breached")
def test_a_refusal_decides_and_the_last_answer_before_the_use_counts(scene: Scene) -> None:
    received(scene)
    consent(scene, "2025-06-01")
    consent(scene, "2025-06-05", granted=False)
    used(scene)
    scene.expect("A9.3", "breached", reason="consent_refused")


@shows("A9.3 met", "A9.3 breached")
def test_a_consent_with_a_day_runs_to_the_end_of_it_in_the_suppliers_zone(scene: Scene) -> None:
    received(scene)
    consent(scene, "2025-06-01", until="2025-06-10")
    used(scene, "2025-06-10T23:59:59.999+05:00")
    scene.expect("A9.3", "met")
    used(scene, "2025-06-11T00:00+05:00")
    scene.expect("A9.3", "breached", reason="consent_expired")


@shows("A9.3 undetermined")
@pytest.mark.parametrize("doubt", [{"written": False}, {"by": "KZ-MTP"}])
def test_a_consent_of_doubtful_form_or_organ_is_undetermined(scene: Scene, doubt: dict[str, Any]) -> None:
    received(scene)
    consent(scene, "2025-06-09", **doubt)
    used(scene)
    scene.expect("A9.3", "undetermined", reason="consent_doubtful")


@shows("A9.3 met")
@pytest.mark.parametrize("organ", ["KZ-B-01", "KZ-PGO", "KZ-DIC"])
def test_the_supplier_the_partys_office_and_its_coordinator_may_consent(scene: Scene, organ: str) -> None:
    received(scene)
    consent(scene, "2025-06-09", by=organ)
    used(scene)
    scene.expect("A9.3", "met", reason="consented")


@shows("A9.3 breached")
@pytest.mark.parametrize(
    "consented", [{"materials": ["m-9"]}, {"purposes": [{"purpose": "training"}]}, {"by": "RU-PGO"}]
)
def test_a_consent_to_something_else_or_of_somebody_else_is_none(scene: Scene, consented: dict[str, Any]) -> None:
    received(scene)
    consent(scene, "2025-06-09", **consented)
    used(scene)
    scene.expect("A9.3", "breached", reason="no_consent")


@shows("A9.3 undetermined")
def test_a_consent_that_names_no_case_may_or_may_not_cover_it(scene: Scene) -> None:
    received(scene)
    consent(scene, "2025-06-09", purposes=[{"purpose": "criminal_case"}])
    used(scene)
    scene.expect("A9.3", "undetermined", reason="consent_scope")


@shows("A9.3 undetermined")
def test_other_equals_nothing(scene: Scene) -> None:
    received(scene, purposes=[{"purpose": "other"}])
    scene.act("material.used", "2025-06-10", purpose="other")
    scene.expect("A9.3", "undetermined", reason="purpose_other")


@shows("A9.3 undetermined")
def test_a_use_whose_case_is_not_recorded_is_undetermined(scene: Scene) -> None:
    received(scene)
    used(scene, case=None)
    scene.expect("A9.3", "undetermined", reason="case_unknown", missing="case of the use")


@shows("A9.3 undetermined")
def test_a_material_whose_supply_is_not_recorded_is_undetermined(scene: Scene) -> None:
    used(scene)
    scene.expect("A9.3", "undetermined", reason="no_supply", missing="supply of m-1")


@shows("A9.3 met")
def test_the_purposes_of_the_request_count_though_the_supply_names_none(scene: Scene) -> None:
    received(scene, purposes=[])
    used(scene, case="c-1")
    scene.expect("A9.3", "met", reason="requested_for")


@shows("A9.3 breached")
def test_passing_on_is_judged_as_a_use_and_the_worst_use_decides(scene: Scene) -> None:
    received(scene)
    used(scene, case="c-1")
    passed = scene.act("material.disclosed", "2025-06-11", purpose="training", to="person")
    found = scene.expect("A9.3", "breached")
    assert found.evidence[0].event == passed
    assert found.values["used"] == "training"


def test_the_supplier_may_use_its_own(scene: Scene) -> None:
    scene.act("material.sent", "2025-04-01", supplier="RU-OMS", to="KZ-B-01", purposes=ASKED)
    used(scene)
    scene.no_row("A9.3")
