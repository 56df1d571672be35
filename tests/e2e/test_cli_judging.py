"""Judging by the command line: behind a replay, beside a service, before a rebuild answers; and what is said of it."""

from __future__ import annotations

import signal
import sqlite3
import time
from pathlib import Path

import pytest

from projections.compliance import judge, making
from projections.compliance.case import Case
from projections.compliance.register import LegalRegister
from projections.figures.posting import Posting
from tests.e2e.cli import Cli
from tests.e2e.test_cli_services import ACCEPTED, serving


def _waiting(cli: Cli) -> int:
    found: int = cli.json("lag")["judgement_waiting"]
    return found


def _judged(place: Path, generation: int | None = None) -> set[str]:
    of = "" if generation is None else f"WHERE generation = {generation}"
    with sqlite3.connect(place / "rogatory-data" / "store.sqlite") as db:
        return {row[0] for row in db.execute(f"SELECT subject FROM judged {of}")}


def test_behind_a_replay_everything_is_judged(place: Path, cli: Cli) -> None:
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED)
    cli("run", "project", "--until-idle")
    assert _waiting(cli) == 0
    assert _judged(place) == {"register", "request/1"}
    cli("publish", "request/2", "request.accepted", "--data", ACCEPTED)
    assert _waiting(cli) == 0, "no row is behind what it was judged from, though the log has more"
    cli("status")
    assert _judged(place) == {"register", "request/1", "request/2"}


def test_beside_a_service_what_comes_in_is_judged(place: Path, cli: Cli) -> None:
    with serving("run", "project", cwd=place, until="projecting") as service:
        cli("publish", "request/1", "request.accepted", "--data", ACCEPTED)
        deadline = time.monotonic() + 60
        while "request/1" not in _judged(place):
            assert time.monotonic() < deadline, (place / "service.log").read_text()
            time.sleep(0.1)
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0
    assert "Traceback" not in (place / "service.log").read_text()


def test_a_rebuild_answers_once_all_of_it_is_judged(place: Path, cli: Cli) -> None:
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED)
    cli("run", "project", "--until-idle")
    made = cli.json("rebuild", "--keep")
    assert made["switched"]
    assert _judged(place, made["generation"]) == {"register", "request/1"}
    assert _waiting(cli) == 0


def test_lag_says_how_many_subjects_wait(place: Path, cli: Cli) -> None:
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED)
    cli("run", "project", "--until-idle")
    with sqlite3.connect(place / "rogatory-data" / "store.sqlite") as db:  # as the moment after a commit leaves it
        db.execute("UPDATE cases SET waiting = 1 WHERE subject = 'request/1'")
    assert _waiting(cli) == 1
    assert "1 subject to be judged." in cli("lag").stdout
    cli("run", "project", "--until-idle")
    assert _waiting(cli) == 0


def test_a_subject_that_cannot_be_judged_is_named_and_the_others_are_shown(
    place: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a figure that fails on one request, then its line says where to look, and a mended release judges it."""
    for number in (1, 2):
        cli("publish", f"request/{number}", "request.accepted", "--data", ACCEPTED)
    count = making.count

    def failing(case: Case, register: LegalRegister) -> list[Posting]:
        if case.subject == "request/2":
            raise IndexError("what it says")
        return count(case, register)

    with monkeypatch.context() as patched:
        patched.setattr(making, "count", failing)
        shown = cli("compliance")
        assert "expected to judge request/2 up to its record 1, found IndexError in the figures" in shown.stderr
        assert "docs/operations.md, Subjects set aside" in shown.stderr
        assert "what it says" not in shown.output
        assert "1 subject still to be judged" in shown.output
        assert _judged(place) == {"register", "request/1"}
        assert _waiting(cli) == 1
    assert "still to be judged" not in cli("compliance").output
    assert _judged(place) == {"register", "request/1", "request/2"}


def test_one_request_that_a_rule_fails_on_is_said_to_be_so(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED)

    def failing(*_: object) -> bool:
        raise IndexError("what it says")

    monkeypatch.setattr(judge, "_applies", failing)
    said = cli("compliance", "request/1", code=4).stderr
    assert "expected to judge request/1 up to its record 1, found IndexError in the choice of rules" in said
    assert "what it says" not in said
