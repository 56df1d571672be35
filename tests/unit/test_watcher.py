"""What whoever waits for a seal is told, when the ledger holds one record at its index and when it holds two."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import msgspec
import pytest

from ledger.errors import ForkError
from ledger.log import LEDGER, Message, header
from ledger.seal import Seal, read_seal
from ledger.submission import SEAL_HEADER
from producers.watcher import Watcher
from tests.aio import run
from tests.fakes import MemoryLog
from tests.ledgers import Book

SOON = 10.0


def seal_of(message: Message) -> Seal:
    return read_seal(header(message.headers, SEAL_HEADER) or b"")


def asked(message: Message) -> tuple[int, int, str]:
    """What a publisher asks with about the submission that became this record."""
    return 0, seal_of(message).offset, sha256(message.value or b"").hexdigest()


def book_of(records: int) -> Book:
    book = Book(1)
    for n in range(records):
        book.add(f"request/{n}")
    return book


def test_a_record_that_is_seen_again_gives_the_receipt_that_it_gave_before() -> None:
    async def story() -> None:
        book, log = book_of(5), MemoryLog(1)
        watcher = Watcher(log)
        await watcher.watch(0)
        last = book.messages[0][-1]
        log.put(LEDGER, 0, [*book.messages[0], last])
        for _ in range(2):
            receipt = await asyncio.wait_for(watcher.answer(*asked(last)), SOON)
            assert not isinstance(receipt, ForkError)
            assert msgspec.structs.asdict(receipt)["leaf"] == book.leaves[0][-1].hex()
        await watcher.close()

    run(story())


@pytest.mark.parametrize("forged_first", [True, False])
def test_two_records_at_the_index_of_a_submission_are_a_fork_and_no_receipt(*, forged_first: bool) -> None:
    async def story() -> None:
        book, log = book_of(6), MemoryLog(1)
        watcher = Watcher(log)
        await watcher.watch(0)
        *before, genuine, following = book.messages[0]
        index = seal_of(genuine).index
        both = [genuine, book.forked(0, index)]
        log.put(LEDGER, 0, [*before, *(reversed(both) if forged_first else both), following])
        # The one behind it has its receipt: the fork is that index's affair.
        receipt = await asyncio.wait_for(watcher.answer(*asked(following)), SOON)
        assert msgspec.structs.asdict(receipt)["leaf"] == book.leaves[0][-1].hex()
        with pytest.raises(ForkError, match=f"index 0/{index}"):
            await asyncio.wait_for(watcher.answer(*asked(genuine)), SOON)
        await watcher.close()

    run(story())
