"""Which errors of a database mean that it does not answer now, so that the same may be tried again.

PostgreSQL: no connection or a lost one; SQLSTATE classes 08 and 57 (shutting down, cancelled by a timeout), 53 (disk,
memory or connections used up) and 40 (deadlock, serialization); 55P03 (lock), 58030 (I/O), 25006 (a standby), 25P03
(stopped too long within a transaction).  SQLite: BUSY, LOCKED, FULL, IOERR, CANTOPEN, NOMEM, READONLY.  Everything
else stays what it is: wrong SQL, a broken constraint, damaged data are no matter of trying again.

The codes are those of PostgreSQL's manual, appendix A, and of https://sqlite.org/rescode.html.  Messages never hold
values: of PostgreSQL's only the primary message is taken, not the details.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from ledger.errors import StoreUnavailable

_CLASSES = ("08", "40", "53", "57")
_STATES = ("55P03", "58030", "25006", "25P03")
_DISK_FULL = "53100"
_SQLITE = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
})  # fmt: skip
_MAKE_ROOM = "no room is left where the store is: make room, nothing has to be repaired"


@contextmanager
def answering() -> Iterator[None]:
    """Turns a driver's error within into ``StoreUnavailable`` where the database did not answer."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise StoreUnavailable("all connections to the store are in use; try again") from None
    except Exception as error:
        orig = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
        said = None if orig is None else _reason(orig, lost=lost)
        if said is None:
            raise
        raise StoreUnavailable(said) from error


def _reason(error: BaseException, *, lost: bool) -> str | None:
    """Why the database does not answer, or None where the error means something else."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is None or code & 0xFF not in _SQLITE:  # the low byte is the kind, the rest says more
            return None
        hint = "; is there room on the disk?" if code & 0xFF == sqlite3.SQLITE_IOERR else ""
        return _MAKE_ROOM if code & 0xFF == sqlite3.SQLITE_FULL else f"{error} ({error.sqlite_errorname}){hint}"
    if not type(error).__module__.startswith("psycopg"):  # not imported here: who has SQLite needs no libpq
        return None
    state = getattr(error, "sqlstate", None)
    if state is None:
        # libpq's own: no connection was made, or the one that was is gone.
        named = {base.__name__ for base in type(error).__mro__}
        return _first_line(error) if lost or named & {"OperationalError", "InterfaceError"} else None
    if state == _DISK_FULL:
        return f"{_MAKE_ROOM} ({_first_line(error)})"
    return f"{_first_line(error)} (SQLSTATE {state})" if lost or state[:2] in _CLASSES or state in _STATES else None


def _first_line(error: BaseException) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return str(primary or str(error).strip().partition("\n")[0] or type(error).__name__)
