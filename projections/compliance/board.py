"""The board: findings of all subjects at a moment, the worst first, from the materialised steps. SQL alone.

A step holds from ``since`` until ``until``, the first one also before its ``since``.  Pages are cut by the key (rank,
subject, rule, item), whose order the indexes of ``verdicts`` have, so a page costs the same wherever it is.

Counts are not counted: ``tallies`` has how many findings come to which rank in the end.  For a moment, the findings
that have not come to their end by then are taken out of it and put where they are, and these are found by an index of
the steps that time still ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from projections.compliance.answers import BoardFilters, BoardRow, Count
from projections.compliance.rows import RANKS, read_finding
from projections.compliance.rulebook import Rule, Rulebook
from projections.compliance.verdict import WORST, Finding
from projections.cursors import Cursors, Text
from projections.figures.months import month_of
from projections.schema import tallies, verdicts

Key = tuple[int, str, str, str]
"""Rank, subject, rule, item: by what the board is sorted."""

_OPEN = RANKS["open"]
_OF_ONE = 100_000
"""More findings than one subject has."""
CURSORS = Cursors[Key](tuple[Annotated[int, msgspec.Meta(ge=0, le=len(WORST))], Text, Text, Text])
_FIRST = verdicts.alias("first")


def key_of(row: BoardRow) -> Key:
    """By what the row is sorted."""
    return RANKS[row.verdict], row.subject, row.rule, row.item


def wanted_rules(filters: BoardFilters, rulebook: Rulebook) -> list[str] | None:
    """Ids of the rules that pass by article; None: the article is no matter."""
    if filters.article is None:
        return None
    return sorted(rule.id for rule in rulebook.rules() if _stands_at(rule, filters.article))


def _stands_at(rule: Rule, article: str) -> bool:
    place = rule.place
    inside = (f"{article}(", f"{article}.", f"{article} ")  # "Agr. 6(2)" has "Agr. 6(2) s. 1" in it
    return article in (place.article, place.cites) or place.cites.startswith(inside)


def passes(row: BoardRow, filters: BoardFilters, rules: list[str] | None, zone: str) -> bool:
    """Whether a row that was judged just now passes; ``zone`` is that of the ledger's months."""
    return (
        (not filters.verdicts or row.verdict in filters.verdicts)
        and filters.office in (None, row.bound)
        and filters.partner in (None, row.partner)
        and filters.rule in (None, row.rule)
        and filters.instrument in (None, row.instrument)
        and filters.subject in (None, row.subject)
        and (rules is None or row.rule in rules)
        and (row.overdue or not filters.overdue)
        and (not filters.of_months or filters.first <= month_of(row.finding.steps[0].at, zone) <= filters.last)
    )


def row_of(finding: Finding, as_of: int, *, subject: str, partition: int, partner: str, instrument: str) -> BoardRow:
    """A finding at a moment, as a row."""
    held = finding.at(as_of)
    return BoardRow(
        subject=subject,
        partition=partition,
        rule=finding.rule,
        item=finding.item,
        instrument=instrument,
        verdict=held.verdict,
        reason=held.reason,
        since=held.at,
        until=finding.until(as_of),
        bound=finding.bound,
        partner=partner,
        marks=finding.marks,
        expected_by=finding.expected_by,
        overdue=finding.overdue(as_of),
        finding=finding,
    )


def page(
    connection: sa.Connection,
    generation: int,
    filters: BoardFilters,
    rules: list[str] | None,
    *,
    as_of: int,
    limit: int,
    after: Key | None,
) -> list[BoardRow]:
    """The rows behind a key, in its order; rank by rank, so that each is read along an index."""
    found: list[BoardRow] = []
    for rank in sorted(RANKS[verdict] for verdict in filters.verdicts or WORST):
        if (after is not None and rank < after[0]) or (filters.overdue and rank != _OPEN):
            continue
        behind = after if after is not None and after[0] == rank else None
        query = _page(generation, filters, rules, rank, as_of, behind).limit(limit - len(found))
        found += [_row(row, as_of) for row in connection.execute(query)]
        if len(found) >= limit:
            break
    return found


def _page(
    generation: int, filters: BoardFilters, rules: list[str] | None, rank: int, as_of: int, behind: Key | None
) -> sa.Select[Any]:
    v = verdicts.c
    key = (v.subject, v.rule, v.item)
    query = (
        sa.select(v.subject, v.partition, v.partner, v.instrument, _FIRST.c.detail)
        .select_from(verdicts.join(_FIRST, _same_finding(_FIRST) & (_FIRST.c.step == 0)))
        .where(v.generation == generation, v.rank == _literal(rank), *holds(as_of), *_passing(verdicts, filters, rules))
    )
    if filters.subject is not None:
        query = query.where(v.subject == filters.subject)
    if filters.overdue:
        query = query.where(v.expected_by > _literal(0), v.expected_by <= as_of)
    if behind is not None:
        # The first part lets the database begin there in the index; a comparison of tuples alone it does not use.
        query = query.where(v.subject >= behind[1], sa.tuple_(*key) > behind[1:])
    return query.order_by(*key)


def _literal(number: int) -> sa.ColumnElement[int]:
    """As the condition of an index has it: SQLite does not use the index for a parameter."""
    return sa.literal_column(str(number), sa.Integer)


