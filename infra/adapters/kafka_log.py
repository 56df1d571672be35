"""The log on Kafka: one topic each for submissions, ledger and outcomes, on the same number of partitions.

An append is one record batch by an idempotent producer with ``acks=all``, so it is all or nothing. Kafka
itself does not wait for the disk: a record is safe because two brokers have it. On a single broker an append
survives the death of its process, not that of its machine; ``docs`` calls that a development set-up.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from infra.adapters import kafka_settings
from infra.adapters.append_limits import MAX_APPEND_BYTES, MIB, check_append, check_topic
from infra.adapters.kafka_admin import Admin
from infra.adapters.kafka_append import Lane
from infra.adapters.kafka_errors import bounded, quietly
from infra.adapters.kafka_read import KafkaReader
from infra.adapters.kafka_settings import MAX_BATCH_BYTES
from ledger.errors import ConfigError, LogClosed, LogError, LogTruncated, MisuseError
from ledger.log import SUBMISSIONS, Message

_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")


class KafkaLog:
    """A log on a Kafka cluster; see ``ledger.log.Log``. Belongs to the event loop it is made in.

    Args:
        bootstrap: ``host:port``, or several with commas between.
        name: What the names of the topics start with: ``<name>.submissions``, ``<name>.ledger``, …
        timeout: Seconds that any call may take.
        security: How to log in; passed on to aiokafka (``security_protocol``, ``ssl_context``, ``sasl_…``).
    """

    def __init__(
        self, bootstrap: str, name: str, timeout: float = 30.0, security: Mapping[str, Any] | None = None
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"name of the log: expected letters, digits, '.', '_' and '-', found {name!r}")
        self._names = kafka_settings.names(name)
        self._timeout = timeout
        self._client: dict[str, Any] = dict(security or {}) | {
            "bootstrap_servers": bootstrap.split(","),
            # A broker that has frozen must not use up all the time: there may be another.
            "request_timeout_ms": max(1, int(timeout * 1000 / 3)),
        }
        self._count: int | None = None  # partitions, once they were found to be in order
        self._admin = Admin(self._client, self._names)
        self._probe: AIOKafkaConsumer | None = None
        self._probing = asyncio.Lock()
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._readers: list[KafkaReader] = []
        self._closed = False

    @property
    def client(self) -> dict[str, Any]:
        """How to reach the brokers, as aiokafka takes it."""
        return dict(self._client)

    @property
    def max_append_bytes(self) -> int:
        """Keys, values and headers of one append together stay within this many bytes."""
        return MAX_APPEND_BYTES

    async def partitions(self) -> int:
        """How many partitions each topic has, after checking that their settings keep our promises."""
        self._check_open()
        count = await bounded(self._admin.partitions(), self._timeout, "look at the topics")
        await self._check_whole(count)
        self._count = count
        return count

    async def make_missing(self) -> list[str]:
        """Make those of the topics that are absent, empty and like the others; which ones.

        Raises:
            LogSettings: all of them are absent.
            LogUnavailable: Kafka does not answer.
        """
        self._check_open()
        return await bounded(self._admin.make_missing(self._timeout), self._timeout, "make the missing topics")

    async def _check_whole(self, count: int) -> None:
        """Whether each partition still has its first message. Raises LogTruncated."""
        tps = [TopicPartition(name, p) for name in self._names.values() for p in range(count)]
        deadline = asyncio.get_running_loop().time() + self._timeout
        probe = await self._probed(deadline, "look where the topics begin")
        first = await bounded(
            probe.beginning_offsets(tps),
            deadline - asyncio.get_running_loop().time(),
            "look where the topics begin",
        )
        short = ", ".join(f"{tp.topic}/{tp.partition} at {at}" for tp, at in sorted(first.items()) if at > 0)
        if short:
            raise LogTruncated(
                f"expected all messages from position 0 on, found that topics begin later: {short}. Their retention or "
                "somebody deleted messages that must be kept for ever. Restore the topic from a mirror or a backup; if "
                "submissions are lost, delete that topic and open a new epoch with `rogatory ledger reopen`; if "
                "outcomes are lost, delete that topic and let `rogatory ledger mend` make it anew"
            )

    async def create(self, partitions: int) -> None:
        """Make the topics and wait until every broker knows them."""
        self._check_open()
        if partitions < 1:
            raise MisuseError(f"create: expected at least 1 partition, found {partitions}")
        await bounded(self._admin.create(partitions, self._timeout), self._timeout, "create the topics")

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        """Append all of ``messages`` or none; returns the position of the first."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        self._check_open()
        check_append(topic, partition, messages)
        tp = await self._checked(topic, partition)
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = Lane(tp.topic, partition, lambda: self._producer(topic))
            self._lanes[topic, partition] = lane
        return await lane.append(messages, deadline - clock())

    async def end(self, topic: str, partition: int) -> int:
        """The position after the last message."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        self._check_open()
        tp = await self._checked(topic, partition)
        return (await self._bounds(tp, deadline))[1]

    def reader(self, topic: str, partition: int, start: int = 0) -> KafkaReader:
        """A reader from ``start`` on; it connects at its first read."""
        self._check_open()

        async def connect() -> AIOKafkaConsumer:
            await self._checked(topic, partition)
            return await self._consumer()

        tp = TopicPartition(self._names.get(topic, topic), partition)
        reader = KafkaReader(
            tp,
            start,
            self._timeout,
            connect,
            lambda deadline: self._bounds(tp, deadline),
            stamped_by_broker=topic == SUBMISSIONS,
        )
        self._readers = [r for r in self._readers if not r.closed] + [reader]
        return reader

    async def close(self) -> None:
        """Give back everything; what is under way ends with an error."""
        self._closed = True
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(
            *(lane.close(self._timeout) for lane in lanes),
            *(reader.close() for reader in self._readers),
            self._drop_probe(),
        )
        self._readers.clear()

    async def _checked(self, topic: str, partition: int) -> TopicPartition:
        """The partition in Kafka's words, once the topics are known to be in order.

        Settings are looked at before the first append, because afterwards it would be too late: a submission
        with a timestamp of its sender's choice cannot be taken back.
        """
        check_topic(topic)
        count = await self.partitions() if self._count is None else self._count
        if not 0 <= partition < count:
            raise MisuseError(f"{topic}: expected a partition from 0 to {count - 1}, found {partition}")
        return TopicPartition(self._names[topic], partition)

    def _producer(self, topic: str) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._client,
            acks="all",
            enable_idempotence=True,
            max_batch_size=MAX_BATCH_BYTES[topic],
            max_request_size=MAX_BATCH_BYTES[topic] + MIB,
        )

    async def _consumer(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",  # to jump elsewhere in silence would lose records
            isolation_level="read_uncommitted",
            max_partition_fetch_bytes=8 * MIB,
            fetch_max_wait_ms=200,  # a reader that seeks waits this long for the fetch under way to end
        )
        try:
            await consumer.start()
        except BaseException:
            await quietly(consumer.stop(), 1.0)
            raise
        return consumer

    async def _bounds(self, tp: TopicPartition, deadline: float) -> tuple[int, int]:
        """The first position that Kafka still has and the one after the last."""
        clock = asyncio.get_running_loop().time
        doing = f"ask for the end of {tp.topic}/{tp.partition}"
        try:
            probe = await self._probed(deadline, doing)
            both = asyncio.gather(probe.beginning_offsets([tp]), probe.end_offsets([tp]))
            first, end = await bounded(both, deadline - clock(), doing)
        except LogError:
            self._check_open()
            await self._drop_probe()  # it may know only brokers that are gone
            raise
        return first[tp], end[tp]

    async def _probed(self, deadline: float, doing: str) -> AIOKafkaConsumer:
        async with self._probing:
            if self._probe is None:
                left = deadline - asyncio.get_running_loop().time()
                self._probe = await bounded(self._consumer(), left, doing)
            return self._probe

    async def _drop_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            await quietly(probe.stop(), 1.0)

    def _check_open(self) -> None:
        if self._closed:
            raise LogClosed("the log was closed")
