"""``rogatory export``: the ledger as event logs that tools for process mining read."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import Common, command
from infra.cli.render import note, plural, progress, show_json
from infra.exporting.run import XES_SORTS, Exported, export_ocel, export_xes
from infra.wiring import Ledger, open_ledger
from ledger import ids
from ledger.errors import ConfigError
from ledger.log import LEDGER
from ledger.vault import Vault

app = typer.Typer(no_args_is_help=True, help="The ledger as event logs for process mining: XES and OCEL.")

_Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; default: standard output")]
_Reveal = Annotated[
    bool,
    typer.Option("--reveal", help="Open what is sealed, as far as the vault here has the keys; keep the file safe"),
]


@app.command()
@command(reads=True)
async def xes(
    common: Common,
    out: _Out = None,
    sort: Annotated[
        list[str] | None, typer.Option(metavar="SORT", help="Subjects that become cases; default: request")
    ] = None,
    reveal: _Reveal = False,
) -> None:
    """Export cases and their events as XES (IEEE 1849); gzip if the file ends in .gz.

    The ledger is read once into a temporary file, its chain checked on the way. What is sealed stays so without
    --reveal.
    """
    sorts = frozenset(sort) if sort else XES_SORTS
    if unknown := sorts - ids.SORTS.keys():
        raise ConfigError(f"expected --sort to be one of {', '.join(ids.SORTS)}, found {min(unknown)[:40]!r}")
    _check(common, out)
    async with open_ledger(common.settings(), note) as ledger:
        total = await _total(ledger)
        with ExitStack() as stack:
            find = _vault(ledger, stack).find if reveal else None
            told = (stack.enter_context(progress("Reading", total)), stack.enter_context(progress("Writing", total)))
            done = await export_xes(ledger, out, sorts, find, told)
    _told(common, out, done)


@app.command()
@command(reads=True)
async def ocel(common: Common, out: _Out = None, reveal: _Reveal = False) -> None:
    """Export events with their objects as OCEL 2.0: JSON, or SQLite if the file ends in .sqlite.

    All subjects are in it, the register once. What is sealed stays so without --reveal.
    """
    _check(common, out)
    async with open_ledger(common.settings(), note) as ledger:
        total = await _total(ledger)
        with ExitStack() as stack:
            find = _vault(ledger, stack).find if reveal else None
            told = (stack.enter_context(progress("Reading", total)), stack.enter_context(progress("Writing", total)))
            done = await export_ocel(ledger, out, find, told)
    _told(common, out, done)


def _check(common: Common, out: Path | None) -> None:
    """Said before anything is read: a long export must not end in an error that was plain before it."""
    if common.json and out is None:
        raise ConfigError("expected --out FILE beside --json, since standard output has room for one of them")
    if out is not None and not out.absolute().parent.is_dir():
        raise ConfigError(f"expected a folder at {out.absolute().parent} to write to, found none")
    if out is not None and out.is_dir():
        raise ConfigError(f"expected --out to name a file, found the folder {out}")


async def _total(ledger: Ledger) -> int:
    return sum([await ledger.log.end(LEDGER, p) for p in range(ledger.partitions)])


def _vault(ledger: Ledger, stack: ExitStack) -> Vault:
    return stack.enter_context(ledger.vault())


def _told(common: Common, out: Path | None, done: Exported) -> None:
    what = plural(done.events, "event") + (
        f" of {plural(done.cases, 'case')}" if done.cases is not None else f", {plural(done.objects or 0, 'object')}"
    )
    if common.json:
        sizes = [{"partition": p, "size": size, "root": root} for p, (size, root) in done.sizes.items()]
        show_json({"file": str(out), "events": done.events, "cases": done.cases, "objects": done.objects,
                   "partitions": sizes})  # fmt: skip
    else:
        # On stderr: standard output may be the log itself.
        note(f"{what}, from {plural(sum(s for s, _ in done.sizes.values()), 'record')}, each found to follow.")
