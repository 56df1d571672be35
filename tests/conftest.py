"""Fixtures for all tests; those of one subject live in a module of their own and are named here."""

from __future__ import annotations

from tests.kafka_fixture import kafka_bootstrap, kafka_place, own_broker
from tests.postgres_fixture import own_postgres, postgres_server, postgres_url, store_url

__all__ = [
    "kafka_bootstrap",
    "kafka_place",
    "own_broker",
    "own_postgres",
    "postgres_server",
    "postgres_url",
    "store_url",
]
