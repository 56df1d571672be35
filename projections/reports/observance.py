"""Findings of the board summed up rule by rule: verdicts, the longest lag, why something could not be decided.

What is counted is what the board says at the moment of the document: of each finding the verdict that holds then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import msgspec

from projections.compliance.answers import BoardRow
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import said_line, why
from projections.compliance.verdict import WORST, Verdict
from projections.figures.months import month_of
from projections.reports.document import Findings, Source
from projections.reports.notes import Rests
from projections.reports.words import Words

_YEARS = "year/"
_DAYS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class Found(msgspec.Struct, frozen=True):
    """One finding in words."""

    subject: str
    rule: str
    cites: str
    verdict: Verdict
    overdue: bool
    line: str
    why: str
    record: str
    """The last record that it rests on, with partition and index; empty: none."""


class Reason(msgspec.Struct, frozen=True):
    """Why findings are undetermined, and how many are for that reason; ``example`` in the words of the first."""

    code: str
    number: int
    example: str


class Observed(msgspec.Struct, frozen=True):
    """One obligation. ``lag`` is the longest in days, as the rulebook writes it; empty: no lag was measured."""

    rule: str
    cites: str
    counts: dict[str, int]
    partners: dict[str, int]
    """Of the counts those of duties of another Party."""
    of_year: bool
    """Whether it is asked of the year as such."""
    overdue: int
    lag: str
    lag_of: str
    reasons: tuple[Reason, ...]


class Observance(msgspec.Struct, frozen=True):
    """All obligations that have findings, in the order of the rulebook, and what their counts rest on."""

    rules: tuple[Observed, ...]
    found: tuple[Found, ...]
    """Those that are breached, undetermined or overdue, the worst first."""
    rests: dict[Source, Rests]


class _Sum:
    """What is gathered of one rule."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.partners: Counter[str] = Counter()
        self.of_year = False
        self.overdue = 0
        self.lag: tuple[float, str, str] = -1.0, "", ""
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, tuple[str, str, str]] = {}


class _Ends:
    """The first and the last finding behind a count, by the moment since which its verdict holds."""

    def __init__(self) -> None:
        self.number = 0
        self.first: tuple[int, str, str, str] | None = None
        self.last: tuple[int, str, str, str] | None = None

    def add(self, key: tuple[int, str, str, str]) -> None:
        self.number += 1
        self.first = key if self.first is None else min(self.first, key)
        self.last = key if self.last is None else max(self.last, key)


class Period(msgspec.Struct, frozen=True):
    """Which findings a document of a year is about.

    Those that arose in it; but what a year itself asks for (its reports, checks, review) falls due after it, so of the
    subjects ``year/…`` those of this year, and of no other (our choice).
    """

    year: int
    zone: str
    """Of the ledger's months."""

    @property
    def subject(self) -> str:
        """The subject of the year itself."""
        return f"year/{self.year}"

    def has(self, row: BoardRow) -> bool:
        """Whether a finding is one of them."""
        if row.subject.startswith(_YEARS):
            return row.subject == self.subject
        return month_of(row.finding.steps[0].at, self.zone) // 100 == self.year


def observe(
    rows: Iterable[BoardRow], rulebook: Rulebook, as_of: int, words: Words, period: Period, own: str, office: str = ""
) -> Observance:
    """Sum up the rows of the board that a period has.

    Args:
        rows: in any order.
        rulebook: says where rules stand, and in which words.
        as_of: moment (ms) at which the rows were read.
        words: of the document.
        period: other rows are passed over.
        own: the own Party.
        office: whose rows they are, where they are one office's alone.
    """
    sums: dict[str, _Sum] = {}
    ends: dict[Source, _Ends] = {}
    found: list[tuple[tuple[int, str, str, str], Found]] = []
    for row in filter(period.has, rows):
        made = sums.setdefault(row.rule, _Sum())
        made.counts[row.verdict] += 1
        made.partners[row.verdict] += row.bound.partition("-")[0] not in ("", own)
        made.overdue += row.overdue
        key = row.since, row.subject, row.item, _record(row)
        of_year = row.subject == period.subject
        made.of_year = of_year
        for partner in {"", row.partner}:
            source = source_of(row.rule, row.verdict, period.year, office, of_year=of_year, partner=partner)
            ends.setdefault(source, _Ends()).add(key)
        lag = row.finding.values.get("lag", "")
        if _DAYS.fullmatch(lag):  # else it runs still, or was not measured
            made.lag = max(made.lag, (float(lag), lag, row.subject))
        if row.verdict == "undetermined":
            said = why(row.finding, rulebook, as_of, words.lang)
            made.reasons[row.reason] += 1
            example = row.subject, row.item, said
            made.examples[row.reason] = min(made.examples.get(row.reason, example), example)
        if row.verdict in ("breached", "undetermined") or row.overdue:
            rank = WORST.index(row.verdict), row.rule, row.subject, row.item
            found.append((rank, _found(row, rulebook, as_of, words)))
    rules = tuple(_observed(rule.id, rule.place.cites, sums[rule.id]) for rule in rulebook.rules() if rule.id in sums)
    rests = {source: _rests(end, words, period.zone) for source, end in ends.items()}
    return Observance(rules, tuple(one for _, one in sorted(found, key=lambda pair: pair[0])), rests)


def _observed(rule: str, cites: str, made: _Sum) -> Observed:
    reasons = tuple(
        Reason(code, number, made.examples[code][2])
        for code, number in sorted(made.reasons.items(), key=lambda item: (-item[1], item[0]))
    )
    return Observed(
        rule, cites, dict(made.counts), dict(made.partners), made.of_year, made.overdue, made.lag[1], made.lag[2],
        reasons,
    )  # fmt: skip


def source_of(rule: str, verdict: str, year: int, office: str, *, of_year: bool, partner: str = "") -> Findings:
    """What a count of findings is cited by."""
    return Findings(rule, verdict, year, office, of_year, partner)


def _found(row: BoardRow, rulebook: Rulebook, as_of: int, words: Words) -> Found:
    rule = rulebook.find(row.rule)
    return Found(
        row.subject, row.rule, "" if rule is None else rule[1].place.cites, row.verdict, row.overdue,
        said_line(row.finding, rulebook, words.lang), why(row.finding, rulebook, as_of, words.lang), _record(row),
    )  # fmt: skip


def _record(row: BoardRow) -> str:
    """The last record of the subject that a finding rests on; of the register where there is no other."""
    own = [ref for ref in row.finding.evidence if ref.subject == row.subject]
    last = max(own or row.finding.evidence, key=lambda ref: ref.index, default=None)
    if last is None:
        return ""
    partition = row.partition if last.subject == row.subject else 0
    return f"{last.name} {partition}:{last.index}"


def _rests(ends: _Ends, words: Words, zone: str) -> Rests:
    def said(key: tuple[int, str, str, str] | None) -> str:
        if key is None:
            return ""
        since, subject, _, record = key
        return f"{words.day(since, zone)} {subject}" + (f" ({record})" if record else "")

    return Rests(ends.number, said(ends.first), said(ends.last))
