"""``rogatory simulate``: one synthetic year, signed, with the truth about what is planted in it beside the stream."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from infra.cli.options import Common, command
from infra.cli.render import note, plural, progress, say, show_json, table
from infra.cli.submit import work_off
from infra.signing import choose
from infra.simulating import fill, new_folder, prepared, write_lines
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError, KeyFault
from producers.simulator.parameters import KNOBS, Parameters, parse_sets
from producers.simulator.stream import Into, Year
from producers.simulator.truth import Truth, line

_WORTHLESS = (
    "All of this is invented. Every private key follows from the seed: whoever knows it can sign as any of these "
    "offices. Never use such a ledger for anything real."
)


@command(reads=True, signs=True)
async def simulate(
    common: Common,
    year: Annotated[int, typer.Option(help="Which year is told")] = 2025,
    seed: Annotated[int, typer.Option(help="Another one tells another year")] = 7,
    scale: Annotated[float, typer.Option(help="Of the number of requests; 1 is about 10,000")] = 1.0,
    clean: Annotated[bool, typer.Option("--clean", help="Plant no breach at all")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="Change a knob; may be repeated")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A new folder for the ledger  [default: simulated]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="No ledger: the signed events, one DSSE envelope a line")
    ] = None,
    to: Annotated[
        bool, typer.Option("--to", help="Say it in the configured ledger, now, with keys that a key here enrols")
    ] = False,
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is planted, as JSON lines  [default: beside the stream]")
    ] = None,
    partitions: Annotated[int, typer.Option(min=1, max=64, help="Of the new ledger")] = 4,
    knobs: Annotated[bool, typer.Option("--knobs", help="List the knobs, their defaults and grounds")] = False,
) -> None:
    """Tell one year of an office as a signed stream, the same for the same seed, with breaches planted and noted."""
    if knobs:
        _show_knobs(common)
        return
    parameters = Parameters.default(year=year, seed=seed, scale=scale, clean=clean, changed=parse_sets(set_ or []))
    if sum((into is not None, out is not None, to)) > 1:
        raise ConfigError("expected one of --into, --out and --to, found several")
    note(_WORTHLESS)
    folder = into or Path("simulated")
    beside = truth or (Path(f"{out}.truth.jsonl") if out else Path("simulated.truth.jsonl") if to else None)
    begun = time.monotonic()
    if out is not None:
        with _planted(beside or out) as planted, _new(out) as file:
            told = Year(parameters, partitions=partitions, tell=planted)
            with progress("Signed", None) as tell:
                write_lines(told.stream(), file, tell)
        where = str(out)
    elif to:
        with _planted(beside or Path()) as planted:
            told = await _live(common, parameters, planted)
        where = common.settings().ledger
    else:
        config = new_folder(folder)
        beside = beside or folder / "truth.jsonl"
        with _planted(beside) as planted:
            told = Year(parameters, partitions=partitions, tell=planted)
            async with prepared(config, told, folder) as (ledger, sink):
                with progress("Admitted", None) as tell:
                    events = told.stream()
                    next(events)  # genesis is there
                    await fill(ledger.log, told.partitions, events, sink, tell)
        where = str(folder)
    _show(common, told, planted.counts, where, beside, time.monotonic() - begun)


class _Planted:
    """Writes what is planted, and counts it."""

    def __init__(self, file: BinaryIO) -> None:
        self.counts: Counter[str] = Counter()
        self._file = file

    def __call__(self, truth: Truth) -> None:
        self.counts[truth.sort] += 1
        self._file.write(line(truth))


@contextmanager
def _planted(path: Path) -> Iterator[_Planted]:
    with _new(path) as file:
        yield _Planted(file)


def _new(path: Path) -> BinaryIO:
    """A new file. Raises ConfigError if there is one: nothing is overwritten."""
    try:
        return path.open("xb")
    except FileExistsError:
        raise ConfigError(f"expected a name of a new file, found {path}, which exists") from None
    except OSError as error:
        raise ConfigError(f"expected to write {path}, found {error.strerror}") from None


class _Elsewhere:
    """Waits until the ledger's own registrars have worked everything off, or does it here where nobody serves it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def work_off(self) -> None:
        """As ``Sink``."""
        if not await work_off(self._ledger, must=True):
            raise KeyFault("expected to admit what was submitted here, found that this process cannot")


async def _live(common: Common, parameters: Parameters, planted: Callable[[Truth], None]) -> Year:
    async with open_ledger(common.settings(), note) as ledger:
        if not ledger.embedded or ledger.is_served():
            raise ConfigError(
                "expected a file: ledger that no registrar serves just now, since keys are rotated in step with what "
                f"is admitted; found {ledger.config.ledger}. Use --out FILE and submit its lines yourself"
            )
        hand = choose(ledger.config, await ledger.register(), "key.granted")
        into = Into(ledger.ledger_id, hand.office, hand.signers[0])
        year = Year(parameters, partitions=ledger.partitions, tell=planted, into=into)
        with progress("Admitted", None) as tell:
            await fill(ledger.log, ledger.partitions, year.stream(), _Elsewhere(ledger), tell)
    return year


def _show(common: Common, year: Year, planted: Counter[str], where: str, truth: Path | None, seconds: float) -> None:
    events = year.counts.total()
    if common.json:
        document: dict[str, Any] = {
            "ledger_id": year.ledger_id, "where": where, "truth": str(truth), "year": year.parameters.year,
            "seed": year.parameters.seed, "scale": year.parameters.scale, "requests": year.plan.total,
            "events": events, "seconds": round(seconds, 3), "per_second": round(events / seconds),
            "by_type": dict(year.counts.most_common()), "planted": dict(planted),
        }  # fmt: skip
        show_json(document)
        return
    table("Events by type", ("type", "events"), year.counts.most_common(), right=("events",))
    say(
        f"{plural(events, 'event')} of {plural(year.plan.total, 'request')} of {year.parameters.year} (seed "
        f"{year.parameters.seed}) in {seconds:.1f} s, {events / seconds:.0f}/s: {where}"
    )
    sorts = ("breach", "near_miss", "undetermined")
    say(f"Planted: {', '.join(f'{planted[sort]} {sort}' for sort in sorts)}; each is noted in {truth}")


def _show_knobs(common: Common) -> None:
    if common.json:
        show_json({name: {"default": knob.default, "ground": knob.ground} for name, knob in KNOBS.items()})
        return
    rows = [(name, f"{knob.default:g}", knob.ground) for name, knob in KNOBS.items()]
    table("Knobs", ("name", "default", "ground"), rows, right=("default",))
