"""Runs all measurements, writes ``benchmarks/results.json`` and prints the table.

``python -m benchmarks [--events N] [--large N] [--identities N] [--cases N] [--scale S]``: the size of the timed
ledger, of the one that shows whether memory stays flat, of a registrar's state, of the one of real cases that is
judged, and how many times the requests of a simulated year are told.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import live
from benchmarks.latency import latency
from benchmarks.sustained import sustained
from infra.adapters import broker
from tests.postgres_fixture import PostgresServer

RESULTS = Path(__file__).parent / "results.json"
_PAIRS = 3


class Result(msgspec.Struct, frozen=True):
    """One figure. ``ratio`` is value to ``against``; ``met`` is None where no goal is set."""

    name: str
    value: float
    unit: str
    n: int
    against: str
    ratio: float | None
    goal: str
    met: bool | None


def measure(name: str, *args: object) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    return _measured("benchmarks.measure", name, *args)


def _measured(module: str, name: str, *args: object) -> dict[str, Any]:
    command = [sys.executable, "-m", module, name, *(str(a) for a in args)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    return json.loads(done.stdout)


def admission_figures(count: int) -> list[Result]:
    """Figure 1: what admission costs beside the signature."""
    found = measure("admission", count)
    ratio = found["ours"] / found["limit"]
    against = f"PyNaCl verifying the same bytes: {found['limit']:,.0f}/s per core"
    figures = [
        Result("admission, per core", found["ours"], "events/s", found["n"], against, ratio, ">= 0.8", ratio >= 0.8)
    ]
    whole = 1e6 / found["ours"]
    for part, what in (
        ("read", "reading and checking bytes"),
        ("verify", "signatures"),
        ("decide", "deciding, sealing"),
    ):
        share = f"{whole:.1f} µs an event of {found['bytes']:.0f} bytes"
        figures.append(
            Result(f"  of which {what}", found[part], "µs", found["n"], share, found[part] / whole, "", None)
        )
    return figures


def replay_figures(where: str, into: str, args: Sequence[object], urls: Iterator[str]) -> list[Result]:
    """Figure 2: replay with chain, tree and commit against a loop that only consumes and folds, in turns.

    Per core: records to a second of this process's CPU time; it folds in one thread and writes in another.
    """
    pairs = [(measure("replay", *args, *_padding(args), next(urls)), measure("raw", *args)) for _ in range(_PAIRS)]
    ratio = statistics.median(ours["cpu"] / raw["cpu"] for ours, raw in pairs)
    value = statistics.median(ours["cpu"] for ours, _ in pairs)
    elapsed = statistics.median(ours["rate"] for ours, _ in pairs)
    raw_rate = statistics.median(raw["cpu"] for _, raw in pairs)
    against = f"consume and fold in memory: {raw_rate:,.0f}/s per core; {elapsed:,.0f}/s by the clock"
    name = f"replay from {where} into {into}, per core"
    return [Result(name, value, "records/s", pairs[0][0]["n"], against, ratio, ">= 60,000/s", value >= 60_000)]


def _padding(args: Sequence[object]) -> list[str]:
    """For a ledger folder: no broker and no name before the store's URL."""
    return [""] * (3 - len(args))


def memory_figure(name: str, small: dict[str, Any], large: dict[str, Any]) -> Result:
    """Figure 3: peak memory at ten times the events."""
    growth = large["peak"] / small["peak"]
    against = f"{small['peak']:.0f} MB at {small['n']:,} events"
    met = large["peak"] < 300 and growth < 1.25
    return Result(name, large["peak"], "MB", large["n"], against, growth, "< 300 MB, ratio < 1.25", met)


def sustained_figures(bootstrap: str, folder: Path, count: int) -> list[Result]:
    """Figure 4: admission on all cores, from Kafka to Kafka."""
    found = sustained(bootstrap, folder, count)
    against = f"PyNaCl verifying on the same {found['cores']} cores: {found['limit']:,.0f}/s"
    ratio = found["ratio"]
    name = "sustained admission on Kafka, all cores"
    return [Result(name, found["rate"], "events/s", found["n"], against, ratio, ">= 0.8", ratio >= 0.8)]


def latency_figures(bootstrap: str, url: str, folder: Path) -> list[Result]:
    """Figure 5: from publishing until the rows show it, at 1,000 events a second in an open loop."""
    found = latency(bootstrap, url, folder, 1000, 20.0)
    note = f"1,000 events/s; p90 {found['p90']:.0f} ms, longest {found['max']:.0f} ms"
    return [
        Result(
            f"publish to visible, {mark}",
            found[mark],
            "ms",
            found["n"],
            note,
            None,
            f"<= {goal} ms",
            found[mark] <= goal,
        )
        for mark, goal in (("p50", 50), ("p99", 250))
    ]


