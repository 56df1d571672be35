"""What befalls the office, drawn from a seed."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

from infra.adapters import broker
from tests.campaign.office import Office
from tests.campaign.services import Service
from tests.postgres_fixture import PostgresServer

PIECE = 6
"""Events published with each action."""
ENTRIES = 3
"""Transactions of the application with each action."""
PAUSED = 0.3
"""The share of actions that are pauses; they are short against the time between two of the same service."""
BREATH = (0.02, 0.5)
PAUSE = (0.2, 2.0)
LONG_PAUSE = 15.0
"""Longer than a member of a consumer group may keep silent."""


def say(line: str) -> None:
    """For whoever looks at a round that failed."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Fate:
    """Draws actions and carries them out; counts them."""

    def __init__(self, seed: int, office: Office, kafka: Path, postgres: PostgresServer) -> None:
        self._dice = random.Random(seed)
        self._office = office
        self._kafka = kafka
        self._postgres = postgres
        self._until: dict[Service, float] = {}
        self.done: Counter[str] = Counter()

    def act(self, servers: bool) -> None:
        """One action on a service; with ``servers``, one on Kafka or PostgreSQL."""
        office, dice = self._office, self._dice
        office.publish(PIECE)
        office.write(ENTRIES)
        if servers:
            self._break_server()
        else:
            service = dice.choice([one for one in office.everyone if not one.paused])
            if service.running and dice.random() < PAUSED:
                self._pause(service)
            else:
                office.kill(service)
                self._count("kill", service)
        self._breathe(dice.uniform(*BREATH))

    def _pause(self, service: Service) -> None:
        service.pause()
        long = self._dice.random() < 0.05
        self._until[service] = time.monotonic() + (LONG_PAUSE if long else self._dice.uniform(*PAUSE))
        self._count("long pause" if long else "pause", service)

    def _break_server(self) -> None:
        if self._dice.random() < 0.5:
            broker.kill_node(self._kafka, 1)
            self._breathe(self._dice.uniform(0, 1))
            broker.restart_node(self._kafka, 1)
            self.done["kill kafka"] += 1
        else:
            self._postgres.kill()
            self._breathe(self._dice.uniform(0, 1))
            self._postgres.start()
            self.done["kill postgresql"] += 1

    def _breathe(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            for service, when in list(self._until.items()):
                if not service.paused:  # it was woken for a rest
                    del self._until[service]
                elif time.monotonic() > when:
                    service.go_on()
                    del self._until[service]
            self._office.keep()
            if time.monotonic() >= end:
                return
            time.sleep(0.02)

    def _count(self, what: str, service: Service) -> None:
        self.done[f"{what} {service.name.removesuffix('-a').removesuffix('-b')}"] += 1
