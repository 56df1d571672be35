"""O15, O17: the Order is published, and its content made known."""

from __future__ import annotations

from tests.law.scene import Scene, shows

REGISTER = {"subject": "register"}


def _published(scene: Scene, date: str, outlet: str = "zakonnost", **stated: object) -> None:
    scene.reg("act.published", date, date=date, outlet=outlet, **stated)


@shows("O15 met")
def test_published_in_both_places_within_sixty_days_is_met_by_configuration() -> None:
    scene = Scene()
    _published(scene, "2022-03-15", "official_site")
    _published(scene, "2022-04-15")
    found = scene.expect("O15", "met", marks=("by_configuration",), **REGISTER)
    assert found.bound == "RU-PGO"
    assert found.values["zakonnost"] == "2022-04-15"
    assert found.values["official_site"] == "2022-03-15"
    assert found.values["lag"] == "36"


@shows("O15 open")
def test_published_in_one_place_only_it_is_open_and_says_where_it_is_awaited() -> None:
    scene = Scene()
    scene.expect("O15", "open", as_of="2022-03-12", overdue=False, **REGISTER)
    _published(scene, "2022-03-15", "official_site")
    found = scene.expect("O15", "open", as_of="2022-05-08", overdue=False, **REGISTER)
    assert found.values["awaited"] == "zakonnost"
    scene.expect("O15", "open", as_of="2022-05-10", overdue=True, **REGISTER)


@shows("O15 met", "O15 undetermined")
def test_the_later_publication_decides_to_the_day() -> None:
    # 60 times 24 hours from the start of 10 March end with 8 May.
    for date, verdict in (("2022-05-08", "met"), ("2022-05-09", "undetermined")):
        scene = Scene()
        _published(scene, "2022-03-15", "official_site")
        _published(scene, date)
        scene.expect("O15", verdict, **REGISTER)


@shows("O15 met")
def test_the_day_of_publication_counts_and_not_that_of_its_record() -> None:
    scene = Scene()
    _published(scene, "2022-03-15", "official_site")
    scene.reg("act.published", "2023-01-20", date="2022-04-15")
    scene.expect("O15", "met", **REGISTER)


@shows("O15 met")
def test_of_two_publications_in_one_outlet_the_earlier_counts() -> None:
    scene = Scene()
    _published(scene, "2022-03-15", "official_site")
    _published(scene, "2022-12-15")
    _published(scene, "2022-04-15")
    scene.expect("O15", "met", **REGISTER)


@shows("O15 open")
def test_another_outlet_or_another_act_does_not_count() -> None:
    scene = Scene()
    _published(scene, "2022-03-15", "official_site")
    _published(scene, "2022-03-16", "other")
    _published(scene, "2022-03-16", act="ru-order-297")
    scene.expect("O15", "open", **REGISTER)


@shows("O17 open", "O17 met")
def test_acquaintance_is_open_until_a_first_office_records_it() -> None:
    scene = Scene()
    assert scene.expect("O17", "open", as_of="2022-03-20", **REGISTER).values["count"] == "0"
    scene.reg("act.acquainted", "2022-04-01", office="RU-OMS", office_="RU-OMS", persons=12)
    scene.reg("act.acquainted", "2022-04-02", office="RU-OMS", office_="RU-OMS")
    scene.reg("act.acquainted", "2022-04-03", office="RU-MOW", office_="RU-MOW")
    found = scene.expect("O17", "met", **REGISTER)
    assert found.values == {"count": "2", "bound": "1", "all": "17"}
    assert len(found.evidence) == 4


@shows("O17 open")
def test_acquaintance_with_another_act_does_not_count() -> None:
    scene = Scene()
    scene.reg("act.acquainted", "2022-04-01", office="RU-OMS", act="ru-order-297")
    scene.expect("O17", "open", **REGISTER)


def test_before_its_issue_an_act_asks_nothing() -> None:
    scene = Scene(bare=True)
    _published(scene, "2022-03-15")
    scene.reg("act.acquainted", "2022-04-01", office="RU-OMS")
    scene.no_row("O15", **REGISTER)
    scene.no_row("O17", **REGISTER)
