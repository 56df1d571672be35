"""The table of ``docs/figures.md``, made from the catalogue of figures (``refresh.py`` writes it)."""  # noqa: INP001 - as refresh.py

from __future__ import annotations

from collections.abc import Iterator

from projections.figures.catalogue import FIGURES, Figure, Part
from projections.figures.words import full_title, said_unit

_MEANS = {
    "count": "sum of the period",
    "standing": "at the end of the period",
    "distinct": "each once in the period",
    "held": "each once, at the end of the period",
    "days": "percentiles of the period",
    "money": "sum of the period, by currency",
    "balance": "at the end of the period, by currency",
    "verdicts": "findings of the period",
}
_OWN = {"M3": "different states with requests in the period"}
"""Parts that are summed in a way of their own."""


def tables() -> dict[str, str]:
    """Each table by its marker."""
    heads = ("id", "figure", "counted in", "how", "ground")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(row)} |" for figure in FIGURES for row in _rows(figure)]
    return {"figures": "\n".join(lines)}


def _rows(figure: Figure) -> Iterator[tuple[str, ...]]:
    for number, part in enumerate(figure.parts):
        yield f"`{part.code}`", full_title(part.code), said_unit(part.unit), _how(part), "" if number else figure.ground


def _how(part: Part) -> str:
    said = _OWN.get(part.code, _MEANS[part.how])
    if part.rate:
        said += f"; share of `{part.rate}`"
    elif part.shares:
        said += "; shares"
    if part.less:
        said += f"; less `{part.less}`"
    return said
