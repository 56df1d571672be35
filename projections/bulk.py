"""Writing many rows at once over those of the same keys, by the fast way of each database.

==========  ==========================================================================
SQLite      upserts of as many rows as one statement takes everywhere (999 values),
            and then of one; in the order of the key, so that neighbouring rows
            fall into the same pages
PostgreSQL  up to 24 rows: the same, in one round trip (psycopg's pipeline);
            more: ``COPY`` in binary into a temporary table, then one ``INSERT …
            SELECT … ON CONFLICT DO UPDATE``
==========  ==========================================================================

Measured with rows of ``status`` of 0.8 KB, in µs a row, elapsed and of our processor, 4,000 and 16,000 at a time, new
rows and old ones: upsert by pipeline 24–51 and 12–19; one statement of many values 76–93 and 50–68; ``unnest`` of
arrays 47–63 and 30–40 (in binary 18–32 and 6–9); one JSON document 35–61 and 2–5; ``COPY`` and upsert 10–16 and 2–4;
``COPY`` into the table itself, which only new rows allow, 9–22 and 2–4.

In SQLite a row by itself takes 10 µs, one of twenty takes 7, of a hundred 5.5.  While another thread computes, the
difference is far larger (worst case: 126, 21 and 12 µs of our processor, and 5,600, 330 and 85 elapsed): Python's lock
is given up and asked for at each step of a statement, and each time its other user may keep it for 5 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ledger.errors import MisuseError

_FEW = 24
"""Rows for which a round trip more costs more than it saves."""

_VALUES = 999
"""Values that SQLite takes in a statement, however it was built (its limits, 9: SQLITE_MAX_VARIABLE_NUMBER)."""

_BINARY = {sa.BigInteger: "int8", sa.Integer: "int4", sa.LargeBinary: "bytea", sa.Boolean: "bool", sa.String: "text"}


def insert(table: sa.Table, dialect: str) -> Any:
    """An INSERT of that dialect, which has ``on_conflict_do_nothing``."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


class Upsert:
    """Writes rows of one table, values in the order of its columns.

    Made once: its statements are compiled and handed to the driver as they are.

    SQLAlchemy's work on the parameters of a row took three times as long as SQLite took to write it.
    """

    def __init__(self, table: sa.Table, dialect: sa.Dialect, *, adds: frozenset[str] = frozenset()) -> None:
        """``adds``: columns whose value is added to what stands in the row, not written over it."""
        self._names = [column.name for column in table.c]
        over = _over(insert(table, dialect.name), table, adds)
        self._each = str(over.compile(dialect=dialect, column_keys=self._names))
        self._staged: _Staged | None = None
        if dialect.name == "postgresql":
            self._staged = _Staged(table, dialect, adds)
        else:
            one = f"({', '.join('?' * len(self._names))})"  # in the order of column_keys
            self._at_once = _VALUES // len(self._names)
            self._many = self._each.replace(one, ", ".join([one] * self._at_once), 1)

    def __call__(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refused them.
        """
        if not rows:
            return
        # In the order of the key: two who write the same rows never wait for each other in a ring.
        rows = sorted(rows)
        if self._staged is None:
            self._write_sorted(connection, rows)
        elif len(rows) > _FEW:
            self._staged(connection, rows)
        else:
            connection.exec_driver_sql(self._each, [dict(zip(self._names, row, strict=True)) for row in rows])

    def _write_sorted(self, connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
        rest = len(rows) % self._at_once
        for start in range(0, len(rows) - rest, self._at_once):
            values = tuple(chain.from_iterable(rows[start : start + self._at_once]))
            connection.exec_driver_sql(self._many, values)
        if rest:
            connection.exec_driver_sql(self._each, rows[-rest:])


class _Staged:
    """``COPY`` into a temporary table, and from there over the rows."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect, adds: frozenset[str]) -> None:
        quote = dialect.identifier_preparer.quote
        names = [column.name for column in table.c]
        stage = f"rogatory_stage_{table.name}"
        # Per connection, and empty again behind every commit. It is asked for in each: who stands between us and the
        # server may give every transaction another connection.
        self._make = f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {quote(table.name)}) ON COMMIT DELETE ROWS"
        self._copy = f"COPY {stage} ({', '.join(map(quote, names))}) FROM STDIN (FORMAT BINARY)"
        staged = sa.table(stage, *(sa.column(name) for name in names))
        merge = postgresql.insert(table).from_select(names, sa.select(*(staged.c[name] for name in names)))
        self._merge = str(_over(merge, table, adds).compile(dialect=dialect))
        self._types = [_binary_type(column, dialect) for column in table.c]

    def __call__(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        connection.exec_driver_sql(self._make)
        driver: Any = connection.connection.driver_connection
        base = connection.dialect.loaded_dbapi.Error
        try:
            with driver.cursor() as cursor, cursor.copy(self._copy) as copy:
                copy.set_types(self._types)
                write = copy.write_row
                for row in rows:
                    write(row)
        except base as error:
            if driver.closed:
                connection.invalidate(error)
            # SQLAlchemy does not see what passes it by; this is how it would have said it.
            raise sa.exc.DBAPIError.instance(
                self._copy, None, error, base, hide_parameters=True, connection_invalidated=bool(driver.closed)
            ) from error
        connection.exec_driver_sql(self._merge)


def _over(statement: Any, table: sa.Table, adds: frozenset[str]) -> Any:
    keys = [column.name for column in table.primary_key]
    others = {
        c.name: table.c[c.name] + statement.excluded[c.name] if c.name in adds else statement.excluded[c.name]
        for c in table.c
        if c.name not in keys
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def _binary_type(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """What ``COPY`` calls a column's type; binary values have no other sign of it."""
    kind = column.type.dialect_impl(dialect)
    for known, name in _BINARY.items():
        if isinstance(kind, known):
            return name
    raise MisuseError(f"expected a column of a type that bulk writing knows, found {column.name} of {column.type}")
