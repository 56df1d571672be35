"""The practice review of the Directorate (Order 4.3): coverage, practice, observance, co-operation at large, proposals.

The sections stand in the order of ``docs/reports.md``.  A change on last year is a difference of two answers for
scopes that differ in nothing but the year.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from projections.figures.answers import FiguresPage, PartAnswer, Scope
from projections.figures.catalogue import PARTS
from projections.figures.money import together
from projections.reports.annual import exchanges, meetings_held, verdicts
from projections.reports.document import Block, Cell, Document, Event, Items, Paragraph, Postings, Source, Table
from projections.reports.heading import Head, facts
from projections.reports.notes import Rests, finish
from projections.reports.observance import Observance
from projections.reports.tables import Column, caption, figure, heading, remark, sentence, text
from projections.reports.words import UNKNOWN, Words

AT_LARGE = ("M1", "M7", "M10", "M13", "M18", "M19", "M25.force")
"""Parts of section 4, by partner."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """The annual information of one office as the rulebook sees it."""

    office: str
    name: str
    state: str
    """``sent``, ``late``, ``missing``, ``due`` (may still come) or ``undetermined``."""
    sent: str = ""
    """ISO day."""
    received: str = ""
    why: str = ""
    event: Event | None = None
    contacts: int | None = None
    proposals: int | None = None


class Control(msgspec.Struct, frozen=True):
    """A check of offices."""

    event: Event
    first: str
    """ISO day, and the last one."""
    last: str
    how: str
    offices: int
    findings: int


class Compared(msgspec.Struct, frozen=True):
    """A part by office or counterpart, in the year and in the one before."""

    title: str
    """Code of the part that names it: exchanges are counted by M1, and called M22."""
    part: str
    dimension: str
    now: Mapping[str, PartAnswer]
    before: Mapping[str, PartAnswer]
    scope: Scope
    """Of the year."""
    earlier: Scope


class PracticeReview(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a year's practice."""

    head: Head
    partner: str
    role: str
    """To whom it goes."""
    reports: tuple[Reported, ...]
    controls: tuple[Control, ...]
    control: str
    """What the rulebook says of the checks."""
    now: FiguresPage
    """With the partner, in the year; ``before``: in the one before it."""
    before: FiguresPage
    all: FiguresPage
    """With every partner, and with none, in the year."""
    compared: tuple[Compared, ...]
    """Parts by office and counterpart."""
    observance: Observance
    large: Mapping[str, Mapping[str, PartAnswer]]
    """By part of ``AT_LARGE``: answers by partner."""
    proposals: tuple[str, ...] = ()


def assemble(review: PracticeReview) -> Document:
    """The document, its figures carrying their sources."""
    head = review.head
    words = Words(head.lang)
    blocks: list[Block] = [
        heading(words.say("review_coverage")),
        *_coverage(review, words),
        heading(words.say("review_practice")),
        *_practice(review, words),
        heading(words.say("review_observance")),
        *_observance(review, words),
        heading(words.say("review_large")),
        *_large(review, words),
        heading(words.say("review_proposals")),
        *_proposals(review, words),
    ]
    return Document(
        head.lang, words.say("review_title"),
        words.say("review_subtitle", year=head.year, role=words.code("role", review.role)),
        "", facts(head, words), tuple(blocks),
        head.imprint(
            "review", contacts=exchanges(review.now) + meetings_held(review.now), proposals=len(review.proposals),
            cites=tuple(one.event.event for one in review.reports if one.event is not None), role=review.role,
        ),
        words.say("footer", ledger=head.ledger, as_of=words.moment(head.as_of)),
    )  # fmt: skip


def complete(review: PracticeReview, draft: Document, found: Mapping[Source, Rests]) -> Document:
    """The document with its notes."""
    return finish(draft, {**found, **review.observance.rests}, Words(review.head.lang))


