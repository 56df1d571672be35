"""Both readings of a submission decide alike; deciding is a function of state and submission and changes neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.admission import Admitted, Decision, PartitionState, admit, prepare, verify_ahead
from ledger.catalogue.base import EventType, types_by_name
from ledger.dispositions import MEANING, Refused
from ledger.log import Headers
from ledger.outcome import format_outcome, outcome_of, parse_outcome
from ledger.seal import parse_seal
from ledger.submission import HOME_HEADER, SIGNATURE_HEADER, Submission
from tests.admissions import World, respelled, signatures, snapshot
from tests.properties.test_parser_properties import mutated
from tests.strategies import event_data
from tests.unit.test_admission import BOX

many = settings(max_examples=150, deadline=None)
ROWS = sorted(types_by_name().values(), key=lambda r: r.type)


@cache
def world() -> World:
    """One for all: ``admit`` changes nothing, and a test says so."""
    made = World.opened()
    made.submit(made.accepted(id_="first"), [made.oms])
    return made


def both(state: PartitionState, submission: Submission) -> Decision:
    """The decision, which must be the same by either reading, again, and say what an outcome can say."""
    before = snapshot(state)
    quick = admit(state, prepare(submission))
    strict = admit(state, prepare(submission, strict=True))
    assert quick == strict
    ahead = prepare(submission)
    assert admit(state, ahead, verify_ahead(state, [ahead])) == quick
    assert snapshot(state) == before
    if isinstance(quick, Refused):
        assert MEANING[quick.disposition]
    if isinstance(quick, Admitted):
        assert parse_seal(quick.seal_text) == quick.seal
    else:
        assert parse_outcome(format_outcome(outcome_of(quick)))
    return quick


def of(raw: bytes | None, headers: Headers, key: bytes | None = b"request/a", partition: int = 1) -> Submission:
    state = world().states[partition]
    return Submission(0, state.offset + 1, state.admitted, key, raw, headers)


@many
@given(
    raw=st.none() | st.binary(max_size=60) | st.text(max_size=40).map(str.encode),
    key=st.none() | st.binary(max_size=10),
    headers=st.lists(
        st.tuples(st.sampled_from([SIGNATURE_HEADER, HOME_HEADER, "content-type"]), st.binary(max_size=60)), max_size=6
    ).map(tuple),
    partition=st.integers(0, 1),
)
def test_arbitrary_submissions_are_refused_and_no_more(
    raw: bytes | None, key: bytes | None, headers: Headers, partition: int
) -> None:
    assert isinstance(both(world().states[partition], of(raw, headers, key, partition)), Refused)


@cache
def right_event() -> bytes:
    return world().accepted(id_="right", actor="p-1", expectedseq=1)


@cache
def free_event() -> bytes:
    """The one type with free JSON in it, where the readings could differ most."""
    data = {"target": "e-1", "how": "replace", "fields": {"a": [1, {"b": "x"}]}, "why": BOX}
    return world().event("request/a", "record.corrected", data, id_="free")


EVENTS: dict[str, Callable[[], bytes]] = {"an act": right_event, "a correction": free_event}


@pytest.mark.parametrize("name", EVENTS)
@many
@given(data=st.data())
def test_mutated_events_signed_as_they_are(name: str, data: st.DataObject) -> None:
    raw = data.draw(mutated(EVENTS[name]()))
    both(world().states[1], of(raw, signatures(raw, [world().oms])))


@pytest.mark.parametrize("name", EVENTS)
@many
@given(data=st.data())
def test_mutated_events_under_the_signature_of_the_right_one(name: str, data: st.DataObject) -> None:
    right = EVENTS[name]()
    raw = data.draw(mutated(right))
    decision = both(world().states[1], of(raw, signatures(right, [world().oms])))
    assert isinstance(decision, Admitted) == (raw == right)


VALUES = [
    "1.5", "1e3", "-0", "9007199254740991", "9007199254740992", "-9007199254740992", "18446744073709551616",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\ufdd0"', '"\ufdd0"', '"\U0001ffff"',
    '"\\u0041"', '{"a":1,"a":1}', '{"a":1,"\\u0061":1}',
    "[" * 27 + "]" * 27, "[" * 29 + "]" * 29, "[" * 40 + "]" * 40, "[" * 2000 + "]" * 2000,
    "NaN", " 1", "[1, 2]", "01", '"\t"',
    "true", "null", "{}", '"text"', '"Омск"',
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=[v[:24] for v in VALUES])
@pytest.mark.parametrize("place", ["in free JSON", "in typed data", "as an attribute", "as the sequence"])
def test_values_that_the_readings_could_take_differently(value: str, place: str) -> None:
    text = free_event().decode() if place == "in free JSON" else right_event().decode()
    if place == "in free JSON":
        text = text.replace('"a":[1', f'"a":[{value}')
    elif place == "in typed data":
        text = text.replace('"executing":"RU-OMS"', f'"executing":{value}')
    elif place == "as an attribute":
        text = text.replace('"actor":"p-1"', f'"actor":{value}')
    else:
        text = text.replace('"expectedseq":1', f'"expectedseq":{value}')
    raw = text.encode()
    assert raw not in (free_event(), right_event())
    decision = both(world().states[1], of(raw, signatures(raw, [world().oms])))
    # Another spelling of the same value is decided alike, as far as its signature goes.
    try:
        other = respelled(raw)
    except (ValueError, RecursionError):
        return
    if isinstance(decision, Admitted) and "-0" not in value:
        assert isinstance(both(world().states[1], of(other, signatures(other, [world().oms]))), Admitted)


@many
@given(
    members=st.permutations(range(11)),
    blanks=st.sampled_from(["", " ", "\n", "\t", "\r\n"]),
    escaped=st.booleans(),
    twice=st.none() | st.sampled_from(["id", "data", "subject", "expectedseq"]),
)
def test_respelled_events(members: list[int], blanks: str, escaped: bool, twice: str | None) -> None:
    event = json.loads(right_event())
    items = [list(event.items())[i] for i in members]
    parts = [
        f"{blanks}{json.dumps(name)}{blanks}:{blanks}{json.dumps(value, ensure_ascii=escaped)}" for name, value in items
    ]
    if twice is not None:
        parts.append(f"{json.dumps(twice)}:{json.dumps(event[twice])}")
    raw = ("{" + ",".join(parts) + blanks + "}").encode()
    decision = both(world().states[1], of(raw, signatures(raw, [world().oms])))
    assert isinstance(decision, Admitted) == (twice is None)


@pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_events_of_every_type(row: EventType, data: st.DataObject) -> None:
    w = world()
    subject = {"request": "request/a", "register": "register", "ledger": "ledger/1"}.get(row.sorts[0], "meeting/a")
    members = data.draw(event_data(row.data))
    raw = w.event(subject, row.name, members, office="RU-GUMPS", id_="any")
    partition = 0 if subject == "register" else 1
    submission = of(raw, signatures(raw, [w.gumps]), subject.encode(), partition)
    both(w.states[partition], submission)
    spaced = respelled(raw)
    both(
        w.states[partition],
        msgspec.structs.replace(submission, value=spaced, headers=signatures(spaced, [w.gumps])),
    )


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=12))
def test_the_same_submissions_give_the_same_state(steps: list[tuple[int, int]]) -> None:
    def run(*, strict: bool) -> Any:
        w = World.opened()
        for n, (what, which) in enumerate(steps):
            raw: bytes | None = w.accepted(f"request/{'ac'[which % 2]}", id_=f"n-{which if what else n}")
            if what == 2:
                raw = b"nonsense"
            signers = [w.alt] if what == 3 else [w.oms]
            submission = w.submission(raw, signers, key=None if what == 2 else f"request/{'ac'[which % 2]}".encode())
            prepared = prepare(submission, strict=strict)
            w.states[1].advance(prepared, admit(w.states[1], prepared))
        return snapshot(w.states[1])

    assert run(strict=False) == run(strict=True)
