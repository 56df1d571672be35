"""Connections to a store's database: its URL, what each kind of database is told, and when it does not answer.

A store lies in an SQLite file or in PostgreSQL::

    sqlite:///rogatory-data/store.sqlite
    postgresql://rogatory@db.example/rogatory?sslmode=verify-full

In the second kind everything behind ``?`` is libpq's, but for ``statement_timeout``, which is PostgreSQL's setting
(``60s``; 0 is none).  A network that was cut is noticed within half a minute (``tcp_user_timeout`` and keepalives),
a worker that was stopped within a transaction loses it after a minute, so that others need not wait for it.

Errors of the driver become ``StoreUnavailable`` where trying again may help (``unavailable.py``).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from ledger.errors import ConfigError, StoreUnavailable
from projections.migrating import Step, prepare
from projections.unavailable import answering

_EXPECTED = "expected a store such as sqlite:///store.db or postgresql://USER@HOST/DATABASE"
_SECRET = ("password", "sslpassword", "passfile")
_TIMEOUT = re.compile(r"[0-9]{1,9}(?:ms|s|min|h)?")
_PATIENCE = "60s"
_CONNECTING = {
    "application_name": "rogatory",
    "connect_timeout": "10",  # seconds
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",  # ms that sent bytes may stand unacknowledged
}
# What the server says when the settings are wrong, and not the moment; libpq gives no code for a failed connection.
_WRONG = re.compile(
    r"FATAL: .*(?:authentication failed|does not exist|no pg_hba\.conf entry|permission denied)"
    r"|no password supplied|invalid .* value: "
)


def parse_url(text: str) -> sa.URL:
    """The URL of a store; ``postgresql://`` and ``postgres://`` mean the driver psycopg.

    Raises:
        ConfigError: not such a URL, or another kind of database. Never says more of it than its kind.
    """
    try:
        made = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError(
            f"{_EXPECTED}, found a text that is no such URL (in a password, @ : / and % are written %40 %3A %2F %25)"
        ) from None
    kind, _, driver = made.drivername.partition("+")
    if kind == "sqlite" and driver in ("", "pysqlite"):
        return made
    if kind in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return made.set(drivername="postgresql+psycopg")
    raise ConfigError(f"{_EXPECTED}, found the kind {made.drivername[:40]!r}")


def plain_url(url: str | sa.URL) -> str:
    """A store's URL as it may be shown: without a password. Raises ConfigError as ``parse_url`` does."""
    made = parse_url(url) if isinstance(url, str) else url
    hidden = dict.fromkeys((name for name in made.query if name in _SECRET), "***")
    kind = made.drivername.partition("+")[0]
    shown = made.set(drivername=kind).update_query_dict(hidden).render_as_string(hide_password=True)
    return shown.replace("%2A%2A%2A", "***")


def open_engine(url: str, *, migrate: bool = False, told: Callable[[Step], None] | None = None) -> sa.Engine:
    """An engine for a store at a URL; makes the tables in an empty database.

    Args:
        url: as ``parse_url`` takes it.
        migrate: bring an older store to the newest schema.
        told: told of each step of that, once it is done.

    Raises:
        ConfigError: no such database, or a store of an older or a newer release.
        StoreUnavailable: the database does not answer.
    """
    made = parse_url(url)
    engine = make_engine(made)
    try:
        with entering(made):
            prepare(engine, plain_url(made), migrate=migrate, told=told)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def entering(url: sa.URL) -> Iterator[None]:
    """Turns what goes wrong at the first connection into ``ConfigError`` or ``StoreUnavailable``."""
    try:
        with answering():
            yield
    except (StoreUnavailable, sa.exc.DatabaseError) as error:
        if (said := _wrong(error)) is not None:
            raise ConfigError(f"expected a store that lets us in at {plain_url(url)}, found: {said}") from None
        raise


def _wrong(error: StoreUnavailable | sa.exc.DatabaseError) -> str | None:
    """What is wrong with the settings, where the error at the first connection means that."""
    if isinstance(error, StoreUnavailable):
        return str(error) if _WRONG.search(str(error)) else None
    if isinstance(error.orig, sqlite3.DatabaseError):
        return "a file that is no database" if error.orig.sqlite_errorcode == sqlite3.SQLITE_NOTADB else None
    # libpq did not even try: an option that it does not know.
    unknown = isinstance(error, sa.exc.ProgrammingError) and getattr(error.orig, "sqlstate", None) is None
    return str(error.orig).strip() if unknown else None


def make_engine(url: sa.URL) -> sa.Engine:
    """An engine that has looked at nothing yet; ``url`` is from ``parse_url``. Raises ConfigError."""
    # Errors of the driver are shown and logged; the values of a statement shall not be.
    if url.get_backend_name() == "postgresql":
        bare, arguments = _connecting(url)
        return sa.create_engine(bare, hide_parameters=True, pool_pre_ping=True, connect_args=arguments)
    if url.database in (None, "", ":memory:"):
        raise ConfigError("expected a store in a file, such as sqlite:///store.db, found one in memory")
    engine = sa.create_engine(url, hide_parameters=True)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connecting(url: sa.URL) -> tuple[sa.URL, dict[str, Any]]:
    """The URL for the driver, and what it is told beside: our defaults, where the URL does not say otherwise."""
    timeout = url.query.get("statement_timeout", _PATIENCE)
    if not isinstance(timeout, str) or not _TIMEOUT.fullmatch(timeout):
        raise ConfigError("expected statement_timeout of the store's URL as a time such as 60s, found something else")
    bare = url.difference_update_query(["statement_timeout", "options"])
    arguments: dict[str, Any] = {name: value for name, value in _CONNECTING.items() if name not in url.query}
    said = url.query.get("options", "")
    ours = f"-c statement_timeout={timeout} -c idle_in_transaction_session_timeout={_PATIENCE}"
    arguments["options"] = f"{ours} {said if isinstance(said, str) else ' '.join(said)}".strip()
    return bare, arguments


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # The driver shall not open transactions by itself: reads get no snapshot that way (see _begin_sqlite).
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 30000")
    _keep_wal(cursor)
    # NORMAL: a power cut may take back the last commits, never half of one.  Rows and position go back together,
    # and the log has what is missing; FULL would pay a disk flush per batch for what can be derived again.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA cache_size = -16384")
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: about one large batch, written to its place at once
    cursor.close()


def _busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


@retry(retry=retry_if_exception(_busy), stop=stop_after_delay(30), wait=wait_fixed(0.01), reraise=True)
def _keep_wal(cursor: sqlite3.Cursor) -> None:
    # Of several that open a new file at once one makes it WAL; the others are told "busy" then, whatever the timeout.
    cursor.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: were it to read first, an overtaken one would fail as "locked", without waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
