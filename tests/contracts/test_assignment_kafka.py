"""Assignment by a consumer group of a real Kafka: the contract, and what only a session can do."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest

from infra.adapters import broker
from infra.adapters.assignment_kafka import KafkaAssignment
from ledger.assignment import Member
from ledger.errors import LogError
from tests.aio import run
from tests.contracts.assignment_contract import PARTITIONS, AssignmentContract, Make, Party
from tests.contracts.log_place import Place

SESSION = 6.0  # the shortest that a broker takes

pytestmark = pytest.mark.kafka


class TestKafka(AssignmentContract):
    """The consumer group keeps the contract."""

    @pytest.fixture
    def make(self, kafka_place: Place) -> Make:
        async def create() -> None:
            log = kafka_place.open()
            await log.create(PARTITIONS)
            await log.close()

        run(create())
        client = {"bootstrap_servers": kafka_place.bootstrap}
        return lambda me: KafkaAssignment(client, kafka_place.name, PARTITIONS, me, session=SESSION)

    def test_who_sleeps_longer_than_the_session_gives_up_before_going_on(self, make: Make) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            await party.until(party.shared(4))
            assert one.holds(0)
            time.sleep(SESSION + 0.5)  # noqa: ASYNC251 - nothing of this process runs meanwhile, as after SIGSTOP
            assert not any(one.holds(p) for p in range(PARTITIONS))
            await party.look()
            assert party.ours["a"] == frozenset()
            await party.until(party.shared(4))  # it is a member again

        self.play(make, story)

    def test_what_a_silent_member_held_goes_to_the_others(self, make: Make) -> None:
        async def story(party: Party) -> None:
            silent = await party.join("a")
            await party.until(party.shared(4))
            consumer = silent._consumer
            consumer._coordinator._heartbeat_task.cancel()
            party.members.pop("a")
            party.ours.pop("a")
            await party.join("b")
            await party.until(party.shared(4))
            await silent.leave()

        self.play(make, story)


@pytest.mark.slow
def test_while_the_broker_is_away_members_go_on_and_share_again_when_it_is_back(own_broker: Path) -> None:
    running = broker.status(own_broker)
    assert running is not None
    place = Place("away", running.bootstrap)

    async def story() -> None:
        log = place.open()
        await log.create(PARTITIONS)
        await log.close()
        client = {"bootstrap_servers": place.bootstrap}
        party = Party(lambda me: KafkaAssignment(client, place.name, PARTITIONS, me, session=SESSION, timeout=5.0))
        one = await party.join("a")
        await party.until(party.shared(4))
        await asyncio.to_thread(broker.kill_node, own_broker, 1)
        deadline = time.monotonic() + SESSION + 2
        while time.monotonic() < deadline:
            with suppress(LogError):
                assert await one.ours(0.5) == frozenset(range(PARTITIONS))
            assert one.holds(0), "what nobody else can take is worked on"
        await asyncio.to_thread(broker.restart_node, own_broker, 1)
        await party.join("b")
        await party.until(party.shared(2, 2))
        await party.end()

    run(story())


def test_a_broker_that_is_not_there_is_an_error_of_ours() -> None:
    async def story() -> None:
        one = KafkaAssignment({"bootstrap_servers": "127.0.0.1:1"}, "x", 1, Member(), timeout=2.0)
        with pytest.raises(LogError):
            await asyncio.wait_for(one.join(), 20)
        with pytest.raises(LogError):
            await asyncio.wait_for(one.members(), 20)
        await one.leave()

    run(story())
