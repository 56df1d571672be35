"""Variants: what the effect of an act depends on besides its name.

``variant("refusal.decided", data, facts, answered=False)`` is ``refusal.decided/full`` or ``…/partial``; an
act without variants is its name.  Most variants of answers say whether anything was open to be answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from projections.status.facts import StatusFacts

_Word = Callable[[Any, StatusFacts, bool], str]


def _confirmed(_data: Any, facts: StatusFacts, answered: bool) -> str:
    if answered:
        return "spoken"
    return "again" if facts.spoken else "nothing"


def _asked(_data: Any, _facts: StatusFacts, answered: bool) -> str:
    return "asked" if answered else "unasked"


def _authenticity(data: Any, _facts: StatusFacts, answered: bool) -> str:
    if not answered:
        return "unasked"
    return "genuine" if data.authentic else "false"


def _notified(_data: Any, facts: StatusFacts, answered: bool) -> str:
    if answered:
        return "partial"
    return "full" if facts.refusal_decided else "undecided"


def _handed_over(data: Any, facts: StatusFacts, _answered: bool) -> str:
    decided = facts.all_granted or any(p.granted for p in facts.persons if p.person == data.person)
    if data.what == "temporary":
        return "temporary" if decided else "temporary_undecided"
    return "decided" if decided else "undecided"


_WORDS: dict[str, _Word] = {
    "request.confirmed": _confirmed,
    "information.supplied": _asked,
    "condition.answered": _asked,
    "authenticity.answered": _authenticity,
    "refusal.decided": lambda data, _facts, _answered: str(data.scope),
    "refusal.notified": _notified,
    "person.handedover": _handed_over,
    "request.answered": lambda data, _facts, _answered: "final" if data.final else "interim",
}

VARIED = frozenset(_WORDS)
"""Names of the acts that have variants."""


def variant(name: str, data: Any, facts: StatusFacts, *, answered: bool) -> str:
    """The act with its variant.

    Args:
        name: of the event.
        data: of the event.
        facts: what is known before it.
        answered: whether it answers an open item.
    """
    word = _WORDS.get(name)
    return name if word is None else f"{name}/{word(data, facts, answered)}"
