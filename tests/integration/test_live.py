"""Live workers on a real Kafka: what they make is what a replay makes, whatever happens to them."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.live import group_of
from ledger.partition import partition_of
from tests.aio import run, until
from tests.contracts.log_place import Place
from tests.integration.live_scene import FOLD, SOON, Scene
from tests.ledgers import Book

pytestmark = pytest.mark.kafka


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


def tell(book: Book, dice: random.Random, records: int, subjects: int = 40) -> None:
    for _ in range(records):
        book.add(f"request/{dice.randrange(subjects)}")


def test_live_makes_the_rows_that_a_replay_makes(kafka_place: Place, store_url: str) -> None:
    async def story() -> None:
        dice = random.Random(1)
        async with Scene.of(kafka_place, book := Book(3), store_url) as scene:
            tell(book, dice, 300)
            await scene.grow(dice)
            async with scene.working():
                await scene.reached()
                for _ in range(5):
                    tell(book, dice, dice.randrange(1, 200))
                    await scene.grow(dice)
                    await asyncio.sleep(dice.random() / 5)
                await scene.reached()
            assert await scene.same_as_replayed()

    run(story())


def test_what_was_folded_is_committed_when_it_is_told_to_stop(kafka_place: Place, url: str) -> None:
    async def story() -> None:
        dice = random.Random(2)
        async with Scene.of(kafka_place, book := Book(2), url) as scene:
            tell(book, dice, 50)
            await scene.grow()
            async with scene.working():
                await scene.reached()
                tell(book, dice, 2000)
                await scene.grow()
            async with scene.working():
                await scene.reached()
            assert await scene.same_as_replayed()

    run(story())


@pytest.mark.parametrize("offset", ["behind", "ahead"])
def test_it_begins_where_the_store_stands_whatever_the_groups_offset_says(
    kafka_place: Place, url: str, offset: str
) -> None:
    async def story() -> None:
        dice = random.Random(3)
        async with Scene.of(kafka_place, book := Book(2), url) as scene:
            tell(book, dice, 200)
            await scene.grow()
            async with scene.working():
                await scene.reached()
            tell(book, dice, 200)
            await scene.grow()
            await _pretend(kafka_place, dict(enumerate([0, 0] if offset == "behind" else scene.ends())))
            async with scene.working():
                await scene.reached()
            assert await scene.same_as_replayed()

    run(story())


async def _pretend(place: Place, offsets: dict[int, int]) -> None:
    """Write offsets for the group as somebody's tool may do."""
    topic = f"{place.name}.ledger"
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.bootstrap, group_id=group_of(place.name, FOLD), enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, p) for p in offsets])
        await consumer.commit({TopicPartition(topic, p): n for p, n in offsets.items()})
        for p, n in offsets.items():
            assert await consumer.committed(TopicPartition(topic, p)) == n
    finally:
        await consumer.stop()


def test_a_store_that_was_put_back_goes_on_from_where_it_stands(kafka_place: Place, url: str, tmp_path: Path) -> None:
    async def story() -> None:
        dice = random.Random(4)
        async with Scene.of(kafka_place, book := Book(2), url) as scene:
            tell(book, dice, 200)
            await scene.grow()
            async with scene.working():
                await scene.reached()
            with sqlite3.connect(tmp_path / "store.db") as now, sqlite3.connect(tmp_path / "older.db") as older:
                now.backup(older)
            tell(book, dice, 200)
            await scene.grow()
            async with scene.working():
                await scene.reached()
                last = scene.positions()
                with sqlite3.connect(tmp_path / "older.db") as older, sqlite3.connect(tmp_path / "store.db") as now:
                    older.backup(now)
                assert scene.positions() != last
                for subject in {f"request/{n}" for n in range(40)}:
                    book.add(subject)
                await scene.grow()
                await scene.reached()  # under the running worker's feet
            assert await scene.same_as_replayed()

    run(story())


