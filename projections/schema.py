"""Tables of the projection store.

==============  ==================================  =========================================================
table           one row per                         holds
==============  ==================================  =========================================================
``generations`` build of one fold over one ledger   fold, its version, ledger, ``building``/``live``/``old``
``positions``   generation, partition               next log position and the reader's chain state there
``status``      generation, partition, subject      head, facts, columns to search by (projection ``status``)
``history``     the same, and chunk                 256 indices of a long history, written once
``places``      generation, partition, size         the log position behind so many records, every few thousand
``poison``      generation, partition               the record that the fold cannot digest, and since when
==============  ==================================  =========================================================

A subject's head and its facts are one row, not two: both change with every record, so two tables would double
the upserts, the dearest part of a commit.  Each projection has a table of its own name, since its columns differ;
rows of sorts that its fold passes over have no facts.  Indices of records stand in the row while they are fewer than
256 and move to ``history`` in whole chunks, so a long history is not written again with each record.

Hashes are bytes, times ms since 1970-01-01T00:00Z, JSON is text: PostgreSQL's ``jsonb`` would change its spelling,
and digests are over spellings.  Subjects compare by bytes on every database.

What stands here is the newest schema.  A database comes to it by ``migrations/``, one step a release; a change here
needs a step there, and a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ledger.ids import SUBJECT_MAX

REVISION = "0002"
"""The step of ``migrations/`` that makes what stands here."""
REVISIONS = "rogatory_schema"
"""The table with the step that a database stands at: one of our own name, since others use alembic too."""
CHUNK = 256
"""Indices in a chunk of history."""

metadata = sa.MetaData()

# PostgreSQL sorts by the database's locale unless told; SQLite compares bytes as it is.
_Subject = sa.String(SUBJECT_MAX).with_variant(postgresql.VARCHAR(SUBJECT_MAX, collation="C"), "postgresql")
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself in INTEGER only

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("fold", sa.String(64), nullable=False),
    sa.Column("fold_version", sa.Integer, nullable=False),
    sa.Column("ledger_id", sa.String(65), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # the number of a dropped generation is never given again
)
# Two processes that open a new store at once must not both make the first live generation.
sa.Index(
    "generations_live",
    generations.c.fold,
    generations.c.ledger_id,
    unique=True,
    sqlite_where=generations.c.state == "live",
    postgresql_where=generations.c.state == "live",
)

positions = sa.Table(
    "positions",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("next", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("frontier", sa.LargeBinary, nullable=False),
    sa.Column("admitted", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("submission", sa.BigInteger, nullable=False),
    sa.Column("past", sa.LargeBinary, nullable=False),
    sa.Column("last_leaf", sa.LargeBinary, nullable=False),
    sa.Column("register", sa.Text, nullable=True),
)

places = sa.Table(
    "places",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("next", sa.BigInteger, nullable=False),
)

poison = sa.Table(
    "poison",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("index", sa.BigInteger, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("subject", _Subject, nullable=False),
    sa.Column("type", sa.String(128), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # never content: what was expected, and the kind of error
    sa.Column("found_at", sa.BigInteger, nullable=False),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", _Subject, primary_key=True),
    sa.Column("chunk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("indices", sa.Text, nullable=False),
)


def _projection(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", _Subject, primary_key=True),
        sa.Column("sort", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("done", sa.LargeBinary, nullable=False),
        sa.Column("recent", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        *columns,
        sa.Column("facts", sa.Text, nullable=True),  # last: SQLite reads the columns before it without it
    )


status = _projection(
    "status",
    sa.Column("kind", sa.String(64)),
    sa.Column("direction", sa.String(16)),
    sa.Column("partner", sa.String(64)),
    sa.Column("state", sa.String(64)),
    sa.Column("ball", sa.String(64)),
    sa.Column("ball_office", sa.String(64)),
    sa.Column("ball_since", sa.BigInteger),
    sa.Column("opened_at", sa.BigInteger),
    sa.Column("updated_at", sa.BigInteger),
    sa.Column("remarks", sa.Integer),
    sa.Column("open_items", sa.Integer),
)
# As few as answer the daily questions: each index is one more tree to write in every batch.
sa.Index("status_state", status.c.generation, status.c.state)
sa.Index("status_partner", status.c.generation, status.c.partner)
sa.Index("status_ball", status.c.generation, status.c.ball, status.c.ball_since)

PROJECTIONS = {"status": status}
"""The table of each projection, by the name of its fold."""

FIXED = frozenset({
    "generation", "partition", "subject", "sort", "seq", "leaf", "done", "recent", "digest", "facts",
})  # fmt: skip
"""Columns that every projection's table has; the others are its fold's."""
