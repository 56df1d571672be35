"""Several registrars of one ledger as real processes, and ``rogatory lag``, which tells how far they are."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.log_place import Place
from tests.e2e.cli import Cli, command, environment, process

ACCEPTED = '{"executing": "RU-OMS"}'
PATIENCE = 60.0


class Service:
    """A real process and what it has said."""

    def __init__(self, cwd: Path, name: str, *args: str) -> None:
        self._said = cwd / f"{name}.log"
        with self._said.open("w") as errors:
            self.process = subprocess.Popen(
                command(*args, "--log-format", "text"), cwd=cwd, env=environment(), stderr=errors, text=True
            )

    def said(self) -> str:
        """Its lines so far."""
        return self._said.read_text()

    def until(self, text: str, count: int = 1) -> None:
        """Wait until it has said something so often."""
        deadline = time.monotonic() + PATIENCE
        while self.said().count(text) < count:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def end(self) -> int:
        """Stop it in good order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def serve(place: Path) -> Iterator[Callable[..., Service]]:
    made: list[Service] = []

    def start(name: str, *args: str) -> Service:
        made.append(Service(place, name, *args))
        return made[-1]

    yield start
    for one in made:
        with contextlib.suppress(ProcessLookupError):
            one.process.kill()
        one.process.wait()


def submit(cli: Cli, number: int) -> None:
    """One event that nobody admits here."""
    cli(
        "publish", f"request/{number}", "request.accepted", "--data", ACCEPTED, "--no-work", "--wait", "0"
    )  # fmt: skip


def until(cli: Cli, right: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """What ``rogatory lag`` says once it is right."""
    deadline = time.monotonic() + PATIENCE
    while not right(found := cli.json("lag")["partitions"]):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return list(found)


def test_what_nobody_admits_waits_and_the_command_says_since_when(place: Path, cli: Cli) -> None:
    before = cli.json("lag")["partitions"]
    assert [p["waiting"] for p in before] == [0, 0]
    assert [p["oldest_age"] for p in before] == [None, None]
    for number in range(6):
        submit(cli, number)
    after = cli.json("lag")["partitions"]
    assert sum(p["waiting"] for p in after) == 6
    assert all(p["oldest_age"] >= 0 for p in after if p["waiting"])
    told = cli("lag", "--fail-above", "5", code=1 if max(p["waiting"] for p in after) > 5 else 0).stdout
    assert "rogatory run registrar" in told
    cli("lag", "--fail-above", "0", code=1)
    cli("run", "all", "--until-idle")
    cli("lag", "--fail-above", "0")


def test_projections_are_behind_until_they_are_brought_up(place: Path, cli: Cli) -> None:
    submit(cli, 1)
    cli("run", "registrar", "--until-idle")
    behind = [p["projections"] for p in cli.json("lag")["partitions"]]
    assert not any(behind), "there is no store yet"
    cli("run", "project", "--until-idle")
    assert [p["projections"]["cases"]["behind"] for p in cli.json("lag")["partitions"]] == [0, 0]
    submit(cli, 1)
    cli("run", "registrar", "--until-idle")
    assert sum(p["projections"]["cases"]["behind"] for p in cli.json("lag")["partitions"]) == 1


def test_register_events_that_were_not_followed_are_counted(place: Path, cli: Cli) -> None:
    cli("register", "office", "RU-X", "--name", "x", "--tz", "Asia/Omsk", "--no-work", "--wait", "0")
    cli("run", "registrar", "--partitions", "0", "--until-idle")
    assert [p["register_missing"] for p in cli.json("lag")["partitions"]] == [0, 1]
    cli("run", "all", "--until-idle")
    assert [p["register_missing"] for p in cli.json("lag")["partitions"]] == [0, 0]


def test_outcomes_count_as_decided(place: Path, cli: Cli) -> None:
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, "--id", "x", "--time", "2025-03-03T10:00:00Z")
    cli("run", "all", "--until-idle")
    before = cli.json("lag")["partitions"]
    other = '{"executing": "RU-GUMPS"}'
    same = ["--id", "x", "--time", "2025-03-03T10:00:00Z"]
    cli("publish", "request/1", "request.accepted", "--data", other, *same, code=1)
    after = cli.json("lag")["partitions"]
    assert [p["waiting"] for p in after] == [0, 0]
    assert sum(p["decided"] for p in after) == sum(p["decided"] for p in before) + 1
    assert [p["records"] for p in after] == [p["records"] for p in before]


