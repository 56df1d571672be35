"""Findings as commands show them: as members of a JSON answer, and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from infra.cli.render import when
from ledger.errors import ConfigError, FormatError
from ledger.event import is_day, moment_of, time_ms
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import Lang, said_line, why
from projections.compliance.verdict import WORST, Finding, Ref

LangOption = Annotated[Lang, typer.Option("--lang", help="Language of lines and reasons")]
UpdateOption = Annotated[
    bool | None,
    typer.Option("--update/--no-update", help="Bring the projections up to date first (default: on a file: ledger)"),
]
SORTS = ("request", "meeting", "year", "review")


def subject_of(text: str) -> str:
    """A subject as a person writes it: ``2025-1`` is ``request/2025-1``."""
    return text if text == "register" or text.partition("/")[0] in SORTS else f"request/{text}"


def moment(text: str | None, option: str = "--as-of") -> int | None:
    """A moment in ms: RFC 3339 with an offset, or a day, which is its last moment in UTC. Raises ConfigError."""
    if text is None:
        return None
    try:
        if is_day(text):
            return time_ms(f"{text}T23:59:59.999Z")
        return time_ms(text)
    except (FormatError, ValueError):
        raise ConfigError(
            f"expected {option} as a day like 2025-06-30 or a time with offset like 2025-06-30T12:00:00+03:00, found "
            f"{text[:60]!r}"
        ) from None


def sorted_findings(findings: Iterable[Finding], as_of: int) -> list[Finding]:
    """The worst first, then by rule and item."""
    return sorted(findings, key=lambda f: (WORST.index(f.at(as_of).verdict), f.rule, f.item))


def finding_json(finding: Finding, rulebook: Rulebook, as_of: int, lang: Lang) -> dict[str, Any]:
    """One finding with its words. Times are ms since 1970."""
    held = finding.at(as_of)
    found = rulebook.find(finding.rule)
    return {
        "rule": finding.rule,
        "cites": "" if found is None else found[1].place.cites,
        "instrument": "" if found is None else found[1].instrument,
        "item": finding.item,
        "verdict": held.verdict,
        "line": said_line(finding, rulebook, lang),
        "reason": held.reason,
        "why": why(finding, rulebook, as_of, lang),
        "bound": finding.bound,
        "since": held.at,
        "until": finding.until(as_of),
        "steps": [{"at": s.at, "verdict": s.verdict, "reason": s.reason} for s in finding.steps],
        "readings": [{"reading": r.reading, "ends": r.ends, "kept": r.kept} for r in finding.readings],
        "marks": finding.marks,
        "missing": finding.missing,
        "expected_by": finding.expected_by or None,
        "overdue": finding.overdue(as_of),
        "evidence": [ref_json(ref) for ref in finding.evidence],
        "values": finding.values,
    }


def ref_json(ref: Ref) -> dict[str, Any]:
    """A record that an answer rests on."""
    return {"subject": ref.subject, "index": ref.index, "event": ref.event, "name": ref.name}


_FEW = 3
COLUMNS = ("rule", "cites", "verdict", "what is found", "why", "owed by", "rests on")


def finding_row(finding: Finding, rulebook: Rulebook, as_of: int, lang: Lang, *, brief: bool = False) -> list[str]:
    """A row of a table with ``COLUMNS``. ``brief``: the first records that it rests on, without their event ids."""
    refs = [said_ref(ref, brief=brief) for ref in finding.evidence]
    if brief and len(refs) > _FEW:
        refs = [*refs[:_FEW], f"and {len(refs) - _FEW} more"]
    found = rulebook.find(finding.rule)
    # An item that is an act stands among the records already, by its place.
    named = finding.item and finding.item not in {ref.event for ref in finding.evidence}
    item = f"[{finding.item}] " if named else ""
    return [
        finding.rule,
        "" if found is None else found[1].place.cites,
        said_verdict(finding, as_of),
        item + said_line(finding, rulebook, lang),
        "\n".join([why(finding, rulebook, as_of, lang), *notes(finding, as_of, brief=brief)]),
        finding.bound,
        "\n".join(refs) or "–",
    ]


def said_verdict(finding: Finding, as_of: int) -> str:
    """The verdict, and for an open duty whether it is overdue."""
    verdict = finding.at(as_of).verdict
    return f"{verdict}, overdue" if finding.overdue(as_of) else verdict


def notes(finding: Finding, as_of: int, *, brief: bool = False) -> list[str]:
    """What stands behind a verdict: readings with their ends, what is expected when, marks, the missing fact.

    ``brief``: without the readings.
    """
    found = []
    for read in () if brief else finding.readings:
        kept = "" if read.kept is None else ": kept" if read.kept else ": missed"
        found.append(f"by {read.reading} before {when(read.ends)}{kept}")
    held = finding.at(as_of)
    if finding.expected_by and held.verdict == "open":
        found.append(f"expected by {when(finding.expected_by)}, by configuration")
    found += [f"{step.verdict} from {when(step.at)}" for step in finding.steps if step.at > max(as_of, held.at)]
    if finding.missing:
        found.append(f"missing: {finding.missing}")
    if finding.marks:
        found.append(f"marks: {', '.join(finding.marks)}")
    return found


def said_ref(ref: Ref, *, brief: bool = False) -> str:
    """``57 request.sent 0193…``: leaf index, act and event id; the register's records say so."""
    where = "register " if ref.subject == "register" else ""
    return f"{where}{ref.index} {ref.name}" + ("" if brief else f" {ref.event}")


def stamp(ms: int) -> str:
    """A moment as RFC 3339 in UTC."""
    return moment_of(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
