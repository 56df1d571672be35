"""Services as real processes: they serve, wait, and end when they are told."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.cli import Cli, command, environment

ACCEPTED = '{"executing": "RU-OMS"}'


@contextmanager
def serving(*args: str, cwd: Path, until: str) -> Iterator[subprocess.Popen[str]]:
    """A service that has said ``until`` on stderr; its further lines go to a file of that name."""
    log = cwd / "service.log"
    with log.open("w") as errors:
        service = subprocess.Popen(command(*args), cwd=cwd, env=environment(), stderr=errors, text=True)
        try:
            deadline = time.monotonic() + 60
            while until not in log.read_text():
                assert service.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield service
        finally:
            service.kill()
            service.wait()


def test_a_command_waits_for_the_service_to_seal(place: Path, cli: Cli) -> None:
    with serving("run", "all", cwd=place, until="serving") as service:
        sealed = cli.json("publish", "request/1", "request.accepted", "--data", ACCEPTED)
        assert sealed["outcome"] == "sealed"
        changed = cli.json("register", "office", "RU-X", "--name", "x", "--tz", "Asia/Omsk", "--wait-all")
        assert changed["followed"] == 2
        deadline = time.monotonic() + 20
        while not cli.json("status", "--no-update")["requests"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0


def test_projecting_goes_on_with_the_new_rows_after_a_rebuild(place: Path, cli: Cli) -> None:
    def shown() -> int:
        return len(cli.json("status", "--no-update")["requests"])

    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED)
    cli("run", "project", "--until-idle")
    with serving("run", "project", cwd=place, until="projecting") as service:
        cli("rebuild")
        cli("publish", "request/2", "request.accepted", "--data", ACCEPTED)
        deadline = time.monotonic() + 60
        while shown() < 2:
            assert time.monotonic() < deadline, (place / "service.log").read_text()
            time.sleep(0.1)
        assert service.poll() is None
        assert "answers now" in (place / "service.log").read_text()
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0


def test_a_second_registrar_is_told_that_it_is_one(place: Path, cli: Cli) -> None:
    with serving("run", "registrar", cwd=place, until="admitting"):
        assert "another registrar" in cli("run", "all", "--until-idle", code=2).stderr


def test_what_nobody_seals_is_submitted_all_the_same(place: Path, cli: Cli) -> None:
    told = cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, "--no-work", "--wait", "0.2").stdout
    assert "not sealed yet" in told
    assert "rogatory run all" in told
    assert "1 submission worked off" in cli("run", "all", "--until-idle").stdout
    assert cli.json("status", "1")["records"] == 1


def test_without_the_log_key_partition_0_cannot_be_served(place: Path, cli: Cli) -> None:
    (kid,) = cli.json("ledger", "show")["log_keys"]
    (place / "rogatory-data/keys" / f"{kid.replace('#', '-')}.key").rename(place / "log.key")
    assert "log key" in cli("run", "all", "--until-idle", code=2).stderr
    cli("run", "registrar", "--partitions", "1", "--until-idle")
    told = cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, "--wait", "0.2")
    assert "Not admitted here" in told.stderr


def test_herald_and_registrars_apart_do_what_all_does(place: Path, cli: Cli) -> None:
    cli("register", "office", "RU-X", "--name", "x", "--tz", "Asia/Omsk", "--no-work", "--wait", "0")
    cli("run", "registrar", "--partitions", "0", "--until-idle")
    assert "not followed yet" in cli("run", "herald", "--until-idle").stdout
    cli("run", "registrar", "--partitions", "1", "--until-idle")
    assert "Every partition has followed" in cli("run", "herald", "--until-idle").stdout
    assert {part["register_seq"] for part in cli.json("check")["partitions"]} == {5}


def test_a_service_waits_for_a_broker_that_is_down(tmp_path: Path) -> None:
    args = ["run", "all", "--ledger", "kafka://127.0.0.1:1/x", "--timeout", "2"]
    with serving(*args, cwd=tmp_path, until="trying again in 1.0 s") as service:
        service.send_signal(signal.SIGINT)
        assert service.wait(30) == 130
    with serving(*args, cwd=tmp_path, until="trying again in 1.0 s") as service:
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_terminal_sees_a_progress_bar(place: Path) -> None:
    master, slave = os.openpty()
    log = Path(__file__).parents[1] / "data/inquiries.xes"
    done = subprocess.run(
        command("import", "xes", str(log)),
        cwd=place,
        env=environment(TERM="xterm"),
        stderr=slave,
        stdout=subprocess.PIPE,
        check=True,
    )
    os.close(slave)
    assert b"Submitting" in os.read(master, 65536)
    assert b"admitted" in done.stdout
    os.close(master)


def test_a_command_that_is_interrupted_ends_with_130(place: Path, cli: Cli) -> None:
    before = _submitted(cli)
    args = ["publish", "request/1", "request.accepted", "--data", ACCEPTED, "--no-work", "--wait", "60"]
    with serving(*args, cwd=place, until="") as waiting:
        deadline = time.monotonic() + 30
        while _submitted(cli) == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(30) == 130
    assert (place / "service.log").read_text() == ""


def _submitted(cli: Cli) -> int:
    return sum(part["submissions"] for part in cli.json("ledger", "show")["partitions"])


def test_a_reader_that_goes_away_is_no_fault(place: Path) -> None:
    done = subprocess.run(
        f"{' '.join(command('catalogue'))} | head -1", shell=True, cwd=place, env=environment(), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
