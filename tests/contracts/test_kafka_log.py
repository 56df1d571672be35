"""The Kafka log keeps the port's contract, whatever the brokers do and however others made its topics."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.record.util import calc_crc32c

from infra.adapters import broker
from infra.adapters.broker_process import free_ports
from infra.adapters.kafka_log import KafkaLog
from infra.adapters.kafka_settings import for_creation, names
from ledger.errors import ConfigError, LogError, LogSettings, LogTruncated, LogUnavailable, MisuseError
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, TOPICS, Log, Message
from tests.aio import run
from tests.contracts.log_contract import SOON, SharedLogContract, content, everything, numbered, numbers
from tests.contracts.log_place import Place

pytestmark = pytest.mark.kafka


class TestKafkaLog(SharedLogContract):
    @pytest.fixture
    def place(self, kafka_place: Place) -> Place:
        return kafka_place


# Brokers that are not there, do not answer, or go away


async def assert_unavailable(log: Log) -> None:
    """Every call ends, and says what it is."""
    calls = (
        log.partitions(),
        log.create(1),
        log.append(LEDGER, 0, numbered(1)),
        log.end(LEDGER, 0),
        log.reader(LEDGER, 0).read(1),
        log.reader(LEDGER, 0).read(1, SOON),
    )
    ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), SOON)
    assert [type(error) for error in ended] == [LogUnavailable] * len(calls)
    await asyncio.wait_for(log.close(), SOON)


def test_a_broker_that_is_not_there_is_unavailable() -> None:
    async def story() -> None:
        (port,) = free_ports(1)
        await assert_unavailable(KafkaLog(f"127.0.0.1:{port}", "log", timeout=2))

    run(story())


def test_a_broker_that_never_answers_is_unavailable() -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            await assert_unavailable(KafkaLog(f"127.0.0.1:{deaf.getsockname()[1]}", "log", timeout=2))

    run(story())


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a broker that these tests may stop and kill."""
    folder = tmp_path_factory.mktemp("own")
    broker.start(folder)
    yield folder
    broker.stop(folder)


@asynccontextmanager
async def log_on(folder: Path, name: str) -> AsyncIterator[tuple[KafkaLog, Any]]:
    """A log with two messages and a reader that has read one; brief, so that failures come soon."""
    running = broker.status(folder)
    assert running is not None
    log = KafkaLog(running.bootstrap, name, timeout=4)
    await log.create(1)
    await log.append(LEDGER, 0, numbered(0, 1))
    reader = log.reader(LEDGER, 0)
    assert numbers(await reader.read(1)) == [0]
    yield log, reader
    await asyncio.wait_for(log.close(), SOON)


def test_a_broker_that_dies_and_comes_back(own_broker: Path) -> None:
    async def story() -> None:
        async with log_on(own_broker, "dies") as (log, reader):
            broker.kill_node(own_broker, 1)
            for n in (100, 101):
                with pytest.raises(LogUnavailable):
                    await log.append(LEDGER, 0, numbered(n))
            with pytest.raises(LogUnavailable):
                await log.end(LEDGER, 0)
            with pytest.raises(LogUnavailable):
                await everything(reader, 1)  # what it has fetched already may still come
            position = reader.position
            await asyncio.to_thread(broker.restart_node, own_broker, 1)
            assert [m.position for m in await everything(reader)] == list(range(position, 2))
            # Nothing could take the failed appends while the broker was down, and nothing sent them later.
            assert await log.append(LEDGER, 0, numbered(2)) == 2
            assert numbers(await content(log)) == [0, 1, 2]
            assert numbers(await reader.read(10, SOON)) == [2]

    run(story())


