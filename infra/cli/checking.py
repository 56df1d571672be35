"""``rogatory check``: read the ledger from its start and check everything that it alone can show."""

from __future__ import annotations

from typing import Annotated

import typer

from consumers.audit import PartitionReport, audit
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, progress, say, short, show_json, table
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from ledger.log import LEDGER


@command(reads=True)
async def check(
    common: Common,
    partition: Annotated[list[int] | None, typer.Option(metavar="N", help="Only this one; may be repeated")] = None,
) -> None:
    """Check chain, seals, signatures and tree of every record; exit 1 and the first bad record if anything is wrong.

    Compare the roots with what others have seen: a ledger that was replaced as a whole looks right to itself.
    """
    async with open_ledger(common.settings(), note) as ledger:
        chosen = sorted(set(partition)) if partition else list(range(ledger.partitions))
        if any(not 0 <= p < ledger.partitions for p in chosen):
            raise ConfigError(f"expected partitions from 0 to {ledger.partitions - 1}, found {chosen}")
        total = sum([await ledger.log.end(LEDGER, p) for p in chosen])
        done: dict[int, int] = {}
        with progress("Checking", total) as tell:

            def told(part: int, position: int, _: int) -> None:
                done[part] = position
                tell(sum(done.values()))

            reports = await audit(ledger.log, ledger.ledger_id, chosen, told, ledger.statements())
    faults = [r for r in reports if r.fault is not None]
    if common.json:
        show_json({"ledger_id": ledger.ledger_id, "sound": not faults, "partitions": reports})
    else:
        _told(ledger.ledger_id, reports)
    if faults:
        raise typer.Exit(NO)


def _told(ledger_id: str, reports: list[PartitionReport]) -> None:
    numbers = ["partition", "records", "signatures", "register", "copies", "strays", "overruled"]
    rows = [
        [r.partition, r.size, r.signatures, r.register_seq, r.repeated, r.ahead, r.overruled, short(r.root)]
        for r in reports
    ]
    table(ledger_id, [*numbers, "root"], rows, right=numbers)
    faults = [r for r in reports if r.fault is not None]
    for report in faults:
        say(f"FAULT in partition {report.partition} at position {report.fault_position}: {report.fault}")
    records, signatures = sum(r.size for r in reports), sum(r.signatures for r in reports)
    if faults:
        say(f"Not sound: {len(faults)} of {plural(len(reports), 'partition')} at fault, not checked behind that.")
    else:
        say(f"Sound: {plural(records, 'record')} and {plural(signatures, 'signature')} checked.")
    if not faults and len({r.register_seq for r in reports}) > 1:
        say("The partitions do not hold the same register yet: `rogatory run all` lets them follow.")
