"""The figures M1-M36: what each counts, in which unit, and how its postings come to a number; ``words.py`` names them.

A figure has one part or several, each with a way of its own to be summed:

============  ================================================================================================
``count``     sum of the values posted in the period
``standing``  sum of all values posted until the end of the period: how many there are then
``distinct``  different things posted in the period, each once whatever the number of subjects that speak of it
``held``      different things whose values until the end of the period sum up to more than 0
``days``      nearest-rank percentiles of the values posted in the period (whole days elapsed)
``money``     amounts posted in the period by currency; of a thing in several subjects the greatest sum counts once
``balance``   the same until the end of the period, less what is posted to the part named by ``less``
``verdicts``  findings of the rulebook (``projections/compliance``), which have no postings
============  ================================================================================================

Nearest rank over finished cases: p90 needs ten of them and p99 a hundred, else it says *too few* (our choice); open
cases stand beside, in a part of their own.  A share of nothing is "—".
"""

from __future__ import annotations

from typing import Literal

import msgspec

How = Literal["count", "standing", "distinct", "held", "days", "money", "balance", "verdicts"]


class Part(msgspec.Struct, frozen=True):
    """One sum of a figure. ``rate``: the tag (or first word of tags) whose share of all is the figure."""

    code: str
    how: How
    unit: str
    shares: bool = False
    """Whether each line is shown with its share of the part."""
    rate: str = ""
    less: str = ""


class Figure(msgspec.Struct, frozen=True):
    """A figure of the list of ``docs/figures.md``."""

    id: str
    ground: str
    """Place in the texts, or "our choice"."""
    parts: tuple[Part, ...]


def _one(id_: str, ground: str, how: How, unit: str, *, shares: bool = False, rate: str = "") -> Figure:
    return Figure(id_, ground, (Part(id_, how, unit, shares, rate),))


_OURS = "our choice"

FIGURES: tuple[Figure, ...] = (
    _one("M1", "annual reports of the Prosecutor General's Office", "count", "requests"),
    _one("M2", "annual reports of the Prosecutor General's Office", "count", "documents"),
    _one("M3", "annual reports of the Prosecutor General's Office", "count", "states"),
    _one("M4", _OURS, "standing", "requests"),
    _one("M5", _OURS, "standing", "requests"),
    _one("M6", _OURS, "count", "requests", shares=True),
    _one("M7", "Agr. 7(1)", "count", "decisions", shares=True),
    _one("M8", _OURS, "count", "requests", rate="refused"),
    _one("M9", "Agr. 7(2)", "count", "refusals", rate="consulted"),
    Figure("M10", "Agr. 8(2)", (
        Part("M10", "days", "days"),
        Part("M10.open", "standing", "requests"),
    )),
    Figure("M11", _OURS, (
        Part("M11.accept", "days", "days"),
        Part("M11.accept.open", "standing", "requests"),
        Part("M11.execute", "days", "days"),
        Part("M11.execute.open", "standing", "requests"),
    )),
    _one("M12", _OURS, "days", "days"),
    _one("M13", "annual reports of the Prosecutor General's Office", "distinct", "persons"),
    _one("M14", "annual reports of the Prosecutor General's Office", "distinct", "persons"),
    Figure("M15", _OURS, (
        Part("M15", "days", "days"),
        Part("M15.open", "held", "persons"),
    )),
    _one("M16", "annual reports of the Prosecutor General's Office", "distinct", "persons"),
    _one("M17", "annual reports of the Prosecutor General's Office", "distinct", "cases"),
    Figure("M18", "annual reports of the Prosecutor General's Office", (
        Part("M18", "balance", "money", less="M20"),
    )),
    _one("M19", "annual reports of the Prosecutor General's Office", "money", "money"),
    _one("M20", "annual reports of the Prosecutor General's Office", "money", "money"),
    _one("M21", _OURS, "count", "measures and documents"),
    Figure("M22", "Order 2, 3.2, 3.6", (
        Part("M22", "distinct", "requests", shares=True),
        Part("M22.topic", "count", "mentions", shares=True),
    )),
    Figure("M23", "Order 3.5", (
        Part("M23", "distinct", "meetings"),
        Part("M23.place", "distinct", "meetings"),
        Part("M23.programme", "distinct", "meetings"),
    )),
    Figure("M24", "Order 3.1, 4.2", (
        Part("M24", "held", "offices"),
        Part("M24.changes", "count", "changes"),
        Part("M24.told", "days", "days"),
        Part("M24.told.open", "standing", "changes"),
    )),
    Figure("M25", "annual reports of the Prosecutor General's Office", (
        Part("M25.signed", "held", "instruments"),
        Part("M25.force", "held", "instruments"),
        Part("M25.new", "distinct", "instruments"),
    )),
    Figure("M26", "annual reports of the Prosecutor General's Office", (
        Part("M26", "held", "instruments"),
        Part("M26.days", "days", "days"),
        Part("M26.declined", "count", "applications"),
    )),
    Figure("M27", "annual reports of the Prosecutor General's Office", (
        Part("M27", "held", "programmes"),
        Part("M27.events", "distinct", "meetings"),
    )),
    _one("M28", "the rulebook", "verdicts", "findings"),
    _one("M29", "configuration", "verdicts", "findings"),
    _one("M30", "Agr. 9; Order 3.3", "verdicts", "findings"),
    Figure("M31", "Agr. 9", (
        Part("M31", "count", "materials"),
        Part("M31.grade", "standing", "materials"),
        Part("M31.disposed", "count", "materials"),
        Part("M31.erased", "count", "materials"),
    )),
    Figure("M32", "Agr. 9(3)", (
        Part("M32", "count", "consents"),
        Part("M32.days", "days", "days"),
        Part("M32.open", "standing", "consents"),
    )),
    _one("M33", "Agr. 6(2)", "count", "requests"),
    Figure("M34", "Agr. 10", (
        Part("M34", "money", "money"),
        Part("M34.agreed", "count", "costs", rate="agreed"),
    )),
    Figure("M35", "Order 3.4", (
        Part("M35", "count", "requests", shares=True),
        Part("M35.moved", "distinct", "requests"),
    )),
    Figure("M36", _OURS, (
        Part("M36", "count", "records", rate="in_time"),
        Part("M36.corrections", "count", "records"),
        Part("M36.future", "count", "records"),
    )),
)  # fmt: skip
"""In the order of their numbers."""

PARTS: dict[str, Part] = {part.code: part for figure in FIGURES for part in figure.parts}
"""By code."""
OF_PART: dict[str, Figure] = {part.code: figure for figure in FIGURES for part in figure.parts}
"""The figure of each part."""
