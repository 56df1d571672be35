"""A ledger on Kafka that grows, and live workers at it: in this process, or in one of their own that may be killed.

::

    async with Scene.of(place, book, url) as scene:
        await scene.grow()                       # what the book has and the log has not
        async with scene.working():              # a worker in this process
            await scene.reached()                # the store stands at the log's end

Run as a module it is the worker: bootstrap, name, ledger id, URL of the store, session.
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from consumers import live
from consumers.live import Pace
from consumers.replay import replay
from infra.projecting import open_store
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log, Message
from projections import poison
from projections.poison import Noted
from projections.store import Store
from projections.view import Generation
from tests.aio import until
from tests.contracts.log_place import ROOT, Place
from tests.ledgers import Book, TallyFold
from tests.records import box

FOLD = TallyFold()
QUICK = Pace(look_again=0.5, first_pause=0.05, longest_pause=0.5, give_up=30.0)
SESSION = 6.0  # the shortest that a broker takes unless it is told otherwise
SOON = 90.0


class Scene:
    """A book that is written to a log, a store, and who works on both."""

    def __init__(self, place: Place, log: Log, book: Book, url: str, store: Store) -> None:
        self.place = place
        self.log = log
        self.book = book
        self.url = url
        self.store = store
        self.messages: list[list[Message]] = [[] for _ in range(book.partitions)]
        """What is in the log, by partition."""
        self._taken = [0] * book.partitions

    @classmethod
    @asynccontextmanager
    async def of(cls, place: Place, book: Book, url: str) -> AsyncIterator[Scene]:
        """The log made empty, the store opened."""
        log = place.open()
        try:
            await log.create(book.partitions)
            with open_store(url) as store:
                yield cls(place, log, book, url, store)
        finally:
            await log.close()

    async def grow(self, noise: random.Random | None = None) -> None:
        """Append what the book has more than the log, with repeated and early messages between if asked."""
        for partition, messages in enumerate(self.book.messages):
            more = list(messages[self._taken[partition] :])
            self._taken[partition] = len(messages)
            if noise is not None and len(messages) > 2:
                for _ in range(len(more) // 10):
                    more.insert(noise.randrange(len(more)), self.book.ahead(partition, by=5))
                more += [self.book.repeated(partition, noise.randrange(len(messages))) for _ in range(3)]
            for start in range(0, len(more), 100):
                await self.log.append(LEDGER, partition, more[start : start + 100])
            self.messages[partition] += more

    def generation(self) -> Generation:
        """The rows that answer."""
        return self.store.live(FOLD, self.book.ledger_id)

    def positions(self) -> list[int]:
        """Where the rows stand."""
        return [self.store.load(self.generation(), p).next for p in range(self.book.partitions)]

    def ends(self) -> list[int]:
        """Where the log ends."""
        return [len(messages) for messages in self.messages]

    async def reached(self, partitions: Iterable[int] | None = None) -> None:
        """Wait until the rows of these partitions (default: all) stand at the log's end."""
        chosen = list(range(self.book.partitions) if partitions is None else partitions)
        ends = self.ends()

        def stands() -> bool:
            now = self.positions()
            return all(now[p] == ends[p] for p in chosen)

        await until(stands, SOON)

    async def poisoned(self) -> Noted:
        """Wait for a poison record to be noted."""
        await until(self.standing, SOON)
        (one,) = self.standing()
        return one

    def standing(self) -> list[Noted]:
        """The poison records that the store tells of."""
        return poison.standing(self.store, self.book.ledger_id)

    def skip(self, noted: Noted) -> None:
        """Somebody lets the projection pass over a record."""
        said = {"projection": noted.projection, "index": noted.index, "leaf": noted.leaf, "why": box()}
        self.book.add(f"ledger/{noted.partition}", "poison.skipped", said)

    async def same_as_replayed(self) -> bool:
        """Whether a replay into fresh rows gives what the worker made, by digest, each row computed anew."""
        fresh = self.store.new_generation(FOLD, self.book.ledger_id)
        outcome = await replay(self.log, self.store, FOLD, fresh)
        assert not outcome.stopped
        made, anew = (
            [self.store.digest(g, p, check=True)[1] for p in range(self.book.partitions)]
            for g in (self.generation(), fresh)
        )
        return made == anew

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A live worker in this process; what it fails with is raised at the end."""
        stop = asyncio.Event()
        with open_store(self.url) as store:
            task = asyncio.create_task(
                live.run(
                    self.place.bootstrap, self.place.name, self.log, store, FOLD, self.generation(),
                    stop=stop, pace=QUICK, session=SESSION,
                )
            )  # fmt: skip
            try:
                yield
            finally:
                stop.set()
                await asyncio.wait_for(task, SOON)

    def process(self, said: Path) -> subprocess.Popen[bytes]:
        """A live worker in a process of its own; what it logs goes to a file."""
        command = [sys.executable, "-m", "tests.integration.live_scene", self.place.bootstrap, self.place.name]
        with said.open("wb") as errors:
            return subprocess.Popen(
                [*command, self.book.ledger_id, self.url, str(SESSION)], cwd=ROOT, stderr=errors, stdout=errors
            )


async def _work(bootstrap: str, name: str, ledger_id: str, url: str, session: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    log = Place(name, bootstrap).open()
    try:
        with open_store(url) as store:
            generation = store.live(FOLD, LedgerId(ledger_id))
            await live.run(bootstrap, name, log, store, FOLD, generation, stop=stop, pace=QUICK, session=float(session))
    finally:
        await log.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_work(*sys.argv[1:]))