def _coverage(review: PracticeReview, words: Words) -> list[Block]:
    states = [one.state for one in review.reports]
    counted = {state: states.count(state) for state in ("sent", "late", "missing", "due", "undetermined")}
    said = words.say("coverage_said", all=len(states), **counted)
    rows = tuple(
        (
            text(one.office + (f", {one.name}" if one.name else "")),
            Cell(
                words.code("state", one.state) + (f": {one.why}" if one.why and one.state != "sent" else ""), one.event
            ),
            text(words.iso_day(one.sent) or UNKNOWN),
            text(words.iso_day(one.received) or UNKNOWN),
        )
        for one in review.reports
    )
    columns = tuple(words.say(key) for key in ("office", "state", "sent_on", "received_on"))
    blocks: list[Block] = [
        sentence(text(said)),
        Table(words.say("coverage_caption"), columns, rows, frozenset(), (6, 5, 3, 3)),
        sentence(text(review.control or words.say("no_controls"))),
    ]
    if review.controls:
        checked = tuple(
            (
                Cell(f"{words.iso_day(one.first)} – {words.iso_day(one.last)}", one.event),
                text(words.code("check", one.how)),
                text(words.number(one.offices)),
                text(words.number(one.findings)),
            )
            for one in review.controls
        )
        names = tuple(words.say(key) for key in ("period", "how", "offices_checked", "shortcomings"))
        blocks.append(Table(words.say("controls_caption"), names, checked, frozenset({2, 3}), (5, 3, 3, 3)))
    return blocks


def _practice(review: PracticeReview, words: Words) -> list[Block]:
    blocks: list[Block] = [_compared(one, review, words) for one in review.compared]
    blocks += [_lines_changed(part, review, words) for part in ("M22", "M22.topic", "M23")]
    blocks += figure(review.all, "M24.told", words)
    return blocks


def _compared(one: Compared, review: PracticeReview, words: Words) -> Table | Paragraph:
    """A part by office or counterpart: this year, last year, the difference."""
    title = f"{caption(one.title, words)}, {words.say(f'by_{one.dimension}')}"
    keys = sorted({key for key in (*one.now, *one.before) if key})
    if not keys:
        return remark(f"{title}: {words.say('nothing')}")
    now, before = Column("", one.part, one.now, one.scope), Column("", one.part, one.before, one.earlier)
    rows = tuple(
        (
            text(key),
            now.cell(one.dimension, key, words),
            before.cell(one.dimension, key, words),
            text(words.change(now.number(key), before.number(key))),
        )
        for key in keys
    )
    return Table(title, _years(review, words, one.dimension), rows, frozenset({1, 2, 3}), (5, 2, 2, 2))


def _lines_changed(part: str, review: PracticeReview, words: Words) -> Table | Paragraph:
    """A part by its lines: this year, last year, the difference."""
    figure_id = part.partition(".")[0]
    now, before = (page.figure(figure_id).part(part) for page in (review.now, review.before))
    news, olds = ({line.tag: line.number for line in answer.lines} for answer in (now, before))
    tags = sorted(news.keys() | olds.keys())
    if not tags:
        return remark(f"{caption(part, words)}: {words.say('nothing')}")
    rows = []
    for tag in tags:
        new, old = news.get(tag, 0), olds.get(tag, 0)
        rows.append(
            (
                text(words.line(part, tag)),
                Cell(words.number(new), Postings(part, review.now.scope, tag) if new else None),
                Cell(words.number(old), Postings(part, review.before.scope, tag) if old else None),
                text(words.change(new, old)),
            )
        )
    return Table(caption(part, words), _years(review, words, "line"), tuple(rows), frozenset({1, 2, 3}), (5, 2, 2, 2))


def _years(review: PracticeReview, words: Words, first: str) -> tuple[str, ...]:
    return words.say(first), str(review.head.year), str(review.head.year - 1), words.say("change")


