"""Which way a request may go: direct contact (O1), what must pass the Main Directorate (O9), channels (A5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.law.scene import Scene, shows
from tests.records import content

SENT = "2025-03-03T10:00"


def arrives(scene: Scene, kind: str = "mla", when: str = SENT, *, channel: str = "direct", **stated: Any) -> str:
    """A request of the partner reaches Omsk, the first that the ledger hears of it."""
    said = content(kind=kind, direction="in", requesting="KZ-B-01", requested="RU-OMS")
    way = {"channel": channel, "from_": "KZ-B-01", "to": "RU-OMS"}
    return scene.act("request.received", when, **{**said, **way, **stated})


def answered(scene: Scene, when: str, *, office: str = "RU-OMS", channel: str = "direct") -> str:
    """The answer to it leaves an office."""
    return scene.act("request.answered", when, office=office, channel=channel, to="KZ-B-01")


# Direct contact: O1


@shows("O1 met")
def test_a_listed_office_may_write_directly_to_a_registered_kazakh_office_of_the_border() -> None:
    scene = Scene()
    scene.request()
    found = scene.expect("O1", "met", reason="both_listed", marks=())
    assert found.values == {"from": "RU-OMS", "to": "KZ-B-01"}
    assert found.bound == "RU-OMS"
    assert {ref.name for ref in found.evidence} == {"request.sent", "office.registered"}


def test_the_main_transport_prosecutors_office_is_named_by_the_order_itself() -> None:
    scene = Scene()
    scene.request(office="RU-T-URAL", to="KZ-MTP")
    scene.expect("O1", "met")


def test_it_is_the_same_whichever_end_writes() -> None:
    scene = Scene()
    arrives(scene, "direct_exchange")
    found = scene.expect("O1", "met")
    assert found.bound == "RU-OMS"


@shows("O1 breached")
def test_an_office_that_is_not_on_the_list_may_not() -> None:
    scene = Scene()
    scene.reg("office.registered", "2022-01-01", office_="RU-TVE", name_ru="Тверская область", border=False)
    scene.request(office="RU-TVE")
    scene.expect("O1", "breached", reason="sender_not_listed")


def test_nor_may_it_receive_directly() -> None:
    scene = Scene()
    arrives(scene, "direct_exchange", to="RU-PGO")
    assert scene.finding("O1").values["to"] == "RU-PGO"
    scene.expect("O1", "breached", reason="receiver_not_listed")


def test_a_kazakh_office_that_is_neither_of_the_border_nor_named_is_no_counterpart() -> None:
    scene = Scene()
    scene.request(to="KZ-PGO")
    scene.expect("O1", "breached", reason="not_a_counterpart")


def test_a_kazakh_office_of_transport_that_is_not_the_named_one_leaves_it_open() -> None:
    scene = Scene()
    scene.reg("office.registered", "2022-01-01", office_="KZ-T-02", party="KZ", sort="transport", name_ru="KZ-T-02",
              border=False)  # fmt: skip
    scene.request(to="KZ-T-02")
    scene.expect("O1", "undetermined", reason="counterpart_doubtful")


@shows("O1 undetermined")
def test_a_kazakh_office_that_the_register_does_not_know_leaves_it_open_until_it_does() -> None:
    scene = Scene()
    scene.request(to="KZ-B-77")
    scene.reg("office.registered", "2025-04-01", office_="KZ-B-77", party="KZ", name_ru="KZ-B-77", tz="Asia/Almaty")
    scene.expect("O1", "undetermined", reason="counterpart_unknown", missing="KZ-B-77", as_of="2025-03-31")
    scene.expect("O1", "met", as_of="2025-04-02", marks=("retroactive",))


def test_before_the_day_from_which_the_register_gives_it_direct_contact_it_is_open() -> None:
    scene = Scene()
    scene.reg("office.registered", "2022-01-01", office_="KZ-B-02", party="KZ", name_ru="KZ-B-02",
              direct_since="2025-03-04")  # fmt: skip
    scene.request(to="KZ-B-02", when="2025-03-03T23:59")
    scene.request(to="KZ-B-02", when="2025-03-04T00:01", subject="request/later")
    scene.expect("O1", "undetermined", reason="before_direct")
    scene.expect("O1", "met", subject="request/later")


def test_s38_direct_exchange_between_the_protocol_and_the_order() -> None:
    scene = Scene()
    scene.request(when="2022-02-15T10:00")
    scene.expect("P7", "met")
    scene.expect("O1", "undetermined", reason="before_order")


def test_the_order_counts_from_the_first_moment_of_its_day_where_the_office_is() -> None:
    scene = Scene()
    scene.request(when="2022-03-09T23:59:59.999")
    scene.request(when="2022-03-10T00:00", subject="request/later")
    scene.expect("O1", "undetermined", reason="before_order")
    scene.expect("O1", "met", subject="request/later")


def test_s39_the_office_for_nature_protection_is_listed_but_of_no_sort_that_the_protocol_names() -> None:
    scene = Scene()
    scene.reg("act.issued", "2022-04-01", office="KZ-PGO", act="kz-procedure", number="1", date="2022-04-01",
              binds=["KZ-B-01"])  # fmt: skip
    scene.request(office="RU-N-VOLGA")
    scene.expect("O1", "undetermined", reason="sort_doubtful")
    scene.expect("P2", "undetermined", reason="sort_not_named")


def test_of_several_crossings_the_worst_decides() -> None:
    scene = Scene()
    scene.request()
    scene.act("material.sent", "2025-03-05", office="RU-PGO", channel="direct", to="KZ-B-01")
    found = scene.expect("O1", "breached")
    assert found.values["from"] == "RU-PGO"
    assert "request.sent" in {ref.name for ref in found.evidence}


def test_what_is_signed_and_not_sent_is_no_contact_yet() -> None:
    scene = Scene()
    scene.request(sent=False)
    scene.no_row("O1")


def test_what_passes_between_two_russian_offices_is_no_contact() -> None:
    scene = Scene()
    scene.request(to="RU-GUMPS")
    scene.no_row("O1")


# Through the Main Directorate: O9


@shows("O9 breached", "O1 met")
def test_s34_legal_assistance_sent_directly_by_omsk_to_a_kazakh_office_of_the_border() -> None:
    scene = Scene()
    scene.request("mla", channel="direct")
    found = scene.expect("O9", "breached", reason="never_direct")
    assert found.values == {"kind": "mla", "channel": "direct"}
    assert found.bound == "RU-OMS"
    scene.expect("O1", "met")


@pytest.mark.parametrize(
    "kind",
    ["extradition", "mla", "transfer_sentenced", "transfer_mental", "transfer_prosecution", "search_person", "asset",
     "admin_offence"],
)  # fmt: skip
def test_kinds_that_never_go_directly(kind: str) -> None:
    scene = Scene()
    scene.request(kind, channel="direct")
    scene.request(kind, channel="directorate", subject="request/right")
    scene.expect("O9", "breached", reason="never_direct")
    scene.expect("O9", "met", subject="request/right", reason="by_directorate")


@shows("O9 met")
def test_s35_legal_assistance_that_arrives_directly_is_passed_on_the_next_day() -> None:
    scene = Scene()
    arrives(scene)
    scene.act("request.forwarded", "2025-03-04", from_="RU-OMS", to="RU-GUMPS", why="misrouted")
    found = scene.expect("O9", "met", reason="passed_on")
    assert [ref.name for ref in found.evidence] == ["request.received", "request.forwarded"]


@shows("O9 open")
def test_s36_what_arrived_directly_and_is_not_passed_on_is_open_and_overdue_after_three_days() -> None:
    scene = Scene()
    arrives(scene)
    scene.expect("O9", "open", as_of="2025-03-06T09:59:59.999", overdue=False)
    scene.expect("O9", "open", as_of="2025-03-06T10:00", overdue=True, reason="not_passed_on")


def test_the_days_to_pass_it_on_run_from_its_receipt_not_from_its_dispatch() -> None:
    scene = Scene()
    said = content(kind="mla", direction="in", requesting="KZ-B-01", requested="RU-OMS")
    scene.act("request.signed", "2025-03-01", act_of="KZ-B-01", **said)
    scene.act("request.sent", "2025-03-01", act_of="KZ-B-01", from_="KZ-B-01", to="RU-OMS", channel="direct")
    arrives(scene, when="2025-03-10T10:00")
    scene.expect("O9", "open", as_of="2025-03-13T09:59", overdue=False)
    scene.expect("O9", "open", as_of="2025-03-13T10:00", overdue=True)


def test_s36_what_arrived_directly_and_is_answered_directly_is_a_breach() -> None:
    scene = Scene()
    arrives(scene)
    answered(scene, "2025-03-05")
    scene.expect("O9", "breached", reason="never_direct")


def test_passing_it_on_does_not_undo_an_answer_given_directly() -> None:
    scene = Scene()
    arrives(scene)
    answered(scene, "2025-03-05")
    scene.act("request.forwarded", "2025-03-06", from_="RU-OMS", to="RU-GUMPS", why="misrouted")
    scene.expect("O9", "breached")


def test_executing_it_is_no_correspondence() -> None:
    scene = Scene()
    arrives(scene)
    scene.act("request.accepted", "2025-03-04", executing="RU-OMS")
    scene.act("request.executed", "2025-03-05")
    scene.expect("O9", "open")


def test_passing_it_on_to_anybody_else_is_not_enough() -> None:
    scene = Scene()
    arrives(scene)
    scene.act("request.forwarded", "2025-03-04", from_="RU-OMS", to="RU-SAM", why="competence")
    scene.expect("O9", "open")


def test_the_unit_that_has_taken_the_place_of_the_main_directorate_will_do() -> None:
    scene = Scene()
    scene.reg("coordinator.changed", "2025-02-01", effective="2025-02-01")
    arrives(scene)
    scene.act("request.forwarded", "2025-03-04", from_="RU-OMS", to="RU-NEW", why="misrouted")
    scene.expect("O9", "met", reason="passed_on")


@shows("O9 undetermined")
def test_sending_it_back_decides_nothing() -> None:
    scene = Scene()
    arrives(scene)
    scene.act("request.returned", "2025-03-04", to="KZ-B-01", why="misrouted")
    scene.expect("O9", "undetermined", reason="returned")


def test_closed_without_passing_it_on_and_without_a_word_decides_nothing() -> None:
    scene = Scene()
    arrives(scene)
    scene.act("request.closed", "2025-03-20", outcome="lapsed")
    scene.expect("O9", "undetermined", reason="never_passed_on")


def test_what_the_main_directorate_receives_and_answers_is_not_misrouted() -> None:
    scene = Scene()
    arrives(scene, channel="directorate", to="RU-GUMPS")
    answered(scene, "2025-03-05", office="RU-GUMPS", channel="directorate")
    scene.no_row("O9")


def test_s37_form_p5_is_in_the_protocol_but_not_in_the_order() -> None:
    scene = Scene()
    scene.reg("act.issued", "2022-04-01", office="KZ-PGO", act="kz-procedure", number="1", date="2022-04-01",
              binds=["KZ-B-01"])  # fmt: skip
    scene.request(forms={"protocol": ["p5"]})
    scene.expect("P2", "met")
    scene.expect("O2", "undetermined", reason="form_wider")
    scene.expect("O9", "undetermined", reason="wider_form")


@pytest.mark.parametrize("forms", [{"order": ["o1"], "protocol": ["p1", "p5"]}, {"order": ["o4"]}, None])
def test_an_exchange_in_a_form_of_the_order_or_of_none_recorded_is_not_asked(
    forms: dict[str, list[str]] | None,
) -> None:
    scene = Scene()
    scene.request(forms=forms)
    scene.no_row("O9")


def test_form_p5_by_the_main_directorate_went_the_safe_way() -> None:
    scene = Scene()
    scene.request(forms={"protocol": ["p5"]}, channel="directorate")
    scene.expect("O9", "met")


def test_a_direct_exchange_in_a_form_of_the_order_need_not_pass_the_main_directorate() -> None:
    scene = Scene()
    scene.request()
    scene.no_row("O9")


def test_law_enforcement_assistance_waits_for_somebody_to_say_whether_it_is_inside() -> None:
    scene = Scene()
    scene.request("law_enforcement")
    scene.expect("O9", "undetermined", reason="scope_undecided", missing="decision on the scope", as_of="2025-03-04")
    scene.act("request.scoped", "2025-03-05", scope="part")
    scene.expect("O9", "undetermined", reason="scoped_part", as_of="2025-03-06")
    scene.act("request.scoped", "2025-03-07", scope="outside")
    scene.expect("O9", "breached", reason="scoped_outside", as_of="2025-03-08")
    scene.act("request.scoped", "2025-03-09", scope="inside")
    scene.no_row("O9")


def test_nobody_can_decide_that_legal_assistance_is_inside() -> None:
    scene = Scene()
    scene.request("mla")
    scene.act("request.scoped", "2025-03-05", scope="inside")
    scene.expect("O9", "breached")


def test_a_search_for_a_person_may_go_by_interpol_and_nothing_else_may() -> None:
    scene = Scene()
    scene.request("search_person", channel="interpol")
    scene.request("asset", channel="interpol", subject="request/other")
    scene.expect("O9", "met", reason="by_own_channel")
    scene.expect("O9", "undetermined", reason="channel_doubtful", subject="request/other")


def test_the_diplomatic_channel_of_a_listed_office_leaves_open_whether_it_passed_the_directorate() -> None:
    scene = Scene()
    scene.request("extradition", channel="diplomatic")
    scene.expect("O9", "undetermined", reason="channel_doubtful")


def test_an_oral_request_is_no_correspondence() -> None:
    scene = Scene()
    scene.act("request.spoken", SENT, **content(kind="mla", requested="KZ-B-01"), channel="direct")
    scene.expect("O9", "undetermined", reason="spoken_directly")


def test_material_sent_directly_for_legal_assistance_is_correspondence() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate")
    scene.act("material.sent", "2025-03-05", channel="direct", to="KZ-B-01")
    scene.expect("O9", "breached")


def test_the_point_binds_the_listed_offices_only() -> None:
    scene = Scene()
    scene.request("mla", office="RU-PGO", channel="direct")
    scene.no_row("O9")


def test_an_exchange_of_unknown_content_decides_nothing() -> None:
    scene = Scene()
    scene.act("request.received", SENT, channel="direct", from_="KZ-B-01", to="RU-OMS")
    scene.expect("O9", "undetermined", reason="no_content", missing="kind")


# Channels: A5.1


@shows("A5.1 met")
@pytest.mark.parametrize("channel", ["direct", "directorate", "interpol"])
def test_a_recorded_channel_that_is_not_diplomatic_meets_it(channel: str) -> None:
    scene = Scene()
    scene.request("mla", channel=channel)
    assert scene.expect("A5.1", "met").values == {"channel": channel}


@shows("A5.1 undetermined")
def test_diplomats_in_between_leave_it_open_even_once() -> None:
    scene = Scene()
    scene.request("mla", channel="directorate")
    answered(scene, "2025-05-01", office="KZ-PGO", channel="diplomatic")
    found = scene.expect("A5.1", "undetermined", reason="by_diplomats")
    assert found.values == {"channel": "directorate, diplomatic"}


def test_work_on_a_request_of_which_no_way_is_recorded_leaves_it_open() -> None:
    scene = Scene()
    scene.request("mla", sent=False)
    scene.no_row("A5.1", as_of="2025-03-04")
    scene.act("request.accepted", "2025-03-05", office="KZ-PGO", executing="KZ-PGO")
    scene.expect("A5.1", "undetermined", reason="no_channel", missing="channel")
