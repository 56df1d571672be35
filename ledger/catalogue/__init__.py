"""The catalogue: every event type there is, by family, each with its article and its sealed fields.

``find(type)`` gives the row for a CloudEvents ``type``, or None; ``decode_data`` and ``convert_data`` turn a
``data`` member into its Struct::

    row = find("rogatory.request.accepted.v1")
    decode_data(row, b'{"executing":"RU-OMS"}')  # RequestAccepted(executing='RU-OMS')

Upcasting of older versions has its one place in ``upcast.py``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.catalogue import assets, materials, meetings, own, persons, register, requests, reviews, years
from ledger.catalogue.base import Data, EventType, types_by_name
from ledger.catalogue.explain import explain
from ledger.errors import FormatError, UnknownVersion

__all__ = [
    "FREE_FORM", "EventType", "assets", "convert_data", "decode_data", "find", "known", "materials",
    "meetings", "own", "persons", "register", "requests", "reviews", "types_by_name", "years",
]  # fmt: skip

FREE_FORM = frozenset({"record.corrected"})
"""Names of types that have a member of any JSON; whoever admits one checks that it is strict I-JSON."""

# All of them at import, under its lock: msgspec prepares a type at its first use, and two threads that do so at once
# may see it half prepared, which ends the process. ``convert`` uses what is prepared here.
_decoders: dict[type[Data], msgspec.json.Decoder[Data]] = {
    row.data: msgspec.json.Decoder(row.data) for row in types_by_name().values()
}

# RecursionError: free JSON (the fields of a correction) nested deeper than the decoder follows.
_FAULTS = (msgspec.MsgspecError, UnicodeError, RecursionError)


def find(type_: str) -> EventType | None:
    """The row for a CloudEvents ``type`` such as ``rogatory.request.signed.v1``, or None."""
    return types_by_name().get(type_)


def known(type_: str) -> EventType:
    """The row for the type of an admitted event.

    Raises:
        UnknownVersion: this release has no such type.
    """
    row = find(type_)
    if row is None:
        raise UnknownVersion(f"expected a type of this release's catalogue, found {type_[:80]}; upgrade")
    return row


def decode_data(row: EventType, raw: bytes | msgspec.Raw) -> Data:
    """The Struct that ``raw``, the JSON of a ``data`` member, says under ``row``.

    Raises:
        FormatError: it is not of that type; the message has the path, what was expected and the kind of
            what was found, never a value.
    """
    decoder = _decoders.get(row.data)
    if decoder is None:
        decoder = _decoders[row.data] = msgspec.json.Decoder(row.data)
    try:
        return decoder.decode(raw)
    except _FAULTS as error:
        raise FormatError(explain(row, error)) from None


def convert_data(row: EventType, members: dict[str, Any]) -> Data:
    """The same from JSON that is parsed already.

    Raises:
        FormatError: as ``decode_data``.
    """
    try:
        return msgspec.convert(members, row.data)
    except _FAULTS as error:
        raise FormatError(explain(row, error)) from None
