"""The projection ``cases``: of each subject where it stands and its case file, in one row and by one pass of the log.

``status`` is ``StatusFacts`` of a request; ``file`` the acts of any subject that the law is judged by.  They are two
folds that see the same records; one chain check, one row and one commit serve both::

    {"status":{"state":"accepted",…},"file":{"acts":[["request.signed",…],…]}}

Who needs one half reads it by ``read_status`` or ``read_file``: the other is passed over and not made into objects.
Verdicts are not here: they depend on the register, and are made from these rows by ``compliance/judging.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from ledger.chain import Record
from projections.compliance.facts import CaseFile
from projections.compliance.fold import CaseFold
from projections.fold import Column, facts_decoder
from projections.status import StatusFacts, StatusFold

_STATUS = StatusFold()
_FILES = CaseFold()


class CasesFacts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Both halves; None where the subject is of no sort that the half is about."""

    status: StatusFacts | None = None
    file: CaseFile | None = None


class _StatusHalf(msgspec.Struct, frozen=True):
    status: StatusFacts | None = None


class _FileHalf(msgspec.Struct, frozen=True):
    file: CaseFile | None = None


_NO_STATUS: Mapping[str, Column] = dict.fromkeys(
    ("kind", "direction", "partner", "state", "ball", "ball_office", "ball_since", "opened_at", "updated_at", "remarks",
     "open_items")
)  # fmt: skip


class CasesFold:
    """Status and case file of every subject (``projections/fold.py`` says what a fold is)."""

    name = "cases"
    version = 1
    sorts = _STATUS.sorts | _FILES.sorts
    facts = CasesFacts

    def evolve(self, facts: CasesFacts | None, record: Record) -> CasesFacts:
        """Both halves after one more record."""
        status, file = (None, None) if facts is None else (facts.status, facts.file)
        sort = record.subject.partition("/")[0]
        if sort in _STATUS.sorts:
            status = _STATUS.evolve(status, record)
        if sort in _FILES.sorts and record.seal.home is UNSET:  # a copy of a register event is in no file
            file = _FILES.evolve(file, record)
        return CasesFacts(status, file)

    def columns(self, facts: CasesFacts) -> Mapping[str, Column]:
        """Those of the status, and that the file waits for judgement, since it has just grown."""
        known = _NO_STATUS if facts.status is None else _STATUS.columns(facts.status)
        return {**known, "waiting": None if facts.file is None else 1}


def read_status(text: str) -> StatusFacts | None:
    """The status half of stored facts."""
    return facts_decoder(_StatusHalf).decode(text).status


def read_file(text: str) -> CaseFile | None:
    """The case file of stored facts."""
    return facts_decoder(_FileHalf).decode(text).file
