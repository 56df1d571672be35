"""Making the topics of a log on Kafka, and looking whether they may be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    NodeNotReadyError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from infra.adapters.kafka_errors import quietly, translated
from infra.adapters.kafka_settings import faults, for_creation, remedy
from ledger.errors import LogSettings, LogUnavailable

_LOOK_AGAIN = 0.05
_MISSING = (
    ": somebody deleted it. Restore it from a mirror. If the submissions are lost, `rogatory ledger reopen` makes "
    "their topic anew and opens a new epoch; outcomes that are lost stay lost, the ledger is not without its own topic"
)


class Admin:
    """The topics called ``names`` (our name to Kafka's). Each call connects anew: they are rare.

    Metadata is always asked for all topics at once: to ask for one by its name would create it, with the
    broker's default settings, where ``auto.create.topics.enable`` is on.
    """

    def __init__(self, client: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._client = client
        self._names = names

    async def partitions(self) -> int:
        """The number of partitions; LogSettings if the topics may not be used."""
        async with self._connected() as admin:
            topics = {topic["topic"]: topic for topic in await _ask(admin.describe_topics)}
            absent = sorted(name for name in self._names.values() if name not in topics)
            if absent:
                raise LogSettings(
                    f"expected the topics {', '.join(self._names.values())}, found no {', '.join(absent)}"
                    + ("" if len(absent) == len(self._names) else _MISSING)
                )
            counts = {name: len(topics[name]["partitions"]) for name in self._names.values()}
            if len(set(counts.values())) > 1:
                found = ", ".join(f"{name} {count}" for name, count in counts.items())
                raise LogSettings(
                    f"expected equal numbers of partitions, found {found}: they are fixed when a ledger is opened, and "
                    "Kafka cannot take partitions away again. Use nothing of this ledger; restore the topics from a "
                    "mirror"
                )
            replicas = {name: _replicas(topics[name]) for name in self._names.values()}
            if len(set(replicas.values())) > 1:
                found = ", ".join(f"{name} {count}" for name, count in replicas.items())
                raise LogSettings(
                    f"expected equal numbers of replicas, found {found}: a record is as safe as the topic that has "
                    "fewest; add the missing ones with kafka-reassign-partitions"
                )
            settings = await self._settings(admin)
        wrong = [
            f"{name}: {fault}; {remedy(name, fault)}"
            for topic, name in self._names.items()
            for fault in faults(topic, settings[name], _replicas(topics[name]))
        ]
        if wrong:
            raise LogSettings("; ".join(wrong))
        return counts.popitem()[1]

    async def make_missing(self, seconds: float) -> list[str]:
        """Make the topics that are absent, like the others; which ones. Raises LogSettings if all are absent."""
        async with self._connected() as admin:
            topics = {topic["topic"]: topic for topic in await _ask(admin.describe_topics)}
            there = [topics[name] for name in self._names.values() if name in topics]
            absent = {topic: name for topic, name in self._names.items() if name not in topics}
            if not there:
                raise LogSettings(f"expected some of the topics {', '.join(self._names.values())}, found none")
            if absent:
                partitions = max(len(topic["partitions"]) for topic in there)
                await self._make(admin, absent, partitions, max(map(_replicas, there)), seconds)
        return sorted(absent.values())

    async def create(self, partitions: int, seconds: float) -> None:
        """Make the topics; LogSettings if any is there. Kafka makes them singly: a failure can leave some."""
        async with self._connected() as admin:
            there = {topic["topic"] for topic in await _ask(admin.describe_topics)} & set(self._names.values())
            if there:
                raise LogSettings(f"expected none of the log's topics, found {', '.join(sorted(there))}")
            replicas = min(3, len((await _ask(admin.describe_cluster))["brokers"]))
            await self._make(admin, self._names, partitions, replicas, seconds)

    async def _make(
        self, admin: AIOKafkaAdminClient, names: Mapping[str, str], partitions: int, replicas: int, seconds: float
    ) -> None:
        answer = await admin.create_topics(
            [
                NewTopic(name, partitions, replicas, topic_configs=for_creation(topic, replicas))
                for topic, name in names.items()
            ],
            timeout_ms=max(1, int(seconds * 1000)),
        )
        for name, code, *text in answer.topic_errors:
            if code:
                error = for_code(code)
                doing = f"create {name}: {text[0] if text and text[0] else 'refused'}"
                if error is TopicAlreadyExistsError:
                    raise LogSettings(doing)
                raise translated(error(), doing)
        # A broker learns of new topics a moment after the controller; whoever asks it next would be told
        # that the log is absent.
        while not await self._everywhere(admin, partitions):  # noqa: ASYNC110 - Kafka sets no event
            await asyncio.sleep(_LOOK_AGAIN)

    async def _everywhere(self, admin: AIOKafkaAdminClient, partitions: int) -> bool:
        """Whether every broker knows every partition, and a leader for it."""
        for broker in (await _ask(admin.describe_cluster))["brokers"]:
            answer = await admin._send_request(MetadataRequest(None), broker["node_id"])  # noqa: SLF001
            led = {
                topic["topic"]: sum(1 for p in topic["partitions"] if p["leader"] >= 0)
                for topic in answer.to_object()["topics"]
            }
            if any(led.get(name) != partitions for name in self._names.values()):
                return False
        return True

    async def _settings(self, admin: AIOKafkaAdminClient) -> dict[str, dict[str, str | None]]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in self._names.values()]
        found = {}
        for answer in await _ask(lambda: admin.describe_configs(asked)):
            for code, text, _, name, entries in answer.resources:
                if code:
                    raise translated(for_code(code)(), f"settings of {name}: {text}")
                found[name] = {entry[0]: entry[1] for entry in entries}
        if set(found) != set(self._names.values()):
            raise LogUnavailable(f"settings: expected those of {', '.join(self._names.values())}, found {found.keys()}")
        return found

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self._client)
        try:
            await admin.start()
            yield admin
        finally:
            await quietly(admin.close(), 1.0)


async def _ask(question: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of any broker: aiokafka picks one by chance, also among those that it has seen die."""
    while True:
        try:
            return await question()
        except (NodeNotReadyError, KafkaConnectionError, RequestTimedOutError):
            await asyncio.sleep(_LOOK_AGAIN)


def _replicas(topic: Mapping[str, Any]) -> int:
    """The smallest number of replicas that a partition of the topic has."""
    return min((len(p["replicas"]) for p in topic["partitions"]), default=0)
