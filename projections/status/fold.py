"""The status fold: one request's facts after each of its records.

Everything that was admitted is taken, in whatever order; what the order leaves to be said becomes a
remark.  State follows the order of the ledger, not that of effective times: a record of an old act,
admitted late, is news of now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ledger.chain import Record
from ledger.event import time_ms
from projections.fold import Column
from projections.status import items, lifecycle, remarks, tracks, variants
from projections.status.content import content_of, digest
from projections.status.facts import Ball, Code, Content, Item, Last, State, StatusFacts

_replace = msgspec.structs.replace

_HOLDERS = {
    "request.sent": "to",
    "request.received": "to",
    "request.forwarded": "to",
    "request.accepted": "executing",
}
"""Who has the request after an act that moves it."""
_TOLD = frozenset({"request.returned", "request.answered", "refusal.notified"})
"""Acts after which the office they are told to owes the next step."""
_OUTCOMES = {"request.executed": "execution", "request.closed": "closed_as"}
"""Acts that state an outcome, and the fact that it becomes."""

_READ = (
    lifecycle.OPENERS | items.TOUCHING | tracks.PERSONS | tracks.ASSETS | variants.VARIED | _TOLD
    | frozenset(_HOLDERS) | frozenset(_OUTCOMES)
)  # fmt: skip
"""Acts of which more than the name counts; the data of others are not decoded."""
_CONCERN = lifecycle.ACTS | _READ

_BLANK = StatusFacts()


class StatusFold:
    """Where a request stands (``projections/fold.py`` says what a fold is)."""

    name = "status"
    version = 1
    sorts = frozenset({"request"})
    facts = StatusFacts

    def evolve(self, facts: StatusFacts | None, record: Record) -> StatusFacts:
        """The facts after one more record; never raises for an admitted one."""
        event, seal = record.event, record.seal
        name = event.type[9:].rpartition(".v")[0]
        claimed = time_ms(event.time)
        time = min(claimed, seal.admitted)
        last = Last(name, time, seal.admitted, seal.index)
        known = _BLANK if facts is None else facts
        if name in _CONCERN or facts is None:
            known = _after(known, record, last)
        if claimed > seal.admitted:
            known = _replace(known, marks=remarks.noted(known.marks, ("future_dated",), seal.index, name))
        return _replace(known, last=last, records=known.records + 1)

    def columns(self, facts: StatusFacts) -> Mapping[str, Column]:
        """Values to search by; None where something is not known.

        ``updated_at`` is the time of admission: an old act, admitted late, is news too (our choice).
        """
        said, ball = facts.content, facts.ball
        return {
            "kind": said.kind if said else None,
            "direction": said.direction if said else None,
            "partner": said.partner if said else None,
            "state": facts.state,
            "ball": ball.side,
            "ball_office": ball.office or None,
            "ball_since": ball.since,
            "opened_at": facts.opened,
            "updated_at": facts.last.admitted,
            "remarks": facts.remarks.count,
            "open_items": len(facts.items),
        }


class _Act(NamedTuple):
    """One act, with what decides about it looked up."""

    name: str
    data: Any
    event_id: str
    time: int
    place: int
    """Its leaf index."""
    said: Content | None
    """The content that it brings."""
    closing: tuple[Item, ...]
    """The open items that it answers."""
    step: lifecycle.Step | None
    """Its row in the table; None: not expected here."""

    @property
    def opens(self) -> bool:
        """Whether it says what is requested."""
        return self.said is not None


def _after(known: StatusFacts, record: Record, last: Last) -> StatusFacts:
    """The facts after an act that may change more than ``last``."""
    name = last.event
    data = record.data() if name in _READ else None
    said = content_of(data) if name in lifecycle.OPENERS else None
    closing = items.answered(known.items, name, data) if known.items else ()
    word = variants.variant(name, data, known, answered=bool(closing))
    content = known.content or said
    step = lifecycle.find(known.state, word, content.kind if content else "", assumed=known.assumed)
    act = _Act(name, data, record.event.id, last.time, last.index, said, closing, step)

    codes = _order_remarks(known, act)
    if data is None and step is not None and step.next is None and not codes:
        return known  # a step of execution where it is expected: most records of most requests
    changes = _opening(known, act)
    if name in tracks.PERSONS:
        changes["persons"] = tracks.persons_after(known.persons, name, data, act.time, act.place)
        changes["all_granted"] = known.all_granted or tracks.grants_all(name, data)
    elif name in tracks.ASSETS:
        changes["assets"] = tracks.assets_after(known.assets, name, data, act.time, act.place)
        if name == "asset.returned" and tracks.exceeds(changes["assets"], data):
            codes.append("amount_exceeds")
    elif name == "request.spoken":
        changes["spoken"] = known.spoken or digest(data)
    elif name == "request.confirmed" and closing and known.spoken != digest(data):
        codes.append("content_changed")
    elif name == "refusal.decided":
        changes["refusal_decided"] = True
    after = _replace(known, remarks=remarks.noted(known.remarks, codes, act.place, name), **changes)
    return _with_ball(known, _moved(after, act), act)


def _order_remarks(known: StatusFacts, act: _Act) -> list[Code]:
    """What the place of an act in the stream leaves to be said."""
    codes: list[Code] = []
    if known.records == 0 and not act.opens:
        codes.append("no_opening")
    if act.name not in lifecycle.ACTS:
        return codes
    if known.state == "closed" and act.name != "request.reopened":
        codes.append("after_closure")
    elif act.step is None:
        # Of a first act, ``no_opening`` says enough.
        if known.records:
            codes.append("out_of_order")
    elif act.step.remark:
        codes.append(act.step.remark)
    return codes


def _opening(known: StatusFacts, act: _Act) -> dict[str, Any]:
    """What changes about the beginning of the stream and the content of the request."""
    changes: dict[str, Any] = {}
    if known.records == 0:
        changes = {"opened": act.time, "state_since": act.time}
    if act.opens and not known.opener:
        changes |= {"opener": act.name, "opened": act.time}
    # The writing counts, not what was said (Agr. 6(2)).
    if act.said and (known.content is None or act.closing):
        changes["content"] = act.said
    return changes


def _moved(after: StatusFacts, act: _Act) -> StatusFacts:
    """The facts with the state that follows, who has the request then, and what came of it."""
    step, name, data = act.step, act.name, act.data
    if step is None:
        return after
    changes: dict[str, Any] = {}
    if name in _HOLDERS:
        changes["holder"] = getattr(data, _HOLDERS[name])
    if step.next is None:
        return _replace(after, **changes) if changes else after
    if step.next != after.state or after.assumed:
        changes |= {"state": step.next, "state_since": act.time, "assumed": False}
    if name in _OUTCOMES:
        changes[_OUTCOMES[name]] = data.outcome
    elif step.next == "answered":
        changes["outcome"] = data.outcome if name == "request.answered" else "refused"
    elif name == "request.reopened":
        changes |= {"outcome": "", "execution": ""}
    after = _replace(after, **changes)
    return _replace(after, turn=data.to if name in _TOLD else _office(after, step.next))


def _office(facts: StatusFacts, state: State) -> str:
    """The office that owes the next step in a state, as far as known."""
    side = lifecycle.SIDES[state]
    if side == "nobody":
        return ""
    return items.requesting(facts) if side == "requesting" else items.requested(facts)


def _with_ball(known: StatusFacts, after: StatusFacts, act: _Act) -> StatusFacts:
    """The facts with the open items, and the ball where these and the state put it.

    Who held the ball before and holds it still, holds it since then: another reason does not start the
    clock anew.
    """
    opened = items.opened(known, act.name, act.data, event_id=act.event_id, time=act.time, index=act.place)
    left = after.items
    if act.closing:
        left = tuple(item for item in left if item not in act.closing)
    if opened is not None:
        left = (*left, opened)
    # A content that came late may name the office that an assumed state could not.
    turn = after.turn or _office(after, after.state)
    waiting = items.oldest(left, only_consent=after.state in lifecycle.ENDED)
    ball = Ball(lifecycle.SIDES[after.state], turn, act.time)
    if waiting is not None:
        ball = Ball(waiting.side, waiting.office, act.time)
    if known.records and (ball.side, ball.office) == (known.ball.side, known.ball.office):
        ball = known.ball
    return _replace(after, items=left, turn=turn, ball=ball)
