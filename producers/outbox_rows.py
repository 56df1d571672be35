"""Looking into an outbox, and what a person may do with its rows: try again, cancel, purge."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from producers.outbox import OutboxId
from producers.outbox_store import OutboxStore

_PURGED = 1000
"""Rows deleted in one transaction, so that an application never waits long."""


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row without its event's bytes; times in ms since 1970. The columns are explained in ``outbox_schema.py``."""

    id: OutboxId
    state: str
    subject: str
    type: str
    source: str
    event_id: str
    sign: str
    put_at: int
    tries: int
    held: str | None
    submitted_at: int | None
    answered_at: int | None
    partition: int | None
    epoch: int | None
    offset: int | None
    index: int | None
    seq: int | None
    leaf: str | None
    reason: str | None
    expected: str | None
    found: str | None


def list_rows(
    store: OutboxStore,
    *,
    states: Collection[str] = (),
    held: bool = False,
    subject: str | None = None,
    limit: int = 50,
) -> list[OutboxRow]:
    """The last rows (in any of ``states``; held up; of one subject), in the order of putting."""
    c = store.table.c
    query = sa.select(*_columns(store)).order_by(c.id.desc()).limit(limit)
    if states:
        query = query.where(c.state.in_(states))
    if held:
        query = query.where(c.state == "waiting", c.held.is_not(None))
    if subject is not None:
        query = query.where(c.subject == subject)
    with store.reading() as connection:
        return [_row(row) for row in reversed(connection.execute(query).all())]


def find_row(store: OutboxStore, id_: int) -> tuple[OutboxRow, bytes, str | None] | None:
    """A row with its event's bytes and signatures, or None."""
    c = store.table.c
    with store.reading() as connection:
        found = connection.execute(sa.select(*_columns(store), c.event, c.signatures).where(c.id == id_)).one_or_none()
    if found is None:
        return None
    *values, event, signatures = found
    return _row(values), bytes(event), signatures


def retry(store: OutboxStore, ids: Sequence[int] | None, *, sign_anew: bool = False) -> list[OutboxId]:
    """Let rows be sent again, now: refused ones, held ones, and submitted ones that nobody has answered.

    Args:
        store: the outbox.
        ids: which; None: all that were refused.
        sign_anew: let the relay sign them, whoever did before; the event's bytes stay.

    Returns:
        Those that will be sent.
    """
    c = store.table.c
    again = sa.or_(c.state.in_(("refused", "submitted")), sa.and_(c.state == "waiting", c.due_at > 0))
    which = c.state == "refused" if ids is None else sa.and_(c.id.in_(ids), again)
    # Where it was submitted stays, so that the refusal of last time is not taken for that of this time.
    values = {"state": "waiting", "due_at": 0, "held": None, "reason": None, "expected": None, "found": None}
    signed = sa.case((c.sign == "relay", sa.null()), else_=c.signatures)
    anew = {"sign": "relay", "signatures": None} if sign_anew else {"signatures": signed}
    with store.writing() as connection:
        done = connection.execute(
            store.table.update().where(which).values(**values, **anew, answered_at=None).returning(c.id)
        )
        return sorted(OutboxId(row.id) for row in done)


def cancel(store: OutboxStore, ids: Sequence[int]) -> list[OutboxId]:
    """Never send rows that wait. One that is in the ledger all the same is found to be, and says so.

    Returns:
        Those that were waiting.
    """
    c = store.table.c
    with store.writing() as connection:
        # A relay that has a row in hand comes first; what it sent is not waiting any more.
        which = store.table.update().where(c.id.in_(ids), c.state == "waiting")
        done = connection.execute(which.values(state="cancelled", answered_at=store.now()).returning(c.id))
        return sorted(OutboxId(row.id) for row in done)


def purge(store: OutboxStore, before: int, states: Collection[str]) -> int:
    """Delete rows that reached one of the final ``states`` before a time (ms); how many."""
    c, deleted = store.table.c, 0
    some = sa.select(c.id).where(c.state.in_(states), c.answered_at < before).order_by(c.id).limit(_PURGED)
    while True:
        with store.writing() as connection:
            done = connection.execute(store.table.delete().where(c.id.in_(some))).rowcount
        deleted += done
        if done < _PURGED:
            return deleted


def oldest(store: OutboxStore) -> int | None:
    """When the oldest row that still waits was put (ms); None if none waits."""
    c = store.table.c
    with store.reading() as connection:
        first: int | None = connection.execute(sa.select(sa.func.min(c.put_at)).where(c.state == "waiting")).scalar()
    return first


def _columns(store: OutboxStore) -> list[sa.Column[Any]]:
    return [store.table.c[name] for name in OutboxRow.__struct_fields__]


def _row(found: Sequence[Any]) -> OutboxRow:
    return OutboxRow(**dict(zip(OutboxRow.__struct_fields__, found, strict=True)))
