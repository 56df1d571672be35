"""Figures as ``rogatory partners`` shows them: tables in groups, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.cli.figures_json import (
    amounts,
    figure_json,
    head_json,
    part_json,
    record_json,
    said_amount,
    scope_json,
)
from infra.cli.options import Common
from infra.cli.render import plural, say, short, show_json, table, when
from projections.compliance.answers import Basis
from projections.compliance.verdict import WORST
from projections.figures.answers import (
    Cited,
    CitedPage,
    FiguresPage,
    Line,
    PartAnswer,
    Partners,
    Scope,
    VerdictLine,
)
from projections.figures.catalogue import Figure, Part
from projections.figures.money import together
from projections.figures.months import format_period
from projections.figures.shares import confirmed, per_materials
from projections.figures.words import figure_title, full_title, part_title, said, said_state, said_unit

NOTHING, TOO_FEW = "—", "too few"

GROUPS: tuple[tuple[str, str, str], ...] = (
    ("Requests and answers", "M1", "M12"),
    ("Persons, proceedings, property", "M13", "M21"),
    ("Direct contact", "M22", "M24"),
    ("Treaties and programmes", "M25", "M27"),
    ("Duties", "M28", "M30"),
    ("Materials, costs, records", "M31", "M36"),
)
_COLUMNS = ("figure", "what", "number", "counted in", "share", "p50", "p90", "p99")
_NUMBERS = ("number", "share", "p50", "p90", "p99")


# All partners


def show_partners(common: Common, answer: Partners, zone: str, behind: int) -> None:
    """Show a line for each partner."""
    if common.json:
        show_json({**head_json(answer.basis, answer.scope, answer.as_of, zone, behind), "partners": answer.rows})
        return
    rows = [
        [
            said_state(row.partner), row.requests_out, row.requests_in, row.open, row.answered,
            NOTHING if row.answer_p50 is None else row.answer_p50, _share((row.refused, row.refused_of)),
            row.breached,
        ]
        for row in answer.rows
    ]  # fmt: skip
    columns = ("partner", "out", "in", "open", "answered", "days, p50", "refused", "breached")
    if rows:
        table(f"Partners, {_period(answer.scope)}", columns, rows, right=columns[1:])
        say("Requests by direction; open at the end of the period; breached: findings, by the rulebook in use.")
    else:
        say(f"No partner in {_period(answer.scope)}.")
    _told(answer.basis, answer.scope, answer.as_of, zone)


# One partner


def show_figures(
    common: Common, page: FiguresPage, figures: Sequence[Figure], parts: Sequence[Part], zone: str, behind: int
) -> None:
    """Show some figures of a scope; ``parts``: only these of them, if any are named."""
    if common.json:
        told = [figure_json(figure, page, parts) for figure in figures]
        show_json({**head_json(page.basis, page.scope, page.as_of, zone, behind), "figures": told})
        return
    say(f"{said_state(page.scope.partner)}, {_period(page.scope)}")
    for title, rows in _grouped(figures, parts, page):
        _table(title, _COLUMNS, rows)
    if page.scope.counterpart is not None:
        say("Findings (M28 to M30) are not told by counterpart: they name whose duty it is, not the other office.")
    else:
        for figure in figures:
            _verdict_tables(figure, page)
    _told(page.basis, page.scope, page.as_of, zone)


def _grouped(
    figures: Sequence[Figure], parts: Sequence[Part], page: FiguresPage
) -> Iterator[tuple[str, list[Sequence[Any]]]]:
    numbers = {int(figure.id[1:]): figure for figure in figures}
    for title, first, last in GROUPS:
        inside = [figure for number, figure in numbers.items() if int(first[1:]) <= number <= int(last[1:])]
        rows = [row for figure in inside for row in _figure_rows(figure, page, parts)]
        if rows:
            yield title, rows


def _figure_rows(figure: Figure, page: FiguresPage, parts: Sequence[Part]) -> Iterator[Sequence[Any]]:
    answer = page.figure(figure.id)
    for part in figure.parts:
        if part.how == "verdicts" or (parts and part not in parts):
            continue
        yield f"{part.code}", full_title(part.code), *_whole(part, answer.part(part.code))
        for row in _line_rows(part, answer.part(part.code)):
            yield "", f"  {row[0]}", *row[1:]
        if part.code == "M33" and answer.part(part.code).number:
            met, judged = confirmed(page)
            yield (
                "",
                "  confirmed in time by every reading of the term (A6.2b)",
                met,
                "",
                _share((met, judged)),
                "",
                "",
                "",
            )


def _line_rows(part: Part, answer: PartAnswer, *, every: bool = False) -> Iterator[Sequence[Any]]:
    """Title and cells of each line; ``every``: also of one that has no tag, and is the part as a whole."""
    if part.how in ("money", "balance"):
        for tag, currency, amount in amounts(answer):
            yield said(part.code, tag), said_amount(amount, currency), currency, "", "", "", ""
        return
    for line in answer.lines:
        if line.tag or every:
            yield said(part.code, line.tag), *_cells(part, line, answer)


def _whole(part: Part, answer: PartAnswer) -> tuple[Any, ...]:
    """The cells of a part as a whole. Days and money have none: their lines are not added up."""
    only = answer.lines[0] if len(answer.lines) == 1 and not answer.lines[0].tag else None
    if part.how == "days":
        return _cells(part, only, answer) if only else (("", "", "", "", "", "") if answer.lines else _none(part))
    if part.how in ("money", "balance"):
        return ("", "", "", "", "", "") if answer.lines else _none(part)
    share = _share(answer.share(part.rate)) if part.rate else ""
    return answer.number or 0, said_unit(part.unit), share, "", "", ""


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table without the columns that say nothing in any row."""
    used = [n for n, name in enumerate(columns) if name not in _NUMBERS[1:] or any(row[n] != "" for row in rows)]
    table(title, [columns[n] for n in used], [[row[n] for n in used] for row in rows], right=_NUMBERS)


