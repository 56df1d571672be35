"""What goes wrong, where and how often: every decision is a throw of the seed's dice."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from typing import Literal, NoReturn

import msgspec

from ledger.errors import LogUnavailable
from tests.simulation.loop import Killed, Process, Trace, current_process

Fate = Literal["well", "lost", "there", "late", "dies before", "dies after"]
"""Of an append: ``lost``, ``there`` and ``late`` are all reported as failed; the last one appears some time later."""

_FATES: tuple[Fate, ...] = ("lost", "there", "late", "dies before", "dies after")


class Plan(msgspec.Struct, frozen=True):
    """How rough a seed is."""

    faults: int
    """How many things go wrong before it becomes calm."""
    often: float
    """Chance of a fault at each append, save or commit."""
    slow: float
    """Chance that a step takes its time."""
    deadly: bool = True
    """Whether processes die; where they do not, what they hold in memory grows old."""
    aim: str = ""
    """What faults are aimed at: a topic, ``read``, ``state``, ``commit``; at everything where it is empty."""


class Faults:
    """The dice at every write and read of one world."""

    def __init__(self, dice: random.Random, trace: Trace, plan: Plan) -> None:
        self.dice = dice
        self.trace = trace
        self.plan = plan
        self.left = plan.faults
        self.last = 0.0
        """When the last one was."""
        self.met: dict[str, int] = {}
        """How often each sort of fault was met."""

    @classmethod
    def quiet(cls) -> Faults:
        """Nothing ever goes wrong."""
        return cls(random.Random(0), Trace(), Plan(0, 0.0, 0.0))

    def calm(self) -> None:
        """Nothing goes wrong from here on."""
        self.left = 0

    def tell(self, what: str) -> None:
        """Put something into the trace, with the time and the process."""
        process = current_process()
        loop = asyncio.get_running_loop()
        self.trace(f"{loop.time():10.3f} {process.name if process else '-':14} {what}")

    def append(self, place: str) -> Fate:
        """What becomes of an append."""
        fates = _FATES if self.plan.deadly else _FATES[:3]
        return self._meet(fates[self.dice.randrange(len(fates))], place) if self._strikes(place) else "well"

    def read(self, place: str) -> None:
        """Raises LogUnavailable where a read fails."""
        aim = self.plan.aim
        if self.left and aim in ("", "read") and self.dice.random() < self.plan.often / (2 if aim else 8):
            self._meet("lost", f"read {place}")
            raise LogUnavailable("the seed says so")

    def save(self, place: str) -> None:
        """Before and after each save of a state or commit of rows; may raise, or be the end of the process."""
        if not self._strikes(place):
            return
        if not self.plan.deadly or self.dice.random() < 0.3:
            self._meet("lost", place)
            raise sqlite3.OperationalError("disk I/O error: the seed says so")
        self._meet("dies before", place)
        self.die()

    def die(self) -> NoReturn:
        """End the process in the middle of a call that cannot wait."""
        process = current_process()
        assert process is not None
        process.kill()
        raise Killed

    async def end(self, process: Process | None) -> NoReturn:
        """End the process in the middle of a call that can wait: for ever."""
        if process is not None:
            process.kill()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("the dead do not return")

    async def pause(self) -> None:
        """Let others run; sometimes for long."""
        if self.dice.random() >= self.plan.slow:
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(self.dice.choice((0.001, 0.02, 0.3, 0.3, 2.0, 12.0)))

    def _strikes(self, place: str) -> bool:
        return self.left > 0 and place.startswith(self.plan.aim) and self.dice.random() < self.plan.often

    def _meet(self, fate: Fate, place: str) -> Fate:
        self.strike(fate, place)
        return fate

    def strike(self, fate: str, place: str) -> None:
        """Count and tell one more fault."""
        self.left -= 1
        self.last = asyncio.get_running_loop().time()
        sort = f"{fate} {re.split('[/ ]', place)[0]}"
        self.met[sort] = self.met.get(sort, 0) + 1
        self.tell(f"{fate}: {place}")
