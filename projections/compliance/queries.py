"""What one asks about compliance: one subject judged at once, the board of materialised verdicts, counts, files.

::

    compliance = Compliance(store, ledger_id, rulebook)
    compliance.of("request/2025-000123", as_of=None, at=None).findings
    compliance.board(BoardFilters(verdicts=("breached",)), as_of=now, limit=50, after=None).rows

One subject is judged from its file and the register when it is asked for, so that its answer is never stale.  The
board spans all subjects and reads what ``judging.py`` has written; its answers say how many subjects wait.  Years of
which the ledger has nothing are judged when the board is read (``silence.py``): their silence is a verdict, too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.errors import JudgementFault
from ledger.ids import LedgerId
from projections.among import among, listed
from projections.cases import CasesFold, read_file
from projections.compliance import board
from projections.compliance.answers import (
    Answered,
    Basis,
    BoardCounts,
    BoardFilters,
    BoardPage,
    BoardRow,
    Filed,
)
from projections.compliance.facts import NOTHING, CaseFile
from projections.compliance.judge import judge
from projections.compliance.register import SUBJECT, LegalRegister
from projections.compliance.rounds import Round, count_waiting
from projections.compliance.rulebook import Rulebook
from projections.compliance.silence import years
from projections.compliance.verdict import Finding
from projections.queries import live_generation
from projections.schema import cases, history, positions
from projections.store import Store
from projections.view import Generation

__all__ = ["Answered", "BoardCounts", "BoardFilters", "BoardPage", "BoardRow", "Compliance", "Filed"]

_log = logging.getLogger(__name__)
_read_indices = msgspec.json.Decoder(list[int]).decode
_SILENT = -1
"""Stands for the partition of a subject of which nothing is recorded."""


class Compliance:
    """Questions to the live generation of the case rows (or the one given). Owned by one thread at a time.

    Every method raises ``StoreUnavailable`` where the store does not answer, and ``MisuseError`` where there are no
    rows of this ledger yet.
    """

    def __init__(
        self, store: Store, ledger_id: LedgerId, rulebook: Rulebook, *, generation: Generation | None = None
    ) -> None:
        """``rulebook`` judges single subjects and silence; the board tells by which one it was made."""
        self._store = store
        self._ledger_id = ledger_id
        self._rulebook = rulebook
        self._fixed = generation
        self._known: tuple[tuple[int, int], LegalRegister] | None = None  # by generation and seq of the register
        self._quiet: tuple[LegalRegister | None, dict[str, tuple[Finding, ...] | None]] = None, {}

    def of(self, subject: str, *, as_of: int | None = None, at: int | None = None) -> Answered:
        """Every finding of one subject.

        Args:
            subject: its whole name, as ``request/2025-000123``.
            as_of: judge by what was admitted up to this moment (ms), of the subject and of the register.
            at: judge by the first ``at`` records of the subject's partition, and by the register as it stood among
                them: every partition has all of it, in order.
        """
        with self.reading() as (connection, generation):
            filed = self._filed(connection, generation, subject)
            register = self.register_in(connection, generation, as_of)
            if at is not None and filed is not None:
                register = _first(register, self._register_size(connection, generation, filed.partition, at))
            sizes = {} if filed is None else self._sizes(connection, generation)
        file = (NOTHING if filed is None else filed.file).known_at(index=at, admitted=as_of)
        judged = judge(subject, file, register, self._rulebook)
        return Answered(
            subject=subject,
            generation=generation,
            partition=None if filed is None else filed.partition,
            records=len(file.acts),
            index=file.acts[-1].index if file.acts else None,
            size=0 if filed is None else sizes[filed.partition],
            register_seq=register.seq,
            rulebook=self._rulebook.version,
            rulebook_sha256=self._rulebook.sha256,
            as_of=as_of,
            at=at,
            findings=judged.findings,
        )

    def board(self, filters: BoardFilters, as_of: int, limit: int = 50, after: str | None = None) -> BoardPage:
        """Findings at a moment (ms) by all that is recorded now, the worst first.

        Raises:
            FormatError: ``after`` is no cursor of an earlier page.
        """
        behind = None if after is None else board.CURSORS.read(after)
        rules = board.wanted_rules(filters, self._rulebook)
        with self.reading() as (connection, generation):
            rows = board.page(
                connection, generation, filters, rules, as_of=as_of, limit=limit + 1, after=behind
            )  # fmt: skip
            silent = self._silent(connection, generation, filters, rules, as_of)
            basis = self._basis_with_silence(connection, generation)
        rows += [row for row in silent if behind is None or board.key_of(row) > behind]
        rows.sort(key=board.key_of)
        kept = rows[:limit]
        return BoardPage(
            basis, as_of, kept, board.CURSORS.write(board.key_of(kept[-1])) if len(rows) > limit and kept else None
        )

    def counts(self, filters: BoardFilters, as_of: int) -> BoardCounts:
        """How many findings pass at a moment (ms), by rule and verdict."""
        rules = board.wanted_rules(filters, self._rulebook)
        with self.reading() as (connection, generation):
            counted = board.counts(connection, generation, filters, self._rulebook, as_of)
            silent = self._silent(connection, generation, filters, rules, as_of)
            basis = self._basis_with_silence(connection, generation)
        return BoardCounts(basis, as_of, board.add_counts(counted, silent))

    def materials(self, subject: str | None = None, *, limit: int = 1000, after: str = "") -> list[Filed]:
        """Files of requests (of one, or of all behind ``after`` in the order of subjects), where materials may stand.

        ``materials.py`` makes summaries of them.
        """
        if subject is not None:
            found = self.file_of(subject)
            return [] if found is None else [found]
        with self.reading() as (connection, generation):
            query = self._files(generation).where(cases.c.sort == "request", cases.c.subject > after)
            rows = connection.execute(query.order_by(cases.c.subject).limit(limit)).all()
        return [_filed(row) for row in rows]

    def files(self, partition: int, *, limit: int = 500, after: str = "") -> list[Filed]:
        """Files of all subjects of a partition but the register, behind ``after`` in the order of subjects."""
        with self.reading() as (connection, generation):
            query = self._files(generation).where(
                cases.c.partition == partition, cases.c.subject > after, cases.c.subject != SUBJECT
            )
            rows = connection.execute(query.order_by(cases.c.subject).limit(limit)).all()
        return [_filed(row) for row in rows]

    def count_files(self) -> dict[int, int]:
        """How many subjects each partition has rows of, the register left out."""
        with self.reading() as (connection, generation):
            query = sa.select(cases.c.partition, sa.func.count()).where(
                cases.c.generation == generation, cases.c.subject != SUBJECT, cases.c.facts.is_not(None)
            )
            rows = connection.execute(query.group_by(cases.c.partition).order_by(cases.c.partition)).all()
        return {partition: number for partition, number in rows}  # noqa: C416 - rows

    def file_of(self, subject: str) -> Filed | None:
        """A subject's case file; None where no record speaks of it."""
        with self.reading() as (connection, generation):
            return self._filed(connection, generation, subject)

    def register(self, *, as_of: int | None = None) -> LegalRegister:
        """The register as the rows have it, or as known at a moment (ms)."""
        with self.reading() as (connection, generation):
            return self.register_in(connection, generation, as_of)

    def waiting(self) -> int:
        """How many subjects wait for judgement."""
        with self.reading() as (connection, generation):
            return count_waiting(connection, generation)

    # Within one snapshot

    @contextmanager
    def reading(self) -> Iterator[tuple[sa.Connection, int]]:
        """A snapshot of the rows, and the generation that answers."""
        with self._store.reading() as connection:
            if self._fixed is not None:
                yield connection, self._fixed.id
            else:
                yield connection, live_generation(connection, CasesFold(), self._ledger_id)

    def _filed(self, connection: sa.Connection, generation: int, subject: str) -> Filed | None:
        query = self._files(generation).where(cases.c.subject == subject)
        # The register stands in every partition; partition 0 is its home.
        row = connection.execute(query.order_by(cases.c.partition)).first()
        return None if row is None else _filed(row)

    def _files(self, generation: int) -> sa.Select[Any]:
        # The list of partitions lets a subject be found by the key of the table, of which the partition is a part.
        begun = sa.select(positions.c.partition).where(positions.c.generation == generation)
        return sa.select(cases.c.subject, cases.c.partition, cases.c.seq, cases.c.facts).where(
            cases.c.generation == generation, cases.c.partition.in_(begun), cases.c.facts.is_not(None)
        )

    def register_in(self, connection: sa.Connection, generation: int, as_of: int | None = None) -> LegalRegister:
        """The register within a snapshot, or as known at a moment (ms); read again only where it has grown."""
        mine = (cases.c.generation == generation) & (cases.c.partition == 0) & (cases.c.subject == SUBJECT)
        seq = connection.execute(sa.select(cases.c.seq).where(mine)).scalar() or 0
        if self._known is None or self._known[0] != (generation, seq):
            facts = connection.execute(sa.select(cases.c.facts).where(mine)).scalar()
            self._known = (generation, seq), LegalRegister(NOTHING if facts is None else read_file(facts) or NOTHING)
        whole = self._known[1]
        if as_of is None:
            return whole
        file = whole.file.known_at(admitted=as_of)
        return whole if file is whole.file else LegalRegister(file)

    def _register_size(self, connection: sa.Connection, generation: int, partition: int, at: int) -> int:
        """How many register records are among the first ``at`` records of a partition."""
        mine = (history.c.generation == generation, history.c.partition == partition, history.c.subject == SUBJECT)
        texts = list(connection.execute(sa.select(history.c.indices).where(*mine)).scalars())
        row = (cases.c.generation == generation, cases.c.partition == partition, cases.c.subject == SUBJECT)
        texts += connection.execute(sa.select(cases.c.recent).where(*row)).scalars()
        return sum(index < at for text in texts for index in _read_indices(text))

    def _silent(
        self, connection: sa.Connection, generation: int, filters: BoardFilters, rules: list[str] | None, as_of: int
    ) -> list[BoardRow]:
        """Findings of the years of which nothing is recorded."""
        register = self.register_in(connection, generation, None)
        expected = years(register, as_of)
        if not expected:
            return []
        dialect = connection.dialect.name
        there = self._files(generation).with_only_columns(cases.c.subject).where(among(cases.c.subject, dialect))
        recorded = set(connection.execute(there, {"among": listed(expected, dialect)}).scalars())
        instruments = {rule.id: rule.instrument for rule in self._rulebook.rules()}
        rows = [
            board.row_of(
                finding, as_of, subject=year, partition=_SILENT, partner="", instrument=instruments[finding.rule]
            )
            for year in expected
            if year not in recorded
            for finding in self._silence(register, year)
        ]
        zone = register.ledger_zone() if filters.of_months else ""
        return [row for row in rows if board.passes(row, filters, rules, zone)]

    def _silence(self, register: LegalRegister, year: str) -> tuple[Finding, ...]:
        """What is said of a year of which nothing is recorded; kept until the register grows."""
        if self._quiet[0] is not register:
            self._quiet = register, {}
        known = self._quiet[1]
        if year not in known:
            try:
                known[year] = judge(year, NOTHING, register, self._rulebook).findings
            except JudgementFault as fault:
                known[year] = None
                _log.error("not judged, the others are: %s (docs/operations.md, Subjects set aside)", fault)
        return known[year] or ()

    def _basis_with_silence(self, connection: sa.Connection, generation: int) -> Basis:
        """Of the board: years of which nothing is recorded and that could not be judged count as waiting, too."""
        basis = self.basis_in(connection, generation)
        unjudged = sum(findings is None for findings in self._quiet[1].values())
        return msgspec.structs.replace(basis, waiting=basis.waiting + unjudged) if unjudged else basis

    def basis_in(self, connection: sa.Connection, generation: int) -> Basis:
        """What materialised answers of a snapshot rest on."""
        now = Round.read(connection, generation) or Round(0, 0, "", pending=False)
        return Basis(
            generation,
            self._sizes(connection, generation),
            now.register_seq,
            now.rulebook,
            count_waiting(connection, generation),
        )

    def _sizes(self, connection: sa.Connection, generation: int) -> dict[int, int]:
        query = sa.select(positions.c.partition, positions.c.size).where(positions.c.generation == generation)
        return {p: size for p, size in connection.execute(query.order_by(positions.c.partition))}  # noqa: C416 - rows


def _first(register: LegalRegister, count: int) -> LegalRegister:
    """A register of the first so many records."""
    kept = tuple(act for act in register.file.acts if act.seq <= count)
    return register if len(kept) == len(register.file.acts) else LegalRegister(CaseFile(kept))


def _filed(row: Any) -> Filed:
    return Filed(row.subject, row.partition, row.seq, read_file(row.facts) or NOTHING)