def live_figures(bootstrap: str, name: str, folder: Path, urls: Iterator[str]) -> list[Result]:
    """Figure 6: the Faust live worker against a bare Faust agent, in turns."""
    ledger = (folder / "id").read_text()
    pairs = [
        (live.measure("live", bootstrap, name, ledger, next(urls)), live.measure("bare", bootstrap, name, ledger))
        for _ in range(_PAIRS)
    ]
    ratio = statistics.median(ours["rate"] / bare["rate"] for ours, bare in pairs)
    value = statistics.median(ours["rate"] for ours, _ in pairs)
    against = f"a bare Faust agent that counts: {statistics.median(bare['rate'] for _, bare in pairs):,.0f}/s"
    return [
        Result(
            "Faust live into PostgreSQL", value, "records/s", pairs[0][0]["n"], against, ratio, ">= 0.5", ratio >= 0.5
        )
    ]


def identity_figures(count: int) -> list[Result]:
    """Figure 7: a registrar's state with very many identities."""
    found = measure("state_identities", count)
    file = f"file {found['file_mb']:,.0f} MB"
    note = f"known ones {found['known_warm_us']:.1f} µs, cold {found['new_cold_us']:.0f} µs; {file}"
    return [
        Result("look-up of a new identity, in batches", found["new_warm_us"], "µs", count, note, None, "", None),
        Result("  memory of the process", found["peak"], "MB", count, "", None, "", None),
    ]


def compliance_figures(into: str, folder: Path, url: str) -> list[Result]:
    """Figure 8: case files and verdicts of the demonstration's requests (``benchmarks/compliance.py``)."""
    found = measure_compliance("judge", folder, *([url] if url else []))
    n, first, again = found["n"], found["first"], found["again"]
    findings = sum(found["standing"].values())
    note = f"{found['requests']:,} requests, {findings:,} findings; {first['rate']:,.0f}/s by the clock"
    goal = found["cpu"] >= 40_000
    results = [
        Result(
            f"replay of real cases into {into}, per core", found["cpu"], "records/s", n, "", None, ">= 40,000/s", goal
        ),
        Result(f"judging in {into}, per core", first["cpu"], "subjects/s", n, note, None, "", None),
        Result(
            f"another rulebook in {into}",
            again["seconds"] * 1000,
            "ms",
            n,
            f"{again['subjects']:,} subjects",
            None,
            "",
            None,
        ),
    ]
    questions = (
        ("one", "one request's verdicts", 10),
        ("page", "the board, 50 rows", 50),
        ("office", "the board of one office", 50),
        ("counts", "the board, counted", 50),
    )
    for name, what, limit in questions:
        took = found[name]
        results.append(
            Result(
                f"  {what}, p99",
                took["p99"],
                "ms",
                n,
                f"p50 {took['p50']:.1f} ms",
                None,
                f"< {limit} ms",
                took["p99"] < limit,
            )
        )
    return results


def measure_compliance(name: str, *args: object) -> dict[str, Any]:
    """One measurement of compliance, in a process of its own."""
    return _measured("benchmarks.compliance", name, *args)


def year_figures(folder: Path, url: str) -> list[Result]:
    """Figure 9: a simulated year in all projections, and the page of a partner (``benchmarks/figures.py``)."""
    one = measure_figures("pure", folder, "0,1,2,3")
    all_ = measure_figures("cores", folder)
    n = one["n"]
    results = [
        Result("all projections by replay, before commits, per core", one["per_core"], "records/s", n,
               f"chain and files {one['fold_per_core']:,.0f}/s; figures {one['count_us']:.0f} µs a subject", None, "",
               None),
        Result("  the same on all cores", all_["rate"], "records/s", n,
               f"{all_['cores']} cores; chain and files {all_['fold_rate']:,.0f}/s", None, ">= 100,000/s",
               all_["rate"] >= 100_000),
    ]  # fmt: skip
    for into, where in (("SQLite", ""), ("PostgreSQL", url)):
        found = measure_figures("ask", folder, *([where] if where else []))
        note = f"replay {found['replayed_cpu']:,.0f}/s; then judged and counted {found['judged_cpu']:,.0f} subjects/s"
        results.append(
            Result(f"the same with verdicts and commits into {into}, per core", found["per_core"], "records/s", n, note,
                   None, "", None)
        )  # fmt: skip
        questions = (
            ("page", f"the page of a partner with {found['requests']:,} requests", 20),
            ("kz", "the page of the partner with the rules", 20),
            ("partners", "the list of all partners", None),
            ("records", "50 records behind a figure", None),
            ("office", "the page of a partner at one office", None),
        )
        for name, what, limit in questions:
            took = found[name]
            goal = "" if limit is None else f"< {limit} ms"
            met = None if limit is None else took["p99"] < limit
            results.append(Result(f"  {what}, p99", took["p99"], "ms", n, f"p50 {took['p50']:.1f} ms", None, goal, met))
    return results


