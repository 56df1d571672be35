"""Wrong input, absent things, settings: a message that says what was expected and found, and the right exit code."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.e2e.cli import Cli, process

ACCEPTED = '{"executing": "RU-OMS"}'

WRONG = [
    (["publish"], "SUBJECT and TYPE"),
    (
        ["publish", "request/1", "request.accepted", "--data", "{}"],
        "expected the member executing (office), found none",
    ),
    (["publish", "request/1", "request.accepted", "--data", '{"executin": "RU-OMS"}'], "did you mean executing?"),
    (
        ["publish", "request/1", "request.accepted", "--data", '{"executing": "ru"}'],
        "executing: expected office, found 'ru'",
    ),
    (
        ["publish", "request/1", "request.accepted", "--data", '{"executing": "RU-OMS", "note": 5}'],
        "note: expected text",
    ),
    (["publish", "request/1", "request.accepted", "--data", '{"a": 1, "a": 2}'], "--data: "),
    (["publish", "request/1", "request.accepted", "--data", "none.json"], "found 'none.json'"),
    (["publish", "request/1", "request.acceptd", "--data", ACCEPTED], "did you mean request.accepted?"),
    (["publish", "meeting/1", "request.accepted", "--data", ACCEPTED], "expected a subject request"),
    (["publish", "request/1", "request.accepted", "--data", ACCEPTED, "--time", "today"], "time"),
    (["publish", "request/1", "request.accepted", "--data", ACCEPTED, "--office", "RU-GUMPS"], "sign key of RU-GUMPS"),
    (
        ["publish", "request/1", "request.accepted", "--data", ACCEPTED, "--key", "none.key"],
        "expected the key file none.key",
    ),
    (
        ["publish", "request/1", "request.accepted", "--data", ACCEPTED, "--key", "env:NONE"],
        "environment variable NONE",
    ),
    (["publish", "--file", "none.jsonl"], "none.jsonl"),
    (["publish", "request/1", "--file", "none.jsonl"], "--file alone"),
    (["import", "xes", "none.xes"], "none.xes"),
    (["import", "xes", "rogatory.toml"], "expected XML"),
    (["import", "xes", "rogatory.toml", "--map", "none.toml"], "none.toml"),
    (["keys", "new", "omsk"], "office code"),
    (["keys", "enrol", "RU-OMS#" + "0" * 32], "private half"),
    (["keys", "enrol", "nothing"], "key id"),
    (["keys", "revoke", "RU-OMS#" + "0" * 32, "--reason", "lost"], "enrolled key"),
    (["register", "office", "omsk", "--name", "x", "--tz", "Asia/Omsk"], "office: expected office"),
    (["register", "office", "RU-X", "--name", "x", "--tz", "Asia/Nowhere"], "time zone"),
    (["register", "role", "assign", "RU-OMS", "p-1", "king", "--basis", "x"], "role: expected one of head"),
    (["outcomes", "--reason", "bad"], "unknown-key"),
    (["check", "--partition", "5"], "from 0 to 1"),
    (["digest"], "run `rogatory run project`"),
    (["digest", "--generation", "7"], "generation 7"),
    (["status", "--after", "x"], "cursor"),
    (["catalogue", "nothing"], "event type"),
    (["broker", "start", "--nodes", "2"], "1 or 3"),
    (["status", "--ledger", "nowhere"], "file:FOLDER"),
    (["status", "--ledger", "file:nowhere"], "no usable ledger at file:nowhere"),
    (["status", "--ledger-id", "assistance." + "0" * 32], "correct --ledger and --ledger-id"),
    (["status", "--ledger-id", "x"], "<name>.<32 hex>"),
    (["status", "--store", "nonsense"], "sqlite:///store.db"),
    (["status", "--store", "sqlite://"], "in memory"),
    (["status", "-c", "none.toml"], "none.toml"),
]


WRONG_SERVICE = [
    (["run", "registrar", "--partitions", "x"], "--partitions"),
    (["run", "registrar", "--partitions", "7", "--until-idle"], "from 0 to 1"),
    (["run", "registrar", "--standby", "--until-idle"], "--standby alone"),
    (["run", "live"], "rogatory run project"),
]


@pytest.mark.parametrize(
    ("args", "said"), WRONG, ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else ""
)
def test_wrong_input_is_told_plainly(place: Path, cli: Cli, args: list[str], said: str) -> None:
    result = cli(*args, code=2)
    assert result.stderr.startswith("rogatory: ")
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize(("args", "said"), WRONG_SERVICE, ids=["x", "7", "standby", "live"])
def test_wrong_input_of_a_service_is_one_more_log_line(place: Path, cli: Cli, args: list[str], said: str) -> None:
    """Whatever collects the lines of a service reads all of them as JSON, the last one too."""
    result = cli(*args, code=2)
    last = json.loads(result.stderr.splitlines()[-1])
    assert (last["level"], last["exit"]) == ("critical", 2)
    assert said in last["event"]
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize(("args", "said"), WRONG_SERVICE, ids=["x", "7", "standby", "live"])
def test_wrong_input_of_a_service_is_told_plainly_where_log_lines_are_text(
    place: Path, cli: Cli, args: list[str], said: str
) -> None:
    last = cli(*args, "--log-format", "text", code=2).stderr.splitlines()[-1]
    assert last.startswith("rogatory: ")
    assert said in last


def test_a_key_file_that_others_can_read_is_not_used(place: Path, cli: Cli) -> None:
    path = next((place / "rogatory-data/keys").glob("RU-OMS-*.key"))
    path.chmod(0o644)
    refused = cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, code=2)
    assert "0600" in refused.stderr


def test_a_broker_that_is_down_is_told_in_time(cli: Cli) -> None:
    began = time.monotonic()
    down = cli("status", "--ledger", "kafka://127.0.0.1:1/x", "--timeout", "5", code=3)
    assert time.monotonic() - began < 10
    assert "the log does not answer" in down.stderr


def test_a_store_that_is_down_is_told_without_its_password(place: Path, cli: Cli) -> None:
    down = cli("status", "--store", "postgresql+psycopg://user:hunter2@127.0.0.1:1/x", code=3)
    assert "the store does not answer" in down.stderr
    assert "hunter2" not in down.output


def test_a_real_process_ends_with_the_code_and_no_traceback(tmp_path: Path) -> None:
    down = process("status", "--ledger", "kafka://127.0.0.1:1/x", "--timeout", "5", cwd=tmp_path, code=3)
    assert down.stdout == ""
    assert "Traceback" not in down.stderr
    assert len(down.stderr.splitlines()) == 1


def test_no_ledger_at_all_says_how_to_get_one(cli: Cli) -> None:
    assert "rogatory ledger open" in cli("status", code=2).stderr


def test_settings_come_from_the_environment(place: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "rogatory.toml").rename(place / "other.toml")
    monkeypatch.setenv("ROGATORY_LEDGER", "file:assistance")
    assert "taking the log's own word" in cli("ledger", "show").stderr
    monkeypatch.setenv("ROGATORY_TIMEOUT", "soon")
    assert "ROGATORY_TIMEOUT" in cli("status", code=2).stderr


def test_an_option_goes_before_the_environment_and_that_before_the_file(
    place: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROGATORY_LEDGER", "file:nowhere")
    assert "file:nowhere" in cli("status", code=2).stderr
    cli("status", "--ledger", "file:assistance")


def test_a_wrong_setting_in_the_file_is_named(place: Path, cli: Cli) -> None:
    path = place / "rogatory.toml"
    path.write_text(path.read_text() + "colour = 1\n")
    refused = cli("status", code=2)
    assert "'colour'" in refused.stderr
    assert "rogatory.toml" in refused.stderr


def test_another_ledger_than_the_one_that_is_meant_is_refused(place: Path, cli: Cli) -> None:
    cli("ledger", "open", "other", "--write", "other.toml", "--data", "other-data")
    refused = cli("status", "--ledger", "file:other", code=2)
    assert "expected the ledger assistance." in refused.stderr
