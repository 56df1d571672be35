"""Where a request stands: the table of states, act by act, then ordinary paths, items, tracks and remarks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.catalogue import types_by_name
from ledger.catalogue.base import Sealed
from ledger.errors import FormatError, UnknownVersion
from projections.fold import Fold
from projections.status import StatusFacts, StatusFold, lifecycle, reading
from projections.status.fold import _READ
from projections.status.remarks import MAX_NOTES
from tests.records import DAY, EVENTS, HOUR, START, Story, box, content, record, usual

Act = str | tuple[str, dict[str, Any]]
"""An event's name, and what its data have of their own."""

FOLD: Fold[StatusFacts] = StatusFold()

# The shortest way into each state.  Ids: the n-th act of a story is e-n.
ORAL = ["request.spoken"]
SIGNED = ["request.signed"]
SENT = [*SIGNED, "request.sent"]
RECEIVED = [*SENT, "request.received"]
ACCEPTED = [*RECEIVED, "request.accepted"]
WAYS = {
    "oral": ORAL,
    "signed": SIGNED,
    "sent": SENT,
    "received": RECEIVED,
    "accepted": ACCEPTED,
    "executed": [*ACCEPTED, "request.executed"],
    "refused": [*RECEIVED, "refusal.decided"],
    "answered": [*RECEIVED, "request.answered"],
    "closed": [*RECEIVED, "request.answered", "request.closed"],
    "returned": [*RECEIVED, "request.returned"],
    "withdrawn": [*SIGNED, "request.withdrawn"],
}
KINDS = [
    "extradition",
    "mla",
    "transfer_sentenced",
    "transfer_mental",
    "transfer_prosecution",
    "search_person",
    "asset",
    "law_enforcement",
    "admin_offence",
    "direct_exchange",
    "general_cooperation",
    "initiative",
]


def fold(story: Story) -> StatusFacts:
    """The facts after a story; each of them survives JSON."""
    facts = None
    for each in story.records:
        facts = FOLD.evolve(facts, each)
        assert msgspec.json.decode(msgspec.json.encode(facts), type=StatusFacts) == facts
    assert facts is not None
    return facts


def told(*acts: Act, kind: str = "mla", direction: str = "out") -> Story:
    """A story of acts, an hour apart; those that carry the content get its kind and direction."""
    story = Story()
    for number, act in enumerate(acts):
        name, stated = (act, {}) if isinstance(act, str) else act
        if name in ("request.signed", "request.spoken", "request.confirmed"):
            stated = {"kind": kind, "direction": direction} | stated
        story(name, at=number * HOUR, **stated)
    return story


def after(*acts: Act, kind: str = "mla") -> StatusFacts:
    return fold(told(*acts, kind=kind))


def remarks(facts: StatusFacts) -> list[str]:
    return [remark.code for remark in facts.remarks.first]


def items(facts: StatusFacts) -> list[str]:
    return [item.sort for item in facts.items]


# -- The table of states ------------------------------------------------------------------------------------

# given state, when act, then state and ball; kinds
TABLE = [
    ("oral", "request.confirmed", {}, "received", "requested"),
    ("signed", "request.scoped", {}, "signed", "requesting"),
    ("signed", "request.sent", {}, "sent", "requested"),
    ("sent", "request.received", {}, "received", "requested"),
    ("sent", "request.forwarded", {}, "received", "requested"),
    ("received", "request.forwarded", {}, "received", "requested"),
    ("received", "information.requested", {}, "received", "requesting"),
    ("received", "authenticity.doubted", {}, "received", "requesting"),
    ("accepted", "authenticity.doubted", {}, "accepted", "requesting"),
    ("oral", "request.accepted", {}, "accepted", "requesting"),  # the confirmation is still owed
    ("received", "request.accepted", {}, "accepted", "requested"),
    ("received", "consultation.held", {}, "received", "requested"),
    ("accepted", "consultation.held", {}, "accepted", "requested"),
    ("received", "condition.proposed", {}, "received", "requesting"),
    ("accepted", "condition.proposed", {}, "accepted", "requesting"),
    ("received", "refusal.decided", {"scope": "full"}, "refused", "requested"),
    ("accepted", "refusal.decided", {"scope": "full"}, "refused", "requested"),
    ("received", "refusal.decided", {"scope": "partial"}, "accepted", "requested"),
    ("accepted", "refusal.decided", {"scope": "partial"}, "accepted", "requested"),
    ("refused", "refusal.notified", {}, "answered", "requesting"),
    ("accepted", "measure.performed", {}, "accepted", "requested"),
    ("accepted", "document.served", {}, "accepted", "requested"),
    ("received", "request.executed", {}, "executed", "requested"),
    ("accepted", "request.executed", {}, "executed", "requested"),
    ("received", "request.answered", {"final": True}, "answered", "requesting"),
    ("accepted", "request.answered", {"final": True}, "answered", "requesting"),
    ("executed", "request.answered", {"final": True}, "answered", "requesting"),
    ("refused", "request.answered", {"final": True}, "answered", "requesting"),
    ("received", "request.answered", {"final": False}, "received", "requested"),
    ("accepted", "request.answered", {"final": False}, "accepted", "requested"),
    ("executed", "request.answered", {"final": False}, "executed", "requested"),
    ("refused", "request.answered", {"final": False}, "refused", "requested"),
    ("received", "request.returned", {}, "returned", "requesting"),
    ("oral", "request.withdrawn", {}, "withdrawn", "requested"),
    ("signed", "request.withdrawn", {}, "withdrawn", "requested"),
    ("sent", "request.withdrawn", {}, "withdrawn", "requested"),
    ("received", "request.withdrawn", {}, "withdrawn", "requested"),
    ("accepted", "request.withdrawn", {}, "withdrawn", "requested"),
    ("executed", "request.withdrawn", {}, "withdrawn", "requested"),
    ("refused", "request.withdrawn", {}, "withdrawn", "requested"),
    ("answered", "request.closed", {}, "closed", "nobody"),
    ("refused", "request.closed", {"outcome": "refused"}, "closed", "nobody"),
    ("returned", "request.closed", {"outcome": "returned"}, "closed", "nobody"),
    ("withdrawn", "request.closed", {"outcome": "withdrawn"}, "closed", "nobody"),
    ("closed", "request.reopened", {}, "received", "requested"),
]


