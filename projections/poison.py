"""Poison records as the store tells of them: where a partition stands still, and since when.

A row says where a record stands and what was expected of it, never what is in it. It is a sign for people, not state:
the record is met again at every start, and passing it is decided by the ledger alone (``docs/decisions/0011-poison-
skip.md``). A worker writes the row when it stops, and deletes it in passing the record; a row that a crash left
behind is not shown, since the partition's position has gone past it.
"""

from __future__ import annotations

import time

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ledger.errors import PoisonRecord
from ledger.ids import LedgerId
from projections.schema import generations, positions
from projections.schema import poison as rows
from projections.store import Store
from projections.view import Generation


class Noted(msgspec.Struct, frozen=True):
    """A record that a projection cannot digest. ``leaf`` is hex, ``found_at`` ms since 1970-01-01T00:00Z."""

    projection: str
    generation: int
    state: str
    """Of the generation: ``live`` or ``building``."""
    partition: int
    index: int
    position: int
    leaf: str
    subject: str
    type: str
    reason: str
    found_at: int


def note(store: Store, generation: Generation, met: PoisonRecord) -> None:
    """Say that the partition stands before this record; the time of a record that is noted already stays.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    values = {
        "generation": generation.id,
        "partition": met.partition,
        "position": met.position,
        "index": met.index,
        "leaf": met.leaf,
        "subject": met.subject,
        "type": met.type,
        "reason": str(met),
        "found_at": int(time.time() * 1000),
    }
    new = (postgresql if store.engine.dialect.name == "postgresql" else sqlite).insert(rows).values(values)
    keys = [rows.c.generation, rows.c.partition]
    others = {name: new.excluded[name] for name in values if name not in ("generation", "partition")}
    another = (rows.c.leaf != new.excluded.leaf) | (rows.c.reason != new.excluded.reason)
    with store.writing() as connection:
        connection.execute(new.on_conflict_do_update(index_elements=keys, set_=others, where=another))
        # Lost in a crash before this commit: the record is met again at the next start, and noted then.


def clear(store: Store, generation: Generation, partition: int, before: int) -> None:
    """The partition has passed what was noted before log position ``before``. Raises as ``note``."""
    gone = rows.delete().where(
        rows.c.generation == generation.id, rows.c.partition == partition, rows.c.position < before
    )
    with store.writing() as connection:
        connection.execute(gone)


def noted(store: Store, generation: Generation, partition: int) -> Noted | None:
    """What is noted of a partition, passed or not. Raises as ``note``."""
    found = _select(store, rows.c.generation == generation.id, rows.c.partition == partition)
    return found[0] if found else None


def standing(store: Store, ledger_id: LedgerId) -> list[Noted]:
    """Where partitions of a ledger stand still, by projection, generation and partition. Raises as ``note``."""
    return _select(
        store,
        generations.c.ledger_id == ledger_id,
        generations.c.state.in_(("live", "building")),
        rows.c.position >= sa.func.coalesce(positions.c.next, 0),
    )


def _select(store: Store, *where: sa.ColumnElement[bool]) -> list[Noted]:
    at = (positions.c.generation == rows.c.generation) & (positions.c.partition == rows.c.partition)
    query = (
        sa.select(
            generations.c.fold, generations.c.id, generations.c.state, rows.c.partition, rows.c.index, rows.c.position,
            rows.c.leaf, rows.c.subject, rows.c.type, rows.c.reason, rows.c.found_at,
        )
        .join(generations, generations.c.id == rows.c.generation)
        .outerjoin(positions, at)
        .where(*where)
        .order_by(generations.c.fold, generations.c.id, rows.c.partition)
    )  # fmt: skip
    with store.reading() as connection:
        return [
            Noted(*row[:6], bytes(row.leaf).hex(), *row[7:])  # drivers give bytes or memoryviews
            for row in connection.execute(query)
        ]
