"""What is wrong with a ledger on Kafka is found when it is opened, with what was expected, found, and to be done."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from infra.adapters.kafka_settings import for_creation, names
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS
from tests.contracts.log_place import Place
from tests.e2e.cli import Cli

pytestmark = pytest.mark.kafka


@pytest.fixture
def cli(kafka_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A ledger of two partitions with an office, on a real broker; its state files have seen all records."""
    for name in list(os.environ):
        if name.startswith("ROGATORY_") and not name.startswith("ROGATORY_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    made = Cli()
    address = f"kafka://{kafka_place.bootstrap}/{kafka_place.name}"
    made("ledger", "open", kafka_place.name, "--partitions", "2", "--ledger", address)
    made("run", "all", "--until-idle")
    said = ("--name", "Омская область", "--tz", "Asia/Omsk", "--border")
    made("register", "office", "RU-OMS", *said, "--work", "--wait-all")
    return made


def change(place: Place, work: Callable[[AIOKafkaAdminClient], Coroutine[Any, Any, Any]]) -> None:
    """Do something to the topics, as a person with the broker's tools would."""

    async def story() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
        await admin.start()
        try:
            await work(admin)
        finally:
            await admin.close()
        await asyncio.sleep(0.5)  # brokers follow the controller a moment later

    asyncio.run(story())


def topic(place: Place, which: str) -> str:
    return names(place.name)[which]


def configure(place: Place, which: str, **changes: str) -> None:
    settings = for_creation(which, 1) | {name.replace("_", "."): value for name, value in changes.items()}
    change(
        place,
        lambda admin: admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic(place, which), settings)]),
    )


@pytest.mark.parametrize(
    ("which", "setting", "value"),
    [
        (SUBMISSIONS, "message_timestamp_type", "CreateTime"),
        (LEDGER, "cleanup_policy", "compact"),
        (OUTCOMES, "retention_ms", "1000000000"),
    ],
)
def test_a_setting_that_was_changed_is_named_with_its_remedy(
    cli: Cli, kafka_place: Place, which: str, setting: str, value: str
) -> None:
    configure(kafka_place, which, **{setting: value})
    for command in (("check",), ("run", "registrar", "--until-idle")):
        said = cli(*command, code=2).output
        assert f"{setting.replace('_', '.')} is {value}, expected" in said
        assert f"--entity-name {topic(kafka_place, which)} --add-config" in said
    configure(kafka_place, which)
    cli("check")


def test_partitions_that_were_added_everywhere_stop_everything(cli: Cli, kafka_place: Place) -> None:
    change(
        kafka_place,
        lambda admin: admin.create_partitions({name: NewPartitions(3) for name in names(kafka_place.name).values()}),
    )
    said = cli("check", code=4).output
    assert "expected 2 partitions, as the ledger was opened with, found 3" in said


def test_partitions_that_were_added_to_one_topic_are_named(cli: Cli, kafka_place: Place) -> None:
    change(kafka_place, lambda admin: admin.create_partitions({topic(kafka_place, LEDGER): NewPartitions(3)}))
    said = cli("check", code=2).output
    assert f"{topic(kafka_place, LEDGER)} 3" in said
    assert "restore the topics from a mirror" in said


@pytest.mark.parametrize("which", [SUBMISSIONS, LEDGER])
def test_a_topic_that_lost_its_beginning_is_named(cli: Cli, kafka_place: Place, which: str) -> None:
    start = TopicPartition(topic(kafka_place, which), 0)
    change(kafka_place, lambda admin: admin.delete_records({start: RecordsToDelete(1)}))
    said = cli("check", code=4).output
    assert f"{topic(kafka_place, which)}/0 at 1." in said
    assert "Restore the topic" in said


def drop(place: Place, which: str) -> None:
    change(place, lambda admin: admin.delete_topics([topic(place, which)]))


def test_a_ledger_that_was_made_anew_stops_the_registrar_that_has_seen_more(cli: Cli, kafka_place: Place) -> None:
    drop(kafka_place, LEDGER)
    assert f"found no {topic(kafka_place, LEDGER)}" in cli("run", "registrar", "--until-idle", code=2).output
    cli("ledger", "mend")
    said = cli("run", "registrar", "--until-idle", code=4).output
    assert "found it empty: somebody made the topic anew" in said


def test_submissions_that_were_made_anew_stop_the_registrar_and_are_followed_by_an_epoch(
    cli: Cli, kafka_place: Place
) -> None:
    drop(kafka_place, SUBMISSIONS)
    cli("ledger", "mend")
    assert "expected the bytes of ledger record" in cli("run", "registrar", "--until-idle", code=4).output
    cli("ledger", "reopen", "--work")
    cli("keys", "enrol", cli.new_key("RU-OMS"), "--work", "--wait-all")
    assert cli.json("check")["sound"]


def test_another_ledger_under_the_same_name_is_told_apart(cli: Cli, kafka_place: Place) -> None:
    other = f"{kafka_place.name}.{'0' * 32}"
    said = cli("check", "--ledger-id", other, code=2).output
    assert f"expected the ledger {other}" in said
    assert "found another of that name" in said


def test_a_state_of_another_ledger_is_not_touched(cli: Cli, kafka_place: Place) -> None:
    for which in (SUBMISSIONS, LEDGER, OUTCOMES):
        drop(kafka_place, which)
    address = f"kafka://{kafka_place.bootstrap}/{kafka_place.name}"
    cli("ledger", "open", kafka_place.name, "--partitions", "2", "--ledger", address, "--write", "second.toml")
    said = cli("run", "registrar", "--until-idle", "--config", "second.toml", code=2)
    assert "do not delete that one" in said.output
