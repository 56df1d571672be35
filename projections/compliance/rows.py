"""Findings as rows: one per step of each, the tallies that they add to, and the digest of a subject's findings. Pure.

A finding that is open until a moment and breached from then on is two rows::

    subject  rule  item  step  rank  last  since          until          reason    bound   detail
    …123     A6.2        0     2     0     1741000000000  1741262400000  running   RU-OMS  {"rule":"A6.2",…}
    …123     A6.2        1     0     0     1741262400000  (for ever)     ran_out   RU-OMS

The first step holds for all time before it, too.  ``rank`` sorts the board, the worst first; ``month`` is the one in
which the finding arose, the same for all its steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

import msgspec

from projections.compliance.judge import Judged
from projections.compliance.verdict import WORST, Finding, Verdict
from projections.figures.months import month_of

RANKS: dict[Verdict, int] = {verdict: rank for rank, verdict in enumerate(WORST)}
"""Place of each verdict in the order from the worst to the best, as it is stored."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_read = msgspec.json.Decoder(Finding).decode


class VerdictRow(NamedTuple):
    """Values in the order of the columns of ``verdicts``."""

    generation: int
    partition: int
    subject: str
    rule: str
    item: str
    step: int
    rank: int
    last: int
    since: int
    until: int | None
    reason: str
    bound: str
    partner: str
    instrument: str
    expected_by: int
    month: int
    detail: str | None


class Place(NamedTuple):
    """Where rows go: the generation, the partition, the partner that lists search by, the zone of their months."""

    generation: int
    partition: int
    partner: str
    zone: str


def verdict_rows(judged: Judged, place: Place, instruments: dict[str, str]) -> list[VerdictRow]:
    """The rows of a subject's findings; ``instruments`` has the instrument of each rule."""
    rows: list[VerdictRow] = []
    for finding in judged.findings:
        steps = finding.steps
        last = RANKS[steps[-1].verdict]
        month = month_of(steps[0].at, place.zone)
        for number, step in enumerate(steps):
            rows.append(
                VerdictRow(
                    generation=place.generation,
                    partition=place.partition,
                    subject=judged.subject,
                    rule=finding.rule,
                    item=finding.item,
                    step=number,
                    rank=RANKS[step.verdict],
                    last=last,
                    since=step.at,
                    until=steps[number + 1].at if number + 1 < len(steps) else None,
                    reason=step.reason,
                    bound=finding.bound,
                    partner=place.partner,
                    instrument=instruments.get(finding.rule, ""),
                    expected_by=finding.expected_by,
                    month=month,
                    detail=_encode(finding).decode() if number == 0 else None,
                )
            )
    return rows


def read_finding(detail: str) -> Finding:
    """A finding from the row of its first step."""
    return _read(detail)


def findings_digest(judged: Judged) -> bytes:
    """SHA-256 over subject and findings, which stand in the order of rules and items.

    Neither the register's seq nor what was looked at is in it: who was judged earlier and not touched since has the
    same.
    """
    return sha256(_encode((judged.subject, judged.findings))).digest()


def set_id(entries: Iterable[str]) -> str:
    """The id of a set of register entries: 32 hex of SHA-256 over them, sorted, as JSON."""
    return sha256(_encode(sorted(entries))).hexdigest()[:32]
