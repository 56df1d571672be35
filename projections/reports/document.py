"""What a document is made of, whatever it is written as: headings, paragraphs, tables, lists, and notes.

A *note* is what a figure rests on, as a footnote is: the figure carries its number, ``[3]``, the last section has it
in full.  While a document is assembled a cell carries a *source* instead, which ``notes.py`` turns into a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from projections.figures.answers import Scope
from projections.reports.imprint import Imprint

Lang = Literal["en", "ru"]


class Postings(msgspec.Struct, frozen=True):
    """A source: the postings of a part of a figure."""

    part: str
    scope: Scope
    tag: str | None = None


class Findings(msgspec.Struct, frozen=True):
    """A source: findings of a rule with a verdict, that arose in a year; ``of_year``: those of the year as such."""

    rule: str
    verdict: str
    year: int
    office: str = ""
    """Who owes it; empty: anybody."""
    of_year: bool = False
    partner: str = ""
    """With whom; empty: anybody."""


class Event(msgspec.Struct, frozen=True):
    """A source: one record. ``index`` is its leaf in the partition of the subject."""

    subject: str
    index: int
    event: str
    name: str


Source = Postings | Findings | Event


class Cell(msgspec.Struct, frozen=True):
    """A text with what it rests on; ``note`` is the number that stands for it, 0: none."""

    text: str
    source: Source | None = None
    note: int = 0


class Heading(msgspec.Struct, frozen=True, tag=True):
    """Begins a section; ``level`` 1 or 2 (the title is 0)."""

    text: str
    level: int = 1


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    """Running text; ``quiet``: a remark beside it."""

    cells: tuple[Cell, ...]
    quiet: bool = False


class Table(msgspec.Struct, frozen=True, tag=True):
    """Rows under columns. The first column says what a row is about; ``numbers`` are columns of numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int] = frozenset()
    widths: tuple[int, ...] = ()
    """Shares of the width by column; empty: as the texts need."""
    total: bool = False
    """Whether the last row is a total."""


class Items(msgspec.Struct, frozen=True, tag=True):
    """A numbered list."""

    texts: tuple[str, ...]


class Note(msgspec.Struct, frozen=True):
    """What figures with this number rest on. ``query`` is the command that lists it."""

    number: int
    text: str
    query: str


class Notes(msgspec.Struct, frozen=True, tag=True):
    """The notes of the document."""

    notes: tuple[Note, ...]


Block = Heading | Paragraph | Table | Items | Notes


class Document(msgspec.Struct, frozen=True):
    """A whole document. ``facts`` are what it is about and what it rests on, each with its name."""

    lang: Lang
    title: str
    subtitle: str
    general: str
    """Heading above the facts; empty: none."""
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    imprint: Imprint
    footer: str

    def cells(self) -> Iterator[Cell]:
        """Every cell of it, in order."""
        for block in self.blocks:
            if isinstance(block, Paragraph):
                yield from block.cells
            elif isinstance(block, Table):
                for row in block.rows:
                    yield from row
