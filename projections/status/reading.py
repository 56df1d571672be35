"""What the status fold reads of an event's ``data``: the clear members that it uses, and nothing else.

Admission has held each record's data against its type, so a replay need not do that again: boxes are passed over,
patterns are not matched, members that no fact comes from are not decoded.  For ``request.sent`` what is left is::

    class RequestSent: to: str

The types are derived from the catalogue's own, so they cannot say anything else than these.  Whoever doubts that data
are of their type reads them with ``Record.data``.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UnsetType

from ledger import catalogue
from ledger.catalogue.base import Data, Sealed

MEMBERS = frozenset(
    {
        # content
        "kind", "direction", "partner", "requesting", "requested", "legal_basis", "links", "request", "relation",
        # who is told, who executes
        "to", "executing", "of", "by", "asked_of",
        # what is answered, and how
        "confirms", "answers", "decision", "condition", "authentic", "outcome", "final", "scope", "what",
        # persons and property
        "person", "asset", "sort", "money", "amount", "currency",
    }
)  # fmt: skip
"""Members, of whatever type, that a fact may come from."""

COMPARED = frozenset({"request.spoken", "request.confirmed"})
"""Acts of which all that is clear is compared (``content.py``), so they are read whole."""


def reader(type_: str) -> Callable[[msgspec.Raw], Any]:
    """What reads the data of a type (CloudEvents ``type``); it raises msgspec's errors.

    It is prepared here, and this is to be called at import (see ``ledger/catalogue``); a type that this release does
    not know has a reader that raises UnknownVersion.
    """
    row = catalogue.find(type_)
    if row is None:
        return lambda _: catalogue.known(type_)
    return msgspec.json.Decoder(row.data if row.name in COMPARED else _slim(row.data)).decode


def _slim(cls: type[Data]) -> type[Any]:
    hints = get_type_hints(cls, include_extras=True)
    members: list[Any] = []
    names: dict[str, str] = {}
    for field in msgspec.structs.fields(cls):
        plain = _plain(hints[field.name]) if field.encode_name in MEMBERS else None
        if plain is not None:
            names[field.name] = field.encode_name
            members.append((field.name, plain) if field.required else (field.name, plain, field.default))
    return msgspec.defstruct(cls.__name__, members, rename=names.get, kw_only=True, frozen=True, gc=False)


def _plain(hint: Any) -> Any:
    """A type without its patterns, or None for what is sealed."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _plain(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        arms = [_plain(arm) for arm in get_args(hint)]
        return None if arms in ([None], [None, UnsetType]) else Union[tuple(arms)]  # noqa: UP007 - made at run time
    if origin is list:
        return list[_plain(get_args(hint)[0])]  # type: ignore[misc]
    if hint is Sealed:
        return None
    if isinstance(hint, type) and issubclass(hint, Data):
        return _slim(hint)
    return hint