class TestPoison:
    def test_it_stops_its_partition_alone_until_the_ledger_lets_it_go_on(
        self, kafka_place: Place, store_url: str
    ) -> None:
        async def story() -> None:
            dice = random.Random(5)
            async with Scene.of(kafka_place, book := Book(3), store_url) as scene:
                sick = partition_of("request/bad", 3)
                others = [p for p in range(3) if p != sick]
                tell(book, dice, 100)
                book.add("request/bad")
                index = len(book.messages[sick])
                book.add("request/bad", "step.taken", {"step": "poison"})
                tell(book, dice, 100)
                await scene.grow()
                for _ in range(2):  # met again after a restart
                    async with scene.working():
                        noted = await scene.poisoned()
                        tell(book, dice, 60)
                        await scene.grow()
                        await scene.reached(others)
                        assert (noted.partition, noted.index, noted.position) == (sick, index, index)
                        assert scene.positions()[sick] == index
                async with scene.working():
                    since = (await scene.poisoned()).found_at
                    assert since == noted.found_at
                    scene.skip(noted)
                    tell(book, dice, 60)
                    book.add("request/bad")
                    await scene.grow()
                    await scene.reached()  # by itself
                    tell(book, dice, 60)
                    await scene.grow()
                    await scene.reached()
                assert scene.standing() == []
                assert await scene.same_as_replayed()

        run(story())

    def test_it_stays_paused_when_partitions_move_between_workers(
        self, kafka_place: Place, url: str, tmp_path: Path
    ) -> None:
        async def story() -> None:
            dice = random.Random(6)
            async with Scene.of(kafka_place, book := Book(4), url) as scene:
                sick = partition_of("request/bad", 4)
                others = [p for p in range(4) if p != sick]
                book.add("request/bad", "step.taken", {"step": "poison"})
                tell(book, dice, 100)
                await scene.grow()
                async with scene.working():
                    noted = await scene.poisoned()
                    with _worker(scene, tmp_path / "second") as second:
                        await _said(tmp_path / "second", "assigned partitions")
                        tell(book, dice, 100)
                        await scene.grow()
                        await scene.reached(others)
                        second.send_signal(signal.SIGTERM)
                        assert await asyncio.to_thread(second.wait, SOON) == 0
                    tell(book, dice, 100)
                    await scene.grow()
                    await scene.reached(others)
                    assert scene.positions()[sick] == noted.position
                    scene.skip(noted)
                    await scene.grow()
                    await scene.reached()
                assert await scene.same_as_replayed()

        run(story())


@pytest.mark.slow
def test_of_two_workers_one_is_killed_and_the_other_takes_its_partitions(
    kafka_place: Place, store_url: str, tmp_path: Path
) -> None:
    async def story() -> None:
        dice = random.Random(7)
        async with Scene.of(kafka_place, book := Book(4), store_url) as scene:
            scene.generation()
            tell(book, dice, 200)
            await scene.grow()
            with _worker(scene, tmp_path / "one") as one, _worker(scene, tmp_path / "two") as two:
                await asyncio.gather(*(_said(tmp_path / name, "assigned partitions") for name in ("one", "two")))
                for _ in range(10):
                    tell(book, dice, 50)
                    await scene.grow(dice)
                await scene.reached()
                one.send_signal(signal.SIGKILL)
                for _ in range(10):
                    tell(book, dice, 50)
                    await scene.grow(dice)
                await scene.reached()
                await _said(tmp_path / "two", "assigned partitions [0, 1, 2, 3]")
                two.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(two.wait, SOON) == 0
            assert await scene.same_as_replayed()

    run(story())


class _worker:  # noqa: N801 - used like a function
    """A worker in a process of its own, ended with the block."""

    def __init__(self, scene: Scene, said: Path) -> None:
        self._process = scene.process(said)

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


async def _said(path: Path, words: str) -> None:
    await until(lambda: words in path.read_text(), SOON)
