"""What the campaign would find: each part with a fault built in is found within a few seeds."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.world import simulate

WITHIN = 40
"""Seeds; the campaign of ``make test`` has 300."""


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_fault_that_is_built_in_is_found(name: str) -> None:
    assert any(simulate(seed, parts=MUTANTS[name]).error is not None for seed in range(WITHIN)), name
