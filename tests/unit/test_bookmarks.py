"""Bookmarks and the register's cache save reading a ledger again; whatever is wrong with them costs time only."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from consumers.herald import Herald
from consumers.register_tail import RegisterTail
from infra.adapters.cache_file import BookmarkFiles, CacheFile
from infra.reading import Seen, read_register
from ledger.log import LEDGER, SUBMISSIONS
from tests.aio import run
from tests.fakes import MemoryLog, MemoryReader
from tests.faults.checks import everything
from tests.faults.ground import Reference, memory_state, memory_with, registrar, settle, undisturbed

PARTITIONS = 3


class Counting(MemoryLog):
    """Counts the ledger messages that are read."""

    read = 0

    def reader(self, topic: str, partition: int, start: int = 0) -> MemoryReader:
        inner = super().reader(topic, partition, start)
        plain = inner.read

        async def read(limit: int, wait: float = 0.0) -> list:
            found = await plain(limit, wait)
            if topic == LEDGER:
                self.read += len(found)
            return found

        inner.read = read  # type: ignore[method-assign]
        return inner


async def sealed() -> tuple[Counting, Reference]:
    """A log on which everything is decided."""
    reference = await undisturbed(PARTITIONS, 2, 80)
    plain = memory_with(reference.submissions)
    log = Counting(clock=plain._clock)
    log._shelf = plain._shelf
    for partition in range(PARTITIONS):
        await registrar(log, reference.people, partition, memory_state(partition)).drain()
    log.read = 0
    return log, reference


async def grown(log: MemoryLog, reference: Reference) -> None:
    """One more office in the register, sealed in partition 0 only."""
    from tests.faults.world import COORDINATOR, office  # noqa: PLC0415 - only here

    signed = reference.people.say(COORDINATOR, "register", office("KZ-NEW", "other", "KZ"), id="grown")
    await log.append(SUBMISSIONS, 0, [signed.message()])
    await registrar(log, reference.people, 0, memory_state(0)).drain()


def test_a_herald_begins_where_the_one_before_ended(tmp_path: Path) -> None:
    async def story() -> None:
        log, reference = await sealed()
        marks = BookmarkFiles(tmp_path)
        first = Herald(log, PARTITIONS, lambda: 0.0, marks)
        assert await first.step() == 0
        await first.close()
        whole = log.read
        await grown(log, reference)
        log.read = 0
        second = Herald(log, PARTITIONS, lambda: 0.0, marks)
        assert await second.step() == PARTITIONS - 1, "the new event goes to each of the others"
        assert log.read < whole / 4
        await settle([registrar(log, reference.people, p, memory_state(p)) for p in range(PARTITIONS)], second)
        assert set(second.lag().values()) == {0}
        await second.close()

    run(story())


def test_a_herald_sends_what_a_bookmark_has_passed_if_a_target_lacks_it(tmp_path: Path) -> None:
    """The home ledger is bookmarked to its end, the target is not: copies are read again, one by one."""

    async def story() -> None:
        log, reference = await sealed()
        marks = BookmarkFiles(tmp_path)
        home = RegisterTail(log, 0, marks)
        await home.new()
        await home.close()
        for partition in (1, 2):
            log._shelf.topics[LEDGER][partition].clear()
            log._shelf.topics[SUBMISSIONS][partition].clear()
        herald = Herald(log, PARTITIONS, lambda: 0.0, marks)
        await settle([registrar(log, reference.people, p, memory_state(p)) for p in range(PARTITIONS)], herald)
        assert set(herald.lag().values()) == {0}
        register = (await everything(log, LEDGER, 0)), (await everything(log, LEDGER, 1))
        own, copied = ([s.value for s in part if s.key == b"register"] for part in register)
        assert own == copied

    run(story())


@pytest.mark.parametrize("wrong", ["leaf", "place", "past the end", "no JSON", "another form"])
def test_a_bookmark_that_does_not_fit_is_passed_over(tmp_path: Path, wrong: str) -> None:
    async def story() -> None:
        log, _ = await sealed()
        marks = BookmarkFiles(tmp_path)
        first = RegisterTail(log, 1, marks)
        found = await first.new()
        await first.close()
        path = tmp_path / "bookmark-p1.json"
        said = json.loads(path.read_text())
        path.write_text(
            {
                "leaf": json.dumps(said | {"leaf": "0" * 64}),
                "place": json.dumps(said | {"place": said["place"] - 1}),
                "past the end": json.dumps(said | {"place": said["place"] + 100}),
                "no JSON": "{",
                "another form": "[]",
            }[wrong]
        )
        again = RegisterTail(log, 1, marks)
        assert await again.new() == found
        assert again.places == first.places

    run(story())


def test_a_cache_folder_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    marks = BookmarkFiles(tmp_path / "file" / "folder")

    async def story() -> None:
        log, _ = await sealed()
        tail = RegisterTail(log, 1, marks)
        await tail.new()
        await tail.close()

    run(story())


def test_the_register_is_read_once_and_then_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.reading._WORTH", 1)

    async def story() -> None:
        log, reference = await sealed()
        cache = CacheFile(tmp_path / "register.json", Seen)
        ledger_id = reference.people.ledger_id
        first = await read_register(log, ledger_id, None, cache)
        whole = log.read
        log.read = 0
        assert await read_register(log, ledger_id, None, cache) == first
        assert log.read == 1, "the record that the cache names"
        await grown(log, reference)
        log.read = 0
        later = await read_register(log, ledger_id, None, cache)
        assert later == await read_register(log, ledger_id)
        assert first is not None
        assert later is not None
        assert later.seq == first.seq + 1
        assert whole > 3

    run(story())


@pytest.mark.parametrize("wrong", ["leaf", "place", "ledger_id"])
def test_a_cached_register_that_does_not_fit_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr("infra.reading._WORTH", 1)

    async def story() -> None:
        log, reference = await sealed()
        cache = CacheFile(tmp_path / "register.json", Seen)
        ledger_id = reference.people.ledger_id
        right = await read_register(log, ledger_id, None, cache)
        seen = cache.load()
        assert seen is not None
        forged = msgspec.structs.replace(seen.register, offices={})
        changes: dict[str, object] = {"leaf": "0" * 64, "place": seen.place + 9, "ledger_id": f"other.{'0' * 32}"}
        cache.save(msgspec.structs.replace(seen, register=forged, **{wrong: changes[wrong]}))
        assert await read_register(log, ledger_id, None, cache) == right

    run(story())


def test_the_register_at_an_index_is_not_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.reading._WORTH", 1)

    async def story() -> None:
        log, reference = await sealed()
        cache = CacheFile(tmp_path / "register.json", Seen)
        await read_register(log, reference.people.ledger_id, None, cache)
        early = await read_register(log, reference.people.ledger_id, 0, cache)
        assert early is not None
        assert early.seq == 1

    run(story())


def test_a_ledger_that_was_replaced_gets_its_own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.reading._WORTH", 1)

    async def story() -> None:
        log, reference = await sealed()
        cache = CacheFile(tmp_path / "register.json", Seen)
        ledger_id = reference.people.ledger_id
        await read_register(log, ledger_id, None, cache)
        kept = log._shelf.topics[LEDGER][0][:3]
        log._shelf.topics[LEDGER][0][:] = kept
        found = await read_register(log, ledger_id, None, cache)
        assert found is not None
        assert found.seq == sum(1 for s in kept if s.key == b"register")

    run(story())
