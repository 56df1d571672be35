"""The processes that the kill campaign kills: ``python -m tests.faults.worker TASK`` with a ``Task`` as JSON.

``serve``     registrars of all partitions, a herald and a follower of the status projection; prints ``ready``, works
              until a line comes on standard input, then until nothing moves, and ends with status 0
``publish``   submits as many events of its seed's stream as each line on standard input says, and prints
              ``<partition> <offset> <id>`` of every event once its append has returned

Either can be told to die: at the ``n``-th write or commit of this process, before it, after it, or some moments after
it has begun.  The wrappers that count are this module's; what they wrap is what runs in production.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec

from consumers.herald import Herald
from consumers.replay import Limits, follow
from infra.adapters.state_file import SqliteStateFile
from ledger.errors import LogUnavailable
from ledger.log import SUBMISSIONS, Log
from projections.engine import open_engine
from tests.contracts.log_place import Place
from tests.faults.checks import FOLD
from tests.faults.faulty import GatedLog, GatedState, GatedStore, When, Write
from tests.faults.ground import registrar, settle
from tests.faults.world import People, Sent, Stream

LIMITS = Limits(piece=16, records=32, seconds=0.05, wait=0.2)


class Kill(msgspec.Struct, frozen=True):
    """When to die: at which write (from 0) of which sort (any, if empty)."""

    n: int
    when: Literal["before", "during", "within", "after"]
    what: str = ""
    delay: float = 0.0
    """Seconds after the begin of the write, for ``during``."""

    def __str__(self) -> str:
        return f"{self.when} {self.what or 'write'} {self.n}" + (f" +{self.delay * 1000:.1f} ms" if self.delay else "")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do, and where."""

    do: Literal["serve", "publish"]
    place: Place
    folder: str
    """State files and store."""
    partitions: int
    seed: int
    skip: int = 0
    count: int = 0
    kill: Kill | None = None


def people_of(partitions: int) -> People:
    """The same people in all processes."""
    return People(partitions, "kills")


class Reaper:
    """Counts writes and ends this process at the one that is named."""

    def __init__(self, kill: Kill | None) -> None:
        self._kill = kill
        self._begun = self._ended = 0
        self._lock = threading.Lock()  # commits come from other threads

    def __call__(self, write: Write, when: When) -> None:
        kill = self._kill
        if kill is None or kill.what not in ("", write.what):
            return
        with self._lock:
            if when == "before":
                number, self._begun = self._begun, self._begun + 1
            elif when == "within":
                number = self._begun - 1
            else:
                number, self._ended = self._ended, self._ended + 1
        if number != kill.n:
            return
        if kill.when == when:
            die()
        if kill.when == "during" and when == "before":
            threading.Thread(target=self._later, args=(kill.delay,), daemon=True).start()

    @staticmethod
    def _later(delay: float) -> None:
        time.sleep(delay)
        die()

    async def slow(self, write: Write, when: When) -> None:
        """The same for a log."""
        self(write, when)


def die() -> None:
    """As a power cut would end this process: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


async def serve(task: Task, log: Log, reaper: Reaper) -> None:
    """Registrars, herald and projection, as production runs them side by side."""
    people, folder = people_of(task.partitions), Path(task.folder)
    states = [SqliteStateFile(folder / f"p{p}.sqlite", p) for p in range(task.partitions)]
    gated = GatedLog(log, reaper.slow)
    registrars = [registrar(gated, people, p, GatedState(s, p, reaper)) for p, s in enumerate(states)]
    herald = Herald(gated, task.partitions, time.monotonic)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.readline(), loop.call_soon_threadsafe(stop.set)), daemon=True).start()
    say("ready")
    with GatedStore(open_engine(f"sqlite:///{folder}/store.db")) as store:
        store.gate = reaper
        generation = store.live(FOLD, people.ledger_id)
        async with asyncio.TaskGroup() as group:
            for one in registrars:
                group.create_task(one.run(stop))
            group.create_task(herald.run(stop))
            group.create_task(follow(gated, store, FOLD, generation, stop=stop, limits=LIMITS))
        while True:  # what moves nothing any more has decided everything
            try:
                await settle(registrars, herald)
                outcome = await follow(gated, store, FOLD, generation, until_idle=True, limits=LIMITS)
                break
            except LogUnavailable:
                continue
    if outcome.stopped:
        raise next(iter(outcome.stopped.values()))
    for one in registrars:
        await one.close()
    await herald.close()


async def publish(task: Task, log: Log, reaper: Reaper) -> None:
    """Submit the stream, from where an earlier process came to; a line stands for what was acknowledged."""
    people = people_of(task.partitions)
    opening = [Sent(0, signed.message(), signed.id, "opening") for signed in people.opening()]
    stream = [*opening, *Stream(people, task.seed, subjects=30).take(task.count)]
    waiting = iter(stream[task.skip :])
    gated = GatedLog(log, reaper.slow)
    while line := await asyncio.to_thread(sys.stdin.readline):
        for sent in itertools.islice(waiting, int(line)):
            offset = await append(gated, sent)
            say(f"{sent.partition} {offset} {sent.id or '-'}")


async def append(log: Log, sent: Sent) -> int:
    """Its offset, after as many attempts as it takes."""
    while True:
        try:
            return await log.append(SUBMISSIONS, sent.partition, [sent.message])
        except LogUnavailable:
            continue


def say(line: str) -> None:
    """To whoever has started us, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(task: Task) -> None:
    """One task."""
    log = task.place.open(10.0)
    try:
        await {"serve": serve, "publish": publish}[task.do](task, log, Reaper(task.kill))
    finally:
        await log.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Task)))
