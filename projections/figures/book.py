"""Postings in the store: those of a subject are written with its verdicts, and the sums by month follow them.

What a subject posted before is read and compared, so that only what has changed is written: a request that goes on
mostly adds.  ``cells`` are the sums that the page of a partner reads: how often each value was posted to a part in a
month.  Who asks by office, kind or direction, or for the records, reads ``postings`` themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from projections.among import among, listed
from projections.bulk import Upsert
from projections.figures.catalogue import PARTS
from projections.figures.months import month_of
from projections.figures.posting import Posting
from projections.schema import cells, postings

CellKey = tuple[str, str, str, int, int]
"""Partner, part, tag, value, month: what a cell counts."""

VERDICTS = "M28"
"""The part whose cells are findings; their rows are those of ``verdicts``."""


class Book:
    """Writes the postings of one generation. Owned by one thread at a time."""

    def __init__(self, generation: int, dialect: sa.Dialect) -> None:
        self._generation = generation
        self._dialect = dialect.name
        self._postings = Upsert(postings, dialect)
        self._cells = Upsert(cells, dialect, adds=frozenset({"number"}))

    def write(
        self,
        connection: sa.Connection,
        partition: int,
        counted: Iterable[tuple[str, Sequence[Posting]]],
        zone: str,
        verdicts: Counter[CellKey],
    ) -> None:
        """Bring the rows and sums of some subjects of a partition to what they post now.

        Args:
            connection: of the transaction in which their verdicts are written.
            partition: of the subjects.
            counted: each subject and its postings.
            zone: whose months they are summed by.
            verdicts: what is added to the cells of findings, or taken from them.
        """
        place = self._generation, partition
        now: set[tuple[Any, ...]] = set()
        subjects: list[str] = []
        for subject, made in counted:
            subjects.append(subject)
            now.update((*place, subject, p.part, p.item, month, *p[2:]) for p, month in lasting(made, zone))
        at = {"at_generation": self._generation, "at_partition": partition}
        found = connection.execute(_STANDING[self._dialect], {**at, "among": listed(subjects, self._dialect)})
        before = {tuple(row) for row in found}
        fresh, gone = now - before, before - now
        changed = Counter(verdicts)
        changed.update(_key(row) for row in fresh)
        changed.subtract(_key(row) for row in gone)
        kept = {row[:_KEYS] for row in fresh}
        dropped = [
            {**at, "of_subject": row[2], "of_part": row[3], "of_item": row[4]}
            for row in gone
            if row[:_KEYS] not in kept
        ]
        if dropped:
            connection.execute(_DROP, dropped)
        self._postings(connection, list(fresh))
        self._cells(connection, [(self._generation, *key, number) for key, number in changed.items() if number])


def lasting(made: Iterable[Posting], zone: str) -> list[tuple[Posting, int]]:
    """Postings with their months; of those that come and go within one month only what is left at its end.

    Nothing is asked of a date within a month: a tenth of the postings of a simulated year need not be kept.
    """
    kept: list[tuple[Posting, int]] = []
    going: dict[tuple[str, int, tuple[object, ...]], list[Posting]] = {}
    for posting in made:
        month = month_of(posting.time, zone)
        if posting.part in _PASSING:
            # By all that figures are asked by: what ends with one partner, or at one office, ends no other's.
            going.setdefault((posting.part, month, tuple(posting)[_SCOPED]), []).append(posting)
        else:
            kept.append((posting, month))
    for (_, month, _), some in going.items():
        net = sum(posting.value for posting in some)
        if len(some) > 1 and all(abs(posting.value) == 1 for posting in some):
            of = sorted((p for p in some if p.value * net > 0), key=lambda p: (p.time, p.item))
            some = of[len(of) - abs(net) :]  # noqa: PLW2901 - the latest
        kept += [(posting, month) for posting in some]
    return kept


_SCOPED = slice(Posting._fields.index("partner"), Posting._fields.index("thing") + 1)
"""Partner, direction, kind, offices, tag and thing."""
_PASSING = frozenset(code for code, part in PARTS.items() if part.how in ("standing", "held"))


def _key(row: tuple[Any, ...]) -> CellKey:
    return row[_PARTNER], row[3], row[_TAG], row[_VALUE], row[5]


_NAMES = [column.name for column in postings.c]
_KEYS = len(postings.primary_key)
_PARTNER, _TAG, _VALUE = (_NAMES.index(name) for name in ("partner", "tag", "value"))
_OF = (postings.c.generation == sa.bindparam("at_generation"), postings.c.partition == sa.bindparam("at_partition"))
_STANDING: dict[str, Any] = {
    d: sa.select(*postings.c).where(*_OF, among(postings.c.subject, d)) for d in ("sqlite", "postgresql")
}
_DROP = postings.delete().where(
    *_OF,
    postings.c.subject == sa.bindparam("of_subject"),
    postings.c.part == sa.bindparam("of_part"),
    postings.c.item == sa.bindparam("of_item"),
)
