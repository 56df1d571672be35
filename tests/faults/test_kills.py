"""Processes die at any write, and nothing that was acknowledged is lost, sealed twice, or projected wrongly.

A *round* is a ledger of its own: one process publishes a stream, another one runs registrars, herald and projection,
and is killed at some write again and again, on purpose also while it recovers.  Now and then the publisher is killed.
Then the work is finished undisturbed and everything is checked.

``ROGATORY_SEED=7,8`` runs the rounds of these seeds; a round prints its seed and its kills.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from infra.adapters import broker
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS
from projections.store import Store
from tests.aio import run
from tests.contracts.log_place import ROOT, Place
from tests.faults.checks import FOLD, check_all, digests, everything, rebuilt
from tests.faults.ground import SOAK, seeds
from tests.faults.worker import Kill, Task, people_of

PARTITIONS = 3
KILLED = -9
PATIENCE = 120.0
_SORTS = ("", "", "", SUBMISSIONS, OUTCOMES, LEDGER, "state", "commit")


class Ledger:
    """A ledger that processes work on, and what they were told."""

    def __init__(self, place: Place, folder: Path, seed: int, count: int) -> None:
        self._task = Task(do="serve", place=place, folder=str(folder), partitions=PARTITIONS, seed=seed, count=count)
        self._folder = folder
        self.acknowledged: list[tuple[int, int, str]] = []
        self._running: list[subprocess.Popen[str]] = []

    def create(self) -> None:
        async def made() -> None:
            log = self._task.place.open()
            await log.create(PARTITIONS)
            await log.close()

        run(made())

    def start(self, kill: Kill | None = None) -> subprocess.Popen[str]:
        """Registrars, herald and projection."""
        return self._start(msgspec.structs.replace(self._task, kill=kill))

    def publish(self, kill: Kill | None = None) -> tuple[subprocess.Popen[str], threading.Thread]:
        """The publisher, going on behind what was acknowledged; a thread takes down what is now."""
        task = msgspec.structs.replace(self._task, do="publish", skip=len(self.acknowledged), kill=kill)
        process = self._start(task)
        thread = threading.Thread(target=self._take_down, args=(process,), daemon=True)
        thread.start()
        return process, thread

    def _take_down(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("\n"):
                partition, offset, id_ = line.split()
                self.acknowledged.append((int(partition), int(offset), id_))

    def _start(self, task: Task) -> subprocess.Popen[str]:
        text = msgspec.json.encode(task).decode()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self._folder / "stderr.txt").open("a"),
            text=True,
            cwd=ROOT,
        )
        self._running.append(process)
        return process

    def finish(self, worker: subprocess.Popen[str] | None = None) -> None:
        """Let a worker come to rest undisturbed."""
        worker = worker or self.start()
        assert self.ended(worker, tell=True) == 0, (self._folder / "stderr.txt").read_text()[-3000:]

    def ended(self, process: subprocess.Popen[str], *, tell: bool = False) -> int:
        """Wait for a process, after telling it to come to rest if so wished; its status."""
        assert process.stdin is not None
        if tell:
            try:
                process.stdin.write("\n")
                process.stdin.flush()
            except BrokenPipeError:
                pass  # it has died at its write
        status = process.wait(PATIENCE)
        process.stdin = None if process.stdin.closed else process.stdin
        return status

    def stop(self) -> None:
        """Leave nothing running."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        pass

    def check(self) -> None:
        """Whatever was acknowledged is answered, nothing twice; the audit and the projection bear it out."""
        people = people_of(self._task)

        async def checked() -> None:
            log = self._task.place.open()
            views = await check_all(log, people.ledger_id, PARTITIONS)
            for partition in range(PARTITIONS):
                submitted = {s.position: s.value or b"" for s in await everything(log, SUBMISSIONS, partition)}
                sealed = {
                    seal.offset: record[2]
                    for seal, record in zip(views[partition].seals, views[partition].history, strict=True)
                }
                outcomes = {offset: told[2] for (_, offset), told in views[partition].outcomes.items()}
                for _, offset, id_ in (a for a in self.acknowledged if a[0] == partition):
                    assert f'"{id_}"'.encode() in submitted[offset] or id_ == "-"
                    assert (sealed | outcomes)[offset] == submitted[offset]
            with Store.open(f"sqlite:///{self._folder}/store.db") as store:
                live = digests(store, store.live(FOLD, people.ledger_id), PARTITIONS)
                assert live == await rebuilt(log, store, people.ledger_id, PARTITIONS)
            await log.close()

        run(checked())