@pytest.mark.parametrize(
    ("state", "act", "stated", "then", "ball"), TABLE, ids=[f"{r[0]}-{r[1]}-{r[3]}" for r in TABLE]
)
def test_an_act_that_is_expected_moves_as_the_table_says(
    state: str, act: str, stated: dict[str, Any], then: str, ball: str
) -> None:
    given = WAYS[state]
    assert after(*given).state == state
    facts = after(*given, (act, stated))
    assert (facts.state, facts.ball.side) == (then, ball)
    assert remarks(facts) == []


@pytest.mark.parametrize(
    ("act", "state", "ball"),
    [
        ("request.signed", "signed", "requesting"),
        ("request.spoken", "oral", "requesting"),
        ("request.received", "received", "requested"),
    ],
)
@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_opened_by_a_signature_a_word_or_an_arrival(
    kind: str, direction: str, act: str, state: str, ball: str
) -> None:
    story = Story()
    story(act, **content(kind=kind, direction=direction))
    facts = fold(story)
    assert (facts.state, facts.ball.side, facts.opener) == (state, ball, act)
    assert facts.content is not None
    assert (facts.content.kind, facts.content.direction) == (kind, direction)
    assert not facts.assumed
    assert remarks(facts) == []


# Acts of execution: the kinds they are expected of, and the state that follows `accepted`.
EXECUTION: list[tuple[str, dict[str, Any], str, set[str]]] = [
    ("person.located", {}, "accepted", {"extradition", "search_person"}),
    ("person.detained", {}, "accepted", {"extradition", "search_person"}),
    ("person.released", {}, "accepted", {"extradition", "search_person"}),
    (
        "decision.granted",
        {},
        "accepted",
        {"extradition", "transfer_sentenced", "transfer_mental", "transfer_prosecution", "asset"},
    ),
    ("prosecution.takenover", {}, "accepted", {"transfer_prosecution"}),
    ("prosecution.concluded", {}, "executed", {"transfer_prosecution"}),
    ("measure.performed", {}, "accepted", {"mla", "law_enforcement", "admin_offence"}),
    ("document.served", {}, "accepted", {"mla", "law_enforcement", "admin_offence"}),
    ("asset.traced", {}, "accepted", {"asset", "mla"}),
    ("asset.restrained", {}, "accepted", {"asset", "mla"}),
    ("asset.released", {}, "accepted", {"asset", "mla"}),
    ("asset.confiscated", {}, "accepted", {"asset", "mla"}),
    ("asset.returned", {"money": {"amount": "0", "currency": "EUR"}}, "accepted", {"asset", "mla"}),
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "initiative"])
@pytest.mark.parametrize(("act", "stated", "then", "kinds"), EXECUTION, ids=[row[0] for row in EXECUTION])
def test_an_act_of_execution_is_expected_of_its_kinds_alone(
    kind: str, act: str, stated: dict[str, Any], then: str, kinds: set[str]
) -> None:
    facts = after(*ACCEPTED, (act, stated), kind=kind)
    expected = (then, []) if kind in kinds else ("accepted", ["out_of_order"])
    assert (facts.state, remarks(facts)) == expected
    assert facts.ball.side == "requested"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "initiative"])
@pytest.mark.parametrize(("what", "then"), [("extradition", "executed"), ("temporary", "accepted")])
def test_a_handover_executes_unless_it_is_temporary(kind: str, what: str, then: str) -> None:
    granted = ("decision.granted", {"what": "extradition"})
    facts = after(*ACCEPTED, granted, ("person.handedover", {"what": what}), kind=kind)
    if kind in {"extradition", "transfer_sentenced", "transfer_mental"}:
        assert (facts.state, remarks(facts)) == (then, [])
    else:
        assert facts.state == "accepted"
        assert remarks(facts)[-1] == "out_of_order"


@pytest.mark.parametrize(("act", "stated", "then", "kinds"), EXECUTION, ids=[row[0] for row in EXECUTION])
def test_an_oral_request_may_be_worked_on_before_it_is_accepted(
    act: str, stated: dict[str, Any], then: str, kinds: set[str]
) -> None:
    for kind in sorted(kinds):
        facts = after(*ORAL, (act, stated), kind=kind)
        assert (facts.state, remarks(facts)) == ("oral" if then == "accepted" else then, [])


def test_an_initiative_is_not_accepted_for_execution() -> None:
    facts = after(*RECEIVED, "request.accepted", kind="initiative")
    assert (facts.state, remarks(facts)) == ("received", ["out_of_order"])


def test_property_leaves_a_request_accepted_until_it_is_executed() -> None:
    acts: list[Act] = ["asset.traced", "asset.restrained", "asset.confiscated", "asset.returned"]
    assert after(*ACCEPTED, *acts, kind="asset").state == "accepted"
    assert after(*ACCEPTED, *acts, "request.executed", kind="asset").state == "executed"


