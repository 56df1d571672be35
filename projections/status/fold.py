"""The status fold: one request's facts after each of its records.

Everything that was admitted is taken, in whatever order; what the order leaves to be said becomes a
remark.  State follows the order of the ledger, not that of effective times: a record of an old act,
admitted late, is news of now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ledger import catalogue
from ledger.chain import Record
from ledger.event import time_ms
from projections.fold import Column
from projections.status import items, lifecycle, remarks, tracks, variants
from projections.status.content import content_of, digest
from projections.status.facts import Ball, Code, Content, Item, Last, State, StatusFacts
from projections.status.reading import reader

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
_TOUCHING = tracks.PERSONS | tracks.ASSETS | {"request.spoken", "request.confirmed", "refusal.decided"}
_BALL_MOVERS = frozenset({"content", "state", "turn", "holder", "items"})
"""Facts that decide who owes the next step."""

_BLANK = StatusFacts()


class _Sort(msgspec.Struct, frozen=True):
    """What decides about an event by its type alone, so that each record asks once."""

    name: str
    """Of the event, without prefix and version."""
    read: Callable[[msgspec.Raw], Any] | None
    """How to read its data; None where only the name counts."""
    concerns: bool
    """Whether more than ``last`` may change."""
    bound: bool
    """Whether it is expected in some states only."""
    opens: bool
    varies: bool
    touches: bool
    """Whether it does something beside moving the request."""


def _sort_of(type_: str) -> _Sort:
    name = type_[9:].rpartition(".v")[0]
    read = reader(type_) if name in _READ else None
    tables = (_CONCERN, lifecycle.ACTS, lifecycle.OPENERS, variants.VARIED, _TOUCHING)
    return _Sort(name, read, *(name in table for table in tables))


_SORTS = {type_: _sort_of(type_) for type_ in catalogue.types_by_name()}


class StatusFold:
    """Where a request stands (``projections/fold.py`` says what a fold is)."""

    name = "status"
    version = 1
    sorts = frozenset({"request"})
    facts = StatusFacts

    def evolve(self, facts: StatusFacts | None, record: Record) -> StatusFacts:
        """The facts after one more record; never raises for an admitted one."""
        event, seal = record.event, record.seal
        sort = _SORTS.get(event.type) or _sort_of(event.type)
        claimed, admitted = time_ms(event.time), seal.admitted
        last = Last(sort.name, min(admitted, claimed), admitted, seal.index)
        known = _BLANK if facts is None else facts
        changes: dict[str, Any] = {"last": last, "records": known.records + 1}
        if sort.concerns or facts is None:
            _change(changes, known, record, sort, last)
        if claimed > admitted:
            changes["marks"] = remarks.noted(known.marks, ("future_dated",), seal.index, sort.name)
        return _replace(known, **changes)

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


class _Act(msgspec.Struct, frozen=True, gc=False):
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


def _change(changes: dict[str, Any], known: StatusFacts, record: Record, sort: _Sort, last: Last) -> None:
    """What an act changes beside ``last``."""
    name = sort.name
    data = None if sort.read is None else _read(sort.read, record)
    said = content_of(data) if sort.opens else None
    closing = items.answered(known.items, name, data) if known.items else ()
    word = variants.variant(name, data, known, answered=bool(closing)) if sort.varies else name
    content = known.content or said
    step = lifecycle.find(known.state, word, content.kind if content else "", known.assumed)

    codes: list[Code] = []
    if step is None or step.remark or not known.records or known.state == "closed":  # else its place is in order
        codes = _order_remarks(known, sort, said, step)
    if data is None and step is not None and step.next is None and not codes:
        return  # a step of execution where it is expected: most records of most requests
    act = _Act(name, data, record.event.id, last.time, last.index, said, closing)
    if known.records == 0 or said is not None:
        _open(changes, known, act)
    if sort.touches:
        codes += _touch(changes, known, act)
    if codes:
        changes["remarks"] = remarks.noted(known.remarks, codes, act.place, name)
    if step is not None:
        _move(changes, known, act, step)
    _pass_ball(changes, known, act)


def _read(read: Callable[[msgspec.Raw], Any], record: Record) -> Any:
    try:
        return read(record.event.data)
    except msgspec.MsgspecError:
        return record.data()  # which says what is wrong


def _touch(changes: dict[str, Any], known: StatusFacts, act: _Act) -> list[Code]:
    """What an act does beside moving the request; the remarks that it earns by that."""
    if act.name in tracks.PERSONS:
        changes["persons"] = tracks.persons_after(known.persons, act.name, act.data, act.time, act.place)
        changes["all_granted"] = known.all_granted or tracks.grants_all(act.name, act.data)
    elif act.name in tracks.ASSETS:
        changes["assets"] = tracks.assets_after(known.assets, act.name, act.data, act.time, act.place)
        if act.name == "asset.returned" and tracks.exceeds(changes["assets"], act.data):
            return ["amount_exceeds"]
    elif act.name == "request.spoken":
        changes["spoken"] = known.spoken or digest(act.data)
    elif act.name == "request.confirmed" and act.closing and known.spoken != digest(act.data):
        return ["content_changed"]
    elif act.name == "refusal.decided":
        changes["refusal_decided"] = True
    return []


def _order_remarks(known: StatusFacts, sort: _Sort, said: Content | None, step: lifecycle.Step | None) -> list[Code]:
    """What the place of an act in the stream leaves to be said."""
    codes: list[Code] = []
    if known.records == 0 and said is None:
        codes.append("no_opening")
    if not sort.bound:
        return codes
    if known.state == "closed" and sort.name != "request.reopened":
        codes.append("after_closure")
    elif step is None:
        # Of a first act, ``no_opening`` says enough.
        if known.records:
            codes.append("out_of_order")
    elif step.remark:
        codes.append(step.remark)
    return codes


def _open(changes: dict[str, Any], known: StatusFacts, act: _Act) -> None:
    """What changes about the beginning of the stream and the content of the request."""
    if known.records == 0:
        changes["opened"] = changes["state_since"] = act.time
    if act.said is None:
        return
    if not known.opener:
        changes["opener"] = act.name
        changes["opened"] = act.time
    # The writing counts, not what was said (Agr. 6(2)).
    if known.content is None or act.closing:
        changes["content"] = act.said


def _move(changes: dict[str, Any], known: StatusFacts, act: _Act, step: lifecycle.Step) -> None:
    """The state that follows, who has the request then, and what came of it."""
    name, data = act.name, act.data
    if name in _HOLDERS:
        changes["holder"] = getattr(data, _HOLDERS[name])
    if step.next is None:
        return
    if step.next != known.state or known.assumed:
        changes["state"] = step.next
        changes["state_since"] = act.time
        changes["assumed"] = False
    if name in _OUTCOMES:
        changes[_OUTCOMES[name]] = data.outcome
    elif step.next == "answered":
        changes["outcome"] = data.outcome if name == "request.answered" else "refused"
    elif name == "request.reopened":
        changes["outcome"] = changes["execution"] = ""
    changes["turn"] = data.to if name in _TOLD else _office(changes, known, step.next)


def _office(changes: dict[str, Any], known: StatusFacts, state: State) -> str:
    """The office that owes the next step in a state, as far as known."""
    side = lifecycle.SIDES[state]
    if side == "nobody":
        return ""
    content = changes.get("content", known.content)
    if side == "requesting":
        return content.requesting if content else ""
    return changes.get("holder", known.holder) or (content.requested if content else "")


def _pass_ball(changes: dict[str, Any], known: StatusFacts, act: _Act) -> None:
    """The open items, and the ball where these and the state put it.

    Who held the ball before and holds it still, holds it since then: another reason does not start the
    clock anew.
    """
    left = known.items
    if act.closing:
        changes["items"] = left = tuple(item for item in left if item not in act.closing)
    if act.name in items.OPENING:
        opened = items.opened(known, act.name, act.data, event_id=act.event_id, time=act.time, index=act.place)
        if opened is not None:
            changes["items"] = left = (*left, opened)
    if known.records and _BALL_MOVERS.isdisjoint(changes):
        return
    state = changes.get("state", known.state)
    # A content that came late may name the office that an assumed state could not.
    turn = changes["turn"] = changes.get("turn", known.turn) or _office(changes, known, state)
    waiting = items.oldest(left, only_consent=state in lifecycle.ENDED) if left else None
    side, office = (lifecycle.SIDES[state], turn) if waiting is None else (waiting.side, waiting.office)
    if not known.records or side != known.ball.side or office != known.ball.office:
        changes["ball"] = Ball(side, office, act.time)
