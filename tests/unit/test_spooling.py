"""Reading a ledger into a spool: what counts is kept, in both orders; what contradicts ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.settlements import Settlements
from consumers.spooling import spool
from infra.exporting.spool_file import SpoolFile
from ledger.errors import ChainError, ConfigError, ForkError
from ledger.log import LEDGER, Message
from tests.aio import run
from tests.fakes import MemoryLog
from tests.ledgers import Book


def book_of(partitions: int, records: int, subjects: int = 10) -> Book:
    book = Book(partitions)
    for i in range(records):
        book.add(f"request/{i % subjects}")
    return book


def spooled(
    book: Book, into: SpoolFile, instead: dict[int, list[Message]] | None = None
) -> tuple[dict[int, tuple[int, str]], list[int]]:
    """Sizes and roots, and what was told of progress."""
    log = MemoryLog(book.partitions)
    for partition, messages in enumerate(book.messages):
        log.put(LEDGER, partition, (instead or {}).get(partition, messages))
    told: list[int] = []

    async def work() -> dict[int, tuple[int, str]]:
        settlements = Settlements(log, book.ledger_id)
        await settlements.refresh()
        return await spool(log, book.ledger_id, settlements, book.partitions, into, told.append)

    sizes = run(work())
    into.sort()
    return sizes, told


def test_every_record_is_kept_once_and_noise_is_left_out(tmp_path: Path) -> None:
    book = book_of(2, 40)
    with SpoolFile(tmp_path) as clean, SpoolFile(tmp_path) as noisy:
        sizes, told = spooled(book, clean)
        first = book.messages[1]
        noise = [*first[:3], *first[:3], book.ahead(1, 5), *first[3:], book.repeated(1, 2)]
        assert spooled(book, noisy, {1: noise})[0] == sizes
        assert [r.leaf for r in noisy.all()] == [r.leaf for r in clean.all()]
    assert {p: size for p, (size, _) in sizes.items()} == {p: len(m) for p, m in enumerate(book.messages)}
    assert told[-1] == sum(len(messages) for messages in book.messages)


def test_records_come_by_subject_and_by_admission(tmp_path: Path) -> None:
    book = book_of(2, 30, subjects=3)
    with SpoolFile(tmp_path) as records:
        spooled(book, records)
        subjects = {name: key for key, name in records.subjects(frozenset({"request"}))}
        assert {*subjects} == {"request/0", "request/1", "request/2"}
        for name, key in subjects.items():
            found = list(records.of_subject(key))
            assert {r.subject for r in found} == {name}
            assert [r.seal.seq for r in found] == list(range(1, 11))
        admitted = [r.seal.admitted for r in records.all()]
        assert admitted == sorted(admitted)
        assert len(admitted) == 30 + sum(r.subject == "register" for r in records.all())


def test_copies_of_the_register_are_left_out(tmp_path: Path) -> None:
    book = book_of(3, 3)
    with SpoolFile(tmp_path) as records:
        spooled(book, records)
        assert [name for _, name in records.subjects(frozenset({"register"}))] == ["register"]
        assert {r.partition for r in records.all() if r.subject == "register"} == {0}
        assert records.count() > sum(1 for _ in records.all())


def test_a_fork_ends_it_until_it_is_settled(tmp_path: Path) -> None:
    book = book_of(2, 40)
    first, fork = book.messages[1], book.forked(1, 4)
    noisy = {1: [*first[:9], fork, *first[9:]]}
    with SpoolFile(tmp_path) as records, pytest.raises(ForkError, match="rogatory fork show 1/4"):
        spooled(book, records, noisy)
    leaf = book.leaves[1][4].hex()
    book.add("register", "fork.settled", {"partition": 1, "index": 4, "leaf": leaf})
    with SpoolFile(tmp_path) as clean, SpoolFile(tmp_path) as records, SpoolFile(tmp_path) as later:
        sizes, _ = spooled(book, clean)
        assert spooled(book, records, {1: [*book.messages[1][:9], fork, *book.messages[1][9:]]})[0] == sizes
        assert spooled(book, later, {1: [*book.messages[1][:4], fork, *book.messages[1][4:]]})[0] == sizes


def test_a_record_that_does_not_follow_ends_it(tmp_path: Path) -> None:
    book = book_of(1, 20)
    with SpoolFile(tmp_path) as records, pytest.raises(ChainError, match="partition 0, position 5"):
        spooled(book, records, {0: [*book.messages[0][:5], book.unsealed(0)]})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="room for temporary files"):
        SpoolFile(tmp_path / "none")
