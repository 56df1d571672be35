"""The outbox as the relay sees it: taking what waits, marking what was submitted, writing what became of it.

Order
    Rows of one subject leave in the order of their ids.  Ids are given when a row is put, not when it is committed, so
    a smaller one may come into sight later.  The relay therefore keeps no cursor: it asks for whatever waits, so
    nothing is passed over.  Where an application puts two events of a subject one after the other (the second when the
    first was committed, as a lock on the case's row makes it), whoever sees the second sees the first as well, and it
    is sent first.  Where two transactions overlap, the application has left the order open, and so does the relay.
Concurrency
    On PostgreSQL a relay locks the rows that it is about to send and others pass over them, and over what follows
    them in the same subject.  The locks end with the transaction, so also with the process.  On SQLite nothing is
    locked: two relays may send a row twice.  That costs an outcome and harms nothing: each of them keeps the order, and
    the same bytes are one record.

All calls are synchronous and safe from several threads, each piece in one at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import msgspec
import sqlalchemy as sa

from ledger.errors import ConfigError, OutboxUnavailable
from producers.outbox import OutboxId
from producers.outbox_answers import Answer, Known, Settled, judge
from producers.outbox_schema import DEFAULT_NAME, make_outbox

_log = logging.getLogger(__name__)
_PAGES = 20
"""Pages of rows that other relays hold before this one waits for them."""
_IDLE_LOCK_MS = 300_000
"""After this long PostgreSQL ends a transaction whose relay is out of reach, so that others can go on."""


class Waiting(msgspec.Struct, frozen=True):
    """A row to be sent. ``signatures`` None: for the relay to sign."""

    id: OutboxId
    subject: str
    source: str
    event_id: str
    type: str
    event: bytes
    signatures: str | None
    put_at: int
    tries: int


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was submitted, where, and from which positions on its answer is to be looked for."""

    id: OutboxId
    signatures: str
    partition: int
    offset: int
    ledger_from: int
    outcomes_from: int


class Hold(msgspec.Struct, frozen=True):
    """A row that can't be sent before ``due_at`` (ms), and why; what follows in its subject waits with it."""

    id: OutboxId
    held: str
    due_at: int


