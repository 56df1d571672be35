"""What is asked about figures and what is answered; plain values.

::

    page = figures.page(Scope(partner="KZ", first=202501, last=202512))
    for figure in page.figures:
        for part in figure.parts:
            for line in part.lines: …
"""

from __future__ import annotations

import msgspec

from projections.compliance.answers import Basis


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which postings; None is any. Months are numbers as 202503, both inclusive."""

    partner: str | None = None
    office: str | None = None
    """Own office."""
    counterpart: str | None = None
    kind: str | None = None
    direction: str | None = None
    first: int = 0
    last: int = 999912
    until: int = 999912
    """The month of asking: what stands in a period that is not over is what stands then. A treaty says when it ends."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A number of a part. Of ``days`` the number is that of finished cases; of money it is in the minor unit."""

    tag: str
    number: int
    currency: str = ""
    p50: int | None = None
    """Days; the percentiles of other parts are None."""
    p90: int | None = None
    """None: too few cases (fewer than 10)."""
    p99: int | None = None
    """None: too few cases (fewer than 100)."""


class PartAnswer(msgspec.Struct, frozen=True):
    """One part of a figure; lines in the order of tags and currencies."""

    code: str
    lines: tuple[Line, ...]
    number: int | None = None
    """The part as a whole: the sum of counts; of things each once, so it may be less than the sum of its lines.
    None: of days and money."""

    def share(self, tag: str) -> tuple[int, int]:
        """How many of how many have the tag, or one that begins with this word."""
        of = sum(line.number for line in self.lines if line.tag == tag or line.tag.startswith(tag + " "))
        return of, sum(line.number for line in self.lines)


class VerdictLine(msgspec.Struct, frozen=True):
    """How many findings of a rule have a verdict, by whose duty it is (``own``, ``partner``, ``unknown``)."""

    rule: str
    verdict: str
    bound: str
    number: int


class OverdueLine(msgspec.Struct, frozen=True):
    """Findings of a rule that are open beyond the threshold of the configuration; ages in whole days."""

    rule: str
    number: int
    p50: int | None
    p90: int | None


class FigureAnswer(msgspec.Struct, frozen=True):
    """A figure. ``verdicts`` of M28 and M30, ``overdue`` of M29."""

    id: str
    parts: tuple[PartAnswer, ...] = ()
    verdicts: tuple[VerdictLine, ...] = ()
    overdue: tuple[OverdueLine, ...] = ()

    def part(self, code: str) -> PartAnswer:
        """One of its parts; an empty one where nothing was posted."""
        return next((part for part in self.parts if part.code == code), PartAnswer(code, (), 0))


class FiguresPage(msgspec.Struct, frozen=True):
    """All figures of a scope, and what they rest on."""

    basis: Basis
    scope: Scope
    as_of: int
    """Moment (ms) at which verdicts are read."""
    figures: tuple[FigureAnswer, ...]

    def figure(self, id_: str) -> FigureAnswer:
        """One of them; empty where nothing was posted."""
        return next((figure for figure in self.figures if figure.id == id_), FigureAnswer(id_))


class PartnerLine(msgspec.Struct, frozen=True):
    """One state in the list of all partners."""

    partner: str
    requests_out: int
    requests_in: int
    open: int
    answered: int
    answer_p50: int | None
    """Days; None: no case."""
    refused: int
    """Requests with a full refusal, of ``refused_of`` answered or refused."""
    refused_of: int
    breached: int


class Partners(msgspec.Struct, frozen=True):
    """All partners of a scope, those with the most requests first."""

    basis: Basis
    scope: Scope
    as_of: int
    rows: tuple[PartnerLine, ...]


class Cited(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that a figure rests on, by its posting."""

    partition: int
    subject: str
    index: int
    part: str
    item: str
    time: int
    partner: str
    tag: str
    thing: str
    value: int
    currency: str
    since: int = -1


class Citation(msgspec.Struct, frozen=True):
    """What a figure rests on: how many postings, the first and the last of them by time, and how to list them."""

    part: str
    postings: int
    first: Cited | None
    last: Cited | None


class CitedPage(msgspec.Struct, frozen=True):
    """A part of the postings behind a figure, by time; ``after`` asks for the next."""

    rows: tuple[Cited, ...]
    after: str | None
