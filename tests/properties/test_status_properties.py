"""What holds for the status of any request, whatever happens to it and in whatever order."""

from __future__ import annotations

import random
from typing import Any, get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.catalogue.base import types_by_name
from ledger.chain import Record
from ledger.event import time_ms
from projections.status import StatusFacts, StatusFold, lifecycle
from projections.status.facts import Side, State
from projections.status.remarks import MAX_NOTES
from tests.records import EVENTS, START, record, usual
from tests.strategies import event_data, instants

FOLD = StatusFold()
ROWS = {row.name: row for row in types_by_name().values() if "request" in row.sorts}
ordinary = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# Few ids, so that answers hit what they name, and the same persons and property come back.
_REFS = ["e-1", "e-2", "e-3", "e-4"]
_FEW: dict[str, list[Any]] = {
    "answers": _REFS, "confirms": _REFS, "decision": _REFS,
    "condition": ["c-1", "c-2"], "person": ["p-1", "p-2"], "asset": ["a-1", "a-2"],
    "of": ["KZ-PGO"], "by": ["KZ-PGO"],
    "final": [True, False], "authentic": [True, False],
}  # fmt: skip


@st.composite
def acts(draw: st.DrawFn, *, valid: bool = False) -> tuple[str, dict[str, Any]]:
    """An event's name and data: anything valid, or the usual data with few ids."""
    name = draw(st.sampled_from(sorted(EVENTS)))
    if valid:
        return name, draw(event_data(ROWS[name].data))
    data = usual(name)
    few = _FEW | ({"scope": ["full", "partial"]} if name == "refusal.decided" else {})
    for field, values in few.items():
        if isinstance(data.get(field), str | bool):
            data[field] = draw(st.sampled_from(values))
    return name, data


@st.composite
def streams(draw: st.DrawFn, *, valid: bool = False, subject: str = "request/1") -> list[Record]:
    """One subject's records: admitted in order, claimed whenever, some with ids that occur twice."""
    told = draw(st.lists(acts(valid=valid), min_size=1, max_size=8 if valid else 25))
    records: list[Record] = []
    admitted = START
    for seq, (name, data) in enumerate(told, 1):
        admitted += draw(st.integers(0, 10**8))
        claimed = admitted - draw(st.sampled_from([0, 0, 1, 10**6, 10**9, -1, -(10**6)]))
        records.append(
            record(
                name,
                data,
                seq=seq,
                index=draw(st.integers(0, 5)) + 10 * seq,
                claimed=claimed,
                admitted=admitted,
                subject=subject,
                event_id=draw(st.sampled_from([f"e-{seq}", "e-1"])),
                time=draw(instants()) if valid else None,
            )
        )
    return records


def fold(records: list[Record], facts: StatusFacts | None = None) -> StatusFacts:
    for each in records:
        facts = FOLD.evolve(facts, each)
    assert facts is not None
    return facts


def stored(facts: StatusFacts) -> StatusFacts:
    """The facts as they come back from a store."""
    return msgspec.json.decode(msgspec.json.encode(facts), type=StatusFacts)


@ordinary
@given(streams() | streams(valid=True))
def test_anything_that_was_admitted_is_taken_and_gives_facts_that_survive_json(records: list[Record]) -> None:
    facts = None
    for each in records:
        facts = FOLD.evolve(facts, each)
        assert stored(facts) == facts
        assert msgspec.json.encode(stored(facts)) == msgspec.json.encode(facts)
        assert all(isinstance(value, str | int | None) for value in FOLD.columns(facts).values())


@ordinary
@given(streams())
def test_facts_hold_together(records: list[Record]) -> None:
    facts = fold(records)
    assert facts.records == len(records)
    assert (facts.last.index, facts.last.event) == (records[-1].index, records[-1].event.type[9:-3])
    assert facts.state in get_args(State)
    assert facts.ball.side in get_args(Side)
    assert len(facts.remarks.first) == min(facts.remarks.count, MAX_NOTES)
    indices = {each.index for each in records}
    assert {note.index for note in (*facts.remarks.first, *facts.marks.first)} <= indices
    assert {item.index for item in facts.items} <= indices
    owed = [i for i in facts.items if i.sort == "consent" or facts.state not in lifecycle.ENDED]
    expected = min(owed, key=lambda item: (item.since, item.index)).side if owed else None
    assert facts.ball.side == (expected or lifecycle.SIDES[facts.state])
    late = [r for r in records if time_ms(r.event.time) > r.seal.admitted]
    assert facts.marks.count == len(late)


@ordinary
@given(streams(), st.integers(0, 25), st.integers(0, 25))
def test_batches_and_restarts_change_nothing(records: list[Record], one: int, two: int) -> None:
    first, second = sorted((one % len(records), two % len(records)))
    whole = fold(records)
    facts = None
    for part in (records[:first], records[first:second], records[second:]):
        if part:
            facts = stored(fold(part, facts))
    assert facts == whole


@ordinary
@given(streams(subject="request/1"), streams(subject="request/2"), st.randoms(use_true_random=False))
def test_other_subjects_change_nothing(mine: list[Record], theirs: list[Record], chance: random.Random) -> None:
    queues = {"request/1": list(mine), "request/2": list(theirs)}
    facts: dict[str, StatusFacts] = {}
    while any(queues.values()):
        subject = chance.choice([name for name, queue in queues.items() if queue])
        facts[subject] = FOLD.evolve(facts.get(subject), queues[subject].pop(0))
    assert facts == {"request/1": fold(mine), "request/2": fold(theirs)}


@ordinary
@given(streams())
def test_a_closed_request_stays_closed_until_it_is_opened_again(records: list[Record]) -> None:
    facts = None
    for each in records:
        before, facts = facts, FOLD.evolve(facts, each)
        if before is not None and before.state == "closed":
            assert facts.state == ("received" if facts.last.event == "request.reopened" else "closed")


@ordinary
@given(streams(), st.sampled_from(sorted(lifecycle.UNBOUND)))
def test_an_unbound_act_moves_nothing_but_items_of_consent(records: list[Record], name: str) -> None:
    before = fold(records)
    last = records[-1]
    facts = FOLD.evolve(before, record(name, usual(name), seq=99, index=10**6, claimed=last.seal.admitted))
    same = msgspec.structs.replace(
        facts, last=before.last, records=before.records, items=before.items, ball=before.ball
    )
    assert same == before
    kept = [item for item in before.items if item.sort != "consent"]
    assert [item for item in facts.items if item.sort != "consent"] == kept
