"""One seed: a ledger is opened, used and disturbed, until all of it has come to rest."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import msgspec

from ledger.catalogue.own import RulesAdopted
from ledger.catalogue.requests import RequestAccepted
from ledger.errors import LogUnavailable, UnknownVersion
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, TOPICS, Stored, header
from ledger.outcome import parse_outcome_key
from ledger.seal import read_seal
from ledger.submission import SEAL_HEADER
from ledger.versions import KNOWN_VERSIONS
from tests.faults.world import COORDINATOR, OFFICES, People, Sent, Stream, changed, message_of
from tests.simulation.disk import Disk, Rows
from tests.simulation.faults import Faults, Plan
from tests.simulation.log import Shelf, SimulatedLog
from tests.simulation.loop import Process, Trace
from tests.simulation.parts import (
    OLD_RELEASE,
    Case,
    Parts,
    SqliteRows,
    run_herald,
    run_publisher,
    run_reader,
    run_registrar,
)

_PATIENCE = 400.0
"""Virtual seconds since the last fault after which a world that has not come to rest never will: every part waits less
than a tenth of it before it tries again."""
_RESTARTS = (LogUnavailable, sqlite3.OperationalError)
"""What ends a process that is then started again, as a supervisor would."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed says of its world."""

    partitions: int
    count: int
    plan: Plan
    registrars: int
    """Of each partition, at the same time."""
    heralds: int
    upgrades: bool
    """Version 2 is adopted on the way, with registrars and readers of an older release at work."""
    sqlite: bool
    """One reader is the real loop on a real store."""

    @classmethod
    def of(cls, seed: int) -> Setting:
        """The same for the same seed, for ever."""
        dice = random.Random(f"setting {seed}")
        plan = Plan(
            faults=dice.choice((0, 10, 25, 60, 60)),
            often=dice.choice((0.1, 0.25, 0.5)),
            slow=dice.choice((0.02, 0.1, 0.3)),
            deadly=dice.random() < 0.7,
            aim=dice.choice(("", "", "", *TOPICS, "read", "state", "commit")),
        )
        return cls(
            partitions=dice.choice((2, 2, 3)),
            count=dice.randint(20, 45),
            plan=plan,
            registrars=dice.choice((1, 2, 2)),
            heralds=dice.choice((1, 2)),
            upgrades=dice.random() < 0.3,
            sqlite=dice.random() < 0.06,
        )


@cache
def people_of(partitions: int) -> People:
    """The same people in every seed: their keys are dear to make."""
    return People(partitions, "simulated")


@cache
def opening_of(partitions: int) -> list[Sent]:
    """What opens their ledger."""
    return [Sent(0, signed.message(), signed.id, "opening") for signed in people_of(partitions).opening()]