@pytest.mark.parametrize("state", WAYS)
@pytest.mark.parametrize("act", sorted({row[1] for row in TABLE} - {"request.confirmed", "refusal.notified"}))
def test_an_act_in_a_state_without_a_row_for_it_moves_nothing(state: str, act: str) -> None:
    oral = {"request.executed", "request.answered", "measure.performed", "document.served"}
    if any(row[0] == state and row[1] == act for row in TABLE) or (state == "oral" and act in oral):
        return
    if (state, act) == ("refused", "consultation.held"):
        return
    facts = after(*WAYS[state], act)
    assert facts.state == state
    assert remarks(facts) == ["after_closure" if state == "closed" else "out_of_order"]
    assert facts.remarks.first[0].event == act
    assert facts.remarks.first[0].index == 10 * (len(WAYS[state]) + 1)


# -- Ordinary paths -----------------------------------------------------------------------------------------

BETWEEN: dict[str, list[Act]] = {
    "extradition": ["person.detained", "request.accepted", "decision.granted", "person.handedover"],
    "mla": ["request.accepted", "measure.performed", "document.served", "request.executed"],
    "law_enforcement": ["request.accepted", "measure.performed", "request.executed"],
    "admin_offence": ["request.accepted", "document.served", "request.executed"],
    "transfer_sentenced": [
        "request.accepted",
        ("decision.granted", {"what": "transfer_sentenced"}),
        ("person.handedover", {"what": "transfer_sentenced"}),
    ],
    "transfer_mental": [
        "request.accepted",
        ("decision.granted", {"what": "transfer_mental"}),
        ("person.handedover", {"what": "transfer_mental"}),
    ],
    "transfer_prosecution": [
        "request.accepted",
        "prosecution.takenover",
        ("request.answered", {"final": False}),
        "prosecution.concluded",
    ],
    "search_person": ["request.accepted", "person.located"],
    "asset": [
        "request.accepted",
        "asset.traced",
        "asset.restrained",
        "asset.confiscated",
        "asset.returned",
        "request.executed",
    ],
    "direct_exchange": ["material.sent"],
    "general_cooperation": ["material.sent"],
    "initiative": [],
}


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_ordinary_path_of_each_kind_ends_closed_without_a_remark(kind: str, direction: str) -> None:
    path = [*RECEIVED, *BETWEEN[kind], "request.answered", "request.closed"]
    facts = fold(told(*path, kind=kind, direction=direction))
    assert (facts.state, facts.ball.side, facts.ball.office) == ("closed", "nobody", "")
    assert (facts.remarks.count, facts.items, facts.records) == (0, (), len(path))
    assert (facts.outcome, facts.closed_as) == ("granted", "done")


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_first_seen_on_arrival_takes_the_same_path(kind: str) -> None:
    story = Story()
    story("request.received", **content(kind=kind, direction="in"))
    for act in [*BETWEEN[kind], "request.answered", "request.closed"]:
        name, stated = (act, {}) if isinstance(act, str) else act
        story(name, **stated)
    facts = fold(story)
    assert (facts.state, facts.remarks.count) == ("closed", 0)


def test_a_search_may_find_nobody() -> None:
    facts = after(*ACCEPTED, ("request.executed", {"outcome": "impossible"}), "request.answered", kind="search_person")
    assert (facts.state, facts.execution, remarks(facts)) == ("answered", "impossible", [])


# -- Acts out of order --------------------------------------------------------------------------------------


def test_a_first_act_that_opens_nothing_leaves_the_content_unknown() -> None:
    facts = after("step.taken")
    assert (facts.state, facts.content, facts.assumed) == ("received", None, True)
    assert (facts.ball.side, facts.ball.office, facts.ball.since) == ("requested", "", START)
    assert (remarks(facts), facts.opened, facts.state_since) == (["no_opening"], START, START)


OPENERS = {"request.signed", "request.spoken", "request.received", "request.confirmed"}


@pytest.mark.parametrize("act", sorted(set(EVENTS) - OPENERS))
def test_every_other_first_act_is_taken_with_the_remark_no_opening(act: str) -> None:
    facts = after(act)
    assert remarks(facts)[0] == "no_opening"
    assert "out_of_order" not in remarks(facts)
    # Nothing is known, so the request is taken for received, and the act has the effect that it has there.
    steps = {"request.sent": "sent", "request.accepted": "accepted", "request.executed": "executed"}
    steps |= {"refusal.decided": "refused", "request.answered": "answered", "refusal.notified": "answered"}
    steps |= {"person.handedover": "executed", "request.returned": "returned"}
    steps |= {"request.withdrawn": "withdrawn"}
    assert facts.state == steps.get(act, "received")


def test_an_arrival_without_content_opens_nothing() -> None:
    facts = after("request.received")
    assert (facts.state, facts.content, remarks(facts)) == ("received", None, ["no_opening"])


@pytest.mark.parametrize(
    ("act", "state"),
    [("request.signed", "signed"), ("request.spoken", "oral"), ("request.sent", "sent")],
)
def test_a_request_that_is_only_taken_for_received_may_still_be_opened_or_sent(act: str, state: str) -> None:
    facts = after("step.taken", act)
    assert (facts.state, facts.assumed, remarks(facts)) == (state, False, ["no_opening"])
    assert facts.state_since == START + HOUR


def test_an_opening_that_comes_late_tells_the_content_and_moves_nothing() -> None:
    facts = after("request.accepted", "request.signed")
    assert (facts.state, facts.opener, facts.opened) == ("accepted", "request.signed", START + HOUR)
    assert facts.content is not None
    assert remarks(facts) == ["no_opening", "out_of_order"]


def test_sent_without_a_signature_is_sent() -> None:
    facts = after("request.sent", "request.received")
    assert (facts.state, remarks(facts)) == ("received", ["no_opening"])


def test_an_act_in_spite_of_an_open_doubt_moves() -> None:
    facts = after(*RECEIVED, "authenticity.doubted", "request.accepted", "measure.performed")
    assert (facts.state, items(facts), remarks(facts)) == ("accepted", ["doubt"], [])


