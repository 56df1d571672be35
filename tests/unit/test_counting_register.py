"""What the register posts: contacts, treaties and programmes, their stages."""

from __future__ import annotations

from typing import Any

from projections.compliance.case import Case
from projections.compliance.register import LegalRegister
from projections.figures.counting import count
from tests.counted import counted, of, standing, sums, things
from tests.law.scene import Scene


def _rows(scene: Scene) -> list[Any]:
    return counted(scene, "register")


def _scene() -> Scene:
    return Scene(bare=True)


def _sign(scene: Scene, id_: str, day: str, *parties: str, kind: str = "treaty", **stated: Any) -> None:
    scene.reg("instrument.signed", day, instrument=id_, date=day, parties=["RU", *parties], kind=kind, **stated)


def _enter(scene: Scene, id_: str, day: str, **stated: Any) -> None:
    scene.reg("instrument.entered", day, instrument=id_, date=day, **stated)


def _end(scene: Scene, id_: str, day: str, **stated: Any) -> None:
    scene.reg("instrument.ended", day, instrument=id_, date=day, **stated)


# Treaties


def test_a_treaty_counts_from_midnight_of_its_date_in_the_ledgers_zone() -> None:
    scene = _scene()
    _sign(scene, "t", "2025-03-01", "KZ")
    midnight = scene.ms("2025-03-01T00:00+03:00")
    assert {row.time for row in of(_rows(scene), "M25.signed")} == {midnight}


def test_a_treaty_is_signed_then_in_force_then_neither() -> None:
    scene = _scene()
    _sign(scene, "t", "2024-03-01", "KZ")
    _enter(scene, "t", "2024-06-01")
    _end(scene, "t", "2025-02-01")
    rows = _rows(scene)
    for day, signed, force in [("2024-04-01", 1, 0), ("2024-07-01", 1, 1), ("2025-02-02", 0, 0)]:
        at = scene.ms(day)
        assert sum(standing(rows, "M25.signed", at).values()) == signed, day
        assert sum(standing(rows, "M25.force", at).values()) == force, day
    assert things(rows, "M25.new") == {("treaty", "t")}
    assert {row.partner for row in of(rows, "M25.signed")} == {"KZ"}


def test_a_treaty_of_several_states_counts_with_each_but_the_own_one() -> None:
    scene = _scene()
    _sign(scene, "t", "2024-03-01", "KZ", "BY")
    assert {(row.partner, row.thing) for row in of(_rows(scene), "M25.signed")} == {("KZ", "t"), ("BY", "t")}


def test_a_treaty_without_another_party_has_no_partner() -> None:
    scene = _scene()
    _sign(scene, "t", "2024-03-01")
    _enter(scene, "t", "2024-04-01")
    assert {row.partner for row in _rows(scene) if row.part.startswith("M25")} == {""}
    assert standing(_rows(scene), "M25.force", scene.ms("2024-05-01")) == {"treaty": 1}


def test_an_end_between_some_states_leaves_the_others() -> None:
    scene = _scene()
    _sign(scene, "old", "1992-10-08", "BY", "KZ", "KG")
    _enter(scene, "old", "1992-10-08")
    _end(scene, "old", "2009-06-23", between=["RU", "KZ"], cause="succession")
    rows = _rows(scene)
    for state, force in [("KZ", 0), ("BY", 1), ("KG", 1)]:
        for part in ("M25.signed", "M25.force"):
            assert sum(standing(rows, part, scene.ms("2020-01-01"), partner=state).values()) == force, (state, part)


def test_an_entry_between_some_states_is_no_force_with_the_others_and_between_others_none_with_us() -> None:
    scene = _scene()
    _sign(scene, "t", "1992-10-08", "BY", "KZ", "KG")
    _enter(scene, "t", "1992-10-09", between=["RU", "KZ"])
    _enter(scene, "t", "1992-10-09", between=["BY", "KG"])
    assert {row.partner for row in of(_rows(scene), "M25.force")} == {"KZ"}


