"""Figures of things that several subjects may speak of: persons, cases, instruments, meetings, property, costs.

Each thing counts once.  Of an amount that several subjects state for one thing and currency, the greatest sum of one
subject counts (our choice): a request and the one that supplements it speak of the same account.  A subject that
releases more of a thing than it restrained has released what another one restrained, so that is taken off.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import sqlalchemy as sa

from projections.figures.answers import Line, Scope
from projections.figures.catalogue import PARTS
from projections.figures.money import currency_of, from_millionths, millionths
from projections.figures.sums import Grouped, Shape, bound, grouping, shape_of, within
from projections.schema import postings

UNKNOWN = "unknown"
"""Tag of property of a sort that the subject does not say; another subject may."""

Totals = dict[tuple[str, str], int]
"""By group and part."""


def distinct(
    connection: sa.Connection, generation: int, scope: Scope, parts: tuple[str, ...], *, held: bool, by: str = ""
) -> tuple[Grouped, Totals]:
    """Different things posted in the period, by tag and altogether; ``held``: those that stand at its end."""
    tagged, whole = _distinct(shape_of(scope), parts, held, by)
    values = bound(generation, scope)
    lines: Grouped = {}
    for at, part, tag, n in connection.execute(tagged, values):
        lines.setdefault((str(at), part), []).append(Line(tag, int(n)))
    return lines, {(str(at), part): int(n) for at, part, n in connection.execute(whole, values)}


@cache
def _distinct(
    shape: Shape,
    parts: tuple[str, ...],
    held: bool,
    by: str,
) -> tuple[sa.Select[Any], sa.Select[Any]]:
    p = postings.c
    group = grouping(postings, by).label("at")
    some = (_SOME, *within(postings, shape, parts, begun=held))
    plain = [p[by]] if by else []
    if not held:
        number = sa.func.count(sa.distinct(p.thing))
        return (
            sa.select(group, p.part, p.tag, number).where(*some).group_by(*plain, p.part, p.tag),
            sa.select(group, p.part, number).where(*some).group_by(*plain, p.part),
        )
    things = sa.select(group, p.part, p.tag, p.thing).where(*some).group_by(*plain, p.part, p.tag, p.thing)
    t = things.having(sa.func.sum(p.value) > 0).subquery().c
    number = sa.func.count(sa.distinct(t.thing))
    return (
        sa.select(t.at, t.part, t.tag, number).group_by(t.at, t.part, t.tag),
        sa.select(t.at, t.part, number).group_by(t.at, t.part),
    )


_SOME = postings.c.thing != sa.literal_column("''")
"""As the condition of the index has it: SQLite does not use the index for a parameter."""


def money(connection: sa.Connection, generation: int, scope: Scope, parts: tuple[str, ...], *, by: str = "") -> Grouped:
    """Amounts by tag and currency: posted in the period, or standing at its end where a part is a balance."""
    balances = {part for part in parts if PARTS[part].how == "balance"}
    stated: dict[tuple[str, bool], _Stated] = {}
    for begun in (False, True):
        wanted = set(parts) - balances if not begun else balances | {PARTS[part].less for part in balances}
        if wanted:
            for part, found in _amounts(connection, generation, scope, tuple(sorted(wanted)), begun, by).items():
                stated[part, begun] = found
    lines: Grouped = {}
    for part in parts:
        gained = _greatest(stated.get((part, part in balances), {}))
        if part in balances:
            lost = _greatest(stated.get((PARTS[part].less, True), {}))
            gained = _rest(gained, _released(stated.get((part, True), {})), lost)
        sums: dict[tuple[str, str, str], int] = defaultdict(int)
        for (at, _, currency), tags in gained.items():
            for tag, amount in tags.items():
                sums[at, tag, currency] += amount
        for (at, tag, currency), amount in sorted(sums.items()):
            for unit, number in from_millionths(amount, currency):
                lines.setdefault((at, part), []).append(Line(tag, number, unit))
    return lines


_Thing = tuple[str, str, str]
"""Group, thing, currency."""
_Stated = dict[_Thing, dict[str, dict[str, int]]]
"""Amounts by thing, subject and tag, in millionths of the currency."""


def _amounts(
    connection: sa.Connection,
    generation: int,
    scope: Scope,
    parts: tuple[str, ...],
    begun: bool,
    by: str,
) -> dict[str, _Stated]:
    stated: dict[str, _Stated] = {}
    query = _amounts_query(shape_of(scope), parts, begun, by)
    # Added up here: a sum of the database may overflow, these do not.
    for at, part, thing, currency, subject, tag, value in connection.execute(query, bound(generation, scope)).all():
        things = stated.setdefault(part, {})
        tags = things.setdefault((str(at), thing, currency_of(currency)), {}).setdefault(subject, {})
        # An amount may be posted in several units: which of two is the greater is not told by one of them.
        tags[tag] = tags.get(tag, 0) + millionths(int(value), currency)
    return stated


@cache
def _amounts_query(shape: Shape, parts: tuple[str, ...], begun: bool, by: str) -> sa.Select[Any]:
    p = postings.c
    return sa.select(grouping(postings, by), p.part, p.thing, p.currency, p.subject, p.tag, p.value).where(
        _SOME, *within(postings, shape, parts, begun=begun)
    )


def _greatest(stated: _Stated) -> dict[_Thing, dict[str, int]]:
    """Of each thing what one subject states, by tag: the one that states the most."""
    found: dict[_Thing, dict[str, int]] = {}
    for thing, subjects in stated.items():
        if len(subjects) == 1:
            (found[thing],) = subjects.values()
            continue
        tags = subjects[max(sorted(subjects), key=lambda subject: sum(subjects[subject].values()))]
        known = next((tag for of in subjects.values() for tag in sorted(of) if tag != UNKNOWN), UNKNOWN)
        if UNKNOWN in tags and known != UNKNOWN:
            tags = {**tags, known: tags.get(known, 0) + tags[UNKNOWN]}
            del tags[UNKNOWN]
        found[thing] = tags
    return found


def _released(stated: _Stated) -> dict[_Thing, int]:
    """Of each thing the most that one subject has released beyond what it says that it restrained."""
    return {
        thing: max(0, *(-sum(tags.values()) for tags in subjects.values()))
        for thing, subjects in stated.items()
        if len(subjects) > 1
    }


def _rest(
    gained: dict[_Thing, dict[str, int]], released: dict[_Thing, int], lost: dict[_Thing, dict[str, int]]
) -> dict[_Thing, dict[str, int]]:
    """What is left of each thing, never below nothing."""
    found: dict[_Thing, dict[str, int]] = {}
    for thing, tags in gained.items():
        left = max(0, sum(tags.values()) - released.get(thing, 0) - sum(lost.get(thing, {}).values()))
        # A thing is of one sort; were it said to be of several, the rest is of the greatest.
        found[thing] = {max(sorted(tags), key=lambda tag: tags[tag]): left}
    return found


def standing_rows(rows: sa.Select[Any]) -> sa.Select[Any]:
    """Of postings that come and go, those that stand: the latest ones of each subject, office, tag and thing.

    Args:
        rows: postings with all columns, until the end of the period.
    """
    r = rows.subquery().c
    same = (r.partition, r.subject, r.part, r.partner, r.office, r.counterpart, r.tag, r.thing)
    ranked = sa.select(
        *r,
        sa.func.sum(r.value).over(partition_by=same).label("net"),
        sa.func.row_number()
        .over(partition_by=(*same, r.value > 0), order_by=(r.time.desc(), r.item.desc()))
        .label("place"),
    ).subquery()
    k = ranked.c
    return sa.select(*(k[column.name] for column in postings.c)).where(k.value > 0, k.place <= k.net)
