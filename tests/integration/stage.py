"""A ledger at work on a real log: registrars of all partitions, a herald and a publisher, in one process.

::

    async with stage(place, people, folder) as ledger:
        await ledger.open()
        sealed = await ledger.publish(people.say("RU-OMS", "request/1", StepTaken(step="x")))
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path

from consumers.herald import Herald
from consumers.registrar import Registrar
from infra.adapters.state_file import SqliteStateFile
from infra.wiring import Workers
from ledger.log import SUBMISSIONS, Log, Message
from ledger.observing import SILENT, Observer
from producers.builder import Sender, Signed
from producers.publisher import Publisher
from producers.receipt import Sealed, Submitted
from tests.contracts.log_place import Place
from tests.faults.world import People

SOON = 30.0


class Stage:
    """An open ledger. ``registrars`` and ``herald`` may be moved one by one instead of ``settle``."""

    def __init__(
        self, log: Log, people: People, registrars: list[Registrar], herald: Herald, publisher: Publisher
    ) -> None:
        self.log = log
        self.people = people
        self.registrars = registrars
        self.herald = herald
        self.publisher = publisher
        self._workers = Workers(registrars, herald, whole=True)

    async def open(self) -> None:
        """Make the topics and open the ledger."""
        await self.log.create(self.people.partitions)
        await self.submit(*self.people.opening())
        await self.settle()

    async def settle(self) -> None:
        """Work until everything is decided and every partition has followed the register."""
        await self._workers.until_idle()

    async def submit(self, *events: Signed) -> list[Submitted]:
        """Give events to the log as the SDK does."""
        return await self.publisher.submit_all(events)

    async def submit_raw(self, partition: int, message: Message) -> Submitted:
        """Give bytes to the log as a program of another make does."""
        await self.publisher._watcher.watch(partition)
        offset = await self.log.append(SUBMISSIONS, partition, [message])
        digest = sha256(message.value or b"").hexdigest()
        return Submitted(subject="request/raw", id="raw", partition=partition, offset=offset, digest=digest)

    async def publish(self, signed: Signed) -> Sealed:
        """Submit, settle, and say what became of it."""
        (submitted,) = await self.submit(signed)
        await self.settle()
        return await self.publisher.result(submitted, SOON)

    async def publish_raw(self, partition: int, message: Message) -> Sealed:
        """The same with bytes."""
        submitted = await self.submit_raw(partition, message)
        await self.settle()
        return await self.publisher.result(submitted, SOON)


@asynccontextmanager
async def stage(place: Place, people: People, folder: Path, observer: Observer = SILENT) -> AsyncIterator[Stage]:
    """The ledger's people at work; states are kept in ``folder``."""
    async with AsyncExitStack() as closing:
        log = place.open()
        closing.push_async_callback(log.close)
        registrars = []
        for partition in range(people.partitions):
            state = SqliteStateFile(folder / f"p{partition}.sqlite", partition)
            registrar = Registrar(log, people.ledger_id, partition, state, [people.log_key], observer=observer)
            closing.push_async_callback(registrar.close)
            registrars.append(registrar)
        herald = Herald(log, people.partitions, time.monotonic)
        closing.push_async_callback(herald.close)
        sender = Sender(people.ledger_id, "RU-PGO", (people.coordinator,))
        publisher = Publisher(log, sender, people.partitions, observer=observer)
        closing.push_async_callback(publisher.close)
        yield Stage(log, people, registrars, herald, publisher)


def lose_states(folder: Path) -> None:
    """As if the registrars' disk had been lost."""
    for path in folder.glob("p*.sqlite*"):
        path.unlink()
