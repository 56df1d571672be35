"""Where a subject lives: Kafka's own murmur2 of the key, so that any Kafka client finds the same place.

``partition_of("request/2025-000123", 8) == 3``.  Source: Kafka's ``Utils.murmur2`` and its default partitioner
(``toPositive(murmur2(key)) % partitions``); librdkafka clients set ``partitioner=murmur2_random``.
"""

from __future__ import annotations

from struct import unpack_from

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """32-bit murmur2 as Kafka computes it (seed 0x9747b28c), unsigned."""
    length = len(key)
    value = 0x9747B28C ^ length
    for word in unpack_from(f"<{length >> 2}I", key):
        k = word * _M & _MASK
        value = (value * _M ^ (k ^ k >> 24) * _M) & _MASK
    if length & 3:
        value = ((value ^ int.from_bytes(key[length & ~3 :], "little")) * _M) & _MASK
    value = ((value ^ (value >> 13)) * _M) & _MASK
    return value ^ (value >> 15)


def partition_of(subject: str, partitions: int) -> int:
    """The partition in which a subject's records live.

    ``register`` lives in partition 0 (and is copied to the others), ``ledger/<p>`` in partition p, every
    other subject where murmur2 of its name says.
    """
    if subject == "register":
        return 0
    if subject.startswith("ledger/"):
        return int(subject[7:])
    return (murmur2(subject.encode("ascii")) & 0x7FFFFFFF) % partitions
