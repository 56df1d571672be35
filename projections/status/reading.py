"""What the status fold reads of an event's ``data``: the clear members that it uses, and nothing else.

Admission has held each record's data against its type, so a replay need not do that again: boxes are passed over, patterns
are not matched, members that no fact comes from are not decoded.  For ``request.sent`` what is left is::

    class RequestSent: to: str

The types are derived from the catalogue's own, so they cannot say anything else than these.  ``rogatory check`` looks at
signatures and chain; whoever doubts that data are of their type reads them with ``Record.data``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UnsetType

from ledger.catalogue import types_by_name
from ledger.catalogue.base import Data, Sealed
from ledger.chain import Record

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

Read = Callable[[Record], Any]


def readers(names: frozenset[str]) -> Mapping[str, Read]:
    """How to read the data of the types with these names, by CloudEvents ``type``."""
    rows = [row for row in types_by_name().values() if row.name in names]
    return {row.type: read_whole if row.name in COMPARED else _reader(_slim(row.data)) for row in rows}


def read_whole(record: Record) -> Any:
    """All of the data. Raises as ``Record.data``."""
    return record.data()


def _reader(slim: type[Any]) -> Read:
    decode = msgspec.json.Decoder(slim).decode  # prepared at import (see ``ledger/catalogue``)

    def read(record: Record) -> Any:
        try:
            return decode(record.event.data)
        except msgspec.MsgspecError:
            return record.data()  # which says what is wrong

    return read


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