def test_a_broker_that_freezes_and_goes_on(own_broker: Path) -> None:
    async def story() -> None:
        async with log_on(own_broker, "freezes") as (log, reader):
            assert numbers(await everything(reader)) == [1]
            (pid,) = broker.status(own_broker).pids  # type: ignore[union-attr]
            os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(LogUnavailable):
                    await log.append(LEDGER, 0, numbered(100))
                with pytest.raises(LogUnavailable):
                    await reader.read(1)
                assert reader.position == 2
            finally:
                os.kill(pid, signal.SIGCONT)
            last = await log.append(LEDGER, 0, numbered(2))
            # The frozen broker may have had the first one in hand; it is there once at most, and before.
            found = numbers(await content(log))
            assert found in ([0, 1, 2], [0, 1, 100, 2])
            assert found[last] == 2
            assert numbers(await everything(reader)) == found[2:]

    run(story())


def test_closing_does_not_wait_for_a_dead_broker(own_broker: Path) -> None:
    async def story() -> None:
        async with log_on(own_broker, "closes") as (log, _):
            broker.kill_node(own_broker, 1)
            appending = asyncio.ensure_future(log.append(LEDGER, 0, numbered(100)))
            await asyncio.wait({appending}, timeout=0.1)
            await asyncio.wait_for(log.close(), SOON)
            with pytest.raises(LogError):
                await asyncio.wait_for(appending, SOON)
        await asyncio.to_thread(broker.restart_node, own_broker, 1)

    run(story())


# Topics that others have made, and what others write into them


async def admin_of(place: Place) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await admin.start()
    return admin


async def make_topics(place: Place, changes: dict[str, dict[str, str]], partitions: dict[str, int]) -> None:
    admin = await admin_of(place)
    topics = [
        NewTopic(name, partitions.get(topic, 1), 1, topic_configs=for_creation(topic, 1) | changes.get(topic, {}))
        for topic, name in names(place.name).items()
        if partitions.get(topic, 1)
    ]
    answer = await admin.create_topics(topics)
    assert not any(code for _, code, *_ in answer.topic_errors)
    made = {topic.name for topic in topics}
    while not made <= set(await admin.list_topics()):  # noqa: ASYNC110 - brokers learn of them a moment later
        await asyncio.sleep(0.01)
    await admin.close()


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        (SUBMISSIONS, "message.timestamp.type", "CreateTime"),
        (SUBMISSIONS, "compression.type", "gzip"),
        (SUBMISSIONS, "max.message.bytes", "1000"),
        (LEDGER, "message.timestamp.type", "LogAppendTime"),
        (LEDGER, "message.timestamp.after.max.ms", "3600000"),
        (LEDGER, "cleanup.policy", "compact"),
        (LEDGER, "retention.ms", "604800000"),
        (LEDGER, "retention.bytes", "1000000"),
        (LEDGER, "unclean.leader.election.enable", "true"),
    ],
)
def test_settings_that_break_a_promise_are_refused(kafka_place: Place, topic: str, setting: str, value: str) -> None:
    async def story(log: Log) -> None:
        await make_topics(kafka_place, {topic: {setting: value}}, {})
        with pytest.raises(
            LogSettings, match=rf"{topic}: {setting} is {value}, expected .*kafka-configs --alter .*{topic} "
        ):
            await log.partitions()
        with pytest.raises(LogSettings):
            await log.append(topic, 0, numbered(1))
        with pytest.raises(LogSettings):
            await log.reader(topic, 0).read(1)

    kafka_place.tell(story, partitions=0)


@pytest.mark.parametrize("partitions", [{LEDGER: 2}, {LEDGER: 0}])
def test_topics_that_are_absent_or_differ_are_refused(kafka_place: Place, partitions: dict[str, int]) -> None:
    async def story(log: Log) -> None:
        await make_topics(kafka_place, {}, partitions)
        with pytest.raises(LogSettings, match=kafka_place.name):
            await log.partitions()
        with pytest.raises(LogSettings):
            await log.create(1)

    kafka_place.tell(story, partitions=0)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_that_was_deleted_is_missed_and_made_again(kafka_place: Place, topic: str) -> None:
    async def story(log: Log) -> None:
        await make_topics(kafka_place, {}, {**dict.fromkeys(TOPICS, 2), topic: 0})
        name = names(kafka_place.name)[topic]
        with pytest.raises(LogSettings, match=f"found no {name}: somebody deleted it"):
            await log.partitions()
        assert isinstance(log, KafkaLog)
        assert await log.make_missing() == [name]
        assert await log.make_missing() == []
        assert await log.partitions() == 2

    kafka_place.tell(story, partitions=0)


