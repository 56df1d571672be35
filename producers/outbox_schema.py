"""The outbox's table: events that an application commits together with its own rows, and what became of each.

===============================  =====================================================================================
column                           holds
===============================  =====================================================================================
``id``                           the order of putting; what ``put`` returns
``subject`` ``source``           the event's attributes, to find it by; its identity is (subject, source, event_id)
``event_id`` ``type``
``event`` ``digest``             the event's bytes, fixed when it was put, and their SHA-256
``sign`` ``signatures``          who signs, ``put`` or ``relay``; header values, one a line (none until the relay signs)
``state``                        ``waiting``, ``submitted``, ``sealed``, ``refused`` or ``cancelled``
``put_at``                       ms since 1970, as are all times here
``tries`` ``due_at`` ``held``    how often it was submitted; not before when, and why it is held up
``partition`` ``offset``         where it stands in ``submissions``, and since when
``submitted_at``
``ledger_from``                  positions of ``ledger`` and ``outcomes`` before which its answer can't stand: where a
``outcomes_from``                relay that starts again begins to look
``epoch`` ``index`` ``seq``      the receipt of a sealed event (of the original record if this was a duplicate)
``leaf``
``reason`` ``expected``          why an event was refused
``found``
``answered_at``                  when the relay saw the answer
===============================  =====================================================================================

The table belongs to the application: it stands in the application's metadata and is made by its migrations.
Confidential fields lie in ``event`` as boxes only; nothing in a row is more secret than the ledger itself.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ledger.ids import OFFICE_CODE_MAX, SUBJECT_MAX

DEFAULT_NAME = "rogatory_outbox"

State = Literal["waiting", "submitted", "sealed", "refused", "cancelled"]

# SQLite numbers rows by itself in INTEGER only.
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# PostgreSQL sorts by the database's locale unless told; subjects compare by bytes.
_Subject = sa.String(SUBJECT_MAX).with_variant(postgresql.VARCHAR(SUBJECT_MAX, collation="C"), "postgresql")


def make_outbox(metadata: sa.MetaData, name: str = DEFAULT_NAME, schema: str | None = None) -> sa.Table:
    """The outbox as a table of the application's metadata, with its indices.

    Args:
        metadata: the application's; its ``create_all`` or its migrations make the table.
        name: the table's; the relay is told another one by ``outbox_table``.
        schema: of the database, on PostgreSQL.
    """
    table = sa.Table(
        name,
        metadata,
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("subject", _Subject, nullable=False),
        sa.Column("source", sa.String(OFFICE_CODE_MAX + 7), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("sign", sa.String(8), nullable=False),
        sa.Column("signatures", sa.Text),
        sa.Column("state", sa.String(16), nullable=False, server_default="waiting"),
        sa.Column("put_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("held", sa.Text),
        sa.Column("partition", sa.Integer),
        sa.Column("offset", sa.BigInteger),
        sa.Column("submitted_at", sa.BigInteger),
        sa.Column("ledger_from", sa.BigInteger),
        sa.Column("outcomes_from", sa.BigInteger),
        sa.Column("epoch", sa.BigInteger),
        sa.Column("index", sa.BigInteger),
        sa.Column("seq", sa.BigInteger),
        sa.Column("leaf", sa.String(64)),
        sa.Column("reason", sa.String(64)),
        sa.Column("expected", sa.Text),
        sa.Column("found", sa.Text),
        sa.Column("answered_at", sa.BigInteger),
        sa.UniqueConstraint("subject", "source", "event_id", name=f"{name}_identity"),
        schema=schema,
        sqlite_autoincrement=True,  # the id of a purged row is never given again, so ids keep the order of putting
    )
    c = table.c
    sa.Index(f"{name}_digest", c.digest)
    # Partial: a table of years of sealed rows costs the relay no more than an empty one.
    for label, columns, state in (
        ("waiting", (c.id, c.subject, c.due_at), "waiting"),
        ("open", (c.partition,), "submitted"),
    ):
        where = c.state == state
        sa.Index(f"{name}_{label}", *columns, postgresql_where=where, sqlite_where=where)
    return table


def channel_of(table: sa.Table) -> str:
    """The PostgreSQL notification channel on which ``put`` wakes relays."""
    return table.fullname.replace(".", "_")
