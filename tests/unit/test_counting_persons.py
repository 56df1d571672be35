"""What a request posts about persons, prosecutions, execution, property and costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.figures.money import currency_of, decimal_of, format_amount, together, units
from tests.counted import counted, of, standing, sums, things
from tests.law.scene import Scene

_BACK = {"office": "KZ-B-01"}


def _scene(kind: str = "extradition", **stated: object) -> Scene:
    scene = Scene()
    scene.request(kind, "2025-03-03", channel="directorate", **stated)
    return scene


def _money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


# Persons


@pytest.mark.parametrize(
    ("basis", "tag"),
    [
        (["reciprocity"], "out reciprocity"), (["coe-extr-1957"], "out treaty"),
        (["reciprocity", "coe-extr-1957"], "out treaty"), ([], "out unnamed"),
    ],
)  # fmt: skip
def test_an_extradited_person_counts_by_direction_and_legal_basis(basis: list[str], tag: str) -> None:
    scene = _scene(legal_basis=basis)
    scene.act("person.handedover", "2025-03-20", **_BACK)
    assert things(counted(scene), "M13") == {(tag, "p-7")}


def test_a_temporary_handover_is_none_of_the_figures() -> None:
    scene = _scene()
    scene.act("person.detained", "2025-03-10", **_BACK)
    scene.act("person.handedover", "2025-03-20", what="temporary", **_BACK)
    rows = counted(scene)
    assert of(rows, "M13") == of(rows, "M14") == of(rows, "M15") == []
    assert standing(rows, "M15.open", scene.ms("2025-04-01")) == {"": 1}


def test_transferred_persons_count_by_what_they_were_transferred_for() -> None:
    scene = _scene("transfer_sentenced")
    scene.act("person.handedover", "2025-03-20", what="transfer_sentenced", **_BACK)
    scene.act("person.handedover", "2025-03-20", what="transfer_mental", person="p-8", **_BACK)
    rows = counted(scene)
    assert things(rows, "M14") == {("out transfer_sentenced", "p-7"), ("out transfer_mental", "p-8")}
    assert of(rows, "M13") == []


def test_custody_counts_per_person_from_the_first_detention_to_the_first_handover_after_it() -> None:
    scene = _scene()
    scene.act("person.detained", "2025-03-10", **_BACK)
    scene.act("person.detained", "2025-03-12", person="p-8", **_BACK)
    scene.act("person.released", "2025-03-14", person="p-8", **_BACK)
    scene.act("person.handedover", "2025-03-20", what="temporary", **_BACK)
    scene.act("person.handedover", "2025-04-09", **_BACK)
    scene.act("person.handedover", "2025-04-19", **_BACK)
    rows = counted(scene)
    assert [(row.thing, row.value) for row in of(rows, "M15")] == [("p-7", 30)]
    for day, persons in [("2025-03-11", 1), ("2025-03-13", 2), ("2025-03-15", 1)]:
        assert standing(rows, "M15.open", scene.ms(day)) == {"": persons}
    assert standing(rows, "M15.open", scene.ms("2025-04-10")) == {}


def test_who_is_detained_again_is_in_custody_again() -> None:
    scene = _scene()
    scene.act("person.detained", "2025-03-10", **_BACK)
    scene.act("person.released", "2025-03-14", **_BACK)
    scene.act("person.detained", "2025-03-20", **_BACK)
    scene.act("person.detained", "2025-03-21", **_BACK)
    rows = counted(scene)
    assert standing(rows, "M15.open", scene.ms("2025-03-15")) == {}
    assert standing(rows, "M15.open", scene.ms("2025-03-22")) == {"": 1}
    scene.act("person.handedover", "2025-03-30", **_BACK)
    assert [row.value for row in of(counted(scene), "M15")] == [20], "from the first detention"


def test_a_handover_before_any_detention_has_no_days() -> None:
    scene = _scene()
    scene.act("person.handedover", "2025-03-10", **_BACK)
    scene.act("person.detained", "2025-03-14", **_BACK)
    assert of(counted(scene), "M15") == []


def test_located_persons_count_by_the_way_they_were_found() -> None:
    scene = _scene("search_person")
    scene.act("person.located", "2025-03-10", **_BACK)
    scene.act("person.located", "2025-03-11", via="directorate", person="p-8", **_BACK)
    assert things(counted(scene), "M16") == {("interpol", "p-7"), ("directorate", "p-8")}


def test_prosecutions_count_where_they_are_taken_over_and_by_how_they_end() -> None:
    scene = _scene("transfer_prosecution")
    scene.act("prosecution.takenover", "2025-03-10", **_BACK)
    scene.act("prosecution.concluded", "2025-09-10", outcome="acquitted", **_BACK)
    assert things(counted(scene), "M17") == {("out taken_over", "c-1"), ("out concluded acquitted", "c-1")}


def test_measures_and_documents_count_as_many_as_there_were() -> None:
    scene = _scene("mla")
    scene.act("measure.performed", "2025-03-10", count=3, **_BACK)
    scene.act("measure.performed", "2025-03-11", count=2, **_BACK)
    scene.act("document.served", "2025-03-12", documents=4, **_BACK)
    scene.act("document.served", "2025-03-13", documents=1, result="refused", **_BACK)
    assert sums(counted(scene), "M21") == {"measure interview": 5, "served served": 4, "served refused": 1}


# Property


def test_property_counts_by_sort_and_currency_and_a_second_restraint_is_added() -> None:
    scene = _scene("asset")
    scene.act("asset.traced", "2025-03-10", sort="real_estate", **_BACK)
    scene.act("asset.restrained", "2025-03-11", money=_money("100.50"), **_BACK)
    scene.act("asset.restrained", "2025-03-12", money=_money("20"), **_BACK)
    scene.act("asset.restrained", "2025-03-13", money=_money("7", "USD"), **_BACK)
    scene.act("asset.released", "2025-03-14", money=_money("0.25"), **_BACK)
    scene.act("asset.confiscated", "2025-03-15", money=_money("50"), **_BACK)
    scene.act("asset.returned", "2025-03-16", money=_money("3", "USD"), to="company", **_BACK)
    rows = counted(scene)
    assert sums(rows, "M18") == {"real_estate EUR": 12_025, "real_estate USD": 700}
    assert sums(rows, "M20") == {"real_estate EUR": 5_000}
    assert sums(rows, "M19") == {"company USD": 300}
    assert {row.thing for row in rows if row.currency} == {"a-1"}


def test_property_that_was_never_traced_is_of_no_known_sort() -> None:
    scene = _scene("asset")
    scene.act("asset.restrained", "2025-03-11", **_BACK)
    assert sums(counted(scene), "M18") == {"unknown EUR": 10_000}


def test_less_than_a_minor_unit_stands_in_a_line_of_its_own() -> None:
    scene = _scene("asset")
    scene.act("asset.restrained", "2025-03-11", money=_money("1234.567"), **_BACK)
    assert sums(counted(scene), "M18") == {"unknown EUR": 123_456, "unknown eur": 7_000}


@pytest.mark.parametrize(
    ("amount", "currency", "found"),
    [
        ("1234.56", "EUR", [("EUR", 123_456)]),
        ("0", "EUR", [("EUR", 0)]),
        ("1.5", "EUR", [("EUR", 150)]),
        ("1234", "JPY", [("JPY", 1234)]),
        ("1234.5", "JPY", [("JPY", 1234), ("jpy", 500_000)]),
        ("1.234", "KWD", [("KWD", 1234)]),
        ("0.000001", "BTC", [("BTC", 0), ("btc", 1)]),
        ("999999999999999.99", "IRR", [("IRR", 99_999_999_999_999_999)]),
        ("5000000000000000", "EUR", [("EUR", 0), ("Eur", 5_000_000_000)]),
        ("99999999999999.9999", "CLF", [("CLF", 10**18 - 1)]),
        ("999999999999999", "CLF", [("CLF", 9_999_990_000), ("Clf", 999_999_999)]),  # 2^63 is less than 10^19
    ],
)
def test_an_amount_is_taken_apart_into_whole_units(amount: str, currency: str, found: list[tuple[str, int]]) -> None:
    assert units(amount, currency) == found


@given(
    st.from_regex(r"\A(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,6})?\Z"),
    st.sampled_from(["EUR", "JPY", "KWD", "CLF", "XBT"]),
)
def test_nothing_of_an_amount_is_lost(amount: str, currency: str) -> None:
    parts = units(amount, currency)
    assert together(parts) == {currency: Decimal(amount)}
    assert all(0 <= number < 2**63 and currency_of(unit) == currency for unit, number in parts)
    assert sum(Decimal(format_amount(number, unit)) for unit, number in parts) == Decimal(amount)


def test_units_are_written_with_the_decimals_of_their_currency() -> None:
    assert format_amount(123_456, "EUR") == "1234.56"
    assert format_amount(-5, "EUR") == "-0.05"
    assert format_amount(1234, "JPY") == "1234"
    assert format_amount(7_000, "eur") == "0.007"
    assert format_amount(5, "Eur") == "5000000.00"
    assert decimal_of(5, "Eur") == 5_000_000


# Costs


def test_costs_count_by_bearer_and_by_whether_an_agreement_covers_them() -> None:
    scene = _scene("mla")
    scene.act("cost.incurred", "2025-03-10", cost="k-1", money=_money("10"), **_BACK)
    scene.act("cost.incurred", "2025-03-11", cost="k-2", money=_money("5", "USD"), borne_by="KZ", **_BACK)
    scene.act("cost.agreed", "2025-03-12", scope="listed", costs=["k-2"], **_BACK)
    rows = counted(scene)
    assert sums(rows, "M34") == {"RU EUR": 1_000, "KZ USD": 500}
    assert {(row.item, row.tag) for row in of(rows, "M34.agreed")} == {("k-1", "not_agreed"), ("k-2", "agreed")}


def test_an_agreement_on_all_costs_covers_those_that_came_later() -> None:
    scene = _scene("mla")
    scene.act("cost.agreed", "2025-03-09", **_BACK)
    scene.act("cost.incurred", "2025-03-10", **_BACK)
    assert sums(counted(scene), "M34.agreed") == {"agreed": 1}


def test_of_two_records_of_one_cost_the_later_counts() -> None:
    scene = _scene("mla")
    scene.act("cost.incurred", "2025-03-10", money=_money("10"), **_BACK)
    scene.act("cost.incurred", "2025-03-12", money=_money("12"), **_BACK)
    rows = counted(scene)
    assert sums(rows, "M34") == {"RU EUR": 1_200}
    assert sums(rows, "M34.agreed") == {"not_agreed": 1}
