"""The annual information of an office (Order 3.6): its direct contacts, their subjects, findings and proposals.

The sections stand in the order of ``docs/reports.md``.  Everything in it comes from the answers it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from projections.figures.answers import Cited, FiguresPage, PartAnswer
from projections.reports.document import Block, Cell, Document, Items, Postings, Source, Table
from projections.reports.heading import Head, facts
from projections.reports.notes import Rests, finish, sources
from projections.reports.observance import Found, Observance, Observed, source_of
from projections.reports.shares import confidentiality, confirmations
from projections.reports.tables import (
    Column,
    across,
    caption,
    columns_of,
    figure,
    heading,
    rate,
    remark,
    sentence,
    text,
)
from projections.reports.words import Words

EXCHANGE = "direct_exchange"
"""The kind of request that direct contacts are."""


class AnnualInformation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an office's year."""

    head: Head
    partner: str
    """The state whose offices it is in direct contact with."""
    page: FiguresPage
    """Of the office with that partner."""
    own: FiguresPage
    """Of the office, whoever the partner."""
    exchanges: Mapping[str, PartAnswer]
    """M1 of direct exchanges, by counterpart."""
    forms: Mapping[str, PartAnswer]
    """M22 by counterpart: a request may name several forms."""
    observance: Observance
    changes: tuple[Cited, ...] = ()
    """Changes of contacts, by time."""
    proposals: tuple[str, ...] = ()


def contacts(annual: AnnualInformation) -> int:
    """How many direct contacts the information speaks of: direct exchanges and meetings held."""
    return exchanges(annual.page) + meetings_held(annual.page)


def exchanges(page: FiguresPage) -> int:
    """Direct exchanges: requests, each once however many forms it names."""
    lines = page.figure("M1").part("M1").lines
    return sum(line.number for line in lines if line.tag.split(" ")[-1] == EXCHANGE)


def meetings_held(page: FiguresPage) -> int:
    """Meetings that took place."""
    lines = page.figure("M23").part("M23").lines
    return sum(line.number for line in lines if line.tag.split(" ")[0] == "held")


def assemble(annual: AnnualInformation) -> Document:
    """The document, its figures carrying their sources; ``finish`` numbers them."""
    head = annual.head
    words = Words(head.lang)
    blocks: list[Block] = [
        *_contacts(annual, words),
        *_subjects(annual, words),
        *_requests(annual, words),
        *_findings(annual, words),
        *_office_contacts(annual, words),
        heading(words.say("annual_proposals")),
        *_proposals(annual.proposals, words),
    ]
    return Document(
        head.lang, words.say("annual_title"), words.say("annual_subtitle", office=head.named, year=head.year),
        words.say("annual_general"), facts(head, words), tuple(blocks),
        head.imprint("annual", contacts=contacts(annual), proposals=len(annual.proposals)),
        words.say("footer", ledger=head.ledger, as_of=words.moment(head.as_of)),
    )  # fmt: skip


def complete(annual: AnnualInformation, draft: Document, found: Mapping[Source, Rests]) -> Document:
    """The document with its notes; ``found`` is what ``wanted(draft)`` came to."""
    return finish(draft, {**found, **annual.observance.rests}, Words(annual.head.lang))


def wanted(draft: Document) -> list[Postings]:
    """What has to be asked of the figures for the notes."""
    return [source for source in sources(draft) if isinstance(source, Postings)]


def _contacts(annual: AnnualInformation, words: Words) -> list[Block]:
    page = annual.page
    direct = msgspec.structs.replace(page.scope, kind=EXCHANGE)
    requests = Column(words.unit("requests"), "M1", annual.exchanges, direct)
    forms = columns_of("M22", annual.forms, page.scope, words)
    blocks: list[Block] = [
        heading(words.say("annual_contacts")),
        sentence(
            text(words.say("contacts_exchanges", number=words.number(contacts(annual)))),
            _cited(exchanges(page), Postings("M1", direct), words),
            text(words.say("contacts_meetings")),
            _cited(meetings_held(page), Postings("M23", page.scope, "held"), words),
            text("."),
        ),
        across(caption("M22", words), "counterpart", [requests, *forms], words),
    ]
    for part in ("M23", "M23.place", "M23.programme"):
        blocks += figure(page, part, words, empty=part == "M23")
    for part in ("M35", "M35.moved"):
        blocks += figure(page, part, words)
    return blocks


