"""The parts of the system as processes of a simulation: the real code, on logs, disks and clocks that the dice hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from consumers.finder import RecordFinder
from consumers.herald import Herald
from consumers.registrar import Registrar
from consumers.replay import Limits, follow
from ledger.chain import Record, Repeated
from ledger.errors import ForkError, LogUnavailable, Overtaken
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log, Message
from ledger.outcome import Outcome
from ledger.signature import Signer
from ledger.versions import KNOWN_VERSIONS
from producers.builder import Sender, Signed
from producers.publisher import Publisher
from producers.receipt import Sealed, SubmissionRefused, Submitted
from projections.store import Store
from tests.faults.faulty import GatedStore, When, Write
from tests.faults.world import COORDINATOR, People, Sent
from tests.simulation.disk import FOLD, Disk, Rows
from tests.simulation.faults import Faults

OLD_RELEASE = frozenset({1})
Body = Callable[[], Awaitable[None]]


class Parts(msgspec.Struct, frozen=True):
    """Which code plays which part; the mutants change one of them."""

    registrar: type[Registrar] = Registrar
    herald: type[Herald] = Herald
    rows: type[Rows] = Rows
    publisher: type[Publisher] = Publisher


class Ready(Signed, frozen=True):
    """A submission that is made already, however wrong it is."""

    sent: Sent

    def message(self) -> Message:
        return self.sent.message

    def partition(self, partitions: int) -> int:
        return self.sent.partition


class Case:
    """What a sender keeps in its own files about one submission; it outlives the sender."""

    def __init__(self, sent: Sent) -> None:
        self.ready = Ready("", sent.id, sent.message.value or b"", (), sent)  # type: ignore[arg-type]
        self.acknowledged: list[Submitted] = []
        self.answers: list[tuple[Submitted, Sealed | Outcome]] = []


async def run_registrar(
    kind: type[Registrar],
    log: Log,
    people: People,
    partition: int,
    disk: Disk,
    *,
    batch: int,
    known: Collection[int] = KNOWN_VERSIONS,
) -> None:
    """Admit one partition, for ever."""
    keys: Sequence[Signer] = [people.log_key]
    registrar = kind(log, people.ledger_id, partition, disk, keys, batch=batch, known=known)
    await registrar.run(asyncio.Event())


async def run_herald(kind: type[Herald], log: Log, partitions: int) -> None:
    """Carry the register, for ever."""
    await kind(log, partitions, asyncio.get_running_loop().time).run(asyncio.Event())


async def run_reader(log: Log, rows: Rows, faults: Faults, partition: int, known: Collection[int]) -> None:
    """Fold one partition into rows, for ever."""
    while True:
        try:
            await _read(log, rows, faults, partition, known)
        except Overtaken:
            faults.tell(f"overtaken in {partition}")
        except LogUnavailable:
            await asyncio.sleep(0.5)


async def _read(log: Log, rows: Rows, faults: Faults, partition: int, known: Collection[int]) -> None:
    view = rows.view(partition, known)
    reader = log.reader(LEDGER, partition, view.next)
    finder = RecordFinder(log, partition)
    while True:
        messages = await reader.read(faults.dice.choice((2, 8, 100)), 0.5)
        if missing := view.missing(messages):
            view.learn(missing, rows.rows(view, missing))
        try:
            for stored in messages:
                taken = view.take(stored)
                if isinstance(taken, Repeated):
                    first = (await finder.find(taken.index)).leaf
                    if first != taken.leaf:
                        raise ForkError(f"index {partition}/{taken.index}: {first.hex()} and {taken.leaf.hex()}")
                    view.skip(stored)
                else:
                    assert isinstance(taken, Record), f"ahead of its index: {taken}"
        finally:
            batch = view.cut()
            if batch is not None:
                await faults.pause()
                rows.commit(batch)
                view.committed(batch)


class SqliteRows:
    """A store in a file of its own, followed by the real loop."""

    def __init__(self, path: Path, faults: Faults, ledger_id: LedgerId) -> None:
        self._url = f"sqlite:///{path}"
        self._faults = faults
        with Store.open(self._url) as store:
            self.generation = store.live(FOLD, ledger_id)

    async def run(self, log: Log) -> None:
        """Follow all partitions, for ever."""
        store = GatedStore.open(self._url)
        assert isinstance(store, GatedStore)
        store.gate = self._gate
        limits = Limits(piece=8, records=16, seconds=float("inf"), wait=0.5, look_again=30.0)
        outcome = await follow(log, store, FOLD, self.generation, limits=limits)
        for error in outcome.stopped.values():
            raise error

    def _gate(self, write: Write, when: When) -> None:
        faults = self._faults
        if faults.left and faults.dice.random() < faults.plan.often / 2:
            faults.left -= 1
            faults.tell(f"dies {when}: commit/{write.partition}")
            faults.die()

    def nexts(self, partitions: int) -> list[int]:
        """Where it stands in each partition."""
        with Store.open(self._url) as store:
            return [store.load(self.generation, p).next for p in range(partitions)]

    def digests(self, partitions: int) -> list[bytes]:
        """The digest of each partition, every row checked."""
        with Store.open(self._url) as store:
            return [store.digest(self.generation, p, check=True)[1] for p in range(partitions)]


async def run_publisher(kind: type[Publisher], log: Log, people: People, cases: Sequence[Case], faults: Faults) -> None:
    """Submit what has no answer yet, and wait for the answers; some at once, some together, some later."""
    sender = Sender(people.ledger_id, COORDINATOR, [people.coordinator])
    publisher = kind(log, sender, people.partitions, patience=1e9, clock=lambda: 0)
    waiting = [case for case in cases if not case.answers]
    later: list[tuple[Case, Submitted]] = []
    while waiting:
        await faults.pause()
        size = faults.dice.choice((1, 1, 1, 2, 5))
        now, waiting = waiting[:size], waiting[size:]
        submitted = await publisher.submit_all([case.ready for case in now])
        for case, place in zip(now, submitted, strict=True):
            faults.tell(f"acknowledged {case.ready.id} at {place.partition}/{place.offset}")
            case.acknowledged.append(place)
            later.append((case, place))
        if faults.dice.random() < 0.5:
            await _answered(publisher, later)
            later = []
    await _answered(publisher, later)
    await publisher.close()


async def _answered(publisher: Publisher, waiting: Sequence[tuple[Case, Submitted]]) -> None:
    for case, place in waiting:
        try:
            answer: Any = await publisher.result(place)
        except SubmissionRefused as refused:
            answer = refused.outcome
        case.answers.append((place, answer))
