"""Treaties and programmes by partner, of the register (M25, M27; ``stages.py``: M26).

An instrument is one thing; it is posted for each of its parties but the own one, and without a partner where it has no
other.  Dates are those that the records state, at midnight of the ledger's zone.

Our choices, since the texts count and do not define:

- *signed* (M25.signed): from the signature until it ends; *in force*: from ``instrument.entered`` until
  ``instrument.ended``, or from its ``until`` on if no later entry has another one.  What was signed and never entered
  is in no force.
- ``between`` narrows an entry or an end to those states; where the own Party is none of them, it says nothing of us.
- Of a programme, *signed* (M27) says that it ever was, *running* that it is in force, *finished* that it has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from projections.compliance.case import CaseAct
from projections.compliance.readings import start_of
from projections.compliance.register import InstrumentEntry, LegalRegister
from projections.figures.posting import Posting
from projections.figures.sheet import UNKNOWN, ended
from projections.figures.stages import count_stages

PROGRAMME = "programme"
_SIGNED, _ENTERED, _ENDED, _UNTIL = range(4)


class _Step(NamedTuple):
    """Something that happens to an instrument on a day; of one day in the order of the ledger."""

    day: str
    seq: int
    what: int
    act: CaseAct


def count_treaties(register: LegalRegister) -> list[Posting]:
    """M25-M27 of a register."""
    zone = register.ledger_zone()
    seen = dict.fromkeys(act.data.instrument for act in register.case.acts if act.name in _NAMES)
    rows: list[Posting] = []
    for id_ in seen:
        entry = register.instrument(id_)
        rows += count_stages(entry, register.own, zone)
        rows += _count(entry, register.own, zone)
    return rows


_NAMES = frozenset({"instrument.staged", "instrument.signed", "instrument.entered", "instrument.ended"})


def _count(entry: InstrumentEntry, own: str, zone: str) -> Iterator[Posting]:
    steps = sorted(
        [_Step(act.data.date, act.seq, _SIGNED, act) for act in entry.signed]
        + [_Step(act.data.date, act.seq, _ENTERED, act) for act in entry.entered]
        + [_Step(act.data.date, act.seq, _ENDED, act) for act in entry.ended]
        + [_Step(act.data.until, act.seq, _UNTIL, act) for act in entry.entered if act.get("until") is not None]
    )
    kind = entry.signed[-1].data.kind if entry.signed else entry.staged[-1].data.kind if entry.staged else UNKNOWN
    parties = {state for act in entry.signed for state in act.data.parties}
    between = {state for act in (*entry.entered, *entry.ended) for state in act.get("between") or ()}
    for partner in sorted((parties or between) - {own}) or [""]:
        yield from _Life(entry.id, kind, partner, zone).tell(steps, own)


class _Life:
    """An instrument between the own Party and one partner; what stands is posted as it changes."""

    def __init__(self, id_: str, kind: str, partner: str, zone: str) -> None:
        self._id, self._kind, self._partner, self._zone = id_, kind, partner, zone
        self._rows: list[Posting] = []
        self._stands: dict[tuple[str, str], bool] = {}
        self._signed = False
        self._force: CaseAct | None = None
        """The entry by which it is in force."""

    def tell(self, steps: list[_Step], own: str) -> list[Posting]:
        """The postings that the steps make."""
        for step in steps:
            if step.what == _SIGNED:
                self._sign(step)
            elif self._concerns(step.act, own):
                self._move(step)
        return self._rows

    def _concerns(self, act: CaseAct, own: str) -> bool:
        between: Any = act.get("between")
        return between is None or (own in between and (not self._partner or self._partner in between))

    def _sign(self, step: _Step) -> None:
        if self._partner and self._partner not in step.act.data.parties:
            return
        if not self._signed:
            self._post(step, "M25.new", self._kind)
        self._signed = True
        self._set(step, "M25.signed", self._kind, True)
        if self._kind == PROGRAMME:
            self._set(step, "M27", "signed", True)

    def _move(self, step: _Step) -> None:
        if step.what == _UNTIL and self._force is not step.act:
            return  # a later entry has put another term in its place, or it has ended before
        self._force = step.act if step.what == _ENTERED else None
        stands = step.what == _ENTERED
        self._set(step, "M25.force", self._kind, stands)
        if self._signed:
            self._set(step, "M25.signed", self._kind, stands)
        if self._kind == PROGRAMME:
            self._set(step, "M27", "running", stands)
            self._set(step, "M27", "finished", not stands)

    def _set(self, step: _Step, part: str, tag: str, stands: bool) -> None:
        if self._stands.get((part, tag), False) != stands:
            self._stands[part, tag] = stands
            self._post(step, part, tag, 1 if stands else -1)

    def _post(self, step: _Step, part: str, tag: str, value: int = 1) -> None:
        time = start_of(date.fromisoformat(step.day), self._zone)
        # One record may speak of two days, its date and its ``until``, and one of its postings take back another.
        item = f"{self._id} {self._partner or '-'} {step.act.seq} {tag}"
        item = ended(item) if value < 0 or step.what == _UNTIL else item
        self._rows.append(
            Posting(part, item, time, self._partner, "", "", "", "", tag, self._id, value, "", step.act.index)
        )
