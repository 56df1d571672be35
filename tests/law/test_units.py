"""A5.2, A5.3: the units through which the Parties co-ordinate."""

from __future__ import annotations

from tests.law.scene import Scene, shows

REGISTER = {"subject": "register"}


def _new_unit(scene: Scene, when: str, *, old: str = "RU-GUMPS", new: str = "RU-NEW", **stated: object) -> str:
    scene.reg("office.registered", when, office_=new, party=new[:2], sort="coordinator", tz="Europe/Moscow",
              valid_from=when[:10])  # fmt: skip
    return scene.reg("coordinator.changed", when, party=new[:2], unit_old=old, unit_new=new, effective=when[:10],
                     **stated)  # fmt: skip


def _central(scene: Scene, when: str = "2025-03-03T10:00", *, from_: str = "RU-GUMPS", to: str = "KZ-PGO",
             office: str | None = None) -> None:  # fmt: skip
    scene.request("mla", when, office=office or from_, to=to, channel="directorate")


# A5.2: central acts


@shows("A5.2 met")
def test_an_act_from_the_coordinating_unit_is_met_and_cites_its_registration() -> None:
    scene = Scene()
    _central(scene)
    found = scene.expect("A5.2", "met", marks=())
    assert found.values["unit"] == "RU-GUMPS"
    assert [ref.name for ref in found.evidence] == ["request.sent", "office.registered"]


@shows("A5.2 met")
def test_so_is_an_act_to_the_unit_of_the_other_party() -> None:
    scene = Scene()
    _central(scene, from_="RU-PGO", to="KZ-DIC")
    assert scene.expect("A5.2", "met").values["unit"] == "KZ-DIC"


@shows("A5.2 undetermined")
def test_a_central_act_by_another_office_is_undetermined_since_the_text_gives_coordination_only() -> None:
    scene = Scene()
    _central(scene, from_="RU-PGO", to="KZ-PGO")
    found = scene.expect("A5.2", "undetermined", reason="other_unit")
    assert found.values["other"] == "RU-PGO, KZ-PGO"


@shows("A5.2 undetermined")
def test_one_act_past_the_units_is_enough_to_leave_the_request_undetermined() -> None:
    scene = Scene()
    _central(scene)
    scene.act("request.answered", "2025-04-01", office="KZ-PGO", channel="directorate", to="RU-OMS")
    found = scene.expect("A5.2", "undetermined", reason="other_unit")
    assert found.values["n"] == "2"
    assert found.evidence[0].name == "request.answered"


@shows("A5.2 undetermined")
def test_where_no_unit_is_registered_the_missing_one_is_named() -> None:
    scene = Scene(bare=True)
    _central(scene)
    scene.expect("A5.2", "undetermined", reason="unit_unknown", missing="coordinating unit of RU on 2025-03-03")


@shows("A5.2 met", "A5.2 undetermined")
def test_the_unit_counts_that_coordinates_on_the_day_of_the_act() -> None:
    for unit, when, verdict in [
        ("RU-GUMPS", "2025-05-31T23:58:00+03:00", "met"),
        ("RU-GUMPS", "2025-06-01T00:00:00+03:00", "undetermined"),
        ("RU-NEW", "2025-06-01T00:00:00+03:00", "met"),
    ]:
        scene = Scene()
        _new_unit(scene, "2025-06-01")
        _central(scene, when, from_=unit)
        scene.expect("A5.2", verdict)


def test_a_direct_exchange_has_no_central_act() -> None:
    scene = Scene()
    scene.request()
    scene.no_row("A5.2")


# A5.3: told of another unit


@shows("A5.3 met")
def test_a_change_of_unit_told_within_five_days_is_met_by_configuration() -> None:
    scene = Scene()
    change = _new_unit(scene, "2025-06-01")
    scene.reg("coordinator.notified", "2025-06-03", change=change)
    found = scene.expect("A5.3", "met", marks=("by_configuration",), **REGISTER)
    assert (found.bound, found.values["old"], found.values["new"]) == ("RU", "RU-GUMPS", "RU-NEW")


@shows("A5.3 undetermined")
def test_a_change_of_unit_told_after_a_month_is_undetermined() -> None:
    scene = Scene()
    change = _new_unit(scene, "2025-06-01")
    scene.reg("coordinator.notified", "2025-07-01", change=change)
    scene.expect("A5.3", "undetermined", reason="beyond", **REGISTER)


@shows("A5.3 open")
def test_a_change_of_unit_that_was_not_told_is_open_then_overdue() -> None:
    scene = Scene()
    _new_unit(scene, "2025-06-01")
    scene.expect("A5.3", "open", as_of="2025-06-05", overdue=False, **REGISTER)
    scene.expect("A5.3", "open", as_of="2025-06-07", overdue=True, **REGISTER)


@shows("A5.3 breached", "A5.3 open")
def test_a_change_of_unit_that_the_next_one_overtook_untold_is_breached() -> None:
    scene = Scene()
    first = _new_unit(scene, "2025-06-01")
    second = _new_unit(scene, "2025-08-01", old="RU-NEW", new="RU-NEWER")
    scene.expect("A5.3", "breached", item=first, reason="superseded", **REGISTER)
    scene.expect("A5.3", "open", item=second, **REGISTER)


@shows("A5.3 met")
def test_a_change_at_the_other_party_binds_that_one() -> None:
    scene = Scene()
    change = _new_unit(scene, "2025-06-01", old="KZ-DIC", new="KZ-NEW", act_of="KZ-PGO")
    scene.reg("coordinator.notified", "2025-06-03", change=change, to="RU-GUMPS", act_of="KZ-PGO")
    assert scene.expect("A5.3", "met", marks=("by_configuration", "reported"), **REGISTER).bound == "KZ"


@shows("A5.3 open")
def test_telling_an_own_office_is_not_telling_the_other_party() -> None:
    scene = Scene()
    change = _new_unit(scene, "2025-06-01")
    scene.reg("coordinator.notified", "2025-06-03", change=change, to="RU-PGO")
    scene.expect("A5.3", "open", **REGISTER)


def test_a_change_for_another_instrument_has_no_row() -> None:
    scene = Scene()
    _new_unit(scene, "2025-06-01", instrument="ru-by-2004")
    scene.no_row("A5.3", **REGISTER)
