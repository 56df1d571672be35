"""What stands in a store, told without changing it: of any release's store, also one that has to be migrated first."""

from __future__ import annotations

from pathlib import Path

import msgspec
import sqlalchemy as sa

from projections.engine import entering, make_engine, parse_url, plain_url
from projections.migrating import Step, read_revision, steps
from projections.schema import REVISION, generations, positions


class Stand(msgspec.Struct, frozen=True):
    """Where a generation stands in a partition: next log position, and records taken."""

    partition: int
    next: int
    size: int


class Build(msgspec.Struct, frozen=True):
    """A generation; ``created_at`` in ms since 1970-01-01T00:00Z."""

    id: int
    fold: str
    fold_version: int
    ledger_id: str
    state: str
    created_at: int
    partitions: list[Stand]


class Described(msgspec.Struct, frozen=True):
    """A store. ``url`` is without a password; ``schema`` is None where no store was made yet."""

    url: str
    dialect: str
    server: str
    schema: str | None
    newest: str
    """The schema that this release works with."""
    pending: list[Step]
    """What `rogatory store migrate` would do; nothing where the store is of a newer release."""
    generations: list[Build]


def describe(url: str) -> Described:
    """What stands in the store at a URL.

    Raises:
        ConfigError: no such kind of database, or its tables are not those of a store.
        StoreUnavailable: it does not answer.
    """
    made = parse_url(url)
    dialect = made.get_backend_name()
    empty = Described(plain_url(made), dialect, "", None, REVISION, [], [])
    if dialect == "sqlite" and made.database not in (None, "", ":memory:") and not Path(str(made.database)).exists():
        return empty  # to look would make the file
    engine = make_engine(made)
    try:
        with entering(made), engine.begin() as connection:
            stands = read_revision(connection, plain_url(made))
            version = connection.dialect.server_version_info or ()
            server = f"{dialect} {'.'.join(map(str, version))}"
            if stands is None:
                return msgspec.structs.replace(empty, server=server)
            return msgspec.structs.replace(
                empty, server=server, schema=stands, pending=steps(stands), generations=_builds(connection)
            )
    finally:
        engine.dispose()


def _builds(connection: sa.Connection) -> list[Build]:
    # These tables and columns are the same in every release so far; a step that changes them has to change this.
    columns = (positions.c.generation, positions.c.partition, positions.c.next, positions.c.size)
    stands: dict[int, list[Stand]] = {}
    for generation, *where in connection.execute(sa.select(*columns).order_by(*columns[:2])):
        stands.setdefault(generation, []).append(Stand(*where))
    found = connection.execute(sa.select(generations).order_by(generations.c.id))
    return [
        Build(r.id, r.fold, r.fold_version, r.ledger_id, r.state, r.created_at, stands.get(r.id, [])) for r in found
    ]