def test_two_registrars_share_a_folder_and_the_command_names_them(
    place: Path, cli: Cli, serve: Callable[..., Service]
) -> None:
    one = serve("one", "run", "registrar")
    one.until("admitting from now on", 2)
    two = serve("two", "run", "registrar")
    found = until(cli, lambda parts: len({p["holder"] for p in parts} - {None}) == 2)
    assert {int(p["holder"].split()[-1]) for p in found} == {one.process.pid, two.process.pid}
    for number in range(8):
        submit(cli, number)
    until(cli, lambda parts: all(p["waiting"] == 0 for p in parts))
    assert one.end() == 0
    until(cli, lambda parts: {int(p["holder"].split()[-1]) for p in parts if p["holder"]} == {two.process.pid})
    for number in range(8):
        submit(cli, number)
    until(cli, lambda parts: all(p["waiting"] == 0 for p in parts))
    assert two.end() == 0
    assert [part["fault"] for part in cli.json("check")["partitions"]] == [None, None]


def test_a_standby_is_shown_with_how_far_it_is_and_takes_over(
    place: Path, cli: Cli, serve: Callable[..., Service]
) -> None:
    one = serve("one", "run", "registrar")
    one.until("admitting from now on", 2)
    standby = serve("standby", "run", "registrar", "--standby", "--data", "standby")
    standby.until("no log key")
    submit(cli, 1)
    found = until(cli, lambda parts: all(list(p["standbys"].values()) == [p["decided"]] for p in parts))
    assert {p["holder"].split()[-1] for p in found} == {str(one.process.pid)}
    one.process.kill()
    one.process.wait()
    standby.until("partition 1: admitting from now on")
    assert "partition 0: admitting" not in standby.said()
    (found0, found1) = until(cli, lambda parts: parts[1]["holder"] is not None)
    assert found0["holder"] is None
    assert found1["holder"].split()[-1] == str(standby.process.pid)
    assert standby.end() == 0


def test_without_a_log_key_partition_0_is_left_to_others(place: Path, cli: Cli, serve: Callable[..., Service]) -> None:
    poor = serve("poor", "run", "registrar", "--data", "poor")
    poor.until("partition 1: admitting from now on")
    assert "partition 0 is left to a process that has one" in poor.said()
    rich = serve("rich", "run", "registrar")
    rich.until("partition 0: admitting from now on")
    assert "partition 0: admitting" not in poor.said()
    assert (poor.end(), rich.end()) == (0, 0)


def test_without_a_log_key_there_is_nothing_to_take_of_a_single_partition(tmp_path: Path) -> None:
    process("ledger", "open", "small", "--partitions", "1", cwd=tmp_path)
    done = process("run", "registrar", "--data", "elsewhere", cwd=tmp_path, code=2)
    assert "no other partition that this process could take" in done.stderr


def test_two_with_one_state_folder_take_turns(place: Path, cli: Cli, serve: Callable[..., Service]) -> None:
    """The second waits for the file of a partition that the first still has open, by name."""
    one = serve("one", "run", "registrar", "--partitions", "1")
    one.until("admitting partitions [1]")
    two = serve("two", "run", "registrar")
    two.until("partition 1: waiting for")
    assert one.end() == 0
    submit(cli, 1)
    until(cli, lambda parts: all(p["waiting"] == 0 for p in parts))
    assert two.end() == 0


