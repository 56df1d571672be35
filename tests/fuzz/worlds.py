"""The ledger that targets decide in, made once: state, register and copies as after the conformance story's opening."""

from __future__ import annotations

from functools import cache

from ledger.admission import PartitionState
from ledger.chain import ChainState
from ledger.register import Register
from tests.admissions import World


class FuzzedWorld(World):
    """A world that remembers the register before its last event."""

    before: Register

    @property
    def follower_state(self) -> ChainState:
        """A reader that has followed partition 1 so far."""
        state = self.states[1]
        return ChainState(
            1, state.index, state.frontier, state.admitted, state.epoch, state.offset, state.past, state.last_leaf,
            state.register,
        )  # fmt: skip


@cache
def world() -> FuzzedWorld:
    """The world; whoever changes it breaks the others."""
    made = FuzzedWorld.opened()
    assert isinstance(made, FuzzedWorld)
    assert made.states[1].register is not None
    made.before = made.states[1].register
    made.register(made.office("RU-NEW"), made.authorities[:1])
    made.submit(made.accepted(id_="0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b"), [made.oms])
    return made


def state_of(partition: int) -> PartitionState:
    """A partition's state."""
    return world().states[partition]


def registered(*, before_last: bool = False) -> Register:
    """The register, or the one before its last event."""
    found = world().before if before_last else world().states[1].register
    assert found is not None
    return found