class OutboxStore:
    """A relay's (or a command's) way to the table. Close it when done; also a context manager."""

    def __init__(self, engine: sa.Engine, table: sa.Table, *, now: Callable[[], int] | None = None) -> None:
        """``now``: ms since 1970."""
        self.engine = engine
        self.table = table
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        self._locks = engine.dialect.name == "postgresql"
        self._writes = engine.execution_options(writes=True)

    @classmethod
    def open(cls, url: str, name: str = DEFAULT_NAME) -> Self:
        """The outbox in the application's database.

        Args:
            url: SQLAlchemy's, ``postgresql+psycopg://…`` or ``sqlite:///FILE``.
            name: of the table, ``schema.name`` where it lies in a schema.

        Raises:
            ConfigError: no such kind of database, no such table in it, or one of another shape.
            OutboxUnavailable: the database does not answer.
        """
        engine = _open_engine(url)
        schema, _, bare = name.rpartition(".")
        store = cls(engine, make_outbox(sa.MetaData(), bare, schema or None))
        try:
            store._check_table(engine.url.render_as_string(hide_password=True))
        except BaseException:
            store.close()
            raise
        return store

    def ping(self) -> None:
        """Ask the database whether it is there. Raises OutboxUnavailable."""
        with self.reading() as connection:
            connection.execute(sa.select(1))

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_table(self, shown: str) -> None:
        with reached(), self.engine.connect() as connection:
            inspector = sa.inspect(connection)
            if not inspector.has_table(self.table.name, self.table.schema):
                raise ConfigError(
                    f"expected the table {self.table.fullname} at {shown}, found none: the application makes it "
                    "(`rogatory.make_outbox`) with its other tables; another name is told by outbox_table"
                )
            found = {column["name"] for column in inspector.get_columns(self.table.name, self.table.schema)}
        if missing := [column.name for column in self.table.columns if column.name not in found]:
            raise ConfigError(
                f"expected the columns of this release in {self.table.fullname} at {shown}, found none named "
                f"{', '.join(missing)}: migrate the application's database"
            )

    # Sending

    def take(self, limit: int) -> Piece:
        """Up to ``limit`` rows to send, oldest first, of each subject without a gap; none where there is nothing to do.

        Raises:
            OutboxUnavailable: the database does not answer.
        """
        with reached():
            connection = self.engine.connect()
            try:
                if self._locks:
                    connection.execute(sa.text(f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_LOCK_MS}"))
                rows = self._find(connection, limit)
            except BaseException:
                connection.close()
                raise
            if not rows or not self._locks:
                connection.close()
                return Piece(self, rows, None)
            return Piece(self, rows, connection)

    def _find(self, connection: sa.Connection, limit: int) -> list[Waiting]:
        c = self.table.c
        held = sa.select(c.subject).where(c.state == "waiting", c.due_at > self.now())
        query = (
            sa.select(c.id, c.subject).where(c.state == "waiting", c.subject.not_in(held)).order_by(c.id).limit(limit)
        )
        after, passed = 0, set[str]()
        for _ in range(_PAGES):
            page = connection.execute(query.where(c.id > after)).all()
            locked = self._lock(connection, [id_ for id_, subject in page if subject not in passed])
            rows = []
            for id_, subject in page:
                # What another relay has in hand, or has just settled, stands before everything else of its subject.
                if id_ not in locked:
                    passed.add(subject)
                elif subject not in passed:
                    rows.append(locked[id_])
            if rows or len(page) < limit:
                return rows
            after = page[-1].id
        return []

    def _lock(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, Waiting]:
        if not ids:
            return {}
        columns = [self.table.c[name] for name in Waiting.__struct_fields__]
        query = sa.select(*columns).where(self.table.c.id.in_(ids), self.table.c.state == "waiting")
        # SQLite has no such locks, and SQLAlchemy leaves the words out there.
        found = connection.execute(query.with_for_update(skip_locked=True))
        return {row.id: Waiting(*row) for row in found}

    def write_marks(self, connection: sa.Connection, marks: Sequence[Mark], holds: Sequence[Hold]) -> None:
        """Within a transaction: what was submitted, and what is held up."""
        c, now = self.table.c, self.now()
        # Only what still waits: an answer may have come before this mark, and says more than it.
        one = self.table.update().where(c.id == sa.bindparam("row"), c.state == "waiting")
        if marks:
            same = {"state": "submitted", "held": None, "due_at": 0, "submitted_at": now}
            said = [{"row": m.id, **_but_id(m), **same} for m in marks]
            connection.execute(one.values(tries=c.tries + 1), said)
        if holds:
            connection.execute(one, [{"row": h.id, **_but_id(h)} for h in holds])

    # Answers

    def answer(self, answers: Sequence[Answer]) -> int:
        """Write down what became of events, as far as rows wait for it; how many rows that settled.

        Raises:
            OutboxUnavailable: the database does not answer.
        """
        c = self.table.c
        digests = {a.digest for a in answers}
        known = sa.select(c.id, c.digest, c.state, c.epoch, c.offset)
        with reached():
            with self.engine.connect() as connection:
                ids = (
                    connection.execute(sa.select(c.id).where(c.digest.in_(digests), c.state != "sealed"))
                    .scalars()
                    .all()
                )
            if not ids:
                return 0
            with self._writes.begin() as connection:
                # By id, so that two relays that settle the same rows don't wait for each other in a ring.
                query = known.where(c.id.in_(ids)).order_by(c.id).with_for_update()
                found = {bytes(r.digest): (r.id, Known(r.state, r.epoch, r.offset)) for r in connection.execute(query)}
                settled = _settle(found, answers)
                if settled:
                    now = self.now()
                    rows = [{"row": i, **s.columns(), "held": None, "answered_at": now} for i, s in settled.items()]
                    connection.execute(self.table.update().where(c.id == sa.bindparam("row")), rows)
        for id_, after in settled.items():
            if after.answer.refusal is not None:
                reason = after.answer.refusal.reason
                _log.warning("outbox row %d was refused as %s; `rogatory outbox show %d` says more", id_, reason, id_)
        return len(settled)

    def starts(self) -> dict[int, tuple[int, int]]:
        """From which positions of ``ledger`` and ``outcomes`` the answers to submitted rows are to be looked for."""
        c = self.table.c
        query = sa.select(c.partition, sa.func.min(c.ledger_from), sa.func.min(c.outcomes_from))
        with reached(), self.engine.connect() as connection:
            found = connection.execute(query.where(c.state == "submitted").group_by(c.partition))
            return {partition: (ledger, outcomes) for partition, ledger, outcomes in found}

    def counts(self) -> dict[str, int]:
        """How many rows are in which state; ``held`` of the waiting ones can't be sent yet."""
        c = self.table.c
        with reached(), self.engine.connect() as connection:
            found = connection.execute(
                sa.select(c.state, sa.func.count(), sa.func.count(c.held)).group_by(c.state)
            ).all()
        held = sum(row[2] for row in found if row[0] == "waiting")
        return {**{row[0]: row[1] for row in found}, "held": held}

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes."""
        with reached(), self._writes.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that reads."""
        with reached(), self.engine.connect() as connection:
            yield connection


class Piece:
    """Rows in hand. ``settle`` or ``release`` ends it; until then they are locked where the database can do that."""

    def __init__(self, store: OutboxStore, rows: list[Waiting], connection: sa.Connection | None) -> None:
        self.rows = rows
        self._store = store
        self._connection = connection

    def settle(self, marks: Collection[Mark], holds: Collection[Hold]) -> None:
        """Write down what was submitted and what is held up.

        A crash before this leaves the rows waiting: they are sent again, and the second time is a duplicate.
        """
        if self._connection is None:
            with self._store.writing() as connection:
                self._store.write_marks(connection, list(marks), list(holds))
            return
        with reached():
            self._store.write_marks(self._connection, list(marks), list(holds))
            self._connection.commit()

    def release(self) -> None:
        """Let go of the rows; twice is harmless."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with reached():
                connection.close()


def _settle(found: dict[bytes, tuple[int, Known]], answers: Sequence[Answer]) -> dict[int, Settled]:
    """What answers make of rows, by id; where several speak of one row, the last word."""
    settled: dict[int, Settled] = {}
    for answer in answers:
        if answer.digest not in found:
            continue
        id_, before = found[answer.digest]
        after = judge(before, answer)
        if after is not None:
            settled[id_] = after
            found[answer.digest] = (id_, Known(after.state, after.epoch, after.offset))
    return settled


def _but_id(said: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(said, name) for name in said.__struct_fields__ if name != "id"}


@contextmanager
def reached() -> Iterator[None]:
    """Turns a database that does not answer into ``OutboxUnavailable``, in the driver's words without the statement."""
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        gone = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError))
        if gone or getattr(error, "connection_invalidated", False):
            said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise OutboxUnavailable(f"the outbox's database does not answer: {said}") from error
        raise


