"""Services as a supervisor, a scraper and a collector of traces see them: real processes, real requests."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typer.main import get_command

import rogatory
from infra.adapters import broker
from infra.cli.main import app
from ledger.catalogue.own import StepTaken
from producers.builder import Draft
from tests.aio import run
from tests.e2e.cli import Cli, command, environment
from tests.scrape import get, parsed, ready

ACCEPTED = '{"executing": "RU-OMS"}'
CLEAR = "clear-marker-of-a-step"


class Service:
    """A service that is observed at an address of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.address = ""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def figures(self) -> dict[str, float]:
        return parsed(get(self.address, "/metrics")[1])

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def observed(*args: str, cwd: Path, **env: str) -> Iterator[Service]:
    """A service with ``--observe`` at any port, which stands in its first log line."""
    log = cwd / "observed.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command("run", *args, "--observe", "127.0.0.1:0"), cwd=cwd, env=environment(**env), stderr=errors, text=True
        )
        service = Service(process, log)
        try:
            wait(lambda: process.poll() is not None or "observed at" in log.read_text(encoding="utf-8"))
            assert process.poll() is None, log.read_text(encoding="utf-8")
            service.address = next(line["address"] for line in service.lines() if "address" in line)
            yield service
        finally:
            process.kill()
            process.wait()


def wait(done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_figures_are_those_of_what_was_done(place: Path, cli: Cli) -> None:
    with observed("all", cwd=place) as service:
        wait(lambda: ready(service.address)[0] == 200)

        def projected() -> bool:
            found = service.figures()
            return total(found, "rogatory_projection_records") == total(found, "rogatory_sealed_index")

        wait(projected)
        before = service.figures()
        first = [
            "publish",
            "request/1",
            "request.accepted",
            "--data",
            ACCEPTED,
            "--id",
            "a",
            "--time",
            "2026-01-01T00:00:00Z",
        ]
        assert cli.json(*first)["outcome"] == "sealed"
        assert cli.json(*first)["outcome"] == "sealed"
        cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, "--expectedseq", "7", code=1)
        for n in range(5):
            cli("publish", f"request/{n + 2}", "request.accepted", "--data", ACCEPTED)
        cli("register", "office", "RU-X", "--name", "x", "--tz", "Asia/Omsk", "--wait-all")

        wait(projected)
        # The herald looks by itself, some moments after the command has seen that all have followed.
        wait(lambda: service.figures()['rogatory_register_lag{partition="1"}'] == 0)
        wait(lambda: total(service.figures(), "rogatory_waiting_submissions") == 0)
        after = service.figures()
        grown = {name: after[name] - before.get(name, 0.0) for name in after}
        assert total(grown, "rogatory_admitted_total") == 6 + 2
        assert total(grown, "rogatory_duplicates_total") == 1
        assert total(grown, "rogatory_refused_total") == 1
        assert any('reason="sequence-conflict"' in name for name in after)
        assert grown['rogatory_batch_records_sum{topic="ledger"}'] == 8
        assert grown['rogatory_batch_records_sum{topic="outcomes"}'] == 2
        assert total(grown, "rogatory_submissions_position") == 10
        assert total(after, "rogatory_sealed_index") == sum(part["size"] for part in cli.json("check")["partitions"])
        assert total(grown, "rogatory_projected_total") == 8
        assert after['rogatory_register_lag{partition="1"}'] == 0
        assert after['rogatory_register_seq{partition="0"}'] == after['rogatory_register_seq{partition="1"}']
        assert grown["rogatory_register_copies_total"] == 1
        assert not total(after, "rogatory_stopped_partitions")
        assert service.end() == 0


def total(found: dict[str, float], name: str) -> float:
    """The sum over all labels."""
    return sum(value for key, value in found.items() if key.partition("{")[0] == name)


def test_every_service_can_be_observed() -> None:
    services = getattr(get_command(app), "commands")["run"].commands  # noqa: B009 - typer's groups are click's
    assert len(services) >= 5
    for name, service in services.items():
        options = {option for parameter in service.params for option in parameter.opts}
        assert {"--observe", "--log-format"} <= options, name


def test_other_paths_are_not_served(place: Path) -> None:
    with observed("herald", cwd=place) as service:
        assert get(service.address, "/")[0] == 404
        assert get(service.address, "/healthz")[0] == 200
        wait(lambda: ready(service.address)[0] == 200)
        assert ready(service.address)[1]["service"] == "herald"


def test_an_address_that_is_taken_is_said_at_the_start(place: Path, cli: Cli) -> None:
    with observed("herald", cwd=place) as service:
        assert "expected to listen" in cli("run", "herald", "--observe", service.address, code=2).stderr
    assert "HOST:PORT" in cli("run", "herald", "--observe", "nonsense", code=2).stderr
    assert "log_format" in cli("run", "herald", "--log-format", "xml", code=2).stderr


def test_an_idle_service_ends_at_once_when_told_to(place: Path) -> None:
    with observed("all", cwd=place) as service:
        wait(lambda: ready(service.address)[0] == 200)
        assert service.end() == 0
        assert [line["level"] for line in service.lines()] == ["info"] * 3
        assert all(line["service"] == "all" for line in service.lines())


