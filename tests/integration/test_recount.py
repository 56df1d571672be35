"""A year counted twice: by the projections, and by a script that reads nothing but the exported log.

The year is simulated, admitted and then corrected: amounts, outcomes, partners and forms are replaced, acts and whole
requests disowned, property recorded late and in two requests.  ``examples/recount/recount.py`` imports nothing of this
project.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.simulating import fill, new_folder, prepared
from ledger.catalogue.assets import AssetConfiscated, AssetRestrained, AssetReturned
from ledger.catalogue.base import Data, Money
from ledger.catalogue.requests import RecordCorrected
from ledger.event import time_ms
from ledger.log import OUTCOMES
from producers.builder import Draft, Sender, build, format_time, row_of
from producers.simulator.parameters import Parameters
from producers.simulator.stream import Dated, Year
from projections.figures.catalogue import PARTS
from tests.aio import run
from tests.e2e.cli import Cli, process

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "recount" / "recount.py"
CORRECTED = time_ms("2026-03-01T09:00:00Z")
DECEMBER = time_ms("2025-12-20T09:00:00Z")
EACH = 3
"""How many records are corrected in each way."""

COUNTED = {
    "M1", "M2", "M3", "M4", "M6", "M7", "M8", "M10", "M13", "M16", "M18", "M19", "M20", "M21", "M22", "M31", "M33",
    "M34", "M34.agreed", "M35", "M35.moved",
}  # fmt: skip
"""What the script counts."""

_WAYS: list[tuple[str, dict[str, Any] | None]] = [
    ("request.answered", {"outcome": "not_executed"}),
    ("request.answered", {"final": False}),
    ("request.received", {"partner": "KG"}),
    ("request.received", None),
    ("request.signed", {"forms": {"order": ["o3"], "protocol": ["p3"]}, "kind": "direct_exchange"}),
    ("request.signed", None),
    ("request.sent", {"channel": "diplomatic"}),
    ("request.closed", None),
    ("request.forwarded", {"why": "misrouted"}),
    ("refusal.decided", {"scope": "partial"}),
    ("refusal.decided", None),
    ("person.handedover", None),
    ("person.located", {"via": "other"}),
    ("asset.restrained", {"money": {"amount": "1234567.891", "currency": "EUR"}}),
    ("asset.traced", {"sort": "digital"}),
    ("cost.incurred", {"borne_by": "KZ"}),
    ("measure.performed", {"count": 41}),
    ("document.served", {"documents": 17, "result": "not_found"}),
    ("material.sent", None),
]
"""Which records are corrected, and what replaces what; None: disowned."""


def office_of(dated: Dated) -> str:
    return str(msgspec.json.decode(dated.value)["source"]).removeprefix("office/")


def signed(year: Year, subject: str, office: str, id_: str, data: Data, *, claimed: int, recorded: int) -> Dated:
    """One event more, by the key that the office has at the year's end."""
    draft = Draft(subject=subject, data=data, id=id_, time=format_time(claimed))
    made = build(draft, Sender(year.ledger_id, office, (year._signers[office],), year.vault), recorded)
    return Dated(recorded, row_of(data).name, subject, id_, made.value, made.signatures)


def corrections(said: dict[str, list[Dated]], year: Year) -> Iterator[Dated]:
    """For each way some records of the year, each in a request of its own."""
    used: set[str] = set()
    for name, fields in _WAYS:
        fresh = {dated.subject: dated for dated in said[name] if dated.subject not in used}
        assert len(fresh) >= EACH, f"the year has too few {name} left to correct"
        for dated in list(fresh.values())[:EACH]:
            used.add(dated.subject)
            how: dict[str, Any] = {"how": "disown"} if fields is None else {"how": "replace", "fields": fields}
            data, at = RecordCorrected(target=dated.id, why="wrong", **how), CORRECTED + len(used)
            id_ = f"correction-{len(used)}"
            yield signed(year, dated.subject, office_of(dated), id_, data, claimed=at, recorded=at)


def recorded_late(restrained: list[Dated], year: Year) -> Iterator[Dated]:
    """What happened to property in December and was recorded in March; one asset is spoken of in two requests."""
    others = [*restrained[1:], restrained[0]]
    for number, (dated, other) in enumerate(zip(restrained, others, strict=True)):
        asset = msgspec.json.decode(dated.value)["data"]["asset"]
        said = {"asset": asset, "date": "2025-12-20"}
        again = Money(amount=f"{number + 1}00000.125", currency="EUR")
        acts: list[tuple[Dated, Data]] = [
            (dated, AssetConfiscated(money=Money(amount="100.505", currency="EUR"), **said)),
            (dated, AssetReturned(money=Money(amount="50.25", currency="USD"), to="company", **said)),
            (dated, AssetReturned(money=Money(amount="7", currency="JPY"), to="state", **said)),
            (other, AssetRestrained(money=again, measure="arrest", **said)),
        ]
        for place, (of, data) in enumerate(acts):
            at, id_ = CORRECTED + 1000 + 10 * number + place, f"late-{number}-{place}"
            yield signed(year, of.subject, office_of(of), id_, data, claimed=DECEMBER, recorded=at)


