"""Subjects live where any Kafka client puts their key."""

from __future__ import annotations

import random

import pytest
from aiokafka.partitioner import murmur2 as kafka_murmur2

from ledger.partition import murmur2, partition_of

# Kafka's own UtilsTest.testMurmur2, as signed 32-bit numbers.
KNOWN = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "value"), KNOWN.items())
def test_murmur2_gives_kafkas_published_values(key: str, value: int) -> None:
    assert murmur2(key.encode()) == value % 2**32


def test_murmur2_is_that_of_aiokafka() -> None:
    rng = random.Random(20250303)
    for length in range(200):
        key = rng.randbytes(length)
        assert murmur2(key) == kafka_murmur2(key) % 2**32, key.hex()


def test_subjects_live_where_the_default_partitioner_puts_them() -> None:
    for n in range(500):
        subject = f"request/2025-{n:06}"
        for partitions in (1, 2, 3, 8, 100):
            assert partition_of(subject, partitions) == (kafka_murmur2(subject.encode()) & 0x7FFFFFFF) % partitions
    assert {partition_of(f"request/{n}", 8) for n in range(500)} == set(range(8))
    assert partition_of("request/2025-000123", 8) == 3


@pytest.mark.parametrize("partitions", [1, 2, 8, 1024])
def test_the_register_and_statements_about_partitions_have_fixed_places(partitions: int) -> None:
    assert partition_of("register", partitions) == 0
    for p in (0, partitions - 1):
        assert partition_of(f"ledger/{p}", partitions) == p
