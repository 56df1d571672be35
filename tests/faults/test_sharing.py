"""Processes share partitions while one is killed, one is paused and one leaves: one history, and nothing is lost.

Real processes on a real log, under a running stream of submissions.  ``ROGATORY_SOAK=1`` makes it longer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from consumers.lag import progress
from tests.aio import run
from tests.contracts.log_place import ROOT, Place
from tests.faults.checks import check_all
from tests.faults.ground import SOAK, seeds
from tests.faults.sharer import Task
from tests.faults.test_kills import Ledger

pytestmark = pytest.mark.slow

PARTITIONS = 6
SESSION = 6.0
OPENING = 9
PIECE = 30
PATIENCE = 60.0


class Sharers:
    """A ledger, the processes that share it, and a publisher."""

    def __init__(self, place: Place, folder: Path, seed: int, count: int) -> None:
        self.place = place
        self.folder = folder
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.ledger = Ledger(place, folder, seed, count, partitions=PARTITIONS)
        self.ledger.create()

    def start(self, name: str, **stated: object) -> None:
        """One more process, with a state folder of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        task = Task(name=name, place=self.place, folder=str(folder), partitions=PARTITIONS, session=SESSION)
        task = msgspec.structs.replace(task, **stated)
        with (self.folder / f"{name}.txt").open("a") as stderr:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.sharer", msgspec.json.encode(task).decode()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT,
            )  # fmt: skip
        out = self.running[name].stdout
        assert out is not None
        assert out.readline() == "ready\n", self.said(name)

    def said(self, name: str) -> str:
        """What a process has logged."""
        return (self.folder / f"{name}.txt").read_text()

    def signal(self, name: str, number: int) -> None:
        """To one of them."""
        os.kill(self.running[name].pid, number)

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.signal(name, signal.SIGKILL)
        self.running.pop(name).communicate()

    def leave(self, name: str) -> None:
        """It leaves in good order."""
        process = self.running.pop(name)
        out, _ = process.communicate("leave\n", timeout=PATIENCE)
        assert (process.returncode, out) == (0, "left\n"), self.said(name)

    def publish(self, count: int) -> None:
        """So many more events."""
        self.ledger.publish(count)

    def settle(self) -> None:
        """Wait until everything is decided and copied everywhere; the processes do that by themselves."""
        deadline = time.monotonic() + PATIENCE
        while not run(self._settled()):
            assert time.monotonic() < deadline, "\n".join(f"{n}:\n{self.said(n)[-1500:]}" for n in self.running)
            for name, process in self.running.items():
                assert process.poll() is None, self.said(name)
            time.sleep(0.2)

    async def _settled(self) -> bool:
        log = self.place.open(10.0)
        try:
            found = [await progress(log, p) for p in range(PARTITIONS)]
            return all(one.waiting == 0 for one in found) and await self._followed()
        finally:
            await log.close()

    async def _followed(self) -> bool:
        log = self.place.open(10.0)
        try:
            await check_all(log, self.ledger.people.ledger_id, PARTITIONS)
        except AssertionError:
            return False
        finally:
            await log.close()
        return True

    def check(self) -> None:
        """One history for all readers, every submission answered once, the register the same everywhere."""

        async def checked() -> None:
            log = self.place.open(10.0)
            views = await check_all(log, self.ledger.people.ledger_id, PARTITIONS)
            answered = [{s.offset for s in v.seals} | {offset for _, offset in v.outcomes} for v in views]
            assert all(offset in answered[partition] for partition, offset, _ in self.ledger.acknowledged)
            await log.close()

        run(checked())

    def stop(self) -> None:
        """Leave nothing running."""
        for process in self.running.values():
            process.kill()
            process.communicate()
        self.ledger.stop()


@pytest.fixture
def sharers_of(tmp_path: Path) -> Iterator[type[Sharers]]:
    made: list[Sharers] = []

    def make(place: Place, seed: int, count: int) -> Sharers:
        made.append(Sharers(place, tmp_path, seed, count))
        return made[-1]

    yield make  # type: ignore[misc]
    for one in made:
        one.stop()


@pytest.mark.kafka
@pytest.mark.parametrize("seed", seeds(1, 5))
def test_one_is_killed_one_paused_and_one_leaves(kafka_place: Place, sharers_of: type[Sharers], seed: int) -> None:
    rounds = 3 if SOAK else 1
    world = sharers_of(kafka_place, seed, 5 * PIECE * rounds)
    dice = random.Random(seed)
    world.publish(OPENING)
    for name in ("a", "b", "c"):
        world.start(name)
    for round_ in range(rounds):
        names = list(world.running)
        dice.shuffle(names)
        killed, paused, leaving = names[:3]
        world.publish(PIECE)
        world.kill(killed)
        world.publish(PIECE)
        world.signal(paused, signal.SIGSTOP)
        asleep = time.monotonic()
        world.publish(PIECE)
        time.sleep(max(0.0, SESSION + 1 - (time.monotonic() - asleep)))
        world.signal(paused, signal.SIGCONT)
        world.publish(PIECE)
        world.start(f"{killed}{round_}")
        world.leave(leaving)
        world.start(f"{leaving}{round_}")
        world.publish(PIECE)
        world.settle()
        assert "giving partitions" in world.said(paused)
    for name in list(world.running):
        world.leave(name)
    world.check()
    assert len(world.ledger.acknowledged) == OPENING + 5 * PIECE * rounds


@pytest.mark.parametrize("seed", seeds(1, 5))
def test_a_standby_takes_over_from_a_killed_holder_on_a_folder(
    tmp_path: Path, sharers_of: type[Sharers], seed: int
) -> None:
    _take_over(sharers_of(Place(str(tmp_path / "ledger")), seed, 4 * PIECE))


@pytest.mark.kafka
def test_a_standby_takes_over_from_a_killed_holder_on_kafka(kafka_place: Place, sharers_of: type[Sharers]) -> None:
    _take_over(sharers_of(kafka_place, 7, 4 * PIECE))


def _take_over(world: Sharers) -> None:
    """The holder is killed while submissions come; the one that followed it goes on, then the next one."""
    world.publish(OPENING)
    world.start("a")
    world.publish(PIECE)
    world.settle()
    world.start("s", standby=True)
    world.publish(PIECE)
    world.settle()
    assert "admitting from now on" not in world.said("s")
    world.kill("a")
    world.publish(PIECE)
    world.settle()
    assert world.said("s").count("admitting from now on") == PARTITIONS
    world.start("t", standby=True)
    world.leave("s")
    world.publish(PIECE)
    world.settle()
    world.leave("t")
    world.check()
