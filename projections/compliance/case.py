"""A case file as rules read it: acts with typed data, corrections applied, times decided.

The one place that knows what effective time is (the earlier of claimed and admitted, our choice) and what a correction
does: a record of the same author that replaces clear members of an earlier one, or disowns it (the act then did not
happen, for rules).  Both stay visible in the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from projections.compliance.facts import Act, CaseFile
from projections.compliance.reading import corrected, read
from projections.compliance.verdict import Mark, Ref

_by_seq, _by_order = attrgetter("seq"), attrgetter("order")
OPENERS = ("request.signed", "request.spoken", "request.received")
CONTENT = ("request.signed", "request.spoken", "request.confirmed", "request.received")


class CaseAct:
    """One act of a case. Compared by identity; ``data`` is a Struct of ``reading.TYPES``, read at first use."""

    __slots__ = (
        "_act", "_data", "_office", "_ref", "actor", "admitted", "claimed", "corrections", "id", "index", "kids",
        "name", "order", "seq", "source", "subject", "time",
    )  # fmt: skip

    def __init__(self, subject: str, act: Act) -> None:
        self.subject = subject
        self._act = act
        self._data: Any = None
        self._office: str | None = None
        self._ref: Ref | None = None
        self.corrections: list[CaseAct] = []
        """What corrected it, in order."""
        self.name = act.name
        """``request.signed``."""
        self.id = act.id
        """Event id."""
        self.index = act.index
        """Leaf index."""
        self.seq = act.seq
        """Place in the subject: the order of admission."""
        self.kids = act.kids
        """Keys that signed it."""
        self.actor = act.actor
        """Person inside the office; empty: not said."""
        self.source = act.source
        """The office that recorded it."""
        self.claimed = act.claimed
        """When it happened, as its sender says (ms)."""
        self.admitted = act.admitted
        """When the ledger recorded it (ms)."""
        self.time = min(act.claimed, act.admitted)
        """Effective time (ms): the earlier of claimed and admitted."""
        self.order = (self.time, act.seq)
        """By what "before" is decided: effective time, ties by sequence."""

    def __repr__(self) -> str:
        return f"<{self.name} {self.id} of {self.subject}>"

    @property
    def data(self) -> Any:
        """Its data, as corrected."""
        if self._data is None:
            data = read(self._act.name, self._act.data)
            for correction in self.corrections:
                if correction.data.fields is not UNSET:
                    data = corrected(self._act.name, data, correction.data.fields)
            self._data = data
        return self._data

    @property
    def office(self) -> str:
        """Whose act it is: the source's, unless that reports a partner's act."""
        if self._office is None:
            of = getattr(self.data, "act_of", UNSET)
            self._office = self.source if of is UNSET else str(of)
        return self._office

    @property
    def reported(self) -> bool:
        """Whether its source only reports it."""
        return self.office != self.source

    @property
    def ref(self) -> Ref:
        """As evidence."""
        if self._ref is None:
            self._ref = Ref(self.subject, self.index, self.id, self.name)
        return self._ref

    def get(self, member: str) -> Any:
        """A member of its data; None where it is absent."""
        value = getattr(self.data, member, None)
        return None if value is UNSET else value

    def filled(self, member: str) -> bool:
        """Whether a sealed member is there and says something."""
        value = self.get(member)
        return value is not None and bool(value.filled)

    def marks(self) -> tuple[Mark, ...]:
        """Marks that any verdict resting on it carries."""
        if not self.corrections and self.office == self.source and self.claimed <= self.admitted:
            return ()
        found: list[Mark] = []
        if self.corrections:
            found.append("corrected")
        if self.reported:
            found.append("reported")
        if self.claimed > self.admitted:
            found.append("future_dated")
        return tuple(found)


class Case:
    """The acts of one subject, in the order of the ledger."""

    def __init__(self, subject: str, file: CaseFile) -> None:
        self.subject = subject
        self.sort = subject.partition("/")[0]
        self.memo: dict[Any, Any] = {}
        """What is derived of the acts once and read by several rules."""
        self.every = tuple(CaseAct(subject, act) for act in file.acts)
        """Disowned ones and corrections, too."""
        by_id = {(act.source, act.id): act for act in self.every}
        disowned = set()
        for act in self.every:
            if act.name != "record.corrected":
                continue
            target = by_id.get((act.source, act.data.target))  # an author corrects its own records only
            if target is None or target is act:
                continue
            if act.data.how == "disown":
                disowned.add(target)
            else:
                target.corrections.append(act)
        self.acts = tuple(act for act in self.every if act not in disowned)
        """What counts."""
        self._named: dict[str, list[CaseAct]] = {}
        self._several: dict[tuple[str, ...], list[CaseAct]] = {}
        for act in self.acts:
            self._named.setdefault(act.name, []).append(act)

    def named(self, *names: str) -> list[CaseAct]:
        """All acts of these names, in the order of the ledger."""
        if len(names) == 1:
            return list(self._named.get(names[0], ()))
        found = self._several.get(names)
        if found is None:
            found = sorted((act for name in names for act in self._named.get(name, ())), key=_by_seq)
            self._several[names] = found
        return list(found)

    def first(self, *names: str) -> CaseAct | None:
        """The earliest by effective time."""
        return min(self.named(*names), key=_by_order, default=None)

    def last(self, *names: str) -> CaseAct | None:
        """The latest by effective time."""
        return max(self.named(*names), key=_by_order, default=None)

    def item(self, act: CaseAct) -> str:
        """An act as item of a finding: its event id, with the source where another office has used the same id here."""
        return self._items[act]

    @cached_property
    def _items(self) -> dict[CaseAct, str]:
        return items(self.every)

    def find(self, event_id: str) -> CaseAct | None:
        """An act by its event id; the first one, should two offices have used the same."""
        return next((act for act in self.acts if act.id == event_id), None)

    @cached_property
    def opener(self) -> CaseAct | None:
        """What opened the request: the first act, if it is one that opens; else the first that brings the content."""
        first = next((act for act in self.acts if act.name in OPENERS), None)
        return first if first is not None else self.content

    @cached_property
    def content(self) -> CaseAct | None:
        """The act with the content as last put in writing (else as said)."""
        said = [act for act in self.named(*CONTENT) if act.get("kind") is not None]
        written = [act for act in said if act.name != "request.spoken"]
        found = written or said
        return found[-1] if found else None

    def said(self, member: str) -> Any:
        """A member of the content (``kind``, ``partner``, ``forms`` …); None where it, or the content, is not known."""
        return None if self.content is None else self.content.get(member)

    @cached_property
    def kind(self) -> str | None:
        """Of the request."""
        kind = self.said("kind")
        return None if kind is None else str(kind)

    @cached_property
    def direction(self) -> str | None:
        """``out`` or ``in``."""
        direction = self.said("direction")
        return None if direction is None else str(direction)

    @cached_property
    def partner(self) -> str | None:
        """The other state: as the content says; else None."""
        partner = self.said("partner")
        return None if partner is None else str(partner)

    @cached_property
    def direct(self) -> bool:
        """Whether the exchange goes, or went, directly between two offices: by a recorded channel or by its kind."""
        channels = {
            act.data.channel
            for act in self.named("request.sent", "request.spoken", "request.received", "material.sent",
                                  "material.received", "request.answered")
        }  # fmt: skip
        return "direct" in channels or (not channels and self.kind == "direct_exchange")

    @cached_property
    def closed(self) -> CaseAct | None:
        """The closure that stands; None while the file is open, or open again."""
        found = None
        for act in self.named("request.closed", "request.reopened"):
            found = act if act.name == "request.closed" else None
        return found

    @cached_property
    def withdrawn(self) -> CaseAct | None:
        """Where the requesting side took the request back."""
        return self.first("request.withdrawn")


def evidence(*acts: CaseAct | Iterable[CaseAct] | None) -> tuple[CaseAct, ...]:
    """Acts and groups of acts as one tuple, each once, in the order given; None is passed over."""
    found: dict[CaseAct, None] = {}  # acts are compared by identity
    for each in acts:
        if each is None:
            continue
        if isinstance(each, CaseAct):
            found[each] = None
        else:
            found.update(dict.fromkeys(each))
    return tuple(found)


def items(acts: Iterable[CaseAct]) -> dict[CaseAct, str]:
    """Acts as items of findings: their event ids, with the source where another of them has the same id.

    So no two have the same item. An id that has an ``@`` itself always stands with its source: it might look like one.
    """
    given = list(acts)
    count = Counter(act.id for act in given)
    return {act: act.id if count[act.id] == 1 and "@" not in act.id else f"{act.id}@{act.source}" for act in given}
