"""One campaign: so many actions in rounds, each followed by rest and all checks."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

from infra.adapters import broker
from tests.campaign.actions import PIECE, Fate, say
from tests.campaign.office import Office
from tests.postgres_fixture import PostgresServer

ROUND = 50
"""Actions between two rests."""
SERVERS_EVERY = 20


class Report(msgspec.Struct, frozen=True):
    """What was done, and that it was survived."""

    seed: int
    actions: dict[str, int]
    submitted: int
    rounds: int
    gave_up: dict[str, int]
    """How often a service ended with 3 and was started again."""
    seconds: float


def campaign(seed: int, actions: int, *, rounds_of: int = ROUND) -> Report:
    """Run one; an AssertionError says what did not hold."""
    began = time.monotonic()
    say(f"seed {seed}: {actions} actions")
    with tempfile.TemporaryDirectory(prefix="rogatory-campaign-") as there, PostgresServer() as postgres:
        folder = Path(there)
        kafka = folder / "kafka"
        running = broker.start(kafka)
        urls = postgres.create("live"), _sqlalchemy(postgres.create("app"))
        office = Office(folder, running.bootstrap, *urls, seed, actions * PIECE)
        fate = Fate(seed, office, kafka, postgres)
        rounds = 0
        try:
            office.open()
            for n in range(1, actions + 1):
                fate.act(servers=n % SERVERS_EVERY == 0)
                if n % rounds_of == 0 or n == actions:
                    office.rest()
                    office.check()
                    rounds += 1
                    say(f"  {n} actions, {len(office.acknowledged)} submitted, {time.monotonic() - began:.0f} s: holds")
            office.close()
        except BaseException:
            for service in office.everyone:
                say(f"=== {service.name}, life {service.lives}\n{service.complaint()}")
            raise
        finally:
            office.finish()
            broker.stop(kafka)
        gave_up = Counter({s.name: s.gave_up for s in office.everyone if s.gave_up})
        done = dict(sorted(fate.done.items()))
        return Report(seed, done, len(office.acknowledged), rounds, gave_up, round(time.monotonic() - began, 1))


def _sqlalchemy(url: str) -> str:
    """The URL as the application's own SQLAlchemy takes it."""
    return url.replace("postgresql://", "postgresql+psycopg://")
