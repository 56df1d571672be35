"""Waking a relay by PostgreSQL's LISTEN: a notification is delivered when the transaction that sent it commits.

It only saves waiting.  A notification that is lost with its connection costs nothing but the time to the relay's next
look, so this is never the way by which something is found.
"""

from __future__ import annotations

import asyncio
import logging

import psycopg
import sqlalchemy as sa
from psycopg import sql

_log = logging.getLogger(__name__)
_LOOK = 30.0  # seconds after which a silent connection is looked at


async def listen(url: str, channel: str, wake: asyncio.Event) -> None:
    """Set ``wake`` at each notification of ``channel``, for ever; connects again with back-off when that breaks.

    Args:
        url: SQLAlchemy's, of any PostgreSQL driver.
        channel: a name of the database.
        wake: whom to wake.
    """
    made = sa.make_url(url)
    parameters = {
        "host": made.host, "port": made.port, "user": made.username, "password": made.password, "dbname": made.database,
        **made.query,
    }  # fmt: skip
    given = {name: value for name, value in parameters.items() if value is not None}
    pause = 0.5
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect("", autocommit=True, **given)  # type: ignore[arg-type]
            async with connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                wake.set()  # for what came before we listened
                pause = 0.5
                while True:
                    async for _ in connection.notifies(timeout=_LOOK):
                        wake.set()
                    await connection.execute("SELECT 1")
        except psycopg.Error as error:
            said = str(error).strip().partition("\n")[0]
            _log.info("not told of new rows (%s): looking for them instead; listening again in %.1f s", said, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 30.0)
