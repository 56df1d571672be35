"""Fixtures of the integration tests: an empty log, on a folder or on Kafka."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from tests.contracts.log_place import Place
from tests.kafka_fixture import _delete

BOTH = ["folder", pytest.param("kafka", marks=pytest.mark.kafka)]


def _place(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == "folder":
        yield Place(str(factory.mktemp("log") / "folder"))
        return
    place = Place(f"test-{uuid.uuid4().hex[:12]}", request.getfixturevalue("kafka_bootstrap"))
    yield place
    asyncio.run(_delete(place))


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A log of one test, not made yet."""
    yield from _place(request, tmp_path_factory)


@pytest.fixture(params=BOTH, scope="module")
def shared_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A log that the tests of a module share, not made yet."""
    yield from _place(request, tmp_path_factory)
