"""The register as the law reads it: who was what on which day, and which of its entries a judgement looked at."""

from __future__ import annotations

from datetime import date

import pytest

from projections.compliance.facts import NOTHING
from projections.compliance.register import LegalRegister, touched
from tests.law.scene import Scene

KID = "RU-OMS#" + "5f" * 16


def register_of(scene: Scene) -> LegalRegister:
    return LegalRegister(scene.files.get("register", NOTHING), scene.own)


def test_an_office_is_what_it_was_on_the_day() -> None:
    """Given an office that moved to another zone and was closed, then each day knows its own."""
    scene = Scene(bare=True)
    scene.reg("office.registered", "2010-01-01", valid_from="2010-01-01", tz="Asia/Omsk")
    scene.reg("office.registered", "2015-01-01", valid_from="2015-01-01", valid_to="2020-01-01", tz="Europe/Moscow")
    register = register_of(scene)
    zones = {
        day: None if (entry := register.office("RU-OMS", date.fromisoformat(day))) is None else entry.tz
        for day in ("2009-12-31", "2010-01-01", "2014-12-31", "2015-01-01", "2019-12-31", "2020-01-01")
    }
    assert zones == {
        "2009-12-31": None,
        "2010-01-01": "Asia/Omsk",
        "2014-12-31": "Asia/Omsk",
        "2015-01-01": "Europe/Moscow",
        "2019-12-31": "Europe/Moscow",
        "2020-01-01": "Asia/Omsk",  # the first registration has no end; whoever closes an office says so of it
    }
    assert register.office("RU-XXX") is None


def test_a_zone_that_is_not_known_is_moscows() -> None:
    assert register_of(Scene(bare=True)).zone("RU-NEW") == "Europe/Moscow"


@pytest.mark.parametrize("tz", ["Mars/Phobos", "asia/omsk", "Europe", "leapseconds", "-", "Europe/Moscow/x"])
def test_an_office_of_a_zone_that_nobody_has_is_read_by_moscows(tz: str) -> None:
    """Admission knows the form of such a name alone, so a record may state it."""
    scene = Scene(bare=True)
    scene.reg("office.registered", "2025-01-01", office_="RU-NEW", tz=tz)
    assert register_of(scene).zone("RU-NEW") == "Europe/Moscow"


def test_an_office_that_an_act_names_twice_is_bound_once() -> None:
    scene = Scene(bare=True)
    scene.reg("act.issued", "2025-01-01", act="ru-order-136", binds=["RU-OMS", "RU-AL", "RU-OMS"])
    assert register_of(scene).bound("ru-order-136") == ["RU-OMS", "RU-AL"]


def test_the_party_of_an_office_is_registered_or_begins_its_code() -> None:
    scene = Scene(bare=True)
    scene.reg("office.registered", "2010-01-01", office_="EPPO", party="LU")
    register = register_of(scene)
    assert (register.party("EPPO"), register.party("KZ-B-07")) == ("LU", "KZ")


@pytest.mark.parametrize(
    ("day", "held"),
    [("2020-01-01", True), ("2019-12-31", False), ("2025-05-31", True), ("2025-06-01", False)],
)
def test_a_role_is_held_from_its_first_day_until_before_its_end(day: str, held: bool) -> None:
    scene = Scene(bare=True)
    scene.reg("role.assigned", "2020-01-01", valid_from="2020-01-01")
    scene.reg("role.ended", "2025-06-01", effective="2025-06-01")
    (role,) = register_of(scene).roles("RU-OMS", "p-1", "head")
    assert role.held_on(date.fromisoformat(day)) is held
    assert [act.name for act in role.acts] == ["role.assigned", "role.ended"]


def test_the_end_of_a_role_ends_that_role_of_that_person_alone() -> None:
    scene = Scene(bare=True)
    scene.reg("role.assigned", "2020-01-01", person="p-1")
    scene.reg("role.assigned", "2020-01-01", person="p-2", role="deputy_head")
    scene.reg("role.assigned", "2020-01-01", person="p-1", role="custodian")
    scene.reg("role.ended", "2025-06-01", person="p-1", role="head", effective="2025-06-01")
    ends = {(r.person, r.role): r.valid_to for r in register_of(scene).roles("RU-OMS")}
    assert ends == {
        ("p-1", "head"): date(2025, 6, 1),
        ("p-2", "deputy_head"): None,
        ("p-1", "custodian"): None,
    }


def test_an_end_recorded_before_its_beginning_ends_the_role_all_the_same() -> None:
    scene = Scene(bare=True)
    scene.reg("role.ended", "2025-06-01", effective="2025-06-01")
    scene.reg("role.assigned", "2025-07-01", valid_from="2020-01-01")
    (role,) = register_of(scene).roles("RU-OMS", "p-1", "head")
    assert role.valid_to == date(2025, 6, 1)


def test_a_role_may_be_held_again() -> None:
    scene = Scene(bare=True)
    scene.reg("role.assigned", "2020-01-01", valid_from="2020-01-01")
    scene.reg("role.ended", "2021-01-01", effective="2021-01-01")
    scene.reg("role.assigned", "2022-01-01", valid_from="2022-01-01")
    held = [r for r in register_of(scene).roles("RU-OMS") if r.held_on(date(2023, 1, 1))]
    assert [r.valid_from for r in held] == [date(2022, 1, 1)]


def test_coordinating_units_change_on_their_day() -> None:
    scene = Scene()
    scene.reg("coordinator.changed", "2025-05-01", effective="2025-06-01")
    register = register_of(scene)
    assert register.coordinators("RU", date(2025, 5, 31)) == ["RU-GUMPS"]
    assert register.coordinators("RU", date(2025, 6, 1)) == ["RU-NEW"]
    assert register.coordinators("KZ", date(2025, 6, 1)) == ["KZ-DIC"]
    assert register.coordinators("RU", date(2025, 6, 1), "cis-mla-1993") == ["RU-GUMPS"]


