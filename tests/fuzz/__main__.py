"""``python -m tests.fuzz``: fuzz one parser, or all of them, for some time each.

::

    python -m tests.fuzz event --seconds 600
    python -m tests.fuzz --all --seconds 600     # ends with 1 if something was found
    python -m tests.fuzz --list

What is found is kept in ``tests/fuzz/findings/<target>/``, where every test runs it again.
"""
# ruff: noqa: T201 - a command that tells people how it goes

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import msgspec

from tests.fuzz.mutator import inputs
from tests.fuzz.running import keep, run
from tests.fuzz.targets import TARGETS, Target, corpus_of

ROOT = Path(__file__).parents[2]


class Result(msgspec.Struct, frozen=True):
    """How the fuzzing of a target went; ``kept`` are the files of what was found."""

    target: str
    runs: int
    seconds: float
    kept: list[str]


def main(arguments: list[str] | None = None) -> int:
    """Fuzz what is asked for; 0 if nothing was found, 1 if something was, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("target", nargs="?", choices=sorted(TARGETS), help="the parser")
    parser.add_argument("--all", action="store_true", help="all of them, one after the other")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target (default: 60)")
    parser.add_argument("--dice", action="store_true", help="by dice alone, as where there is no atheris")
    parser.add_argument("--json", action="store_true", help="the results as JSON, one a line")
    given = parser.parse_args(arguments)
    if given.list:
        print("\n".join(sorted(TARGETS)))
        return 0
    if bool(given.target) == given.all:
        parser.error("expected one target or --all")
    guided = not given.dice and importlib.util.find_spec("atheris") is not None
    found = False
    for name in sorted(TARGETS) if given.all else [given.target]:
        result = (by_coverage if guided else by_dice)(TARGETS[name], given.seconds)
        found = found or bool(result.kept)
        if given.json:
            print(msgspec.json.encode(result).decode(), flush=True)
        else:
            what = f"FOUND {', '.join(result.kept)}" if result.kept else "nothing found"
            print(f"{result.target}: {result.runs} inputs in {result.seconds:.0f} s, {what}", flush=True)
    return int(found)


def by_dice(found: Target, seconds: float) -> Result:
    """Inputs from the mutator until the time is over; the first finding ends it."""
    begun = time.monotonic()
    runs = 0
    for raw in inputs(corpus_of(found), f"{found.name} {time.time_ns()}"):
        if time.monotonic() - begun > seconds:
            break
        runs += 1
        try:
            run(found, raw)
        except Exception:  # noqa: BLE001 - whatever a target lets out is a finding
            traceback.print_exc()
            return Result(found.name, runs, time.monotonic() - begun, [str(keep(found, raw))])
    return Result(found.name, runs, time.monotonic() - begun, [])


def by_coverage(found: Target, seconds: int) -> Result:
    """Atheris in a process of its own, which ends at its first finding."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus, artifacts = Path(folder) / "corpus", Path(folder) / "artifacts"
        corpus.mkdir()
        artifacts.mkdir()
        for number, raw in enumerate(corpus_of(found)):
            (corpus / f"{number}").write_bytes(raw)
        command = [sys.executable, "-m", "tests.fuzz.guided", found.name, str(seconds), str(corpus), str(artifacts)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
        kept = [str(keep(found, path.read_bytes())) for path in sorted(artifacts.iterdir())]
    if done.returncode and not kept:
        said = done.stdout[-2000:] + done.stderr[-4000:]
        raise SystemExit(f"{found.name}: the fuzzer ended with {done.returncode}:\n{said}")
    if kept:
        print(done.stdout[-4000:] + done.stderr[-2000:], file=sys.stderr)
    runs = re.search(r"number_of_executed_units:\s*([0-9]+)", done.stderr)
    return Result(found.name, int(runs[1]) if runs else 0, time.monotonic() - begun, kept)


if __name__ == "__main__":
    raise SystemExit(main())
