"""Writing many rows at once over those of the same keys, by the fast way of each database.

==========  ==========================================================================
SQLite      one prepared upsert, run for each row; in the order of the key, so that
            neighbouring rows fall into the same pages
PostgreSQL  up to 24 rows: the same, in one round trip (psycopg's pipeline);
            more: ``COPY`` in binary into a temporary table, then one ``INSERT …
            SELECT … ON CONFLICT DO UPDATE``
==========  ==========================================================================

Measured with rows of ``status`` of 0.8 KB, in µs a row, elapsed and of our processor, 4,000 and 16,000 at a time, new
rows and old ones: upsert by pipeline 24–51 and 12–19; one statement of many values 76–93 and 50–68; ``unnest`` of
arrays 47–63 and 30–40 (in binary 18–32 and 6–9); one JSON document 35–61 and 2–5; ``COPY`` and upsert 10–16 and 2–4;
``COPY`` into the table itself, which only new rows allow, 9–22 and 2–4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ledger.errors import MisuseError

_FEW = 24
"""Rows for which a round trip more costs more than it saves."""

_BINARY = {sa.BigInteger: "int8", sa.Integer: "int4", sa.LargeBinary: "bytea", sa.Boolean: "bool", sa.String: "text"}


def insert(table: sa.Table, dialect: str) -> Any:
    """An INSERT of that dialect, which has ``on_conflict_do_nothing``."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


class Upsert:
    """Writes rows of one table. Made once: its statements are compiled and handed to the driver as they are.

    SQLAlchemy's work on the parameters of a row took three times as long as SQLite took to write it.
    """

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        self._names = [column.name for column in table.c]
        self._values = itemgetter(*self._names)
        each = _over(insert(table, dialect.name), table).compile(dialect=dialect, column_keys=self._names)
        self._each, self._order = str(each), each.positiontup
        self._staged: _Staged | None = _Staged(table, dialect) if dialect.name == "postgresql" else None

    def __call__(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, given as values by column.

        Raises:
            sqlalchemy.exc.DBAPIError: the database refused them.
        """
        if not rows:
            return
        if self._staged is not None and len(rows) > _FEW:
            self._staged(connection, list(map(self._values, rows)))
        elif self._order is None:
            connection.exec_driver_sql(self._each, list(rows))
        else:
            connection.exec_driver_sql(self._each, sorted(map(itemgetter(*self._order), rows)))


class _Staged:
    """``COPY`` into a temporary table, and from there over the rows."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        quote = dialect.identifier_preparer.quote
        names = [column.name for column in table.c]
        stage = f"rogatory_stage_{table.name}"
        # Per connection, and empty again behind every commit. It is asked for in each: who stands between us and the
        # server may give every transaction another connection.
        self._make = f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {quote(table.name)}) ON COMMIT DELETE ROWS"
        self._copy = f"COPY {stage} ({', '.join(map(quote, names))}) FROM STDIN (FORMAT BINARY)"
        staged = sa.table(stage, *(sa.column(name) for name in names))
        merge = postgresql.insert(table).from_select(names, sa.select(*(staged.c[name] for name in names)))
        self._merge = str(_over(merge, table).compile(dialect=dialect))
        self._types = [_binary_type(column, dialect) for column in table.c]

    def __call__(self, connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
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


def _over(statement: Any, table: sa.Table) -> Any:
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def _binary_type(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """What ``COPY`` calls a column's type; binary values have no other sign of it."""
    kind = column.type.dialect_impl(dialect)
    for known, name in _BINARY.items():
        if isinstance(kind, known):
            return name
    raise MisuseError(f"expected a column of a type that bulk writing knows, found {column.name} of {column.type}")
