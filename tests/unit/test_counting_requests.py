"""What a request posts about itself: openers, documents, outcomes, refusals, forms, channels."""

from __future__ import annotations

from tests.counted import counted, of, sums
from tests.law.scene import Scene


def _answered(scene: Scene, when: str = "2025-03-20", **stated: object) -> str:
    return scene.act("request.answered", when, office="KZ-B-01", **stated)


def test_a_request_is_one_whatever_opened_it_and_names_partner_and_offices() -> None:
    scene = Scene()
    signed = scene.request("extradition", channel="directorate")
    (row,) = of(counted(scene), "M1")
    assert (row.item, row.tag, row.value) == (signed, "out extradition", 1)
    assert (row.partner, row.direction, row.kind, row.office, row.counterpart) == (
        "KZ", "out", "extradition", "RU-OMS", "KZ-B-01",
    )  # fmt: skip


def test_of_an_incoming_request_the_own_office_is_the_requested_one() -> None:
    scene = Scene()
    scene.request("mla", office="KZ-B-01", to="RU-OMS", direction="in", sent=False)
    (row,) = of(counted(scene), "M1")
    assert (row.tag, row.office, row.counterpart) == ("in mla", "RU-OMS", "KZ-B-01")


def test_each_document_counts_by_its_name() -> None:
    scene = Scene()
    scene.request()
    scene.act("request.received", "2025-03-04", office="KZ-B-01")
    scene.act("request.accepted", "2025-03-05", office="KZ-B-01")
    scene.act("material.sent", "2025-03-06", office="KZ-B-01")
    scene.act("material.received", "2025-03-07")
    _answered(scene)
    assert sums(counted(scene), "M2") == {
        "request.sent": 1, "request.received": 1, "material.sent": 1, "material.received": 1, "request.answered": 1,
    }  # fmt: skip


def test_two_offices_that_use_one_id_are_told_apart() -> None:
    scene = Scene()
    scene.request()
    scene.act("request.forwarded", "2025-03-04", office="KZ-PGO", id="same")
    scene.act("request.forwarded", "2025-03-05", office="KZ-B-01", id="same", why="misrouted")
    rows = counted(scene)
    assert {row.item for row in of(rows, "M35.moved")} == {"same@KZ-PGO", "same@KZ-B-01"}
    assert sums(rows, "M35.moved") == {"forwarded": 1, "misrouted": 1}


def test_the_outcome_is_that_of_the_last_final_answer() -> None:
    scene = Scene()
    scene.request()
    _answered(scene, "2025-03-10", outcome="partial")
    _answered(scene, "2025-03-20", outcome="granted")
    _answered(scene, "2025-03-25", outcome="refused", final=False)
    rows = counted(scene)
    assert sums(rows, "M6") == {"granted": 1}
    assert of(rows, "M6")[0].time == scene.ms("2025-03-20")
    assert sums(rows, "M8") == {"answered": 1}
    assert of(rows, "M8")[0].time == scene.ms("2025-03-10")


def test_a_request_without_a_final_answer_has_no_outcome() -> None:
    scene = Scene()
    scene.request()
    _answered(scene, final=False)
    rows = counted(scene)
    assert of(rows, "M6") == of(rows, "M8") == []


def test_refusals_count_by_ground_and_scope_and_a_full_one_makes_the_request_refused() -> None:
    scene = Scene()
    scene.request()
    scene.act("refusal.decided", "2025-03-10", office="KZ-B-01", scope="partial", ground="legislation")
    scene.act("refusal.decided", "2025-03-12", office="KZ-B-01", scope="full", ground="security")
    _answered(scene, outcome="refused")
    rows = counted(scene)
    assert sums(rows, "M7") == {"legislation partial": 1, "security full": 1}
    assert sums(rows, "M8") == {"refused": 1}
    assert of(rows, "M8")[0].time == scene.ms("2025-03-12")


def test_a_partial_refusal_leaves_a_request_answered() -> None:
    scene = Scene()
    scene.request()
    scene.act("refusal.decided", "2025-03-10", office="KZ-B-01", scope="partial")
    _answered(scene, outcome="partial")
    assert sums(counted(scene), "M8") == {"answered": 1}


def test_a_disowned_refusal_refuses_nothing() -> None:
    scene = Scene()
    scene.request()
    wrong = scene.act("refusal.decided", "2025-03-10", office="KZ-B-01")
    _answered(scene)
    scene.act("record.corrected", "2025-03-21", office="KZ-B-01", target=wrong, how="disown")
    rows = counted(scene)
    assert of(rows, "M7") == []
    assert sums(rows, "M8") == {"answered": 1}


def test_a_consultation_counts_that_was_held_before_the_refusal_between_two_states_and_about_it() -> None:
    for consultation, tag in [
        ({}, "consulted"),
        ({"about": "conditions"}, "consulted"),
        ({"about": "execution"}, "not_consulted"),
        ({"with_": ["RU-PGO"]}, "not_consulted"),
        ({"when": "2025-03-11"}, "not_consulted"),
    ]:
        scene = Scene()
        scene.request()
        scene.act("refusal.decided", "2025-03-10", office="KZ-B-01", no_consultation_reason=True)
        told = {"when": "2025-03-09", "with_": ["KZ-B-01"], **consultation}
        scene.act("consultation.held", admitted="2025-03-12", **told)
        assert sums(counted(scene), "M9") == {tag: 1}, consultation


