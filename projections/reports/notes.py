"""What the figures of a document rest on: sources become numbered notes.

A note gives the number of records, the first and the last of them with partition and index, and the command that lists
them all; the position that all notes share stands in the heading of the document::

    [3] M22, KZ, RU-OMS, KZ-B-01, 2025, o1 information on crime. Records: 14, first 2025-01-14 request/2025-71
        (0:412), last 2025-12-03 request/2025-903 (1:88). rogatory partners KZ --figure M22 --records …
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import msgspec

from projections.figures.answers import Citation, Cited
from projections.figures.months import ALL, format_period
from projections.reports.document import (
    Block,
    Cell,
    Document,
    Event,
    Findings,
    Heading,
    Note,
    Notes,
    Paragraph,
    Postings,
    Source,
    Table,
)
from projections.reports.words import UNKNOWN, Words


class Rests(msgspec.Struct, frozen=True):
    """What a source came to: how many postings or findings, and the first and last of their records."""

    number: int
    first: str = ""
    last: str = ""


def rests_on(citation: Citation, words: Words, zone: str) -> Rests:
    """What postings rest on, as the figures cite it."""
    first, last = ("" if cited is None else _said(cited, words, zone) for cited in (citation.first, citation.last))
    return Rests(citation.postings, first, last)


def _said(cited: Cited, words: Words, zone: str) -> str:
    return f"{words.day(cited.time, zone)} {cited.subject} ({cited.partition}:{cited.index})"


def sources(document: Document) -> list[Source]:
    """Every source of a document once, in the order in which it is first cited."""
    return list(dict.fromkeys(cell.source for cell in document.cells() if cell.source is not None))


def finish(document: Document, found: Mapping[Source, Rests], words: Words) -> Document:
    """The document with numbers in place of its sources, and the notes at its end."""
    numbers = {source: number for number, source in enumerate(sources(document), 1)}
    notes = tuple(
        Note(number, _text(source, found.get(source), words), query(source, document.imprint.as_of, words))
        for source, number in numbers.items()
    )
    blocks = tuple(_numbered(block, numbers) for block in document.blocks)
    end: tuple[Block, ...] = (
        Heading(words.say(f"{document.imprint.sort}_notes")),
        Paragraph(
            (
                Cell(
                    words.say("notes_rest_on", position=position(document.imprint.sizes)),
                ),
            ),
            quiet=True,
        ),
        Notes(notes),
    )
    return msgspec.structs.replace(document, blocks=(*blocks, *end))


def position(sizes: tuple[int, ...]) -> str:
    """How many records of each partition are known, ``0:120 1:97``."""
    return " ".join(f"{partition}:{size}" for partition, size in enumerate(sizes))


def _numbered(block: Block, numbers: Mapping[Source, int]) -> Block:
    def cell(one: Cell) -> Cell:
        return one if one.source is None else Cell(one.text, note=numbers[one.source])

    if isinstance(block, Paragraph):
        return msgspec.structs.replace(block, cells=tuple(map(cell, block.cells)))
    if isinstance(block, Table):
        return msgspec.structs.replace(block, rows=tuple(tuple(map(cell, row)) for row in block.rows))
    return block


def _text(source: Source, rests: Rests | None, words: Words) -> str:
    if isinstance(source, Event):
        return words.say("note_event", name=source.name, id=source.event, subject=source.subject, index=source.index)
    about = _about(source, words)
    if rests is None or not rests.number:
        return words.say("note_none", about=about)
    count = words.number(rests.number)
    kind = "note_findings" if isinstance(source, Findings) else "note_postings"
    return words.say(kind, about=about, count=count, first=rests.first or UNKNOWN, last=rests.last or UNKNOWN)


def _about(source: Postings | Findings, words: Words) -> str:
    if isinstance(source, Findings):
        told = source.rule, source.partner, source.office, words.code("verdict", source.verdict)
        return ", ".join(part for part in told if part)
    scope = source.scope
    codes = [one for one in (scope.partner, scope.office, scope.counterpart) if one]
    narrowed = [words.line("M1", one) for one in (scope.kind, scope.direction) if one]
    named = [source.part, *codes, *narrowed, format_period(scope.first, scope.last)]
    return ", ".join(named if source.tag is None else [*named, words.line(source.part, source.tag)])


def query(source: Source, as_of: int, words: Words) -> str:
    """The command that lists what a source is."""
    if isinstance(source, Postings):
        said = _of_postings(source)
    elif isinstance(source, Findings):
        where = ["--subject", f"year/{source.year}"] if source.of_year else ["--period", str(source.year)]
        said = ["compliance", *where, "--rule", source.rule, "--verdict", source.verdict]
        said += ["--office", source.office] if source.office else []
        said += ["--partner", source.partner] if source.partner else []
        said += ["--as-of", words.moment(as_of)]
    else:
        said = ["compliance", source.subject]
    return shlex.join(["rogatory", *said])


def _of_postings(source: Postings) -> list[str]:
    scope = source.scope
    said = ["partners", {None: "all", "": "none"}.get(scope.partner, scope.partner or ""), "--figure", source.part]
    said += ["--records"] if source.tag is None else ["--records", "--tag", source.tag]
    for name in ("office", "counterpart", "kind", "direction"):
        value = getattr(scope, name)
        said += [f"--{name}", value] if value else []
    if (scope.first, scope.last) != ALL:
        said += ["--period", format_period(scope.first, scope.last)]
    return said