def test_a_unit_that_was_replaced_and_came_back_coordinated_before() -> None:
    """Given KZ-DIC, KZ-X from February and KZ-DIC again from March, then each day has its own, whatever came first."""
    scene = Scene()
    scene.reg("coordinator.changed", "2025-03-01", party="KZ", unit_old="KZ-X", unit_new="KZ-DIC",
              effective="2025-03-01")  # fmt: skip
    scene.reg("coordinator.changed", "2025-03-02", party="KZ", unit_old="KZ-DIC", unit_new="KZ-X",
              effective="2025-02-01")  # fmt: skip
    days = ("2025-01-11", "2025-01-31", "2025-02-01", "2025-02-28", "2025-03-01", "2026-01-01")
    found = [register_of(scene).coordinators("KZ", date.fromisoformat(day)) for day in days]
    assert found == [["KZ-DIC"], ["KZ-DIC"], ["KZ-X"], ["KZ-X"], ["KZ-DIC"], ["KZ-DIC"]]


def test_an_instrument_has_its_records_by_sort() -> None:
    scene = Scene()
    scene.reg("notice.received", "2027-01-15")
    scene.reg("instrument.ended", "2027-03-17")
    known = register_of(scene).instrument("ru-kz-2009")
    sizes = {name: len(getattr(known, name)) for name in known.__struct_fields__ if name != "id"}
    assert sizes == {"signed": 1, "entered": 1, "notices": 1, "ended": 1, "released": 0, "staged": 0}
    assert register_of(scene).instrument("un-cac-2003").signed == ()


def test_only_a_key_revoked_as_compromised_is_compromised() -> None:
    scene = Scene()
    scene.reg("key.revoked", "2025-05-10", kid=KID, reason="compromised")
    scene.reg("key.revoked", "2025-05-10", kid=KID.replace("5f", "6f"), reason="superseded")
    register = register_of(scene)
    assert register.compromised(KID) is not None
    assert register.compromised(KID.replace("5f", "6f")) is None


def test_the_seq_is_that_of_the_last_record_and_past_registers_are_shorter() -> None:
    scene = Scene()
    before = register_of(scene).seq
    scene.reg("role.assigned", "2025-01-01", person="p-5")
    assert register_of(scene).seq == before + 1
    file = scene.files["register"]
    assert LegalRegister(file.known_at(admitted=scene.ms("2024-01-01")), "RU").seq == before


def test_what_is_looked_at_is_noted_by_each_asker_alone() -> None:
    register = register_of(Scene())
    one, other = register.asked(), register.asked()
    one.roles("RU-OMS")
    one.zone("KZ-B-01")
    other.instrument("ru-kz-2009")
    other.acts("contact.notified", "act.issued")
    register.office("RU-PGO")
    assert one.looked == {"roles:RU-OMS", "office:KZ-B-01"}
    assert other.looked == {"instrument:ru-kz-2009", "contacts", "acts"}
    assert register.looked is None


# What a record of the register touches: name, members, entries; and a way of looking that must note one of them.
TOUCHES = [
    ("office.registered", {}, {"office:RU-OMS", "offices", "coordinator:RU"}),
    ("role.assigned", {}, {"roles:RU-OMS"}),
    ("role.ended", {}, {"roles:RU-OMS"}),
    ("instrument.entered", {}, {"instrument:ru-kz-2009"}),
    ("notice.received", {}, {"instrument:ru-kz-2009"}),
    ("instrument.released", {}, {"instrument:ru-kz-2009"}),
    ("coordinator.changed", {}, {"coordinator:RU"}),
    ("key.revoked", {"kid": KID}, {f"key:{KID}"}),
    ("rulebook.adopted", {}, {"rulebook"}),
    ("contact.notified", {}, {"contacts"}),
    ("act.issued", {}, {"acts"}),
    ("dispute.opened", {}, {"disputes"}),
    ("record.corrected", {"target": "e-1", "how": "disown"}, {"*"}),
]


@pytest.mark.parametrize(("name", "data", "entries"), TOUCHES, ids=lambda x: x if isinstance(x, str) else "")
def test_what_a_record_of_the_register_touches(name: str, data: dict[str, str], entries: set[str]) -> None:
    scene = Scene(bare=True)
    if name == "record.corrected":
        scene.act(name, "2025-01-01", subject="register", why=True, **data)
    else:
        scene.reg(name, "2025-01-01", **data)
    assert touched(register_of(scene).case.every) == entries


def test_whatever_an_answer_rests_on_is_an_entry_that_its_records_touch() -> None:
    """Given each way to ask the register, then the records that can change the answer touch what it notes."""
    scene = Scene()
    for name, data, _ in TOUCHES[:-1]:
        scene.reg(name, "2025-01-01", **data)
    register = register_of(scene).asked()
    asks = {
        "office.registered": lambda: register.office("RU-OMS"),
        "role.assigned": lambda: register.roles("RU-OMS"),
        "instrument.entered": lambda: register.instrument("ru-kz-2009"),
        "coordinator.changed": lambda: register.coordinators("RU", date(2025, 1, 1)),
        "key.revoked": lambda: register.compromised(KID),
        "rulebook.adopted": register.adopted,
        "contact.notified": lambda: register.acts("contact.notified"),
        "act.issued": lambda: register.bound("ru-order-136"),
    }
    for name, ask in asks.items():
        assert register.looked is not None
        register.looked.clear()
        assert ask(), name
        records = [act for act in register.case.every if act.name == name]
        assert register.looked & touched(records), name
