"""The ledger folder keeps the port's contract, and its own promises about files."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from infra.adapters.ledger_folder import LedgerFolder
from ledger.errors import LogFull, LogSettings, LogUnavailable, MisuseError
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, TOPICS, Message
from tests.aio import run
from tests.contracts.log_contract import SharedLogContract, content, everything, numbered, numbers
from tests.contracts.log_place import Place


class TestLedgerFolder(SharedLogContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(str(tmp_path / "some" / "folder"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of two partitions with one message."""

    async def make() -> None:
        log = LedgerFolder(tmp_path / "log")
        await log.create(2)
        await log.append(LEDGER, 0, numbered(0))
        await log.close()

    run(make())
    return tmp_path / "log"


def file(folder: Path, topic: str = LEDGER) -> sqlite3.Connection:
    return sqlite3.connect(folder / f"{topic}.sqlite", isolation_level=None)


def test_a_full_disk_takes_nothing_and_says_so(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        await log.append(LEDGER, 0, numbered(1))
        seat = log._writers[LEDGER]._connection
        assert seat is not None
        pages = seat._connection.execute("PRAGMA page_count").fetchone()[0]
        seat._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LogFull):
            await log.append(LEDGER, 0, [*numbered(2), Message(b"k", bytes(500_000))])
        assert numbers(await content(log)) == [0, 1]
        seat._connection.execute("PRAGMA max_page_count = 1000000")
        assert await log.append(LEDGER, 0, numbered(2)) == 2
        await log.close()

    run(story())


def test_a_file_that_others_keep_locked_is_unavailable_and_only_for_writing(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder, timeout=0.5)
        other = file(folder)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogUnavailable):
            await log.append(LEDGER, 0, numbered(7))
        assert numbers(await content(log)) == [0]
        assert await log.append(SUBMISSIONS, 0, numbered(1)) == 0  # files of their own, so nobody waits
        assert await log.append(OUTCOMES, 0, numbered(1)) == 0
        other.execute("ROLLBACK")
        other.close()
        assert await log.append(LEDGER, 0, numbered(1)) == 1
        assert numbers(await content(log)) == [0, 1]  # what failed was not made up for later
        await log.close()

    run(story())


def test_an_append_that_is_cancelled_while_it_waits_is_not_made(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        other = file(folder)
        other.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.ensure_future(log.append(LEDGER, p, numbered(7))) for p in (0, 1, 0)]
        await asyncio.wait(waiting, timeout=0.2)
        for append in waiting:
            append.cancel()
        await asyncio.wait(waiting)
        assert all(append.cancelled() for append in waiting)
        other.execute("ROLLBACK")
        other.close()
        assert await log.append(LEDGER, 0, numbered(1)) == 1
        assert await log.append(LEDGER, 1, numbered(1)) == 0
        await log.close()

    run(story())


@pytest.mark.parametrize("topic", TOPICS)
def test_a_damaged_file_is_refused(folder: Path, topic: str) -> None:
    path = folder / f"{topic}.sqlite"
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))
    assert_refused(folder)


@pytest.mark.parametrize("topic", TOPICS)
def test_an_absent_file_is_refused(folder: Path, topic: str) -> None:
    (folder / f"{topic}.sqlite").unlink()
    assert_refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE meta SET value = '2' WHERE name = 'format'",
        "UPDATE meta SET value = 'outcomes' WHERE name = 'topic'",
        "UPDATE meta SET value = 'many' WHERE name = 'partitions'",
        "UPDATE meta SET value = '3' WHERE name = 'partitions'",
        "DELETE FROM meta",
        "DROP TABLE meta",
    ],
)
def test_a_file_of_another_kind_is_refused(folder: Path, change: str) -> None:
    other = file(folder)
    other.execute(change)
    other.close()
    assert_refused(folder)


