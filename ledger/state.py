"""The port to a registrar's state: a cache of what admission derived, kept between runs.

Losing it costs time, never truth: the submissions are admitted again by the same code.  One state belongs to one
registrar at a time; opening it in two processes fails.  Calls are synchronous and belong to one task.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from ledger.admission import Known, PartitionState
from ledger.chain import Head
from ledger.ids import LedgerId
from ledger.merkle import format_frontier, parse_frontier
from ledger.register import Register


class Snapshot(msgspec.Struct, frozen=True):
    """A ``PartitionState`` without its heads and identities, stamped with its place in both logs."""

    ledger_id: LedgerId
    partition: int
    index: int
    frontier: bytes
    past: bytes
    admitted: int
    epoch: int
    offset: int
    last_leaf: bytes
    ledger_next: int
    """Position in the ledger log behind the record ``index - 1``."""
    register: Register | None

    @classmethod
    def of(cls, state: PartitionState, ledger_next: int) -> Snapshot:
        """What to keep of a state."""
        return cls(
            state.ledger_id,
            state.partition,
            state.index,
            format_frontier(state.frontier),
            state.past,
            state.admitted,
            state.epoch,
            state.offset,
            state.last_leaf,
            ledger_next,
            state.register,
        )

    def restore(self) -> PartitionState:
        """The state again, with no heads and identities loaded."""
        state = PartitionState(self.ledger_id, self.partition)
        state.index = self.index
        state.frontier = parse_frontier(self.frontier, self.index)
        state.past = self.past
        state.admitted = self.admitted
        state.epoch = self.epoch
        state.offset = self.offset
        state.last_leaf = self.last_leaf
        state.register = self.register
        return state


class StateFile(Protocol):
    """Keeps one partition's state."""

    def load(self) -> Snapshot | None:
        """What was saved last, or None."""
        ...

    def heads(self, subjects: Collection[str]) -> dict[str, Head]:
        """The heads of those of ``subjects`` that have one."""
        ...

    def identities(self, identities: Collection[bytes]) -> dict[bytes, Known]:
        """What is known of those of ``identities`` that were admitted."""
        ...

    def save(self, snapshot: Snapshot, heads: Mapping[str, Head], identities: Mapping[bytes, Known]) -> None:
        """Keep all of it, or, if this dies in the middle, nothing of it."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        ...