def test_a_forged_record_stops_its_partition_and_no_other(place: Path, cli: Cli, serve: Callable[..., Service]) -> None:
    one = serve("one", "run", "registrar")
    one.until("admitting from now on", 2)
    _forge(place, partition=1)
    one.until("partition 1 is stopped, the others go on")
    until(cli, lambda parts: parts[1]["stopped"] is not None)
    assert "stands still" in cli("lag", "--fail-above", "1000", code=1).stdout
    cli("register", "office", "RU-X", "--name", "x", "--tz", "Asia/Omsk", "--no-work", "--wait", "10")
    assert one.process.poll() is None
    assert one.end() == 0
    alone = serve("alone", "run", "registrar", "--partitions", "1")
    assert alone.process.wait(PATIENCE) == 4
    assert "expected no record at index" in alone.said()


def _forge(place: Path, partition: int) -> None:
    """A record at the next index that no submission explains."""
    code = (
        "import asyncio, sys, msgspec\n"
        "from infra.adapters.ledger_folder import LedgerFolder\n"
        "from ledger.log import Message, header\n"
        "from ledger.seal import format_seal, read_seal\n"
        "async def forge():\n"
        "    log = LedgerFolder(sys.argv[1]); p = int(sys.argv[2])\n"
        "    last = (await log.reader('ledger', p, await log.end('ledger', p) - 1).read(1))[0]\n"
        "    seal = read_seal(header(last.headers, 'seal'))\n"
        "    text = format_seal(msgspec.structs.replace(seal, index=seal.index + 1))\n"
        "    headers = tuple((k, text if k == 'seal' else v) for k, v in last.headers)\n"
        "    await log.append('ledger', p, [Message(last.key, last.value, headers, last.timestamp)])\n"
        "    await log.close()\n"
        "asyncio.run(forge())\n"
    )
    done = subprocess.run(
        [command()[0], "-c", code, str(place / "assistance"), str(partition)], env=environment(), check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_standby_and_named_partitions_exclude_each_other(place: Path, cli: Cli) -> None:
    assert "--standby alone" in cli("run", "registrar", "--standby", "--partitions", "1", code=2).stderr


def test_watching_prints_again_and_again(place: Path) -> None:
    watching = subprocess.Popen(
        command("lag", "--watch", "--interval", "0.1", "--json"), cwd=place, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert watching.stdout is not None
        first, second = (json.loads(watching.stdout.readline()) for _ in range(2))
        assert second["at"] > first["at"]
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30)
        assert watching.returncode == 130
    finally:
        watching.kill()
        watching.communicate()


@pytest.mark.kafka
def test_registrars_share_a_ledger_on_kafka(tmp_path: Path, kafka_place: Place) -> None:
    address = ["--ledger", f"kafka://{kafka_place.bootstrap}/{kafka_place.name}"]
    process("ledger", "open", kafka_place.name, "--partitions", "2", *address, cwd=tmp_path)
    services = [Service(tmp_path, name, "run", "registrar", "--session", "6") for name in ("one",)]
    try:
        services[0].until("admitting from now on", 2)
        services.append(Service(tmp_path, "two", "run", "registrar", "--session", "6"))
        services[1].until("admitting from now on")
        services.append(Service(tmp_path, "herald", "run", "herald"))
        name = ["--name", "Омская область", "--tz", "Asia/Omsk"]
        process("register", "office", "RU-OMS", *name, "--wait", "30", "--wait-all", cwd=tmp_path)
        told = json.loads(process("lag", "--json", cwd=tmp_path).stdout)["partitions"]
        assert {p["holder"].split()[-1] for p in told} == {str(s.process.pid) for s in services[:2]}
        assert [p["waiting"] + p["register_missing"] for p in told] == [0, 0]
        assert [s.end() for s in services] == [0, 0, 0]
    finally:
        for service in services:
            service.process.kill()
            service.process.wait()
