"""``rogatory compliance``: what the law asked, whether it was done, and the records that show it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from infra.cli.board import show_board, show_counts
from infra.cli.findings import (
    COLUMNS,
    LangOption,
    UpdateOption,
    finding_json,
    finding_row,
    moment,
    sorted_findings,
    stamp,
    subject_of,
)
from infra.cli.options import NO, Common, command, fail
from infra.cli.render import note, plural, say, short, show_json, table, when
from infra.cli.rows import freshen, judge_rest
from infra.compliance import open_compliance
from infra.signing import now_ms
from infra.wiring import open_ledger
from ledger.errors import ConfigError, FormatError
from projections.compliance.answers import Answered, BoardFilters
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import Lang
from projections.compliance.verdict import WORST, Verdict
from projections.figures.months import ALL, parse_period

_UNSETTLED: tuple[Verdict, ...] = ("breached", "undetermined", "open")


@command(reads=True)
async def compliance(
    common: Common,
    request: Annotated[
        str | None,
        typer.Argument(
            help="One subject: a request, with or without request/, or meeting/…, year/…, review/…, register"
        ),
    ] = None,
    office: Annotated[str | None, typer.Option(metavar="CODE", help="Only what this office owes")] = None,
    partner: Annotated[str | None, typer.Option(metavar="STATE", help="Only with this partner")] = None,
    article: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Only of this article, as cited: 'Agr. 6(2)', or 6")
    ] = None,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Only of this rule, such as A6.2b")] = None,
    instrument: Annotated[str | None, typer.Option(metavar="ID", help="Only of this instrument")] = None,
    verdict: Annotated[
        list[str] | None,
        typer.Option(help=f"Only {', '.join(WORST)}; may be repeated (default of the list: all but met)"),
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is open beyond its threshold")] = False,
    subject: Annotated[
        str | None, typer.Option(metavar="SUBJECT", help="Of the list: only of this subject, such as year/2025")
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(metavar="PERIOD", help="Of the list: only what arose in 2025, 2025-03, 2025-01..2025-06"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="TIME", help="The moment to judge at: a day, or RFC 3339 with offset; default: now"
        ),
    ] = None,
    at: Annotated[
        int | None,
        typer.Option("--at", min=0, metavar="N", help="Of one request: by the first N records of its partition"),
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Count by rule and verdict instead")] = False,
    lang: LangOption = "en",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of the list")] = 50,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on behind the list before")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if what is shown has a breach in it")] = False,
    update: UpdateOption = None,
) -> None:
    """What the law asked, whether it was done, and the records that show it: of one request, or the board of all.

    Of one request: every finding, judged now; --as-of in the past also cuts what was known to what had been recorded.
    The board: breached first, then undetermined, then open, by all that is recorded now, whatever --as-of says.
    """
    wanted = _verdicts(verdict)
    clock = moment(as_of)
    now = now_ms()
    if request is None and at is not None:
        raise ConfigError("expected --at with one request, found it alone: positions are those of one partition")
    if request is not None and (subject is not None or (period is not None and not count)):
        raise ConfigError(
            "expected --subject and --period without a request, since they are of the list, found one beside it"
        )
    listed = subject if request is None else request
    filters = BoardFilters(
        wanted, office, partner, rule, article, instrument, None if listed is None else subject_of(listed), overdue,
        *_months(period),
    )  # fmt: skip
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            behind = await freshen(ledger, store, update)
            asked, rulebook = open_compliance(ledger, store)
            _known(filters, rulebook)
            if request is not None and not count:
                # Of a moment to come nothing is known but what is known now.
                known = clock if clock is not None and clock < now else None
                answer = asked.of(subject_of(request), as_of=known, at=at)
                breached = _one(common, answer, rulebook, filters, clock or now, behind, lang)
            elif at is not None:
                raise ConfigError("expected --at without --count")
            else:
                await judge_rest(ledger, store, asked, update)
                moment_ = clock or now
                if moment_ < now:
                    note("The board is that of then by all that is recorded now; one request's answer cuts that, too.")
                if count:
                    breached = show_counts(common, asked.counts(filters, moment_), behind)
                else:
                    passing = filters if wanted or overdue else _but_met(filters)
                    page = asked.board(passing, moment_, limit, after)
                    breached = show_board(common, page, rulebook, behind, lang)
    if strict and breached:
        raise typer.Exit(NO)


def _verdicts(given: list[str] | None) -> tuple[Verdict, ...]:
    found: list[Verdict] = []
    for text in given or ():
        verdict = next((known for known in WORST if known == text), None)
        if verdict is None:
            raise ConfigError(f"expected --verdict as one of {', '.join(WORST)}, found {text[:40]!r}")
        found.append(verdict)
    return tuple(found)


def _months(period: str | None) -> tuple[int, int]:
    try:
        return ALL if period is None else parse_period(period)
    except FormatError as error:
        raise ConfigError(f"--period: {error}") from None


def _but_met(filters: BoardFilters) -> BoardFilters:
    return msgspec.structs.replace(filters, verdicts=_UNSETTLED)


def _known(filters: BoardFilters, rulebook: Rulebook) -> None:
    """Refuse what no finding can pass, lest an empty answer is taken for a good one."""
    from infra.cli.rulebook import nearest  # noqa: PLC0415 - of use to a mistake alone

    if filters.rule is not None and rulebook.find(filters.rule) is None:
        near = nearest(filters.rule, rulebook)
        raise ConfigError(f"expected a rule of rulebook {rulebook.version}, found {filters.rule[:40]!r}{near}")
    if filters.instrument is not None and rulebook.profile(filters.instrument) is None:
        ids = ", ".join(profile.instrument.id for profile in rulebook.profiles)
        raise ConfigError(f"expected an instrument of {ids}, found {filters.instrument[:60]!r}")
    if filters.article is not None:
        from projections.compliance.board import wanted_rules  # noqa: PLC0415 - as above

        if not wanted_rules(filters, rulebook):
            raise ConfigError(
                f"expected an article as `rogatory rulebook` cites them, such as 'Agr. 6(2)', found "
                f"{filters.article[:60]!r}"
            )


def _one(
    common: Common, answer: Answered, rulebook: Rulebook, filters: BoardFilters, as_of: int, behind: int, lang: Lang
) -> bool:
    """Show the findings of one subject that pass; whether one of them is breached."""
    if not answer.records and not answer.findings:
        cut = "" if answer.as_of is None and answer.at is None else " up to there"
        fail(f"no record speaks of {answer.subject[:128]}{cut}, among those that the projections have", NO)
    passing = [f for f in sorted_findings(answer.findings, as_of) if _passes(f, filters, rulebook, as_of)]
    if common.json:
        show_json(
            {
                "subject": answer.subject, "as_of": as_of, "known_to": answer.as_of, "at": answer.at,
                "generation": answer.generation, "partition": answer.partition, "records": answer.records,
                "index": answer.index, "size": answer.size, "register_seq": answer.register_seq,
                "rulebook": {"version": answer.rulebook, "sha256": answer.rulebook_sha256}, "behind": behind,
                "findings": [finding_json(f, rulebook, as_of, lang) for f in passing],
            }
        )  # fmt: skip
    else:
        say(f"{answer.subject} at {when(as_of)}: {_summary([f.at(as_of).verdict for f in passing])}")
        if passing:
            table("", COLUMNS, [finding_row(f, rulebook, as_of, lang) for f in passing])
        say(_rests_on(answer))
    return any(f.at(as_of).verdict == "breached" for f in passing)


def _passes(finding: Any, filters: BoardFilters, rulebook: Rulebook, as_of: int) -> bool:
    from projections.compliance.board import passes, row_of, wanted_rules  # noqa: PLC0415 - SQLAlchemy comes with it

    found = rulebook.find(finding.rule)
    row = row_of(
        finding, as_of, subject=filters.subject or "", partition=0, partner=filters.partner or "",
        instrument="" if found is None else found[1].instrument,
    )  # fmt: skip
    return passes(row, filters, wanted_rules(filters, rulebook), "")


def _summary(verdicts: list[Verdict]) -> str:
    counted = [f"{verdicts.count(verdict)} {verdict}" for verdict in WORST if verdict in verdicts]
    return ", ".join(counted) or "nothing to show"


def _rests_on(answer: Answered) -> str:
    cut = "" if answer.at is None else f", of the first {plural(answer.at, 'record')} of the partition"
    cut += "" if answer.as_of is None else f", as recorded by {stamp(answer.as_of)}"
    where = "no record of it" if not answer.records else (
        f"{plural(answer.records, 'record')} of it up to index {answer.index} of partition {answer.partition} "
        f"({plural(answer.size, 'record')})"
    )  # fmt: skip
    return (
        f"Judged from {where}{cut}, and register record {answer.register_seq}, by rulebook {answer.rulebook} "
        f"({short(answer.rulebook_sha256)})."
    )
