"""What ``ledger/log.py`` promises, as tests that every adapter inherits.

An adapter's test module supplies a fixture ``place``, a log that is not there yet::

    class TestMyLog(LogContract):
        @pytest.fixture
        def place(self, tmp_path): return Place(str(tmp_path / "log"))
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence

import msgspec
import pytest

from ledger.errors import AppendTooLarge, LogClosed, LogSettings, LogUnavailable
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, TOPICS, Log, Message, Reader, Stored
from tests.contracts.log_place import Place

SOON = 60.0
"""Seconds that a test waits for what must come: a bound against hanging, not a measure."""


def numbered(*numbers: int) -> list[Message]:
    return [Message(b"k", str(n).encode(), (), 1) for n in numbers]


def numbers(found: Sequence[Stored]) -> list[int]:
    return [int(m.value or b"-1") for m in found]


async def everything(reader: Reader, limit: int = 1000) -> list[Stored]:
    """Read until the end was reached."""
    found: list[Stored] = []
    while more := await reader.read(limit):
        found += more
    return found


async def content(log: Log, topic: str = LEDGER, partition: int = 0) -> list[Stored]:
    reader = log.reader(topic, partition)
    try:
        return await everything(reader)
    finally:
        await reader.close()


class LogContract:
    """Everything that one process can see."""

    # Creation

    def test_a_log_that_was_not_created_is_not_used(self, place: Place) -> None:
        async def story(log: Log) -> None:
            with pytest.raises(LogSettings):
                await log.partitions()
            with pytest.raises(LogSettings):
                await log.append(LEDGER, 0, numbered(1))
            with pytest.raises(LogSettings):
                await log.end(LEDGER, 0)
            with pytest.raises(LogSettings):
                await log.reader(LEDGER, 0).read(1)

        place.tell(story, partitions=0)

    def test_every_topic_has_the_partitions_it_was_created_with(self, place: Place) -> None:
        async def story(log: Log) -> None:
            assert await log.partitions() == 3
            for topic in TOPICS:
                for partition in range(3):
                    assert await log.end(topic, partition) == 0
                    assert await content(log, topic, partition) == []

        place.tell(story, partitions=3)

    def test_a_log_is_created_once(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(1))
            other = place.open()
            with pytest.raises(LogSettings):
                await other.create(2)
            await other.close()
            assert await log.partitions() == 2
            assert numbers(await content(log)) == [1]

        place.tell(story)

    # Order

    def test_positions_start_at_0_and_rise(self, place: Place) -> None:
        async def story(log: Log) -> None:
            for topic in TOPICS:
                assert await log.append(topic, 0, numbered(0)) == 0
                assert await log.append(topic, 0, numbered(1, 2, 3)) == 1
                assert await log.append(topic, 0, numbered(4)) == 4
                assert await log.end(topic, 0) == 5
                found = await content(log, topic)
                assert [m.position for m in found] == [0, 1, 2, 3, 4]
                assert numbers(found) == [0, 1, 2, 3, 4]

        place.tell(story)

    def test_partitions_are_counted_apart(self, place: Place) -> None:
        async def story(log: Log) -> None:
            assert await log.append(LEDGER, 1, numbered(7, 8)) == 0
            assert await log.append(LEDGER, 0, numbered(9)) == 0
            assert [await log.end(LEDGER, p) for p in (0, 1)] == [1, 2]
            assert numbers(await content(log, LEDGER, 1)) == [7, 8]

        place.tell(story)

    def test_two_handles_see_one_log(self, place: Place) -> None:
        async def story(log: Log) -> None:
            other = place.open()
            for n in range(0, 10, 2):
                assert await log.append(LEDGER, 0, numbered(n)) == n
                assert await other.append(LEDGER, 0, numbered(n + 1)) == n + 1
            assert numbers(await content(log)) == numbers(await content(other)) == list(range(10))
            await other.close()

        place.tell(story)

    def test_many_tasks_append_and_read_at_once(self, place: Place) -> None:
        async def story(log: Log) -> None:
            async def write(topic: str, partition: int) -> None:
                for n in range(0, 60, 3):
                    assert await log.append(topic, partition, numbered(n, n + 1, n + 2)) == n

            async def read(topic: str, partition: int) -> None:
                reader, found = log.reader(topic, partition), list[Stored]()
                while len(found) < 60:
                    found += await reader.read(7, 1.0)
                assert numbers(found) == list(range(60))

            everywhere = [(topic, partition) for topic in TOPICS for partition in (0, 1)]
            await asyncio.wait_for(asyncio.gather(*(do(*w) for w in everywhere for do in (write, read, read))), SOON)

        place.tell(story)

    # Atomicity

    def test_an_append_that_is_too_large_leaves_nothing(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(1))
            half = bytes(log.max_append_bytes // 2)
            for topic in (LEDGER, SUBMISSIONS):
                end = await log.end(topic, 0)
                with pytest.raises(AppendTooLarge):
                    await log.append(topic, 0, [*numbered(2), Message(b"k", half), Message(b"k", half)])
                assert await log.end(topic, 0) == end
                assert await log.append(topic, 0, numbered(3)) == end
            assert numbers(await content(log)) == [1, 3]

        place.tell(story)

    def test_an_append_of_the_largest_size_is_taken(self, place: Place) -> None:
        async def story(log: Log) -> None:
            assert log.max_append_bytes >= 1 << 20
            for topic in TOPICS:
                header = ("h", b"x" * 99)
                value = random.Random(1).randbytes(log.max_append_bytes - 110)
                assert await log.append(topic, 0, [Message(b"0123456789", value, (header,))]) == 0
                (found,) = await content(log, topic)
                assert (found.value, found.headers) == (value, (header,))
                with pytest.raises(AppendTooLarge):
                    await log.append(topic, 0, [Message(b"0123456789", value * 9, (header,))])

        place.tell(story)

    def test_the_end_never_stands_inside_an_append(self, place: Place) -> None:
        async def story(log: Log) -> None:
            other = place.open()
            reader = other.reader(LEDGER, 0)

            async def write() -> None:
                for n in range(0, 700, 7):
                    await log.append(LEDGER, 0, numbered(*range(n, n + 7)))

            writing = asyncio.ensure_future(write())
            while not writing.done():
                assert await other.end(LEDGER, 0) % 7 == 0
                await everything(reader)
                assert reader.position % 7 == 0
            await writing
            await other.close()

        place.tell(story)

    # What is kept

    def test_messages_come_back_as_they_were(self, place: Place) -> None:
        every_byte = bytes(range(256))
        sent = [
            Message(None, None, (), 1),
            Message(b"", b"", (("", b""),), 2),
            Message(None, b"v", (("a", every_byte),), 3),
            Message(b"k", None, (("a", b"1"), ("b", b"2"), ("a", b"3"), ("a", b"1")), 4),
            Message(every_byte, every_byte, (("имя", "значение".encode()),), 5),
        ]

        async def story(log: Log) -> None:
            for topic in TOPICS:
                await log.append(topic, 0, sent)
                found = await content(log, topic)
                assert [(m.key, m.value, m.headers) for m in found] == [(m.key, m.value, m.headers) for m in sent]

        place.tell(story)

    def test_ledger_and_outcomes_keep_the_timestamp_that_was_given(self, place: Place) -> None:
        given = [1_700_000_000_000, 0, 1, 4_000_000_000_000, 1_600_000_000_000]

        async def story(log: Log) -> None:
            for topic in (LEDGER, OUTCOMES):
                await log.append(topic, 0, [Message(b"k", b"v", (), t) for t in given])
                assert [m.timestamp for m in await content(log, topic)] == given

        place.tell(story)

    def test_submissions_carry_the_time_of_the_log(self, place: Place) -> None:
        async def story(log: Log) -> None:
            hour = 3_600_000
            for given in (0, 4_000_000_000_000):
                await log.append(SUBMISSIONS, 0, [Message(b"k", b"v", (), given)] * 2)
            now = time.time_ns() // 1_000_000  # the log's clock may be another machine's
            assert all(abs(m.timestamp - now) < hour for m in await content(log, SUBMISSIONS))

        place.tell(story)

    def test_many_and_large_messages_come_back(self, place: Place) -> None:
        dice = random.Random(2)
        sent = [Message(b"%d" % n, dice.randbytes(dice.choice((0, 10, 300))), (), n) for n in range(30_000)]
        sent += [Message(b"large", dice.randbytes(400_000), (), n) for n in range(20)]

        async def story(log: Log) -> None:
            rest = sent
            while rest:
                size = count = 0
                for message in rest:
                    size += len(message.key or b"") + len(message.value or b"")
                    if size > log.max_append_bytes or count == 5000:
                        break
                    count += 1
                await log.append(LEDGER, 0, rest[:count])
                rest = rest[count:]
            reader = log.reader(LEDGER, 0)
            found = await everything(reader, 100_000)
            assert [(m.key, m.value) for m in found] == [(m.key, m.value) for m in sent]
            assert [m.position for m in found] == list(range(len(sent)))
            assert reader.position == len(sent) == await log.end(LEDGER, 0)

        place.tell(story)

    # Reading

    def test_a_limit_cuts_and_nothing_is_skipped(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(*range(100)))
            for limit in (1, 3, 99, 100, 101):
                reader, found = log.reader(LEDGER, 0), list[Stored]()
                while more := await reader.read(limit):
                    assert len(more) <= limit
                    found += more
                    assert reader.position == len(found)
                assert numbers(found) == list(range(100))

        place.tell(story)

    def test_reading_starts_anywhere(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(*range(10)))
            await log.append(LEDGER, 0, numbered(*range(10, 20)))
            for start in (0, 5, 10, 13, 19, 20):
                reader = log.reader(LEDGER, 0, start)
                assert reader.position == start
                found = await everything(reader)
                assert [m.position for m in found] == numbers(found) == list(range(start, 20))

        place.tell(story)

    def test_a_reader_goes_back_and_forth(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(*range(50)))
            reader = log.reader(LEDGER, 0)
            for start in (10, 0, 49, 7, 7):
                reader.seek(start)
                assert reader.position == start
                assert numbers(await reader.read(1)) == [start]
                assert reader.position == start + 1
            reader.seek(50)
            assert await reader.read(1) == []
            reader.seek(48)
            assert numbers(await everything(reader)) == [48, 49]

        place.tell(story)

    def test_an_empty_list_says_that_the_end_was_reached(self, place: Place) -> None:
        async def story(log: Log) -> None:
            reader = log.reader(LEDGER, 0)
            assert await reader.read(10) == []
            assert await reader.read(10, 0.05) == []
            for n in range(20):
                await log.append(LEDGER, 0, numbered(n))
                # Not a list that is empty because the message is still under way: it was acknowledged.
                assert numbers(await reader.read(10)) == [n]
                assert await reader.read(10) == []
                assert reader.position == n + 1

        place.tell(story)

    def test_a_waiting_reader_gets_what_comes(self, place: Place) -> None:
        async def story(log: Log) -> None:
            reader = log.reader(LEDGER, 0)
            assert await reader.read(10) == []  # it stands at the end, connected
            for n in range(3):
                waiting = asyncio.ensure_future(reader.read(10, SOON))
                await asyncio.wait({waiting}, timeout=0.1)
                assert not waiting.done()
                await log.append(LEDGER, 0, numbered(n))
                assert numbers(await waiting) == [n]  # an empty list would say that it had waited in vain

        place.tell(story)

    def test_a_reader_past_the_end_waits_for_its_position(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(0, 1))
            reader = log.reader(LEDGER, 0, 4)
            assert await reader.read(10) == []
            await log.append(LEDGER, 0, numbered(2, 3))
            assert await reader.read(10, 0.05) == []
            waiting = asyncio.ensure_future(reader.read(10, SOON))
            await log.append(LEDGER, 0, numbered(4, 5))
            assert [m.position for m in await waiting] == [4, 5]

        place.tell(story)

    def test_a_cancelled_read_loses_nothing(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(*range(200)))
            reader, found, dice = log.reader(LEDGER, 0), list[Stored](), random.Random(3)
            while len(found) < 200:
                reading = asyncio.ensure_future(reader.read(5, 1.0))
                for _ in range(dice.randrange(12)):
                    await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait({reading})
                found += await reader.read(5) if reading.cancelled() else reading.result()
            assert numbers(found) == list(range(200))

        place.tell(story)

    # Closing

    def test_a_closed_log_says_so(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(1))
            read_before, unread = log.reader(LEDGER, 0), log.reader(LEDGER, 0)
            await read_before.read(1)
            await log.close()
            await log.close()
            with pytest.raises(LogClosed):
                await log.append(LEDGER, 0, numbered(2))
            with pytest.raises(LogClosed):
                await log.partitions()
            with pytest.raises(LogClosed):
                await log.create(1)
            with pytest.raises(LogClosed):
                await log.end(LEDGER, 0)
            with pytest.raises(LogClosed):
                log.reader(LEDGER, 0)
            for reader in (read_before, unread):
                with pytest.raises(LogClosed):
                    await reader.read(1)
                await reader.close()
            again = place.open()
            assert numbers(await content(again)) == [1]
            await again.close()

        place.tell(story)

    def test_a_closed_reader_says_so(self, place: Place) -> None:
        async def story(log: Log) -> None:
            await log.append(LEDGER, 0, numbered(1))
            reader, other = log.reader(LEDGER, 0), log.reader(LEDGER, 0)
            assert numbers(await reader.read(1)) == [1]
            await reader.close()
            await reader.close()
            with pytest.raises(LogClosed):
                await reader.read(1)
            assert numbers(await other.read(1)) == [1]

        place.tell(story)

    def test_what_is_under_way_when_the_log_closes_ends(self, place: Place) -> None:
        async def story(log: Log) -> None:
            reader = log.reader(LEDGER, 0)
            assert await reader.read(1) == []
            reading = asyncio.ensure_future(reader.read(1, SOON))
            await asyncio.wait({reading}, timeout=0.1)
            appending = asyncio.ensure_future(log.append(LEDGER, 1, numbered(1)))
            await asyncio.sleep(0)
            await log.close()
            with pytest.raises(LogClosed):
                await asyncio.wait_for(reading, SOON)
            (outcome,) = await asyncio.wait_for(asyncio.gather(appending, return_exceptions=True), SOON)
            again = place.open()
            there = numbers(await content(again, LEDGER, 1))
            await again.close()
            # Closed before it began, unknown, or done: whatever was said must be true.
            assert isinstance(outcome, LogUnavailable) or there == ([] if isinstance(outcome, LogClosed) else [1])

        place.tell(story)

    # Failure

    def test_a_cancelled_append_is_not_made_later(self, place: Place) -> None:
        async def story(log: Log) -> None:
            dice = random.Random(4)
            await log.append(LEDGER, 0, numbered(0))
            for n in range(1, 60, 2):
                appending = asyncio.ensure_future(log.append(LEDGER, 0, numbered(n)))
                for _ in range(dice.randrange(15)):
                    await asyncio.sleep(0)
                appending.cancel()
                await asyncio.wait({appending})
                await log.append(LEDGER, 0, numbered(n + 1))
            found = numbers(await content(log))
            assert found == sorted(set(found))  # none twice, none after its successor
            assert set(range(0, 60, 2)) <= set(found)

        place.tell(story)


class SharedLogContract(LogContract):
    """Everything that takes several processes."""

    def test_many_processes_write_and_read_at_once(self, place: Place) -> None:
        async def create(log: Log) -> None:
            assert await log.partitions() == 2

        place.tell(create)
        writers = {name: place.worker("write", name, "40") for name in ("anna", "boris", "vera")}
        reader = place.worker("read", "40", "40")  # while they write; there will be more than that
        done = {
            name: msgspec.json.decode(w.communicate(timeout=SOON * 2)[0], type=list[int]) for name, w in writers.items()
        }
        some = msgspec.json.decode(reader.communicate(timeout=SOON)[0], type=list[list[tuple[int, str, int, str]]])
        assert all(process.returncode == 0 for process in (*writers.values(), reader))

        async def check(log: Log) -> None:
            for partition in (0, 1):
                found = await content(log, LEDGER, partition)
                expected = sum(counts[partition] for counts in done.values())
                assert [m.position for m in found] == list(range(expected))
                rows = [
                    (m.position, (m.key or b"").decode(), n, m.headers[0][1].decode())
                    for m, n in zip(found, numbers(found), strict=True)
                ]
                assert rows[: len(some[partition])] == some[partition]
                for name, counts in done.items():
                    assert [n for _, key, n, _ in rows if key == name] == list(range(counts[partition]))
                for (_, name, n, of), (_, after, m, _) in itertools.pairwise(rows):
                    place_in, size = map(int, of.split("/"))
                    assert place_in == size - 1 or (after, m) == (name, n + 1)  # side by side

        place.tell(check, partitions=0)

    def test_what_was_acknowledged_survives_a_kill(self, place: Place) -> None:
        async def create(log: Log) -> None:
            assert await log.end(LEDGER, 0) == 0

        place.tell(create)
        acknowledged: list[tuple[int, int]] = []
        for _ in range(2):
            worker = place.worker("endless")
            assert worker.stdout is not None
            for _ in range(40):
                first, number = worker.stdout.readline().split()
                acknowledged.append((int(first), int(number)))
            worker.kill()
            rest = worker.stdout.read()  # what it had said before the signal came
            acknowledged += [
                (int(a), int(b)) for a, b in (line.split() for line in rest.splitlines() if line.count(" ") == 1)
            ]
            worker.communicate()

        async def check(log: Log) -> None:
            found = numbers(await content(log))
            for first, number in acknowledged:
                assert found[first : first + 3] == [number, number + 1, number + 2]
            assert len(found) % 3 == 0
            assert await log.append(LEDGER, 0, numbered(1)) == len(found)

        place.tell(check, partitions=0)

    def test_an_outcome_can_repeat_the_largest_submission(self, place: Place) -> None:
        async def story(log: Log) -> None:
            value = random.Random(5).randbytes(log.max_append_bytes)
            await log.append(SUBMISSIONS, 0, [Message(None, value)])
            outcome = Message(b"0/1/0", value, (("outcome", b"x" * 10_000),))
            await log.append(OUTCOMES, 0, [outcome])
            (found,) = await content(log, OUTCOMES)
            assert found.value == value

        place.tell(story)