def test_a_direct_exchange_counts_by_the_forms_of_the_order() -> None:
    scene = Scene()
    scene.request(forms={"order": ["o1", "o3", "o1"], "protocol": ["p1"]}, topics=["drugs", "minors"])
    rows = counted(scene)
    assert sums(rows, "M22") == {"o1": 1, "o3": 1}
    assert sums(rows, "M22.topic") == {"drugs": 1, "minors": 1}


def test_where_the_order_has_no_form_that_of_the_protocol_counts_and_else_none_is_named() -> None:
    for forms, tag in [
        ({"order": [], "protocol": ["p5"]}, "p5"),
        ({"agreement": ["a1"]}, "unnamed"),
        (None, "unnamed"),
    ]:
        scene = Scene()
        scene.request(forms=forms)
        assert sums(counted(scene), "M22") == {tag: 1}


def test_forms_of_other_kinds_are_no_direct_exchanges() -> None:
    scene = Scene()
    scene.request("general_cooperation", forms={"order": ["o1"]})
    rows = counted(scene)
    assert of(rows, "M22") == of(rows, "M22.topic") == []


def test_an_oral_request_counts_and_its_channel_is_that_in_which_it_was_made() -> None:
    scene = Scene()
    scene.act("request.spoken", "2025-03-03", channel="direct")
    scene.act("request.confirmed", "2025-03-04")
    scene.act("request.sent", "2025-03-04", channel="directorate")
    rows = counted(scene)
    assert sums(rows, "M1") == {"out mla": 1}
    assert sums(rows, "M33") == {"": 1}
    assert sums(rows, "M35") == {"direct": 1}


def test_what_was_misrouted_counts_whether_it_was_forwarded_or_returned() -> None:
    scene = Scene()
    scene.request()
    scene.act("request.forwarded", "2025-03-04", office="KZ-PGO", why="misrouted")
    scene.act("request.forwarded", "2025-03-05", office="KZ-PGO", why="competence")
    scene.act("request.returned", "2025-03-06", office="KZ-PGO", why="misrouted")
    assert sums(counted(scene), "M35.moved") == {"misrouted": 2, "forwarded": 1}


def test_a_request_that_was_returned_for_another_reason_was_not_moved() -> None:
    scene = Scene()
    scene.request()
    scene.act("request.returned", "2025-03-06", office="KZ-PGO", why="language")
    assert of(counted(scene), "M35.moved") == []


def test_a_correction_that_replaces_counts_as_corrected() -> None:
    scene = Scene()
    signed = scene.request("mla")
    answer = _answered(scene)
    scene.act("record.corrected", "2025-04-01", target=signed, how="replace",
              fields={"kind": "extradition", "partner": "BY"})  # fmt: skip
    scene.act("record.corrected", "2025-04-02", office="KZ-B-01", target=answer, how="replace",
              fields={"outcome": "partial"})  # fmt: skip
    rows = counted(scene)
    assert sums(rows, "M1") == {"out extradition": 1}
    assert sums(rows, "M6") == {"partial": 1}
    assert {row.partner for row in rows} == {"BY"}


def test_a_request_whose_opener_was_disowned_counts_nowhere() -> None:
    scene = Scene()
    signed = scene.request()
    _answered(scene)
    scene.act("record.corrected", "2025-04-01", target=signed, how="disown")
    assert counted(scene) == []


def test_that_its_arrival_is_reported_does_not_keep_a_disowned_request() -> None:
    scene = Scene()
    signed = scene.request()
    scene.act("request.received", "2025-03-05")
    scene.act("record.corrected", "2025-04-01", target=signed, how="disown")
    assert counted(scene) == []


def test_a_request_of_which_something_else_was_disowned_counts() -> None:
    scene = Scene()
    scene.request()
    wrong = _answered(scene)
    scene.act("record.corrected", "2025-04-01", office="KZ-B-01", target=wrong, how="disown")
    rows = counted(scene)
    assert sums(rows, "M1") == {"out direct_exchange": 1}
    assert of(rows, "M6") == []


def test_an_imported_request_without_an_opening_counts_its_documents_and_the_quality_of_its_records() -> None:
    scene = Scene()
    scene.act("step.taken", "2025-03-03")
    scene.act("request.accepted", "2025-03-04", office="KZ-B-01")
    _answered(scene)
    rows = counted(scene)
    assert {row.part for row in rows} == {"M2", "M36"}
    assert {row.partner for row in rows} == {""}


def test_an_arrival_without_content_opens_a_request_of_which_nothing_is_known() -> None:
    scene = Scene()
    scene.act("request.received", "2025-03-03", office="RU-OMS")
    assert sums(counted(scene), "M1") == {"unknown unknown": 1}