@pytest.mark.parametrize(
    ("act", "then"),
    [
        ("request.accepted", "accepted"),
        ("measure.performed", "oral"),
        ("request.executed", "executed"),
        ("request.answered", "answered"),
        (("request.answered", {"final": False}), "oral"),
    ],
)
def test_an_oral_request_may_be_executed_before_it_is_confirmed(act: Act, then: str) -> None:
    facts = after("request.spoken", act)
    assert (facts.state, items(facts), remarks(facts)) == (then, ["confirmation"], [])


def test_a_confirmation_keeps_a_later_state() -> None:
    facts = after("request.spoken", "request.accepted", "request.executed", "request.confirmed")
    assert (facts.state, items(facts), remarks(facts)) == ("executed", [], [])
    assert facts.ball.side == "requested"


def test_a_confirmation_of_nothing_is_like_a_signature() -> None:
    facts = after("request.confirmed")
    assert (facts.state, facts.opener) == ("signed", "request.confirmed")
    assert remarks(facts) == ["confirms_nothing"]
    assert remarks(after(*RECEIVED, "request.confirmed")) == ["confirms_nothing"]
    assert after(*RECEIVED, "request.confirmed").state == "received"


def test_a_second_confirmation_is_out_of_order() -> None:
    facts = after("request.spoken", "request.confirmed", "request.confirmed")
    assert (facts.state, remarks(facts)) == ("received", ["out_of_order"])


def test_a_confirmation_that_names_another_event_confirms_all_the_same() -> None:
    facts = after("request.spoken", ("request.confirmed", {"confirms": "e-77"}))
    assert (facts.state, items(facts), remarks(facts)) == ("received", [], [])


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({}, False),
        ({"legal_basis": ["cis-mla-1993", "un-cac-2003"]}, True),
        ({"requested": "KZ-MTP"}, True),
        ({"grounds": box(filled=False)}, True),
        ({"other": box()}, True),
        ({"other": box(filled=False)}, False),  # to say nothing is to be silent
        ({"topics": []}, False),
        ({"topics": ["drugs"]}, True),
        ({"purposes": [{"purpose": "criminal_case"}]}, True),
        ({"substance": box() | {"box": "AAAA"}}, False),  # nobody can compare what is sealed
    ],
)
def test_a_confirmation_that_says_something_else_is_remarked(changed: dict[str, Any], seen: bool) -> None:
    facts = after("request.spoken", ("request.confirmed", changed))
    assert (facts.state, remarks(facts)) == ("received", ["content_changed"] if seen else [])


def test_the_order_of_a_list_is_no_content() -> None:
    facts = after(
        ("request.spoken", {"legal_basis": ["a", "b"]}),
        ("request.confirmed", {"legal_basis": ["b", "a"]}),
    )
    assert remarks(facts) == []


def test_the_writing_counts() -> None:
    facts = after("request.spoken", ("request.confirmed", {"partner": "KG"}))
    assert facts.content is not None
    assert facts.content.partner == "KG"


def test_a_consultation_after_the_refusal_is_taken() -> None:
    facts = after(*WAYS["refused"], "consultation.held")
    assert (facts.state, remarks(facts)) == ("refused", [])


def test_a_refusal_without_consultation_earns_no_remark_here() -> None:
    assert remarks(after(*RECEIVED, "refusal.decided")) == []


@pytest.mark.parametrize("state", ["oral", "signed", "sent", "received", "accepted", "executed"])
def test_a_refusal_told_without_a_decision_answers(state: str) -> None:
    facts = after(*WAYS[state], "refusal.notified")
    assert (facts.state, facts.outcome, remarks(facts)) == ("answered", "refused", ["no_decision"])


@pytest.mark.parametrize("state", ["answered", "returned", "withdrawn"])
def test_a_refusal_told_without_a_decision_moves_nothing_back(state: str) -> None:
    facts = after(*WAYS[state], "refusal.notified")
    assert (facts.state, remarks(facts)) == (state, ["no_decision"])


@pytest.mark.parametrize("state", ["oral", "signed", "sent", "received", "accepted"])
def test_a_handover_without_a_decision_executes(state: str) -> None:
    facts = after(*WAYS[state], "person.handedover", kind="extradition")
    assert (facts.state, remarks(facts)) == ("executed", ["no_decision"])


@pytest.mark.parametrize("state", ["executed", "answered", "returned", "withdrawn"])
@pytest.mark.parametrize("what", ["extradition", "temporary"])
def test_a_handover_without_a_decision_moves_nothing_back(state: str, what: str) -> None:
    facts = after(*WAYS[state], ("person.handedover", {"what": what}), kind="extradition")
    assert (facts.state, remarks(facts)) == (state, ["no_decision"])


def test_a_temporary_handover_needs_a_decision_too() -> None:
    facts = after(*ACCEPTED, ("person.handedover", {"what": "temporary"}), kind="extradition")
    assert (facts.state, remarks(facts)) == ("accepted", ["no_decision"])
    granted: list[Act] = [*ORAL, "decision.granted", ("person.handedover", {"what": "temporary"})]
    facts = after(*granted, kind="extradition")
    assert (facts.state, remarks(facts)) == ("oral", [])


@pytest.mark.parametrize("state", ["oral", "signed", "sent", "received"])
def test_a_handover_executes_even_what_was_never_accepted(state: str) -> None:
    facts = after(*WAYS[state], "decision.granted", "person.handedover", kind="extradition")
    assert facts.state == "executed"
    assert remarks(facts) == ([] if state == "oral" else ["out_of_order", "out_of_order"])


def test_a_handover_of_somebody_else_than_was_decided_on_has_no_decision() -> None:
    facts = after(*ACCEPTED, "decision.granted", ("person.handedover", {"person": "p-8"}), kind="extradition")
    assert remarks(facts) == ["no_decision"]