class World:
    """Everything that one seed needs. ``run`` leaves it at rest."""

    def __init__(self, seed: int, setting: Setting, parts: Parts, trace: Trace) -> None:
        self.setting = setting
        self.people = people_of(setting.partitions)
        self.faults = Faults(random.Random(seed), trace, setting.plan)
        self.shelf = Shelf(setting.partitions)
        self.parts = parts
        self._opening = [Case(sent) for sent in opening_of(setting.partitions)]
        acts = [Case(sent) for sent in self._stream(seed)]
        self._shares = [acts[::2], acts[1::2], *([[Case(self._adoption(seed))]] if setting.upgrades else [])]
        self.cases = [case for share in (self._opening, *self._shares) for case in share]
        self.rows = [Rows.__new__(parts.rows) for _ in range(2)]
        for rows in self.rows:
            Rows.__init__(rows, self.faults, self.people.ledger_id)
        self.sqlite: SqliteRows | None = None
        self.stopped: list[str] = []
        """Processes of an older release that stopped at the adoption."""
        self._running: dict[str, Process] = {}
        self._published = 0
        self._publishers = 1 + len(self._shares)
        self._answered = [(0, 0, set[int]()) for _ in range(setting.partitions)]

    def _stream(self, seed: int) -> list[Sent]:
        """What people submit, with wrong dates between it."""
        dice, people = self.faults.dice, self.people
        stream = Stream(people, seed, subjects=6).take(self.setting.count)
        for n in range(4):
            stream.insert(dice.randint(0, len(stream)), _wrong_date(people, seed, n))
        return stream

    def _adoption(self, seed: int) -> Sent:
        people = self.people
        signed = people.say(COORDINATOR, "register", RulesAdopted(version=2), *people.authorities[:2], id=f"v2-{seed}")
        return Sent(0, signed.message(), signed.id, "adoption")

    # Processes

    async def run(self, folder: Path, check: Callable[[World], None]) -> None:
        """From the opening until all rests, then ``check``; raises what no process may end with."""
        if self.setting.sqlite:
            self.sqlite = SqliteRows(folder / "rows.db", self.faults, self.people.ledger_id)
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._until_rest(check))
            services = [
                *(group.create_task(self._live(name, body)) for name, body in self._services()),
                group.create_task(self._clock()),
                group.create_task(self._killer()),
            ]
            opening = group.create_task(self._publish("publisher 0", self._opening, None))
            publishers = [opening]
            for number, cases in enumerate(self._shares, 1):
                # Nearly everybody waits until the ledger is open; what comes before is refused.
                after = opening if number == 3 or self.faults.dice.random() < 0.9 else None
                publishers.append(group.create_task(self._publish(f"publisher {number}", cases, after)))
            await asyncio.wait([watch, *services], return_when=asyncio.FIRST_COMPLETED)
            for task in (*services, *publishers):
                task.cancel()

    def _services(self) -> list[tuple[str, Callable[[Disk | None, bool], Awaitable[None]]]]:
        setting, parts, people, faults = self.setting, self.parts, self.people, self.faults
        made: list[tuple[str, Callable[[Disk | None, bool], Awaitable[None]]]] = []

        def registrar(partition: int) -> Callable[[Disk | None, bool], Awaitable[None]]:
            batch = faults.dice.choice((2, 5, 40))

            def body(disk: Disk | None, old: bool) -> Awaitable[None]:
                assert disk is not None
                known = OLD_RELEASE if old else KNOWN_VERSIONS
                return run_registrar(parts.registrar, self._log(), people, partition, disk, batch=batch, known=known)

            return body

        def reader(rows: Rows, partition: int) -> Callable[[Disk | None, bool], Awaitable[None]]:
            return lambda _, old: run_reader(
                self._log(), rows, faults, partition, OLD_RELEASE if old else KNOWN_VERSIONS
            )

        for partition in range(setting.partitions):
            made += [(f"registrar {partition}{letter}", registrar(partition)) for letter in "ab"[: setting.registrars]]
            # Two readers share the first rows, one has the second to itself.
            made += [(f"reader {partition}{letter}", reader(self.rows[n], partition)) for n, letter in enumerate("ac")]
            made.append((f"reader {partition}b", reader(self.rows[0], partition)))
        for letter in "ab"[: setting.heralds]:
            made.append((f"herald {letter}", lambda *_: run_herald(parts.herald, self._log(), setting.partitions)))
        if self.sqlite is not None:
            sqlite = self.sqlite
            made.append(("follower", lambda *_: sqlite.run(self._log())))
        return made

    def _log(self) -> SimulatedLog:
        return SimulatedLog(self.shelf, self.faults)

    async def _live(self, name: str, body: Callable[[Disk | None, bool], Awaitable[None]]) -> None:
        """Run a service, and start it again whenever it has died; a supervisor never dies itself."""
        dice, tell = self.faults.dice, self.faults.tell
        sort, _, which = name.partition(" ")
        disk = Disk(self.faults, int(which[0])) if sort == "registrar" else None
        old = self.setting.upgrades and sort in ("registrar", "reader") and dice.random() < 0.6
        while True:
            process = self._running[name] = Process(name)
            task = process.spawn(_awaited(body(disk, old)))
            await asyncio.wait([task, process.gone], return_when=asyncio.FIRST_COMPLETED)
            said = "died"
            if not process.gone.done():
                error = task.exception()
                if isinstance(error, UnknownVersion) and old:
                    # Somebody upgrades it, though not always at the first attempt.
                    self.stopped.append(name)
                    old = dice.random() < 0.3
                elif not isinstance(error, _RESTARTS):
                    raise AssertionError(f"{name} ended: {error!r}") from error
                said = type(error).__name__
            process.kill()
            state = disk.back() if disk is not None and said == "died" else "kept"
            tell(f"{name}: {said}, state {state}, {'older' if old else 'this'} release")
            await asyncio.sleep(dice.choice((0.0, 0.1, 1.0, 10.0)))

    async def _publish(self, name: str, cases: list[Case], after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait([after])
        await asyncio.sleep(self.faults.dice.choice((0.0, 1.0, 10.0)))
        while True:
            process = Process(name)
            work = run_publisher(self.parts.publisher, self._log(), self.people, cases, self.faults)
            task = process.spawn(work)
            await asyncio.wait([task, process.gone], return_when=asyncio.FIRST_COMPLETED)
            if not process.gone.done():
                error = task.exception()
                if error is None:
                    break
                if not isinstance(error, _RESTARTS):
                    raise AssertionError(f"{name} ended: {error!r}") from error
            process.kill()
            await asyncio.sleep(self.faults.dice.choice((0.0, 1.0, 5.0)))
        self._published += 1

    async def _killer(self) -> None:
        """Services also die between writes."""
        dice, faults = self.faults.dice, self.faults
        while True:
            await asyncio.sleep(dice.uniform(0.2, 10))
            if faults.left and faults.plan.deadly and not faults.plan.aim and dice.random() < faults.plan.often:
                process = dice.choice(list(self._running.values()))
                faults.strike("dies", process.name)
                process.kill()

    async def _clock(self) -> None:
        """The clock of the log is set, forth and back."""
        while True:
            await asyncio.sleep(self.faults.dice.uniform(1, 20))
            self.shelf.skew = self.faults.dice.choice((0, 0, -4000, 90_000)) if self.faults.left else 0

    # Rest

    async def _until_rest(self, check: Callable[[World], None]) -> None:
        loop = asyncio.get_running_loop()
        while not self._rests():
            if self._published == self._publishers:
                self.faults.calm()
            if loop.time() > self.faults.last + _PATIENCE:
                raise AssertionError(f"not at rest {_PATIENCE:.0f} s after the last fault: {self._waits_for()}")
            await asyncio.sleep(1.0)
        check(self)  # at this very moment: those who are slow may still append what stands there already

    def _rests(self) -> bool:
        return not self._waits_for()

    def _waits_for(self) -> str:
        """What is still under way, in words."""
        if self._published < self._publishers:
            return "publishers without an answer"
        if self.shelf.coming:
            return "appends that are still to come"
        topics = self.shelf.topics
        for partition in range(self.setting.partitions):
            if self._undecided(partition):
                return f"submissions of partition {partition} without an answer"
            end = len(topics[LEDGER][partition])
            if any(rows.saved(partition).next != end for rows in self.rows):
                return f"readers of partition {partition}"
        copies = [sum(s.key == b"register" for s in self._history(p)) for p in range(self.setting.partitions)]
        if len(set(copies)) > 1:
            return f"the register, which the partitions hold so far: {copies}"
        if self.sqlite is not None:
            ends = [len(topics[LEDGER][p]) for p in range(self.setting.partitions)]
            if self.sqlite.nexts(self.setting.partitions) != ends:
                return "the follower on SQLite"
        return ""

    def _undecided(self, partition: int) -> bool:
        records, outcomes, places = self._answered[partition]
        topics = self.shelf.topics
        for stored in topics[LEDGER][partition][records:]:
            places.add(read_seal(header(stored.headers, SEAL_HEADER) or b"").offset)
        for stored in topics[OUTCOMES][partition][outcomes:]:
            places.add(parse_outcome_key(stored.key).offset)
        self._answered[partition] = len(topics[LEDGER][partition]), len(topics[OUTCOMES][partition]), places
        return len(places) < len(topics[SUBMISSIONS][partition])

    def _history(self, partition: int) -> list[Stored]:
        found: list[Stored] = []
        for stored in self.shelf.topics[LEDGER][partition]:
            if read_seal(header(stored.headers, SEAL_HEADER) or b"").index == len(found):
                found.append(stored)
        return found


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _wrong_date(people: People, seed: int, n: int) -> Sent:
    """An act on 31 February: a record under version 1, refused under version 2."""
    code = OFFICES[n % len(OFFICES)]
    said = people.say(code, f"request/{n}", RequestAccepted(executing=code), id=f"d{seed}-{n}")
    value = changed(said.value, data={"executing": code, "received_on": "2025-02-31T10:00:00Z"})
    return Sent(
        said.partition(people.partitions), message_of(said.subject, value, people.offices[code]), said.id, "31 Feb"
    )
