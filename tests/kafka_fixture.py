"""A real Kafka for tests: one that is named in the environment, else Docker's, else our own."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from infra.adapters import broker
from infra.adapters.kafka_settings import names
from tests.contracts.log_place import Place

VARIABLE = "ROGATORY_TEST_KAFKA"


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker that lasts as long as the session."""
    if named := os.environ.get(VARIABLE):
        yield named
    elif _docker_answers():
        from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 - slow to import, seldom used

        with KafkaContainer().with_kraft() as container:
            yield container.get_bootstrap_server()
    else:
        folder = tmp_path_factory.mktemp("kafka")
        try:
            yield broker.start(folder).bootstrap
        finally:
            broker.stop(folder)


@pytest.fixture
def kafka_place(kafka_bootstrap: str) -> Iterator[Place]:
    """A log on that broker, not created yet; its topics are deleted afterwards."""
    place = Place(f"test-{uuid.uuid4().hex[:12]}", kafka_bootstrap)
    yield place
    asyncio.run(_delete(place))


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a broker that a test may kill."""
    folder = tmp_path_factory.mktemp("own")
    broker.start(folder)
    yield folder
    broker.stop(folder)


async def _delete(place: Place) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names(place.name).values()))
    finally:
        await admin.close()


def _docker_answers() -> bool:
    """Ask the daemon: a client that is installed says nothing about it."""
    try:
        client = docker.from_env(timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, RequestException, OSError):
        return False
