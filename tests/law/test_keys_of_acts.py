"""S44, S60: what admission refuses never becomes an act, so no rule is ever asked about it."""

from __future__ import annotations

from ledger.admission import Admitted, Decision, Duplicate, Refused
from ledger.dispositions import Disposition
from ledger.outcome import outcome_message, parse_outcome
from ledger.submission import OUTCOME_HEADER
from tests.admissions import T0, World


def test_s44_an_event_signed_with_a_revoked_key_is_refused_the_ledger_unchanged_the_refusal_kept() -> None:
    world = World.opened()
    world.register(world.revoke(world.oms), [world.gumps])
    state = world.states[1]
    before = (state.index, state.frontier, state.last_leaf, dict(state.heads), dict(state.identities))
    past = state.past
    raw = world.accepted()
    submission = world.submission(raw, [world.oms])
    decision = world.take(submission, 1)
    assert isinstance(decision, Refused)
    assert decision.disposition is Disposition.KEY_NOT_VALID
    assert before == (state.index, state.frontier, state.last_leaf, state.heads, state.identities)
    assert state.past != past  # what every later seal says of all submissions has the refusal in it
    kept = outcome_message(1, submission, decision, T0)
    assert kept.value == raw
    outcome = parse_outcome(dict(kept.headers)[OUTCOME_HEADER])
    assert (outcome.outcome, outcome.reason) == ("refused", "key-not-valid")
    assert "revoked" in outcome.found


def test_s60_another_place_in_the_sequence_the_same_id_again_and_an_unknown_type() -> None:
    world = World.opened()
    for _ in range(5):
        assert isinstance(world.submit(world.accepted(), [world.oms]), Admitted)
    raw = world.accepted(id_="e-here", expectedseq=5)
    assert _why(world.submit(world.accepted(expectedseq=4), [world.oms])) is Disposition.SEQUENCE_CONFLICT
    original = world.submit(raw, [world.oms])
    assert isinstance(original, Admitted)
    assert world.submit(raw, [world.oms]) == Duplicate(original.receipt)
    assert _why(world.submit(world.accepted(id_="e-here", expectedseq=6), [world.oms])) is Disposition.IDENTITY_REUSED
    unknown = world.event("request/a", "request.pondered", {})
    assert _why(world.submit(unknown, [world.oms])) is Disposition.UNKNOWN_TYPE


def _why(decision: Decision) -> Disposition:
    assert isinstance(decision, Refused)
    return decision.disposition
