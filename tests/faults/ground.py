"""Where fault tests take place: an undisturbed run to compare with, and logs that hold the same submissions."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from consumers.herald import Herald
from consumers.registrar import Registrar
from infra.adapters.ledger_folder import LedgerFolder
from infra.adapters.state_file import SqliteStateFile
from ledger.log import SUBMISSIONS, Log, Message, Stored
from ledger.state import StateFile
from tests.fakes import MemoryLog
from tests.faults.checks import Seen, everything, seen
from tests.faults.world import T0, People, Stream

SOAK = bool(os.environ.get("ROGATORY_SOAK"))
BATCH = 9
"""Submissions in one batch of a registrar under test: small, so that there are many writes to disturb."""


def seeds(usual: int, soak: int) -> list[int]:
    """The seeds of a campaign: those of ``ROGATORY_SEED``, else so many from 1 on; more with ``ROGATORY_SOAK=1``."""
    named = os.environ.get("ROGATORY_SEED")
    if named:
        return [int(text) for text in named.split(",")]
    return list(range(1, 1 + (soak if SOAK else usual)))


class Reference(msgspec.Struct, frozen=True):
    """An undisturbed run: what was submitted, by partition, and what readers saw then."""

    people: People
    submissions: list[list[Stored]]
    seen: list[Seen]
    pasts: list[bytes]


def memory_state(partition: int) -> SqliteStateFile:
    """A state file that lasts as long as the object."""
    return SqliteStateFile(Path(":memory:"), partition)


def registrar(log: Log, people: People, partition: int, state: StateFile, batch: int = BATCH) -> Registrar:
    """A registrar of small batches."""
    return Registrar(log, people.ledger_id, partition, state, [people.log_key], batch=batch)


async def settle(registrars: Sequence[Registrar], herald: Herald) -> None:
    """Work until nothing moves."""
    while True:
        moved = [await r.drain() for r in registrars]
        if not await herald.step() and not any(moved):
            return


async def undisturbed(partitions: int, seed: int, count: int) -> Reference:
    """Run a stream through registrars and a herald that nothing happens to; copies arrive where the seed says."""
    people, dice = People(partitions), random.Random(seed)
    log = MemoryLog(partitions, clock=ticking())
    workers = [registrar(log, people, p, memory_state(p), batch=1000) for p in range(partitions)]
    herald = Herald(log, partitions, lambda: 0.0)
    for signed in people.opening():
        await log.append(SUBMISSIONS, 0, [signed.message()])
    await settle(workers, herald)
    for sent in Stream(people, seed).take(count):
        await log.append(SUBMISSIONS, sent.partition, [sent.message])
        if dice.random() < 0.1:
            await workers[0].drain()
            await herald.step()
    await settle(workers, herald)
    return Reference(
        people,
        [await everything(log, SUBMISSIONS, p) for p in range(partitions)],
        [await seen(log, p) for p in range(partitions)],
        [w.state.past for w in workers],
    )


def ticking() -> Callable[[], int]:
    """A clock that goes on by 7 ms whenever somebody looks."""
    return itertools.count(T0 + 3_600_000, 7).__next__


def memory_with(submissions: Sequence[Sequence[Stored]]) -> MemoryLog:
    """A log in memory that holds these submissions and nothing else."""
    log = MemoryLog(len(submissions), clock=ticking())
    for partition, messages in enumerate(submissions):
        log._shelf.topics[SUBMISSIONS][partition].extend(messages)
    return log


async def folder_with(path: Path, submissions: Sequence[Sequence[Stored]]) -> Path:
    """A ledger folder that holds these submissions, at these times, and nothing else."""
    now = [0]
    log = LedgerFolder(path, clock=lambda: now[0])
    await log.create(len(submissions))
    for partition, messages in enumerate(submissions):
        for time, group in itertools.groupby(messages, key=lambda stored: stored.timestamp):
            now[0] = time
            await log.append(SUBMISSIONS, partition, [Message(s.key, s.value, s.headers) for s in group])
    await log.close()
    return path


def cut(log: MemoryLog, topic: str, partition: int, size: int) -> None:
    """Take away everything from position ``size`` on, as no log should ever lose it."""
    del log._shelf.topics[topic][partition][size:]


def copied(log: MemoryLog) -> MemoryLog:
    """Another log with the same content."""
    twin = MemoryLog(clock=log._clock)
    twin._shelf.topics = {t: [list(messages) for messages in ps] for t, ps in log._shelf.topics.items()}
    return twin
