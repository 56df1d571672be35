"""The life of a request, as a table: in which states an act is expected, and which state follows.

Agr. 6 to 8 name the acts; the states, and what is expected in which, are our choice.  An act whose effect
depends on more than its name has a variant: ``request.answered/final`` (``variants.py``).  Two words stand
beside the states:

- ``-``  no opening is known; the state is taken for ``received`` and rows of ``received`` apply too;
- ``*``  every state but ``closed``.

After ``closed`` only ``request.reopened`` moves.  Our choices where a plain list of acts leaves room:

- An oral request may be worked on, executed and answered before it is confirmed: urgency is the point of it.
- The answer to an open item is expected in any state, since the question was.
- Costs and the lifting of a condition are bound to no state.
- A person wanted for extradition may be in custody before the request is accepted (provisional arrest).
- A handover or a notice of refusal that no decision precedes moves a request that was not answered,
  executed or ended yet, and never moves one back; a handover that a decision precedes does so too from
  before acceptance.
- ``returned`` and ``withdrawn`` are ends: from there a request can only be closed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, get_args

from ledger.catalogue.blocks import Kind
from projections.status.facts import Code, Side, State

SIDES: dict[State, Side] = {
    "oral": "requesting",
    "signed": "requesting",
    "sent": "requested",
    "received": "requested",
    "accepted": "requested",
    "executed": "requested",
    "refused": "requested",
    "answered": "requesting",
    "closed": "nobody",
    "returned": "requesting",
    "withdrawn": "requested",
}
"""Who owes the next step when nothing is open; a withdrawn request still has to be stopped."""

ENDED = frozenset({"closed", "returned", "withdrawn"})
"""Of what was left open there, only consent is still owed: material may be used after the end (Agr. 9(3))."""

OPENERS = frozenset({"request.signed", "request.spoken", "request.confirmed", "request.received"})
"""They open a stream: a confirmation of nothing like a signature, an arrival only when it has the content."""


class Row(NamedTuple):
    """One act in some states.

    ``next`` is the state that follows, None the same one; ``kinds`` are those it is for, all if empty;
    ``remark`` is what the act earns although it is taken.
    """

    states: str
    act: str
    next: State | None
    kinds: str = ""
    remark: Code | None = None


_SAME = None
_CASEWORK = "mla law_enforcement admin_offence"
_SOUGHT = "extradition search_person"
_GRANTED = "extradition transfer_sentenced transfer_mental transfer_prosecution asset"
_MOVED = "extradition transfer_sentenced transfer_mental"
_PROPERTY = "asset mla"
_NOT_INITIATIVE = " ".join(kind for kind in get_args(Kind) if kind != "initiative")

TABLE = (
    # Opening, Agr. 6(1)-(4)
    Row("-", "request.signed", "signed"),
    Row("-", "request.spoken", "oral"),
    Row("-", "request.received", "received"),
    Row("-", "request.confirmed/nothing", "signed", remark="confirms_nothing"),
    Row("*", "request.confirmed/nothing", _SAME, remark="confirms_nothing"),
    Row("oral", "request.confirmed/spoken", "received"),
    Row("*", "request.confirmed/spoken", _SAME),
    # On the way, Order 3.3, 3.4
    Row("signed", "request.scoped", _SAME),
    Row("- signed", "request.sent", "sent"),
    Row("sent", "request.received", "received"),
    Row("sent received", "request.forwarded", "received"),
    # Questions and conditions, Agr. 6(2), 6(3), 7(2)
    Row("received", "information.requested", _SAME),
    Row("*", "information.supplied/asked", _SAME),
    Row("received accepted", "authenticity.doubted", _SAME),
    Row("*", "authenticity.answered/genuine", _SAME),
    Row("received accepted", "authenticity.answered/false", "returned"),
    Row("*", "authenticity.answered/false", _SAME),
    Row("received accepted refused", "consultation.held", _SAME),
    Row("received accepted", "condition.proposed", _SAME),
    Row("*", "condition.answered/asked", _SAME),
    Row("*", "condition.lifted", _SAME),
    # Acceptance and refusal, Agr. 7, 8(1)
    Row("oral received", "request.accepted", "accepted", _NOT_INITIATIVE),
    Row("received accepted", "refusal.decided/full", "refused"),
    Row("received accepted", "refusal.decided/partial", "accepted"),
    Row("refused", "refusal.notified/full", "answered"),
    Row("*", "refusal.notified/partial", _SAME),
    Row("oral signed sent received accepted executed", "refusal.notified/undecided", "answered",
        remark="no_decision"),
    Row("*", "refusal.notified/undecided", _SAME, remark="no_decision"),
    # Execution, Agr. 8
    Row("oral accepted", "person.located", _SAME, _SOUGHT),
    Row("oral accepted", "person.detained", _SAME, _SOUGHT),
    Row("received", "person.detained", _SAME, "extradition"),
    Row("oral accepted", "person.released", _SAME, _SOUGHT),
    Row("oral accepted", "decision.granted", _SAME, _GRANTED),
    Row("oral accepted", "person.handedover/decided", "executed", _MOVED),
    Row("signed sent received", "person.handedover/decided", "executed", _MOVED, "out_of_order"),
    Row("oral signed sent received accepted", "person.handedover/undecided", "executed", _MOVED,
        "no_decision"),
    Row("*", "person.handedover/undecided", _SAME, _MOVED, "no_decision"),
    Row("oral accepted", "person.handedover/temporary", _SAME, _MOVED),
    Row("*", "person.handedover/temporary_undecided", _SAME, _MOVED, "no_decision"),
    Row("oral accepted", "prosecution.takenover", _SAME, "transfer_prosecution"),
    Row("oral accepted", "prosecution.concluded", "executed", "transfer_prosecution"),
    Row("oral accepted", "measure.performed", _SAME, _CASEWORK),
    Row("oral accepted", "document.served", _SAME, _CASEWORK),
    Row("oral accepted", "asset.traced", _SAME, _PROPERTY),
    Row("oral accepted", "asset.restrained", _SAME, _PROPERTY),
    Row("oral accepted", "asset.released", _SAME, _PROPERTY),
    Row("oral accepted", "asset.confiscated", _SAME, _PROPERTY),
    Row("oral accepted", "asset.returned", _SAME, _PROPERTY),
    Row("oral received accepted", "request.executed", "executed"),
    # Answer and end, Agr. 8(2)
    Row("oral received accepted executed refused", "request.answered/final", "answered"),
    Row("oral received accepted executed refused", "request.answered/interim", _SAME),
    Row("received", "request.returned", "returned"),
    Row("oral signed sent received accepted executed refused", "request.withdrawn", "withdrawn"),
    Row("answered refused returned withdrawn", "request.closed", "closed"),
    Row("closed", "request.reopened", "received"),
    # Costs, Agr. 10
    Row("*", "cost.incurred", _SAME),
    Row("*", "cost.agreed", _SAME),
)  # fmt: skip
"""The first row that names the state counts, so ``*`` is for the states that are left."""

UNBOUND = frozenset(
    {
        "step.taken", "finding.disposed", "record.corrected",
        "material.sent", "material.received", "degree.requested", "handling.set", "downgrade.allowed",
        "access.granted", "access.withdrawn", "material.accessed", "material.used", "material.disclosed",
        "consent.requested", "consent.answered", "material.disposed", "content.erased", "incident.reported",
    }
)  # fmt: skip
"""Acts that move no state and earn no remark, not even after closure.

