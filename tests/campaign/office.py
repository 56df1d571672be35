"""Where the campaign takes place: a ledger on Kafka, its services, its databases, and what was acknowledged."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import msgspec

from infra.adapters.keys import KeyFile, write_key
from ledger.ids import LedgerId
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Stored, header
from ledger.outcome import read_outcome
from ledger.seal import read_seal
from ledger.signature import encode_base64
from ledger.submission import SEAL_HEADER
from producers.outbox_rows import list_rows
from producers.outbox_store import OutboxStore
from projections.store import Store
from tests.aio import run
from tests.campaign.services import TRY_AGAIN, Service, until
from tests.contracts.log_place import Place
from tests.faults.checks import FOLD, Seen, check_acknowledged, check_all, digests, rebuilt
from tests.faults.worker import Task, people_of
from tests.faults.world import People

PARTITIONS = 3
OPENING = 9


class Office:
    """Two machines' services on one ledger: each has folders of its own and shares the log and PostgreSQL."""

    def __init__(self, folder: Path, bootstrap: str, postgres: str, desk: str, seed: int, count: int) -> None:
        """``postgres`` is the live store's URL, ``desk`` the application's; the stream is of ``count`` events."""
        self.place = Place("kills", bootstrap)
        self.people = people_of(PARTITIONS)
        self._folder = folder
        self._stores = {"live": postgres, "project": f"sqlite:///{folder}/project/store.db"}
        self.acknowledged: list[tuple[int, int, str]] = []
        self._task = Task(
            do="publish", place=self.place, folder=str(folder), partitions=PARTITIONS, seed=seed, count=count
        )
        self._wanted = 0
        self._desk = desk
        self._written: list[int] = []
        self._to_write = 0
        self.app = Service("app", ["-m", "tests.campaign.app", desk, str(folder / "app")], folder / "app.log", {})
        self.publisher = Service("publisher", ["-m", "tests.faults.worker"], folder / "publisher.log", {})
        self.services = self._services()
        self.rebuild = self._service("rebuild", "project", "rebuild", "--store", self._stores["project"])

    def _services(self) -> list[Service]:
        live = ("run", "live", "--store", self._stores["live"])
        return [
            self._service("registrar-a", "a", "run", "registrar"),
            self._service("registrar-b", "b", "run", "registrar", "--standby"),
            self._service("herald-a", "a", "run", "herald"),
            self._service("herald-b", "b", "run", "herald"),
            self._service("live-a", "a", *live),
            self._service("live-b", "b", *live),
            self._service("project", "project", "run", "project", "--store", self._stores["project"]),
            self._service("relay-a", "a", "run", "relay", "--outbox", self._desk),
            self._service("relay-b", "b", "run", "relay", "--outbox", self._desk),
        ]

    def _service(self, name: str, machine: str, *words: str) -> Service:
        data = self._folder / machine
        environment = {
            "ROGATORY_LEDGER": f"kafka://{self.place.bootstrap}/{self.place.name}",
            "ROGATORY_LEDGER_ID": self.people.ledger_id,
            "ROGATORY_DATA": str(data),
            "ROGATORY_TIMEOUT": "10",
        }
        return Service(name, ["-m", "infra.cli.main", *words], self._folder / f"{name}.log", environment)

    @property
    def everyone(self) -> list[Service]:
        """All that may be killed."""
        return [*self.services, self.publisher, self.app, self.rebuild]

    def open(self) -> None:
        """Make the topics and keys, start everything, and see the register followed everywhere."""

        async def made() -> None:
            log = self.place.open()
            await log.create(PARTITIONS)
            await log.close()

        run(made())
        for machine in ("a", "b"):
            write_log_key(self._folder / machine / "keys", self.people)
        (self._folder / "project").mkdir()
        self.publish(OPENING)
        self.await_published()
        with Store.open(self._stores["live"]), Store.open(self._stores["project"]):
            pass  # one process makes the tables, as an installation does
        relays = [service for service in self.services if service.name.startswith("relay")]
        for service in self.services:
            if service not in relays:
                service.start()
        # What is said in a partition before the keys are known there is refused, and rightly so.
        until("the register to be followed everywhere", lambda: run(self._followed()), self.keep)
        self.write(1)
        until("the application to have its tables", lambda: self.hear() or bool(self._written), self.keep)
        for service in relays:
            service.start()

    def publish(self, count: int) -> None:
        """Let so many more events be published; returns at once."""
        self._wanted += count
        if not self.publisher.running:
            self._start_publisher()
        else:
            self.publisher.tell(str(count))

    def write(self, count: int) -> None:
        """Let the application commit so many more transactions; returns at once."""
        self._to_write += count
        if not self.app.running:
            self._start_app()
        else:
            self.app.tell(str(count))

    def _start_app(self) -> None:
        self.hear()
        self.app.start(str(len(self._written)))
        self.app.tell(str(self._to_write - len(self._written)))

    def _start_publisher(self) -> None:
        self.hear()
        task = msgspec.structs.replace(self._task, skip=len(self.acknowledged))
        self.publisher.start(msgspec.json.encode(task).decode())
        self.publisher.tell(str(self._wanted - len(self.acknowledged)))

    def hear(self) -> None:
        """Take down what the publisher says was acknowledged."""
        for line in self.publisher.lines():
            partition, offset, id_ = line.split()
            self.acknowledged.append((int(partition), int(offset), id_))
        self._written += [int(line.split()[1]) for line in self.app.lines()]

    def kill(self, service: Service) -> None:
        """Kill it and start it again at once."""
        was = service.running
        if was:
            service.kill()
        if service is self.publisher:
            self._start_publisher()
        elif service is self.app:
            self._start_app()
        else:
            service.start()

    def keep(self) -> None:
        """What a supervisor does: restart what has ended."""
        for service in (*self.services, self.publisher, self.app):
            if not service.paused:
                service.keep()
        if self.rebuild.running and (code := self.rebuild.ended()) is not None:
            assert code in (0, TRY_AGAIN), f"rebuild ended with {code}\n{self.rebuild.complaint()}"
        self.hear()

    def await_published(self) -> None:
        """Until everything wanted was acknowledged."""
        until(
            f"{self._wanted} events to be published, found {len(self.acknowledged)}",
            lambda: len(self.acknowledged) >= self._wanted and len(self._written) >= self._to_write,
            self.keep,
        )

    def rest(self) -> None:
        """Until everything is worked off: decided, followed, and projected into both stores."""
        for service in self.everyone:
            if service.paused:
                service.go_on()
        self.await_published()
        until("every row of the outbox to have its answer", self._relayed, self.keep)
        until("every submission to be decided and every record projected", lambda: run(self._idle()), self.keep, 240.0)

    def _relayed(self) -> bool:
        with OutboxStore.open(self._desk) as store:
            states = [row.state for row in list_rows(store, limit=1_000_000)]
        assert set(states) <= {"waiting", "submitted", "sealed"}, Counter(states)
        return set(states) == {"sealed"}

    async def _followed(self) -> bool:
        log = self.place.open()
        try:
            return all([await log.end(LEDGER, p) >= OPENING for p in range(PARTITIONS)])
        finally:
            await log.close()

    async def _idle(self) -> bool:
        log = self.place.open()
        try:
            ends = [await log.end(LEDGER, p) for p in range(PARTITIONS)]
            submitted = [await log.end(SUBMISSIONS, p) for p in range(PARTITIONS)]
            answered = [await _answered_up_to(log, p) for p in range(PARTITIONS)]
        finally:
            await log.close()
        if answered != submitted:
            return False
        return all([await asyncio.to_thread(self._projected, url, ends) for url in self._stores.values()])

    def _projected(self, url: str, ends: list[int]) -> bool:
        with Store.open(url) as store:
            generation = store.live(FOLD, LedgerId(self.people.ledger_id))
            return [store.load(generation, p).next for p in range(PARTITIONS)] == ends

    def check(self) -> None:
        """Nothing acknowledged is lost, one history, and live = projected = rebuilt on both databases."""
        run(self._check())

    async def _check(self) -> None:
        log, ledger_id = self.place.open(), self.people.ledger_id
        views = await check_all(log, ledger_id, PARTITIONS)
        await check_acknowledged(log, views, self.acknowledged)
        sealed = [id_ for view in views for id_ in _ids_of_the_app(view)]
        assert sorted(sealed) == sorted(f"app-{n}" for n in self._written), "entry and event have parted"
        found = {}
        for name, url in self._stores.items():
            with Store.open(url) as store:
                found[name] = digests(store, store.live(FOLD, ledger_id), PARTITIONS)
                found[f"{name}, rebuilt"] = await rebuilt(log, store, ledger_id, PARTITIONS)
                for generation in store.generations(ledger_id):
                    if generation.state != "live":
                        store.drop(generation)
        await log.close()
        assert len({tuple(d) for d in found.values()}) == 1, found

    def close(self) -> None:
        """Ask everything to end; it must end well."""
        for service in self.everyone:
            if service in (self.publisher, self.app, self.rebuild):
                service.finish()
            elif service.running:
                service.stop()

    def finish(self) -> None:
        """Leave nothing running."""
        for service in self.everyone:
            service.finish()