def _none(part: Part) -> tuple[Any, ...]:
    return NOTHING, said_unit("cases" if part.how == "days" else part.unit), "", "", "", ""


def _cells(part: Part, line: Line, answer: PartAnswer) -> tuple[Any, ...]:
    if part.how == "days":
        return line.number, "cases, in days", "", *_percentiles(line)
    share = _share((line.number, sum(each.number for each in answer.lines))) if part.shares else ""
    return line.number, "", share, "", "", ""


def _percentiles(line: Line) -> tuple[Any, ...]:
    return tuple(TOO_FEW if value is None else value for value in (line.p50, line.p90, line.p99))


def _share(of: tuple[int, int]) -> str:
    """A share in per cent with one digit; of nothing it is no number."""
    return f"{of[0] / of[1] * 100:.1f} %" if of[1] else NOTHING


# Findings


def _verdict_tables(figure: Figure, page: FiguresPage) -> None:
    answer = page.figure(figure.id)
    if answer.verdicts:
        rows = [[rule, bound, *counts] for (rule, bound), counts in _by_rule(answer.verdicts).items()]
        table(f"{figure.id} {figure_title(figure.id)}", ("rule", "owed by", *WORST), rows, right=WORST)
    elif figure.parts[0].how == "verdicts" and not answer.overdue:
        say(f"{figure.id} {figure_title(figure.id)}: {NOTHING}")
    if figure.id == "M30" and answer.verdicts:
        found, materials = per_materials(page)
        rate = f"{found * 1000 / materials:.1f}" if materials else NOTHING
        say(f"M30: {plural(found, 'finding')} breached or undetermined, {rate} per 1,000 materials ({materials}).")
    if answer.overdue:
        rows = [[each.rule, each.number, *_few(each.p50, each.p90)] for each in answer.overdue]
        columns = ("rule", "findings", "age p50, days", "age p90, days")
        table(f"{figure.id} {figure_title(figure.id)}; no breach", columns, rows, right=columns[1:])


def _few(*values: int | None) -> list[Any]:
    return [TOO_FEW if value is None else value for value in values]