Beside what only speaks of records, these are all acts about materials: the duties of Agr. 9 have no end.
"""


class Step(NamedTuple):
    """What the table says of one act in one state."""

    next: State | None
    kinds: frozenset[str]
    remark: Code | None


def _compile() -> dict[tuple[str, str], tuple[Step, ...]]:
    """Rows by state and act; several where a kind has a row of its own."""
    every = [state for state in SIDES if state != "closed"]
    steps: dict[tuple[str, str], tuple[Step, ...]] = {}
    for row in TABLE:
        step = Step(row.next, frozenset(row.kinds.split()), row.remark)
        for state in every if row.states == "*" else row.states.split():
            steps[state, row.act] = (*steps.get((state, row.act), ()), step)
    return steps


_STEPS = _compile()
ACTS = frozenset(row.act.partition("/")[0] for row in TABLE)
"""Names of the acts that have a row; every other type is unbound."""


@lru_cache(4096)  # asked for each record; of states, acts and kinds few combinations are met
def find(state: State, act: str, kind: str, assumed: bool) -> Step | None:
    """What follows from an act, with its variant, in a state; None if it is not expected there.

    Args:
        state: the state before.
        act: for example ``refusal.decided/full``.
        kind: of the request; an unknown one is empty and passes for any.
        assumed: the state is ``received`` because nothing is known.
    """
    rows = _STEPS.get((state, act), ())
    if assumed:
        rows = _STEPS.get(("-", act), ()) + rows
    for step in rows:
        if not step.kinds or not kind or kind in step.kinds:
            return step
    return None
