"""Figures that stand on findings and something else, as sentences: M30 by materials, M33's confirmed requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from projections.figures.answers import FiguresPage, VerdictLine
from projections.figures.shares import AGAINST, CONFIRMED, confirmed, per_materials
from projections.reports.document import Cell, Paragraph, Postings
from projections.reports.heading import Head
from projections.reports.observance import source_of
from projections.reports.tables import caption, sentence, text
from projections.reports.words import Words


def confidentiality(page: FiguresPage, head: Head, words: Words) -> list[Paragraph]:
    """M30: the office's findings about confidentiality per 1,000 of its materials; none where it has neither.

    Args:
        page: of the office, whoever the partner, as findings are cited.
        head: of the document.
        words: of the document.
    """
    found, materials = per_materials(page)
    if not found and not materials:
        return []
    lines = [line for line in page.figure("M30").verdicts if line.verdict in AGAINST]
    supplied = Cell(words.number(materials), Postings("M31", page.scope) if materials else None)
    said = words.say("per_materials", caption=caption("M30", words), rate=words.ratio(1000 * found, materials))
    told = text(words.say("per_materials_found", found=words.number(found)))
    cited = _cited(lines, head, words, lambda line: f"{line.rule} {words.code('verdict', line.verdict)}")
    return [sentence(text(said), supplied, told, *cited, text("."))]


def confirmations(page: FiguresPage, head: Head, partner: str, words: Words) -> list[Paragraph]:
    """M33: the share of the office's oral requests that was confirmed within all readings; none where it has none.

    Args:
        page: of the office with the partner.
        head: of the document.
        partner: the other Party.
        words: of the document.
    """
    met, judged = confirmed(page)
    if not judged:
        return []
    lines = [line for line in page.figure("M28").verdicts if line.rule == CONFIRMED]
    said = words.say("confirmed", rule=CONFIRMED, share=words.percent(met, judged))
    cited = _cited(lines, head, words, lambda line: words.code("verdict", line.verdict), partner)
    return [sentence(text(said), *cited, text("."))]


def _cited(
    lines: list[VerdictLine], head: Head, words: Words, name: Callable[[VerdictLine], str], partner: str = ""
) -> Iterator[Cell]:
    """`` (met 2, breached 1)``, each number with its source; nothing where there is none."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        counted[name(line), line.rule, line.verdict] += line.number
    for place, ((said, rule, verdict), number) in enumerate(counted.items()):
        yield text(", " if place else " (")
        source = source_of(rule, verdict, head.year, head.office, of_year=False, partner=partner)
        yield Cell(f"{said} {words.number(number)}", source)
    if counted:
        yield text(")")
