"""A spool as an XES log, written case by case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from infra.exporting.spool_file import SpoolFile
from infra.exporting.writing import Writable
from projections.exports.told import FindKey, Told, tell
from projections.exports.xes import TAIL, case_of, head, is_imported, trace


def write_xes(
    spool: SpoolFile,
    out: Writable,
    *,
    ledger_id: str,
    sizes: Mapping[int, tuple[int, str]],
    sorts: frozenset[str],
    find: FindKey | None,
    progress: Callable[[int], None],
) -> tuple[int, int]:
    """Write the subjects of some sorts as cases; how many cases and events there are."""
    for text in head(ledger_id, sizes):
        out.write(text.encode())
    cases = 0
    done = [0]

    def told(key: int) -> Iterator[Told]:
        for record in spool.of_subject(key):
            done[0] += 1
            yield tell(record, find)

    for key, subject in spool.subjects(sorts):
        for text in trace(subject, told(key), _case(spool, key, find)):
            out.write(text.encode())
        cases += 1
        progress(done[0])
    out.write(TAIL.encode())
    return cases, done[0]


def _case(spool: SpoolFile, key: int, find: FindKey | None) -> dict[str, object]:
    """What an imported log said of a case: it stands sealed in the first step of it."""
    if find is None:
        return {}
    for record in spool.of_subject(key):
        told = tell(record, find)
        if is_imported(told):
            return case_of(told)
    return {}
