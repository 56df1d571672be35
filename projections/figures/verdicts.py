"""Figures M28-M30: findings of the rulebook, counted by rule, verdict and whose duty it is.

A finding belongs to the month in which it arose, and is counted with the verdict that it has at a moment.  Of a partner
and months they are read from the cells that judging keeps, which have each finding where it comes to in the end; those
that have not come to their end by then are found by an index of the steps that time still ends, as for the board.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import sqlalchemy as sa

from projections.compliance.board import holds
from projections.compliance.rows import RANKS
from projections.compliance.verdict import WORST
from projections.figures.answers import OverdueLine, Scope, VerdictLine
from projections.figures.book import VERDICTS
from projections.figures.posting import DAY
from projections.figures.sums import Shape, bound, percentiles, ranked, shape_of
from projections.schema import cases, cells, verdicts

CONFIDENTIALITY = frozenset({"O8", "A9.1", "A9.2", "A9.3", "A7.2b", "A15.3"})
"""Rules of figure M30."""

_OPEN = sa.literal_column(str(RANKS["open"]), sa.Integer)
_NOTHING = sa.literal_column("0", sa.Integer)


def verdict_lines(
    connection: sa.Connection, generation: int, scope: Scope, own: str, as_of: int
) -> tuple[VerdictLine, ...]:
    """Findings that arose in the period, by rule, verdict at a moment (ms) and side; an unknown verdict has none."""
    number: Counter[tuple[str, str, str]] = Counter()
    if scope.counterpart is not None:
        return ()  # no finding names the other side's office
    found = _summed if set(shape_of(scope)) <= {"partner"} else _counted
    for rule, verdict, owing, n in found(connection, generation, scope, as_of):
        side = "unknown" if not owing else "own" if owing == own else "partner"
        number[rule, verdict, side] += n
    ordered = sorted(number.items(), key=lambda each: (each[0][0], WORST.index(each[0][1]), each[0][2]))
    return tuple(VerdictLine(*key, n) for key, n in ordered if n)


def _summed(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> list[tuple[str, str, str, int]]:
    sums, running = _summed_queries(shape_of(scope))
    values = {**bound(generation, scope), "as_of": as_of}
    found: list[tuple[str, str, str, int]] = []
    for tag, n in connection.execute(sums, values):
        rule, verdict, owing = tag.split(" ")
        found.append((rule, verdict, owing, int(n)))
    for rule, rank, last, owing, n in connection.execute(running, values):
        state = owing.partition("-")[0]
        found += [(rule, WORST[last], state, -int(n)), (rule, WORST[rank], state, int(n))]
    return found


@cache
def _summed_queries(shape: Shape) -> tuple[sa.Select[Any], sa.Select[Any]]:
    c, v = cells.c, verdicts.c
    mine = [c.partner == sa.bindparam("of_partner")] if "partner" in shape else []
    sums = sa.select(c.tag, sa.func.sum(c.number)).where(
        c.generation == sa.bindparam("generation"), *mine, c.part == VERDICTS, *_in_period(c)
    )
    # Not at their end by then: the step that holds ends later, and the last one has not begun.
    running = sa.select(v.rule, v.rank, v.last, v.bound, sa.func.count()).where(
        v.until > _AS_OF, (v.since <= _AS_OF) | (v.step == 0), *_passing(shape)
    )
    return sums.group_by(c.tag), running.group_by(v.rule, v.rank, v.last, v.bound)


def _counted(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> list[tuple[str, str, str, int]]:
    v = verdicts.c
    rule = v.rule + ""  # not the plain column, as in ``_overdue``
    query = sa.select(rule, v.rank, v.bound, sa.func.count()).where(*holds(_AS_OF), *_passing(shape_of(scope)))
    rows = connection.execute(query.group_by(rule, v.rank, v.bound), {**bound(generation, scope), "as_of": as_of})
    return [(rule, WORST[rank], owing.partition("-")[0], int(n)) for rule, rank, owing, n in rows]


def breaches(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> dict[str, int]:
    """Findings that arose in the period and are breached at a moment (ms), by partner."""
    if scope.counterpart is not None:
        return {}
    v = verdicts.c
    query = sa.select(v.partner, sa.func.count()).where(
        v.rank == RANKS["breached"], *holds(_AS_OF), *_passing(shape_of(scope))
    )
    rows = connection.execute(query.group_by(v.partner), {**bound(generation, scope), "as_of": as_of})
    return {partner: int(n) for partner, n in rows}


def overdue_lines(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> tuple[OverdueLine, ...]:
    """Findings that are open beyond their threshold at a moment (ms), and for how many whole days."""
    if scope.counterpart is not None:
        return ()
    query = _overdue(shape_of(scope))
    rows = ranked(connection, query, {**bound(generation, scope), "as_of": as_of})
    return tuple(OverdueLine(rule, number, p50, p90) for _, rule, _, (number, _, p50, p90, _) in rows)


@cache
def _overdue(shape: Shape) -> sa.Select[Any]:
    v = verdicts.c
    nothing = sa.literal_column("''", sa.String)
    return percentiles(
        sa.select(
            nothing.label("at"),
            # Not the plain column: grouping by that draws SQLite to the index of rules, off the one of what is overdue.
            (v.rule + "").label("part"),
            nothing.label("tag"),
            ((_AS_OF - v.expected_by) // DAY).label("value"),
            sa.literal_column("1", sa.Integer).label("number"),
        ).where(v.rank == _OPEN, v.expected_by > _NOTHING, v.expected_by <= _AS_OF, *holds(_AS_OF), *_passing(shape))
    )


_AS_OF = sa.bindparam("as_of", type_=sa.BigInteger)


def _in_period(table: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.month >= sa.bindparam("first"), table.month <= sa.bindparam("last"))


def _passing(shape: Shape) -> list[sa.ColumnElement[bool]]:
    """Findings of a scope; its office is who owes them."""
    v = verdicts.c
    passing = [v.generation == sa.bindparam("generation"), *_in_period(v)]
    # Of an office as in ``within``.
    columns = {"partner": v.partner + "" if "office" in shape else v.partner, "office": v.bound}
    passing += [columns[name] == sa.bindparam(f"of_{name}") for name in shape if name in columns]
    of = [cases.c[name] == sa.bindparam(f"of_{name}") for name in ("kind", "direction") if name in shape]
    if of:
        same = (cases.c.partition == v.partition) & (cases.c.subject == v.subject)
        passing.append(sa.exists().where(cases.c.generation == sa.bindparam("generation"), same, *of))
    return passing
