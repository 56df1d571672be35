"""Judging in the store: subjects whose file or whose part of the register has changed, chunk by chunk.

With its verdicts a subject's figures are written (``figures/``), in one transaction: both are made of its file.

What is judged again is found without looking at what stayed as it was:

- a commit of the fold that lets a file grow marks its row (``cases.waiting``, with an index of its own);
- when the register grew, the entries that its new records touch (``register.touched``) are looked for in the
  *dependency sets*, of which there are few; a set that has one is marked with the number of the new *round*, and each
  subject with that set that was judged in an earlier round is judged again.  Another rulebook touches every set.

::

    judge = Judge(store, generation, rulebooks)
    judge.advance()               # has the register grown? then a new round begins
    while judge.some(partition, 200):
        …

A round is a state of the register and a rulebook; whatever was judged and is not waiting is right for the present one.
Each chunk is one transaction of its own, never one with the fold's, so it can be stopped and gone on with anywhere.
Several may judge one ledger: chunks of a partition are written one after the other, a chunk of an earlier round is
refused, and a subject that has grown meanwhile, or was judged by somebody else, is left out of it.

A subject that a rule or a figure fails on is set aside (``aside.py``) and goes on waiting; the others are judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import sqlalchemy as sa

from ledger.errors import Overtaken
from projections.among import among, listed
from projections.bulk import Upsert, insert
from projections.cases import read_file
from projections.compliance.aside import SetAside, Waits, of_values
from projections.compliance.facts import NOTHING
from projections.compliance.faults import fault_of
from projections.compliance.judge import Judged
from projections.compliance.making import Made, Work, make, work_of
from projections.compliance.register import SUBJECT, LegalRegister, touched
from projections.compliance.rounds import (
    EVERYTHING,
    Round,
    begin_round,
    count_waiting,
    hold,
    settle,
    takes_writes,
    touched_rows,
    waiting_rows,
)
from projections.compliance.rows import Place, findings_digest, set_id, verdict_rows
from projections.compliance.rulebook import Rulebook
from projections.compliance.verdict import WORST
from projections.figures.book import VERDICTS, Book, CellKey
from projections.schema import cases, dependency_sets, judged, tallies, verdicts
from projections.store import Store
from projections.view import Generation

Rulebooks = Callable[[LegalRegister], Rulebook]
"""Which rulebook is in use, by the register (``adopting.py``)."""

_encode = msgspec.json.Encoder().encode


class Advanced(msgspec.Struct, frozen=True):
    """A new round: what of the register was new, and how many subjects are judged again for it."""

    round: int
    register_seq: int
    records: int
    """New register records."""
    entries: int
    """Entries that they touch; all of them where the rulebook is another one."""
    subjects: int
    rulebook: str
    """Digest (hex)."""
    other_rulebook: bool


class Judge:
    """Judges the subjects of one generation. Owned by one thread at a time."""

    def __init__(self, store: Store, generation: Generation, rulebooks: Rulebooks) -> None:
        self._store = store
        self._generation = generation
        self._rulebooks = rulebooks
        self._round: Round | None = None
        self._register = LegalRegister(NOTHING)
        self._seq = -1  # of the register's row that ``_register`` was made of
        self._rulebook: Rulebook | None = None
        self._instruments: dict[str, str] = {}
        self._sets: set[str] = set()  # that are in the store
        dialect = store.engine.dialect
        self._dialect = dialect.name
        self._upserts = {table: Upsert(table, dialect) for table in (verdicts, judged)}
        self._tallies = Upsert(tallies, dialect, adds=frozenset({"number"}))
        self._book = Book(generation.id, dialect)
        self.aside = SetAside(generation.id)
        """Subjects that wait and are not tried, since that failed."""

    def advance(self) -> Advanced | None:
        """See whether the register has grown, or another rulebook is in use; None: neither. Nothing is judged yet.

        Raises:
            ConfigError: the rulebook that the register names is not available here. What waits goes on waiting.
            JudgementFault: the register cannot be read, so nothing can be judged. What waits goes on waiting.
            Overtaken: another generation answers.
            StoreUnavailable: the store does not answer.
        """
        while True:
            with self._store.reading() as connection:
                if not takes_writes(connection, self._generation.id):
                    raise Overtaken(f"expected generation {self._generation.id} to answer, found that another one does")
                now = Round.read(connection, self._generation.id)
                self._read_register(connection)
            rulebook = self._rulebooks(self._register)
            self._use(rulebook)
            if now is not None and (now.register_seq, now.rulebook) == (self._seq, rulebook.sha256):
                self._enter(now)
                return None
            with suppress(Overtaken):  # somebody was faster, or the generation is gone: looked at again
                return self._begin(now, rulebook)

    def _read_register(self, connection: sa.Connection) -> None:
        """The register as partition 0 has it; read again only where it has grown."""
        mine = (cases.c.generation == self._generation.id) & (cases.c.partition == 0) & (cases.c.subject == SUBJECT)
        seq = connection.execute(sa.select(cases.c.seq).where(mine)).scalar() or 0
        if seq != self._seq:
            facts = connection.execute(sa.select(cases.c.facts).where(mine)).scalar()
            self._register = LegalRegister(NOTHING if facts is None else read_file(facts) or NOTHING)
            self._seq = seq

    def _use(self, rulebook: Rulebook) -> None:
        if rulebook is not self._rulebook:
            self._rulebook = rulebook
            self._instruments = {rule.id: rule.instrument for rule in rulebook.rules()}

    def _begin(self, now: Round | None, rulebook: Rulebook) -> Advanced:
        since = 0 if now is None else now.register_seq
        fresh = [act for act in self._register.case.every if act.seq > since]
        other = now is not None and now.rulebook != rulebook.sha256
        # Before its first record nothing is known of the register, not even whose it is.
        entries = EVERYTHING if other or since == 0 else touched(fresh)
        with self._store.writing() as connection:
            begun, subjects = begin_round(connection, self._generation.id, now, self._seq, rulebook.sha256, entries)
            # From here chunks of the round before are refused. A crash before leaves that round.
        self._enter(begun)
        return Advanced(
            begun.number, self._seq, len(fresh), len(entries), subjects, rulebook.sha256, other_rulebook=other
        )

    def _enter(self, now: Round) -> None:
        if self._round is None or self._round.number != now.number:
            self.aside.clear()  # another register or rulebook: it may go well now
        self._round = now

    def some(self, partition: int, limit: int = 200) -> int:
        """Judge up to ``limit`` subjects of a partition that wait, those that have grown first.

        Gives how many are done with: written, or set aside because that failed (``aside``). 0 where no others wait, or
        where somebody else is judging the same ones. Before the first ``advance`` nothing is judged.

        Raises:
            Overtaken: another round has begun (``advance``), or another generation answers.
            StoreUnavailable: the store does not answer; the chunk is there or is not.
        """
        if self._round is None or self._rulebook is None:
            return 0
        work = self._find(partition, limit)
        if not work:
            self._settle()
            return 0
        made = []
        for each in work:
            try:
                made.append(make(each, self._register, self._rulebook))
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - one subject must not stop the others, whatever it is
                self._set_aside(partition, each, error, "the figures")
        return len(work) - len(made) + self._save(partition, made)

    def _set_aside(self, partition: int, work: Work, error: Exception, doing: str) -> None:
        fault = fault_of(error, work.subject, work.seq, doing)
        self.aside.add(partition, work.subject, Waits(work.seq, work.grown), fault)

    def _save(self, partition: int, made: Sequence[Made]) -> int:
        """Write a chunk; where something in it cannot be written, the rest of it without that."""
        try:
            return self._write(partition, made) if made else 0
        except Exception as error:
            if not of_values(error):
                raise
        done = 0
        for each in made:
            try:
                done += self._write(partition, [each])
            except Exception as error:
                if not of_values(error):
                    raise
                self._set_aside(partition, each.work, error, "the writing of verdicts and figures")
                done += 1
        return done

    def _find(self, partition: int, limit: int) -> list[Work]:
        generation, now = self._generation.id, self._round
        assert now is not None
        with self._store.reading() as connection:
            if Round.read(connection, generation, pending=now.pending) != now:
                raise Overtaken(f"expected judgement in round {now.number}, found that another one has begun")
            but = self.aside.still(connection, partition, now)
            grown = waiting_rows(generation, partition, limit, but, self._dialect)
            work = [work_of(row, grown=True) for row in connection.execute(grown)]
            if now.pending and len(work) < limit:
                # As many more as may be among those that have grown, all of which are in ``work``.
                rest = touched_rows(generation, partition, limit, but, self._dialect)
                found = [work_of(row, grown=False) for row in connection.execute(rest)]
                work += found[: limit - len(work)]
        return work

    def _settle(self) -> None:
        """Nothing touched is left in this partition; if there is none in the others, nobody need look any more."""
        now = self._round
        if now is None or not now.pending or self.aside.any_touched():
            return
        with self._store.writing() as connection:
            settled = settle(connection, self._generation.id, now)
        if settled:
            self._round = msgspec.structs.replace(now, pending=False)

    def _write(self, partition: int, found: Sequence[Made]) -> int:
        generation, now, zone = self._generation.id, self._round, self._register.ledger_zone()
        assert now is not None
        at = {"at_generation": generation, "at_partition": partition}
        with self._store.writing() as connection:
            hold(connection, generation, partition, now)
            stand = self._standing(connection, at, [each.work.subject for each in found])
            found = [each for each in found if stand.get(each.work.subject) == (each.work.seq, int(each.work.grown))]
            if not found:
                return 0
            subjects = listed([each.work.subject for each in found], self._dialect)
            counted: Counter[Tally] = Counter()
            for row in connection.execute(_REMOVE[self._dialect], {**at, "among": subjects}):
                if row.until is None:
                    counted[_key(row)] -= 1
            rows = [
                row
                for each in found
                for row in verdict_rows(
                    each.judged, Place(generation, partition, each.partner, zone), self._instruments
                )
            ]
            counted.update(_key(row) for row in rows if row.until is None)
            self._upserts[verdicts](connection, rows)
            fresh = self._save_sets(connection, [each.judged for each in found])
            self._upserts[judged](
                connection,
                [
                    (
                        generation, partition, each.work.subject, each.work.seq, self._seq, now.number,
                        set_id(each.judged.depends), findings_digest(each.judged),
                    )
                    for each in found
                ],
            )  # fmt: skip
            self._tally(connection, partition, counted)
            made = [(each.work.subject, each.postings) for each in found]
            self._book.write(connection, partition, made, zone, _cells(counted))
            grown = [{**at, "of": e.work.subject, "judged_seq": e.work.seq} for e in found if e.work.grown]
            grown.sort(key=lambda row: str(row["of"]))  # as the fold writes these rows
            if grown:
                # By the seq that was judged: a row that grows from here on stays marked.
                connection.execute(_STAMP, grown)
            # A crash before this commit leaves the chunk waiting, after it the chunk is judged.
        self._sets |= fresh
        return len(found)

    def _standing(
        self, connection: sa.Connection, at: dict[str, int], subjects: list[str]
    ) -> dict[str, tuple[int, int]]:
        found = connection.execute(_STANDING[self._dialect], {**at, "among": listed(subjects, self._dialect)})
        return {row.subject: (row.seq, row.waiting) for row in found}

    def _save_sets(self, connection: sa.Connection, found: Sequence[Judged]) -> set[str]:
        """Write the dependency sets that are new; sorted, so that two who write the same do not wait for each other."""
        sets = {set_id(entries): entries for entries in {each.depends for each in found}}
        fresh = sorted(sets.keys() - self._sets)
        if fresh:
            connection.execute(
                insert(dependency_sets, self._dialect).on_conflict_do_nothing(),
                [
                    {
                        "generation": self._generation.id,
                        "id": id_,
                        "entries": _encode(sorted(sets[id_])).decode(),
                        "touched": 0,
                    }
                    for id_ in fresh
                ],
            )
        return set(fresh)

    def _tally(self, connection: sa.Connection, partition: int, counted: Counter[Tally]) -> None:
        total: Counter[tuple[str, str, str, int]] = Counter()
        for (rule, bound, partner, rank, _), number in counted.items():
            total[rule, bound, partner, rank] += number
        at = self._generation.id, partition
        self._tallies(connection, [(*at, *key, number) for key, number in total.items() if number])

    def waiting(self) -> int:
        """How many subjects wait for judgement."""
        with self._store.reading() as connection:
            return count_waiting(connection, self._generation.id)


Tally = tuple[str, str, str, int, int]
"""Rule, office, partner, rank, month: what findings are counted by."""


def _key(row: Any) -> Tally:
    return row.rule, row.bound, row.partner, row.rank, row.month


def _cells(counted: Counter[Tally]) -> Counter[CellKey]:
    """The same as cells of figure M28: by the state whose duty it is, not by the office."""
    found: Counter[CellKey] = Counter()
    for (rule, bound, partner, rank, month), number in counted.items():
        found[partner, VERDICTS, f"{rule} {WORST[rank]} {bound.partition('-')[0]}", 1, month] += number
    return found


def _among(table: sa.Table, dialect: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.generation == sa.bindparam("at_generation"),
        table.c.partition == sa.bindparam("at_partition"),
        among(table.c.subject, dialect),
    )


_DIALECTS = ("sqlite", "postgresql")
_STANDING: dict[str, Any] = {
    d: sa.select(cases.c.subject, cases.c.seq, cases.c.waiting).where(*_among(cases, d)) for d in _DIALECTS
}
_REMOVE: dict[str, Any] = {
    d: verdicts.delete()
    .where(*_among(verdicts, d))
    .returning(
        verdicts.c.rule, verdicts.c.bound, verdicts.c.partner, verdicts.c.rank, verdicts.c.until, verdicts.c.month
    )
    for d in _DIALECTS
}
_STAMP = (
    cases.update()
    .where(
        cases.c.generation == sa.bindparam("at_generation"),
        cases.c.partition == sa.bindparam("at_partition"),
        cases.c.subject == sa.bindparam("of"),
        cases.c.seq == sa.bindparam("judged_seq"),
    )
    .values(waiting=0)
)