async def told(folder: Path) -> int:
    """A corrected year in a new folder; how many corrections."""
    year = Year(Parameters.default(seed=11, scale=0.05, changed={"requests.asset": 600}), partitions=2)
    said: dict[str, list[Dated]] = {name: [] for name, _ in _WAYS}

    def noted(events: Iterator[Dated]) -> Iterator[Dated]:
        for dated in events:
            if dated.name in said and dated.subject.startswith("request/"):
                said[dated.name].append(dated)
            yield dated

    async with prepared(new_folder(folder), year, folder) as (ledger, sink):
        events = noted(year.stream())
        next(events)
        await fill(ledger.log, year.partitions, events, sink, lambda _: None)
        with ledger.store() as store:  # counted before anything is corrected, so that much has to be taken back
            await ledger.project(store)
        made = list(corrections(said, year))
        more = [*made, *recorded_late(said["asset.restrained"], year)]
        await fill(ledger.log, year.partitions, iter(more), sink, lambda _: None)
        refused = sum([await ledger.log.end(OUTCOMES, partition) for partition in range(year.partitions)])
    assert not refused
    return len(made)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recount") / "year"
    assert run(told(folder)) == EACH * len(_WAYS)
    process("export", "ocel", "--out", "log.json", cwd=folder)
    process("run", "project", "--until-idle", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def recounted(year: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), "log.json", "--year", "2025"],
        cwd=year, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def shown(cli: Cli, partner: str) -> dict[str, Any]:
    """What ``rogatory partners`` says of a year, in the form of the script."""
    found: dict[str, Any] = {}
    for figure in cli.json("partners", partner, "--period", "2025")["figures"]:
        for part in figure["parts"]:
            lines = {_name(line): _value(line) for line in part["lines"]}
            if part["code"] in COUNTED and lines:
                found[part["code"]] = lines
    return found


def _name(line: dict[str, Any]) -> str:
    return f"{line['tag']} {line['currency']}" if "currency" in line else str(line["tag"])


def _value(line: dict[str, Any]) -> Any:
    if "amount" in line:
        return Decimal(line["amount"])
    return [line["number"], line["p50"], line["p90"], line["p99"]] if "p50" in line else line["number"]


def told_by_script(figures: dict[str, Any]) -> dict[str, Any]:
    """The same, with amounts as decimals."""
    money = {code for code, part in PARTS.items() if part.how in ("money", "balance")}
    return {
        code: {line: Decimal(value) for line, value in lines.items()} if code in money else lines
        for code, lines in figures.items()
    }


@pytest.fixture
def cli(year: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in [name for name in os.environ if name.startswith("ROGATORY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(year)
    return Cli()


def test_the_script_needs_nothing_of_this_project() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported <= {*sys.stdlib_module_names}


def test_every_figure_of_every_partner_is_what_the_script_counts(cli: Cli, recounted: dict[str, Any]) -> None:
    listed = {row["partner"] for row in cli.json("partners", "--period", "all")["partners"]}
    assert listed == {*recounted} - {"all"}
    for partner, figures in recounted.items():
        assert shown(cli, partner) == told_by_script(figures), partner


def test_the_script_counts_every_figure_that_it_names(recounted: dict[str, Any]) -> None:
    assert {*recounted["all"]} == COUNTED, "a figure that is empty here is compared with nothing"


def test_the_year_is_not_the_same_without_its_corrections(
    year: Path, recounted: dict[str, Any], tmp_path: Path
) -> None:
    """Each way of correcting moves a figure: else this would hold nothing."""
    log = json.loads((year / "log.json").read_text(encoding="utf-8"))
    names = Counter(event["type"] for event in log["events"])
    assert names["record.corrected"] == EACH * len(_WAYS)
    log["events"] = [event for event in log["events"] if event["type"] != "record.corrected"]
    (tmp_path / "log.json").write_text(json.dumps(log), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), "log.json", "--year", "2025"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    before = json.loads(done.stdout)["all"]
    changed = {code for code in COUNTED if before.get(code) != recounted["all"].get(code)}
    assert changed >= COUNTED - {"M3", "M19", "M20", "M33", "M34.agreed"}, "these no correction here speaks of"
