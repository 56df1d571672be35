"""``rogatory run live`` as real processes on a real Kafka."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.log_place import Place
from tests.e2e.cli import process
from tests.e2e.test_cli_services import serving

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
_SOON = 60.0


def _opened(cwd: Path, place: Place) -> list[str]:
    """A ledger with one office that can publish; the options that name it."""
    address = ["--ledger", f"kafka://{place.bootstrap}/{place.name}"]
    process("ledger", "open", place.name, "--partitions", "2", *address, cwd=cwd)
    process("run", "registrar", "--until-idle", *address, cwd=cwd)
    office = ("RU-OMS", "--name", "Омская область", "--tz", "Asia/Omsk", "--border", "--work")
    process("register", "office", *office, *address, cwd=cwd)
    made = json.loads(process("keys", "new", "RU-OMS", "--json", cwd=cwd).stdout)["kid"]
    process("keys", "enrol", made, "--work", *address, cwd=cwd)
    return address


def _publish(cwd: Path, address: list[str], number: int) -> None:
    said = '{"executing": "RU-OMS"}'
    process("publish", f"request/{number}", "request.accepted", "--data", said, "--work", *address, cwd=cwd)


def _requests(cwd: Path, address: list[str]) -> list[Any]:
    return list(json.loads(process("status", "--no-update", "--json", *address, cwd=cwd).stdout)["requests"])


def _becomes_visible(cwd: Path, address: list[str], count: int) -> None:
    deadline = time.monotonic() + _SOON
    while len(_requests(cwd, address)) != count:
        assert time.monotonic() < deadline, (cwd / "service.log").read_text()
        time.sleep(0.2)


def _stop(service: subprocess.Popen[str]) -> int:
    service.send_signal(signal.SIGTERM)
    return service.wait(_SOON)


def test_what_is_published_becomes_visible_and_a_signal_ends_it_well(tmp_path: Path, kafka_place: Place) -> None:
    address = _opened(tmp_path, kafka_place)
    _publish(tmp_path, address, 0)
    with serving("run", "live", *address, cwd=tmp_path, until="assigned partitions [0, 1]") as service:
        _becomes_visible(tmp_path, address, 1)
        _publish(tmp_path, address, 1)
        _becomes_visible(tmp_path, address, 2)
        assert _stop(service) == 0
    said = (tmp_path / "service.log").read_text()
    assert "Traceback" not in said
    assert "ƒaµS†" not in said, "Faust's banner"
    process("rebuild", *address, cwd=tmp_path)
    with serving("run", "live", *address, cwd=tmp_path, until="assigned partitions [0, 1]") as service:
        _publish(tmp_path, address, 2)
        _becomes_visible(tmp_path, address, 3)
        assert _stop(service) == 0


def test_after_a_rebuild_it_goes_on_with_the_rows_that_answer_now(tmp_path: Path, kafka_place: Place) -> None:
    address = _opened(tmp_path, kafka_place)
    with serving("run", "live", *address, cwd=tmp_path, until="assigned partitions [0, 1]") as service:
        _publish(tmp_path, address, 0)
        _becomes_visible(tmp_path, address, 1)
        process("rebuild", *address, cwd=tmp_path)
        for number in (1, 2):
            _publish(tmp_path, address, number)
        _becomes_visible(tmp_path, address, 3)
        assert _stop(service) == 0
    said = (tmp_path / "service.log").read_text()
    assert "answers now" in said
    assert "Traceback" not in said
