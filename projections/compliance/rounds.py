"""Rounds of judgement in the store: which one it is, what a new one touches, and which rows wait. SQL alone.

A round begins when the register grew or another rulebook is in use.  It is one row of ``judging``; to begin one changes
it by compare-and-set on its number.  A chunk holds on to that row while it is written, so it belongs to the present
round or is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import msgspec
import sqlalchemy as sa

from ledger.errors import Overtaken
from projections.among import among, listed
from projections.bulk import insert
from projections.generations import COUNTS
from projections.schema import cases, dependency_sets, generations, judged, judging, positions

EVERYTHING = frozenset({"*"})
"""Entries that touch every set."""

_read_entries = msgspec.json.Decoder(list[str]).decode
_PIECE = 1000


class Round(msgspec.Struct, frozen=True):
    """The present round of a generation."""

    number: int
    register_seq: int
    """Of the last register record in it."""
    rulebook: str
    """Digest (hex)."""
    pending: bool
    """Whether there may be subjects left that its beginning, or an earlier one, has touched."""

    @classmethod
    def read(cls, connection: sa.Connection, generation: int, *, pending: bool | None = None) -> Self | None:
        """The present one; None before the first. ``pending``: say this of it."""
        columns = (judging.c.round, judging.c.register_seq, judging.c.rulebook, judging.c.pending)
        row = connection.execute(sa.select(*columns).where(judging.c.generation == generation)).one_or_none()
        if row is None:
            return None
        return cls(row.round, row.register_seq, row.rulebook, bool(row.pending) if pending is None else pending)


def begin_round(
    connection: sa.Connection, generation: int, now: Round | None, seq: int, rulebook: str, entries: frozenset[str]
) -> tuple[Round, int]:
    """Begin the round behind ``now``; how many subjects wait for its sake.

    Raises:
        Overtaken: somebody else has begun one, or the generation takes no more writes.
    """
    counts = sa.select(generations.c.id).where(generations.c.id == generation, COUNTS).with_for_update(read=True)
    if connection.execute(counts).one_or_none() is None:
        raise Overtaken(f"expected generation {generation} to be live or building, found that it is not")
    before = 0 if now is None else now.number
    first = {"generation": generation, "round": 0, "register_seq": 0, "rulebook": "", "pending": 0}
    connection.execute(insert(judging, connection.dialect.name).on_conflict_do_nothing(), first)
    mine = (judging.c.generation == generation) & (judging.c.round == before)
    # Waits for chunks that are being written; what they wrote is seen by the statements after this one.
    moved = connection.execute(
        judging.update().where(mine).values(round=before + 1, register_seq=seq, rulebook=rulebook)
    )
    if moved.rowcount != 1:
        raise Overtaken(f"expected generation {generation} in round {before}, found that another one has begun")
    touched = _touched(connection, generation, entries)
    for start in range(0, len(touched), _PIECE):
        piece = touched[start : start + _PIECE]
        connection.execute(
            dependency_sets.update()
            .where(dependency_sets.c.generation == generation, dependency_sets.c.id.in_(piece))
            .values(touched=before + 1)
        )
    subjects = _count_touched(connection, generation)
    connection.execute(judging.update().where(judging.c.generation == generation).values(pending=int(subjects > 0)))
    return Round(before + 1, seq, rulebook, subjects > 0), subjects


def _touched(connection: sa.Connection, generation: int, entries: frozenset[str]) -> list[str]:
    query = sa.select(dependency_sets.c.id, dependency_sets.c.entries).where(dependency_sets.c.generation == generation)
    if not entries:
        return []
    everything = bool(entries & EVERYTHING)
    found = connection.execute(query.order_by(dependency_sets.c.id))
    return [id_ for id_, text in found if everything or not entries.isdisjoint(_read_entries(text))]


def takes_writes(connection: sa.Connection, generation: int) -> bool:
    """Whether the generation is live or being built; a replaced or dropped one is not."""
    query = sa.select(generations.c.id).where(generations.c.id == generation, COUNTS)
    return connection.execute(query).one_or_none() is not None


def hold(connection: sa.Connection, generation: int, partition: int, now: Round) -> None:
    """Keep the round until the transaction ends, and be the only one who writes verdicts of the partition.

    Raises:
        Overtaken: another round has begun, or the generation takes no more writes.
    """
    if connection.dialect.name == "postgresql":
        # Two numbers that no other program locks by: chunks of a partition come one after the other.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK + generation, partition)))
    present = (
        sa.select(judging.c.generation)
        .where(
            judging.c.generation == generation,
            judging.c.round == now.number,
            sa.exists().where(generations.c.id == generation, COUNTS),
        )
        .with_for_update(read=True, of=judging)
    )
    if connection.execute(present).one_or_none() is None:
        raise Overtaken(f"expected judgement in round {now.number}, found that another one has begun")


_LOCK = 802_734_000


def waiting_rows(
    generation: int, partition: int, limit: int, but: Sequence[str] = (), dialect: str = ""
) -> sa.Select[Any]:
    """Subjects whose file has grown since they were judged, ``but`` some: subject, seq, partner, facts."""
    found = sa.select(*_ROW).where(*_grown(generation), cases.c.partition == partition)
    return _but(found, cases.c.subject, but, dialect).limit(limit)


def touched_rows(
    generation: int, partition: int, limit: int, but: Sequence[str] = (), dialect: str = ""
) -> sa.Select[Any]:
    """Subjects that the register has touched since they were judged, and whose file has not grown; ``but`` some."""
    stale = _stale(judged.c.partition, judged.c.subject).where(*_of(generation), judged.c.partition == partition)
    stale = _but(stale, judged.c.subject, but, dialect)
    # A subquery with a limit: the database shall begin with the sets, of which there are few.
    found = stale.limit(limit).subquery()
    same = (cases.c.partition == found.c.partition) & (cases.c.subject == found.c.subject)
    return sa.select(*_ROW).join(found, same).where(cases.c.generation == generation, cases.c.waiting == 0)


def _but(found: sa.Select[Any], column: sa.Column[Any], but: Sequence[str], dialect: str) -> sa.Select[Any]:
    return found.where(~among(column, dialect)).params(among=listed(but, dialect)) if but else found


_ROW = (cases.c.subject, cases.c.seq, sa.func.coalesce(cases.c.partner, "").label("partner"), cases.c.facts)


def _stale(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).select_from(
        dependency_sets.join(
            # Not the plain id: a database without statistics would begin with all subjects and look up the set of each.
            judged,
            (judged.c.generation == dependency_sets.c.generation) & (judged.c.depends == dependency_sets.c.id + ""),
        )
    )


def _of(generation: int) -> tuple[sa.ColumnElement[bool], ...]:
    begun = sa.select(positions.c.partition).where(positions.c.generation == generation)
    return (
        dependency_sets.c.generation == generation,
        dependency_sets.c.touched > 0,
        judged.c.partition.in_(begun),  # a list, so that rows are found by the index
        judged.c.round < dependency_sets.c.touched,
    )


def _count_touched(connection: sa.Connection, generation: int) -> int:
    """Without those whose file has grown, which are counted by that."""
    every = connection.execute(_stale(sa.func.count()).where(*_of(generation))).scalar() or 0
    both = (
        sa.select(sa.func.count())
        .select_from(cases)
        .join(
            judged,
            (judged.c.generation == cases.c.generation)
            & (judged.c.partition == cases.c.partition)
            & (judged.c.subject == cases.c.subject),
        )
        .join(
            dependency_sets,
            (dependency_sets.c.generation == judged.c.generation) & (dependency_sets.c.id == judged.c.depends),
        )
        .where(*_grown(generation), judged.c.round < dependency_sets.c.touched)
    )
    return int(every) - int(connection.execute(both).scalar() or 0) if every else 0


def _grown(generation: int) -> tuple[sa.ColumnElement[bool], ...]:
    return cases.c.generation == generation, cases.c.waiting == sa.literal_column("1")  # as its index has it


def count_waiting(connection: sa.Connection, generation: int) -> int:
    """How many subjects wait: their files have grown, or the register has touched them."""
    grown = sa.select(sa.func.count()).select_from(cases).where(*_grown(generation))
    now = Round.read(connection, generation)
    touched = _count_touched(connection, generation) if now is not None and now.pending else 0
    return int(connection.execute(grown).scalar() or 0) + touched


def settle(connection: sa.Connection, generation: int, now: Round) -> bool:
    """Note that nothing touched is left in the round; whether that is so. Chunks can add nothing to it."""
    left = _stale(judged.c.subject).where(*_of(generation)).limit(1)
    if connection.execute(left).first() is not None:
        return False
    mine = (judging.c.generation == generation) & (judging.c.round == now.number)
    connection.execute(judging.update().where(mine).values(pending=0))
    return True