def _observance(review: PracticeReview, words: Words) -> list[Block]:
    seen = review.observance
    if not seen.rules:
        return [remark(words.say("nothing"))]
    blocks: list[Block] = [
        remark(words.say("findings_note")),
        remark(words.say("partners_note")),
        verdicts(seen, review.head.year, "", words),
    ]
    lags = [one for one in seen.rules if one.lag]
    if lags:
        rows = tuple(
            tuple(map(text, (one.rule, words.place(one.cites), words.decimal(one.lag), one.lag_of))) for one in lags
        )
        columns = (words.say("rule"), words.say("place"), words.say("lag_days"), words.say("subject"))
        blocks.append(Table(words.say("lags_caption"), columns, rows, frozenset({2}), (2, 4, 3, 6)))
    reasons = [(one, reason) for one in seen.rules for reason in one.reasons]
    if reasons:
        told = tuple(
            (
                text(one.rule),
                text(words.place(one.cites)),
                text(words.number(reason.number)),
                text(_why(reason.example, reason.number, words)),
            )
            for one, reason in reasons
        )
        columns = (words.say("rule"), words.say("place"), words.say("findings"), words.say("why"))
        blocks.append(Table(words.say("reasons_caption"), columns, told, frozenset({2}), (2, 4, 3, 8)))
    return blocks


def _why(example: str, number: int, words: Words) -> str:
    return example if number == 1 else words.say("for_example", example=example)


def _large(review: PracticeReview, words: Words) -> list[Block]:
    partners = sorted({partner for answers in review.large.values() for partner in answers if partner})
    if not partners:
        return [remark(words.say("nothing"))]
    rows = []
    for partner in partners:
        scope = msgspec.structs.replace(review.all.scope, partner=partner)
        rows.append(
            (text(partner), *(_large_cell(part, review.large[part].get(partner), scope, words) for part in AT_LARGE))
        )
    columns = (words.say("partner"), *(f"{part.partition('.')[0]} {words.say(f'large_{part}')}" for part in AT_LARGE))
    return [
        remark(words.say("large_note")),
        Table(
            words.say("large_caption"),
            columns,
            tuple(rows),
            frozenset(range(1, len(columns))),
            (3, 3, 3, 6, 3, 6, 5, 4),
        ),
    ]


def _large_cell(part: str, answer: PartAnswer | None, scope: Scope, words: Words) -> Cell:
    if answer is None or not answer.lines:
        return text(UNKNOWN if PARTS[part].how == "days" else words.number(0))
    source = Postings(part, scope)
    if PARTS[part].how == "days":
        cases = sum(line.number for line in answer.lines)
        only = answer.lines[0] if len(answer.lines) == 1 else None
        if only is not None:
            return Cell(
                f"{words.percentile(only.p50, cases=cases)} / {words.percentile(only.p90, cases=cases)}", source
            )
        return Cell(
            "; ".join(
                f"{words.line(part, line.tag)} {words.percentile(line.p50, cases=line.number)}" for line in answer.lines
            ),
            source,
        )
    if PARTS[part].how in ("money", "balance"):
        sums = together((line.currency, line.number) for line in answer.lines)
        return Cell("; ".join(words.amount(value, currency) for currency, value in sorted(sums.items())), source)
    return Cell(words.number(answer.number), source)


def _proposals(review: PracticeReview, words: Words) -> list[Block]:
    rows = tuple(
        (text(one.office + (f", {one.name}" if one.name else "")), Cell(words.number(one.proposals), one.event))
        for one in review.reports
        if one.event is not None and one.proposals is not None
    )
    blocks: list[Block] = [heading(words.say("proposals_offices"), 2)]
    if rows:
        columns = (words.say("office"), words.say("proposals_number"))
        blocks.append(Table(words.say("proposals_caption"), columns, rows, frozenset({1}), (7, 3)))
    else:
        blocks.append(remark(words.say("nothing")))
    blocks.append(heading(words.say("proposals_own"), 2))
    blocks += [Items(review.proposals)] if review.proposals else [remark(words.say("no_proposals"))]
    return blocks
