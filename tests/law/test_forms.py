"""Lists that a request is held against: forms (O2, P2, A3), directions (A2), kinds (A6.1), topics (O6)."""

from __future__ import annotations

import pytest

from tests.law.scene import REQUEST, Scene, shows
from tests.records import content

SENT = "2025-03-03T10:00"


def scene_with_both_procedures() -> Scene:
    """A register in which Kazakhstan, too, has issued an act that carries out the Protocol."""
    scene = Scene()
    scene.reg("act.issued", "2022-05-01", office="KZ-PGO", act="kz-procedure", number="1", date="2022-05-01",
              binds=["KZ-B-01"])  # fmt: skip
    return scene


def unknown_content(scene: Scene) -> None:
    """A direct exchange of which only the arrival is recorded."""
    scene.act("request.received", SENT, channel="direct", from_="KZ-B-01", to="RU-OMS")


# Order 2


@shows("O2 met")
@pytest.mark.parametrize("form", ["o1", "o2", "o3", "o4"])
def test_each_form_of_the_order_meets_it(form: str) -> None:
    scene = Scene()
    scene.request(forms={"order": [form]})
    found = scene.expect("O2", "met", reason="form_listed")
    assert found.values == {"form": form}
    assert [ref.name for ref in found.evidence] == ["request.signed"]


@pytest.mark.parametrize("form", ["p1", "p2", "p3", "p4"])
def test_a_form_of_the_protocol_stands_for_the_orders_where_the_words_are_the_same(form: str) -> None:
    scene = Scene()
    scene.request(forms={"protocol": [form]})
    scene.expect("O2", "met", reason="form_by_other_text")


@shows("O2 breached")
@pytest.mark.parametrize("forms", [{"order": ["none"]}, {"order": ["o1", "o9"]}, {"protocol": ["none"]}])
def test_a_form_that_is_on_neither_list_breaches_it(forms: dict[str, list[str]]) -> None:
    scene = Scene()
    scene.request(forms=forms)
    scene.expect("O2", "breached", reason="form_not_listed")


@shows("O2 undetermined")
@pytest.mark.parametrize("forms", [{"protocol": ["p5"]}, {"order": ["none"], "protocol": ["p5"]}, {"order": ["p5"]}])
def test_form_p5_is_wider_than_the_order(forms: dict[str, list[str]]) -> None:
    scene = Scene()
    scene.request(forms=forms)
    scene.expect("O2", "undetermined", reason="form_wider")


def test_where_no_form_is_recorded_nothing_is_decided() -> None:
    scene = Scene()
    scene.request(forms=None)
    scene.expect("O2", "undetermined", reason="form_not_said", missing="form")
    scene.expect("P2", "undetermined", reason="form_not_said", missing="form")
    scene.expect("A3", "undetermined", reason="form_not_said", missing="form")


def test_the_forms_of_direct_exchange_are_not_asked_of_what_goes_by_the_directorate() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate")
    for rule in ("O2", "P2", "O6"):
        scene.no_row(rule)


def test_of_unknown_content_the_rules_say_what_they_miss() -> None:
    scene = Scene()
    unknown_content(scene)
    for rule in ("O2", "P2", "A2", "A3", "O6"):
        scene.expect(rule, "undetermined", reason="no_content", missing="content of the request")
    scene.no_row("A6.1")


def test_the_written_form_counts_not_the_spoken_one() -> None:
    scene = Scene()
    said = content(kind="direct_exchange", requested="KZ-B-01")
    scene.act("request.spoken", SENT, **said, channel="direct", forms={"order": ["none"]})
    scene.expect("O2", "breached", as_of="2025-03-04")
    scene.act("request.confirmed", "2025-03-05", **said, forms={"order": ["o2"]})
    scene.expect("O2", "met", as_of="2025-03-06")


def test_a_corrected_record_counts_as_corrected() -> None:
    scene = Scene()
    signed = scene.request(forms={"order": ["none"]})
    scene.act("record.corrected", "2025-03-10", target=signed, how="replace", fields={"forms": {"order": ["o1"]}})
    scene.expect("O2", "breached", as_of="2025-03-09")
    scene.expect("O2", "met", marks=("corrected",))


# Prot. 2


@shows("P2 met")
@pytest.mark.parametrize("form", ["p1", "p2", "p3", "p4", "p5"])
def test_each_form_of_the_protocol_meets_it_once_both_parties_have_set_the_procedure(form: str) -> None:
    scene = scene_with_both_procedures()
    scene.request(forms={"protocol": [form]})
    found = scene.expect("P2", "met", reason="form_listed")
    assert {ref.name for ref in found.evidence} >= {"request.signed", "act.issued"}


def test_a_form_of_the_order_is_within_one_of_the_protocol() -> None:
    scene = scene_with_both_procedures()
    scene.request(forms={"order": ["o4"]})
    assert scene.expect("P2", "met").values == {"form": "o4"}


@shows("P2 breached")
def test_no_form_of_the_protocol_breaches_it_whoever_writes() -> None:
    scene = Scene()
    scene.request(forms={"protocol": ["none"]}, office="RU-N-VOLGA")
    scene.expect("P2", "breached", reason="form_not_listed")


def test_one_form_that_is_on_no_list_is_enough() -> None:
    scene = scene_with_both_procedures()
    scene.request(forms={"protocol": ["p1", "none"]})
    assert scene.expect("P2", "breached").values == {"form": "p1, none"}


