"""The worked example: an application on its own database, a relay beside it, run as real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.contracts.log_place import Place
from tests.e2e.cli import ROOT, Cli, command, environment

APP = ROOT / "examples" / "case_app" / "app.py"
OFFICE = "RU-OMS"


@contextmanager
def served(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service of ours as a process of its own."""
    service = subprocess.Popen(command("run", *words), cwd=folder, env=environment(), stderr=subprocess.PIPE)
    try:
        assert service.stderr is not None
        service.stderr.readline()  # it says what it serves
        yield service
        assert service.poll() is None, "the service ended by itself"
    finally:
        service.terminate()
        service.communicate(timeout=30)


class App:
    """The application's command line."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self._database = database

    def __call__(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, str(APP), "--database", self._database, "--office", OFFICE, *words],
            cwd=self._folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    def case(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = next(c for c in json.loads(self("list", "--json")) if c["number"] == number)
        return found


def at_ledger(case: dict[str, Any]) -> list[str]:
    return [entry["at_ledger"] for entry in case["journal"]]


def until(true: Callable[[], bool]) -> None:
    """Ask until it is so; the test's time limit ends it."""
    while not true():
        pass


@pytest.fixture
def database(postgres_url: str) -> str:
    """The application's, where the kind does not matter."""
    return postgres_url