def _by_rule(verdicts: Iterable[VerdictLine]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for each in verdicts:
        row = found.setdefault((each.rule, each.bound), ["" for _ in WORST])
        row[WORST.index(each.verdict)] = each.number
    return found


# Split, and records


def show_by(
    common: Common, figure: Figure, split: Mapping[Part, Mapping[str, PartAnswer]], dimension: str, scope: Scope
) -> None:
    """Show parts of a figure split by a dimension."""
    if common.json:
        parts = [
            {"code": part.code, "by": {key: part_json(part, answer) for key, answer in found.items()}}
            for part, found in split.items()
        ]
        show_json({**scope_json(scope), "figure": figure.id, "dimension": dimension, "parts": parts})
        return
    for part, found in split.items():
        rows = [row for key, answer in found.items() for row in _split_rows(part, _key_of(dimension, key), answer)]
        title = full_title(part.code)
        columns = (dimension, "line", *_COLUMNS[2:])
        if rows:
            _table(f"{part.code} {title}, {_period(scope)}", columns, rows)
        else:
            say(f"{part.code} {title}, {_period(scope)}: {NOTHING}")


def _split_rows(part: Part, key: str, answer: PartAnswer) -> Iterator[Sequence[Any]]:
    several = len(answer.lines) > 1 and part.how not in ("days", "money", "balance")
    if several or not answer.lines:
        yield key, "together" if several else "", *_whole(part, answer)
        key = ""
    for title, number, unit, *rest in _line_rows(part, answer, every=True):
        yield key, title, number, unit if several else unit or said_unit(part.unit), *rest
        key = ""


def _key_of(dimension: str, key: str) -> str:
    if dimension == "month":
        return f"{key[:4]}-{key[4:]}"
    return said_state(key) if dimension == "partner" else key or NOTHING


def show_records(common: Common, part: Part, page: CitedPage, scope: Scope) -> None:
    """List the records behind a part of a figure."""
    if common.json:
        rows = [record_json(row) for row in page.rows]
        show_json({**scope_json(scope), "part": part.code, "records": rows, "after": page.after})
        return
    rows_ = [
        [
            row.partition, row.index if row.since < 0 else f"{row.since}, {row.index}", row.subject, when(row.time),
            said_state(row.partner), said(part.code, row.tag), row.thing,
            _said_value(row, part),
        ]
        for row in page.rows
    ]  # fmt: skip
    title = part_title(part.code)
    if rows_:
        columns = ("partition", "record", "subject", "time", "partner", "line", "thing", "value")
        table(
            f"Records behind {part.code} {title}, {_period(scope)}",
            columns,
            rows_,
            right=("partition", "record", "value"),
        )
        if part.how == "days":
            say("Two records: days are counted from the first one to the second one.")
    else:
        say(f"No record is behind {part.code} here.")
    if page.after:
        say(f"More: --after '{page.after}'")


def _said_value(row: Cited, part: Part) -> str:
    if not row.currency:
        return str(row.value)
    ((currency, amount),) = together([(row.currency, row.value)]).items()
    less = "less " if part.less and row.part == part.less else ""
    return f"{less}{said_amount(amount, currency)} {currency}"


# What it rests on


def _period(scope: Scope) -> str:
    told = format_period(scope.first, scope.last)
    return "the whole time" if told == "all" else told


def _told(basis: Basis, scope: Scope, as_of: int, zone: str) -> None:
    narrowed = [
        f"{name} {value}"
        for name, value in (
            ("office", scope.office),
            ("counterpart", scope.counterpart),
            ("kind", scope.kind),
            ("direction", scope.direction),
        )
        if value is not None
    ]
    only = f", only of {', '.join(narrowed)}" if narrowed else ""
    say(
        f"Period {_period(scope)}, months of {zone}{only}; findings as they stand at {when(as_of)}. From "
        f"{plural(sum(basis.sizes.values()), 'record')} of {plural(len(basis.sizes), 'partition')} and register record "
        f"{basis.register_seq}, by rulebook {short(basis.rulebook_sha256) or '–'}."
    )
    if basis.waiting:
        say(f"{plural(basis.waiting, 'subject')} still to be judged; of these the figures may say what was before.")