@pytest.mark.timeout(150)
def test_a_busy_service_ends_when_told_to_and_nothing_is_lost(place: Path, cli: Cli) -> None:
    count = 3000

    async def submit() -> None:
        async with rogatory.connect(office="RU-OMS") as publisher:
            drafts = [Draft(subject=f"request/{n % 300}", data=StepTaken(step="x")) for n in range(count)]
            await publisher.submit_all([publisher.create(draft) for draft in drafts])

    run(submit())
    with observed("all", cwd=place) as service:
        wait(lambda: total(service.figures(), "rogatory_admitted_total") > 0)
        assert service.end() == 0
        assert service.lines()[-1]["event"].startswith("stopping")
    cli("run", "all", "--until-idle")
    assert total_records(cli) == count + 2 * 4  # the register has four events, in each of two partitions
    assert cli.json("check")["sound"] is True


def total_records(cli: Cli) -> int:
    return sum(part["size"] for part in cli.json("check")["partitions"])


def test_what_ends_a_service_is_its_last_line(place: Path, cli: Cli) -> None:
    (kid,) = cli.json("ledger", "show")["log_keys"]
    (place / "rogatory-data/keys" / f"{kid.replace('#', '-')}.key").unlink()
    with observed("all", cwd=place) as service:
        assert service.process.wait(30) == 2
        last = service.lines()[-1]
    assert (last["level"], last["exit"]) == ("critical", 2)
    assert "log key" in last["event"]


@pytest.mark.kafka
@pytest.mark.timeout(280)
def test_readiness_follows_the_broker(tmp_path: Path, cli: Cli) -> None:
    folder = tmp_path / "broker"
    bootstrap = broker.start(folder).bootstrap
    try:
        cli("ledger", "open", "watched", "--ledger", f"kafka://{bootstrap}/watched", "--partitions", "2")
        with observed("all", "--timeout", "10", cwd=tmp_path) as service:
            wait(lambda: ready(service.address)[0] == 200)
            broker.kill_node(folder, 1)
            wait(lambda: ready(service.address)[0] == 503, 60)
            reasons = ready(service.address)[1]["reasons"]
            assert [reason for reason in reasons if reason.startswith("log: ")], reasons
            assert get(service.address, "/healthz")[0] == 200
            assert service.figures()["rogatory_ready"] == 0
            broker.restart_node(folder, 1)
            wait(lambda: ready(service.address)[0] == 200, 90)
            assert total(service.figures(), "rogatory_log_unavailable_total") > 0
            assert service.end() == 0
    finally:
        broker.stop(folder)


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.spans: list[Any] = []
        self.services: list[str] = []


class _Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request.resource_spans:
            said = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
                self.server.services += [said["service.name"]] * len(scope.spans)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("where", ["folder", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_commands_and_services_export_one_trace(
    where: str, place: Path, cli: Cli, collector: Collector, request: pytest.FixtureRequest
) -> None:
    args = []
    if where == "kafka":
        name = f"traced-{time.time_ns()}"
        args = ["--ledger", f"kafka://{request.getfixturevalue('kafka_bootstrap')}/{name}"]
        (place / "rogatory.toml").unlink()
        cli("ledger", "open", name, *args, "--partitions", "2", "--data-folder", "other")
        cli("run", "all", "--until-idle")
        cli("register", "office", "RU-OMS", "--name", "x", "--tz", "Asia/Omsk", "--border", "--work")
        cli("keys", "enrol", cli.new_key("RU-OMS"), "--work")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with observed("all", "-vv", cwd=place, **env) as service:
        wait(lambda: ready(service.address)[0] == 200)
        publish = command("publish", "request/1", "step.taken", "--data", json.dumps({"step": CLEAR}))
        subprocess.run(publish, cwd=place, env=environment(**env), check=True, timeout=60, capture_output=True)
        wait(lambda: len(collector.spans) >= 4)
        assert service.end() == 0
    assert "Traceback" not in service.log.read_text(encoding="utf-8")
    assert CLEAR not in service.log.read_text(encoding="utf-8")
    mine = sorted(zip(collector.spans, collector.services, strict=True), key=lambda one: one[0].start_time_unix_nano)
    assert [(span.name.split()[0], name) for span, name in mine] == [
        ("create", "rogatory-publish"),
        ("send", "rogatory-publish"),
        ("admit", "rogatory-all"),
        ("project", "rogatory-all"),
    ]
    assert len({span.trace_id for span, _ in mine}) == 1
    for content in (CLEAR, "request/1", "RU-OMS"):
        assert content.encode() not in b"".join(span.SerializeToString() for span in collector.spans)


def test_a_wrong_trace_setting_is_said_at_the_start(place: Path) -> None:
    done = subprocess.run(
        command("catalogue"), cwd=place, env=environment(OTEL_TRACES_EXPORTER="zipkin"), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert re.search("expected OTEL_TRACES_EXPORTER to be otlp or none, found 'zipkin'", done.stderr)
