"""Forks, from the first message to the way out: each partition, each order, with keys here or on other machines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ledger.log import header
from ledger.partition import partition_of
from ledger.seal import read_seal
from ledger.submission import SEAL_HEADER
from tests.e2e.cli import Cli
from tests.e2e.forging import forge, next_record, records

LOG = Path("assistance")
STEP = '{"step": "draft created"}'


def subject_in(partition: int) -> str:
    return next(s for s in (f"request/2025-{n:06}" for n in range(100)) if partition_of(s, 2) == partition)


def step(cli: Cli, subject: str, id_: str, code: int = 0) -> Any:
    said = ("publish", subject, "step.taken", "--data", STEP, "--id", id_, "--time", "2025-03-03T10:00:00Z")
    return cli(*said, code=code)


def index_of(stored: Any) -> int:
    return read_seal(header(stored.headers, SEAL_HEADER) or b"").index


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("partition", [0, 1])
def test_a_forged_second_record_is_passed_once_the_authorities_settled_for_the_first(cli: Cli, partition: int) -> None:
    step(cli, subject_in(partition), "e-1")
    last = records(LOG, partition)[-1]
    forge(LOG, partition, last, admitted=9_000_000_000_000)
    place = f"{partition}/{index_of(last)}"
    assert "the authorities must settle" in cli("check", code=1).stdout
    (fork,) = cli.json("fork", "list", code=1)
    assert [fork["partition"], fork["index"], fork["settled"]] == [partition, index_of(last), None]
    first, second = (rival["leaf"] for rival in fork["rivals"])
    assert "does not stop here" in cli("fork", "show", place).stdout
    cli("fork", "settle", place, "ab" * 32, code=2)
    cli("fork", "settle", place, first, "--why", "a test")
    assert cli.json("fork", "list")[0]["settled"] == first
    (of,) = [p for p in cli.json("check")["partitions"] if p["partition"] == partition]
    assert of["overruled"] == 1
    assert cli.json("status", subject_in(partition))
    assert "settled for" in cli("fork", "settle", place, second, code=2).output
    step(cli, subject_in(partition), "e-2")
    cli("check")


@pytest.mark.parametrize("partition", [0, 1])
@pytest.mark.parametrize("projected", [True, False])
def test_a_forged_record_that_came_first_gives_way_to_the_one_that_admission_derives(
    place: Path, cli: Cli, partition: int, projected: bool
) -> None:
    subject = subject_in(partition)
    step(cli, subject, "e-1")
    coming = next_record(place, partition, lambda: step(cli, subject, "e-2"))
    os.chdir(place)
    forge(LOG, partition, coming, admitted=index_of(coming) + 9_000_000_000_000)
    if projected:
        cli("run", "project", "--until-idle")
    stopped = step(cli, subject, "e-2", code=4).output
    where = f"{partition}/{index_of(coming)}"
    assert f"rogatory fork settle {where}" in stopped
    shown = cli.json("fork", "show", where)
    (forged,) = shown["rivals"] or records_at(partition, coming)
    genuine = shown["derived"]
    assert genuine
    assert genuine != forged["leaf"]
    # What goes on without the forked partition goes on.
    step(cli, subject_in(1 - partition), "e-3", code=4)
    cli("fork", "settle", where, genuine)
    step(cli, subject, "e-4")
    (of,) = [p for p in cli.json("check")["partitions"] if p["partition"] == partition]
    assert of["overruled"] == 1
    if projected:
        assert "rogatory rebuild" in cli("run", "project", "--until-idle", code=4).output
        assert "made anew and not compared" in cli("rebuild").output
    cli("run", "project", "--until-idle")
    assert cli.json("fork", "list")[0]["settled"] == genuine
    before = cli.json("digest")["partitions"]
    assert "the same as before" in cli("rebuild").stdout
    assert cli.json("digest")["partitions"] == before


def records_at(partition: int, coming: Any) -> list[dict[str, str]]:
    return [{"leaf": ""} for r in records(LOG, partition) if index_of(r) == index_of(coming)]


def test_a_statement_is_signed_on_several_machines_and_accepted_where_partition_0_stands_still(
    place: Path, cli: Cli
) -> None:
    subject = subject_in(0)
    step(cli, subject, "e-1")
    coming = next_record(place, 0, lambda: step(cli, subject, "e-2"))
    os.chdir(place)
    forge(LOG, 0, coming, admitted=9_000_000_000_000)
    step(cli, subject, "e-2", code=4)
    where = f"0/{index_of(coming)}"
    genuine = cli.json("fork", "show", where)["derived"]
    away = place.parent / "away"
    away.mkdir()
    kids = cli.json("ledger", "show")["authorities"]
    keys = [next(Path("rogatory-data/keys").glob(f"*{kid.partition('#')[2]}*")) for kid in kids]
    for key in keys:
        key.rename(away / key.name)
    assert "authority keys" in cli("fork", "settle", where, genuine, code=2).output
    dry = cli("fork", "settle", where, genuine, "--dry-run").stdout
    assert "2 more needed" in dry
    cli("fork", "settle", where, genuine, "--out", "statement.json")
    cli("authority", "sign", "statement.json", "--key", f"file:{away / keys[0].name}")
    assert "found" in cli("fork", "accept", "statement.json", code=2).output, "one signature is not the threshold"
    assert "1 more needed" in cli("authority", "show", "statement.json").stdout
    cli("authority", "publish", "statement.json", code=2)
    cli("authority", "sign", "statement.json", "--key", f"file:{away / keys[1].name}")
    cli("fork", "accept", "statement.json")
    cli("run", "registrar", "--until-idle")
    cli("authority", "publish", "statement.json", "--wait-all")
    # From here the log carries the statement, and nobody needs the file any more.
    for path in Path("rogatory-data/statements").iterdir():
        path.unlink()
    cli("check")
    assert cli.json("fork", "list")[0]["settled"] == genuine
    for path in Path("rogatory-data/registrar/assistance").iterdir():
        path.unlink()
    step(cli, subject, "e-5")
    cli("check")