def test_a_decision_that_names_nobody_covers_everybody() -> None:
    story = told(*ACCEPTED, kind="extradition")
    granted = story("decision.granted")
    data = msgspec.json.decode(granted.event.data)
    del data["person"]
    story.records[-1] = msgspec.structs.replace(
        granted, event=msgspec.structs.replace(granted.event, data=msgspec.Raw(msgspec.json.encode(data)))
    )
    story("person.handedover", person="p-8")
    assert remarks(fold(story)) == []


def test_a_decision_about_property_is_none_about_a_person() -> None:
    confiscation = ("decision.granted", {"what": "confiscation", "asset": "a-1"})
    assert remarks(after(*ACCEPTED, confiscation, "person.handedover", kind="extradition")) == ["no_decision"]


def test_answered_before_accepted_is_answered() -> None:
    facts = after(*RECEIVED, "request.answered")
    assert (facts.state, remarks(facts)) == ("answered", [])


def test_more_returned_than_confiscated_is_remarked_per_asset_and_currency() -> None:
    def euros(amount: str) -> dict[str, object]:
        return {"money": {"amount": amount, "currency": "EUR"}}

    given: list[Act] = [*ACCEPTED, ("asset.confiscated", euros("100.50"))]
    assert remarks(after(*given, ("asset.returned", euros("100.5")), kind="asset")) == []
    twice = after(*given, ("asset.returned", euros("100.49")), ("asset.returned", euros("0.010001")), kind="asset")
    assert remarks(twice) == ["amount_exceeds"]
    assert twice.assets[0].sums[0].returned == "100.500001"
    dollars = {"money": {"amount": "1", "currency": "USD"}}
    assert remarks(after(*given, ("asset.returned", dollars), kind="asset")) == ["amount_exceeds"]
    other = ("asset.returned", {"asset": "a-2"} | euros("1"))
    assert remarks(after(*given, other, kind="asset")) == ["amount_exceeds"]


@pytest.mark.parametrize("act", sorted(EVENTS))
def test_after_closure_only_speech_about_records_and_materials_earns_no_remark(act: str) -> None:
    facts = after(*WAYS["closed"], act)
    if act == "request.reopened":
        assert (facts.state, remarks(facts)) == ("received", [])
        return
    assert facts.state == "closed"
    assert facts.ball.side == ("supplying" if act == "consent.requested" else "nobody")
    quiet = act in lifecycle.UNBOUND
    assert [code for code in remarks(facts) if code != "amount_exceeds"] == ([] if quiet else ["after_closure"])


@pytest.mark.parametrize("state", WAYS)
@pytest.mark.parametrize("act", sorted(lifecycle.UNBOUND))
def test_steps_materials_and_speech_about_records_move_no_state_and_earn_no_remark(state: str, act: str) -> None:
    before = after(*WAYS[state])
    facts = after(*WAYS[state], act)
    assert (facts.state, facts.state_since, facts.remarks) == (state, before.state_since, before.remarks)
    assert facts.records == before.records + 1
    assert facts.last.event == act


@pytest.mark.parametrize("state", [state for state in WAYS if state != "closed"])
@pytest.mark.parametrize("act", ["cost.incurred", "cost.agreed", "condition.lifted"])
def test_costs_and_lifted_conditions_belong_to_no_state(state: str, act: str) -> None:
    facts = after(*WAYS[state], act)
    assert (facts.state, remarks(facts)) == (state, [])


def test_every_type_of_a_request_is_in_the_table_or_expressly_not() -> None:
    known = {row.name for row in types_by_name().values() if "request" in row.sorts}
    assert known == lifecycle.ACTS | lifecycle.UNBOUND
    assert not lifecycle.ACTS & lifecycle.UNBOUND
    assert known == set(EVENTS)


def test_an_event_claimed_later_than_admitted_is_marked_and_counts_when_admitted() -> None:
    story = Story()
    story("request.signed", at=2 * HOUR, admitted=HOUR)
    facts = fold(story)
    assert facts.opened == facts.last.time == START + HOUR
    assert [mark.code for mark in facts.marks.first] == ["future_dated"]
    assert facts.remarks.count == 0
    story("step.taken", at=5 * HOUR, admitted=4 * HOUR)
    assert fold(story).marks.count == 2


def test_an_event_claimed_long_before_it_was_admitted_counts_when_claimed() -> None:
    story = Story()
    story("request.signed", at=0, admitted=3 * DAY)
    facts = fold(story)
    assert (facts.opened, facts.state_since, facts.ball.since) == (START, START, START)
    assert (facts.marks.count, facts.last.admitted) == (0, START + 3 * DAY)


def test_remarks_without_number_are_counted_and_not_all_kept() -> None:
    acts: list[Act] = ["request.scoped"] * (MAX_NOTES + 5)
    facts = after(*RECEIVED, *acts)
    assert (facts.remarks.count, len(facts.remarks.first)) == (MAX_NOTES + 5, MAX_NOTES)
    assert facts.remarks.first[0].index == 40


# -- Open items and the ball --------------------------------------------------------------------------------

ITEMS = [
    ("confirmation", [], "request.spoken", {}, ("request.confirmed", {}), "requesting", "RU-OMS"),
    ("doubt", RECEIVED, "authenticity.doubted", {"asked_of": "RU-PGO"},
     ("authenticity.answered", {}), "requesting", "RU-PGO"),
    ("information", RECEIVED, "information.requested", {"to": "RU-GUMPS"},
     ("information.supplied", {}), "requesting", "RU-GUMPS"),
    ("condition", RECEIVED, "condition.proposed", {},
     ("condition.answered", {"accepted": False}), "requesting", "RU-OMS"),
    ("condition", RECEIVED, "condition.proposed", {}, ("condition.lifted", {}), "requesting", "RU-OMS"),
    ("refusal_notice", ACCEPTED, "refusal.decided", {"scope": "partial"},
     ("refusal.notified", {}), "requested", "KZ-B-01"),
    ("consent", RECEIVED, "consent.requested", {"of": "KZ-MTP"},
     ("consent.answered", {"granted": False}), "supplying", "KZ-MTP"),
]  # fmt: skip


