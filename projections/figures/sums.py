"""Sums of postings in SQL: counts, what stands at the end of a period, and percentiles of durations.

They are read from ``cells`` where a scope asks by partner and month alone, which costs the same however many requests
there are, and from ``postings`` where it asks by office, counterpart, kind or direction.

The percentile of nearest rank is the smallest value that is not less than so many of all: with n values the one of rank
ceil(p n / 100) (Hyndman and Fan 1996, definition 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa

from projections.figures.answers import Line, Scope
from projections.schema import cells, postings

ENOUGH = {50: 1, 90: 10, 99: 100}
"""How many cases a percentile needs."""

_SPLIT = 2**32
_HALF = sa.literal_column(str(_SPLIT), sa.BigInteger)

Grouped = dict[tuple[str, str], list[Line]]
"""Lines by group (empty where nothing is grouped by) and part."""
Source = tuple[sa.FromClause, sa.ColumnElement[int]]
"""A table, and how many postings one of its rows is."""


Shape = tuple[str, ...]
"""The columns that a scope asks for: what its statements differ by. They are built once, and their values bound."""
_FILTERS = ("partner", "office", "counterpart", "kind", "direction")


def source_of(shape: Shape, by: str = "") -> Source:
    """The smaller table that can answer."""
    if set(shape) <= {"partner"} and by in ("", "partner", "month"):
        return cells, cells.c.number
    return postings, sa.literal_column("1", sa.Integer)


def shape_of(scope: Scope) -> Shape:
    """Which columns a scope asks for."""
    return tuple(name for name in _FILTERS if getattr(scope, name) is not None)


def bound(generation: int, scope: Scope) -> dict[str, Any]:
    """Values of the parameters of ``within``."""
    asked = {f"of_{name}": getattr(scope, name) for name in shape_of(scope)}
    return {
        "generation": generation,
        "first": scope.first,
        "last": scope.last,
        "until": min(scope.last, scope.until),
        **asked,
    }


def within(table: Any, shape: Shape, parts: Iterable[str], *, begun: bool) -> list[Any]:
    """Which rows of a table pass; ``begun``: also those of before the period, for what stands at its end."""
    of = [table.c[name] == sa.bindparam(f"of_{name}") for name in shape]
    first = [] if begun else [table.c.month >= sa.bindparam("first")]
    return [
        table.c.generation == sa.bindparam("generation"), *of, table.c.part.in_(sorted(parts)), *first,
        table.c.month <= sa.bindparam("until" if begun else "last"),
    ]  # fmt: skip


def counts(
    connection: sa.Connection, generation: int, scope: Scope, parts: tuple[str, ...], *, begun: bool = False,
    by: str = "",
) -> Grouped:  # fmt: skip
    """Sums of the values posted in the period, or, with ``begun``, until its end."""
    query = _counts(shape_of(scope), parts, begun, by)
    found: Grouped = {}
    for at, part, tag, high, low in connection.execute(query, bound(generation, scope)):
        total = int(high) * _SPLIT + int(low)
        if total:
            found.setdefault((str(at), part), []).append(Line(tag, total))
    return found


@cache
def _counts(shape: Shape, parts: tuple[str, ...], begun: bool, by: str) -> sa.Select[Any]:
    table, number = source_of(shape, by)
    group = grouping(table, by)
    return (
        sa.select(
            group,
            table.c.part,
            table.c.tag,
            # In two halves: an act may state a count so large that a thousand of them are more than 64 bits hold.
            sa.func.sum(table.c.value // _HALF * number),
            sa.func.sum(table.c.value % _HALF * number),
        )
        .where(*within(table, shape, parts, begun=begun))
        .group_by(*_plain(group), table.c.part, table.c.tag)
    )


def days(connection: sa.Connection, generation: int, scope: Scope, parts: tuple[str, ...], *, by: str = "") -> Grouped:
    """Percentiles of the values posted in the period."""
    found: Grouped = {}
    query = _days(shape_of(scope), parts, by)
    for at, part, tag, line in ranked(connection, query, bound(generation, scope)):
        found.setdefault((at, part), []).append(Line(tag, *line))
    return found


@cache
def _days(shape: Shape, parts: tuple[str, ...], by: str) -> sa.Select[Any]:
    table, number = source_of(shape, by)
    group = grouping(table, by)
    return percentiles(
        sa.select(
            group.label("at"), table.c.part, table.c.tag, table.c.value, sa.func.sum(number).label("number")
        )
        .where(*within(table, shape, parts, begun=False))
        .group_by(*_plain(group), table.c.part, table.c.tag, table.c.value)
    )  # fmt: skip


def percentiles(values: sa.Select[Any]) -> sa.Select[Any]:
    """Nearest-rank percentiles of values (columns ``at``, ``part``, ``tag``, ``value``, ``number``) of each group."""
    v = values.subquery()
    same = (v.c.at, v.c.part, v.c.tag)
    r = sa.select(
        *same,
        v.c.value,
        sa.func.sum(v.c.number).over(partition_by=same, order_by=v.c.value).label("upto"),
        sa.func.sum(v.c.number).over(partition_by=same).label("total"),
    ).subquery().c  # fmt: skip
    reached = [sa.func.min(sa.case((r.upto * 100 >= r.total * p, r.value))) for p in ENOUGH]
    query = sa.select(r.at, r.part, r.tag, r.total, *reached).where(r.total > 0)
    return query.group_by(r.at, r.part, r.tag, r.total).order_by(r.at, r.part, r.tag)


def ranked(
    connection: sa.Connection, query: sa.Select[Any], values: dict[str, Any]
) -> Iterator[tuple[str, str, str, tuple[int, str, int | None, int | None, int | None]]]:
    """Rows of ``percentiles``: group, part, tag, and of it the number of cases, an empty currency, p50, p90 and p99.

    A percentile is None where there are too few cases.
    """
    for at, part, tag, total, *reach in connection.execute(query, values):
        p50, p90, p99 = (
            int(value) if total >= enough else None for value, enough in zip(reach, ENOUGH.values(), strict=True)
        )
        yield str(at), part, tag, (int(total), "", p50, p90, p99)


def grouping(table: Any, by: str) -> sa.ColumnElement[Any]:
    """The column that is grouped by; the empty text where nothing is."""
    return sa.literal_column("''", sa.String) if not by else table.c[by]


def _plain(group: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    return (group,) if isinstance(group, sa.Column) else ()