def test_a_term_ends_an_instrument_unless_a_later_entry_has_another() -> None:
    scene = _scene()
    for id_ in ("short", "long"):
        _sign(scene, id_, "2020-01-01", "KZ")
        _enter(scene, id_, "2020-01-01", until="2022-01-01")
    _enter(scene, "long", "2021-12-01", until="2024-01-01")
    rows = _rows(scene)
    assert {row.thing for row in of(rows, "M25.force") if row.value < 0} == {"short", "long"}
    assert standing(rows, "M25.force", scene.ms("2021-06-01")) == {"treaty": 2}
    assert standing(rows, "M25.force", scene.ms("2022-06-01")) == {"treaty": 1}
    assert standing(rows, "M25.signed", scene.ms("2024-06-01")) == {}


def test_a_treaty_that_ends_twice_ends_once_and_comes_back_where_it_enters_again() -> None:
    scene = _scene()
    _sign(scene, "t", "2020-01-01", "KZ")
    _enter(scene, "t", "2020-01-01", until="2021-01-01")
    _end(scene, "t", "2021-01-01")
    _enter(scene, "t", "2022-01-01")
    rows = _rows(scene)
    assert standing(rows, "M25.force", scene.ms("2021-06-01")) == {}
    assert standing(rows, "M25.force", scene.ms("2022-06-01")) == {"treaty": 1}
    assert standing(rows, "M25.signed", scene.ms("2022-06-01")) == {"treaty": 1}
    assert len(of(rows, "M25.new")) == 1


def test_a_signature_that_is_recorded_twice_is_one() -> None:
    scene = _scene()
    _sign(scene, "t", "2020-01-01", "KZ")
    _sign(scene, "t", "2020-02-01", "KZ", "BY")
    rows = _rows(scene)
    assert standing(rows, "M25.signed", scene.ms("2021-01-01")) == {"treaty": 2}
    assert {(row.partner, row.time) for row in of(rows, "M25.new")} == {
        ("KZ", scene.ms("2020-01-01T00:00+03:00")), ("BY", scene.ms("2020-02-01T00:00+03:00")),
    }  # fmt: skip


def test_a_disowned_signature_is_none() -> None:
    scene = _scene()
    wrong = scene.reg("instrument.signed", "2020-01-01", instrument="t", date="2020-01-01", parties=["RU", "KZ"])
    scene.reg("record.corrected", "2020-01-02", target=wrong, how="disown")
    assert of(_rows(scene), "M25.signed") == []


# Programmes


def test_a_programme_is_signed_for_good_runs_while_it_is_in_force_and_is_finished_then() -> None:
    scene = _scene()
    for id_ in ("a", "b", "c"):
        _sign(scene, id_, "2017-01-01", "CN", kind="programme")
    _enter(scene, "a", "2017-02-01")
    _enter(scene, "b", "2017-02-01", until="2017-06-01")
    rows = _rows(scene)
    assert standing(rows, "M27", scene.ms("2017-03-01")) == {"signed": 3, "running": 2}
    assert standing(rows, "M27", scene.ms("2017-07-01")) == {"signed": 3, "running": 1, "finished": 1}


def test_a_treaty_is_no_programme() -> None:
    scene = _scene()
    _sign(scene, "t", "2017-01-01", "CN")
    _enter(scene, "t", "2017-01-01")
    assert of(_rows(scene), "M27") == []


# Stages


def _stage(scene: Scene, id_: str, stage: str, day: str, *parties: str) -> None:
    scene.reg("instrument.staged", day, instrument=id_, stage=stage, date=day, parties=["RU", *parties], kind="treaty")


def test_an_instrument_stands_at_its_last_stage_until_it_is_signed() -> None:
    scene = _scene()
    _stage(scene, "t", "proposed", "2025-01-01", "KZ")
    _stage(scene, "t", "initialled", "2025-01-31", "KZ")
    _sign(scene, "t", "2025-03-01", "KZ")
    rows = _rows(scene)
    assert standing(rows, "M26", scene.ms("2025-01-15")) == {"proposed": 1}
    assert standing(rows, "M26", scene.ms("2025-02-15")) == {"initialled": 1}
    assert standing(rows, "M26", scene.ms("2025-03-15")) == {}
    assert sums(rows, "M26.days") == {"proposed to initialled": 30, "initialled to signed": 29}
    assert {row.partner for row in of(rows, "M26.days")} == {"KZ"}


