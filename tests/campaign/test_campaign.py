"""A short campaign in every test run, a long one in ``make soak``."""

from __future__ import annotations

import pytest

from tests.campaign.campaign import campaign
from tests.faults.ground import SOAK, seeds


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(7200 if SOAK else 600)
@pytest.mark.parametrize("seed", seeds(1, 1))
def test_all_services_are_killed_and_paused_at_any_moment(seed: int) -> None:
    actions = 1000 if SOAK else 24
    report = campaign(seed, actions)
    assert sum(report.actions.values()) == actions
    assert report.submitted >= actions
