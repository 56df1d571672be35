"""S44: what was signed with a revoked key never becomes an act, so no rule is ever asked about it."""

from __future__ import annotations

from ledger.admission import Refused
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