def test_topics_made_by_others_with_our_settings_are_used(kafka_place: Place) -> None:
    async def story(log: Log) -> None:
        await make_topics(kafka_place, {}, dict.fromkeys(TOPICS, 3))
        assert await log.partitions() == 3
        assert await log.append(SUBMISSIONS, 2, numbered(1)) == 0

    kafka_place.tell(story, partitions=0)


def test_submissions_that_carry_the_time_of_their_sender_are_not_read(kafka_place: Place) -> None:
    async def story(log: Log) -> None:
        await log.append(SUBMISSIONS, 0, numbered(0))
        reader = log.reader(SUBMISSIONS, 0)
        assert numbers(await reader.read(10)) == [0]
        admin = await admin_of(kafka_place)
        settings = for_creation(SUBMISSIONS, 1) | {"message.timestamp.type": "CreateTime"}
        topic = names(kafka_place.name)[SUBMISSIONS]
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])
        await admin.close()
        async with foreign_producer(kafka_place) as producer:
            sent = await producer.send_and_wait(topic, b"1", timestamp_ms=7, partition=0)
            while sent.timestamp_type == 1:  # the broker takes a moment to follow the new setting
                sent = await producer.send_and_wait(topic, b"1", timestamp_ms=7, partition=0)
        with pytest.raises(LogSettings, match="timestamps"):
            await everything(reader)

    kafka_place.tell(story)


@asynccontextmanager
async def foreign_producer(place: Place, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=place.bootstrap, **settings)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def test_what_other_clients_send_is_read(kafka_place: Place) -> None:
    async def story(log: Log) -> None:
        topic = names(kafka_place.name)[SUBMISSIONS]
        async with foreign_producer(kafka_place, compression_type="gzip", linger_ms=50) as producer:
            sent = [
                await producer.send(topic, b"%d" % n * 500, headers=[("h", None), ("g", b"x")], partition=0)
                for n in range(9)
            ]
            await asyncio.gather(*sent)
        found = await content(log, SUBMISSIONS)
        assert [m.value for m in found] == [b"%d" % n * 500 for n in range(9)]
        assert {m.headers for m in found} == {(("h", b""), ("g", b"x"))}

    kafka_place.tell(story)


def test_the_marks_of_transactions_are_passed_over(kafka_place: Place) -> None:
    async def story(log: Log) -> None:
        topic = names(kafka_place.name)[SUBMISSIONS]
        reader = log.reader(SUBMISSIONS, 0)
        async with foreign_producer(kafka_place, transactional_id=kafka_place.name) as producer:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"0", partition=0)
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"1", partition=0)
            await producer.abort_transaction()  # it was in the log, and so it counts
        assert numbers(await everything(reader)) == [0, 1]
        assert await reader.read(1, 0.05) == []
        last = await log.append(SUBMISSIONS, 0, numbered(2))
        assert numbers(await reader.read(10, SOON)) == [2]
        assert reader.position == last + 1
        assert numbers(await content(log, SUBMISSIONS)) == [0, 1, 2]

    kafka_place.tell(story)


