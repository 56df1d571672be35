"""What one asks of the rows: one request, lists of them, counts, positions.

Every answer says which generation it comes from and how many records of each partition it rests on::

    Answer(generation=3, sizes={0: 41, 1: 57}, value=…)

An answer is one snapshot: its rows and its sizes were true at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, Literal, TypeVar

import msgspec
import sqlalchemy as sa

from ledger.errors import MisuseError
from ledger.ids import LedgerId
from projections.cursors import Cursors, Text, Whole
from projections.fold import Column, Fold, facts_decoder
from projections.schema import FIXED, PROJECTIONS, UNSHOWN, generations, history, positions
from projections.store import Store
from projections.view import Generation

T = TypeVar("T")
F = TypeVar("F", bound=msgspec.Struct)

Order = Literal["subject", "ball_since", "opened_at", "updated_at"]
CountedBy = Literal["state", "kind", "ball", "partner", "direction"]

_read_indices = msgspec.json.Decoder(list[int]).decode
_CURSORS = Cursors[tuple[Column, str]](tuple[Whole | None, Text])


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """A value with what it was computed from: generation, and records per partition."""

    generation: int
    sizes: dict[int, int]
    value: T


class Known(msgspec.Struct, Generic[F], frozen=True):
    """What is known of one subject. ``leaf`` is hex; ``columns`` are what lists search by."""

    subject: str
    partition: int
    seq: int
    leaf: str
    columns: dict[str, Column]
    facts: F | None


class Page(msgspec.Struct, Generic[F], frozen=True):
    """A part of a list; ``after`` asks for the next part, None after the last."""

    rows: list[Known[F]]
    after: str | None


class Filters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which requests; None is any. ``remarks``: those with remarks only."""

    state: str | None = None
    partner: str | None = None
    kind: str | None = None
    direction: str | None = None
    ball: str | None = None
    remarks: bool = False


class Position(msgspec.Struct, frozen=True):
    """Where a partition stands: next log position, records, root of their tree (hex)."""

    partition: int
    next: int
    size: int
    root: str


