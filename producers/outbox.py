"""The outbox: an event put into the caller's own transaction, so that both are there or neither is.

::

    metadata = sa.MetaData()
    cases = sa.Table("cases", metadata, …)
    table = make_outbox(metadata)                # the application's migrations make it with its other tables

    outbox = Outbox(table, Sender(ledger_id, "RU-OMS", (signer,), vault))
    with engine.begin() as connection:
        connection.execute(cases.update().where(…).values(state="accepted"))
        outbox.put(connection, Draft(subject="request/2025-000123", data=RequestAccepted(executing="RU-OMS")))

    async with async_engine.begin() as connection:      # the same from asyncio
        await connection.run_sync(outbox.put, draft)

``rogatory run relay`` submits what was committed.  When ``put`` returns, the event's bytes are fixed: id, time,
every sealed field as its box.  They are the evidence; the relay never changes them, so a retry is a duplicate.

The content key of sealed fields is in the vault, on disk, before the row is written: a rolled-back transaction leaves a
key that nothing uses, never a box that nobody can open.  Plaintext of a sealed field never reaches the database.

Who signs is another matter than what is said:

- ``sign="put"``: the application holds the key, and the row carries the signature;
- ``sign="relay"``: the application holds none, and whoever runs the relay signs these bytes;
- events of the register and of the ledger itself are always signed by the relay, since who may sign them and which
  key is in force are only known once they are sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Literal, NewType

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ledger.errors import ConfigError, FieldError, MisuseError
from ledger.signature import MAX_SIGNATURES, Signature, format_signature
from producers.builder import Draft, Sender, compose, row_of
from producers.outbox_schema import channel_of
from producers.tracing import creating

OutboxId = NewType("OutboxId", int)
Sign = Literal["put", "relay"]

_SIGNED_BY_RELAY = ("register", "ledger")


class Outbox:
    """Puts events of one sender into one table. Any number of threads may use it, each with its connection."""

    def __init__(
        self,
        table: sa.Table,
        sender: Sender,
        *,
        sign: Sign = "put",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """One sender's way into the outbox.

        Args:
            table: as ``make_outbox`` made it.
            sender: whose events they are; without signers everything is for the relay to sign.
            sign: who signs case events.
            clock: ms since 1970; the event's time where a draft names none.
        """
        if sign == "put" and not 1 <= len(sender.signers) <= MAX_SIGNATURES:
            raise ConfigError(
                f"expected 1 to {MAX_SIGNATURES} keys that sign when events are put, found {len(sender.signers)}: name "
                'one, or let sign="relay"'
            )
        self.table = table
        self.sender = sender
        self._sign = sign
        self._clock = clock

    def put(self, connection: sa.Connection, draft: Draft) -> OutboxId:
        """Write an event into the outbox within the transaction of ``connection``; nothing is sent before it commits.

        Putting the same event again (same id, time and content) gives the first one's id.  With an ORM session:
        ``outbox.put(session.connection(), draft)``.

        Raises:
            FieldError: a field is wrong, or the draft's id was used for another event; the transaction is untouched.
            KeyFault: a key or the vault can't be used.
            MisuseError: the connection commits by itself, so that nothing would hold the two together.
        """
        _check_connection(connection)
        now = self._clock()
        by_relay = self._sign == "relay" or draft.subject.partition("/")[0] in _SIGNED_BY_RELAY
        signatures: tuple[Signature, ...] = ()
        with creating(self.sender.ledger_id.partition(".")[0]):
            made = compose(draft, self.sender, now)
        if not by_relay:
            signatures = made.sign(self.sender.signers).signatures
        subject, event_id, value = made.subject, made.id, made.value
        # The vault has every content key of these bytes by now; only then the row.
        digest = sha256(value).digest()
        source = f"office/{self.sender.office}"
        row = {
            "subject": subject,
            "source": source,
            "event_id": event_id,
            "type": row_of(draft.data).name,
            "event": value,
            "digest": digest,
            "sign": "relay" if by_relay else "put",
            "signatures": format_signatures(signatures) if signatures else None,
            "put_at": now,
        }
        made_id = connection.execute(self._insert(connection, row)).scalar_one_or_none()
        if made_id is None:
            return self._known(connection, subject, source, event_id, digest)
        return OutboxId(made_id)

    def _insert(self, connection: sa.Connection, row: dict[str, Any]) -> sa.Executable:
        # Not a plain insert whose failure is caught: on PostgreSQL that would break the caller's transaction.
        made: sa.Executable
        if connection.dialect.name == "postgresql":
            # Relays are told at the commit, once for each transaction however many events it puts.
            told = sa.func.pg_notify(channel_of(self.table), "")
            made = postgresql.insert(self.table).values(row).on_conflict_do_nothing().returning(self.table.c.id, told)
        else:
            made = sqlite.insert(self.table).values(row).on_conflict_do_nothing().returning(self.table.c.id)
        return made

    def _known(self, connection: sa.Connection, subject: str, source: str, event_id: str, digest: bytes) -> OutboxId:
        c = self.table.c
        where = (c.subject == subject, c.source == source, c.event_id == event_id)
        found = connection.execute(sa.select(c.id, c.digest).where(*where)).one()
        if bytes(found.digest) != digest:
            raise FieldError(
                f"expected a new id for a new event of {subject}, found {event_id}, which the outbox has with another "
                "time or content"
            )
        return OutboxId(found.id)


def _check_connection(connection: sa.Connection) -> None:
    if connection.dialect.name not in ("postgresql", "sqlite"):
        raise MisuseError(f"expected a connection to PostgreSQL or SQLite, found {connection.dialect.name}")
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        raise MisuseError("expected a connection in a transaction, found one with AUTOCOMMIT: row and event could part")


def format_signatures(signatures: tuple[Signature, ...]) -> str:
    """Signatures as a row keeps them: header values, one a line."""
    return "\n".join(format_signature(s).decode() for s in signatures)
