"""Anybody's Kafka client reads the topics as text: the event as value, one seal in a header, nothing encoded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from infra.adapters.kafka_settings import names
from ledger.catalogue.own import StepTaken
from ledger.event import CONTENT_TYPE
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS
from ledger.partition import partition_of
from producers.receipt import SubmissionRefused
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.world import People
from tests.integration.stage import stage
from tests.keys import Signer

pytestmark = pytest.mark.kafka

PARTITIONS = 2
PEOPLE = People(PARTITIONS, "plain")
SUBJECT = next(s for s in (f"request/{i}" for i in range(99)) if partition_of(s, PARTITIONS) == 1)


async def consumed(place: Place, topic: str, partition: int) -> list[ConsumerRecord]:
    """Everything in a partition, by a consumer that knows nothing of us."""
    consumer = AIOKafkaConsumer(bootstrap_servers=place.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        tp = TopicPartition(names(place.name)[topic], partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        found: list[ConsumerRecord] = []
        while len(found) < end:
            found += (await consumer.getmany(tp, timeout_ms=5000)).get(tp, [])
        return found
    finally:
        await consumer.stop()


def headers_of(record: ConsumerRecord) -> dict[str, str]:
    """The headers, all of them text and each there once."""
    found = {name: value.decode("ascii") for name, value in record.headers}
    assert len(found) == len(record.headers)
    return found


def event_in(record: ConsumerRecord) -> dict[str, Any]:
    """The value, which is an event of the record's key."""
    event: dict[str, Any] = json.loads(record.value.decode("utf-8"))
    assert record.key.decode("ascii") == event["subject"]
    assert event["specversion"] == "1.0"
    return event


def test_the_topics_are_text(kafka_place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(kafka_place, PEOPLE, tmp_path) as ledger:
            await ledger.open()
            said = PEOPLE.say("RU-OMS", SUBJECT, StepTaken(step="a step"))
            sealed = await ledger.publish(said)
            with pytest.raises(SubmissionRefused):
                await ledger.publish(PEOPLE.say("RU-OMS", SUBJECT, StepTaken(step="x"), Signer("RU-OMS", "nobody")))

            (submitted,) = [r for r in await consumed(kafka_place, SUBMISSIONS, 1) if r.value == said.value]
            kids = [s.kid for s in said.signatures]
            assert headers_of(submitted).keys() == {"content-type", "signature"}
            assert headers_of(submitted)["content-type"] == "application/cloudevents+json" == CONTENT_TYPE.decode()
            assert headers_of(submitted)["signature"].split(" ")[0] == kids[0]
            assert submitted.timestamp_type == 1  # the broker's own clock

            for partition in range(PARTITIONS):
                records = await consumed(kafka_place, LEDGER, partition)
                for index, record in enumerate(records):
                    event, headers = event_in(record), headers_of(record)
                    attested = {"attest"} if partition == 0 and event["subject"] == "register" else set()
                    assert headers.keys() == {"content-type", "seal"} | attested
                    seal = json.loads(headers["seal"])
                    assert seal["index"] == index
                    assert seal["admitted"] == record.timestamp
                    assert record.timestamp_type == 0
                    assert ("home" in seal) == (partition != 0 and event["subject"] == "register")
                    if attested:
                        assert headers["attest"].split(" ")[0] == PEOPLE.log_key.kid
            assert records[sealed.index].value == said.value
            assert json.loads(headers_of(records[sealed.index])["seal"])["sigs"][0][0] == kids[0]

            (refused,) = await consumed(kafka_place, OUTCOMES, 1)
            assert headers_of(refused).keys() == {"content-type", "signature", "outcome"}
            outcome = json.loads(headers_of(refused)["outcome"])
            assert (outcome["outcome"], outcome["reason"]) == ("refused", "unknown-key")
            assert refused.key.decode() == f"1/0/{sealed.offset + 1}"

    run(story())
