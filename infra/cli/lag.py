"""``rogatory lag``: how far registrars, register and projections are behind, and who is at work."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import msgspec
import typer

from infra.cli.options import NO, Common, command
from infra.cli.render import note, out, plural, say, show_json, table, when
from infra.lag import Lag, Meter, PartitionLag
from infra.wiring import open_ledger

_COLUMNS = ["p", "submitted", "decided", "waiting", "oldest", "records", "register", "projections", "holder", "standby"]
_NUMBERS = ["p", "submitted", "decided", "waiting", "oldest", "records", "register"]


@command(reads=True)
async def lag(
    common: Common,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until interrupted")] = False,
    interval: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="With --watch: between two looks")] = 2.0,
    fail_above: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="End with 1 if anything is more than N behind, or stands still"),
    ] = None,
) -> None:
    """How far each partition is behind: submissions that wait, register events, projections; and who holds it."""
    async with open_ledger(common.settings(), note) as ledger:
        meter = Meter(ledger)
        try:
            while True:
                found = await meter.measure()
                if watch and common.json:
                    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
                    sys.stdout.flush()
                elif common.json:
                    show_json(found)
                else:
                    if watch and sys.stdout.isatty():
                        out().clear()
                    _show(found)
                if not watch:
                    break
                await asyncio.sleep(interval)
        finally:
            await meter.close()
    if fail_above is not None and any(p.worst > fail_above or _faults(p) for p in found.partitions):
        raise typer.Exit(NO)


def _show(found: Lag) -> None:
    table(f"{found.ledger_id}, {when(found.at)}", _COLUMNS, [_row(p) for p in found.partitions], right=_NUMBERS)
    for partition in found.partitions:
        for fault in _faults(partition):
            say(f"Partition {partition.partition} stands still: {fault}")
    if any(p.waiting and p.holder is None for p in found.partitions):
        say("Nobody admits where submissions wait and no holder is known: `rogatory run registrar`.")
    if found.judgement_waiting:
        say(f"{plural(found.judgement_waiting, 'subject')} to be judged.")
    for remark in found.notes:
        note(remark)


def _row(p: PartitionLag) -> list[object]:
    return [
        p.partition, p.submissions, p.decided, p.waiting, _age(p.oldest_age), p.records,
        f"-{p.register_missing}" if p.register_missing else 0,
        ", ".join(f"{name} -{b.behind}" if b.behind else f"{name} 0" for name, b in p.projections.items()) or None,
        "stopped: " + p.holder if p.stopped and p.holder else p.holder,
        ", ".join(f"{who} at {at}" for who, at in p.standbys.items()) or None,
    ]  # fmt: skip


def _faults(p: PartitionLag) -> list[str]:
    stopped = [p.stopped] if p.stopped else []
    return stopped + [f"{name}: {b.poison}" for name, b in p.projections.items() if b.poison]


def _age(seconds: float | None) -> str | None:
    """An age in the largest unit that fits."""
    if seconds is None:
        return None
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
