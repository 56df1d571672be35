"""Metrics, health and the probe: what workers tell is what people are shown."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from infra.observing.health import STALE, Health
from infra.observing.kinds import kind_of
from infra.observing.metrics import Metrics
from infra.observing.probe import Probe
from infra.observing.several import Several
from ledger.errors import ChainError, ForkError, FormatError, LogUnavailable, PoisonRecord, UnknownVersion
from ledger.log import LEDGER, SUBMISSIONS, Message
from ledger.observing import LOG, REGISTRAR, SILENT, STORE, Observer, traceparent_of
from tests.aio import run
from tests.fakes import MemoryLog
from tests.scrape import figures

ROOT = Path(__file__).parents[2]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def poison() -> PoisonRecord:
    return PoisonRecord("x", partition=0, position=7, index=5, leaf=bytes(32), subject="request/1", type_="x")


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health("registrar", clock, lambda: 17)


# Metrics


def test_counters_count_what_was_told() -> None:
    metrics = Metrics()
    metrics.submitted(1, 20, 0.5)
    metrics.appended("ledger", 1, 17, 0.2)
    metrics.appended("ledger", 1, 3, 0.2)
    metrics.appended("outcomes", 1, 4, 0.1)
    metrics.decided(1, {"duplicate": 1, "bad-signature": 3})
    metrics.unavailable(REGISTRAR, LOG)
    metrics.unavailable("status", STORE)
    metrics.published(0.3)
    found = figures(metrics)
    assert found['rogatory_submitted_total{partition="1"}'] == 20
    assert found['rogatory_admitted_total{partition="1"}'] == 20
    assert found['rogatory_refused_total{partition="1",reason="bad-signature"}'] == 3
    assert found['rogatory_duplicates_total{partition="1"}'] == 1
    assert found['rogatory_append_seconds_count{topic="ledger"}'] == 2
    assert found['rogatory_append_seconds_sum{topic="outcomes"}'] == pytest.approx(0.1)
    assert found['rogatory_append_seconds_count{topic="submissions"}'] == 1
    assert found['rogatory_batch_records_sum{topic="ledger"}'] == 20
    assert found['rogatory_log_unavailable_total{worker="registrar"}'] == 1
    assert found['rogatory_store_unavailable_total{worker="status"}'] == 1
    assert found["rogatory_publish_seconds_count"] == 1
    assert 'rogatory_refused_total{partition="1",reason="duplicate"}' not in found


def test_gauges_say_where_workers_stand_and_how_much_is_left() -> None:
    metrics = Metrics()
    metrics.standing(REGISTRAR, 2, 100, 90)
    metrics.standing("status", 2, 95, 80)
    metrics.registered(2, 6)
    metrics.found_end(REGISTRAR, 2, 130)
    metrics.found_end("status", 2, 95)
    metrics.carried({2: 3}, 4)
    metrics.committed("status", 2, 80, 0.1)
    found = figures(metrics)
    assert found['rogatory_submissions_position{partition="2"}'] == 100
    assert found['rogatory_sealed_index{partition="2"}'] == 90
    assert found['rogatory_waiting_submissions{partition="2"}'] == 30
    assert found['rogatory_projection_position{partition="2",projection="status"}'] == 95
    assert found['rogatory_projection_records{partition="2",projection="status"}'] == 80
    assert found['rogatory_projection_lag_records{partition="2",projection="status"}'] == 0
    assert found['rogatory_register_seq{partition="2"}'] == 6
    assert found['rogatory_register_lag{partition="2"}'] == 3
    assert found["rogatory_register_copies_total"] == 4
    assert found['rogatory_projected_total{partition="2",projection="status"}'] == 80


def test_a_partition_that_went_elsewhere_is_shown_no_more() -> None:
    metrics = Metrics()
    for partition in (1, 2):
        metrics.standing(REGISTRAR, partition, 100, 90)
        metrics.standing("status", partition, 100, 90)
        metrics.registered(partition, 6)
    metrics.ended(REGISTRAR, 1)
    metrics.ended("status", 1)
    metrics.ended("status", 3)  # which it never had
    metrics.found_end(REGISTRAR, 1, 130)
    assert not [name for name in figures(metrics) if 'partition="1"' in name]
    assert 'rogatory_sealed_index{partition="2"}' in figures(metrics)


def test_a_partition_counts_as_stopped_once_and_until_it_goes_on() -> None:
    metrics = Metrics()
    metrics.stopped("status", 0, poison())
    metrics.stopped("status", 0, poison())
    metrics.stopped("status", 1, ForkError("x"))
    found = figures(metrics)
    assert found['rogatory_stopped_partitions{kind="poison",worker="status"}'] == 1
    assert found['rogatory_stopped_partitions{kind="fork",worker="status"}'] == 1
    assert found['rogatory_poison_partitions{projection="status"}'] == 1
    metrics.standing("status", 0, 8, 6)
    found = figures(metrics)
    assert found['rogatory_stopped_partitions{kind="poison",worker="status"}'] == 0
    assert found['rogatory_poison_partitions{projection="status"}'] == 0
    assert found['rogatory_stopped_partitions{kind="fork",worker="status"}'] == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ForkError("x"), "fork"),
        (poison(), "poison"),
        (ChainError("x"), "integrity"),
        (UnknownVersion("x"), "version"),
        (FormatError("x"), "other"),
        (KeyError("x"), "internal"),
    ],
)
def test_each_fault_has_its_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def documented() -> dict[str, tuple[str, set[str]]]:
    """The metrics of the page: name to type and labels."""
    text = (ROOT / "docs/observing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(rogatory_\w+)` \| (\w+) \| (.*?) \| .+ \|$", text, re.MULTILINE)
    found = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert len(found) == len(rows) > 20
    return found


def test_the_page_lists_every_metric_with_type_and_labels_and_no_other() -> None:
    made: dict[str, tuple[str, set[str]]] = {}
    for value in vars(Metrics()).values():
        if hasattr(value, "_labelnames") and hasattr(value, "_type"):
            name = value._name + {"counter": "_total", "info": "_info"}.get(value._type, "")
            made[name] = (value._type, set(value._labelnames))
    made["rogatory_info"] = ("info", {"version", "service", "ledger"})  # an info's labels are its value
    assert documented() == made


# Health


def test_a_service_is_ready_once_the_ledger_is_open_and_its_partitions_stand(health: Health) -> None:
    assert health.ready() == (False, health.ready()[1])
    assert health.ready()[1]["reasons"] == ["the ledger is not open yet"]
    health.opened("assistance.01")
    health.recovering(REGISTRAR, 3)
    assert health.ready()[1]["reasons"] == ["registrar 3: recovering"]
    health.standing(REGISTRAR, 3, 10, 9)
    yes, document = health.ready()
    assert yes
    assert document["partitions"] == [{"worker": "registrar", "partition": 3, "position": 10, "size": 9}]


def test_a_log_that_does_not_answer_makes_it_not_ready_until_it_does(health: Health) -> None:
    health.opened("assistance.01")
    health.unavailable(REGISTRAR, LOG)
    assert health.ready()[1]["reasons"] == ["log: did not answer registrar"]
    health.answered(LOG)
    assert health.ready()[0]


def test_an_answer_that_is_old_counts_no_more(health: Health, clock: Clock) -> None:
    health.opened("assistance.01")
    clock.time += STALE
    assert health.ready()[0]
    clock.time += 1
    assert health.ready()[1]["reasons"] == [f"log: no answer for {STALE + 1:.0f} s"]


def test_a_store_matters_while_it_is_used(health: Health) -> None:
    health.opened("assistance.01")
    health.depends(STORE, lambda: None)
    health.failed(STORE, "OperationalError")
    assert health.ready()[1]["reasons"] == ["store: OperationalError"]
    health.depends(STORE, None)
    assert health.ready()[0]


def test_a_stopping_service_is_not_ready_and_still_healthy(health: Health) -> None:
    health.opened("assistance.01")
    health.stopping()
    assert health.ready()[1]["reasons"] == ["stopping"]
    assert health.healthy()[0]


@pytest.mark.parametrize("error", [ForkError("x"), poison(), UnknownVersion("x"), ChainError("x")])
def test_a_fault_of_the_data_leaves_it_ready_and_shows(health: Health, error: Exception) -> None:
    health.opened("assistance.01")
    health.stopped("status", 1, error)
    yes, document = health.ready()
    assert yes
    assert document["degraded"] == [{"worker": "status", "partition": 1, "kind": kind_of(error), "since": 17}]
    assert health.healthy()[0]
    health.standing("status", 1, 8, 7)
    assert health.ready()[1]["degraded"] == []


def test_an_error_of_the_program_is_for_the_supervisor(health: Health) -> None:
    health.opened("assistance.01")
    health.stopped("status", 1, KeyError("x"))
    assert health.healthy() == (
        False,
        {"healthy": False, "service": "registrar", "reasons": ["status 1: an error inside the program"]},
    )


def test_a_fault_that_is_met_again_keeps_its_time(clock: Clock) -> None:
    times = iter([10, 20, 30])
    health = Health("x", clock, lambda: next(times))
    for _ in range(2):
        health.stopped("status", 1, poison())
    assert health.ready()[1]["degraded"][0]["since"] == 10
    health.stopped("status", 1, ForkError("x"))
    assert health.ready()[1]["degraded"][0]["since"] == 20


# The probe


def probed(health: Health, metrics: Metrics, log: Any, ask: Any, seconds: float) -> None:
    async def story() -> None:
        probe = Probe(health, metrics, every=0.01)
        if ask is not None:
            probe.depends(STORE, ask)
        task = asyncio.create_task(probe.run(log))
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(story())


def test_the_probe_finds_how_much_waits(health: Health) -> None:
    metrics = Metrics()
    metrics.standing(REGISTRAR, 0, 1, 1)
    metrics.standing("status", 0, 0, 0)
    log = MemoryLog(1)
    health.opened("assistance.01")

    async def fill() -> None:
        await log.append(SUBMISSIONS, 0, [Message(b"k", b"v")] * 5)
        await log.append(LEDGER, 0, [Message(b"k", b"v")] * 3)

    run(fill())
    probed(health, metrics, log, None, 0.2)
    found = figures(metrics)
    assert found['rogatory_waiting_submissions{partition="0"}'] == 4
    assert found['rogatory_projection_lag_records{partition="0",projection="status"}'] == 3
    assert found["rogatory_ready"] == 1


def test_the_probe_finds_a_log_that_does_not_answer(health: Health) -> None:
    health.opened("assistance.01")
    log = MemoryLog(1)
    log.unavailable = 1000
    probed(health, Metrics(), log, None, 0.1)
    assert health.ready()[1]["reasons"][0].startswith("log: LogUnavailable")
    log.unavailable = 0
    probed(health, Metrics(), log, None, 0.1)
    assert health.ready()[0]


def test_the_probe_names_what_the_store_raised_without_its_words(health: Health) -> None:
    health.opened("assistance.01")
    health.depends(STORE, lambda: None)

    def ask() -> None:
        raise ConnectionError("the password was hunter2")

    probed(health, Metrics(), MemoryLog(1), ask, 0.1)
    assert health.ready()[1]["reasons"] == ["store: ConnectionError"]


def test_a_question_without_an_answer_is_not_asked_twice(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.observing.probe.WITHIN", 0.05)
    health.opened("assistance.01")
    health.depends(STORE, lambda: None)
    asked = []

    def ask() -> None:
        asked.append(1)
        time.sleep(0.5)

    probed(health, Metrics(), MemoryLog(1), ask, 0.4)
    assert len(asked) == 1
    assert health.ready()[1]["reasons"] == ["store: no answer within 0 s"]


# The port


def test_an_observer_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Observer):
        def published(self, seconds: float) -> None:
            raise LogUnavailable("broken")

    metrics = Metrics()
    Several(Broken(), metrics).published(0.1)
    assert figures(metrics)["rogatory_publish_seconds_count"] == 1
    assert "an observer failed" in caplog.text


def test_silence_takes_everything() -> None:
    for name, method in vars(Observer).items():
        if callable(method):
            count = method.__code__.co_argcount - 1
            assert getattr(SILENT, name)(*range(count)) is None
    assert SILENT.traces is False


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b'{"traceparent":"%s","data":{}}' % PARENT.encode(), PARENT),
        (b'{"data":{"traceparent":"inner"}}', None),
        (b'{"data":{"note":"\\"traceparent\\":\\"x\\""}}', None),
        (b'{"traceparent":3}', None),
        (b'{"traceparent"', None),
        (b'["traceparent"]', None),
        (b"", None),
        (None, None),
    ],
)
def test_the_trace_of_an_event_is_read_from_its_own_member(value: bytes | None, found: str | None) -> None:
    assert traceparent_of(value) == found


def test_what_is_exposed_can_be_parsed() -> None:
    metrics = Metrics()
    metrics.about("all", "assistance.01")
    text = generate_latest(metrics.registry).decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"rogatory_ready", "rogatory_admitted", "process_cpu_seconds", "python_info"} <= names
    info = [name for name in figures(metrics) if name.startswith("rogatory_info{")]
    assert len(info) == 1
    assert 'ledger="assistance.01",service="all"' in info[0]
