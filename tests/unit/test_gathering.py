"""Submissions gather while an append is under way: few appends, order kept, every caller told the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ledger.errors import LogClosed, LogUnavailable
from ledger.log import Message
from producers.gathering import Gathering
from tests.aio import run


class Road:
    """Appends that end when they are told to."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []
        self.gate = asyncio.Semaphore(0)
        self.fails: set[int] = set()

    async def __call__(self, messages: Sequence[Message]) -> int:
        number = len(self.sent)
        base = sum(map(len, self.sent))
        self.sent.append([m.value or b"" for m in messages])
        await self.gate.acquire()
        if number in self.fails:
            raise LogUnavailable("away")
        return base


def messages(*values: bytes) -> list[Message]:
    return [Message(b"k", value) for value in values]


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_comes_while_an_append_is_under_way_goes_with_the_next_one() -> None:
    async def story() -> None:
        road = Road()
        gathering = Gathering(road, 1 << 20)
        tasks = [asyncio.create_task(gathering.put(messages(b"%d" % n))) for n in range(5)]
        await turns()
        late = asyncio.create_task(gathering.put(messages(b"a", b"b")))
        await turns()
        road.gate.release()
        road.gate.release()
        assert [await t for t in tasks] == [[0], [1], [2], [3], [4]]
        assert await late == [5, 6]
        assert road.sent == [[b"0", b"1", b"2", b"3", b"4"], [b"a", b"b"]]

    run(story())


def test_an_append_holds_no_more_bytes_than_it_may() -> None:
    async def story() -> None:
        road = Road()
        road.gate = asyncio.Semaphore(9)
        gathering = Gathering(road, 5000)
        assert await gathering.put(messages(*[bytes(1400)] * 5)) == [0, 1, 2, 3, 4]
        assert [len(piece) for piece in road.sent] == [2, 2, 1]
        assert await gathering.put(messages(bytes(9000))) == [5]

    run(story())


def test_a_failed_append_is_told_to_those_in_it_and_to_nobody_else() -> None:
    async def story() -> None:
        road = Road()
        road.fails = {0}
        gathering = Gathering(road, 1 << 20)
        first = asyncio.create_task(gathering.put(messages(b"1", b"2")))
        await turns()
        second = asyncio.create_task(gathering.put(messages(b"3")))
        await turns()
        road.gate.release()
        road.gate.release()
        with pytest.raises(LogUnavailable):
            await first
        assert await second == [2]

    run(story())


def test_who_is_cancelled_takes_back_what_was_not_under_way_and_stops_nobody_else() -> None:
    async def story() -> None:
        road = Road()
        gathering = Gathering(road, 1 << 20)
        under_way = asyncio.create_task(gathering.put(messages(b"1")))
        await turns()
        waiting = [asyncio.create_task(gathering.put(messages(value))) for value in (b"2", b"3")]
        await turns()
        under_way.cancel()
        waiting[0].cancel()
        await turns()
        road.gate.release()
        road.gate.release()
        assert await waiting[1] == [1]
        assert road.sent == [[b"1"], [b"3"]]

    run(story())


def test_closing_tells_all_who_wait() -> None:
    async def story() -> None:
        gathering = Gathering(Road(), 1 << 20)
        under_way = asyncio.create_task(gathering.put(messages(b"1")))
        await turns()
        waiting = asyncio.create_task(gathering.put(messages(b"2")))
        await turns()
        await gathering.close()
        for task in (under_way, waiting):
            with pytest.raises(LogClosed):
                await task

    run(story())
