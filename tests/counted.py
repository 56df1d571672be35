"""What a scene (``tests/law/scene.py``) posts to the figures, and sums of it."""

from __future__ import annotations

from collections import Counter

from projections.compliance.case import Case
from projections.compliance.facts import NOTHING
from projections.compliance.register import LegalRegister
from projections.figures.catalogue import PARTS
from projections.figures.counting import count
from projections.figures.posting import Posting
from projections.figures.words import NAMED
from tests.figure_lines import LINES, OPEN
from tests.law.scene import REQUEST, Scene


def counted(scene: Scene, subject: str = REQUEST) -> list[Posting]:
    """The postings of a subject, held against the catalogue and each other."""
    register = LegalRegister(scene.files.get("register", NOTHING), scene.own)
    rows = count(Case(subject, scene.files.get(subject, NOTHING)), register)
    assert {row.part for row in rows} <= PARTS.keys()
    assert all(row.tag in LINES.get(row.part, {""}) for row in rows if row.part not in NAMED | OPEN), "told in words"
    assert len({(row.part, row.item) for row in rows}) == len(rows), "part and item tell postings apart"
    indices = {act.index for act in scene.files[subject].acts}
    assert {row.record for row in rows} <= indices
    assert {row.begun for row in rows} <= indices | {-1}
    assert all((row.begun >= 0) == (PARTS[row.part].how == "days") for row in rows)
    assert all((row.currency != "") == (PARTS[row.part].how in ("money", "balance")) for row in rows)
    assert all((row.thing != "") == (PARTS[row.part].how in THINGS) or row.part in MAY for row in rows)
    return rows


THINGS = frozenset({"distinct", "held", "money", "balance"})
"""Ways to be summed that need a thing."""
MAY = frozenset({"M15", "M15.open", "M24.told.open", "M26.days", "M26.declined", "M31.grade", "M32.open"})
"""Parts that name a thing without need."""


def of(rows: list[Posting], part: str) -> list[Posting]:
    """The postings to a part."""
    return [row for row in rows if row.part == part]


def sums(rows: list[Posting], part: str) -> dict[str, int]:
    """Sums of values by line; lines that come to nothing are left out."""
    found: Counter[str] = Counter()
    for row in of(rows, part):
        found[f"{row.tag} {row.currency}".strip()] += row.value
    return {tag: number for tag, number in found.items() if number}


def things(rows: list[Posting], part: str) -> set[tuple[str, str]]:
    """Line and thing of each posting to a part."""
    return {(row.tag, row.thing) for row in of(rows, part)}


def standing(rows: list[Posting], part: str, at: int, *, partner: str | None = None) -> dict[str, int]:
    """Sums by line of what was posted until a moment (ms, inclusive)."""
    return sums([row for row in rows if row.time <= at and partner in (None, row.partner)], part)
