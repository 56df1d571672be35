"""What a case file keeps of an event's ``data``: every clear member, and of a sealed one whether it is filled.

The types are derived from the catalogue's, so that rules read ``act.data.refused_by`` and not a dict; patterns are not
matched again, since admission has done so.
"""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from ledger import catalogue
from ledger.catalogue.base import Data, Sealed


class Filled(msgspec.Struct, frozen=True, gc=False):
    """What stands for a sealed field: whether something was said in it."""

    filled: bool


_LEFT_OUT = frozenset({"note"})
"""Members that no rule can rest on."""


def _derive(cls: type[Data]) -> type[Any]:
    hints = get_type_hints(cls, include_extras=True)
    members: list[Any] = []
    names: dict[str, str] = {}
    for field in msgspec.structs.fields(cls):
        if field.encode_name in _LEFT_OUT:
            continue
        names[field.name] = field.encode_name
        plain = _plain(hints[field.name])
        members.append((field.name, plain) if field.required else (field.name, plain, field.default))
    return msgspec.defstruct(
        cls.__name__, members, rename=names.get, kw_only=True, frozen=True, omit_defaults=True, gc=False
    )


def _plain(hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _plain(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return Union[tuple(_plain(arm) for arm in get_args(hint))]  # noqa: UP007 - made at run time
    if origin is list:
        return list[_plain(get_args(hint)[0])]  # type: ignore[misc]
    if hint is Sealed:
        return Filled
    if isinstance(hint, type) and issubclass(hint, Data):
        return _derive(hint)
    return hint


TYPES: dict[str, type[Any]] = {row.name: _derive(row.data) for row in catalogue.types_by_name().values()}
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
