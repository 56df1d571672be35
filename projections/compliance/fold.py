"""The fold of case files: each record becomes an act; nothing is judged, nothing depends on another subject."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from ledger import catalogue
from ledger.chain import Record
from ledger.event import time_ms
from projections.compliance.facts import NOTHING, Act, CaseFile
from projections.compliance.reading import keep
from projections.fold import Column

_NAMES = {type_: row.name for type_, row in catalogue.types_by_name().items()}


class CaseFold:
    """What the law is judged by (``projections/fold.py`` says what a fold is)."""

    name = "compliance"
    version = 1
    sorts = frozenset({"request", "meeting", "year", "review", "register"})
    facts = CaseFile

    def evolve(self, facts: CaseFile | None, record: Record) -> CaseFile:
        """The file with one more act.

        Copies of register events are left out: partition 0 is their home, and its file is the one that judgement reads.
        """
        known = NOTHING if facts is None else facts
        event, seal = record.event, record.seal
        if seal.home is not UNSET:
            return known
        name = _NAMES.get(event.type) or catalogue.known(event.type).name
        act = Act(
            name,
            event.id,
            seal.index,
            seal.seq,
            event.source[7:],
            time_ms(event.time),
            seal.admitted,
            tuple([kid for kid, _ in seal.sigs]),
            keep(name, event.data),
            event.actor or "",
        )
        return CaseFile((*known.acts, act))

    def columns(self, facts: CaseFile) -> Mapping[str, Column]:
        """None: verdicts are searched, not files."""
        del facts
        return {}