def write_log_key(folder: Path, people: People) -> None:
    """The log key as a file, where a registrar looks for it."""
    key = people.log_key
    write_key(folder, KeyFile(key.kid, "ed25519", "log", encode_base64(key.public_key), encode_base64(key.seed)))


def _ids_of_the_app(view: Seen) -> list[str]:
    """The events of the application among the records; one that was never committed would be here as well."""
    ids = [msgspec.json.decode(value or b"{}")["id"] for _, _, value, _ in view.history]
    return [id_ for id_ in ids if id_.startswith(("app-", "never-"))]


async def _answered_up_to(log: Log, partition: int) -> int:
    """The offset behind the last submission that has a record or an outcome."""
    offsets = [-1]
    for stored in await _last(log, LEDGER, partition):
        text = header(stored.headers, SEAL_HEADER)
        offsets.append(read_seal(text).offset if text else -1)
    offsets += [read_outcome(stored)[0].offset for stored in await _last(log, OUTCOMES, partition)]
    return max(offsets) + 1


async def _last(log: Log, topic: str, partition: int, count: int = 50) -> list[Stored]:
    end = await log.end(topic, partition)
    reader = log.reader(topic, partition, max(0, end - count))
    try:
        return await reader.read(count) if end else []
    finally:
        await reader.close()
