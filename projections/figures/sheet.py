"""The sheet on which the postings of one subject are written, each with what is common to all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from projections.compliance.case import Case, CaseAct, items
from projections.figures.posting import DAY, Posting

UNKNOWN = "unknown"
"""The word of a tag where nothing is known."""


class Sheet:
    """Postings of one subject, in the order in which they were written."""

    def __init__(self, case: Case) -> None:
        """``case``: of a request, partner and offices are those of its content as last put in writing."""
        self.case = case
        self.rows: list[Posting] = []
        self.direction = self.kind = self.partner = self.office = self.counterpart = ""
        content = case.content
        if content is not None:
            data = content.data
            self.direction, self.kind, self.partner = str(data.direction), str(data.kind), str(data.partner)
            ends = str(data.requesting), str(data.requested)
            self.office, self.counterpart = ends if self.direction == "out" else ends[::-1]
        every = case.every
        plain = len({act.id for act in every}) == len(every) and not any("@" in act.id for act in every)
        self._names = None if plain else items(every)

    def name(self, act: CaseAct) -> str:
        """An act as item: its event id, with the source where another of this subject has the same id."""
        return act.id if self._names is None else self._names[act]

    def post(
        self,
        part: str,
        act: CaseAct,
        tag: str = "",
        *,
        item: str | None = None,
        value: int = 1,
        time: int | None = None,
        thing: str = "",
        currency: str = "",
        begun: int = -1,
    ) -> None:
        """Post something of a request that rests on an act.

        Args:
            part: of the catalogue.
            act: gives the record, and the item and the time (ms) where these are not given.
            tag: line of the part.
            item: what tells it from other postings to the part.
            value: as ``Posting.value``.
            time: effective, ms.
            thing: what is counted once.
            currency: as ``Posting.currency``.
            begun: leaf index of the record from which days are counted.
        """
        self.rows.append(
            Posting(
                part, self.name(act) if item is None else item, act.time if time is None else time, self.partner,
                self.direction, self.kind, self.office, self.counterpart, tag, thing, value, currency, act.index, begun,
            )
        )  # fmt: skip

    def days(
        self, part: str, begun: CaseAct, act: CaseAct, tag: str = "", *, item: str | None = None, thing: str = ""
    ) -> None:
        """Post the whole days that elapsed from one act to another; none where the other is earlier."""
        self.post(part, act, tag, item=item, value=elapsed(begun.time, act.time), thing=thing, begun=begun.index)

    def stands(
        self, part: str, act: CaseAct, ends: CaseAct | None, tag: str = "", *, item: str | None = None, thing: str = ""
    ) -> None:
        """Post that something stands from an act on, and, where it ends, that it stands no more."""
        item = self.name(act) if item is None else item
        self.post(part, act, tag, item=item, thing=thing)
        if ends is not None:
            time = max(act.time, ends.time)
            self.post(part, ends, tag, item=ended(item), value=-1, time=time, thing=thing)


def ended(item: str) -> str:
    """The item of the posting that takes back what another one posted."""
    return f"{item} ended"


def elapsed(begun: int, until: int) -> int:
    """Whole days between two moments (ms); 0 where the second is the earlier."""
    return max(0, until - begun) // DAY


def first(acts: Iterable[CaseAct]) -> CaseAct | None:
    """The earliest by effective time."""
    return min(acts, key=lambda act: act.order, default=None)


def in_time(acts: Sequence[CaseAct]) -> Sequence[CaseAct]:
    """Acts in the order of their effective times."""
    return acts if len(acts) < 2 else sorted(acts, key=lambda act: act.order)
