"""Shares that take two figures: findings about confidentiality by materials (M30), confirmed oral requests (M33)."""

from __future__ import annotations

from projections.figures.answers import FiguresPage

AGAINST = ("breached", "undetermined")
"""Verdicts that count as findings of M30."""
CONFIRMED = "A6.2b"
"""The rule that asks for the confirmation of an oral request (Agr. 6(2))."""


def per_materials(page: FiguresPage) -> tuple[int, int]:
    """Findings of M30 that are breached or undetermined, and the materials sent and received (M31)."""
    found = sum(line.number for line in page.figure("M30").verdicts if line.verdict in AGAINST)
    return found, page.figure("M31").part("M31").number or 0


def confirmed(page: FiguresPage) -> tuple[int, int]:
    """Oral requests (M33) that were confirmed in time by every reading of the term, of all that A6.2b speaks of."""
    of = [line for line in page.figure("M28").verdicts if line.rule == CONFIRMED]
    return sum(line.number for line in of if line.verdict == "met"), sum(line.number for line in of)
