"""Who wrote to whom by which channel: the acts of a case that cross from one state to another.

::

    for passage in passages(case, register):
        passage.act, passage.sender, passage.receiver, passage.channel

An act that names no channel (``information.supplied``, ``refusal.notified``) is none: the way it went is not known.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from projections.compliance.case import Case, CaseAct
from projections.compliance.register import LegalRegister

REQUESTING = ("request.spoken", "request.sent", "request.received")
"""Acts that carry the request itself, not an answer to it."""


class Passage(msgspec.Struct, frozen=True):
    """One crossing from an office to another; codes of offices, empty where the record does not name one."""

    act: CaseAct
    sender: str
    receiver: str
    channel: str

    @property
    def requests(self) -> bool:
        """Whether it carries the request itself."""
        return self.act.name in REQUESTING


def passages(case: Case, register: LegalRegister) -> list[Passage]:
    """All of them in the order of the ledger; what passes inside one state is left out.

    An office that is not named counts as of the other state: what is known of the pair is known of one end.
    """
    found = []
    for act in case.acts:
        ends = _ends(act)
        if ends is None or register.party(ends[0]) == register.party(ends[1]):
            continue
        found.append(Passage(act, *ends, str(act.data.channel)))
    return found


def _ends(act: CaseAct) -> tuple[str, str] | None:
    data = act.data
    if act.name in ("request.sent", "request.received"):
        return data.from_, data.to
    if act.name == "request.spoken":
        return data.requesting, data.requested
    if act.name in ("request.answered", "material.sent"):
        return act.office, data.to
    if act.name == "material.received":
        return data.from_, act.office
    return None


def said_forms(case: Case, *lists: str) -> list[str]:
    """The forms of co-operation that the content names from some lists (``order``, ``protocol``, ``agreement``)."""
    forms = case.said("forms")
    named = [] if forms is None else [getattr(forms, each) for each in lists]
    return [form for some in named if some is not UNSET for form in some]