def _row(row: Any, as_of: int) -> BoardRow:
    return row_of(
        read_finding(row.detail), as_of, subject=row.subject, partition=row.partition, partner=row.partner,
        instrument=row.instrument,
    )  # fmt: skip


def holds(as_of: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """That a step of a finding holds at a moment: a number (ms) or a parameter."""
    v = verdicts.c
    return (v.until.is_(None) | (v.until > as_of), (v.since <= as_of) | (v.step == 0))


def _passing(table: sa.Table, filters: BoardFilters, rules: list[str] | None) -> list[sa.ColumnElement[bool]]:
    wanted = {"bound": filters.office, "partner": filters.partner, "rule": filters.rule}
    passing = [table.c[name] == value for name, value in wanted.items() if value is not None]
    if filters.instrument is not None and "instrument" in table.c:
        passing.append(table.c.instrument == filters.instrument)
    if filters.of_months and "month" in table.c:
        passing += [table.c.month >= filters.first, table.c.month <= filters.last]
    return passing if rules is None else [*passing, table.c.rule.in_(rules)]


def _same_finding(other: Any) -> sa.ColumnElement[bool]:
    names = ("generation", "partition", "subject", "rule", "item")
    return sa.and_(*(verdicts.c[name] == other.c[name] for name in names))


def counts(
    connection: sa.Connection, generation: int, filters: BoardFilters, rulebook: Rulebook, as_of: int
) -> list[Count]:
    """How many findings there are by rule and verdict. ``filters.subject`` counts those of one subject."""
    rules = wanted_rules(filters, rulebook)
    instruments = {rule.id: rule.instrument for rule in rulebook.rules()}
    if filters.instrument is not None:
        of_it = {id_ for id_, instrument in instruments.items() if instrument == filters.instrument}
        rules = sorted(of_it if rules is None else of_it.intersection(rules))
    number: Counter[tuple[str, int]] = Counter()
    if filters.subject is not None:
        rows = page(connection, generation, filters, rules, as_of=as_of, limit=_OF_ONE, after=None)
        return add_counts([], rows)
    if filters.of_months:
        _counted(connection, generation, filters, rules, as_of, number)
    else:
        _tallied(connection, generation, filters, rules, as_of, number)
    overdue = _overdue(connection, generation, filters, rules, as_of)
    ranks = {RANKS[verdict] for verdict in filters.verdicts or WORST}
    return [
        Count(instruments.get(rule, ""), rule, WORST[rank], n, overdue.get(rule, 0) if rank == _OPEN else 0)
        for (rule, rank), n in sorted(number.items())
        if n > 0 and rank in ranks and (not filters.overdue or (rank == _OPEN and overdue.get(rule)))
    ]


def _counted(
    connection: sa.Connection,
    generation: int,
    filters: BoardFilters,
    rules: list[str] | None,
    as_of: int,
    number: Counter[tuple[str, int]],
) -> None:
    """Of some months: tallies have none, so the findings are counted."""
    v = verdicts.c
    query = sa.select(v.rule, v.rank, sa.func.count()).where(
        v.generation == generation, *holds(as_of), *_passing(verdicts, filters, rules)
    )
    for rule, rank, n in connection.execute(query.group_by(v.rule, v.rank)):
        number[rule, rank] += int(n)


def _tallied(
    connection: sa.Connection,
    generation: int,
    filters: BoardFilters,
    rules: list[str] | None,
    as_of: int,
    number: Counter[tuple[str, int]],
) -> None:
    t, v = tallies.c, verdicts.c
    total = sa.select(t.rule, t.rank, sa.func.sum(t.number)).where(
        t.generation == generation, *_passing(tallies, filters, rules)
    )
    for rule, rank, n in connection.execute(total.group_by(t.rule, t.rank)):
        number[rule, rank] += int(n)
    # Not at their end by then: the step that holds ends later, and the last one has not begun.
    running = sa.select(v.rule, v.rank, v.last, sa.func.count()).where(
        v.generation == generation,
        v.until > as_of,
        (v.since <= as_of) | (v.step == 0),
        *_passing(verdicts, filters, rules),
    )
    for rule, rank, last, n in connection.execute(running.group_by(v.rule, v.rank, v.last)):
        number[rule, last] -= n
        number[rule, rank] += n


def _overdue(
    connection: sa.Connection, generation: int, filters: BoardFilters, rules: list[str] | None, as_of: int
) -> dict[str, int]:
    v = verdicts.c
    rule = v.rule + ""  # not the plain column: grouping by that draws SQLite to the index of rules, and off this one
    query = sa.select(rule, sa.func.count()).where(
        v.generation == generation,
        v.rank == _literal(_OPEN),
        v.expected_by > _literal(0),
        v.expected_by <= as_of,
        *holds(as_of),
        *_passing(verdicts, filters, rules),
    )
    return {of: int(n) for of, n in connection.execute(query.group_by(rule))}


def add_counts(counted: Iterable[Count], rows: Iterable[BoardRow]) -> list[Count]:
    """Counts with some more rows."""
    found = {(c.rule, c.verdict): c for c in counted}
    for row in rows:
        key = row.rule, row.verdict
        before = found.get(key) or Count(row.instrument, row.rule, row.verdict, 0, 0)
        found[key] = msgspec.structs.replace(
            before, number=before.number + 1, overdue=before.overdue + (1 if row.overdue else 0)
        )
    return sorted(found.values(), key=lambda c: (c.rule, RANKS[c.verdict]))
