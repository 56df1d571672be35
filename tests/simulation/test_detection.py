"""What the campaign would find: each part with a fault built in is found, and a fault that was once there is one."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.running import simulate

WITHIN = 300
"""Seeds, as many as ``make test`` runs; most are found in the first ten, those of the herald in about forty."""


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_fault_that_is_built_in_is_found(name: str) -> None:
    assert any(simulate(seed, parts=MUTANTS[name]).error is not None for seed in range(WITHIN)), name
