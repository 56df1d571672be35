"""Fixtures for all tests; those of one subject live in a module of their own and are named here."""

from __future__ import annotations

import sys
from pathlib import Path

# So that `pytest` finds `tests.…` as `python -m pytest` does.
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.kafka_fixture import kafka_bootstrap, kafka_place

__all__ = ["kafka_bootstrap", "kafka_place"]
