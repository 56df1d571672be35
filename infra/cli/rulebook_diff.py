"""``rogatory rulebook diff``: what another rulebook would change, judged subject by subject, before it is adopted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from infra.cli.findings import LangOption, UpdateOption, moment
from infra.cli.options import Common, command
from infra.cli.render import note, plural, progress, say, short, show_json, table, when
from infra.cli.rows import freshen
from infra.compliance import open_compliance
from infra.rulebooks import read_folder
from infra.signing import now_ms
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from projections.compliance.changes import Change, compare
from projections.compliance.facts import NOTHING, CaseFile
from projections.compliance.judge import judge
from projections.compliance.queries import Compliance
from projections.compliance.register import SUBJECT, LegalRegister
from projections.compliance.rulebook import Rulebook, built_in
from projections.compliance.silence import years
from projections.compliance.texts import Lang, said_line, why

_PAGE = 200
Key = tuple[str, str, str]
"""Rule, verdict before, verdict after; ``–``: no row."""


class _Found(msgspec.Struct):
    """What has been found so far: counts, and the first changes. Its size does not grow with the ledger."""

    keep: int
    judged: int = 0
    subjects: int = 0
    changes: int = 0
    counts: Counter[Key] = msgspec.field(default_factory=Counter)
    first: list[tuple[str, Change]] = []


@command(reads=True)
async def diff(
    common: Common,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="With the profiles; default with --built-in: this release's"),
    ] = None,
    built: Annotated[
        bool, typer.Option("--built-in", help="Compare with the rulebook that this release brings")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="The moment to judge at: a day, or RFC 3339; default: now"),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="Changes that are listed; all are counted")] = 50,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE", help="Write every change there, one JSON object a line")
    ] = None,
    lang: LangOption = "en",
    update: UpdateOption = None,
) -> None:
    """Which verdicts a folder of profiles would change, before it is adopted; nothing is changed.

    Every subject is judged by the rulebook in use and by the other one, on the records and the register as they are.
    """
    if (folder is None) != built:
        raise ConfigError("expected FOLDER or --built-in, one of them")
    other = built_in() if folder is None else read_folder(folder)
    clock = moment(as_of) or now_ms()
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store, ExitStack() as stack:
            behind = await freshen(ledger, store, update)
            asked, now = open_compliance(ledger, store)
            lines = None if into is None else stack.enter_context(_open(into))
            found = _compare(asked, now, other, clock, limit, lines, lang)
            register_seq = asked.register().seq
    if common.json:
        _show_json(found, now, other, clock, register_seq, behind, lang)
    else:
        _show(found, now, other, clock, register_seq, lang)
        if into is not None:
            say(f"{plural(found.changes, 'change')} written to {into}.")


def _open(into: Path) -> TextIO:
    try:
        return into.open("x", encoding="utf-8")
    except FileExistsError:
        raise ConfigError(f"expected no file at {into} yet, found one") from None
    except OSError as error:
        raise ConfigError(f"expected to write {into}, found: {error.strerror}") from None


def _compare(
    asked: Compliance, now: Rulebook, other: Rulebook, clock: int, limit: int, lines: TextIO | None, lang: Lang
) -> _Found:
    found = _Found(limit)
    register = asked.register()
    if now.sha256 == other.sha256:
        return found
    total = sum(asked.count_files().values())
    with progress("Judging twice", total) as tell:
        for subject, file in _files(asked, register, clock):
            before = judge(subject, file, register, now).findings
            after = judge(subject, file, register, other).findings
            _note(found, subject, compare(before, after, clock), now, other, lines, lang)
            found.judged += 1
            tell(min(found.judged, total))
    return found


def _files(asked: Compliance, register: LegalRegister, clock: int) -> Iterator[tuple[str, CaseFile]]:
    """Every subject that is judged, page by page: recorded ones, the register, years of which nothing is recorded."""
    silent = set(years(register, clock))
    for partition in asked.count_files():
        after = ""
        while page := asked.files(partition, limit=_PAGE, after=after):
            for filed in page:
                silent.discard(filed.subject)
                yield filed.subject, filed.file
            after = page[-1].subject
    yield SUBJECT, register.file
    yield from ((year, NOTHING) for year in sorted(silent))


def _note(
    found: _Found, subject: str, changes: list[Change], now: Rulebook, other: Rulebook, lines: TextIO | None, lang: Lang
) -> None:
    told = [change for change in changes if change.sort in ("verdict", "later")]
    found.subjects += bool(told)
    for change in told:
        found.changes += 1
        found.counts[change.rule, _said(change.was, change, before=True), _said(change.becomes, change)] += 1
        if len(found.first) < found.keep:
            found.first.append((subject, change))
        if lines is not None:
            lines.write(msgspec.json.encode(_json(subject, change, now, other, lang)).decode() + "\n")


def _said(verdict: str | None, change: Change, *, before: bool = False) -> str:
    """A verdict; where only what will come of it differs, the one after it says so."""
    said = verdict or "–"
    return f"{said}, ending otherwise" if change.sort == "later" and not before else said


def _json(subject: str, change: Change, now: Rulebook, other: Rulebook, lang: Lang) -> dict[str, Any]:
    def side(one: Any, rulebook: Rulebook) -> dict[str, Any] | None:
        if one is None:
            return None
        held = one.at(change.as_of)
        return {
            "verdict": held.verdict, "reason": held.reason, "why": why(one, rulebook, change.as_of, lang),
            "line": said_line(one, rulebook, lang), "expected_by": one.expected_by or None,
            "steps": [{"at": s.at, "verdict": s.verdict, "reason": s.reason} for s in one.steps],
        }  # fmt: skip

    return {
        "subject": subject, "rule": change.rule, "item": change.item, "bound": change.shown.bound, "sort": change.sort,
        "before": side(change.before, now), "after": side(change.after, other),
    }  # fmt: skip


def _show_json(
    found: _Found, now: Rulebook, other: Rulebook, clock: int, register_seq: int, behind: int, lang: Lang
) -> None:
    show_json(
        {
            "as_of": clock, "register_seq": register_seq, "behind": behind,
            "in_use": {"version": now.version, "sha256": now.sha256}, "other": {"sha256": other.sha256},
            "judged": found.judged, "subjects": found.subjects, "changes": found.changes,
            "counts": [
                {"rule": rule, "before": before, "after": after, "number": number}
                for (rule, before, after), number in sorted(found.counts.items())
            ],
            "first": [_json(subject, change, now, other, lang) for subject, change in found.first],
        }
    )  # fmt: skip


def _show(found: _Found, now: Rulebook, other: Rulebook, clock: int, register_seq: int, lang: Lang) -> None:
    if now.sha256 == other.sha256:
        say(f"The same rulebook as the one in use: {now.version}, digest {short(now.sha256)}.")
        return
    if found.counts:
        rows = [[*key, number] for key, number in sorted(found.counts.items())]
        table("Changes", ["rule", "by the one in use", "by the other", "number"], rows, right=["number"])
    if found.first:
        rows = [
            [
                subject.removeprefix("request/"), change.rule, change.item, _said(change.was, change, before=True),
                _said(change.becomes, change), _why(change, now, other, lang),
            ]
            for subject, change in found.first
        ]  # fmt: skip
        title = "" if found.changes <= len(found.first) else f"The first {len(found.first)} of {found.changes}"
        table(title, ["subject", "rule", "item", "before", "after", "why"], rows)
    say(
        f"{plural(found.changes, 'finding')} of {plural(found.subjects, 'subject')} would change, of "
        f"{plural(found.judged, 'subject')} judged at {when(clock)}, register record {register_seq}; rulebook in use "
        f"{now.version} ({short(now.sha256)}), the other one {short(other.sha256)}."
    )


def _why(change: Change, now: Rulebook, other: Rulebook, lang: Lang) -> str:
    if change.after is not None:
        return why(change.after, other, change.as_of, lang)
    gone = other.find(change.rule) is None
    return (
        "no such rule there" if gone else f"it says nothing here; before: {why(change.shown, now, change.as_of, lang)}"
    )
