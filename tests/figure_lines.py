"""The lines that figures can have: by part every tag that counting can post, out of the types of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, get_args, get_origin, get_type_hints

from ledger import catalogue
from ledger.catalogue import blocks
from projections.status.facts import Side

UNKNOWN = ("unknown",)


def words_of(name: str, member: str) -> tuple[str, ...]:
    """The closed vocabulary of a member of an event's data."""
    hint: Any = get_type_hints(catalogue.known(f"rogatory.{name}.v1").data)[member]
    args = get_args(hint)
    assert args, f"{name}.{member} has no closed vocabulary"
    return tuple(str(arg) for arg in args if isinstance(arg, str)) or tuple(
        str(word) for arg in args if get_origin(arg) for word in get_args(arg)
    )


def tags(*slots: Iterable[str]) -> set[str]:
    """Tags of a word of each slot."""
    return {" ".join(words) for words in product(*slots)}


_DIRECTION = (*get_args(blocks.Direction), *UNKNOWN)
_REQUEST = tags(_DIRECTION, (*get_args(blocks.Kind), *UNKNOWN))
_SIDE = set(get_args(Side))
_SORT = {*words_of("asset.traced", "sort"), *UNKNOWN}
_MEETING = {*words_of("meeting.held", "sort"), *words_of("meeting.proposed", "sort"), *UNKNOWN}
_KIND = {*words_of("instrument.signed", "kind"), *words_of("instrument.staged", "kind"), *UNKNOWN}
_STAGE = set(words_of("instrument.staged", "stage"))
_SUPPLIED = {"sent", "received"}

LINES: dict[str, set[str]] = {
    "M1": _REQUEST,
    "M4": _REQUEST,
    "M5": _SIDE,
    "M6": set(words_of("request.answered", "outcome")),
    "M7": tags(words_of("refusal.decided", "ground"), words_of("refusal.decided", "scope")),
    "M8": {"refused", "answered"},
    "M9": {"consulted", "not_consulted"},
    "M12": _SIDE,
    "M13": tags(_DIRECTION, ("treaty", "reciprocity", "unnamed")),
    "M14": tags(_DIRECTION, set(words_of("person.handedover", "what")) - {"temporary", "extradition"}),
    "M16": set(words_of("person.located", "via")),
    "M17": tags(_DIRECTION, ("taken_over",))
    | tags(_DIRECTION, ("concluded",), words_of("prosecution.concluded", "outcome")),
    "M18": _SORT,
    "M19": set(words_of("asset.returned", "to")),
    "M20": _SORT,
    "M21": tags(("measure",), words_of("measure.performed", "measure"))
    | tags(("served",), words_of("document.served", "result")),
    "M22": {*blocks.ORDER_FORMS, *blocks.PROTOCOL_FORMS, "unnamed"},
    "M22.topic": set(blocks.TOPICS),
    "M23": tags(("held", "cancelled"), _MEETING),
    "M24": {"own", "partner"},
    "M24.told": {"notified", "forwarded"},
    "M24.told.open": {"notified"},
    "M25.signed": _KIND,
    "M25.force": _KIND,
    "M25.new": _KIND,
    "M26": _STAGE,
    "M26.days": tags(_STAGE, ("to",), {*_STAGE, "signed"}),
    "M27": {"signed", "running", "finished"},
    "M31": _SUPPLIED,
    "M31.grade": set(words_of("handling.set", "grade")),
    "M31.disposed": set(words_of("material.disposed", "how")),
    "M32": {"asked", "granted", "refused"},
    "M34.agreed": {"agreed", "not_agreed"},
    "M35": set(words_of("request.sent", "channel")),
    "M35.moved": {"misrouted", "forwarded"},
    "M36": {"in_time", "late"},
}
"""By part every tag that counting can post, those of open vocabularies as the texts of the law have them."""
ALONE = {
    "M3", "M10", "M10.open", "M11.accept", "M11.accept.open", "M11.execute", "M11.execute.open", "M15", "M15.open",
    "M26.declined", "M31.erased", "M32.days", "M32.open", "M33", "M36.corrections", "M36.future",
}  # fmt: skip
"""Parts that have no lines."""
VERDICTS = {"M28", "M29", "M30"}
"""Parts that are findings of the rulebook."""
OPEN = {"M22", "M22.topic"}
"""Parts whose vocabulary treaties may add to: a record may have other words, which stand as they are."""
