"""The projection store: generations of rows in an SQL database, each row with the position it was computed at.

What stands in it is derived; the ledger is the truth.  A commit writes the rows that a batch changed and the position
behind it in one transaction, by compare-and-set on the position that the batch began at: of two workers on one
partition one goes on, the other gets ``Overtaken`` and has written nothing.  So every record is in the rows exactly
once, whatever dies when.

The tables are in ``schema.py``, the builds of rows in ``generations.py``, connections in ``engine.py``; ``queries.py``
answers.  Any number of threads may use one store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa

from ledger.chain import ChainState, Head
from ledger.errors import IntegrityError, Overtaken
from ledger.log import Stored
from ledger.merkle import format_frontier, parse_frontier
from ledger.register import Register
from projections.among import among, listed
from projections.bulk import Upsert, insert
from projections.digest import Compared, row_digest, state_digest
from projections.engine import open_engine
from projections.fold import Fold, facts_decoder
from projections.generations import COUNTS, Generations
from projections.schema import PROJECTIONS, generations, history, metadata, places, positions
from projections.view import START, Batch, Generation, PartitionView, Place, Row, Saved

F = TypeVar("F", bound=msgspec.Struct)

# Statements are made once: to make one takes longer than SQLite takes to run it.
_AT: dict[str, sa.BindParameter[Any]] = {
    "at_generation": sa.bindparam("at_generation"),
    "at_partition": sa.bindparam("at_partition"),
}


def _here(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.generation == _AT["at_generation"], table.c.partition == _AT["at_partition"]


_SAVED = sa.select(*positions.c[2:]).where(*_here(positions))
_STANDS = sa.select(positions.c.next).where(*_here(positions))
_HELD = sa.select(generations.c.id).where(generations.c.id == _AT["at_generation"]).with_for_update(read=True)
_MOVE = positions.update().where(
    *_here(positions),
    positions.c.next == sa.bindparam("expected"),
    sa.exists().where(generations.c.id == _AT["at_generation"], COUNTS),
)

_encode = msgspec.json.Encoder().encode
_read_register = msgspec.json.Decoder(Register).decode
_read_indices = msgspec.json.Decoder(list[int]).decode


class Store(Generations):
    """A projection store. Close it when done; also a context manager.

    Every method raises ``StoreUnavailable`` where the database does not answer.  The connection is then given up, and
    the next call makes a new one; so a caller waits and tries again, a commit only after it has read the position.
    """

    def __init__(self, engine: sa.Engine, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(engine, now=now)
        self._upserts: dict[sa.Table, Upsert] = {}

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at a URL such as ``sqlite:///store.db`` (``engine.py``), made where there is none.

        Raises:
            ConfigError: no such database, or a store of an older or a newer release.
            StoreUnavailable: it does not answer.
        """
        return cls(open_engine(url))

    def ping(self) -> None:
        """Ask the database whether it is there. Raises as any call does."""
        with self.engine.begin() as connection:
            connection.execute(sa.select(1))

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # A partition's rows

    def load(self, generation: Generation, partition: int) -> Saved:
        """Where a generation stands in a partition; the beginning, where it has not begun.

        Raises:
            Overtaken: it is old or dropped; another one answers now.
        """
        with self.reading() as connection:
            state = connection.execute(sa.select(generations.c.state).where(generations.c.id == generation.id)).scalar()
            saved = self.load_in(connection, generation.id, partition)
        if state not in ("live", "building"):
            raise Overtaken(
                f"expected generation {generation.id} to be live or building, found it {state or 'dropped'}"
            )
        return saved

    def load_in(self, connection: sa.Connection, generation: int, partition: int) -> Saved:
        """The same within a transaction of the caller's, of a generation in any state."""
        found = connection.execute(_SAVED, _where(generation, partition)).one_or_none()
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
        partition = view.partition
        where = _where(view.generation.id, partition)
        wanted = _wanted(PROJECTIONS[view.generation.fold], self.engine.dialect.name)
        decode = facts_decoder(view.fold.facts).decode
        with self.reading() as connection:
            # In one snapshot with the rows: rows of a later position would look like a broken chain.
            stands = connection.execute(_STANDS, where).scalar()
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
                for subject, sort, seq, leaf, done, recent, facts in connection.execute(
                    wanted, {**where, "among": listed(subjects, self.engine.dialect.name)}
                )
            }

    def commit(self, batch: Batch) -> None:
        """Write a batch: its rows and the position behind it, or nothing.

        Raises:
            Overtaken: the partition is no longer at the batch's first position, or the generation is old.
        """
        rows = PROJECTIONS[batch.generation.fold]
        with self.writing() as connection:
            self._move(connection, batch)
            self._upsert(connection, history, batch.chunks)
            self._upsert(connection, rows, batch.rows)
            if batch.place is not None:
                where = {"generation": batch.generation.id, "partition": batch.partition}
                connection.execute(
                    insert(places, connection.dialect.name).on_conflict_do_nothing(),
                    {**where, **msgspec.structs.asdict(batch.place)},
                )
            # A crash before this commit leaves rows and position as before the batch, and the reader takes its records
            # again; after it, as they are behind it. A reader that got no answer reads the position.

    def _move(self, connection: sa.Connection, batch: Batch) -> None:
        generation, partition, state = batch.generation.id, batch.partition, batch.state
        where = _where(generation, partition)
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
        if batch.expected == 0:
            # Whoever drops the generation waits, or has done so: later on it would wait for the position's row.
            connection.execute(_HELD, {"at_generation": generation})
            begins = {"generation": generation, "partition": partition, **values, "next": 0}
            connection.execute(insert(positions, connection.dialect.name).on_conflict_do_nothing(), begins)
        moved = connection.execute(_MOVE, {**where, "expected": batch.expected, **values})
        if moved.rowcount != 1:
            raise Overtaken(
                f"expected partition {partition} of generation {generation} at position {batch.expected}, "
                "found that another worker has moved it or another generation answers"
            )

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if table not in self._upserts:
            self._upserts[table] = Upsert(table, connection.dialect)
        self._upserts[table](connection, rows)

    def refresh_statistics(self) -> None:
        """Tell the database what has been written, of which there may be much: it plans its answers by that.

        PostgreSQL finds out by itself within minutes, and answers many times slower until then. SQLite goes by fixed
        statistics (``migrations/``).

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if self.engine.dialect.name == "postgresql":
            with self.writing() as connection:
                for table in metadata.sorted_tables:
                    connection.exec_driver_sql(f"ANALYZE {table.name}")

    # What readers of the log ask

    def register(self, generation: Generation, partition: int = 0) -> Register | None:
        """The register as that partition's last commit left it."""
        query = sa.select(positions.c.register).where(*_at(positions, generation.id, partition))
        with self.reading() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else _read_register(text)

    def place(self, generation: Generation, partition: int, index: int) -> Place:
        """The nearest known place at or before an index, from which its record is found by reading forward."""
        query = sa.select(places.c.size, places.c.next).where(
            *_at(places, generation.id, partition), places.c.size <= index
        )
        with self.reading() as connection:
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
        with self.reading() as connection:
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


def _where(generation: int, partition: int) -> dict[str, Any]:
    return {"at_generation": generation, "at_partition": partition}


@cache
def _wanted(table: sa.Table, dialect: str) -> sa.Select[Any]:
    """The rows of some subjects."""
    names = ("subject", "sort", "seq", "leaf", "done", "recent", "facts")
    return sa.select(*(table.c[name] for name in names)).where(*_here(table), among(table.c.subject, dialect))


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
