"""The board and its counts as ``rogatory compliance`` shows them."""

from __future__ import annotations

from typing import Any

from infra.cli.findings import COLUMNS, finding_json, finding_row
from infra.cli.options import Common
from infra.cli.render import plural, say, short, show_json, table, when
from projections.compliance.answers import Basis, BoardCounts, BoardPage
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import Lang
from projections.compliance.verdict import WORST


def show_board(common: Common, page: BoardPage, rulebook: Rulebook, behind: int, lang: Lang) -> bool:
    """Show a page of the board; whether it has a breach."""
    if common.json:
        rows = [
            {"subject": row.subject, "partner": row.partner, "silence": row.partition < 0}
            | finding_json(row.finding, rulebook, page.as_of, lang)
            for row in page.rows
        ]
        show_json({**_basis(page.basis, behind), "as_of": page.as_of, "findings": rows, "after": page.after})
    else:
        if page.rows:
            rows_ = [
                [
                    row.subject.removeprefix("request/"),
                    *finding_row(row.finding, rulebook, page.as_of, lang, brief=True),
                ]
                for row in page.rows
            ]
            table("", ["subject", *COLUMNS], rows_)
        else:
            say("No finding passes.")
        _told_basis(page.basis, f"{plural(len(page.rows), 'finding')} at {when(page.as_of)}")
        if page.after:
            say(f"More: --after '{page.after}'")
    return any(row.verdict == "breached" for row in page.rows)


def show_counts(common: Common, counts: BoardCounts, behind: int) -> bool:
    """Show counts; whether there is a breach."""
    if common.json:
        show_json({**_basis(counts.basis, behind), "as_of": counts.as_of, "counts": counts.rows})
    else:
        by_rule: dict[tuple[str, str], dict[str, int]] = {}
        for each in counts.rows:
            row = by_rule.setdefault((each.instrument, each.rule), {})
            row[each.verdict] = each.number
            row["overdue"] = row.get("overdue", 0) + each.overdue
        columns = ["instrument", "rule", *WORST, "overdue"]
        cells = [[*key, *(row.get(name, 0) or "" for name in columns[2:])] for key, row in by_rule.items()]
        if cells:
            table("", columns, cells, right=columns[2:])
        total = sum(each.number for each in counts.rows)
        _told_basis(counts.basis, f"{plural(total, 'finding')} at {when(counts.as_of)}")
    return any(each.verdict == "breached" and each.number for each in counts.rows)


def _basis(basis: Basis, behind: int) -> dict[str, Any]:
    return {
        "generation": basis.generation, "sizes": basis.sizes, "behind": behind, "register_seq": basis.register_seq,
        "rulebook_sha256": basis.rulebook_sha256, "waiting": basis.waiting,
    }  # fmt: skip


def _told_basis(basis: Basis, what: str) -> None:
    total = sum(basis.sizes.values())
    say(
        f"{what}, from {plural(total, 'record')} of {plural(len(basis.sizes), 'partition')} and register record "
        f"{basis.register_seq}, by rulebook {short(basis.rulebook_sha256) or '–'}."
    )
    if basis.waiting:
        say(f"{plural(basis.waiting, 'subject')} still to be judged; of these the board may say what was true before.")
