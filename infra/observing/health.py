"""Health and readiness: what a supervisor asks a service, worked out from what its workers tell. No I/O here.

*Healthy* means that a restart would not help: the event loop turns, and no partition stands at an error inside the
program.  *Ready* means that the service can do its work now: the ledger is open, the log and the store have answered
lately, each partition it has is recovered, and it has not been told to stop.  A partition that stands at a fault of the
data (fork, poison, a newer version) is for a person; the others go on, so the service is ready and *degraded*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from infra.observing.kinds import kind_of
from ledger.observing import LOG, Observer

STALE = 20.0
"""Seconds after which an answer no longer counts."""


class Fault(msgspec.Struct, frozen=True):
    """A partition that stands still, and since when (ms)."""

    worker: str
    partition: int
    kind: str
    since: int


class Health(Observer):
    """What is known about this process. Owned by its event loop."""

    def __init__(self, service: str, clock: Callable[[], float], now: Callable[[], int]) -> None:
        """``clock`` gives seconds that never go back, ``now`` ms since 1970."""
        self.service = service
        self.ledger: str | None = None
        """Its id, once it is open."""
        self._clock = clock
        self._now = now
        self._stopping = False
        self._answered: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        self._needed = {LOG}
        self._recovering: set[tuple[str, int]] = set()
        self._standing: dict[tuple[str, int], tuple[int, int]] = {}
        self._faults: dict[tuple[str, int], Fault] = {}
        self._waiting: int | None = None
        self._aside = 0

    # What it is told

    def opened(self, ledger: str) -> None:
        """The ledger is open."""
        self.ledger = ledger
        self.answered(LOG)

    def stopping(self) -> None:
        """It was told to stop: from now on not ready."""
        self._stopping = True

    def answered(self, what: str) -> None:
        """The log or the store has just answered."""
        self._answered[what] = self._clock()
        self._failed.pop(what, None)

    def failed(self, what: str, why: str) -> None:
        """The log or the store has just not answered."""
        self._failed[what] = why

    def depends(self, what: str, ask: Callable[[], object] | None) -> None:  # noqa: D102 - the port says
        if ask is None:
            self._needed.discard(what)
        else:
            self._needed.add(what)
            self.answered(what)

    def recovering(self, worker: str, partition: int) -> None:  # noqa: D102 - the port says
        self._recovering.add((worker, partition))

    def standing(self, worker: str, partition: int, position: int, size: int) -> None:  # noqa: D102 - the port says
        self._recovering.discard((worker, partition))
        self._faults.pop((worker, partition), None)
        self._standing[worker, partition] = position, size

    def stopped(self, worker: str, partition: int, error: Exception) -> None:  # noqa: D102 - the port says
        self._recovering.discard((worker, partition))
        kind, known = kind_of(error), self._faults.get((worker, partition))
        if known is None or known.kind != kind:  # else it was looked at again, and is the same
            self._faults[worker, partition] = Fault(worker, partition, kind, self._now())

    def ended(self, worker: str, partition: int) -> None:  # noqa: D102 - the port says
        self._recovering.discard((worker, partition))
        self._faults.pop((worker, partition), None)
        self._standing.pop((worker, partition), None)

    def unavailable(self, worker: str, what: str) -> None:  # noqa: D102 - the port says
        self.failed(what, f"did not answer {worker}")

    def judged(self, waiting: int | None, subjects: int, seconds: float) -> None:  # noqa: ARG002, D102 - the port says
        if waiting is not None:
            self._waiting = waiting

    def set_aside(self, subjects: int) -> None:  # noqa: D102 - the port says
        self._aside = subjects

    # What it is asked

    def healthy(self) -> tuple[bool, dict[str, Any]]:
        """Whether to leave it running, and what a person should read."""
        wrong = [f"{f.worker} {f.partition}: an error inside the program" for f in self._faults.values() if _ours(f)]
        return not wrong, {"healthy": not wrong, "service": self.service, "reasons": wrong}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether it can do its work now, and what a person should read."""
        reasons = self._reasons()
        document = {
            "ready": not reasons,
            "service": self.service,
            "ledger": self.ledger,
            "reasons": reasons,
            "degraded": [msgspec.to_builtins(fault) for fault in self._faults.values()],
            "partitions": [
                {"worker": worker, "partition": partition, "position": position, "size": size}
                for (worker, partition), (position, size) in sorted(self._standing.items())
            ],
            "judgement_waiting": self._waiting,  # no reason not to be ready: answers say how many wait
            "judgement_set_aside": self._aside,
        }
        return not reasons, document

    def _reasons(self) -> list[str]:
        reasons = ["stopping"] if self._stopping else []
        if self.ledger is None:
            reasons.append("the ledger is not open yet")
        for what in sorted(self._needed):
            age = self._clock() - self._answered.get(what, float("-inf"))
            if what in self._failed:
                reasons.append(f"{what}: {self._failed[what]}")
            elif self.ledger is not None and age > STALE:
                reasons.append(f"{what}: no answer for {age:.0f} s")
        reasons += [f"{worker} {partition}: recovering" for worker, partition in sorted(self._recovering)]
        return reasons


def _ours(fault: Fault) -> bool:
    return fault.kind == "internal"
