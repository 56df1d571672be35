"""Processes die at any write, and nothing that was acknowledged is lost, sealed twice, or projected wrongly.

A *round* is a ledger of its own: one process publishes a stream, another one runs registrars, herald and projection and
is killed at some write again and again, so also while it recovers; now and then the publisher is killed.  Then the work
is finished undisturbed and everything is checked.

``ROGATORY_SEED=7,8`` runs the rounds of these seeds; a round prints its seed and its kills.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from infra.adapters import broker
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS
from projections.store import Store
from tests.aio import run
from tests.contracts.log_place import ROOT, Place
from tests.faults.checks import FOLD, check_acknowledged, check_all, digests, rebuilt
from tests.faults.ground import seeds
from tests.faults.worker import Kill, Task, people_of

pytestmark = pytest.mark.slow

PARTITIONS = 3
OPENING = 9
PIECE = 18
"""Events published for each life of a worker."""
KILLED = -9
PATIENCE = 120.0
Process = subprocess.Popen[str]


def say(line: str) -> None:
    """For whoever looks at a round that failed."""
    sys.stdout.write(line + "\n")


class Ledger:
    """A ledger that processes work on, and what they were told."""

    def __init__(self, place: Place, folder: Path, seed: int, count: int, partitions: int = PARTITIONS) -> None:
        self.place = place
        self.people = people_of(partitions)
        self.acknowledged: list[tuple[int, int, str]] = []
        self.died = 0
        self._folder = folder
        self._task = Task(do="serve", place=place, folder=str(folder), partitions=partitions, seed=seed, count=count)
        self._running: list[Process] = []
        self._publisher: Process | None = None

    def create(self) -> None:
        """Make the topics."""

        async def made() -> None:
            log = self.place.open()
            await log.create(self.people.partitions)
            await log.close()

        run(made())

    def publish(self, count: int, kill: Kill | None = None) -> None:
        """The next so many events of the stream; a publisher that dies of it is followed by another one."""
        goal = min(len(self.acknowledged) + count, OPENING + self._task.count)
        while (missing := goal - len(self.acknowledged)) > 0:
            if self._publisher is None:
                said = len(self.acknowledged)
                self._publisher = self._start(msgspec.structs.replace(self._task, do="publish", skip=said, kill=kill))
            _tell(self._publisher, str(missing))
            while len(self.acknowledged) < goal and (line := _told(self._publisher)):
                partition, offset, id_ = line.split()
                self.acknowledged.append((int(partition), int(offset), id_))
            if len(self.acknowledged) < goal:
                self._expect_death(self._publisher)
                self._publisher, kill = None, None

    def live(self, kill: Kill | None, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """One life of registrars, herald and projection, until they rest or are killed; whether they were."""
        worker = self._start(msgspec.structs.replace(self._task, kill=kill))
        _told(worker)
        meanwhile()
        _tell(worker, "rest")
        status = worker.wait(PATIENCE)
        say(f"  {kill}: {'died' if status == KILLED else status}")
        if status == 0:
            return False
        assert kill is not None, self._complaints()
        self._expect_death(worker)
        return True

    def _expect_death(self, process: Process) -> None:
        assert process.wait(PATIENCE) == KILLED, self._complaints()
        self.died += 1

    def _complaints(self) -> str:
        return (self._folder / "stderr.txt").read_text()[-4000:]

    def _start(self, task: Task) -> Process:
        with (self._folder / "stderr.txt").open("a") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.worker", msgspec.json.encode(task).decode()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=ROOT,
            )
        self._running.append(process)
        return process

    def stop(self) -> None:
        """Leave nothing running."""
        for process in self._running:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def check(self) -> None:
        """Whatever was acknowledged is answered, nothing twice; the audit and the projection bear it out."""
        run(self._check())

    async def _check(self) -> None:
        log, ledger_id = self.place.open(), self.people.ledger_id
        views = await check_all(log, ledger_id, PARTITIONS)
        await check_acknowledged(log, views, self.acknowledged)
        with Store.open(f"sqlite:///{self._folder}/store.db") as store:
            live = digests(store, store.live(FOLD, ledger_id), PARTITIONS)
            assert live == await rebuilt(log, store, ledger_id, PARTITIONS)
        await log.close()


def _tell(process: Process, line: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has died already
        process.stdin.write(line + "\n")
        process.stdin.flush()


def _told(process: Process) -> str:
    """The next whole line, or nothing from a process that has died."""
    assert process.stdout is not None
    line = process.stdout.readline()
    return line if line.endswith("\n") else ""


def planned(dice: random.Random) -> Kill:
    """Some write that a worker with a piece of the stream to do will probably reach."""
    when = dice.choice(["before", "during", "after"])
    what = dice.choice(["", "", "", SUBMISSIONS, OUTCOMES, LEDGER, "state", "commit"])
    delay = round(dice.uniform(0, 0.004), 5) if when == "during" else 0.0
    return Kill(dice.randrange(3) if what else dice.randrange(16), when, what, delay)


def play(
    ledger: Ledger, seed: int, lives: int, meanwhile: Callable[[], None] = lambda: None, *, each: int = PIECE
) -> None:
    """One round: so many lives, with ``each`` events to each (what ``meanwhile`` publishes counts), then the check."""
    say(f"seed {seed}")
    dice = random.Random(seed)
    ledger.publish(OPENING, Kill(dice.randrange(80), dice.choice(["before", "after"])))
    for _ in range(lives):
        kill = planned(dice)

        def work() -> None:
            ledger.publish(PIECE)
            meanwhile()

        ledger.live(kill, work)
    ledger.live(None)
    ledger.check()
    assert len(ledger.acknowledged) == OPENING + lives * each
    assert ledger.died >= lives // 3, "a campaign that kills nobody shows nothing"


@pytest.fixture
def ledger_of(tmp_path: Path) -> Iterator[Callable[..., Ledger]]:
    made: list[Ledger] = []

    def make(place: Place, seed: int, lives: int) -> Ledger:
        ledger = Ledger(place, tmp_path, seed, lives * PIECE)
        made.append(ledger)
        ledger.create()
        return ledger

    yield make
    for ledger in made:
        ledger.stop()


@pytest.mark.parametrize("seed", seeds(4, 60))
def test_killed_on_a_folder(seed: int, tmp_path: Path, ledger_of: Callable[..., Ledger]) -> None:
    play(ledger_of(Place(str(tmp_path / "folder")), seed, 9), seed, 9)


def test_every_sort_of_write_kills_before_and_after(tmp_path: Path, ledger_of: Callable[..., Ledger]) -> None:
    """So that none is left out by chance. (A copy of the register is only due when the register has grown.)"""
    kills = [
        Kill(0, when, what)
        for what, when in itertools.product((SUBMISSIONS, OUTCOMES, LEDGER, "state", "commit"), ("before", "after"))
    ]
    kills.append(Kill(0, "within", "commit"))
    ledger = ledger_of(Place(str(tmp_path / "folder")), 1, len(kills))
    ledger.publish(OPENING)
    for kill in kills:
        assert ledger.live(kill, lambda: ledger.publish(PIECE)) or kill.what in (SUBMISSIONS, OUTCOMES)
    ledger.live(None)
    ledger.check()


@pytest.mark.kafka
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_killed_on_kafka(seed: int, kafka_place: Place, ledger_of: Callable[..., Ledger]) -> None:
    play(ledger_of(kafka_place, seed, 10), seed, 10)


@pytest.mark.kafka
def test_the_broker_is_killed_under_all_of_them(own_broker: Path, ledger_of: Callable[..., Ledger]) -> None:
    running = broker.status(own_broker)
    assert running is not None
    times = []

    def break_it() -> None:
        times.append(1)
        if len(times) == 2:
            broker.kill_node(own_broker, 1)
            broker.restart_node(own_broker, 1)

    play(ledger_of(Place("killed", running.bootstrap), 3, 3), 3, 3, break_it)
    assert len(times) == 3
