"""Bringing a database to the newest schema, one step after the other, all of them or none.

The steps stand in ``migrations/`` and alembic runs them.  The table ``rogatory_schema`` holds the step that a database
stands at.  Release 0.1.0 had no such table, only ``store`` with version 1: that is step ``0001``.

An empty database is brought to the newest step when it is opened.  One of an older release is not: while workers of
that release still run, they would meet tables that they do not know, so somebody has to decide (``rogatory store
migrate``).  One process migrates at a time; the others wait, and find it done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.errors import ConfigError
from projections.schema import REVISION, REVISIONS, metadata

_FIRST = "0001"
_FIRST_TABLES = frozenset({"store", "generations", "positions", "places", "history", "status"})
_VERSIONS = sa.select(sa.table(REVISIONS, sa.column("version_num")).c.version_num)
_LOCK = 8027341  # any number that no other program locks by
# alembic keeps what it works on in its modules, so there is one at a time in a process.  Taken before the database's
# lock, never behind it: else two threads with two stores would wait for each other.
_alembic = threading.Lock()


class Step(msgspec.Struct, frozen=True):
    """One step of the schema: its revision, what it does, and that it is the ``number``-th ``of`` so many."""

    revision: str
    does: str
    number: int
    of: int


def prepare(engine: sa.Engine, shown: str, *, migrate: bool, told: Callable[[Step], None] | None) -> None:
    """See to it that the database is at the newest step.

    Args:
        engine: of ``engine.py``.
        shown: the store's URL for messages.
        migrate: whether an older store may be changed.
        told: told of each step that was done to an older store.

    Raises:
        ConfigError: it is not a store, of a newer release, or of an older one and ``migrate`` is not set.
    """
    with engine.begin() as connection:
        if _is_newest(connection):
            return
    with _alembic, engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))  # a step may take what it takes
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        stands = _read(connection, shown)  # somebody may have been faster
        if stands == REVISION:
            return
        todo = steps(stands)
        if not todo:
            raise ConfigError(
                f"expected a store at schema {REVISION} or older at {shown}, found {stands}: a newer release made it; "
                "use that one, or rebuild into a new store (the ledger has everything)"
            )
        if stands is not None and not migrate:
            raise ConfigError(
                f"expected a store at schema {REVISION} at {shown}, found {stands}, of an older release: "
                "stop what uses it, then run `rogatory store migrate`"
            )
        _upgrade(connection, stands, todo, None if stands is None else told)
        # A crash before this commit leaves the database as it was, a new one empty; both databases take back tables.


def read_revision(connection: sa.Connection, shown: str) -> str | None:
    """The step that a database stands at; None for an empty one. Waits for whoever is migrating it.

    Raises:
        ConfigError: its tables are not those of a store.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    return _read(connection, shown)


def _is_newest(connection: sa.Connection) -> bool:
    # No more than this without the lock: PostgreSQL shows tables as they are now, whatever the snapshot says, and the
    # one that was there a moment ago may have gone in a migration.
    if not sa.inspect(connection).has_table(REVISIONS):
        return False
    return connection.execute(_VERSIONS).scalars().all() == [REVISION]


def _read(connection: sa.Connection, shown: str) -> str | None:
    names = set(sa.inspect(connection).get_table_names())
    if REVISIONS in names:
        found = list(connection.execute(_VERSIONS).scalars())
    elif names >= _FIRST_TABLES:
        versions = connection.execute(sa.text("SELECT version FROM store")).scalars().all()
        found = [_FIRST if version == 1 else f"store version {version}" for version in versions]
    elif taken := sorted(names & (metadata.tables.keys() | _FIRST_TABLES)):
        raise ConfigError(f"expected a store or an empty database at {shown}, found other tables named {taken}")
    else:
        return None
    if len(found) != 1:
        raise ConfigError(f"expected one schema revision at {shown}, found {found}: rebuild into a new store")
    return str(found[0])


def steps(stands: str | None) -> list[Step]:
    """What is to be done from a step on (None: from an empty database); nothing if that step is unknown or the last."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and needed once in a store's life

    every = list(reversed(list(ScriptDirectory.from_config(_config()).walk_revisions())))
    known = [script.revision for script in every]
    if stands is not None and stands not in known:
        return []
    todo = every[0 if stands is None else known.index(stands) + 1 :]
    return [Step(s.revision, (s.doc or "").rstrip("."), n, len(todo)) for n, s in enumerate(todo, 1)]


def _config() -> Any:
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", "projections:migrations")
    return config


def _upgrade(
    connection: sa.Connection, stands: str | None, todo: list[Step], told: Callable[[Step], None] | None
) -> None:
    from alembic import command  # noqa: PLC0415 - as above

    by_revision = {step.revision: step for step in todo}

    def applied(*, step: Any, **_: Any) -> None:
        if told is not None and not step.is_stamp:
            told(by_revision[step.up_revision_id])

    config = _config()
    config.attributes.update(connection=connection, told=applied)
    if stands == _FIRST and not sa.inspect(connection).has_table(REVISIONS):
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")
