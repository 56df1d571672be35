"""The projection store: generations of rows in an SQL database, each row with the position it was computed at.

What stands in it is derived; the ledger is the truth.  A commit writes the rows that a batch changed and the position
behind it in one transaction, by compare-and-set on the position that the batch began at: of two workers on one
partition one goes on, the other gets ``Overtaken`` and has written nothing.  So every record is in the rows exactly
once, whatever dies when.

A *generation* is one build of a fold over one ledger.  Answers come from the ``live`` one.  A rebuild fills a
``building`` one, and ``switch`` makes it live in one transaction; the former stays as ``old`` until it is dropped,
and takes no more commits.

This module alone writes SQL (``schema.py`` has the tables, ``queries.py`` reads).  Any number of threads may use one
store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ledger.chain import ChainState, Head
from ledger.errors import ConfigError, IntegrityError, MisuseError, Overtaken
from ledger.ids import LedgerId
from ledger.log import Stored
from ledger.merkle import format_frontier, parse_frontier
from ledger.register import Register
from projections.digest import Compared, row_digest, state_digest
from projections.fold import Fold, facts_decoder
from projections.schema import PROJECTIONS, generations, history, open_engine, places, positions
from projections.view import START, Batch, Generation, PartitionView, Place, Row, Saved

F = TypeVar("F", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode
_read_register = msgspec.json.Decoder(Register).decode
_read_indices = msgspec.json.Decoder(list[int]).decode


class Store:
    """A projection store. Close it when done; also a context manager."""

    def __init__(self, engine: sa.Engine, *, now: Callable[[], float] = time.time) -> None:
        self.engine = engine
        """For reading; a transaction is one snapshot."""
        self._writes = engine.execution_options(writes=True)
        if engine.dialect.name == "postgresql":
            self.engine = engine.execution_options(isolation_level="REPEATABLE READ")
        self._now = now
        self._upserts: dict[sa.Table, tuple[str, Sequence[str] | None]] = {}

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at an SQLAlchemy URL such as ``sqlite:///store.db``, made where there is none.

        Raises:
            ConfigError: no such database, or a store of another schema version.
        """
        return cls(open_engine(url))

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Generations

    def generations(self, ledger_id: LedgerId | None = None) -> list[Generation]:
        """All generations (of one ledger), oldest first."""
        query = sa.select(generations).order_by(generations.c.id)
        if ledger_id is not None:
            query = query.where(generations.c.ledger_id == ledger_id)
        with self.engine.begin() as connection:
            return [Generation(*row) for row in connection.execute(query)]

    def live(self, fold: Fold[Any], ledger_id: LedgerId) -> Generation:
        """The generation that answers, made where there is none.

        Raises:
            ConfigError: it was built by another version of the fold.
        """
        with self._writes.begin() as connection:
            first = self._insert(generations).values(self._values(fold, ledger_id, "live"))
            connection.execute(first.on_conflict_do_nothing())
            found = Generation(*connection.execute(_live(fold.name, ledger_id)).one())
            # Committed here: a live generation without positions, which is an empty one.
        if found.fold_version != fold.version:
            raise ConfigError(
                f"expected the live {fold.name} rows to be of version {fold.version}, "
                f"found version {found.fold_version}: rebuild the projection, then switch"
            )
        return found

    def new_generation(self, fold: Fold[Any], ledger_id: LedgerId) -> Generation:
        """An empty generation to rebuild into."""
        with self._writes.begin() as connection:
            made = connection.execute(generations.insert().values(self._values(fold, ledger_id, "building")))
            key = made.inserted_primary_key
            assert key is not None
            return Generation(*connection.execute(sa.select(generations).where(generations.c.id == key[0])).one())

    def switch(self, generation: Generation) -> None:
        """Let a generation that was being built answer from now on; the one that did becomes ``old``.

        Raises:
            MisuseError: it is not being built.
        """
        same = (generations.c.fold == generation.fold) & (generations.c.ledger_id == generation.ledger_id)
        with self._writes.begin() as connection:
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
        with self._writes.begin() as connection:
            if connection.execute(sa.select(generations.c.state).where(mine)).scalar() == "live":
                raise MisuseError(
                    f"expected a generation other than the live one, found {generation.id}, which answers"
                )
            connection.execute(generations.update().where(mine).values(state="old"))
            connection.execute(positions.delete().where(positions.c.generation == generation.id))
            # From here it takes no commits and cannot be switched to; a crash leaves rows that nobody reads.
        for table in (PROJECTIONS[generation.fold], history, places):
            self._delete_rows(table, generation)
        with self._writes.begin() as connection:
            connection.execute(generations.delete().where(mine))

    def _delete_rows(self, table: sa.Table, generation: Generation) -> None:
        """A partition at a time, so that no other writer waits for long."""
        mine = table.c.generation == generation.id
        first = sa.select(sa.func.min(table.c.partition)).where(mine)
        while True:
            with self._writes.begin() as connection:
                partition = connection.execute(first).scalar()
                if partition is None:
                    return
                connection.execute(table.delete().where(mine, table.c.partition == partition))

    def _values(self, fold: Fold[Any], ledger_id: LedgerId, state: str) -> dict[str, Any]:
        if fold.name not in PROJECTIONS:
            raise MisuseError(f"expected a fold with a table, one of {sorted(PROJECTIONS)}, found {fold.name}")
        made = {"fold": fold.name, "fold_version": fold.version, "ledger_id": ledger_id, "state": state}
        return {**made, "created_at": int(self._now() * 1000)}

    # A partition's rows

    def load(self, generation: Generation, partition: int) -> Saved:
        """Where a generation stands in a partition; the beginning, where it has not begun.

        Raises:
            Overtaken: it is old or dropped; another one answers now.
        """
        with self.engine.begin() as connection:
            state = connection.execute(sa.select(generations.c.state).where(generations.c.id == generation.id)).scalar()
            saved = self.load_in(connection, generation.id, partition)
        if state not in ("live", "building"):
            raise Overtaken(
                f"expected generation {generation.id} to be live or building, found it {state or 'dropped'}"
            )
        return saved

    def load_in(self, connection: sa.Connection, generation: int, partition: int) -> Saved:
        """The same within a transaction of the caller's, of a generation in any state."""
        query = sa.select(*positions.c[2:]).where(*_at(positions, generation, partition))
        found = connection.execute(query).one_or_none()
        if found is None:
            return Saved(0, ChainState(partition))
        return Saved(found.next, _chain_state(partition, found))

    def view(self, fold: Fold[F], generation: Generation, partition: int, *, capacity: int = 4096) -> PartitionView[F]:
        """A view of the partition from where the generation stands. Raises Overtaken as ``load`` does."""
        return PartitionView(fold, generation, partition, self.load(generation, partition), capacity=capacity)

    def fill(self, view: PartitionView[F], messages: Sequence[Stored]) -> None:
        """Let a view learn the rows that it needs to take these messages; at most one query. Raises as ``rows``."""
        if missing := view.missing(messages):
            view.learn(missing, self.rows(view, missing))

    def rows(self, view: PartitionView[F], subjects: list[str]) -> Mapping[str, Row[F]]:
        """The rows of those subjects that have one, as they stand at the view's position.

        Raises:
            Overtaken: the rows have moved on without this view.
        """
        generation, partition = view.generation, view.partition
        table = PROJECTIONS[generation.fold]
        names = ("subject", "sort", "seq", "leaf", "done", "recent", "facts")
        wanted = sa.select(*(table.c[name] for name in names)).where(
            *_at(table, generation.id, partition), table.c.subject.in_(subjects)
        )
        decode = facts_decoder(view.fold.facts).decode
        with self.engine.begin() as connection:
            # In one snapshot with the rows: rows of a later position would look like a broken chain.
            stands = connection.execute(
                sa.select(positions.c.next).where(*_at(positions, generation.id, partition))
            ).scalar()
            if (stands or 0) not in view.bases:
                raise Overtaken(f"expected partition {partition} at one of {sorted(view.bases)}, found it at {stands}")
            return {
                subject: Row(
                    subject,
                    sort,
                    Head(seq, bytes(leaf)),
                    bytes(done),
                    _read_indices(recent),
                    None if facts is None else decode(facts),
                )
                for subject, sort, seq, leaf, done, recent, facts in connection.execute(wanted)
            }

    def commit(self, batch: Batch) -> None:
        """Write a batch: its rows and the position behind it, or nothing.

        Raises:
            Overtaken: the partition is no longer at the batch's first position, or the generation is old.
        """
        rows = PROJECTIONS[batch.generation.fold]
        with self._writes.begin() as connection:
            self._move(connection, batch)
            self._upsert(connection, history, batch.chunks)
            self._upsert(connection, rows, batch.rows)
            if batch.place is not None:
                where = {"generation": batch.generation.id, "partition": batch.partition}
                connection.execute(
                    self._insert(places).on_conflict_do_nothing(), {**where, **msgspec.structs.asdict(batch.place)}
                )
            # A crash before this commit leaves rows and position as before the batch, and the reader takes its records
            # again; after it, as they are behind it. A reader that got no answer reads the position.

    def _move(self, connection: sa.Connection, batch: Batch) -> None:
        generation, state = batch.generation, batch.state
        where = {"generation": generation.id, "partition": batch.partition}
        values: dict[str, Any] = {
            "next": batch.next,
            "size": state.size,
            "frontier": format_frontier(state.frontier),
            "admitted": state.admitted,
            "epoch": state.epoch,
            "submission": state.offset,
            "past": state.past,
            "last_leaf": state.last_leaf,
        }
        if batch.register_moved:
            values["register"] = None if state.register is None else _encode(state.register).decode()
        counts = sa.exists().where(generations.c.id == generation.id, generations.c.state.in_(("live", "building")))
        if batch.expected == 0:
            begins = {**where, **values, "next": 0}
            connection.execute(self._insert(positions).on_conflict_do_nothing(), begins)
        moved = connection.execute(
            positions.update()
            .where(*_at(positions, generation.id, batch.partition), positions.c.next == batch.expected, counts)
            .values(values)
        )
        if moved.rowcount != 1:
            raise Overtaken(
                f"expected partition {batch.partition} of generation {generation.id} at position {batch.expected}, "
                "found that another worker has moved it or another generation answers"
            )

    def _insert(self, table: sa.Table) -> Any:
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, given as values by column, over those of the same keys.

        The statement is compiled once and handed to the driver with its own kind of parameters: SQLAlchemy's work on
        the parameters of a row took three times as long as the database took to write it.
        """
        if not rows:
            return
        if table not in self._upserts:
            keys = [column.name for column in table.primary_key]
            insert = self._insert(table)
            others = {c.name: insert.excluded[c.name] for c in table.c if c.name not in keys}
            statement = insert.on_conflict_do_update(index_elements=keys, set_=others)
            compiled = statement.compile(dialect=connection.dialect, column_keys=[c.name for c in table.c])
            self._upserts[table] = (str(compiled), compiled.positiontup)
        text, names = self._upserts[table]
        parameters: list[Any] = list(rows) if names is None else list(map(itemgetter(*names), rows))
        connection.exec_driver_sql(text, parameters)

    # What readers of the log ask

    def register(self, generation: Generation, partition: int = 0) -> Register | None:
        """The register as that partition's last commit left it."""
        query = sa.select(positions.c.register).where(*_at(positions, generation.id, partition))
        with self.engine.begin() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else _read_register(text)

    def place(self, generation: Generation, partition: int, index: int) -> Place:
        """The nearest known place at or before an index, from which its record is found by reading forward."""
        query = sa.select(places.c.size, places.c.next).where(
            *_at(places, generation.id, partition), places.c.size <= index
        )
        with self.engine.begin() as connection:
            found = connection.execute(query.order_by(places.c.size.desc()).limit(1)).one_or_none()
        return START if found is None else Place(*found)

    def digest(self, generation: Generation, partition: int, *, check: bool = False) -> tuple[Compared, bytes]:
        """What a partition's rows are about, and their digest (``digest.py``); reads them as a stream.

        Raises:
            IntegrityError: with ``check``, which computes each row's digest anew: a row is not as it was written.
        """
        table = PROJECTIONS[generation.fold]
        names = ("digest", "subject", "seq", "leaf", "done", "recent", "facts") if check else ("digest",)
        wanted = sa.select(*(table.c[name] for name in names)).where(*_at(table, generation.id, partition))
        with self.engine.begin() as connection:
            state = self.load_in(connection, generation.id, partition).state
            about = (generation.fold, generation.fold_version, generation.ledger_id)
            compared = Compared(*about, partition, state.size, state.root().hex())
            rows = connection.execute(wanted.order_by(table.c.subject), execution_options={"yield_per": 2000})
            return compared, state_digest(compared, _checked(rows) if check else (bytes(row.digest) for row in rows))


def _checked(rows: Iterable[sa.Row[Any]]) -> Iterator[bytes]:
    for row in rows:
        facts = None if row.facts is None else row.facts.encode()
        made = row_digest(row.subject, row.seq, bytes(row.leaf), bytes(row.done), row.recent.encode(), facts)
        if made != bytes(row.digest):
            raise IntegrityError(f"expected the row of {row.subject} as it was written, found other content")
        yield made


def _at(table: sa.Table, generation: int, partition: int) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.generation == generation, table.c.partition == partition


def _live(fold: str, ledger_id: str) -> sa.Select[Any]:
    return sa.select(generations).where(
        generations.c.fold == fold, generations.c.ledger_id == ledger_id, generations.c.state == "live"
    )


def _chain_state(partition: int, row: sa.Row[Any]) -> ChainState:
    return ChainState(
        partition=partition,
        size=row.size,
        frontier=parse_frontier(bytes(row.frontier), row.size),
        admitted=row.admitted,
        epoch=row.epoch,
        offset=row.submission,
        past=bytes(row.past),
        last_leaf=bytes(row.last_leaf),
        register=None if row.register is None else _read_register(row.register),
    )