def live_generation(connection: sa.Connection, fold: Fold[Any], ledger_id: LedgerId) -> int:
    """The number of the generation that answers.

    Raises:
        MisuseError: there is none, or it was built by another version of the fold.
    """
    query = sa.select(generations.c.id, generations.c.fold_version).where(
        generations.c.fold == fold.name, generations.c.ledger_id == ledger_id, generations.c.state == "live"
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        raise MisuseError(f"expected {fold.name} rows of {ledger_id}, found none: replay the ledger first")
    if found.fold_version != fold.version:
        raise MisuseError(f"expected {fold.name} rows of version {fold.version}, found {found.fold_version}: rebuild")
    return int(found.id)


class Queries(Generic[F]):
    """Reads the live generation of a fold over one ledger (or the one given)."""

    def __init__(
        self,
        store: Store,
        fold: Fold[Any],
        ledger_id: LedgerId,
        *,
        generation: Generation | None = None,
        read: Callable[[str], F | None] | None = None,
    ) -> None:
        """``read`` takes from stored facts what is wanted of them (``cases.read_status``); by default all."""
        if fold.name not in PROJECTIONS:
            raise MisuseError(f"expected a fold with a table, one of {sorted(PROJECTIONS)}, found {fold.name}")
        self._store = store
        self._fold = fold
        self._ledger_id = ledger_id
        self._fixed = generation
        self._table = PROJECTIONS[fold.name]
        self._columns = [c for c in self._table.c if c.name not in FIXED | UNSHOWN]
        self._read: Callable[[str], F | None] = read or facts_decoder(fold.facts).decode

    def status_of(self, subject: str) -> Answer[Known[F] | None]:
        """One subject, or None where no record speaks of it."""
        with self._reading() as (connection, at):
            query = self._rows(at).where(self._table.c.subject == subject)
            # The register stands in every partition; partition 0 is its home.
            found = connection.execute(query.order_by(self._table.c.partition)).first()
            sizes = self._sizes(connection, at, None if found is None else found.partition)
        return Answer(at, sizes, None if found is None else self._known(found))

    def history_of(self, subject: str) -> Answer[list[int]]:
        """The leaf indices of a subject's records in its partition, in order."""
        table = self._table
        with self._reading() as (connection, at):
            query = sa.select(table.c.partition, table.c.recent).where(*self._mine(table, at))
            query = query.where(table.c.subject == subject).order_by(table.c.partition)
            row = connection.execute(query).first()
            if row is None:
                return Answer(at, self._sizes(connection, at), [])
            chunks = sa.select(history.c.indices).where(
                history.c.generation == at, history.c.partition == row.partition, history.c.subject == subject
            )
            texts = [*connection.execute(chunks.order_by(history.c.chunk)).scalars(), row.recent]
            sizes = self._sizes(connection, at, row.partition)
        return Answer(at, sizes, [index for text in texts for index in _read_indices(text)])

    def list_status(
        self,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        *,
        order: Order = "subject",
        descending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Answer[Page[F]]:
        """Requests that pass the filters, unknown values last; ``after`` is the cursor of the page before.

        Raises:
            FormatError: not a cursor of ours.
        """
        table, by = self._table, self._table.c[order]
        with self._reading() as (connection, at):
            query = self._rows(at).where(table.c.state.is_not(None), *self._passing(filters))
            if after is not None:
                query = query.where(self._behind(by, order, descending, after))
            sorted_by = [] if order == "subject" else [(by.desc() if descending else by.asc()).nulls_last()]
            last = table.c.subject.desc() if order == "subject" and descending else table.c.subject.asc()
            found = connection.execute(query.order_by(*sorted_by, last).limit(limit + 1)).all()
            sizes = self._sizes(connection, at)
        rows = [self._known(row) for row in found[:limit]]
        more = len(found) > limit
        return Answer(at, sizes, Page(rows, self._cursor(rows[-1], order) if more and rows else None))

    def counts(self, by: CountedBy) -> Answer[dict[str, int]]:
        """How many requests there are by a column; those without a value count under ""."""
        table, column = self._table, self._table.c[by]
        with self._reading() as (connection, at):
            query = sa.select(column, sa.func.count()).where(*self._mine(table, at), table.c.state.is_not(None))
            found = connection.execute(query.group_by(column)).all()
            sizes = self._sizes(connection, at)
        counted: dict[str, int] = {}
        for value, number in found:
            counted[value or ""] = counted.get(value or "", 0) + number
        return Answer(at, sizes, dict(sorted(counted.items())))

    def positions(self) -> Answer[list[Position]]:
        """Where each partition stands."""
        with self._reading() as (connection, at):
            found = connection.execute(
                sa.select(positions.c.partition).where(positions.c.generation == at).order_by(positions.c.partition)
            ).scalars()
            saved = [(partition, self._store.load_in(connection, at, partition)) for partition in found]
        stand = [Position(p, s.next, s.state.size, s.state.root().hex()) for p, s in saved]
        return Answer(at, {p.partition: p.size for p in stand}, stand)

    @contextmanager
    def _reading(self) -> Iterator[tuple[sa.Connection, int]]:
        with self._store.reading() as connection:
            yield (
                connection,
                self._fixed.id if self._fixed else live_generation(connection, self._fold, self._ledger_id),
            )

    def _mine(self, table: sa.Table, at: int) -> tuple[sa.ColumnElement[bool], ...]:
        # The list of partitions lets a subject be found by the key of the table, of which the partition is a part.
        begun = sa.select(positions.c.partition).where(positions.c.generation == at)
        return table.c.generation == at, table.c.partition.in_(begun)

    def _rows(self, at: int) -> sa.Select[Any]:
        t = self._table
        return sa.select(t.c.subject, t.c.partition, t.c.seq, t.c.leaf, *self._columns, t.c.facts).where(
            *self._mine(t, at)
        )

    def _passing(self, filters: Filters) -> list[sa.ColumnElement[bool]]:
        wanted: Mapping[str, Any] = msgspec.structs.asdict(filters)
        passing = [self._table.c[n] == v for n, v in wanted.items() if n != "remarks" and v is not None]
        return [*passing, self._table.c.remarks > 0] if filters.remarks else passing

    def _behind(self, by: sa.Column[Any], order: Order, descending: bool, after: str) -> sa.ColumnElement[bool]:
        value, subject = _CURSORS.read(after)
        subjects = self._table.c.subject
        if order == "subject":
            return subjects < subject if descending else subjects > subject
        if value is None:
            return by.is_(None) & (subjects > subject)
        beyond = by < value if descending else by > value
        return beyond | ((by == value) & (subjects > subject)) | by.is_(None)

    def _cursor(self, row: Known[F], order: Order) -> str:
        return _CURSORS.write((None if order == "subject" else row.columns[order], row.subject))

    def _known(self, row: sa.Row[Any]) -> Known[F]:
        return Known(
            subject=row.subject,
            partition=row.partition,
            seq=row.seq,
            leaf=bytes(row.leaf).hex(),
            columns={c.name: row._mapping[c.name] for c in self._columns},  # noqa: SLF001 - SQLAlchemy's public name
            facts=None if row.facts is None else self._read(row.facts),
        )

    def _sizes(self, connection: sa.Connection, at: int, partition: int | None = None) -> dict[int, int]:
        query = sa.select(positions.c.partition, positions.c.size).where(positions.c.generation == at)
        if partition is not None:
            query = query.where(positions.c.partition == partition)
        return {p: size for p, size in connection.execute(query.order_by(positions.c.partition))}  # noqa: C416 - rows, not pairs
