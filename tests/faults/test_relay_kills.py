"""Relays die at any step, and every event that was committed is decided once, in its order.

A *round* is a ledger and an application of its own.  The application goes on committing and rolling back; a relay is
killed at a step that the seed names, again and again, now and then beside a second one; registrars work meanwhile.
Then an undisturbed relay finishes, and everything is checked.

``ROGATORY_SEED=7,8`` runs the rounds of these seeds.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.event import read_event
from ledger.log import SUBMISSIONS
from tests.aio import run
from tests.contracts.log_place import ROOT, Place
from tests.faults.checks import check_all, everything
from tests.faults.ground import seeds
from tests.faults.relay_worker import RelayTask, people_of
from tests.faults.worker import Kill
from tests.integration.stage import Stage, stage
from tests.outboxes import Desk, desk_at

pytestmark = pytest.mark.slow

PARTITIONS = 2
PIECE = 24
"""Transactions for each life of a relay."""
KILLED = -9
PATIENCE = 60.0
STEPS = ("take", SUBMISSIONS, "mark", "answer")


class Round:
    """One application, one ledger, and the relays between them."""

    def __init__(self, ledger: Stage, desk: Desk, place: Place, dice: random.Random, folder: Path) -> None:
        self.ledger = ledger
        self.desk = desk
        self.died = 0
        self._task = RelayTask(url=desk.url, place=place, partitions=PARTITIONS)
        self._dice = dice
        self._folder = folder
        self._numbers = itertools.count()
        self.committed = 0
        self.running: list[subprocess.Popen[str]] = []

    def transactions(self, count: int) -> None:
        """Some are rolled back, and some events will be refused."""
        for _ in range(count):
            n = next(self._numbers)
            stated: dict[str, Any] = {"expectedseq": 999} if self._dice.random() < 0.1 else {}
            with self.desk.engine.connect() as connection:
                self.desk.enter(connection, f"request/{self._dice.randrange(6)}", str(n), **stated)
                if self._dice.random() < 0.2:
                    connection.rollback()
                else:
                    connection.commit()
                    self.committed += 1

    async def life(self, kill: Kill | None, *, beside: Kill | None = None) -> None:
        """One life of a relay (or of two), while the application and the registrars work."""
        relays = [self._start(kill), *([self._start(beside)] if beside else [])]
        for relay in relays:
            assert relay.stdout is not None
            # One that dies at its first look may do so before it is heard.
            assert await asyncio.to_thread(relay.stdout.readline) in ("ready\n", "")
        await asyncio.to_thread(self.transactions, PIECE)
        deadline = time.monotonic() + (PATIENCE if kill is None else 4.0)
        while any(relay.poll() is None for relay in relays) and time.monotonic() < deadline:
            await self.ledger.settle()
            if self._done():
                break
            await asyncio.sleep(0.02)
        for relay in relays:
            if relay.poll() is None:
                _end(relay)
            status = await asyncio.to_thread(relay.wait, PATIENCE)
            assert status in (0, KILLED), (self._folder / "stderr.txt").read_text()[-4000:]
            self.died += status == KILLED
        sys.stdout.write(f"  {kill} {beside or ''}: {[relay.returncode for relay in relays]}\n")

    def _done(self) -> bool:
        return not {"waiting", "submitted"} & set(self.desk.states())

    def _start(self, kill: Kill | None) -> subprocess.Popen[str]:
        with (self._folder / "stderr.txt").open("a") as stderr:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.faults.relay_worker",
                    msgspec.json.encode(msgspec.structs.replace(self._task, kill=kill)).decode(),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=ROOT,
            )
        self.running.append(process)
        return process

    async def check(self) -> None:
        """Every committed event is a record or refused, once; what was rolled back is nowhere; the order is kept."""
        await self.ledger.settle()  # what a relay sent for the second time may have no answer yet
        rows = self.desk.rows()
        assert len(rows) == self.committed == len(self.desk.entered())
        assert {row.state for row in rows} <= {"sealed", "refused"}
        sealed: dict[str, list[str]] = {}
        views = await check_all(self.ledger.log, self.ledger.people.ledger_id, PARTITIONS)
        for view in views:
            for _, _, value, _ in view.history:
                event = read_event(value or b"")
                if event.subject != "register":
                    sealed.setdefault(event.subject, []).append(event.id)
        for subject in {row.subject for row in rows}:
            assert sealed.pop(subject, []) == [r.event_id for r in rows if r.subject == subject and r.state == "sealed"]
        assert not sealed, "records of events that nobody committed"
        known = {row.event_id for row in rows}
        for partition in range(PARTITIONS):
            for stored in await everything(self.ledger.log, SUBMISSIONS, partition):
                event = read_event(stored.value or b"")
                assert event.subject == "register" or event.id in known, "an event of a rolled back transaction"
        refused = [row for row in rows if row.state == "refused"]
        assert all(row.reason == "sequence-conflict" for row in refused)
        for row in refused:
            view = views[row.partition or 0]
            assert (row.epoch, row.offset) in view.outcomes


def _end(relay: subprocess.Popen[str]) -> None:
    assert relay.stdin is not None
    relay.stdin.write("end\n")
    relay.stdin.flush()


@contextmanager
def ended(round_: Round) -> Iterator[None]:
    """Leaves no relay running."""
    try:
        yield
    finally:
        for process in round_.running:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


async def play(place: Place, url: str, folder: Path, seed: int, kills: list[tuple[Kill, Kill | None]]) -> Round:
    people = people_of(PARTITIONS)
    async with stage(place, people, folder) as ledger:
        await ledger.open()
        with desk_at(url, people, folder) as desk:
            round_ = Round(ledger, desk, place, random.Random(seed), folder)
            with ended(round_):
                for kill, beside in kills:
                    await round_.life(kill, beside=beside)
                await round_.life(None)
            await round_.check()
            return round_


def planned(dice: random.Random) -> tuple[Kill, Kill | None]:
    """A step that a relay with a piece to do will probably reach; one time in three, a second relay beside it."""

    def one() -> Kill:
        what = dice.choice(STEPS)
        when = dice.choice(["before", "after", "within"] if what == "mark" else ["before", "after"])
        return Kill(dice.randrange(3), when, what)

    return one(), one() if dice.random() < 0.35 else None


@pytest.mark.parametrize("seed", seeds(1, 40))
def test_killed_on_a_folder(seed: int, store_url: str, tmp_path: Path) -> None:
    dice = random.Random(seed)
    kills = [planned(dice) for _ in range(6)]
    round_ = run(play(Place(str(tmp_path / "folder")), store_url, tmp_path, seed, kills))
    assert round_.died >= 3, "a campaign that kills nobody shows nothing"


def test_every_step_kills_before_and_after(store_url: str, tmp_path: Path) -> None:
    """So that none is left out by chance."""
    kills: list[tuple[Kill, Kill | None]] = [
        (Kill(0, when, what), None) for what, when in itertools.product(STEPS, ("before", "after"))
    ]
    kills.append((Kill(0, "within", "mark"), None))
    round_ = run(play(Place(str(tmp_path / "folder")), store_url, tmp_path, 1, kills))
    assert round_.died == len(kills)


@pytest.mark.kafka
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_killed_between_kafka_and_postgresql(seed: int, kafka_place: Place, postgres_url: str, tmp_path: Path) -> None:
    dice = random.Random(seed)
    kills = [planned(dice) for _ in range(6)]
    round_ = run(play(kafka_place, postgres_url, tmp_path, seed, kills))
    assert round_.died >= 3
