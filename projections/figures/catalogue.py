"""The figures M1-M36: what each counts, in which unit, and how its postings come to a number.

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
    title: str
    how: How
    unit: str
    shares: bool = False
    """Whether each line is shown with its share of the part."""
    rate: str = ""
    less: str = ""


class Figure(msgspec.Struct, frozen=True):
    """A figure of the list of ``docs/figures.md``."""

    id: str
    title: str
    ground: str
    """Place in the texts, or "our choice"."""
    parts: tuple[Part, ...]


def _one(id_: str, title: str, ground: str, how: How, unit: str, *, shares: bool = False, rate: str = "") -> Figure:
    return Figure(id_, title, ground, (Part(id_, title, how, unit, shares, rate),))


_OURS = "our choice"

FIGURES: tuple[Figure, ...] = (
    _one("M1", "requests", "annual reports of the Prosecutor General's Office", "count", "requests"),
    _one("M2", "documents considered", "annual reports of the Prosecutor General's Office", "count", "documents"),
    _one("M3", "partners", "annual reports of the Prosecutor General's Office", "count", "states"),
    _one("M4", "open at date", _OURS, "standing", "requests"),
    _one("M5", "open, by side that owes the next step", _OURS, "standing", "requests"),
    _one("M6", "outcomes", _OURS, "count", "requests", shares=True),
    _one("M7", "refusals by ground and scope", "Agr. 7(1)", "count", "decisions", shares=True),
    _one("M8", "refusal rate", _OURS, "count", "requests", rate="refused"),
    _one("M9", "consultation before a refusal", "Agr. 7(2)", "count", "refusals", rate="consulted"),
    Figure("M10", "time to answer", "Agr. 8(2)", (
        Part("M10", "received to first final answer", "days", "days"),
        Part("M10.open", "received, not answered", "standing", "requests"),
    )),
    Figure("M11", "time to accept and to execute", _OURS, (
        Part("M11.accept", "received to accepted", "days", "days"),
        Part("M11.accept.open", "received, neither accepted nor ended", "standing", "requests"),
        Part("M11.execute", "accepted to executed", "days", "days"),
        Part("M11.execute.open", "accepted, neither executed nor ended", "standing", "requests"),
    )),
    _one("M12", "waiting per side, of requests that ended", _OURS, "days", "days"),
    _one("M13", "persons extradited", "annual reports of the Prosecutor General's Office", "distinct", "persons"),
    _one("M14", "persons transferred", "annual reports of the Prosecutor General's Office", "distinct", "persons"),
    Figure("M15", "detained to handed over", _OURS, (
        Part("M15", "detained to handed over", "days", "days"),
        Part("M15.open", "detained, neither handed over nor released", "standing", "persons"),
    )),
    _one("M16", "persons located", "annual reports of the Prosecutor General's Office", "distinct", "persons"),
    _one("M17", "prosecutions taken over, concluded", "annual reports of the Prosecutor General's Office", "distinct",
         "cases"),
    Figure("M18", "property restrained", "annual reports of the Prosecutor General's Office", (
        Part("M18", "restrained at date", "balance", "money", less="M20"),
    )),
    _one("M19", "property returned", "annual reports of the Prosecutor General's Office", "money", "money"),
    _one("M20", "property confiscated", "annual reports of the Prosecutor General's Office", "money", "money"),
    _one("M21", "measures performed, documents served", _OURS, "count", "measures and documents"),
    Figure("M22", "direct exchanges", "Order 2, 3.2, 3.6", (
        Part("M22", "by form", "count", "requests", shares=True),
        Part("M22.topic", "by topic", "count", "mentions", shares=True),
    )),
    Figure("M23", "meetings", "Order 3.5", (
        Part("M23", "held and cancelled, by sort", "distinct", "meetings"),
        Part("M23.place", "held, by place", "distinct", "meetings"),
        Part("M23.programme", "held, by programme", "distinct", "meetings"),
    )),
    Figure("M24", "contacts", "Order 3.1, 4.2", (
        Part("M24", "offices with a current contact", "held", "offices"),
        Part("M24.changes", "changes", "count", "changes"),
        Part("M24.told", "change to notice", "days", "days"),
        Part("M24.told.open", "changes not yet told on", "standing", "changes"),
    )),
    Figure("M25", "treaties", "annual reports of the Prosecutor General's Office", (
        Part("M25.signed", "signed and not ended", "held", "instruments"),
        Part("M25.force", "in force", "held", "instruments"),
        Part("M25.new", "signed in the period", "distinct", "instruments"),
    )),
    Figure("M26", "stages of treaties", "annual reports of the Prosecutor General's Office", (
        Part("M26", "by stage", "held", "instruments"),
        Part("M26.days", "days from stage to stage", "days", "days"),
        Part("M26.declined", "applications declined", "count", "applications"),
    )),
    Figure("M27", "programmes of co-operation", "annual reports of the Prosecutor General's Office", (
        Part("M27", "signed, running, finished", "held", "programmes"),
        Part("M27.events", "events under them", "distinct", "meetings"),
    )),
    _one("M28", "verdicts by rule", "the rulebook", "verdicts", "findings"),
    _one("M29", "open beyond the threshold of the configuration", "configuration", "verdicts", "findings"),
    _one("M30", "confidentiality findings", "Agr. 9; Order 3.3", "verdicts", "findings"),
    Figure("M31", "materials", "Agr. 9", (
        Part("M31", "sent, received", "count", "materials"),
        Part("M31.grade", "by grade held", "standing", "materials"),
        Part("M31.disposed", "returned, destroyed", "count", "materials"),
        Part("M31.erased", "content erased", "count", "materials"),
    )),
    Figure("M32", "consent", "Agr. 9(3)", (
        Part("M32", "asked, granted, refused", "count", "consents"),
        Part("M32.days", "asked to answered", "days", "days"),
        Part("M32.open", "asked, not answered", "standing", "consents"),
    )),
    _one("M33", "oral requests", "Agr. 6(2)", "count", "requests"),
    Figure("M34", "costs", "Agr. 10", (
        Part("M34", "by bearer", "money", "money"),
        Part("M34.agreed", "with an agreement on them", "count", "costs", rate="agreed"),
    )),
    Figure("M35", "routing", "Order 3.4", (
        Part("M35", "by channel", "count", "requests", shares=True),
        Part("M35.moved", "misrouted, forwarded", "count", "requests"),
    )),
    Figure("M36", "quality of records", _OURS, (
        Part("M36", "recorded within 24 h of the act", "count", "records", rate="in_time"),
        Part("M36.corrections", "corrections", "count", "records"),
        Part("M36.future", "dated later than recorded", "count", "records"),
    )),
)  # fmt: skip
"""In the order of their numbers."""

PARTS: dict[str, Part] = {part.code: part for figure in FIGURES for part in figure.parts}
"""By code."""
OF_PART: dict[str, Figure] = {part.code: figure for figure in FIGURES for part in figure.parts}
"""The figure of each part."""
