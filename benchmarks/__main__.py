"""Runs all measurements, writes ``benchmarks/results.json`` and prints the table.

``python -m benchmarks [--events N] [--large N]``: the size of the timed ledger, and of the one that shows
whether memory stays flat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra.adapters import broker

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
    command = [sys.executable, "-m", "benchmarks.measure", name, *(str(a) for a in args)]
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


def replay_figures(where: str, args: tuple[object, ...]) -> list[Result]:
    """Figure 2: replay with chain, tree and commit against a loop that only consumes and folds, in turns."""
    pairs = [(measure("replay", *args), measure("raw", *args)) for _ in range(_PAIRS)]
    ratio = statistics.median(ours["rate"] / raw["rate"] for ours, raw in pairs)
    value = statistics.median(ours["rate"] for ours, _ in pairs)
    raw_rate = statistics.median(raw["rate"] for _, raw in pairs)
    against = f"consume and fold in memory: {raw_rate:,.0f}/s"
    name = f"replay from {where} into SQLite"
    return [Result(name, value, "records/s", pairs[0][0]["n"], against, ratio, ">= 0.4", ratio >= 0.4)]


def memory_figure(name: str, small: dict[str, Any], large: dict[str, Any]) -> Result:
    """Figure 3: peak memory at ten times the events."""
    growth = large["peak"] / small["peak"]
    against = f"{small['peak']:.0f} MB at {small['n']:,} events"
    met = large["peak"] < 300 and growth < 1.25
    return Result(name, large["peak"], "MB", large["n"], against, growth, "< 300 MB, ratio < 1.25", met)


def run(events: int, large: int) -> list[Result]:
    """All figures."""
    results: list[Result] = []
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="rogatory-bench-") as there, Progress(console=console) as progress:
        task = progress.add_task("measuring", total=7)

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
        done(replay_figures("the folder", (small,)))
        pair = measure("registrar_memory", small), measure("registrar_memory", big)
        done([memory_figure("peak memory of the registrar", *pair)])
        done([memory_figure("peak memory of replay from the folder", measure("replay", small), measure("replay", big))])
        running = broker.start(Path(there) / "broker", say=console.print)
        try:
            for folder in (small, big):
                measure("upload", folder, running.bootstrap, folder.name)
            kafka = [(folder, running.bootstrap, folder.name) for folder in (small, big)]
            done(replay_figures("Kafka", kafka[0]))
            pair = measure("replay", *kafka[0]), measure("replay", *kafka[1])
            done([memory_figure("peak memory of replay from Kafka", *pair)])
        finally:
            broker.stop(Path(there) / "broker")
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
            f"{r.value:,.1f} {r.unit}" if r.unit == "µs" else f"{r.value:,.0f} {r.unit}",
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
    given = parser.parse_args()
    results = run(given.events, given.large)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    show(results)


if __name__ == "__main__":
    main()
