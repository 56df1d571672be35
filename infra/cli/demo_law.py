"""What ``rogatory demo`` says about the law: verdicts of the whole stream by rule, and one request's findings."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from infra.cli.demo_tables import plain_table
from infra.cli.findings import finding_json, said_verdict, sorted_findings
from infra.cli.render import plural, say
from infra.compliance import open_compliance
from infra.signing import now_ms
from infra.wiring import Ledger
from projections.compliance.answers import BoardCounts, BoardFilters
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import said_line, why
from projections.compliance.verdict import WORST, Finding
from projections.store import Store


class Law(NamedTuple):
    """What was found."""

    subject: str
    """The request with the worst finding."""
    findings: list[Finding]
    counts: BoardCounts
    rulebook: Rulebook
    as_of: int
    seconds: float
    """To answer: the request's own judgement, and the counts."""


def read_law(ledger: Ledger, store: Store) -> Law:
    """Ask the board which request has the worst finding, judge that one, and count."""
    compliance, rulebook = open_compliance(ledger, store)
    as_of = now_ms()
    begun = time.monotonic()
    counts = compliance.counts(BoardFilters(), as_of)
    page = compliance.board(BoardFilters(verdicts=("breached", "undetermined", "open")), as_of, limit=100)
    of_requests = [row.subject for row in page.rows if row.subject.startswith("request/")]
    subject = next(iter(of_requests), "register")  # the worst comes first
    findings = sorted_findings(compliance.of(subject).findings, as_of)
    return Law(subject, findings, counts, rulebook, as_of, time.monotonic() - begun)


def law_json(law: Law) -> dict[str, Any]:
    """The same for a JSON document."""
    return {
        "counts": law.counts.rows,
        "request": law.subject,
        "findings": [finding_json(finding, law.rulebook, law.as_of, "en") for finding in law.findings],
    }


def show_law(law: Law) -> None:
    """Print verdicts by rule where not all are met, then one request."""
    by_rule: dict[str, dict[str, int]] = {}
    for each in law.counts.rows:
        if _of_requests(law, each.rule):
            by_rule.setdefault(each.rule, {})[each.verdict] = each.number
    doubtful = {rule: row for rule, row in by_rule.items() if set(row) - {"met"}}
    cells = [
        [rule, _place(law, rule), *(str(row.get(verdict, "")) for verdict in WORST)]
        for rule, row in sorted(doubtful.items(), key=lambda pair: (-pair[1].get("breached", 0), pair[0]))
    ]
    plain_table("", ["rule", "place", *WORST], cells, [])
    total = sum(sum(row.values()) for row in by_rule.values())
    rest = sum(each.number for each in law.counts.rows) - total
    say(
        f"{plural(total, 'verdict')} on requests by {plural(len(by_rule), 'rule')}; those that are not listed found "
        f"everything met.\nAnother {rest} are on the register and on years of which this ledger knows nothing: reports "
        f"that never came.\n\n{law.subject}, what was found of it:"
    )
    rows = [
        [
            finding.rule, said_verdict(finding, law.as_of), said_line(finding, law.rulebook, "en"),
            why(finding, law.rulebook, law.as_of, "en"),
        ]
        for finding in law.findings
        if finding.at(law.as_of).verdict != "met"
    ]  # fmt: skip
    plain_table("", ["rule", "verdict", "what is found", "why"], rows, ["what is found", "why"])


def _of_requests(law: Law, rule: str) -> bool:
    found = law.rulebook.find(rule)
    return found is not None and "request" in found[1].subjects


def _place(law: Law, rule: str) -> str:
    found = law.rulebook.find(rule)
    return "" if found is None else found[1].place.cites
