"""An application with a table of its own and an outbox beside it, for tests of the outbox and the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from infra.adapters.vault import VaultFile
from ledger.catalogue.base import Data
from ledger.catalogue.own import StepTaken
from ledger.errors import KeyFault
from ledger.log import Log
from ledger.signature import Signer
from producers.builder import Draft, Sender
from producers.outbox import Outbox, OutboxId, Sign
from producers.outbox_rows import OutboxRow, find_row, list_rows
from producers.outbox_schema import make_outbox
from producers.outbox_store import OutboxStore
from producers.publisher import Publisher
from producers.relay import Limits, Relay
from tests.faults.world import T0, People

OFFICE = "RU-OMS"
QUICK = Limits(rows=50, poll=0.05, hold=0.2)


class Desk:
    """The application: an entry of a case and its event are written together."""

    def __init__(self, url: str, people: People, folder: Path) -> None:
        self.url = url
        self.people = people
        self.engine = sa.create_engine(url)
        self.metadata = sa.MetaData()
        self.entries = sa.Table(
            "entries", self.metadata, sa.Column("subject", sa.String(128)), sa.Column("step", sa.String(128))
        )
        self.table = make_outbox(self.metadata)
        self.vault = VaultFile(folder / "vault.sqlite")
        self.metadata.create_all(self.engine)

    def outbox(self, *signers: Signer, office: str = OFFICE, sign: Sign = "put") -> Outbox:
        keys = signers or ((self.people.offices[office],) if sign == "put" else ())
        sender = Sender(self.people.ledger_id, office, keys, self.vault)
        return Outbox(self.table, sender, sign=sign, clock=lambda: T0 + 1000)

    def enter(self, connection: sa.Connection, subject: str, step: str, **stated: Any) -> OutboxId:
        """Within a transaction."""
        connection.execute(self.entries.insert().values(subject=subject, step=step))
        return self.outbox().put(connection, Draft(subject=subject, data=StepTaken(step=step), **stated))

    def act(self, subject: str, step: str, **stated: Any) -> OutboxId:
        """A transaction of its own."""
        with self.engine.begin() as connection:
            return self.enter(connection, subject, step, **stated)

    def put(self, subject: str, data: Data, outbox: Outbox | None = None, **stated: Any) -> OutboxId:
        with self.engine.begin() as connection:
            return (outbox or self.outbox()).put(connection, Draft(subject=subject, data=data, **stated))

    def store(self) -> OutboxStore:
        return OutboxStore.open(self.url)

    def entered(self) -> list[tuple[str, str]]:
        """The application's own rows."""
        with self.engine.connect() as connection:
            return [(row.subject, row.step) for row in connection.execute(sa.select(self.entries))]

    def rows(self) -> list[OutboxRow]:
        with self.store() as store:
            return list_rows(store, limit=100_000)

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def event(self, id_: int) -> tuple[bytes, str | None]:
        with self.store() as store:
            found = find_row(store, id_)
        assert found is not None
        return found[1], found[2]

    def close(self) -> None:
        self.vault.close()
        self.engine.dispose()


@contextmanager
def desk_at(url: str, people: People, folder: Path) -> Iterator[Desk]:
    desk = Desk(url, people, folder)
    try:
        yield desk
    finally:
        desk.close()


class Keys:
    """Hands that hold what a test gives them; ``asked`` says for what."""

    def __init__(self, choose: Callable[[str, str], Sequence[Signer]] | None = None) -> None:
        self._choose = choose
        self.asked: list[tuple[str, str]] = []

    async def signers(self, name: str, office: str) -> Sequence[Signer]:
        self.asked.append((name, office))
        if self._choose is None:
            raise KeyFault(f"expected a key of {office}, found none")
        return self._choose(name, office)


def relay_of(store: OutboxStore, log: Log, people: People, keys: Keys | None = None, limits: Limits = QUICK) -> Relay:
    """A relay as production puts it together."""
    publisher = Publisher(log, Sender(people.ledger_id, "", ()), people.partitions, patience=2.0, watch=False)
    return Relay(store, log, publisher, keys or Keys(), partitions=people.partitions, limits=limits)


async def settled(store: OutboxStore, relay: Relay, work: Callable[[], Any], seconds: float = 30.0) -> dict[str, int]:
    """Rounds of relay and registrar until every row has its answer."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        while await relay.step():
            pass
        await work()
        counts = store.counts()
        if not counts.get("submitted", 0) + counts.get("waiting", 0) - counts["held"]:
            return counts
        assert loop.time() < deadline, counts
        await asyncio.sleep(0.02)