def plan(dice: random.Random) -> Kill:
    """A kill: early more often than late, since every start writes a little and few write much."""
    when = dice.choice(["before", "during", "after"])
    what = dice.choice(_SORTS)
    n = min(dice.randrange(40), dice.randrange(40)) if not what else dice.randrange(8)
    return Kill(n, when, what, round(dice.uniform(0, 0.004), 5) if when == "during" else 0.0)


def campaign(ledger: Ledger, dice: random.Random, kills: int, between: Callable[[], None] = lambda: None) -> int:
    """One round; how many processes died as planned."""
    died = 0
    publisher, thread = ledger.publish(Kill(dice.randrange(60), "after") if dice.random() < 0.5 else None)
    for _ in range(kills):
        kill = plan(dice)
        worker = ledger.start(kill)
        if publisher.poll() is not None:
            thread.join()
            if publisher.returncode == KILLED:
                died += 1
                publisher, thread = ledger.publish()
        # It comes to rest when it has met no such write, or dies of it; either way it is told to rest at once, since
        # the next one goes on.
        status = ledger.ended(worker, tell=True)
        print(f"  {kill}: {'died' if status == KILLED else status}")
        assert status in (0, KILLED), (ledger._folder / "stderr.txt").read_text()[-3000:]
        died += status == KILLED
        between()
    if ledger.ended(publisher) == KILLED:
        thread.join()
        died += 1
        publisher, thread = ledger.publish()
        ledger.ended(publisher)
    thread.join()
    assert publisher.returncode == 0, (ledger._folder / "stderr.txt").read_text()[-3000:]
    ledger.finish()
    ledger.check()
    return died


@pytest.fixture
def ledger_of(tmp_path: Path) -> Iterator[Callable[..., Ledger]]:
    made: list[Ledger] = []

    def make(place: Place, seed: int, count: int) -> Ledger:
        ledger = Ledger(place, tmp_path, seed, count)
        made.append(ledger)
        ledger.create()
        return ledger

    yield make
    for ledger in made:
        ledger.stop()


@pytest.mark.parametrize("seed", seeds(5, 60))
def test_killed_on_a_folder(seed: int, tmp_path: Path, ledger_of: Callable[..., Ledger]) -> None:
    print("seed", seed)
    ledger = ledger_of(Place(str(tmp_path / "folder")), seed, 150)
    assert campaign(ledger, random.Random(seed), 8) >= 3
    assert len(ledger.acknowledged) == 150 + 9


def test_each_sort_of_write_kills_once_before_and_once_after(tmp_path: Path, ledger_of: Callable[..., Ledger]) -> None:
    """So that none is left out by chance."""
    ledger = ledger_of(Place(str(tmp_path / "folder")), 1, 120)
    publisher, thread = ledger.publish()
    assert ledger.ended(publisher) == 0
    thread.join()
    sorts = (OUTCOMES, LEDGER, "state", SUBMISSIONS, "commit")
    for what, when in itertools.product(sorts, ("before", "after")):
        status = ledger.ended(ledger.start(Kill(1, when, what)), tell=True)
        print(when, what, status)
        assert status in ((KILLED,) if what == LEDGER else (0, KILLED))
    ledger.finish()
    ledger.check()


@pytest.mark.kafka
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_killed_on_kafka(seed: int, kafka_place: Place, ledger_of: Callable[..., Ledger]) -> None:
    print("seed", seed)
    assert campaign(ledger_of(kafka_place, seed, 120), random.Random(seed), 10) >= 3


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a broker that a test may kill."""
    folder = tmp_path_factory.mktemp("own")
    broker.start(folder)
    yield folder
    broker.stop(folder)


@pytest.mark.kafka
def test_the_broker_is_killed_too(own_broker: Path, ledger_of: Callable[..., Ledger]) -> None:
    running = broker.status(own_broker)
    assert running is not None
    broken = []

    def break_it() -> None:
        """The broker dies under the publisher, once, and comes back."""
        if not broken:
            broken.append(True)
            broker.kill_node(own_broker, 1)
            broker.restart_node(own_broker, 1)

    ledger = ledger_of(Place("killed", running.bootstrap), 1, 120)
    campaign(ledger, random.Random(5), 3 if not SOAK else 10, break_it)
    assert broken
