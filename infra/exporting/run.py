"""Exporting a ledger: read it into a spool, then write it in the order and form that is asked for."""

from __future__ import annotations

from pathlib import Path

import msgspec

from consumers.spooling import Progress, spool
from infra.exporting.ocel_file import write_ocel
from infra.exporting.spool_file import SpoolFile
from infra.exporting.writing import beside, written
from infra.exporting.xes_log import write_xes
from infra.wiring import Ledger
from projections.exports.told import FindKey

XES_SORTS = frozenset({"request"})


class Exported(msgspec.Struct, frozen=True):
    """What was written: ``cases`` of an XES log, ``objects`` of an OCEL; and the state of each partition."""

    events: int
    cases: int | None
    objects: int | None
    sizes: dict[int, tuple[int, str]]


async def export_xes(
    ledger: Ledger, out: Path | None, sorts: frozenset[str], find: FindKey | None, told: tuple[Progress, Progress]
) -> Exported:
    """Write an XES log to a file, or to standard output.

    Args:
        ledger: what is exported.
        out: the file, gzip if it ends in ``.gz``; None: standard output.
        sorts: of the subjects that become cases.
        find: content keys of what shall be opened; None: all that is sealed stays so.
        told: who is told of progress, in reading and in writing.

    Raises:
        IntegrityError: the ledger contradicts itself; nothing is written.
        ConfigError: the file can't be written.
    """
    with SpoolFile() as records:
        sizes = await _fill(ledger, records, told[0])
        with written(out, private=find is not None) as file:
            cases, events = write_xes(
                records, file, ledger_id=ledger.ledger_id, sizes=sizes, sorts=sorts, find=find, progress=told[1]
            )
    return Exported(events, cases, None, sizes)


async def export_ocel(
    ledger: Ledger, out: Path | None, find: FindKey | None, told: tuple[Progress, Progress]
) -> Exported:
    """Write an OCEL 2.0 log: SQLite if the file ends in ``.sqlite``, else JSON. Arguments and errors as above."""
    with SpoolFile() as records:
        sizes = await _fill(ledger, records, told[0])
        private = find is not None
        is_sqlite = out is not None and out.suffix == ".sqlite"
        target = beside(out, private=private) if out is not None and is_sqlite else written(out, private=private)
        with target as place:
            events, objects = write_ocel(records.all(), place, records.folder, find, told[1])
    return Exported(events, None, objects, sizes)


async def _fill(ledger: Ledger, records: SpoolFile, progress: Progress) -> dict[int, tuple[int, str]]:
    settlements = await ledger.settlements()
    sizes = await spool(ledger.log, ledger.ledger_id, settlements, ledger.partitions, records, progress)
    records.sort()
    return sizes
