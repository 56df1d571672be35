"""The deployment by Compose: well-formed by its schema, careful, and every command line of it runs as it stands."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
import yaml

from tests.e2e.cli import command, environment
from tests.e2e.compose import FILE, ours, read

SCHEMA = Path(__file__).parents[1] / "data" / "compose-spec" / "compose-spec.json"
DOCKERFILE = FILE.parent / "Dockerfile"
GIVEN = {"POSTGRES_PASSWORD": "only-for-this-test", "ROGATORY_NAME": "composed"}
PATIENCE = 90.0


def test_it_is_a_compose_file_by_the_specification() -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(yaml.safe_load(FILE.read_text()))


def test_it_does_not_start_without_a_password() -> None:
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        read({})


def test_no_service_runs_as_root_or_without_a_fixed_image() -> None:
    for name, service in read(GIVEN)["services"].items():
        assert service["user"].split(":")[0] not in ("", "0", "root"), name
        assert re.fullmatch(r"[a-z/]+:[0-9][0-9.]*", service["image"]), name


def test_every_service_is_watched_restarted_and_keeps_its_data() -> None:
    composed = read(GIVEN)
    for name, service in composed["services"].items():
        once = service["restart"] == "no"
        assert service["healthcheck"].get("disable", False) is once, name
        assert once or service["restart"] == "unless-stopped", name
        kept = [volume.partition(":")[0] for volume in service["volumes"]]
        assert kept, name
        assert set(kept) <= composed["volumes"].keys(), name


def test_only_what_sets_it_up_may_write_keys() -> None:
    for name, service in read(GIVEN)["services"].items():
        keys = [text for text in service["volumes"] if text.startswith("keys:")]
        assert keys == (
            [] if not name.startswith(("registrar", "setup")) else ["keys:/keys" + ":ro" * (name != "setup")]
        )


def test_the_brokers_keep_what_is_acknowledged() -> None:
    brokers = {n: s for n, s in read(GIVEN)["services"].items() if n.startswith("kafka-")}
    assert len(brokers) == 3
    for service in brokers.values():
        said = service["environment"]
        assert said["KAFKA_MIN_INSYNC_REPLICAS"] == 2
        assert said["KAFKA_DEFAULT_REPLICATION_FACTOR"] == 3


def test_the_image_holds_what_the_project_is_made_of() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE.read_text(), re.MULTILINE))
    assert copied == {"ledger", "producers", "consumers", "projections", "infra", "rogatory"}
    assert read(GIVEN)["x-service"]["user"] in re.findall(r"^USER (\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    for line in re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE):
        assert re.fullmatch(r"python:3\.1[123]-slim", line)


class Container:
    """A service's very command line as a process of this machine, with its volume as a folder."""

    def __init__(self, name: str, service: dict[str, Any], place: Path, moved: Callable[[str], str]) -> None:
        self.name = name
        self._words = service.get("command", [])
        self._check = service["healthcheck"].get("test", [])
        mounted = {text.split(":")[1]: place / text.split(":")[0] for text in service["volumes"]}
        for folder in mounted.values():
            folder.mkdir(exist_ok=True, mode=0o700)
        data = mounted["/data"]
        said = {key: moved(str(value)) for key, value in service["environment"].items()}
        if "/keys" in mounted:
            assert said["ROGATORY_KEYS"] == "/keys"
            said["ROGATORY_KEYS"] = str(mounted["/keys"])
        if "ROGATORY_OBSERVE" in said:
            said["ROGATORY_OBSERVE"] = f"127.0.0.1:{_free_port()}"
        self._environment = environment(ROGATORY_DATA=str(data), **said)
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    def once(self, *words: str) -> str:
        """Run it to its end, as ``docker compose run`` does with words; what it printed."""
        done = subprocess.run(
            command(*(words or self._words)),
            cwd=self._data,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        with (self._data / "log").open("wb") as log:
            self._process = subprocess.Popen(command(*self._words), cwd=self._data, env=self._environment, stderr=log)

    def is_ready(self) -> bool:
        """By its own health check."""
        kind, program, *words = self._check
        assert (kind, program) == ("CMD", "rogatory")
        assert self._process is not None
        assert self._process.poll() is None, self.said()
        return subprocess.run(command(*words), env=self._environment, capture_output=True, check=False).returncode == 0

    def stop(self) -> int:
        """As ``docker stop`` does; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def said(self) -> str:
        return (self._data / "log").read_text()[-4000:]

    def finish(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def running(place: Path, moved: Callable[[str], str], **more: str) -> Iterator[dict[str, Container]]:
    found = {n: Container(n, s, place, moved) for n, s in ours(read(GIVEN | more)).items()}
    try:
        yield found
    finally:
        for container in found.values():
            container.finish()


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


@pytest.mark.kafka
@pytest.mark.slow
def test_every_command_line_runs_as_it_stands(kafka_bootstrap: str, postgres_url: str, tmp_path: Path) -> None:
    url = sa.make_url(postgres_url)
    at = f"{url.username}@{url.host}:{url.port}/{url.database}"

    def moved(text: str) -> str:
        text = text.replace("kafka-1:9092,kafka-2:9092,kafka-3:9092", kafka_bootstrap)
        return re.sub(r"rogatory:[^@]+@postgres:5432/rogatory", at, text)

    with running(tmp_path, moved) as before:
        opened = before["setup"].once("ledger", "open", "composed", "--partitions", "2")
        ledger_id = re.findall(r"composed\.[0-9a-f]{32}", opened)[0]
    with running(tmp_path, moved, ROGATORY_LEDGER_ID=ledger_id) as services:
        services["store"].once()
        served = [c for c in services.values() if c.name not in ("setup", "store")]
        for container in served:
            container.start()
        for container in served:
            until(container.is_ready, f"{container.name} is not ready:\n{container.said()}")
        setup = services["setup"]
        office = ("register", "office", "RU-OMS", "--name", "Омская область", "--tz", "Asia/Omsk", "--border")
        setup.once(*office, "--wait-all")
        setup.once("keys", "enrol", json.loads(setup.once("keys", "new", "RU-OMS", "--json"))["kid"], "--wait-all")
        data = '{"executing":"KZ-PGO"}'
        setup.once("publish", "request/2026-1", "request.accepted", "--office", "RU-OMS", "--data", data)
        until(lambda: "2026-1" in setup.once("status"), "the request is not seen")
        assert [container.stop() for container in served] == [0] * len(served)
