"""What a document is about and rests on: office, year, moment, position, rulebook."""

from __future__ import annotations

from typing import Any

import msgspec

from projections.compliance.answers import Basis
from projections.reports.document import Lang
from projections.reports.imprint import Imprint, Sort
from projections.reports.notes import position
from projections.reports.words import Words


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The same in both documents."""

    ledger: str
    office: str
    """Whose document it is."""
    name: str
    """Its name as registered; empty: it is not."""
    year: int
    lang: Lang
    as_of: int
    """Moment (ms) at which verdicts are read."""
    zone: str
    """In which days are shown: that of the office that opened the ledger."""
    basis: Basis
    rulebook: str
    """Version; ``basis`` has the digest."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Records of each partition."""
        return tuple(size for _, size in sorted(self.basis.sizes.items()))

    @property
    def named(self) -> str:
        """Code and name."""
        return f"{self.office} ({self.name})" if self.name else self.office

    def imprint(self, sort: Sort, **said: Any) -> Imprint:
        """The imprint of a document with this head."""
        return Imprint(
            sort=sort, ledger=self.ledger, office=self.office, year=self.year, lang=self.lang, as_of=self.as_of,
            sizes=self.sizes, register_seq=self.basis.register_seq, rulebook=self.basis.rulebook_sha256, **said,
        )  # fmt: skip


def facts(head: Head, words: Words) -> tuple[tuple[str, str], ...]:
    """What stands under the title."""
    found = [
        (words.say("fact_office"), head.named),
        (words.say("fact_year"), str(head.year)),
        (words.say("fact_as_of"), words.moment(head.as_of)),
        (words.say("fact_rulebook"), f"{head.rulebook}, SHA-256 {head.basis.rulebook_sha256}"),
        (words.say("fact_ledger"), head.ledger),
        (words.say("fact_position"), position(head.sizes)),
        (words.say("fact_register"), str(head.basis.register_seq)),
    ]
    if head.basis.waiting:
        found.append((words.say("fact_waiting"), words.number(head.basis.waiting)))
    return tuple(found)
