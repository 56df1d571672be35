"""What is said about compliance: the findings of one subject, rows of the board, counts; plain values."""

from __future__ import annotations

import msgspec

from projections.compliance.facts import CaseFile
from projections.compliance.verdict import Finding, Mark, Verdict
from projections.figures.months import ALL


class Filed(msgspec.Struct, frozen=True):
    """A subject's case file, and where it stands. ``seq``: how many records the subject has."""

    subject: str
    partition: int
    seq: int
    file: CaseFile


class Answered(msgspec.Struct, frozen=True):
    """What the rulebook says of one subject; judged when it was asked, so it is never older than ``records``."""

    subject: str
    generation: int
    partition: int | None
    """None: no record speaks of the subject."""
    records: int
    """Records of the subject that were known (``as_of``, ``at``) and are in its file."""
    index: int | None
    """Leaf index of the last of them."""
    size: int
    """Records that the partition had; 0 where it is not known."""
    register_seq: int
    """Of the last register record that was known."""
    rulebook: str
    """Version."""
    rulebook_sha256: str
    as_of: int | None
    """Moment (ms) up to which records were known; None: all that the rows have."""
    at: int | None
    """Records of the partition that were known; None: all."""
    findings: tuple[Finding, ...]


class BoardFilters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which findings; empty is any. ``office`` is who owes it, ``overdue``: only what is open beyond its threshold."""

    verdicts: tuple[Verdict, ...] = ()
    office: str | None = None
    partner: str | None = None
    rule: str | None = None
    article: str | None = None
    """As the places of rules have it (``6``, ``point 4``) or as reviewers cite it (``Agr. 6(2)``)."""
    instrument: str | None = None
    subject: str | None = None
    overdue: bool = False
    first: int = ALL[0]
    """Month in which a finding arose, as 202503, and the last such month."""
    last: int = ALL[1]

    @property
    def of_months(self) -> bool:
        """Whether it matters when a finding arose."""
        return (self.first, self.last) != ALL


class BoardRow(msgspec.Struct, frozen=True):
    """One finding at the board's moment. Times are ms; ``until`` None: time alone does not change it any more."""

    subject: str
    partition: int
    """-1: nothing was recorded of this subject, and its silence was judged."""
    rule: str
    item: str
    instrument: str
    verdict: Verdict
    reason: str
    since: int
    until: int | None
    bound: str
    partner: str
    marks: tuple[Mark, ...]
    expected_by: int
    """0: no threshold applies."""
    overdue: bool
    finding: Finding


class Basis(msgspec.Struct, frozen=True):
    """What an answer from materialised verdicts rests on."""

    generation: int
    sizes: dict[int, int]
    """Records of each partition that the rows have."""
    register_seq: int
    """Register record up to which everything that is not waiting was judged."""
    rulebook_sha256: str
    """Of the rulebook that it was judged by; empty: nothing has been judged."""
    waiting: int
    """Subjects that wait for judgement; what is said of them may be older than their records."""


class BoardPage(msgspec.Struct, frozen=True):
    """A part of the board: breached first, then undetermined, open, met. ``after`` asks for the next part."""

    basis: Basis
    as_of: int
    rows: list[BoardRow]
    after: str | None


class Count(msgspec.Struct, frozen=True):
    """How many findings of a rule have a verdict; ``overdue`` of them are open beyond their threshold."""

    instrument: str
    rule: str
    verdict: Verdict
    number: int
    overdue: int


class BoardCounts(msgspec.Struct, frozen=True):
    """How many findings there are, by rule and verdict."""

    basis: Basis
    as_of: int
    rows: list[Count]