def _cited(number: int, source: Source, words: Words) -> Cell:
    """A number with its source; nothing has none."""
    return Cell(words.number(number), source if number else None)


def _subjects(annual: AnnualInformation, words: Words) -> list[Block]:
    return [heading(words.say("annual_subjects")), *figure(annual.page, "M22.topic", words)]


def _requests(annual: AnnualInformation, words: Words) -> list[Block]:
    page = annual.page
    blocks: list[Block] = [heading(words.say("annual_requests"))]
    for part in ("M1", "M6", "M10", "M33"):
        blocks += figure(page, part, words)
    blocks += confirmations(page, annual.head, annual.partner, words)
    refusals = page.figure("M8").part("M8")
    if refusals.lines:
        blocks.append(rate(refusals, page.scope, words))
    return blocks


def _findings(annual: AnnualInformation, words: Words) -> list[Block]:
    office, observance = annual.head.office, annual.observance
    blocks: list[Block] = [heading(words.say("annual_findings")), remark(words.say("findings_note"))]
    if observance.rules:
        blocks.append(verdicts(observance, annual.head.year, office, words))
    else:
        blocks.append(remark(words.say("nothing")))
    blocks += confidentiality(annual.own, annual.head, words)
    if observance.found:
        blocks.append(_each(observance.found, words))
    return blocks


def verdicts(observance: Observance, year: int, office: str, words: Words) -> Table:
    """M28 and M29: the verdicts of each rule, and what is open beyond its threshold."""
    order = ("met", "breached", "open", "undetermined")
    rows = []
    for seen in observance.rules:
        cells = [_verdict_cell(seen, verdict, year, office, words) for verdict in order]
        rows.append((text(seen.rule), text(words.place(seen.cites)), *cells, text(words.number(seen.overdue))))
    columns = (words.say("rule"), words.say("place"), *(words.code("verdict", v) for v in order), words.say("overdue"))
    return Table(words.say("verdicts_caption"), columns, tuple(rows), frozenset(range(2, 7)), (2, 4, 3, 3, 3, 3, 3))


def _verdict_cell(seen: Observed, verdict: str, year: int, office: str, words: Words) -> Cell:
    number, partners = seen.counts.get(verdict, 0), seen.partners.get(verdict, 0)
    if not number:
        return text(words.number(0))
    said = words.number(number) + (f" ({words.number(partners)})" if partners else "")
    return Cell(said, source_of(seen.rule, verdict, year, office, of_year=seen.of_year))


def _each(found: tuple[Found, ...], words: Words) -> Table:
    rows = tuple(
        (
            text(f"{one.rule} ({words.place(one.cites)})"),
            text(", ".join(words.code("verdict", v) for v in (one.verdict, *(("overdue",) if one.overdue else ())))),
            text(f"{one.line}. {words.say('because', why=one.why)}"),
            text(f"{one.subject}, {one.record}" if one.record else one.subject),
        )
        for one in found
    )
    columns = (words.say("rule"), words.say("verdict"), words.say("what_is_found"), words.say("records"))
    return Table(words.say("findings_each"), columns, rows, frozenset(), (3, 3, 7, 5))


def _office_contacts(annual: AnnualInformation, words: Words) -> list[Block]:
    page = annual.own
    blocks: list[Block] = [heading(words.say("annual_office_contacts"))]
    for part in ("M24", "M24.changes", "M24.told"):
        blocks += figure(page, part, words)
    if annual.changes:
        zone = annual.head.zone
        rows = tuple(
            (
                text(words.day(one.time, zone)),
                text(f"{one.subject} {one.partition}:{one.index}"),
                text(one.item.partition(" ")[0]),
            )
            for one in annual.changes
        )
        columns = (words.say("day"), words.say("records"), words.say("event"))
        blocks.append(Table(words.say("changes_caption"), columns, rows, frozenset(), (2, 3, 6)))
    return blocks


def _proposals(proposals: tuple[str, ...], words: Words) -> list[Block]:
    return [Items(proposals)] if proposals else [remark(words.say("no_proposals"))]