@pytest.mark.parametrize("topic", TOPICS)
def test_messages_that_were_deleted_are_missed(kafka_place: Place, topic: str) -> None:
    async def story(log: Log) -> None:
        await log.append(topic, 0, numbered(0, 1, 2))
        admin = await admin_of(kafka_place)
        await admin.delete_records({TopicPartition(names(kafka_place.name)[topic], 0): RecordsToDelete(2)})
        await admin.close()
        with pytest.raises(LogTruncated, match="before 2"):
            await log.reader(topic, 0).read(1)
        assert numbers(await log.reader(topic, 0, 2).read(1)) == [2]
        with pytest.raises(LogTruncated, match=rf"{topic}/0 at 2\. .*Restore"):
            await log.partitions()

    kafka_place.tell(story)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_header_name_that_is_not_text_is_read_with_its_bytes_escaped(kafka_place: Place, limit: int) -> None:
    async def story(log: Log) -> None:
        await log.append(SUBMISSIONS, 0, numbered(0))
        async with foreign_producer(kafka_place) as producer:
            batch = producer.create_batch()
            batch.append(timestamp=1, key=None, value=b"1", headers=[("name", b"x"), ("h", None)])
            batch.append(timestamp=1, key=b"k", value=None, headers=[("h", b"y")])
            built = batch._build()
            at = built.index(b"name")
            built[at : at + 4] = b"\xff\xff\xff\xff"
            struct.pack_into(">I", built, 17, calc_crc32c(bytes(built[21:])))
            await (await producer.send_batch(batch, names(kafka_place.name)[SUBMISSIONS], partition=0))
        await log.append(SUBMISSIONS, 0, numbered(2))
        reader = log.reader(SUBMISSIONS, 0)
        found = []
        while piece := await reader.read(limit):
            assert len(piece) <= limit
            found += piece
        assert [m.position for m in found] == [0, 1, 2, 3]
        assert [m.value for m in found[1:3]] == [b"1", None]
        assert found[1].headers == (("\\xff\\xff\\xff\\xff", b"x"), ("h", b""))
        assert (found[2].key, found[2].headers) == (b"k", (("h", b"y"),))
        assert found[1].timestamp > 1, "the broker's clock"
        # What was read can be written again, as an outcome must be.
        at = await log.append(OUTCOMES, 0, [Message(m.key, m.value, m.headers, m.timestamp) for m in found[1:3]])
        assert [m.headers for m in await log.reader(OUTCOMES, 0, at).read(2)] == [m.headers for m in found[1:3]]

    kafka_place.tell(story)


# Mistakes


def test_a_partition_or_topic_that_is_not_there_is_a_mistake(kafka_place: Place) -> None:
    async def story(log: Log) -> None:
        for partition in (-1, 2):
            with pytest.raises(MisuseError):
                await log.append(LEDGER, partition, numbered(1))
            with pytest.raises(MisuseError):
                await log.end(LEDGER, partition)
            with pytest.raises(MisuseError):
                await log.reader(LEDGER, partition).read(1)
        with pytest.raises(MisuseError):
            await log.append("states", 0, numbered(1))
        with pytest.raises(MisuseError):
            await log.append(LEDGER, 0, [])
        with pytest.raises(MisuseError):
            log.reader(LEDGER, 0).seek(-1)
        with pytest.raises(MisuseError):
            await log.reader(LEDGER, 0).read(0)
        with pytest.raises(MisuseError):
            await log.create(0)

    kafka_place.tell(story)


@pytest.mark.parametrize("name", ["", "a b", "имя", "a/b", "x" * 201])
def test_a_name_that_kafka_would_refuse_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigError):
        KafkaLog("127.0.0.1:1", name)


def test_messages_that_make_more_than_one_batch_are_too_large(kafka_place: Place) -> None:
    async def story(log: Log) -> None:
        # Kafka adds some bytes to each message, so that very many small ones outgrow the batch.
        with pytest.raises(LogError, match="send fewer"):
            await log.append(SUBMISSIONS, 0, [Message(b"k", b"v")] * 300_000)
        assert await log.append(SUBMISSIONS, 0, numbered(0)) == 0

    kafka_place.tell(story)
