"""``python -m tests.simulation``: a campaign of seeds, or one seed told step by step.

::

    python -m tests.simulation --seed 91 --trace        # what happened in one seed, line by line
    python -m tests.simulation --seeds 0:10000 --jobs 2 # a campaign; ends with 1 if a seed fails
    python -m tests.simulation --seeds 0:200 --mutant "herald that trusts its own cursor"
"""

# ruff: noqa: T201 - a command that tells people how it goes

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing import get_context

from tests.simulation.mutants import MUTANTS
from tests.simulation.parts import Parts
from tests.simulation.running import Report, simulate

_EVERY = 5.0  # seconds between two lines of progress


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; 0 if every seed holds, 1 if one does not, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Deterministic simulation.")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--seed", type=int, metavar="N", help="one seed")
    asked.add_argument("--seeds", type=_range, metavar="FROM:TO", help="the seeds FROM up to, not including, TO")
    parser.add_argument("--trace", action="store_true", help="tell what happened in the seed, line by line")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share the seeds (default: 1)")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="a fault built into one of the parts")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        return _one(given.seed, given.mutant, told=given.trace, as_json=given.json)
    return _campaign(given.seeds, given.mutant, given.jobs, as_json=given.json)


def replaying(seed: int, mutant: str | None = None) -> str:
    """The command that tells a seed again."""
    more = f' --mutant "{mutant}"' if mutant else ""
    return f"python -m tests.simulation --seed {seed} --trace{more}"


def _range(text: str) -> range:
    first, colon, end = text.partition(":")
    if not (colon and first.isdigit() and end.isdigit() and int(first) < int(end)):
        raise argparse.ArgumentTypeError(f"expected FROM:TO with FROM below TO, such as 0:10000, found {text!r}")
    return range(int(first), int(end))


def _parts(mutant: str | None) -> Parts:
    return MUTANTS[mutant] if mutant else Parts()


def _one(seed: int, mutant: str | None, *, told: bool, as_json: bool) -> int:
    report = simulate(seed, parts=_parts(mutant), told=told)
    if as_json:
        said = {"seed": seed, "digest": report.digest, "seconds": report.seconds, "met": report.met}
        print(json.dumps({**said, "error": None if report.error is None else str(report.error)}))
        return int(report.error is not None)
    for line in report.lines or ():
        print(line)
    print(f"seed {seed}: {report.seconds:.1f} s of virtual time, trace {report.digest}")
    print(f"met: {_counted(Counter(report.met))}")
    if report.error is not None:
        traceback.print_exception(report.error, file=sys.stderr)
        print(f"seed {seed} does not hold: {report.error}")
        return 1
    return 0


def _campaign(seeds: range, mutant: str | None, jobs: int, *, as_json: bool) -> int:
    begun = told = time.monotonic()
    met: Counter[str] = Counter()
    done = upgrades = 0
    failed: dict[int, str] = {}
    for report in _reports(seeds, mutant, jobs):
        done += 1
        upgrades += report.stopped > 0
        met.update(report.met)
        if report.error is not None:
            failed[report.seed] = str(report.error)
            print(f"seed {report.seed} does not hold: {report.error}\n  again: {replaying(report.seed, mutant)}")
        if time.monotonic() - told > _EVERY:
            told = time.monotonic()
            rate = done / (told - begun)
            left = (len(seeds) - done) / rate
            print(f"{done} of {len(seeds)} seeds, {rate:.1f} a second, {left:.0f} s to go", file=sys.stderr, flush=True)
    seconds = time.monotonic() - begun
    if as_json:
        said = {"seeds": done, "failed": failed, "seconds": round(seconds, 1), "met": dict(met), "upgrades": upgrades}
        print(json.dumps(said))
    else:
        print(f"{done} seeds in {seconds:.0f} s, {len(failed)} do not hold; an old release stopped in {upgrades}")
        print(f"met: {_counted(met)}")
    return int(bool(failed))


def _reports(seeds: range, mutant: str | None, jobs: int) -> Iterator[Report]:
    work: Iterable[tuple[int, str | None]] = ((seed, mutant) for seed in seeds)
    if jobs == 1:
        yield from map(_report, work)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(_report, work, chunksize=10)


def _report(asked: tuple[int, str | None]) -> Report:
    seed, mutant = asked
    return simulate(seed, parts=_parts(mutant))


def _counted(met: Counter[str]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in met.most_common()) or "nothing"


if __name__ == "__main__":
    raise SystemExit(main())