def test_the_offices_are_those_of_the_direct_crossing() -> None:
    scene = scene_with_both_procedures()
    scene.request("law_enforcement", office="RU-GUMPS", to="KZ-DIC", channel="directorate")
    scene.act("request.answered", "2025-03-10", office="KZ-B-01", channel="direct", to="RU-OMS")
    scene.act("request.confirmed", "2025-03-11", **content(forms={"protocol": ["p1"]}))
    scene.expect("P2", "met")


@shows("P2 undetermined")
def test_before_the_kazakh_act_is_registered_nothing_is_decided() -> None:
    scene = Scene()
    scene.request()
    scene.expect("P2", "undetermined", reason="no_procedure", missing="act of KZ that carries out ru-kz-2009-ap-2022")


def test_an_act_issued_after_the_exchange_does_not_reach_back() -> None:
    scene = scene_with_both_procedures()
    scene.request(when="2022-04-30T23:59")
    scene.request(when="2022-05-01T00:01", subject="request/later")
    scene.expect("P2", "undetermined", reason="no_procedure")
    scene.expect("P2", "met", subject="request/later")


def test_before_the_order_the_russian_procedure_is_missing_too() -> None:
    scene = scene_with_both_procedures()
    scene.request(when="2022-02-15T10:00")
    scene.expect("P2", "undetermined", missing="act of RU, KZ")


def test_an_act_that_the_register_learns_of_later_counts_from_its_own_day_and_is_marked() -> None:
    scene = Scene()
    scene.request()
    scene.reg("act.issued", "2025-06-01", office="KZ-PGO", act="kz-procedure", number="1", date="2022-05-01",
              binds=["KZ-B-01"])  # fmt: skip
    scene.expect("P2", "undetermined", as_of="2025-05-31")
    scene.expect("P2", "met", marks=("retroactive",))


def test_an_act_that_carries_out_something_else_sets_no_procedure() -> None:
    scene = Scene()
    scene.reg("act.issued", "2022-05-01", office="KZ-PGO", act="kz-other", number="2", date="2022-05-01",
              binds=["KZ-B-01"], carries_out="ru-kz-2009")  # fmt: skip
    scene.request()
    scene.expect("P2", "undetermined", reason="no_procedure", missing="act of KZ")


def test_a_central_office_is_of_no_sort_that_the_protocol_names() -> None:
    scene = scene_with_both_procedures()
    scene.request(to="KZ-PGO")
    scene.expect("P2", "undetermined", reason="sort_not_named")


def test_an_office_that_is_not_registered_leaves_it_open() -> None:
    scene = scene_with_both_procedures()
    scene.request(to="KZ-B-77", sent=False)
    scene.expect("P2", "undetermined", reason="office_unknown", missing="registration of KZ-B-77")


# Agr. 2 and 3


@shows("A2 met")
@pytest.mark.parametrize("area", ["rights", "crime", "extradition_mla", "training", "research"])
def test_each_direction_of_the_agreement_meets_it(area: str) -> None:
    scene = Scene()
    scene.request("mla", channel="directorate", area=area)
    assert scene.expect("A2", "met").values == {"area": area}


@shows("A2 undetermined")
def test_another_direction_is_left_to_the_parties_and_none_decides_nothing() -> None:
    scene = Scene()
    scene.request("mla", area="sport", subject="request/other")
    scene.request("mla", area=None)
    scene.expect("A2", "undetermined", reason="area_left_open", subject="request/other")
    scene.expect("A2", "undetermined", reason="area_not_said", missing="area")


@shows("A3 met")
@pytest.mark.parametrize("form", ["a1", "a2", "a3", "a4", "a5", "a6", "other"])
def test_each_form_of_the_agreement_and_another_one_meet_it(form: str) -> None:
    scene = Scene()
    scene.request("general_cooperation", channel="directorate", forms={"agreement": [form]})
    scene.expect("A3", "met", reason="form_listed")


@shows("A3 undetermined")
def test_a_form_that_the_list_does_not_know_decides_nothing() -> None:
    scene = Scene()
    scene.request("general_cooperation", channel="directorate", forms={"agreement": ["a1", "a7"]})
    scene.expect("A3", "undetermined", reason="form_left_open")


# Agr. 6(1)


@shows("A6.1 met")
def test_a_request_and_an_initiative_both_meet_it() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate")
    scene.request("initiative", channel="directorate", subject="request/offer")
    assert scene.expect("A6.1", "met", reason="is_request").values == {"kind": "mla"}
    assert scene.expect("A6.1", "met", reason="is_initiative", subject="request/offer").item == ""


# Order 3.2


@shows("O6 met")
@pytest.mark.parametrize("topic", ["organised_crime", "digital_assets", "none"])
def test_a_topic_of_the_list_is_marked_none_among_them(topic: str) -> None:
    scene = Scene()
    scene.request(topics=[topic])
    assert scene.expect("O6", "met").values == {"topics": topic}


@shows("O6 undetermined")
@pytest.mark.parametrize("topics", [None, []])
def test_a_missing_topic_is_no_breach_since_the_mark_is_our_device(topics: list[str] | None) -> None:
    scene = Scene()
    scene.request(topics=topics)
    scene.expect("O6", "undetermined", reason="no_topic", missing="topic")


def test_a_topic_of_no_list_decides_nothing() -> None:
    scene = Scene()
    scene.request(topics=["football"])
    scene.expect("O6", "undetermined", reason="topic_not_listed")


def test_a_disowned_request_has_no_form() -> None:
    scene = Scene()
    signed = scene.request()
    scene.act("record.corrected", "2025-03-10", target=signed, how="disown")
    assert scene.finding("O2", subject=REQUEST).at(0).reason == "no_content"