def assert_refused(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        with pytest.raises(LogSettings):
            await log.partitions()
        await log.close()

    run(story())


def test_damaged_headers_are_refused_and_a_damaged_table_too(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        other = file(folder)
        other.execute("UPDATE p0 SET headers = x'c1'")
        with pytest.raises(LogSettings):
            await log.reader(LEDGER, 0).read(1)
        other.execute("DROP TABLE p1")
        other.close()
        with pytest.raises(LogSettings):
            await log.append(LEDGER, 1, numbered(1))
        with pytest.raises(LogSettings):
            await log.end(LEDGER, 1)
        await log.close()

    run(story())


def test_a_log_is_not_made_where_it_cannot_be(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "file").write_text("not a folder")
        for path in (tmp_path / "file", tmp_path / "file" / "below"):
            log = LedgerFolder(path)
            with pytest.raises(LogSettings):
                await log.create(1)
            with pytest.raises(LogSettings):
                await log.partitions()
            await log.close()
        assert (tmp_path / "file").read_text() == "not a folder"

    run(story())


def test_a_creation_that_fails_leaves_the_files_of_others(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "outcomes.sqlite").write_text("mine")
        log = LedgerFolder(tmp_path)
        with pytest.raises(LogSettings):
            await log.create(1)
        await log.close()

    run(story())
    assert [path.name for path in tmp_path.iterdir()] == ["outcomes.sqlite"]
    assert (tmp_path / "outcomes.sqlite").read_text() == "mine"


def test_of_many_who_create_at_once_one_succeeds(tmp_path: Path) -> None:
    async def story() -> None:
        logs = [LedgerFolder(tmp_path / "log") for _ in range(6)]
        made = await asyncio.gather(*(log.create(n) for n, log in enumerate(logs, 1)), return_exceptions=True)
        assert [type(m) for m in made if m is not None] == [LogSettings] * 5
        assert await logs[0].partitions() == made.index(None) + 1
        for log in logs:
            await log.close()

    run(story())


def test_submissions_are_stamped_by_the_clock_that_was_given(folder: Path) -> None:
    async def story() -> None:
        ticks = iter((100, 50))
        log = LedgerFolder(folder, clock=lambda: next(ticks))
        await log.append(SUBMISSIONS, 0, [Message(b"k", b"v", (), 7)] * 2)
        await log.append(LEDGER, 0, [Message(b"k", b"v", (), 7)])
        await log.append(SUBMISSIONS, 0, [Message(b"k", b"v", (), 7)])
        assert [m.timestamp for m in await content(log, SUBMISSIONS)] == [100, 100, 50]
        assert [m.timestamp for m in await content(log, LEDGER)][-1] == 7
        await log.close()

    run(story())


def test_large_messages_come_in_pieces(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        for _ in range(100):
            await log.append(OUTCOMES, 0, [Message(None, bytes(1 << 20))])
        reader = log.reader(OUTCOMES, 0)
        first = await reader.read(1000)
        assert 0 < len(first) < 100
        assert len(first) + len(await everything(reader)) == 100
        await log.close()

    run(story())


def test_an_export_is_the_ledger_in_one_file(folder: Path, tmp_path: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        await log.append(LEDGER, 1, [Message(b"k", b"v", (("h", b"x"),), 5)])
        writing = asyncio.ensure_future(log.append(LEDGER, 0, numbered(1)))
        await log.export(tmp_path / "export.sqlite")
        await writing
        await log.close()

    run(story())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.sqlite", "log"]
    with sqlite3.connect(f"file:{tmp_path}/export.sqlite?mode=ro", uri=True) as export:
        assert dict(export.execute("SELECT name, value FROM meta")) == {
            "format": "1",
            "partitions": "2",
            "topic": "ledger",
        }
        assert export.execute("SELECT position, timestamp, key, value FROM p1").fetchall() == [(0, 5, b"k", b"v")]
        assert export.execute("SELECT value FROM p0 WHERE position = 0").fetchall() == [(b"0",)]
        assert export.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    export.close()


def test_an_export_never_replaces_a_file(folder: Path, tmp_path: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
        (tmp_path / "there").write_text("mine")
        for path in (tmp_path / "there", tmp_path / "nowhere" / "export.sqlite"):
            with pytest.raises((MisuseError, LogSettings)):
                await log.export(path)
        assert (tmp_path / "there").read_text() == "mine"
        await log.close()

    run(story())


def test_a_partition_or_topic_that_is_not_there_is_a_mistake(folder: Path) -> None:
    async def story() -> None:
        log = LedgerFolder(folder)
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
        await log.close()

    run(story())
