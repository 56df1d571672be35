"""How far a registrar has come is told from what it wrote."""

from __future__ import annotations

import pytest

from consumers.lag import progress
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Message
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.ground import memory_state, memory_with, registrar, seeds, undisturbed

PARTITIONS = 2


@pytest.mark.parametrize("seed", seeds(3, 20))
def test_after_each_batch_it_is_what_the_registrar_knows(seed: int) -> None:
    async def story() -> None:
        reference = await undisturbed(PARTITIONS, seed, 60)
        for partition in range(PARTITIONS):
            log = memory_with(reference.submissions)
            one = registrar(log, reference.people, partition, memory_state(partition), 5)
            await one.recover()
            submissions = reference.submissions[partition]
            while True:
                found = await progress(log, partition)
                assert (found.consumed, found.sealed) == (one.reached, one.state.index)
                assert found.submitted == len(submissions)
                assert found.waiting == len(submissions) - one.reached
                waits = submissions[one.reached :]
                assert found.oldest == (waits[0].timestamp if waits else None)
                assert found.ledger_end == await log.end(LEDGER, partition)
                if not await one.step():
                    break
            assert found.waiting == 0

    run(story())


def test_an_empty_log_has_nothing_behind() -> None:
    async def story() -> None:
        found = await progress(MemoryLog(1), 0)
        assert (found.submitted, found.consumed, found.waiting, found.oldest, found.sealed) == (0, 0, 0, None, 0)

    run(story())


def test_repeated_records_and_outcomes_do_not_turn_it_back() -> None:
    async def story() -> None:
        reference = await undisturbed(PARTITIONS, 1, 60)
        log = memory_with(reference.submissions)
        one = registrar(log, reference.people, 1, memory_state(1))
        await one.drain()
        before = await progress(log, 1)
        for topic in (LEDGER, OUTCOMES):
            first = log._shelf.topics[topic][1][0]
            log.put(topic, 1, [Message(first.key, first.value, first.headers, first.timestamp)])
        log.put(LEDGER, 1, [Message(b"stray", b"{}")])
        log.put(OUTCOMES, 1, [Message(b"stray", b"{}")])
        after = await progress(log, 1)
        assert (after.consumed, after.sealed, after.waiting) == (before.consumed, before.sealed, 0)

    run(story())


def test_submissions_that_were_made_anew_all_wait() -> None:
    async def story() -> None:
        reference = await undisturbed(PARTITIONS, 1, 60)
        log = memory_with(reference.submissions)
        one = registrar(log, reference.people, 1, memory_state(1))
        await one.drain()
        log._shelf.topics[SUBMISSIONS][1].clear()
        assert (await progress(log, 1)).waiting == 0
        log.put(SUBMISSIONS, 1, [Message(b"k", b"new")])
        found = await progress(log, 1)
        assert (found.epoch, found.consumed, found.waiting) == (1, 0, 1)

    run(story())
