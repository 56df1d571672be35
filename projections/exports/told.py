"""What a record tells an export: its clear members, what its sealed fields held if their key is here, and its name.

A field that stays sealed leaves whether it was filled::

    Told(record=…, name="refusal.decided", data={"scope": "full", "parts": Hidden(filled=True), …}, opened=False)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ledger import catalogue
from ledger.catalogue.base import Sealed, sealed_pointers
from ledger.chain import Record
from ledger.errors import FormatError
from ledger.sealing import Place, open_field

FindKey = Callable[[str], bytes | None]
"""A content key by its id; None where it is not here."""

Scalar = str | int | bool | None


class Hidden(msgspec.Struct, frozen=True):
    """A sealed field whose plaintext is not told."""

    filled: bool


class Told(msgspec.Struct, frozen=True):
    """A record as exports see it; ``name`` is that of its type, without prefix and version."""

    record: Record
    name: str
    data: dict[str, Any]


def tell(record: Record, find: FindKey | None = None) -> Told:
    """What a record tells; with ``find``, also what is sealed wherever that gives the key.

    Raises:
        FormatError: not of its type, or a box says something else than it commits to.
        UnknownVersion: its type is not in this release's catalogue.
    """
    row = catalogue.known(record.event.type)
    data = msgspec.json.decode(record.event.data)
    for path in sealed_pointers(row.data):
        _open(data, path, "/data", record, find)
    return Told(record, row.name, data)


def _open(inside: Any, path: tuple[str, ...], pointer: str, record: Record, find: FindKey | None) -> None:
    """Put plaintext or ``Hidden`` wherever a path leads to a box."""
    name, *rest = path
    keys = range(len(inside)) if name == "*" else [name] if name in inside else []
    for key in keys:
        where = f"{pointer}/{key}"
        if rest:
            _open(inside[key], tuple(rest), where, record, find)
        else:
            inside[key] = _plain(inside[key], where, record, find)


def _plain(box: Any, pointer: str, record: Record, find: FindKey | None) -> Any:
    sealed = msgspec.convert(box, Sealed)
    key = None if find is None else find(sealed.key)
    if key is None:
        return Hidden(sealed.filled)
    event = record.event
    place = Place(event.ledger, event.source, event.id, event.subject, event.type, pointer)
    try:
        return open_field(key, place, sealed)
    except FormatError as error:
        raise FormatError(f"record {record.partition}/{record.index}, {pointer}: {error}") from None


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Scalar]]:
    """The scalars inside a value with their paths: ``purposes/0/purpose``; of what is hidden ``note/filled``."""
    if isinstance(value, Hidden):
        yield "/".join((*path, "filled")), value.filled
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, str(number)))
    else:
        yield "/".join(path), value