@pytest.fixture
def on_kafka(opened: Path, tmp_path: Path, kafka_place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As ``place``, with the ledger on a real Kafka."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    cli = Cli()
    cli(
        "ledger",
        "open",
        kafka_place.name,
        "--partitions",
        "2",
        "--ledger",
        f"kafka://{kafka_place.bootstrap}/{kafka_place.name}",
    )
    with served(folder, "all"):
        cli("register", "office", OFFICE, "--name", "Омская область", "--tz", "Asia/Omsk", "--border", "--wait", "30")
        cli("keys", "enrol", cli.new_key(OFFICE), "--wait", "30", "--wait-all")
    return folder


def story(folder: Path, database: str) -> None:
    """From an incoming request to the answer, with everything running."""
    app, cli = App(folder, database), Cli()
    app("create-tables")
    with ExitStack() as running:
        running.enter_context(served(folder, "all"))
        running.enter_context(served(folder, "relay", "--outbox", database))
        app("receive", "R-1", "--from", "KZ-MTP", "--substance", "a secret substance")
        app("accept", "R-1")
        app("answer", "R-1", "--material", "m-1")
        app("receive", "R-2", "--from", "KZ-MTP", "--substance", "another secret")
        app("refuse", "R-2", "--ground", "security", "--reason", "a secret reason")
        assert "expected a case R-2 that is received" in app("accept", "R-2", code=1)
        assert "found one that is taken" in app("receive", "R-1", "--from", "KZ-MTP", "--substance", "x", code=1)
        until(lambda: at_ledger(app.case("R-1")) == ["sealed"] * 4 and at_ledger(app.case("R-2")) == ["sealed"] * 3)
    assert [entry["seq"] for entry in app.case("R-1")["journal"]] == [1, 2, 3, 4]
    assert "answer sent" in app("list")
    status = cli.json("status", f"{OFFICE}-R-1", "--update")
    types = ["request.received", "request.accepted", "request.executed", "request.answered"]
    assert [entry["type"] for entry in status["history"]] == types
    status = cli.json("status", f"{OFFICE}-R-2")
    assert [e["type"] for e in status["history"]] == ["request.received", "refusal.decided", "refusal.notified"]
    assert cli.json("check")["sound"]
    listed = cli.json("outbox", "list", "--outbox", database)
    assert listed["counts"] == {"sealed": 7, "held": 0}
    assert listed["oldest_waiting"] is None
    assert cli.json("outcomes")["counts"] == {}
    assert "secret" not in cli.printed
    with sa.create_engine(database).connect() as connection:
        stored = connection.execute(sa.text("SELECT event FROM rogatory_outbox")).scalars().all()
    assert len(stored) == 7
    assert not any(b"secret" in bytes(event) for event in stored)


@pytest.mark.slow
def test_an_application_and_its_ledger_agree(place: Path, store_url: str) -> None:
    story(place, store_url)


@pytest.mark.kafka
@pytest.mark.slow
def test_an_application_on_postgresql_and_its_ledger_on_kafka_agree(on_kafka: Path, postgres_url: str) -> None:
    story(on_kafka, postgres_url)


def test_the_application_works_while_the_ledger_is_away(place: Path, database: str, cli: Cli) -> None:
    app = App(place, database)
    app("create-tables")
    ledger = place / "assistance"
    ledger.rename(place / "away")
    app("receive", "R-1", "--from", "KZ-MTP", "--substance", "what is asked for")
    app("accept", "R-1")
    assert at_ledger(app.case("R-1")) == ["waiting", "waiting"]
    assert cli.json("outbox", "list", "--outbox", database)["counts"] == {"waiting": 2, "held": 0}
    shutil.move(place / "away", ledger)
    said = cli("run", "relay", "--until-idle", "--outbox", database, "--timeout", "1")
    assert "0 waiting, 2 submitted, 0 sealed" in said.stdout
    assert "not decided yet" in said.stderr
    cli("run", "all", "--until-idle")
    cli("run", "relay", "--until-idle", "--outbox", database)
    assert at_ledger(app.case("R-1")) == ["sealed", "sealed"]


def test_an_application_without_a_key_leaves_signing_to_the_relay(place: Path, database: str, cli: Cli) -> None:
    app = App(place, database)
    app("create-tables")
    keys = place / "rogatory-data" / "keys"
    keys.rename(place / "locker")
    assert "expected one sign key of RU-OMS" in app("receive", "R-1", "--from", "KZ-MTP", "--substance", "x", code=1)
    app("--relay-signs", "receive", "R-1", "--from", "KZ-MTP", "--substance", "what is asked for")
    cli("run", "relay", "--until-idle", "--outbox", database)
    (row,) = cli.json("outbox", "list", "--held", "--outbox", database)["rows"]
    assert "expected an enrolled sign key of RU-OMS" in row["held"]
    assert at_ledger(app.case("R-1")) == ["waiting"]
    (place / "locker").rename(keys)
    cli("outbox", "retry", str(row["id"]), "--outbox", database)
    cli("run", "relay", "--until-idle", "--outbox", database, "--timeout", "1")
    cli("run", "all", "--until-idle")
    cli("run", "relay", "--until-idle", "--outbox", database)
    assert at_ledger(app.case("R-1")) == ["sealed"]
    (signer,) = cli.json("outbox", "show", str(row["id"]), "--outbox", database)["signed_by"]
    assert signer.startswith("RU-OMS#")


def test_a_refused_event_is_listed_with_its_reason_and_settled_by_a_person(
    place: Path, database: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is revoked between the transaction and the relay; the office's new key signs the same event."""
    monkeypatch.setenv("ROGATORY_OUTBOX", database)
    app = App(place, database)
    app("create-tables")
    app("receive", "R-1", "--from", "KZ-MTP", "--substance", "what is asked for")
    (old,) = [k["kid"] for k in cli.json("keys", "list")["keys"] if k["standing"] == "in force" and k["use"] == "sign"]
    cli("keys", "enrol", cli.new_key(OFFICE))
    cli("keys", "revoke", old, "--reason", "compromised")

    def relayed() -> None:
        cli("run", "relay", "--until-idle", "--timeout", "1")
        cli("run", "all", "--until-idle")
        cli("run", "relay", "--until-idle")

    relayed()
    shown = cli("outbox", "list", "--refused").stdout
    assert "key-not-valid" in shown
    assert "The key was not valid, or revoked, when the event arrived." in shown
    (row,) = cli.json("outbox", "list", "--refused")["rows"]
    assert cli.json("outbox", "retry", "--all-refused", "--sign-anew")["done"] == [row["id"]]
    relayed()
    shown = cli.json("outbox", "show", str(row["id"]))
    assert (shown["state"], shown["tries"], shown["sign"]) == ("sealed", 2, "relay")
    assert shown["event"]["type"] == "rogatory.request.received.v1"
    assert cli.json("outbox", "purge", "--older-than", "1h")["deleted"] == 0
    assert cli.json("outbox", "purge", "--older-than", "0s")["deleted"] == 1
    assert cli("outbox", "list").stdout == "The outbox is empty.\n"


def test_rows_that_wait_can_be_cancelled_and_others_not(place: Path, database: str, cli: Cli) -> None:
    os.environ["ROGATORY_OUTBOX"] = database
    try:
        app = App(place, database)
        app("create-tables")
        app("receive", "R-1", "--from", "KZ-MTP", "--substance", "what is asked for")
        assert cli.json("outbox", "cancel", "1", "99", code=1) == {"done": [1], "left": [99]}
        cli("outbox", "cancel", "1", code=1)
        assert cli.json("outbox", "list", "--state", "cancelled")["counts"] == {"cancelled": 1, "held": 0}
    finally:
        del os.environ["ROGATORY_OUTBOX"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["outbox", "list"], "expected the database of an outbox, found none: pass --outbox"),
        (["outbox", "list", "--outbox", "sqlite:///none.db"], "expected the table rogatory_outbox"),
        (["outbox", "list", "--outbox", "sqlite:///none.db", "--table", "x.y"], "expected the table x.y"),
        (["outbox", "retry", "--outbox", "sqlite:///app.db"], "expected IDs, or --all-refused"),
        (["outbox", "show", "7", "--outbox", "sqlite:///app.db"], "found none with the id 7"),
        (["outbox", "purge", "--older-than", "soon", "--outbox", "sqlite:///app.db"], "such as 30d, found 'soon'"),
        (["run", "relay", "--outbox", "mysql://x/y"], "expected"),
    ],
)
def test_a_wrong_option_is_a_message(place: Path, cli: Cli, words: list[str], message: str) -> None:
    App(place, "sqlite:///app.db")("create-tables")
    assert message in cli(*words, code=2).stderr


def test_a_database_that_does_not_answer_is_no_wrong_usage(place: Path, cli: Cli) -> None:
    said = cli("outbox", "list", "--outbox", "postgresql+psycopg://nobody@127.0.0.1:1/none", code=3).stderr
    assert "the outbox's database does not answer" in said