@pytest.mark.parametrize(("sort", "given", "act", "stated", "answer", "side", "office"), ITEMS)
def test_an_item_waits_for_one_side_until_it_is_answered(
    sort: str,
    given: list[Act],
    act: str,
    stated: dict[str, Any],
    answer: tuple[str, dict[str, Any]],
    side: str,
    office: str,
) -> None:
    opened_by = f"e-{len(given) + 1}"
    opened = after(*given, (act, stated))
    since = START + HOUR * len(given)
    (item,) = opened.items
    assert (item.sort, item.side, item.office) == (sort, side, office)
    assert (item.since, item.index) == (since, 10 * (len(given) + 1))
    assert item.ref == ("c-1" if sort == "condition" else opened_by)
    assert (opened.ball.side, opened.ball.office) == (side, office)

    name, said = answer
    names = {"information.supplied": "answers", "authenticity.answered": "answers"}
    names |= {"request.confirmed": "confirms", "refusal.notified": "decision", "consent.answered": "answers"}
    if name in names:
        said = said | {names[name]: opened_by}
    closed = after(*given, (act, stated), (name, said))
    assert (closed.items, closed.state) == ((), "received" if sort == "confirmation" else opened.state)
    assert remarks(closed) == []
    assert closed.ball.side == "requested"
    if closed.ball != opened.ball:
        assert closed.ball.since == since + HOUR


def test_the_state_has_its_clock_and_the_item_has_its_own() -> None:
    facts = after(*RECEIVED, "step.taken", "information.requested")
    assert facts.state_since == START + 2 * HOUR
    assert facts.items[0].since == facts.ball.since == START + 4 * HOUR


def test_the_oldest_item_decides_by_effective_time_and_all_are_shown() -> None:
    story = told(*RECEIVED)
    story("refusal.decided", scope="partial", at=10 * HOUR)
    story("information.requested", to="RU-PGO", at=5 * HOUR, admitted=11 * HOUR)
    facts = fold(story)
    assert items(facts) == ["refusal_notice", "information"]
    assert (facts.ball.side, facts.ball.office, facts.ball.since) == ("requesting", "RU-PGO", START + 5 * HOUR)
    story("information.supplied", answers="e-5", at=12 * HOUR)
    facts = fold(story)
    assert (facts.ball.side, facts.ball.since) == ("requested", START + 12 * HOUR)


@pytest.mark.parametrize(
    ("act", "stated"),
    [
        ("information.supplied", {"answers": "e-77"}),
        ("authenticity.answered", {"answers": "e-77"}),
        ("condition.answered", {"condition": "c-77"}),
    ],
)
def test_an_answer_to_nothing_that_is_open_closes_nothing(act: str, stated: dict[str, Any]) -> None:
    questions = ["information.requested", "authenticity.doubted", "condition.proposed"]
    facts = after(*RECEIVED, *questions, (act, stated))
    assert (items(facts), remarks(facts)) == (["information", "doubt", "condition"], ["out_of_order"])


def test_the_answer_to_a_question_is_expected_in_any_state() -> None:
    asked: list[Act] = [*RECEIVED, "information.requested", "request.accepted", "request.executed"]
    facts = after(*asked, ("information.supplied", {"answers": "e-4"}))
    assert (facts.state, items(facts), remarks(facts)) == ("executed", [], [])


def test_a_question_out_of_order_waits_all_the_same() -> None:
    facts = after(*ACCEPTED, "information.requested")
    assert (items(facts), facts.ball.side, remarks(facts)) == (
        ["information"],
        "requesting",
        ["out_of_order"],
    )


@pytest.mark.parametrize("given", [RECEIVED, ACCEPTED])
def test_a_request_that_is_not_authentic_is_returned(given: list[Act]) -> None:
    doubt = f"e-{len(given) + 1}"
    answer = ("authenticity.answered", {"answers": doubt, "authentic": False})
    facts = after(*given, "authenticity.doubted", answer)
    assert (facts.state, items(facts), facts.ball.side, remarks(facts)) == ("returned", [], "requesting", [])


def test_that_an_executed_request_was_not_authentic_moves_nothing() -> None:
    answer = ("authenticity.answered", {"answers": "e-5", "authentic": False})
    facts = after(*ACCEPTED, "authenticity.doubted", "request.executed", answer)
    assert (facts.state, items(facts), remarks(facts)) == ("executed", [], [])


def test_a_partial_refusal_told_leaves_the_rest_accepted() -> None:
    facts = after(*ACCEPTED, ("refusal.decided", {"scope": "partial"}), ("refusal.notified", {"decision": "e-5"}))
    assert (facts.state, items(facts), remarks(facts)) == ("accepted", [], [])


def test_a_full_refusal_after_a_partial_one_leaves_the_first_notice_open() -> None:
    partial = ("refusal.decided", {"scope": "partial"})
    given: list[Act] = [*RECEIVED, partial, "refusal.decided"]
    facts = after(*given, ("refusal.notified", {"decision": "e-5"}))
    assert (facts.state, items(facts), facts.ball.side) == ("answered", ["refusal_notice"], "requested")
    facts = after(*given, ("refusal.notified", {"decision": "e-4"}))
    assert (facts.state, items(facts)) == ("refused", [])


def test_a_notice_of_what_was_told_already_is_out_of_order() -> None:
    facts = after(*WAYS["refused"], "refusal.notified", "refusal.notified")
    assert (facts.state, remarks(facts)) == ("answered", ["out_of_order"])


