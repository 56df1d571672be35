"""Whose step it is, over the time that a request is open, as the status fold says.

The fold takes records of a log; here they are made of the acts of a case file, which hold all that it reads.  Of acts
that cannot pass the step on none are made, which is most of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ledger import catalogue
from ledger.chain import Record
from ledger.errors import FormatError
from ledger.event import Event, moment_of
from ledger.ids import Subject
from ledger.seal import Seal
from projections.compliance.case import Case, CaseAct
from projections.compliance.reading import Filled
from projections.status import items, lifecycle, tracks
from projections.status.facts import StatusFacts
from projections.status.fold import StatusFold
from projections.status.reading import COMPARED

if TYPE_CHECKING:
    from projections.figures.waits import Span

_FOLD = StatusFold()
_TYPES = {row.name: type_ for type_, row in catalogue.types_by_name().items()}
_PASSING = (
    frozenset(row.act.partition("/")[0] for row in lifecycle.TABLE if row.next is not None)
    | lifecycle.OPENERS | items.TOUCHING | (tracks.PERSONS & {"decision.granted", "person.handedover"})
)  # fmt: skip
"""Acts that may pass the step on, or on which it hangs whether another does."""
_BOX = {"s": 1, "key": "0" * 32, "box": "", "commit": "A" * 43 + "="}
_encode = msgspec.json.Encoder().encode


class Turn(NamedTuple):
    """From ``time`` (ms) on it was the step of a side, because of an act."""

    side: str
    time: int
    act: CaseAct


def sides_of(case: Case, opener: CaseAct, spans: Sequence[Span]) -> list[list[Turn]]:
    """The turns of each time that a request was open: none empty in time, no two neighbours of one side.

    Args:
        case: of the request.
        opener: taken first, wherever it stands.
        spans: the times during which it was open.
    """
    begins = {span.begun: number for number, span in enumerate(spans)}
    ends = {span.ended for span in spans if span.ended is not None}
    found: list[list[Turn]] = [[] for _ in spans]
    number, clock = -1, 0
    for act, side in _told(case, opener):
        if act in begins:
            number, clock = begins[act], spans[begins[act]].since
            found[number].append(Turn(side, clock, act))
        elif act in ends:
            number = -1
        elif number >= 0:
            until = spans[number].until
            clock = max(clock, act.time if until is None else min(act.time, until))
            found[number].append(Turn(side, clock, act))
    return [_lasting(turns, span.until) for turns, span in zip(found, spans, strict=True)]


def _lasting(turns: list[Turn], until: int | None) -> list[Turn]:
    """Those that last: of several at one moment the last, and each side once until it passes."""
    kept: list[Turn] = []
    for place, turn in enumerate(turns):
        after = turns[place + 1].time if place + 1 < len(turns) else until
        if after != turn.time and (not kept or kept[-1].side != turn.side):
            kept.append(turn)
    return kept


def _told(case: Case, opener: CaseAct) -> Iterator[tuple[CaseAct, str]]:
    """Each act that may pass the step on, with the side whose step it is after it."""
    facts: StatusFacts | None = None
    seq = 0
    for act in (opener, *case.acts) if case.acts[0] is not opener else case.acts:
        if act.name not in _PASSING or (act is opener and seq):
            continue
        seq += 1
        try:
            facts = _FOLD.evolve(facts, _record(act, seq))
        except FormatError:
            # A correction may give an act a form that its type does not have; then it passes nothing on.
            facts = facts or StatusFacts()
        yield act, facts.ball.side


def _record(act: CaseAct, seq: int) -> Record:
    data = _boxed(act.data) if act.name in COMPARED else msgspec.Raw(_encode(act.data))
    # The fold takes the earlier of claimed and admitted, which is what the case file has decided already.
    time = moment_of(act.time).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    event = Event(
        "1.0",
        act.id,
        f"office/{act.source}",
        _TYPES[act.name],
        Subject(act.subject),
        time,
        "application/json",
        "",
        data,
    )
    seal = Seal(1, act.index, seq, "", [], act.time, 0, 0, "")
    return Record(0, act.index, seal, b"", b"", b"", event)


def _boxed(data: Any) -> msgspec.Raw:
    """Data that are read by the catalogue's own type: a box that nobody can open for each sealed member."""
    return msgspec.Raw(_encode(_whole(data)))


def _whole(value: Any) -> Any:
    if isinstance(value, Filled):
        return {**_BOX, "filled": value.filled}
    if isinstance(value, msgspec.Struct):
        shown = (
            (name, getattr(value, field))
            for field, name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        )
        return {name: _whole(member) for name, member in shown if member is not msgspec.UNSET}
    return [_whole(member) for member in value] if isinstance(value, list) else value
