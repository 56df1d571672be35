"""Figures M28-M30: findings of the rulebook, counted by rule, verdict and whose duty it is.

A finding belongs to the month in which it arose, and is counted with the verdict that it has at a moment.  Of a partner
and months they are read from the cells that judging keeps, which have each finding where it comes to in the end; those
that have not come to their end by then are found by an index of the steps that time still ends, as for the board.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa

from projections.compliance.rows import RANKS
from projections.compliance.verdict import WORST
from projections.figures.answers import OverdueLine, Scope, VerdictLine
from projections.figures.book import VERDICTS
from projections.figures.posting import DAY
from projections.figures.sums import percentiles
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
    inner = (scope.office, scope.kind, scope.direction)
    if scope.counterpart is not None:
        return ()  # no finding names the other side's office
    found = _summed if all(each is None for each in inner) else _counted
    for rule, verdict, bound, n in found(connection, generation, scope, as_of):
        side = "unknown" if not bound else "own" if bound == own else "partner"
        number[rule, verdict, side] += n
    ordered = sorted(number.items(), key=lambda each: (each[0][0], WORST.index(each[0][1]), each[0][2]))
    return tuple(VerdictLine(*key, n) for key, n in ordered if n)


def _summed(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> list[tuple[str, str, str, int]]:
    c, v = cells.c, verdicts.c
    mine = [c.partner == scope.partner] if scope.partner is not None else []
    query = sa.select(c.tag, sa.func.sum(c.number)).where(
        c.generation == generation, *mine, c.part == VERDICTS, c.month >= scope.first, c.month <= scope.last
    )
    found: list[tuple[str, str, str, int]] = []
    for tag, n in connection.execute(query.group_by(c.tag)):
        rule, verdict, bound = tag.split(" ")
        found.append((rule, verdict, bound, int(n)))
    running = sa.select(v.rule, v.rank, v.last, v.bound, sa.func.count()).where(
        v.generation == generation, v.until > as_of, (v.since <= as_of) | (v.step == 0), *_passing(scope)
    )
    for rule, rank, last, bound, n in connection.execute(running.group_by(v.rule, v.rank, v.last, v.bound)):
        state = bound.partition("-")[0]
        found += [(rule, WORST[last], state, -int(n)), (rule, WORST[rank], state, int(n))]
    return found


def _counted(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> list[tuple[str, str, str, int]]:
    v = verdicts.c
    query = sa.select(v.rule, v.rank, v.bound, sa.func.count()).where(
        v.generation == generation, *_holds(as_of), *_passing(scope), *_of_requests(generation, scope)
    )
    return [
        (rule, WORST[rank], bound.partition("-")[0], int(n))
        for rule, rank, bound, n in connection.execute(query.group_by(v.rule, v.rank, v.bound))
    ]


def breaches(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> dict[str, int]:
    """Findings that arose in the period and are breached at a moment (ms), by partner."""
    if scope.counterpart is not None:
        return {}
    v = verdicts.c
    query = sa.select(v.partner, sa.func.count()).where(
        v.generation == generation, v.rank == RANKS["breached"], *_holds(as_of), *_passing(scope),
        *_of_requests(generation, scope),
    )  # fmt: skip
    return {partner: int(n) for partner, n in connection.execute(query.group_by(v.partner))}


def overdue_lines(connection: sa.Connection, generation: int, scope: Scope, as_of: int) -> tuple[OverdueLine, ...]:
    """Findings that are open beyond their threshold at a moment (ms), and for how many whole days."""
    if scope.counterpart is not None:
        return ()
    v = verdicts.c
    age = (sa.literal(as_of, sa.BigInteger) - v.expected_by) / DAY  # both of them whole numbers: rounded down
    if connection.dialect.name == "postgresql":
        age = sa.func.div(sa.literal(as_of, sa.BigInteger) - v.expected_by, DAY)
    one = sa.literal_column("1", sa.Integer).label("number")
    # Not the plain column: grouping by that draws SQLite to the index of rules, and off the one of what is overdue.
    values = sa.select(
        sa.literal_column("''", sa.String).label("at"), (v.rule + "").label("part"),
        sa.literal_column("''", sa.String).label("tag"), age.label("value"), one,
    ).where(
        v.generation == generation, v.rank == _OPEN, v.expected_by > _NOTHING, v.expected_by <= as_of,
        *_holds(as_of), *_passing(scope), *_of_requests(generation, scope),
    )  # fmt: skip
    return tuple(
        OverdueLine(rule, number, p50, p90) for _, rule, _, (number, _, p50, p90, _) in percentiles(connection, values)
    )


def _holds(as_of: int) -> tuple[sa.ColumnElement[bool], ...]:
    v = verdicts.c
    return (v.until.is_(None) | (v.until > as_of), (v.since <= as_of) | (v.step == 0))


def _passing(scope: Scope) -> list[sa.ColumnElement[bool]]:
    v = verdicts.c
    passing: list[sa.ColumnElement[bool]] = [v.month >= scope.first, v.month <= scope.last]
    if scope.partner is not None:
        passing.append(v.partner == scope.partner)
    if scope.office is not None:
        passing.append(v.bound == scope.office)
    return passing


def _of_requests(generation: int, scope: Scope) -> list[Any]:
    """Findings of requests of a kind or direction."""
    wanted = {"kind": scope.kind, "direction": scope.direction}
    if all(value is None for value in wanted.values()):
        return []
    of = [cases.c[name] == value for name, value in wanted.items() if value is not None]
    same = (cases.c.partition == verdicts.c.partition) & (cases.c.subject == verdicts.c.subject)
    return [sa.exists().where(cases.c.generation == generation, same, *of)]