def _open_engine(url: str) -> sa.Engine:
    try:
        made = sa.make_url(url)
        name = made.get_backend_name()
        if name not in ("postgresql", "sqlite") or (name == "sqlite" and made.database in (None, "", ":memory:")):
            raise ConfigError(
                "expected the outbox at postgresql+psycopg://… or in a file sqlite:///FILE, found "
                f"{made.render_as_string(hide_password=True)[:60]}"
            )
        more: dict[str, Any] = {"timeout": 30} if name == "sqlite" else {}
        # pre_ping: a connection that broke in the pool is found before it is used.
        engine = sa.create_engine(made, connect_args=more, pool_pre_ping=name == "postgresql")
        if name == "postgresql":
            # Each statement sees what is committed by then; the order of subjects rests on that, whatever the default.
            engine = engine.execution_options(isolation_level="READ COMMITTED")
    except (sa.exc.ArgumentError, ImportError) as error:
        raise ConfigError(f"expected an SQLAlchemy URL of the outbox's database: {error}") from None
    if name == "sqlite":
        sa.event.listen(engine, "connect", _no_own_begin)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _no_own_begin(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver opens transactions late, and reads get no snapshot that way


def _begin(connection: sa.Connection) -> None:
    # A writer that reads first would fail as "locked" at its write, without waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
