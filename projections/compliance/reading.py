"""What a case file keeps of an event's ``data``: every clear member, and of a sealed one whether it is filled.

The types are derived from the catalogue's, so that rules read ``act.data.refused_by`` and not a dict; patterns are not
matched again, since admission has done so.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ledger import catalogue
from ledger.catalogue.derive import derive


class Filled(msgspec.Struct, frozen=True, gc=False):
    """What stands for a sealed field: whether something was said in it."""

    filled: bool


def _matters(member: str) -> bool:
    return member != "note"  # no rule can rest on it


TYPES: dict[str, type[Any]] = {
    row.name: derive(row.data, Filled, keeps=_matters) for row in catalogue.types_by_name().values()
}
"""The type of each event's kept data, by the event's name."""

# At import, under its lock: msgspec prepares a type at its first use (see ``ledger/catalogue``).
_decoders = {name: msgspec.json.Decoder(cls) for name, cls in TYPES.items()}
_encode = msgspec.json.Encoder().encode


def keep(name: str, data: msgspec.Raw) -> msgspec.Raw:
    """What a case file keeps of an event's data. Raises msgspec's errors."""
    return msgspec.Raw(_encode(_decoders[name].decode(data)))


def read(name: str, kept: msgspec.Raw) -> Any:
    """Kept data as a Struct of ``TYPES``."""
    return _decoders[name].decode(kept)


def corrected(name: str, kept: Any, fields: dict[str, Any]) -> Any:
    """Kept data with some members replaced by a correction; unchanged where the correction does not fit the type."""
    members = {**msgspec.to_builtins(kept), **fields}
    try:
        return msgspec.convert(members, TYPES[name])
    except msgspec.MsgspecError:
        return kept
