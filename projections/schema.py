"""Tables of the projection store, and the check that a database has these and not another release's.

==============  ==================================  =========================================================
table           one row per                         holds
==============  ==================================  =========================================================
``store``       database                            the schema's version
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
"""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ledger.errors import ConfigError
from ledger.ids import SUBJECT_MAX

SCHEMA_VERSION = 1
CHUNK = 256
"""Indices in a chunk of history."""

metadata = sa.MetaData()

# PostgreSQL sorts by the database's locale unless told; SQLite compares bytes as it is.
_Subject = sa.String(SUBJECT_MAX).with_variant(postgresql.VARCHAR(SUBJECT_MAX, collation="C"), "postgresql")
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself in INTEGER only

store = sa.Table("store", metadata, sa.Column("version", sa.Integer, nullable=False))

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


def open_engine(url: str) -> sa.Engine:
    """An engine for a store at an SQLAlchemy URL such as ``sqlite:///path/to/file``; makes or checks the tables.

    Raises:
        ConfigError: no such kind of database, a database in memory, or a store of another version.
    """
    try:
        made = sa.make_url(url)
        engine = sa.create_engine(made)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise ConfigError(f"expected an SQLAlchemy URL of a store, such as sqlite:///store.db: {error}") from None
    if engine.dialect.name == "sqlite":
        if made.database in (None, "", ":memory:"):
            raise ConfigError("expected a store in a file, such as sqlite:///store.db, found one in memory")
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    try:
        with engine.execution_options(writes=True).begin() as connection:
            _prepare(connection, made.render_as_string(hide_password=True))
    except BaseException:
        engine.dispose()
        raise
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # The driver shall not open transactions by itself: reads get no snapshot that way (see _begin_sqlite).
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # NORMAL: a power cut may take back the last commits, never half of one.  Rows and position go back together,
    # and the log has what is missing; FULL would pay a disk flush per batch for what can be derived again.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.execute("PRAGMA cache_size = -16384")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: were it to read first, an overtaken one would fail as "locked", without waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(connection: sa.Connection, shown: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(8027341)"))  # one process at a time makes tables
    names = set(sa.inspect(connection).get_table_names())
    if store.name not in names:
        if taken := sorted(names & metadata.tables.keys()):
            raise ConfigError(f"expected a store or an empty database at {shown}, found other tables named {taken}")
        metadata.create_all(connection)
        connection.execute(store.insert().values(version=SCHEMA_VERSION))
        return
    found = connection.execute(sa.select(store.c.version)).scalars().all()
    if found != [SCHEMA_VERSION]:
        raise ConfigError(
            f"expected a store of schema version {SCHEMA_VERSION} at {shown}, found {found}: "
            "use the release that made it, or rebuild into a new store (the ledger has everything)"
        )