def test_what_was_left_open_stays_shown_but_nobody_owes_it_after_the_end() -> None:
    facts = after(*RECEIVED, "information.requested", "request.answered", "request.closed")
    assert (items(facts), facts.ball.side) == (["information"], "nobody")
    facts = after(*RECEIVED, "information.requested", "request.withdrawn")
    assert (items(facts), facts.ball.side) == (["information"], "requested")


def test_what_was_left_open_counts_again_when_the_file_is_opened_again() -> None:
    facts = after(*RECEIVED, "information.requested", "request.answered", "request.closed", "request.reopened")
    assert (facts.state, facts.ball.side, facts.ball.since) == ("received", "requesting", START + 6 * HOUR)


def test_a_consent_without_reference_answers_the_oldest_question_to_that_office() -> None:
    asked: list[Act] = [("consent.requested", {"of": "KZ-MTP"}), ("consent.requested", {"of": "KZ-PGO"})]
    facts = after(*RECEIVED, *asked, ("consent.answered", {"by": "KZ-PGO"}))
    assert [item.office for item in facts.items] == ["KZ-MTP"]
    facts = after(*RECEIVED, *asked, ("consent.answered", {"by": "KZ-B-01"}))
    assert len(facts.items) == 2
    assert remarks(facts) == []


def test_a_spoken_word_about_what_is_in_writing_needs_no_confirmation() -> None:
    facts = after("request.signed", "request.spoken")
    assert (items(facts), remarks(facts)) == ([], ["out_of_order"])


OFFICES = [
    (["request.signed"], "RU-OMS", 0),
    ([*SIGNED, ("request.sent", {"to": "KZ-DIC"})], "KZ-DIC", 1),
    ([*SENT, ("request.received", {"to": "KZ-DIC"})], "KZ-DIC", 2),
    ([*SENT, ("request.received", {"to": "KZ-PGO"})], "KZ-PGO", 1),  # the same office holds it on
    ([*RECEIVED, ("request.forwarded", {"to": "KZ-MTP"})], "KZ-MTP", 3),
    ([*RECEIVED, ("request.accepted", {"executing": "KZ-B-02"})], "KZ-B-02", 3),
    ([*ACCEPTED, "request.executed"], "KZ-B-01", 3),
    ([*RECEIVED, ("request.answered", {"to": "RU-GUMPS"})], "RU-GUMPS", 3),
    ([*RECEIVED, ("request.returned", {"to": "RU-GUMPS"})], "RU-GUMPS", 3),
    ([*ACCEPTED, "request.withdrawn"], "KZ-B-01", 3),
    (WAYS["closed"], "", 4),
    ([*ACCEPTED, "request.answered", "request.closed", "request.reopened"], "KZ-B-01", 6),
]


@pytest.mark.parametrize(("acts", "office", "since"), OFFICES)
def test_the_ball_lies_with_an_office_since_it_came_there(acts: list[Act], office: str, since: int) -> None:
    ball = after(*acts).ball
    assert (ball.office, ball.since) == (office, START + since * HOUR)


def test_a_forwarding_out_of_order_does_not_move_the_ball() -> None:
    facts = after(*ACCEPTED, ("request.forwarded", {"to": "KZ-MTP"}))
    assert facts.ball.office == "KZ-B-01"


# -- Persons and property -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acts", "state"),
    [
        (["person.located"], "located"),
        (["person.located", "person.detained"], "detained"),
        (["person.detained", "person.located"], "detained"),
        (["person.detained", "decision.granted"], "granted"),
        (["decision.granted", "person.detained"], "granted"),
        (["person.detained", "decision.granted", "person.handedover"], "handed_over"),
        (["person.detained", "person.released"], "released"),
        (["person.released", "person.detained"], "detained"),
        (["person.released", "decision.granted"], "released"),
        (["decision.granted", ("person.handedover", {"what": "temporary"})], "lent"),
        (["decision.granted", ("person.handedover", {"what": "temporary"}), "person.detained"], "detained"),
        (["decision.granted", ("person.handedover", {"what": "temporary"}), "person.handedover"], "handed_over"),
        (["decision.granted", "person.handedover", "person.released"], "handed_over"),
    ],
)
def test_a_person_has_a_state(acts: list[Act], state: str) -> None:
    facts = after(*ACCEPTED, *acts, kind="extradition")
    (person,) = facts.persons
    assert (person.person, person.state) == ("p-7", state)


def test_each_person_has_a_state_and_a_clock() -> None:
    acts: list[Act] = ["person.located", ("person.located", {"person": "p-8"}), "person.detained"]
    first, second = after(*ACCEPTED, *acts, kind="extradition").persons
    assert (first.person, first.state, first.since, first.index) == ("p-7", "detained", START + 6 * HOUR, 70)
    assert (second.person, second.state, second.since, second.index) == ("p-8", "located", START + 5 * HOUR, 60)


@pytest.mark.parametrize(
    ("acts", "state"),
    [
        (["asset.traced"], "traced"),
        (["asset.traced", "asset.restrained"], "restrained"),
        (["asset.restrained", "asset.traced"], "restrained"),
        (["asset.restrained", "asset.confiscated"], "confiscated"),
        (["asset.confiscated", "asset.restrained"], "confiscated"),
        (["asset.restrained", "asset.confiscated", "asset.returned"], "returned"),
        (["asset.restrained", "asset.returned", ("asset.released", {"why": "returned"})], "returned"),
        (["asset.traced", "asset.released"], "released"),
        (["asset.restrained", "asset.released"], "released"),
        (["asset.restrained", "asset.confiscated", "asset.released"], "released"),
        (["asset.restrained", "asset.released", ("asset.restrained", {})], "restrained"),
        (["asset.restrained", ("asset.released", {"money": {"amount": "99.99", "currency": "EUR"}})], "restrained"),
        (["asset.restrained", ("asset.released", {"money": {"amount": "100", "currency": "USD"}})], "restrained"),
    ],
)  # fmt: skip
def test_an_asset_has_a_state(acts: list[Act], state: str) -> None:
    facts = after(*ACCEPTED, *acts, kind="asset")
    (asset,) = facts.assets
    assert (asset.asset, asset.state) == ("a-1", state)


