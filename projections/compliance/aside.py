"""Subjects that are set aside: a rule or a figure fails on them, so they go on waiting while the others are judged.

They are remembered in memory alone and tried again when they grow, when a new round begins, and after a restart, which
may be one of a release that mends it.  Their marks in the store stay, so answers go on counting them as waiting.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.errors import JudgementFault, RogatoryError
from projections.among import among, listed
from projections.compliance.rounds import Round
from projections.schema import cases, judged

_log = logging.getLogger(__name__)


class Waits(msgspec.Struct, frozen=True):
    """How a subject waited when it was set aside."""

    seq: int
    grown: bool
    """Whether its row was marked; else the register had touched it."""


class SetAside:
    """Those of one generation and round. Owned by one thread at a time."""

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self._subjects: dict[int, dict[str, Waits]] = {}
        self._faults: dict[str, JudgementFault] = {}
        self._said: dict[str, str] = {}
        self.added = 0
        """How often one was set aside, so far."""

    def add(self, partition: int, subject: str, waits: Waits, fault: JudgementFault) -> None:
        """Set a subject aside; an error is logged, once for the same fault in the same records."""
        self._subjects.setdefault(partition, {})[subject] = waits
        self._faults[subject] = fault
        self.added += 1
        if self._said.get(subject) != str(fault):
            self._said[subject] = str(fault)
            _log.error("set aside, the others are judged: %s (docs/operations.md, Subjects set aside)", fault)

    def clear(self) -> None:
        """Try all of them again."""
        self._subjects.clear()
        self._faults.clear()

    def faults(self) -> list[JudgementFault]:
        """What is wrong with each, in the order of subjects."""
        return [self._faults[subject] for subject in sorted(self._faults)]

    def __len__(self) -> int:
        return len(self._faults)

    def still(self, connection: sa.Connection, partition: int, now: Round) -> list[str]:
        """Those of a partition that wait just as they did when they were set aside; the others are forgotten."""
        kept = self._subjects.get(partition)
        if not kept:
            return []
        dialect = connection.dialect.name
        at = {"at_generation": self._generation, "at_partition": partition, "among": listed([*kept], dialect)}
        stand = {row.subject: row for row in connection.execute(_stand(dialect), at)}
        for subject, waits in [*kept.items()]:
            row = stand.get(subject)
            waiting = row is not None and (row.waiting == 1 if waits.grown else (row.round or 0) < now.number)
            if row is None or not waiting or row.seq != waits.seq:
                del kept[subject], self._faults[subject]
        return [*kept]

    def any_touched(self) -> bool:
        """Whether one of them waits because the register has touched it."""
        return any(not waits.grown for kept in self._subjects.values() for waits in kept.values())


def _stand(dialect: str) -> sa.Select[Any]:
    same = (
        (judged.c.generation == cases.c.generation)
        & (judged.c.partition == cases.c.partition)
        & (judged.c.subject == cases.c.subject)
    )
    return (
        sa.select(cases.c.subject, cases.c.seq, cases.c.waiting, judged.c.round)
        .select_from(cases.outerjoin(judged, same))
        .where(
            cases.c.generation == sa.bindparam("at_generation"),
            cases.c.partition == sa.bindparam("at_partition"),
            among(cases.c.subject, dialect),
        )
    )


def of_values(error: Exception) -> bool:
    """Whether a chunk cannot be written because of what is in it, and not because of the database or of another worker.

    PostgreSQL: SQLSTATE classes 21 (two rows of one key), 22 (data), 23 (constraints), 54 (too large); its manual,
    appendix A.
    """
    if isinstance(error, (RogatoryError, MemoryError)):
        return False
    if not isinstance(error, sa.exc.DBAPIError):
        return not isinstance(error, sa.exc.SQLAlchemyError)
    state = getattr(error.orig, "sqlstate", None) or ""
    return isinstance(error, (sa.exc.DataError, sa.exc.IntegrityError)) or state[:2] in ("21", "22", "23", "54")
