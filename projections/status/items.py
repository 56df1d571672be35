"""Open items: what waits for an answer, whose turn it is because of it, and which answer closes it.

================  =====================  ==============================================  ===========
item              opened by              closed by                                       waits for
================  =====================  ==============================================  ===========
confirmation      request.spoken         request.confirmed                               requesting
doubt             authenticity.doubted   authenticity.answered                           requesting
information       information.requested  information.supplied                            requesting
condition         condition.proposed     condition.answered, condition.lifted            requesting
refusal_notice    refusal.decided        refusal.notified                                requested
                  (partial)
consent           consent.requested      consent.answered                                supplying
================  =====================  ==============================================  ===========

Our choices: an answer closes what it names and nothing else, with two exceptions.  A confirmation that
names something else confirms the oral request all the same, since it is in writing now (Agr. 6(2)).  A
consent that names no question answers the oldest one that the consenting office was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import UNSET

from projections.status.facts import Item, Side, Sort, StatusFacts


class _Opening(NamedTuple):
    sort: Sort
    side: Side
    office: Callable[[Any, StatusFacts], str]
    ref: Callable[[Any], str] | None = None
    """What an answer will name, if that is not the id of the opening event."""
    when: Callable[[Any, StatusFacts], bool] = lambda _data, _facts: True


def requesting(facts: StatusFacts) -> str:
    """The requesting office, empty if not known."""
    return facts.content.requesting if facts.content else ""


def requested(facts: StatusFacts) -> str:
    """The office of the requested side that has the request, as far as known."""
    return facts.holder or (facts.content.requested if facts.content else "")


_OPENINGS = {
    # What is in writing already needs no confirmation.
    "request.spoken": _Opening(
        "confirmation", "requesting", lambda data, _: data.requesting, when=lambda _, facts: not facts.opener
    ),
    "authenticity.doubted": _Opening("doubt", "requesting", lambda data, _: data.asked_of),
    "information.requested": _Opening("information", "requesting", lambda data, _: data.to),
    "condition.proposed": _Opening(
        "condition", "requesting", lambda _, facts: requesting(facts), ref=lambda data: data.condition
    ),
    "refusal.decided": _Opening(
        "refusal_notice",
        "requested",
        lambda _, facts: requested(facts),
        when=lambda data, _: data.scope == "partial",
    ),
    "consent.requested": _Opening("consent", "supplying", lambda data, _: data.of),
}

_ANSWERS: dict[str, tuple[Sort, Callable[[Any], Any]]] = {
    "request.confirmed": ("confirmation", lambda data: data.confirms),
    "authenticity.answered": ("doubt", lambda data: data.answers),
    "information.supplied": ("information", lambda data: data.answers),
    "condition.answered": ("condition", lambda data: data.condition),
    "condition.lifted": ("condition", lambda data: data.condition),
    "refusal.notified": ("refusal_notice", lambda data: data.decision),
    "consent.answered": ("consent", lambda data: data.answers),
}

OPENING = frozenset(_OPENINGS)
"""Names of the events that may open an item."""
TOUCHING = OPENING | frozenset(_ANSWERS)
"""Names of the events that open or close items."""


def opened(facts: StatusFacts, name: str, data: Any, *, event_id: str, time: int, index: int) -> Item | None:
    """The item that an event opens, if it opens one.

    Args:
        facts: what is known before it, with the content that it brings.
        name: of the event.
        data: of the event.
        event_id: its id.
        time: its effective time.
        index: its leaf index.
    """
    opening = _OPENINGS.get(name)
    if opening is None or not opening.when(data, facts):
        return None
    ref = opening.ref(data) if opening.ref else event_id
    return Item(opening.sort, ref, opening.side, opening.office(data, facts), time, index)


def answered(items: tuple[Item, ...], name: str, data: Any) -> tuple[Item, ...]:
    """The open items that an event closes."""
    answer = _ANSWERS.get(name)
    if answer is None:
        return ()
    sort, named = answer
    ref = named(data)
    hit = tuple(item for item in items if item.sort == sort and item.ref == ref)
    if hit:
        return hit
    if sort == "confirmation":
        return tuple(item for item in items if item.sort == sort)[:1]
    if ref is UNSET:
        return tuple(item for item in items if item.sort == sort and item.office == data.by)[:1]
    return ()


def oldest(items: tuple[Item, ...], *, only_consent: bool) -> Item | None:
    """The item that decides who owes the next step: the earliest by effective time, then by record."""
    waiting = [item for item in items if item.sort == "consent" or not only_consent]
    return min(waiting, key=lambda item: (item.since, item.index), default=None)
