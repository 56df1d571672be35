"""What one asks about figures: the page of a partner, the list of all, the records behind a figure.

::

    figures = Figures(compliance)
    page = figures.page(Scope(partner="KZ", first=202501, last=202512), as_of)
    page.figure("M10").part("M10").lines[0].p50
    figures.records("M10", page.scope).rows

Figures are made with verdicts (``compliance/judging.py``); answers say how many subjects wait for that.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from ledger.errors import MisuseError
from projections.compliance.queries import Compliance
from projections.cursors import Cursors, Text, Whole
from projections.figures import sums, things, verdicts
from projections.figures.answers import (
    Citation,
    Cited,
    CitedPage,
    FigureAnswer,
    FiguresPage,
    Line,
    PartAnswer,
    PartnerLine,
    Partners,
    Scope,
)
from projections.figures.catalogue import FIGURES, PARTS, How, Part
from projections.schema import postings

DIMENSIONS = ("partner", "office", "counterpart", "kind", "direction", "month")
"""What a part can be grouped by."""

_Key = tuple[int, int, str, str, str]
"""Time, partition, subject, part, item: by what records are listed."""
_CURSORS = Cursors[_Key](tuple[Whole, Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)], Text, Text, Text])


class Figures:
    """Questions to the rows that answer for ``compliance``. Raises as its methods do."""

    def __init__(self, compliance: Compliance) -> None:
        self._compliance = compliance

    def page(self, scope: Scope, as_of: int) -> FiguresPage:
        """Every figure of a scope; verdicts as they are at a moment (ms)."""
        with self._compliance.reading() as (connection, generation):
            found: dict[str, PartAnswer] = {}
            for how, codes in _BY_HOW.items():
                for (_, code), answer in _read(connection, generation, scope, how, codes).items():
                    found[code] = answer
            found["M3"] = _partners_counted(connection, generation, scope)
            own = self._compliance.register_in(connection, generation).own
            lines = verdicts.verdict_lines(connection, generation, scope, own, as_of)
            overdue = verdicts.overdue_lines(connection, generation, scope, as_of)
            basis = self._compliance.basis_in(connection, generation)
        answers = []
        for figure in FIGURES:
            parts = tuple(found.get(part.code) or _nothing(part) for part in figure.parts)
            if figure.id == "M28":
                answers.append(FigureAnswer(figure.id, verdicts=lines))
            elif figure.id == "M29":
                answers.append(FigureAnswer(figure.id, overdue=overdue))
            elif figure.id == "M30":
                kept = tuple(line for line in lines if line.rule in verdicts.CONFIDENTIALITY)
                answers.append(FigureAnswer(figure.id, verdicts=kept))
            else:
                answers.append(FigureAnswer(figure.id, parts))
        return FiguresPage(basis, scope, as_of, tuple(answers))

    def partners(self, scope: Scope, as_of: int) -> Partners:
        """All partners that a scope has requests, or anything open, with."""
        with self._compliance.reading() as (connection, generation):
            counted = _read(connection, generation, scope, "count", ("M1", "M6", "M8"), by="partner")
            standing = _read(connection, generation, scope, "standing", ("M4",), by="partner")
            days = _read(connection, generation, scope, "days", ("M10",), by="partner")
            breached = verdicts.breaches(connection, generation, scope, as_of)
            basis = self._compliance.basis_in(connection, generation)
        rows = []
        for partner in sorted({state for state, _ in (*counted, *standing)} - {""}):
            asked, ended, refused = (_part(counted, partner, code) for code in ("M1", "M6", "M8"))
            took = _part(days, partner, "M10").lines
            rows.append(
                PartnerLine(
                    partner,
                    asked.share("out")[0],
                    asked.share("in")[0],
                    _part(standing, partner, "M4").number or 0,
                    ended.number or 0,
                    took[0].p50 if took else None,
                    *refused.share("refused"),
                    breached.get(partner, 0),
                )
            )
        rows.sort(key=lambda row: (-row.requests_out - row.requests_in, row.partner))
        return Partners(basis, scope, as_of, tuple(rows))

    def by(self, part: str, scope: Scope, dimension: str) -> dict[str, PartAnswer]:
        """One part, by partner, office, counterpart, kind, direction or month (``202503``).

        What stands by month is what stood at the end of each; months in which nothing changed are left out.

        Raises:
            MisuseError: the dimension is none of these, or the part has no postings, or cannot be told by month.
        """
        if dimension not in DIMENSIONS:
            raise MisuseError(f"expected a dimension of {', '.join(DIMENSIONS)}, found {dimension[:40]!r}")
        how = _posted(part)
        if dimension == "month" and how in ("held", "balance"):
            raise MisuseError(f"expected a part that is summed by month, found {part}, which is told for one date")
        with self._compliance.reading() as (connection, generation):
            found = _read(connection, generation, scope, how, (part,), by=dimension)
        answers = {at: answer for (at, _), answer in sorted(found.items())}
        if dimension == "month" and how == "standing":
            return _cumulated(answers, scope.first)
        return answers

    def records(
        self, part: str, scope: Scope, tag: str | None = None, *, limit: int = 50, after: str | None = None
    ) -> CitedPage:
        """The records behind a part, by time; of what stands at a date those that stand.

        Raises:
            FormatError: ``after`` is no cursor of an earlier page.
            MisuseError: the part has no postings.
        """
        behind = None if after is None else _CURSORS.read(after)
        with self._compliance.reading() as (connection, generation):
            rows = _records(scope, part, tag).subquery()
            key = (rows.c.time, rows.c.partition, rows.c.subject, rows.c.part, rows.c.item)
            query = sa.select(rows).order_by(*key).limit(limit + 1)
            if behind is not None:
                query = query.where(sa.tuple_(*key) > behind)
            found = [_cited(row) for row in connection.execute(query, sums.bound(generation, scope))]
        kept = found[:limit]
        return CitedPage(tuple(kept), _CURSORS.write(_key(kept[-1])) if len(found) > limit and kept else None)

    def cite(self, part: str, scope: Scope, tag: str | None = None) -> Citation:
        """What a part rests on: how many postings, the first and the last by time. Raises as ``records``."""
        with self._compliance.reading() as (connection, generation):
            rows, values = _records(scope, part, tag).subquery(), sums.bound(generation, scope)
            key = (rows.c.time, rows.c.partition, rows.c.subject, rows.c.part, rows.c.item)
            number = connection.execute(sa.select(sa.func.count()).select_from(rows), values).scalar() or 0
            ends = [
                connection.execute(sa.select(rows).order_by(*order).limit(1), values).first()
                for order in (key, [each.desc() for each in key])
            ]
        first, last = (None if row is None else _cited(row) for row in ends)
        return Citation(part, int(number), first, last)


def _by_how() -> dict[How, tuple[str, ...]]:
    found: dict[How, tuple[str, ...]] = {}
    for code, part in PARTS.items():
        how: How = "money" if part.how == "balance" else part.how
        if how != "verdicts" and code != "M3":
            found[how] = (*found.get(how, ()), code)
    return found


_BY_HOW = _by_how()
"""Parts that are read by one statement."""


def _read(
    connection: sa.Connection, generation: int, scope: Scope, how: How, parts: tuple[str, ...], *, by: str = ""
) -> dict[tuple[str, str], PartAnswer]:
    """Parts that are summed in one way, by group and part."""
    at = connection, generation, scope
    if how in ("count", "standing"):
        lines = sums.counts(*at, parts, begun=how == "standing", by=by)
        return {key: PartAnswer(key[1], _sorted(of), sum(line.number for line in of)) for key, of in lines.items()}
    if how in ("distinct", "held"):
        lines, totals = things.distinct(*at, parts, held=how == "held", by=by)
        return {key: PartAnswer(key[1], _sorted(of), totals[key]) for key, of in lines.items()}
    lines = sums.days(*at, parts, by=by) if how == "days" else things.money(*at, parts, by=by)
    return {key: PartAnswer(key[1], _sorted(of), None) for key, of in lines.items()}


def _sorted(lines: list[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: (line.tag, line.currency)))


def _nothing(part: Part) -> PartAnswer:
    return PartAnswer(part.code, (), None if part.how in ("days", "money", "balance") else 0)


def _part(found: dict[tuple[str, str], PartAnswer], at: str, code: str) -> PartAnswer:
    return found.get((at, code), PartAnswer(code, (), 0))


def _partners_counted(connection: sa.Connection, generation: int, scope: Scope) -> PartAnswer:
    """M3: with how many states there are requests."""
    query = _states(sums.shape_of(scope))
    states = int(connection.execute(query, sums.bound(generation, scope)).scalar() or 0)
    return PartAnswer("M3", (Line("", states),) if states else (), states)


@cache
def _states(shape: sums.Shape) -> sa.Select[Any]:
    table, number = sums.source_of(shape, "partner")
    asked = (
        sa.select(table.c.partner)
        .where(*sums.within(table, shape, ("M1",), begun=False), table.c.partner != "")
        .group_by(table.c.partner)
        .having(sa.func.sum(table.c.value * number) > 0)
    )
    return sa.select(sa.func.count()).select_from(asked.subquery())


def _cumulated(answers: dict[str, PartAnswer], first: int) -> dict[str, PartAnswer]:
    standing: dict[str, int] = {}
    found: dict[str, PartAnswer] = {}
    for month, answer in answers.items():
        for line in answer.lines:
            standing[line.tag] = standing.get(line.tag, 0) + line.number
        if int(month) >= first:
            lines = tuple(Line(tag, number) for tag, number in sorted(standing.items()) if number)
            found[month] = PartAnswer(answer.code, lines, sum(standing.values()))
    return found


def _posted(part: str) -> How:
    known = PARTS.get(part)
    if known is None or known.how == "verdicts" or part == "M3":
        raise MisuseError(f"expected a part of a figure that has postings, found {part[:40]!r}")
    return known.how


def _records(scope: Scope, part: str, tag: str | None) -> sa.Select[Any]:
    """The postings behind a part; of M3 those of M1."""
    how = _posted("M1" if part == "M3" else part)
    codes = {"M1" if part == "M3" else part, PARTS[part].less or part} - {"M3"}
    begun = how in ("standing", "held", "balance")
    rows = sa.select(*postings.c).where(*sums.within(postings, sums.shape_of(scope), codes, begun=begun))
    if tag is not None:
        # No pattern: SQLite's take small letters for capitals. Texts compare by bytes, and ! comes after the blank.
        rows = rows.where(
            (postings.c.tag == tag) | ((postings.c.tag >= tag + " ") & (postings.c.tag < tag + "!"))
        )  # fmt: skip
    return things.standing_rows(rows) if how in ("standing", "held") else rows


def _cited(row: Any) -> Cited:
    return Cited(
        row.partition, row.subject, row.record, row.part, row.item, row.time, row.partner, row.tag, row.thing,
        int(row.value), row.currency, row.begun,
    )  # fmt: skip


def _key(row: Cited) -> _Key:
    return row.time, row.partition, row.subject, row.part, row.item
