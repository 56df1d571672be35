"""Answers as tables: counts with shares, days with percentiles, amounts by currency; each number with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from projections.figures.answers import FiguresPage, Line, PartAnswer, Scope
from projections.figures.catalogue import OF_PART, PARTS
from projections.figures.money import together
from projections.reports.document import Cell, Heading, Paragraph, Postings, Table
from projections.reports.words import Words


def text(said: str) -> Cell:
    """A cell that rests on nothing of its own."""
    return Cell(said)


def remark(said: str) -> Paragraph:
    """A remark beside the figures."""
    return Paragraph((Cell(said),), quiet=True)


def sentence(*cells: Cell) -> Paragraph:
    """Running text of several cells."""
    return Paragraph(cells)


def heading(said: str, level: int = 1) -> Heading:
    """A heading."""
    return Heading(said, level)


def caption(part: str, words: Words) -> str:
    """``M22. Direct exchanges: by form``."""
    return f"{OF_PART[part].id}. {words.figure(part)}"


def figure(page: FiguresPage, part: str, words: Words, *, empty: bool = True) -> list[Table | Paragraph]:
    """A part of a figure as its sort asks; a sentence where nothing was posted (nothing, if not ``empty``)."""
    answer = page.figure(OF_PART[part].id).part(part)
    if not answer.lines:
        return [remark(f"{caption(part, words)}: {words.say('nothing')}")] if empty else []
    how = PARTS[part].how
    if how == "days":
        opened = page.figure(OF_PART[part].id).part(f"{part}.open") if f"{part}.open" in PARTS else None
        return [days(answer, opened, page.scope, words)]
    if how in ("money", "balance"):
        return [amounts(answer, page.scope, words)]
    return [counts(answer, page.scope, words)]


def counts(answer: PartAnswer, scope: Scope, words: Words) -> Table:
    """Lines with their numbers; shares where the figure has them; a total unless things stand in several lines."""
    part = PARTS[answer.code]
    of = sum(line.number for line in answer.lines)
    shares = part.shares and of > 0
    rows = [
        (
            text(words.line(answer.code, line.tag)),
            Cell(words.number(line.number), Postings(answer.code, scope, line.tag or None)),
            *((text(words.percent(line.number, of)),) if shares else ()),
        )
        for line in answer.lines
    ]
    total = len(rows) > 1 and answer.number is not None
    if total:
        whole = Cell(words.number(answer.number), Postings(answer.code, scope))
        rows.append((text(words.say("total")), whole, *((text(words.percent(of, of)),) if shares else ())))
    columns = (words.say("line"), words.unit(part.unit), *((words.say("share"),) if shares else ()))
    return Table(
        caption(answer.code, words), columns, tuple(rows), frozenset(range(1, len(columns))),
        (6, 2, 2) if shares else (6, 2), total,
    )  # fmt: skip


def rate(answer: PartAnswer, scope: Scope, words: Words) -> Paragraph:
    """The share of the lines that the figure names, as a sentence."""
    part = PARTS[answer.code]
    some, of = answer.share(part.rate)
    said = words.say("rate", share=words.percent(some, of), some=words.number(some), of=words.number(of))
    return sentence(text(f"{caption(answer.code, words)}: "), Cell(said, Postings(answer.code, scope)))


def days(answer: PartAnswer, opened: PartAnswer | None, scope: Scope, words: Words) -> Table:
    """Percentiles of finished cases, and the open ones beside."""
    waiting = {line.tag: line for line in opened.lines} if opened is not None else {}
    rows = []
    for line in _with_open(answer.lines, waiting):
        still = waiting.get(line.tag)
        found = [words.percentile(value, cases=line.number) for value in (line.p50, line.p90, line.p99)]
        cells = [
            text(words.line(answer.code, line.tag)),
            Cell(words.number(line.number), Postings(answer.code, scope, line.tag or None) if line.number else None),
            *map(text, found),
        ]
        if opened is not None:
            source = Postings(opened.code, scope, line.tag or None) if still else None
            cells.append(Cell(words.number(still.number if still else 0), source))
        rows.append(tuple(cells))
    columns = [words.say("line"), words.say("cases"), "p50", "p90", "p99"]
    columns += [words.say("open")] if opened is not None else []
    return Table(
        f"{caption(answer.code, words)}, {words.unit('days')}", tuple(columns), tuple(rows),
        frozenset(range(1, len(columns))), (5, 3, 2, 3, 3, 3)[: len(columns)],
    )  # fmt: skip


def _with_open(lines: Sequence[Line], waiting: Mapping[str, Line]) -> Iterable[Line]:
    """The lines, and those of which there are open cases alone."""
    known = {line.tag for line in lines}
    yield from lines
    yield from (Line(tag, 0) for tag in waiting if tag not in known)


def amounts(answer: PartAnswer, scope: Scope, words: Words) -> Table:
    """Amounts, one a line and currency: currencies are never added."""
    rows = []
    for tag in dict.fromkeys(line.tag for line in answer.lines):
        sums = together((line.currency, line.number) for line in answer.lines if line.tag == tag)
        rows += [
            (
                text(words.line(answer.code, tag)),
                Cell(words.amount(value, currency), Postings(answer.code, scope, tag or None)),
            )
            for currency, value in sorted(sums.items())
        ]
    columns = (words.say("line"), words.say("amount"))
    return Table(caption(answer.code, words), columns, tuple(rows), frozenset({1}), (6, 4))


class Column(msgspec.Struct, frozen=True):
    """Numbers of one part, by what the rows of a table are."""

    title: str
    part: str
    found: Mapping[str, PartAnswer]
    scope: Scope
    """Of all rows together."""
    tag: str | None = None
    """One line of the part; None: the part as a whole."""

    def cell(self, dimension: str, key: str, words: Words) -> Cell:
        """The number of a row, cited by the scope of that row."""
        number = self.number(key)
        within = msgspec.structs.replace(self.scope, **{dimension: key})
        return Cell(words.number(number), Postings(self.part, within, self.tag) if number else None)

    def number(self, key: str) -> int:
        """The number of a row; 0 where nothing was posted."""
        answer = self.found.get(key)
        if answer is None:
            return 0
        if self.tag is None:
            return answer.number or 0
        return sum(line.number for line in answer.lines if line.tag == self.tag)


def columns_of(part: str, found: Mapping[str, PartAnswer], scope: Scope, words: Words) -> list[Column]:
    """A column for each line of a part that any row has."""
    tags = sorted({line.tag for answer in found.values() for line in answer.lines})
    return [Column(words.line(part, tag), part, found, scope, tag) for tag in tags]


def across(title: str, dimension: str, columns: Sequence[Column], words: Words) -> Table | Paragraph:
    """Who did how many of what: a row for each office, counterpart or state that has any."""
    keys = sorted({key for column in columns for key in column.found if key})
    if not keys:
        return remark(f"{title}: {words.say('nothing')}")
    rows = tuple((text(key), *(column.cell(dimension, key, words) for column in columns)) for key in keys)
    names = (words.say(dimension), *(column.title for column in columns))
    return Table(title, names, rows, frozenset(range(1, len(names))))
