"""``rogatory poison``: what a projection cannot digest is shown, and passed over when the ledger says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from projections.status import StatusFold
from tests.e2e.cli import Cli

SECRET = "the-clerk-mixed-up-two-files"
RIGHT = StatusFold.evolve
_ACCEPTED = '{"executing": "RU-OMS"}'


@pytest.fixture
def choking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release whose fold has a fault: it cannot digest a certain step."""

    def evolve(self: StatusFold, facts: Any, record: Any) -> Any:
        if b'"step":"odd"' in record.value:
            raise ZeroDivisionError(record.value)
        return RIGHT(self, facts, record)

    monkeypatch.setattr(StatusFold, "evolve", evolve)


@pytest.fixture
def standing(place: Path, cli: Cli, choking: None) -> dict[str, Any]:
    """A ledger with a poison record in the middle, and what the store tells of it."""
    acts = [
        ("request/1", "request.accepted", {"executing": "RU-OMS"}),
        ("request/1", "step.taken", {"step": "odd", "attributes": {"n": 1}}),
        ("request/1", "step.taken", {"step": "behind"}),
        *((f"request/{n}", "request.accepted", {"executing": "RU-OMS"}) for n in range(2, 8)),
    ]
    lines = [json.dumps({"subject": s, "type": t, "data": d}) for s, t, d in acts]
    (place / "events.jsonl").write_text("\n".join(lines))
    cli("publish", "--file", "events.jsonl")
    assert "ZeroDivisionError" in cli("run", "project", "--until-idle", code=4).stderr
    (found,) = cli.json("poison", "list")["poison"]
    return dict(found)


def _digests(cli: Cli) -> Any:
    return cli.json("digest")["partitions"]


def test_a_poison_is_listed_and_shown_without_what_is_sealed(standing: dict[str, Any], cli: Cli) -> None:
    assert (standing["subject"], standing["type"]) == ("request/1", "rogatory.step.taken.v1")
    where = str(standing["partition"]), str(standing["index"])
    assert "request/1" in cli("poison", "list").stdout
    shown = cli.json("poison", "show", *where)
    assert (shown["leaf"], shown["seq"], shown["source"]) == (standing["leaf"], 2, "office/RU-OMS")
    assert "event" not in shown
    told = cli("poison", "show", *where, "--record").stdout
    for part in (
        "expected the fold cases to digest",
        "stands before index",
        standing["leaf"],
        '"step": "odd"',
        '"box"',
    ):
        assert part in told
    assert f"poison skip {where[0]} {where[1]}" in told


def test_answers_go_on_and_say_what_is_missing(standing: dict[str, Any], cli: Cli) -> None:
    listed = cli("status", "--json")
    rows = {row["request"]: row for row in json.loads(listed.stdout)["requests"]}
    assert "rogatory poison list" in listed.stderr
    assert rows["request/1"]["records"] == 1
    whole = cli.json("digest")["partitions"]
    assert whole[standing["partition"]]["size"] == standing["index"]


def test_a_skip_is_a_sealed_event_after_which_the_partition_goes_on(
    standing: dict[str, Any], cli: Cli, place: Path
) -> None:
    where = str(standing["partition"]), str(standing["index"])
    sealed = cli.json("poison", "skip", *where, "--reason", SECRET)
    assert (sealed["outcome"], sealed["subject"]) == ("sealed", f"ledger/{where[0]}")
    assert f"Index {sealed['index']} says so already" in cli("poison", "skip", *where, "--reason", "again").stdout
    cli("run", "project", "--until-idle")
    assert cli.json("poison", "list")["poison"] == []
    request = cli.json("status", "1")
    assert (request["records"], request["facts"]["records"], request["passed_over"]) == (3, 2, 1)
    assert "LACKS 1 record" in cli("status", "1").stdout
    assert [entry["seq"] for entry in request["history"]] == [1, 2, 3]
    before = _digests(cli)
    assert cli.json("rebuild")["same"]
    assert _digests(cli) == before
    assert SECRET not in cli.printed
    for path in place.rglob("*"):
        assert path.is_dir() or path.name == "vault.sqlite" or SECRET.encode() not in path.read_bytes(), path


def test_a_release_that_can_digest_it_goes_on_by_itself(
    place: Path, cli: Cli, choking: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("publish", "request/1", "step.taken", "--data", '{"step": "odd"}')
    cli("run", "project", "--until-idle", code=4)
    assert len(cli.json("poison", "list")["poison"]) == 1
    with monkeypatch.context() as repaired:
        repaired.setattr(StatusFold, "evolve", RIGHT)
        cli("run", "project", "--until-idle")
        assert cli.json("poison", "list")["poison"] == []
        assert cli.json("status", "1")["passed_over"] == 0


def test_what_does_not_stand_still_cannot_be_skipped(standing: dict[str, Any], cli: Cli) -> None:
    other = str(standing["index"] + 1)
    told = cli("poison", "skip", str(standing["partition"]), other, "--reason", "x", code=2).stderr
    assert f"found {standing['partition']} {standing['index']} (cases)" in told
    blank = cli("poison", "skip", str(standing["partition"]), str(standing["index"]), "--reason", " ", code=2).stderr
    assert "expected --reason with a text" in blank


def test_where_nothing_stands_still_the_list_says_so(place: Path, cli: Cli) -> None:
    cli("publish", "request/1", "request.accepted", "--data", _ACCEPTED)
    cli("run", "project", "--until-idle")
    assert "No projection stands at a poison record." in cli("poison", "list").stdout


def test_live_needs_kafka(place: Path, cli: Cli) -> None:
    assert "rogatory run project" in cli("run", "live", code=2).stderr
