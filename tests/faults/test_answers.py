"""Whoever submits hears what became of it, also while others begin at the same time and the log fails."""

from __future__ import annotations

import asyncio

import pytest

from ledger.catalogue.own import StepTaken
from ledger.errors import LogSettings, LogUnavailable
from ledger.log import SUBMISSIONS, Reader, Stored
from producers.builder import Sender, Signed
from producers.publisher import Publisher
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.faulty import FailAt, GatedLog, When
from tests.faults.ground import memory_state, memory_with, registrar
from tests.faults.world import People

PEOPLE = People(1)
SOON = 10.0


def step(id_: str) -> Signed:
    return PEOPLE.say("RU-OMS", "request/1", StepTaken(step="x"), id=id_)


class SlowEnds(GatedLog):
    """A log that says where a partition ends only when it is let."""

    def __init__(self, inner: MemoryLog, *, fails: int = 0) -> None:
        super().__init__(inner, FailAt("nothing", 0, "before", LogUnavailable).slow)
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self._fails = fails

    async def end(self, topic: str, partition: int) -> int:
        self.asked.set()
        await self.go.wait()
        if self._fails:
            self._fails -= 1
            raise LogUnavailable("no answer")
        return await super().end(topic, partition)


async def opened() -> MemoryLog:
    log = memory_with([[]])
    await log.append(SUBMISSIONS, 0, [signed.message() for signed in PEOPLE.opening()])
    await registrar(log, PEOPLE, 0, memory_state(0)).drain()
    return log


def publisher_on(log: GatedLog) -> Publisher:
    return Publisher(log, Sender(PEOPLE.ledger_id, "RU-OMS", (PEOPLE.offices["RU-OMS"],)), 1)


async def moments() -> None:
    """Let everybody go as far as they get without the clock."""
    for _ in range(100):
        await asyncio.sleep(0)


def test_one_who_submits_while_another_still_looks_for_the_end_hears_too() -> None:
    async def story() -> None:
        log = await opened()
        slow = SlowEnds(log)
        publisher = publisher_on(slow)
        one = asyncio.create_task(publisher.submit(step("one")))
        await slow.asked.wait()
        two = asyncio.create_task(publisher.submit(step("two")))
        await moments()
        # What was submitted by now is sealed before anybody follows the ledger.
        await registrar(log, PEOPLE, 0, memory_state(0)).drain()
        slow.go.set()
        submitted = [await one, await two]
        await registrar(log, PEOPLE, 0, memory_state(0)).drain()
        for each in submitted:
            assert (await publisher.result(each, SOON)).original
        await publisher.close()

    run(story())


def test_one_whose_forerunner_failed_looks_for_the_end_again() -> None:
    async def story() -> None:
        log = await opened()
        slow = SlowEnds(log, fails=1)
        publisher = publisher_on(slow)
        one = asyncio.create_task(publisher.submit(step("one")))
        await slow.asked.wait()
        two = asyncio.create_task(publisher.submit(step("two")))
        await moments()
        slow.go.set()
        with pytest.raises(LogUnavailable):
            await one
        submitted = await two
        await registrar(log, PEOPLE, 0, memory_state(0)).drain()
        assert (await publisher.result(submitted, SOON)).original
        await publisher.close()

    run(story())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_submission_whose_answer_was_lost_is_sent_again_and_sealed_once(when: When) -> None:
    async def story() -> None:
        log = await opened()
        plan = FailAt(SUBMISSIONS, 0, when, lambda: LogUnavailable("no answer"))
        publisher = publisher_on(GatedLog(log, plan.slow))
        submitted = await publisher.submit(step("one"))
        assert plan.failed
        worker = registrar(log, PEOPLE, 0, memory_state(0))
        await worker.drain()
        sealed = await publisher.result(submitted, SOON)
        assert sealed.index == len(PEOPLE.opening())
        assert sealed.original == (when == "before")
        assert worker.state.index == len(PEOPLE.opening()) + 1
        await publisher.close()

    run(story())


class Misset(MemoryLog):
    """A log whose topics somebody has spoilt."""

    def reader(self, topic: str, partition: int, start: int = 0) -> Reader:
        inner = super().reader(topic, partition, start)

        async def read(limit: int, wait: float = 0.0) -> list[Stored]:
            raise LogSettings("expected the broker's timestamps, found the sender's")

        inner.read = read  # type: ignore[method-assign]
        return inner


def test_whoever_waits_is_told_that_the_log_cannot_be_followed() -> None:
    async def story() -> None:
        log = Misset(1)
        publisher = Publisher(log, Sender(PEOPLE.ledger_id, "RU-OMS", (PEOPLE.offices["RU-OMS"],)), 1)
        submitted = await publisher.submit(step("e-1"))
        for _ in range(2):  # while it breaks, and afterwards
            with pytest.raises(LogSettings, match="timestamps"):
                await asyncio.wait_for(publisher.result(submitted), SOON)
        await publisher.close()

    run(story())
