"""The whole way of a newcomer, from an empty folder to a checked ledger, in real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.log_place import Place
from tests.e2e.cli import Cli, process

RECEIVED = '{"channel": "direct", "from": "KZ-B-01", "to": "RU-OMS", "translations": []}'
ACCEPTED = '{"executing": "RU-OMS", "note": "a secret note"}'


def _go(folder: Path, name: str, *open_args: str) -> None:
    """Every command once; each step checks what the one before it has made."""
    said = process("ledger", "open", name, "--partitions", "2", *open_args, cwd=folder).stdout
    assert f"Opened {name}." in said
    process("run", "all", "--until-idle", cwd=folder)
    process("register", "office", "RU-OMS", "--name", "Омск", "--tz", "Asia/Omsk", "--work", cwd=folder)
    kid = json.loads(process("keys", "new", "RU-OMS", "--json", cwd=folder).stdout)["kid"]
    assert "2 of 2 partitions" in process("keys", "enrol", kid, "--work", "--wait-all", cwd=folder).stdout
    for type_, data in (("request.received", RECEIVED), ("request.accepted", ACCEPTED)):
        process("publish", "request/2025-1", type_, "--data", data, "--work", cwd=folder)
    refused = process(
        "publish",
        "request/2025-1",
        "step.taken",
        "-d",
        '{"step": "x"}',
        "--expectedseq",
        "9",
        "--work",
        cwd=folder,
        code=1,
    )
    assert "sequence-conflict" in refused.stderr
    assert "worked off" in process("run", "all", "--until-idle", cwd=folder).stdout

    status = json.loads(process("status", "2025-1", "--json", cwd=folder).stdout)
    assert [entry["type"] for entry in status["history"]] == ["request.received", "request.accepted"]
    assert status["facts"]["state"] == "accepted"
    assert "accepted" in process("status", cwd=folder).stdout
    outcomes = json.loads(process("outcomes", "--json", cwd=folder).stdout)
    assert outcomes["counts"] == {"sequence-conflict": 1}
    assert "Sound" in process("check", cwd=folder).stdout
    before = json.loads(process("digest", "--json", cwd=folder).stdout)["partitions"]
    rebuilt = json.loads(process("rebuild", "--json", cwd=folder).stdout)
    assert rebuilt["compared"]
    assert rebuilt["switched"]
    after = json.loads(process("digest", "--json", cwd=folder).stdout)["partitions"]
    assert before == after == rebuilt["partitions"]


def test_everything_on_a_ledger_folder(tmp_path: Path) -> None:
    _go(tmp_path, "assistance")


@pytest.mark.kafka
def test_everything_on_kafka(tmp_path: Path, kafka_place: Place) -> None:
    address = f"kafka://{kafka_place.bootstrap}/{kafka_place.name}"
    _go(tmp_path, kafka_place.name, "--ledger", address)
    second = process("ledger", "open", kafka_place.name, "--ledger", address, "--write", "b.toml", cwd=tmp_path, code=2)
    assert "opened before" in second.stderr


def test_no_private_key_and_no_sealed_text_is_ever_printed(place: Path, cli: Cli) -> None:
    cli("keys", "list", "-vv")
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, "-vv")
    cli("status", "1", "-vv")
    cli("status", "1", "--json")
    cli("ledger", "show", "--json")
    seeds = [json.loads(path.read_text())["seed"] for path in (place / "rogatory-data/keys").glob("*.key")]
    assert len(seeds) == 5
    assert not [seed for seed in seeds if seed in cli.printed]
    assert "a secret note" not in cli.printed


def test_key_files_are_for_their_owner_only(place: Path) -> None:
    for path in (place / "rogatory-data/keys").glob("*.key"):
        assert path.stat().st_mode & 0o777 == 0o600