def test_each_application_that_was_declined_counts() -> None:
    scene = _scene()
    for year in (1996, 2001, 2010):
        _stage(scene, "coe", "applied", f"{year}-01-01", "FR", "DE")
        _stage(scene, "coe", "declined", f"{year}-06-01", "FR", "DE")
    _stage(scene, "coe", "invited", "2018-06-18", "FR", "DE")
    rows = _rows(scene)
    assert [(row.partner, row.thing) for row in of(rows, "M26.declined")] == [("", "coe")] * 3
    assert standing(rows, "M26", scene.ms("2019-01-01"), partner="FR") == {"invited": 1}
    assert sums(rows, "M26.days")["declined to invited"] == 2939


# Contacts


def _designate(scene: Scene, day: str, **stated: Any) -> str:
    return scene.act("contact.designated", day, subject="register", effective=day, **stated)


def test_an_office_has_a_contact_from_its_first_on() -> None:
    scene = _scene()
    _designate(scene, "2022-03-20")
    _designate(scene, "2023-03-20", contact="ct-2", replaces="ct-1")
    scene.act("contact.changed", "2024-03-20", subject="register", contact="ct-2", effective="2024-03-20")
    rows = _rows(scene)
    assert [(row.thing, row.office, row.partner, row.time) for row in of(rows, "M24")] == [
        ("RU-OMS", "RU-OMS", "", scene.ms("2022-03-20"))
    ]
    assert sums(rows, "M24.changes") == {"RU-OMS": 2}


def test_contacts_of_a_partner_count_with_it_and_those_of_a_known_office_as_a_change() -> None:
    scene = _scene()
    scene.reg("contact.received", "2022-04-01")
    scene.reg("contact.received", "2023-04-01")
    rows = _rows(scene)
    assert [(row.thing, row.partner, row.counterpart, row.tag) for row in of(rows, "M24")] == [
        ("KZ-B-01", "KZ", "KZ-B-01", "partner")
    ]
    assert sums(rows, "M24.changes") == {"KZ-B-01": 1}
    assert of(rows, "M24.told.open") == []


def test_the_days_until_a_change_is_told_on_count_from_the_day_on_which_it_took_effect() -> None:
    scene = _scene()
    first = scene.act("contact.designated", "2022-03-25", subject="register", effective="2022-03-20")
    scene.act("contact.notified", "2022-03-30T01:00+03:00", subject="register", version=first)
    scene.reg("contact.forwarded", "2022-04-09T01:00+03:00", versions=["x", first])
    rows = _rows(scene)
    assert sums(rows, "M24.told") == {"notified": 10, "forwarded": 20}
    assert {row.partner for row in of(rows, "M24.told")} == {"", "KZ"}
    assert standing(rows, "M24.told.open", scene.ms("2022-03-27")) == {"notified": 1}
    assert standing(rows, "M24.told.open", scene.ms("2022-04-01")) == {}


def test_a_change_of_which_nobody_was_told_stays_open() -> None:
    scene = _scene()
    _designate(scene, "2022-03-20")
    scene.act("contact.notified", "2022-03-22", subject="register", version="another")
    rows = _rows(scene)
    assert standing(rows, "M24.told.open", scene.ms("2030-01-01")) == {"notified": 1}
    assert of(rows, "M24.told") == []


def test_what_the_register_posts_hangs_on_what_it_looked_at_and_a_request_on_the_ledgers_zone_alone() -> None:
    scene = Scene()
    scene.request("extradition")
    scene.act("refusal.decided", "2025-03-10", office="KZ-B-01")
    scene.act("consultation.held", "2025-03-09", with_=["KZ-B-01"])
    register = LegalRegister(scene.files["register"], "RU")
    looking, zone = register.asked(), register.asked()
    zone.ledger_zone()
    assert count(Case("request/2025-000123", scene.files["request/2025-000123"]), looking)
    assert looking.looked == zone.looked
    looking = register.asked()
    count(register.case, looking)
    assert "instrument:ru-kz-2009" in (looking.looked or ())
    assert "contacts" in (looking.looked or ())
