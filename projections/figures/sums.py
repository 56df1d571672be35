"""Sums of postings in SQL: counts, what stands at the end of a period, and percentiles of durations.

They are read from ``cells`` where a scope asks by partner and month alone, which costs the same however many requests
there are, and from ``postings`` where it asks by office, counterpart, kind or direction.

The percentile of nearest rank is the smallest value that is not less than so many of all: with n values the one of rank
ceil(p n / 100) (Hyndman and Fan 1996, definition 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from projections.figures.answers import Line, Scope
from projections.schema import cells, postings

ENOUGH = {50: 1, 90: 10, 99: 100}
"""How many cases a percentile needs."""

Grouped = dict[tuple[str, str], list[Line]]
"""Lines by group (empty where nothing is grouped by) and part."""
Source = tuple[sa.FromClause, sa.ColumnElement[int]]
"""A table, and how many postings one of its rows is."""


def source_of(scope: Scope, by: str = "") -> Source:
    """The smaller table that can answer."""
    inner = (scope.office, scope.counterpart, scope.kind, scope.direction)
    if all(each is None for each in inner) and by in ("", "partner", "month"):
        return cells, cells.c.number
    return postings, sa.literal_column("1", sa.Integer)


def within(table: Any, generation: int, scope: Scope, parts: Iterable[str], *, begun: bool) -> list[Any]:
    """Which rows of a table pass; ``begun``: also those of before the period, for what stands at its end."""
    names = ("partner", "office", "counterpart", "kind", "direction")
    passing = [table.c[name] == value for name in names if (value := getattr(scope, name)) is not None]
    first = 0 if begun else scope.first
    return [
        table.c.generation == generation, table.c.part.in_(sorted(parts)), *passing,
        table.c.month >= first, table.c.month <= scope.last,
    ]  # fmt: skip


def counts(
    connection: sa.Connection, generation: int, scope: Scope, parts: Iterable[str], *, begun: bool = False, by: str = ""
) -> Grouped:
    """Sums of the values posted in the period, or, with ``begun``, until its end."""
    table, number = source_of(scope, by)
    group = grouping(table, by)
    query = sa.select(group, table.c.part, table.c.tag, sa.func.sum(table.c.value * number)).where(
        *within(table, generation, scope, parts, begun=begun)
    )
    found: Grouped = {}
    for at, part, tag, total in connection.execute(query.group_by(*_plain(group), table.c.part, table.c.tag)):
        if total:
            found.setdefault((str(at), part), []).append(Line(tag, int(total)))
    return found


def days(connection: sa.Connection, generation: int, scope: Scope, parts: Iterable[str], *, by: str = "") -> Grouped:
    """Percentiles of the values posted in the period."""
    table, number = source_of(scope, by)
    group = grouping(table, by)
    values = (
        sa.select(
            group.label("at"), table.c.part, table.c.tag, table.c.value, sa.func.sum(number).label("number")
        )
        .where(*within(table, generation, scope, parts, begun=False))
        .group_by(*_plain(group), table.c.part, table.c.tag, table.c.value)
    )  # fmt: skip
    found: Grouped = {}
    for at, part, tag, line in percentiles(connection, values):
        found.setdefault((at, part), []).append(Line(tag, *line))
    return found


def percentiles(
    connection: sa.Connection, values: sa.Select[Any]
) -> list[tuple[str, str, str, tuple[int, str, int | None, int | None, int | None]]]:
    """Nearest-rank percentiles of values (columns ``at``, ``part``, ``tag``, ``value``, ``number``) of each group.

    Each with the number of cases, an empty currency, and p50, p90 and p99, None where there are too few cases.
    """
    v = values.subquery()
    same = (v.c.at, v.c.part, v.c.tag)
    ranked = sa.select(
        *same,
        v.c.value,
        sa.func.sum(v.c.number).over(partition_by=same, order_by=v.c.value).label("upto"),
        sa.func.sum(v.c.number).over(partition_by=same).label("total"),
    ).subquery()
    r = ranked.c
    reached = [sa.func.min(sa.case((r.upto * 100 >= r.total * p, r.value))) for p in ENOUGH]
    query = sa.select(r.at, r.part, r.tag, r.total, *reached).where(r.total > 0)
    found = []
    for at, part, tag, total, *reach in connection.execute(query.group_by(r.at, r.part, r.tag, r.total)):
        p50, p90, p99 = (
            int(value) if total >= enough else None for value, enough in zip(reach, ENOUGH.values(), strict=True)
        )
        found.append((str(at), part, tag, (int(total), "", p50, p90, p99)))
    return sorted(found)


def grouping(table: Any, by: str) -> sa.ColumnElement[Any]:
    """The column that is grouped by; the empty text where nothing is."""
    return sa.literal_column("''", sa.String) if not by else table.c[by]


def _plain(group: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    return (group,) if isinstance(group, sa.Column) else ()
