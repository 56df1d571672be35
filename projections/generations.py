"""Generations: builds of a fold's rows over one ledger, of which one answers.

A *generation* is ``building``, ``live`` or ``old``.  Answers come from the ``live`` one.  A rebuild fills a
``building`` one, and ``switch`` makes it live in one transaction; the former stays as ``old`` until it is dropped, and
takes no more commits.

On PostgreSQL, writers run at READ COMMITTED and whoever changes which generation answers locks the rows of the fold's
generations first; readers run at REPEATABLE READ, so that an answer is one snapshot.  SQLite has one writer at a time,
and every transaction of it is a snapshot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import IsolationLevel

from ledger.errors import ConfigError, MisuseError
from ledger.ids import LedgerId
from projections.bulk import insert
from projections.fold import Fold
from projections.schema import DERIVED, OF_GENERATION, PROJECTIONS, generations, history, places, poison, positions
from projections.unavailable import answering
from projections.view import Generation

COUNTS = generations.c.state.in_(("live", "building"))
"""Whether a generation takes commits."""

_PIECE = 5000
"""Rows deleted in one transaction: others wait for it no longer than for a commit."""


class Generations:
    """The generations of a store; ``Store`` is one of these."""

    def __init__(self, engine: sa.Engine, *, now: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self._now = now

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction to read in, one snapshot. Raises StoreUnavailable where the database does not answer."""
        with self._transaction("REPEATABLE READ", writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction to write in. Raises StoreUnavailable; what was written is then there or is not."""
        with self._transaction("READ COMMITTED", writes=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, isolation: IsolationLevel, *, writes: bool) -> Iterator[sa.Connection]:
        with answering(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # on SQLite every transaction is a snapshot
                connection.execution_options(isolation_level=isolation)
            with connection.execution_options(writes=writes).begin():
                yield connection

    def generations(self, ledger_id: LedgerId | None = None) -> list[Generation]:
        """All generations (of one ledger), oldest first. Raises StoreUnavailable, as every method does."""
        query = sa.select(generations).order_by(generations.c.id)
        if ledger_id is not None:
            query = query.where(generations.c.ledger_id == ledger_id)
        with self.reading() as connection:
            return [Generation(*row) for row in connection.execute(query)]

    def live(self, fold: Fold[Any], ledger_id: LedgerId) -> Generation:
        """The generation that answers, made where there is none.

        Raises:
            ConfigError: it was built by another version of the fold.
        """
        query = sa.select(generations).where(_same(fold.name, ledger_id), generations.c.state == "live")
        with self.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            with self.writing() as connection:
                first = insert(generations, connection.dialect.name).values(self._values(fold, ledger_id, "live"))
                connection.execute(first.on_conflict_do_nothing())  # somebody may have been faster
                row = connection.execute(query).one()
                # Committed here: a live generation without positions, which is an empty one.
        found = Generation(*row)
        if found.fold_version != fold.version:
            raise ConfigError(
                f"expected the live {fold.name} rows to be of version {fold.version}, "
                f"found version {found.fold_version}: rebuild the projection, then switch"
            )
        return found

    def new_generation(self, fold: Fold[Any], ledger_id: LedgerId) -> Generation:
        """An empty generation to rebuild into."""
        with self.writing() as connection:
            made = connection.execute(generations.insert().values(self._values(fold, ledger_id, "building")))
            key = made.inserted_primary_key
            assert key is not None
            return Generation(*connection.execute(sa.select(generations).where(generations.c.id == key[0])).one())

    def switch(self, generation: Generation) -> None:
        """Let a generation that was being built answer from now on; the one that did becomes ``old``.

        Raises:
            MisuseError: it is not being built.
        """
        same = _same(generation.fold, generation.ledger_id)
        with self.writing() as connection:
            _lock(connection, same)
            connection.execute(generations.update().where(same, generations.c.state == "live").values(state="old"))
            moved = connection.execute(
                generations.update()
                .where(generations.c.id == generation.id, generations.c.state == "building")
                .values(state="live")
            )
            if moved.rowcount != 1:
                raise MisuseError(f"expected generation {generation.id} to be building, found another state or none")
            # A crash before this commit leaves the former one answering; after it, the new one. Never none, never two.

    def drop(self, generation: Generation) -> None:
        """Delete a generation that does not answer; after a crash, do it again.

        Raises:
            MisuseError: it is live.
        """
        mine = generations.c.id == generation.id
        with self.writing() as connection:
            _lock(connection, _same(generation.fold, generation.ledger_id))
            if connection.execute(sa.select(generations.c.state).where(mine)).scalar() == "live":
                raise MisuseError(
                    f"expected a generation other than the live one, found {generation.id}, which answers"
                )
            connection.execute(generations.update().where(mine).values(state="old"))
            for table in (positions, poison, *OF_GENERATION):
                connection.execute(table.delete().where(table.c.generation == generation.id))
            # From here it takes no commits and cannot be switched to; a crash leaves rows that nobody reads.
        for table in (PROJECTIONS[generation.fold], history, *DERIVED):
            self._delete_rows(table, generation.id)
        with self.writing() as connection:
            connection.execute(places.delete().where(places.c.generation == generation.id))
            connection.execute(generations.delete().where(mine))

    def _delete_rows(self, table: sa.Table, generation: int) -> None:
        """A piece at a time in the order of the key, each beginning where the one before ended."""
        of = table.c.generation == generation
        key = sa.tuple_(table.c.partition, table.c.subject)
        behind = of
        while True:
            last = sa.select(table.c.partition, table.c.subject).where(behind)
            last = last.order_by(table.c.partition, table.c.subject).offset(_PIECE - 1).limit(1)
            with self.writing() as connection:
                found = connection.execute(last).one_or_none()
                upto = behind if found is None else behind & (key <= tuple(found))
                connection.execute(table.delete().where(upto))
            if found is None:
                return
            behind = of & (key > tuple(found))

    def _values(self, fold: Fold[Any], ledger_id: LedgerId, state: str) -> dict[str, Any]:
        if fold.name not in PROJECTIONS:
            raise MisuseError(f"expected a fold with a table, one of {sorted(PROJECTIONS)}, found {fold.name}")
        made = {"fold": fold.name, "fold_version": fold.version, "ledger_id": ledger_id, "state": state}
        return {**made, "created_at": int(self._now() * 1000)}


def _same(fold: str, ledger_id: str) -> sa.ColumnElement[bool]:
    return (generations.c.fold == fold) & (generations.c.ledger_id == ledger_id)


def _lock(connection: sa.Connection, same: sa.ColumnElement[bool]) -> None:
    """Hold on to the generations; statements after this one see what others have made of them before."""
    connection.execute(sa.select(generations.c.id).where(same).order_by(generations.c.id).with_for_update())