def simulator_figures() -> list[Result]:
    """Figure 10: the simulator against the signatures that it makes, and its memory (``benchmarks/simulator.py``)."""
    years = [_measured("benchmarks.simulator", "year", 1) for _ in range(_PAIRS)]
    ratio = statistics.median(each["ours"] / each["limit"] for each in years)
    value, limit = (statistics.median(each[name] for each in years) for name in ("ours", "limit"))
    against = f"PyNaCl signing the same bytes: {limit:,.0f}/s per core"
    # From about scale 1.1 on acts wait on disk, too: flat must be what comes after.
    small, large = (_measured("benchmarks.simulator", "year", scale) for scale in (3, 10))
    return [
        Result("simulator, one year, per core", value, "events/s", years[0]["n"], against, ratio, ">= 0.5",
               ratio >= 0.5),
        memory_figure("peak memory of the simulator", small, large),
    ]  # fmt: skip


def measure_figures(name: str, *args: object) -> dict[str, Any]:
    """One measurement of figures, in a process of its own."""
    return _measured("benchmarks.figures", name, *args)


def run(events: int, large: int, identities: int, cases: int, scale: float) -> list[Result]:
    """All figures."""
    results: list[Result] = []
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="rogatory-bench-") as there,
        PostgresServer() as postgres,
        Progress(console=console) as progress,
    ):
        task = progress.add_task("measuring", total=17)
        new_databases = (postgres.create(f"bench{n}") for n in itertools.count())
        sqlite = itertools.repeat("")

        def done(found: list[Result]) -> None:
            results.extend(found)
            progress.advance(task)

        done(admission_figures(20_000))
        small, big = Path(there) / "small", Path(there) / "large"
        for folder, count in ((small, events), (big, large)):
            folder.mkdir()
            filled = measure("fill", folder, count)
        note = "the whole registrar: read, look up, admit, append, save"
        done([Result("registrar on a ledger folder", filled["rate"], "events/s", filled["n"], note, None, "", None)])
        done(replay_figures("the folder", "SQLite", (small,), sqlite))
        done(replay_figures("the folder", "PostgreSQL", (small,), new_databases))
        pair = measure("registrar_memory", small), measure("registrar_memory", big)
        done([memory_figure("peak memory of the registrar", *pair)])
        done([memory_figure("peak memory of replay from the folder", measure("replay", small), measure("replay", big))])
        running = broker.start(Path(there) / "broker", say=console.print)
        try:
            for folder in (small, big):
                measure("upload", folder, running.bootstrap, folder.name)
            kafka = [(folder, running.bootstrap, folder.name) for folder in (small, big)]
            done(replay_figures("Kafka", "SQLite", kafka[0], sqlite))
            done(replay_figures("Kafka", "PostgreSQL", kafka[0], new_databases))
            pair = measure("replay", *kafka[0]), measure("replay", *kafka[1])
            done([memory_figure("peak memory of replay from Kafka", *pair)])
            done(live_figures(running.bootstrap, small.name, small, new_databases))
            for folder in (sustaining := Path(there) / "sustained", open_loop := Path(there) / "latency"):
                folder.mkdir()
            done(sustained_figures(running.bootstrap, sustaining, 20_000))
            done(latency_figures(running.bootstrap, next(new_databases), open_loop))
        finally:
            broker.stop(Path(there) / "broker")
        done(identity_figures(identities))
        judged = Path(there) / "cases"
        judged.mkdir()
        measure_compliance("fill", judged, cases)
        done(compliance_figures("SQLite", judged, ""))
        done(compliance_figures("PostgreSQL", judged, next(new_databases)))
        year = Path(there) / "year"
        measure_figures("fill", year, scale)
        done(year_figures(year, next(new_databases)))
        done(simulator_figures())
    return results


def show(results: list[Result]) -> None:
    """The table."""
    table = Table(title="Rogatory, measured on this machine")
    for column in ("figure", "value", "n", "against", "ratio", "goal", "met"):
        table.add_column(column, justify="right" if column in {"value", "n", "ratio"} else "left")
    for r in results:
        met = {True: "yes", False: "NO", None: ""}[r.met]
        ratio = "" if r.ratio is None else f"{r.ratio:.2f}"
        table.add_row(
            r.name,
            f"{r.value:,.1f} {r.unit}" if r.unit in ("µs", "ms") else f"{r.value:,.0f} {r.unit}",
            f"{r.n:,}",
            r.against,
            ratio,
            r.goal,
            met,
        )
    Console(width=160).print(table)


def main() -> None:
    """``make bench``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--identities", type=int, default=10_000_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    results = run(given.events, given.large, given.identities, given.cases, given.scale)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    show(results)


if __name__ == "__main__":
    main()
