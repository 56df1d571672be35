"""A standby follows what another registrar writes, appends nothing, and takes over at any moment in its place."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from consumers.registrar import Registrar
from consumers.serving import stepped
from infra.adapters.state_file import SqliteStateFile
from ledger.errors import ForkError, LogUnavailable
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Message, header
from ledger.seal import format_seal, read_seal
from ledger.submission import SEAL_HEADER
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.checks import everything, seen
from tests.faults.ground import Reference, memory_state, memory_with, registrar, seeds
from tests.faults.test_two_registrars import PARTITIONS, check_same, reference_of


class Silent(MemoryLog):
    """A handle on a log that must not be written to."""

    @classmethod
    def of(cls, log: MemoryLog) -> Silent:
        twin = cls(clock=log._clock)
        twin._shelf = log._shelf
        return twin

    async def append(self, topic: str, partition: int, messages: object) -> int:
        raise AssertionError(f"a standby appended to {topic}/{partition}")


def pair(log: MemoryLog, reference: Reference, partition: int, batch: int = 9) -> tuple[Registrar, Registrar]:
    """A holder, and a standby that could not write if it wanted to."""
    people = reference.people
    return (
        registrar(log.other(), people, partition, memory_state(partition), batch),
        registrar(Silent.of(log), people, partition, memory_state(partition), batch),
    )


async def followed(standby: Registrar) -> int:
    """Follow to the ledger's end."""
    total = 0
    while count := await standby.follow():
        total += count
    return total


@pytest.mark.parametrize("seed", seeds(3, 30))
def test_it_comes_to_the_state_of_the_holder_and_writes_nothing(seed: int) -> None:
    async def story() -> None:
        reference, dice = await reference_of(seed), random.Random(seed)
        for partition in range(PARTITIONS):
            log = memory_with(reference.submissions)
            holder, standby = pair(log, reference, partition)
            while await holder.step():
                if dice.random() < 0.5:
                    await followed(standby)
                    end = await log.end(LEDGER, partition)
                    assert standby.state.index == end
                    assert standby.state.last_leaf == holder.state.last_leaf
            await followed(standby)
            assert standby.state.frontier == holder.state.frontier
            assert standby.state.index == holder.state.index
            assert standby.state.register == holder.state.register
            assert standby.reached <= holder.reached
            await check_same(log, reference, partition, holder)

    run(story())


@pytest.mark.parametrize("seed", seeds(6, 60))
def test_it_takes_over_at_any_moment_and_gives_back(seed: int) -> None:
    """Two registrars hold in turn, the other one follows; the end is that of an undisturbed run."""

    async def story() -> None:
        reference, dice = await reference_of(1 + seed % 3), random.Random(seed)
        for partition in range(PARTITIONS):
            log = memory_with(reference.submissions)
            people = reference.people
            both = [registrar(log.other(), people, partition, memory_state(partition), 4) for _ in range(2)]
            holder = 0
            while await both[holder].drain() if dice.random() < 0.05 else await stepped(both[holder], 0.0):
                for _ in range(dice.randrange(3)):
                    await both[1 - holder].follow()
                if dice.random() < 0.3:
                    holder = 1 - holder
                    both[holder].look_again()
            for one in both:
                one.look_again()
                await one.drain()
            assert await check_same(log, reference, partition, *both) == 0, "nobody had to write anything again"

    run(story())


def test_a_decision_that_nobody_wrote_yet_is_waited_for() -> None:
    async def story() -> None:
        reference = await reference_of(1)
        log = memory_with(reference.submissions)
        holder, standby = pair(log, reference, 1)
        assert await standby.follow() == 0
        assert standby.reached == 0
        await holder.step()
        await followed(standby)
        assert 0 < standby.state.index == holder.state.index

    run(story())


def test_what_it_saved_is_where_the_next_process_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        reference = await reference_of(2)
        log = memory_with(reference.submissions)
        holder, _ = pair(log, reference, 1)
        await holder.drain()
        people, path = reference.people, tmp_path / "p1.sqlite"
        first = registrar(Silent.of(log), people, 1, SqliteStateFile(path, 1))
        done = await followed(first)
        await first.close()
        second = registrar(log.other(), people, 1, SqliteStateFile(path, 1))
        await second.recover()
        assert second.reached == done
        await second.drain()
        assert await check_same(log, reference, 1, second) == 0
        await second.close()

    run(story())


def test_outcomes_behind_the_last_record_are_written_when_it_takes_over() -> None:
    """Refused submissions that no record follows: the holder died before it wrote their outcomes."""

    async def story() -> None:
        reference = await reference_of(1)
        partition = 1
        log = memory_with(reference.submissions)
        holder, standby = pair(log, reference, partition)
        await holder.drain()
        end = len(log._shelf.topics[OUTCOMES][partition])
        last = reference.seen[partition].seals[-1].offset
        behind = [o for (_, o) in reference.seen[partition].outcomes if o > last]
        await followed(standby)
        assert standby.reached == last + 1
        if behind:
            del log._shelf.topics[OUTCOMES][partition][end - len(behind) :]
        other = registrar(log.other(), reference.people, partition, standby._file)
        await other.drain()
        await check_same(log, reference, partition, other)

    run(story())


def forged(log: MemoryLog, partition: int, **changes: object) -> Message:
    """The last record with another seal."""
    last = log._shelf.topics[LEDGER][partition][-1]
    seal = read_seal(header(last.headers, SEAL_HEADER) or b"")
    text = format_seal(msgspec.structs.replace(seal, **changes))  # type: ignore[arg-type]
    headers = tuple((name, text if name == SEAL_HEADER else value) for name, value in last.headers)
    return Message(last.key, last.value, headers, last.timestamp)


def test_a_forged_record_is_not_believed() -> None:
    async def story() -> None:
        reference = await reference_of(1)
        log = memory_with(reference.submissions)
        holder, standby = pair(log, reference, 1)
        await holder.step()
        await followed(standby)
        before, offset = standby.state.index, holder.state.offset
        await log.append(LEDGER, 1, [forged(log, 1, index=holder.state.index, offset=offset + 3)])
        with pytest.raises(ForkError, match="admission gives leaf"):
            await followed(standby)
        await standby.recover()
        assert standby.state.index == before

    run(story())


def test_a_record_of_a_submission_that_is_not_there_is_not_followed() -> None:
    async def story() -> None:
        reference = await reference_of(1)
        log = memory_with(reference.submissions)
        holder, standby = pair(log, reference, 1)
        await holder.drain()
        await followed(standby)
        end = await log.end(SUBMISSIONS, 1)
        await log.append(LEDGER, 1, [forged(log, 1, index=holder.state.index, offset=end + 5)])
        before = standby.reached
        with pytest.raises(LogUnavailable, match=f"names submission {end + 5}"):
            await standby.follow()
        assert standby.reached == before
        with pytest.raises(ForkError):
            await holder.step()

    run(story())


def test_a_repeated_record_is_passed() -> None:
    async def story() -> None:
        reference = await reference_of(1)
        log = memory_with(reference.submissions)
        holder, standby = pair(log, reference, 1)
        await holder.step()
        (first, *_) = await everything(log, LEDGER, 1)
        await log.append(LEDGER, 1, [Message(first.key, first.value, first.headers, first.timestamp)])
        await holder.drain()
        await followed(standby)
        assert standby.state.index == holder.state.index
        assert (await seen(log, 1)).repeated >= 1

    run(story())
