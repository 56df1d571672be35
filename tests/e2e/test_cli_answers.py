"""Publishing, importing, and the commands that answer."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.cli import Cli

ACCEPTED = '{"executing": "RU-OMS"}'
LOG = Path(__file__).parents[1] / "data/inquiries.xes"


def _publish(cli: Cli, request: str, *more: str) -> None:
    cli("publish", f"request/{request}", "request.accepted", "--data", ACCEPTED, *more)


def test_the_same_event_twice_is_one_record(place: Path, cli: Cli) -> None:
    args = [
        "publish",
        "request/1",
        "request.accepted",
        "--data",
        ACCEPTED,
        "--id",
        "e-1",
        "--time",
        "2025-01-01T10:00:00Z",
    ]
    first, again = cli.json(*args), cli.json(*args)
    assert (first["outcome"], again["outcome"], again["original"]) == ("sealed", "sealed", False)
    assert first["leaf"] == again["leaf"]
    assert cli.json("outcomes")["counts"] == {"duplicate": 1}
    assert "already" in cli(*args).stdout


def test_data_comes_from_a_file_or_standard_input_too(place: Path, cli: Cli) -> None:
    (place / "data.json").write_text(ACCEPTED)
    cli("publish", "request/1", "request.accepted", "--data", "data.json")
    cli("publish", "request/1", "request.accepted", "--data", "-", given=ACCEPTED)
    assert cli.json("status", "1")["records"] == 2


def test_a_file_of_events_keeps_their_order(place: Path, cli: Cli) -> None:
    acts = [("step.taken", {"step": f"step {i}", "attributes": {"n": i}}) for i in range(5)]
    lines = [json.dumps({"subject": "request/1", "type": t, "data": d}) for t, d in acts]
    office = {"office": "RU-OMS", "person": "p-1", "role": "head", "effective": "2025-01-01"}
    lines.insert(2, json.dumps({"subject": "register", "type": "role.ended", "data": office}))
    (place / "events.jsonl").write_text("\n".join(lines))
    assert "6 sealed" in cli("publish", "--file", "events.jsonl").stdout
    assert [e["seq"] for e in cli.json("status", "1")["history"]] == [1, 2, 3, 4, 5]


def test_a_wrong_line_names_itself_and_nothing_is_submitted(place: Path, cli: Cli) -> None:
    right = json.dumps({"subject": "request/1", "type": "request.accepted", "data": {"executing": "RU-OMS"}})
    (place / "events.jsonl").write_text(
        f'{right}\n{{"subject": "request/1", "type": "request.accepted", "data": {{}}}}\n'
    )
    assert (
        "events.jsonl:2: request.accepted: expected the member executing"
        in cli("publish", "-f", "events.jsonl", code=2).stderr
    )
    assert cli.json("status")["requests"] == []


def test_refusals_in_a_file_are_counted_and_end_in_one(place: Path, cli: Cli) -> None:
    line = {"subject": "request/1", "type": "request.accepted", "data": {"executing": "RU-OMS"}}
    (place / "events.jsonl").write_text("\n".join(json.dumps({**line, "expectedseq": n}) for n in (0, 7)))
    refused = cli("publish", "-f", "events.jsonl", code=1)
    assert "1 sealed, 0 there already, 1 refused" in refused.stdout
    assert "sequence-conflict" in refused.stderr


def test_an_import_is_repeated_without_harm(place: Path, cli: Cli) -> None:
    first = cli.json("import", "xes", str(LOG))
    again = cli.json("import", "xes", str(LOG))
    assert first["admitted"] == first["submitted"] == again["duplicate"] > 0
    assert again["admitted"] == 0
    assert len(cli.json("status")["requests"]) == first["cases"]
    assert "there already" in cli("import", "xes", str(LOG)).stdout


def test_status_lists_filters_counts_and_goes_on(place: Path, cli: Cli) -> None:
    for number in range(4):
        _publish(cli, f"2025-{number}")
    page = cli.json("status", "--limit", "3")
    assert [row["request"] for row in page["requests"]] == ["request/2025-0", "request/2025-1", "request/2025-2"]
    rest = cli.json("status", "--limit", "3", "--after", page["after"])
    assert [row["request"] for row in rest["requests"]] == ["request/2025-3"]
    assert cli.json("status", "--count", "state")["counts"] == {"accepted": 4}
    assert cli.json("status", "--state", "closed")["requests"] == []
    assert "2025-3" in cli("status", "--order", "ball_since", "--descending").stdout


def test_one_request_is_told_with_its_evidence(place: Path, cli: Cli) -> None:
    _publish(cli, "2025-1")
    told = cli("status", "request/2025-1").stdout
    shown = cli.json("status", "2025-1")
    for part in ("accepted since", "RU-OMS", "no_opening", shown["leaf"][:12]):
        assert part in told
    assert shown["history"][0]["leaf"] == shown["leaf"]
    assert "no record speaks of" in cli("status", "2025-9", code=1).stderr


def test_rows_that_are_not_the_ledgers_are_found_out(place: Path, cli: Cli) -> None:
    _publish(cli, "2025-1")
    cli("status")
    with sqlite3.connect(place / "rogatory-data/store.sqlite") as db:
        db.execute("UPDATE cases SET leaf = zeroblob(32) WHERE subject = 'request/2025-1'")
    assert "expected leaf" in cli("status", "2025-1", code=4).stderr


def test_outcomes_are_told_once_with_what_to_do(place: Path, cli: Cli) -> None:
    _publish(cli, "1")
    cli("publish", "request/1", "request.accepted", "--data", ACCEPTED, "--expectedseq", "5", code=1)
    told = cli("outcomes").stdout
    assert "sequence-conflict (1): Another record came first" in told
    assert cli.json("outcomes", "--reason", "duplicate")["outcomes"] == []
    (one,) = cli.json("outcomes", "--subject", "request/1")["outcomes"]
    assert (one["reason"], one["expected"]) == ("sequence-conflict", "1, the subject's head")
    assert "No submission" in cli("outcomes", "--subject", "request/2").stdout


def test_a_record_that_was_changed_is_named_and_ends_in_one(place: Path, cli: Cli) -> None:
    _publish(cli, "1")
    with sqlite3.connect(place / "assistance/ledger.sqlite") as db:
        changed = "CAST(replace(CAST(value AS TEXT), 'Asia/Omsk', 'Asia/Tomsk') AS BLOB)"
        for table in ("p0", "p1"):
            db.execute(f"UPDATE {table} SET value = {changed} WHERE position = 1")
    report = cli.json("check", code=1)
    assert not report["sound"]
    assert [part["fault_position"] for part in report["partitions"]] == [1, 1]
    assert re.search(r"FAULT in partition 1 at position 1: .", cli("check", "--partition", "1", code=1).stdout)


def test_a_rebuild_that_differs_is_not_switched(place: Path, cli: Cli) -> None:
    _publish(cli, "2025-1")
    cli("status")
    with sqlite3.connect(place / "rogatory-data/store.sqlite") as db:
        db.execute("UPDATE cases SET digest = zeroblob(32) WHERE subject = 'request/2025-1'")
    before = cli.json("digest")
    told = cli("rebuild", code=1).stdout
    assert "DIFFERS" in told
    assert "Not switched" in told
    assert cli.json("digest") == before


def test_a_rebuild_into_a_fresh_store_gives_the_same(place: Path, cli: Cli) -> None:
    _publish(cli, "2025-1")
    cli("status")
    rebuilt = cli.json("rebuild", "--into", "sqlite:///other.sqlite")
    assert rebuilt["same"]
    assert cli.json("digest", "--store", "sqlite:///other.sqlite")["partitions"] == cli.json("digest")["partitions"]
    assert "fresh store" in cli("rebuild", "--into", "sqlite:///other.sqlite", code=2).stderr


def test_a_rebuild_goes_on_where_another_was_interrupted(place: Path, cli: Cli) -> None:
    _publish(cli, "2025-1")
    cli("status")
    with sqlite3.connect(place / "rogatory-data/store.sqlite") as db:
        db.execute("UPDATE cases SET digest = zeroblob(32) WHERE subject = 'request/2025-1'")
    cli("rebuild", code=1)
    assert "Going on with generation" in cli("rebuild", code=1).stderr
    assert "Going on" not in cli("rebuild", "--anew", code=1).stderr


@pytest.mark.parametrize("args", [[], ["request.signed"], ["rogatory.key.granted.v1"]])
def test_the_catalogue_is_shown(cli: Cli, args: list[str]) -> None:
    assert cli("catalogue", *args).stdout
    assert cli.json("catalogue", *args)
