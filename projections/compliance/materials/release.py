"""From when on a duty of an instrument ended because the Parties agreed that it does not outlive the instrument.

Agr. 15(3): the end of the instrument does not end duties that arose while it was in force, "unless the Parties agree
otherwise".  Such an agreement is a record ``instrument.released``: it names rules (``A9.3``) or their article (``A9``)
and works from its day on, not before the instrument has ended by every reading.  A name that goes further than a rule
(``A9.3-m-1``) releases a part of it only; which part, no machine can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from projections.compliance.case import CaseAct
from projections.compliance.readings import start_of
from projections.compliance.termination import Standing, standing

if TYPE_CHECKING:  # the checks import this module
    from projections.compliance.kinds.base import Asked


class Release(msgspec.Struct, frozen=True):
    """The end of a duty by agreement of the Parties."""

    at: int
    """ms; what is done from then on is no longer bound."""
    acts: tuple[CaseAct, ...]
    """The release first, then what ended the instrument."""
    part: bool = False
    """Whether it names a part of the duty only."""


def release_of(asked: Asked, rule: str | None = None, held: Standing | None = None) -> Release | None:
    """The release of a rule (by default of the one asked about); None: it goes on.

    Args:
        asked: its profile is the instrument.
        rule: id of another rule.
        held: the standing of the instrument, if it is known already; else found by param ``term``, the readings by
            which a notice ends the instrument.
    """
    name = rule or asked.rule.id
    entry = asked.register.instrument(asked.profile.instrument.id)
    named = [(act, _names(act.data.duties, name)) for act in entry.released]
    found = [(act, how) for act, how in named if how]
    if not found:
        return None
    if held is None:
        parties = asked.profile.instrument.parties
        between = (parties[0], parties[1]) if len(parties) == 2 else None
        held = standing(asked.register, entry.id, asked.param("term", ()), between, calendar_id=asked.profile.calendar)
    if held.last_end is None:
        return None
    whole = [act for act, how in found if how == "whole"] or [act for act, _ in found]
    begun = {act: start_of(date.fromisoformat(act.data.date), asked.register.zone(act.office)) for act in whole}
    first = min(whole, key=lambda act: (begun[act], act.seq))
    return Release(max(begun[first], held.last_end), (first, *held.acts), part=all(how == "part" for _, how in found))


def _names(duties: Iterable[str], rule: str) -> str:
    """``whole``, ``part`` or empty: whether a list of duties names a rule."""
    found = ""
    for duty in duties:
        if duty == rule or rule.startswith(f"{duty}."):
            return "whole"
        if duty.startswith((f"{rule}.", f"{rule}-", f"{rule}_")):
            found = "part"
    return found
