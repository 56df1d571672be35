"""The port to the log: what a ledger needs of the thing that carries its records.

A log holds the topics of one ledger (``submissions``, ``ledger``, ``outcomes``), each cut into the same
number of partitions.  Adapters live in ``infra/adapters`` (Kafka, ledger folder); the suite in
``tests/contracts/log_contract.py`` holds both to what is said here.

Durability
    When ``append`` returns, its messages survive the death of this process and of any one server
    that the log counts on.  When it raises ``LogUnavailable`` nothing is known: they may be there, may
    come yet, or never.  When it raises anything else, none of them is there.
Atomicity
    An append is all or nothing, and its messages stand side by side.  No reader ever sees a part of it.
Order
    Positions of a partition start at 0, rise, and are never given twice.  Readers see all messages in
    the order of positions.  Two appends by one caller, the second begun after the first returned, stand in that order.
Concurrency
    Any number of processes may append and read at once.  One ``Log`` may be used by many tasks of one
    event loop; a ``Reader`` belongs to one task.
Time
    Messages of ``submissions`` carry the log's own clock at the append; what the caller sent as
    timestamp is ignored.  Messages of the other topics carry the timestamp the caller gave.
Waiting
    No call hangs: each ends within the adapter's ``timeout`` (default 30 s) with a result or a ``LogError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

SUBMISSIONS = "submissions"
LEDGER = "ledger"
OUTCOMES = "outcomes"
TOPICS = (SUBMISSIONS, LEDGER, OUTCOMES)

Headers = tuple[tuple[str, bytes], ...]


class Message(msgspec.Struct, frozen=True):
    """What is appended. ``timestamp`` is ms since 1970-01-01T00:00Z (ignored by ``submissions``)."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0


class Stored(msgspec.Struct, frozen=True, gc=False):
    """What is read: a message at its position. ``timestamp`` is ms since 1970-01-01T00:00Z."""

    position: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def header(headers: Headers, name: str) -> bytes | None:
    """The last header of that name, or None.

    The last, because a writer of ours appends its own after whatever the message already carried.
    """
    for key, value in reversed(headers):
        if key == name:
            return value
    return None


class Reader(Protocol):
    """Reads one partition of one topic forward; owned by one task."""

    @property
    def position(self) -> int:
        """The position that the next read starts at."""
        ...

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        """Up to ``limit`` (≥ 1) messages from ``position`` on, and moves past them.

        Returns at once when at least one is there; else waits up to ``wait`` seconds for one.  An empty
        list says that the end was reached.  Large partitions come in pieces, so a full list is no sign that
        there is more, and
        a short one none that there is not.

        Raises:
            LogUnavailable: the log does not answer; ``position`` has not moved.
            LogClosed: the log or reader was closed.
        """
        ...

    def seek(self, position: int) -> None:
        """Let the next read start at ``position`` (0 ≤ position; past the end is allowed and waits)."""
        ...

    async def close(self) -> None:
        """Give back what the reader holds; closing twice is harmless."""
        ...


class Log(Protocol):
    """The topics of one ledger."""

    @property
    def max_append_bytes(self) -> int:
        """Keys, values and headers of one append together stay within this many bytes (≥ 1 MiB)."""
        ...

    async def partitions(self) -> int:
        """How many partitions each topic has.

        Raises:
            LogSettings: the topics are absent, differ in number, or have settings that break a promise.
            LogUnavailable: the log does not answer.
        """
        ...

    async def create(self, partitions: int) -> None:
        """Make the topics, empty. Raises LogSettings if any of them is there already."""
        ...

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        """Append all of ``messages`` (≥ 1) or none; returns the position of the first.

        The caller keeps one append per topic and partition in flight.  After a failure the adapter has
        thrown away whatever could still send the failed one later in this process.

        Raises:
            LogUnavailable: unknown whether they are there; read the tail before going on.
            LogFull, AppendTooLarge, LogSettings, LogClosed: none of them is there.
        """
        ...

    async def end(self, topic: str, partition: int) -> int:
        """The position after the last message."""
        ...

    def reader(self, topic: str, partition: int, start: int = 0) -> Reader:
        """A reader from ``start`` on."""
        ...

    async def close(self) -> None:
        """Give back everything; closing twice is harmless. Later calls raise LogClosed."""
        ...