def test_amounts_are_summed_exactly_per_asset_and_currency() -> None:
    huge = {"amount": "999999999999999999.999999", "currency": "EUR"}
    acts: list[Act] = [
        "asset.traced",
        ("asset.restrained", {"money": huge}),
        ("asset.restrained", {"money": huge}),
        ("asset.restrained", {"money": {"amount": "0.000001", "currency": "EUR"}}),
        ("asset.restrained", {"money": {"amount": "5", "currency": "USD"}}),
        ("asset.restrained", {"asset": "a-2"}),
    ]
    first, second = after(*ACCEPTED, *acts, kind="asset").assets
    assert (first.sort, second.sort) == ("funds", "")
    assert [(sums.currency, sums.restrained) for sums in first.sums] == [
        ("EUR", "1999999999999999999.999999"),
        ("USD", "5"),
    ]
    assert [(sums.currency, sums.restrained, sums.returned) for sums in second.sums] == [("EUR", "100", "0")]


def test_tracks_follow_what_happened_even_where_it_was_out_of_order() -> None:
    facts = after(*WAYS["closed"], "asset.confiscated", "person.located")
    assert [asset.state for asset in facts.assets] == ["confiscated"]
    assert [person.state for person in facts.persons] == ["located"]


# -- What a reviewer sees -----------------------------------------------------------------------------------


def test_the_content_is_what_the_request_says_of_itself() -> None:
    links = [{"request": "2024-9", "relation": "follows"}]
    said = after(("request.signed", {"links": links})).content
    assert said is not None
    assert (said.kind, said.direction, said.partner) == ("mla", "out", "KZ")
    assert (said.requesting, said.requested, said.legal_basis) == ("RU-OMS", "KZ-PGO", ("cis-mla-1993",))
    assert [(link.request, link.relation) for link in said.links] == [("2024-9", "follows")]


def test_the_last_record_is_named() -> None:
    facts = after(*RECEIVED, "step.taken")
    assert (facts.last.event, facts.last.time, facts.last.index) == ("step.taken", START + 3 * HOUR, 40)
    assert facts.records == 4


def test_outcomes_are_kept_until_the_file_is_opened_again() -> None:
    facts = after(*ACCEPTED, ("request.executed", {"outcome": "partial"}), "request.answered", "request.closed")
    assert (facts.execution, facts.outcome, facts.closed_as) == ("partial", "granted", "done")
    again = after(*ACCEPTED, "request.executed", "request.answered", "request.closed", "request.reopened")
    assert (again.execution, again.outcome, again.closed_as) == ("", "", "done")


def test_the_facts_do_not_grow_with_ordinary_acts() -> None:
    few = after(*ACCEPTED, "measure.performed", "step.taken", "material.accessed")
    many = after(*ACCEPTED, *["measure.performed", "step.taken", "material.accessed"] * 50)
    assert len(msgspec.json.encode(many)) - len(msgspec.json.encode(few)) <= 4  # digits of numbers


def test_the_columns_are_what_one_searches_by() -> None:
    story = told(*RECEIVED, "information.requested")
    story("request.scoped", at=DAY, admitted=2 * DAY)
    assert dict(FOLD.columns(fold(story))) == {
        "kind": "mla",
        "direction": "out",
        "partner": "KZ",
        "state": "received",
        "ball": "requesting",
        "ball_office": "RU-OMS",
        "ball_since": START + 3 * HOUR,
        "opened_at": START,
        "updated_at": START + 2 * DAY,
        "remarks": 1,
        "open_items": 1,
    }


def test_columns_of_an_unknown_content_are_empty() -> None:
    columns = FOLD.columns(after("step.taken"))
    assert [columns[name] for name in ("kind", "direction", "partner", "ball_office")] == [None] * 4


def test_the_fold_says_what_it_folds() -> None:
    assert (FOLD.name, FOLD.version, FOLD.sorts, FOLD.facts) == (
        "status",
        1,
        frozenset({"request"}),
        StatusFacts,
    )


def clear_members(data: Any) -> Any:
    """What a fact may come from, of data as the catalogue or as the fold reads them."""
    if isinstance(data, msgspec.Struct):
        names = zip(data.__struct_fields__, data.__struct_encode_fields__, strict=True)
        members = {name: getattr(data, name) for name, encoded in names if encoded in reading.MEMBERS}
        return {name: clear_members(member) for name, member in members.items() if not isinstance(member, Sealed)}
    return [clear_members(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize("name", sorted(_READ))
def test_the_fold_reads_the_same_clear_members_as_the_catalogue(name: str) -> None:
    one = record(name, usual(name))
    assert clear_members(reading.reader(one.event.type)(one.event.data)) == clear_members(one.data())


def test_the_fold_does_not_read_a_type_that_this_release_has_not() -> None:
    with pytest.raises(UnknownVersion, match="upgrade"):
        reading.reader("rogatory.request.sent.v9")(msgspec.Raw(b"{}"))


def test_data_that_are_not_of_their_type_are_named_in_words_that_do_not_repeat_them() -> None:
    one = record("request.sent", {**usual("request.sent"), "to": 7})
    with pytest.raises(FormatError, match=r"request\.sent at \$\.to: expected `str`, found `int`"):
        FOLD.evolve(None, one)
