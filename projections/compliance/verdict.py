"""Verdicts: what a rule says about one thing in a subject, from when on, by which readings, and what it rests on.

A *finding* is what one rule says about one *item*: a material, a contact, an office in a year, or the whole subject (an
empty item).  Its verdict may change with time alone, so it is a timeline::

    steps = (Step(at=1741000000000, verdict="open", reason="running"),
             Step(at=1741262400000, verdict="breached", reason="ran_out"))

which says *open* from the first moment until just before the second, *breached* from then on; the first step holds for
all time before it, too.  Nothing called overdue is kept: ``expected_by`` is the moment after which a reader calls an
open duty overdue (a threshold is configuration, not law).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Verdict = Literal["met", "breached", "open", "undetermined"]
Mark = Literal["claimed", "retroactive", "future_dated", "by_configuration", "reported", "key_compromised", "corrected"]
WORST: tuple[Verdict, ...] = ("breached", "undetermined", "open", "met")
"""From the worst to the best: of a composite the worst part counts."""


class Ref(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A record that a verdict rests on."""

    subject: str
    index: int
    """Leaf index in its partition (of a register record: in partition 0)."""
    event: str
    """Its event id."""
    name: str


class Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A verdict from a moment on (ms); ``reason`` is a code of ``texts/``."""

    at: int
    verdict: Verdict
    reason: str


class Read(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One reading of a deadline: how it counts, the last moment by it (ms, exclusive), whether it was kept."""

    reading: str
    ends: int
    kept: bool | None = None
    """None: not done, or not known."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one rule says about one item."""

    rule: str
    steps: tuple[Step, ...]
    item: str = ""
    bound: str = ""
    """Who owes it: an office code, or a state where no office is known."""
    values: dict[str, str] = {}
    """What the line and the reason of the rule show, by placeholder; never sealed content."""
    evidence: tuple[Ref, ...] = ()
    readings: tuple[Read, ...] = ()
    marks: tuple[Mark, ...] = ()
    expected_by: int = 0
    """ms; 0: no threshold applies."""
    missing: str = ""
    """The fact that is not known, where that is why the verdict is ``undetermined``: ``role of p-1 at RU-OMS``."""

    def at(self, as_of: int) -> Step:
        """The step that holds at a moment (ms)."""
        held = self.steps[0]
        for step in self.steps:
            if step.at <= as_of:
                held = step
        return held

    def until(self, as_of: int) -> int | None:
        """When the step that holds at a moment ends (ms); None: time alone does not end it."""
        held = self.at(as_of)
        return min((step.at for step in self.steps if step.at > max(as_of, held.at)), default=None)

    def overdue(self, as_of: int) -> bool:
        """Whether it is open beyond the threshold of the configuration."""
        return bool(self.expected_by) and as_of >= self.expected_by and self.at(as_of).verdict == "open"


def until(first: Step, then: Step) -> tuple[Step, ...]:
    """One step until another; the other alone, where it holds no later than the first."""
    return (first, then) if first.at < then.at else (then,)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some; ``met`` of none."""
    found = set(verdicts)
    return next((verdict for verdict in WORST if verdict in found), "met")
