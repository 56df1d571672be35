"""What a request says about itself, and whether it says the same twice.

The content of a sealed field cannot be compared: each is sealed for its own event, so the boxes differ
always.  Only what is clear is compared: clear fields, and of each sealed one whether it is filled.  A
confirmation (Agr. 6(2)) that changes nothing but words therefore passes here as the same; whoever has the
keys can look further.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import UNSET

from ledger.catalogue.base import Act, Sealed
from ledger.catalogue.blocks import RequestContent
from projections.status.facts import Content, Link

_FIELDS = tuple(name for name in RequestContent.__struct_fields__ if name not in Act.__struct_fields__)
_encode = msgspec.json.Encoder(order="sorted").encode


def content_of(data: Any) -> Content | None:
    """The content that an event carries (``RequestContent`` or ``RequestContentIfAny``); None for one without."""
    if data.kind is UNSET:
        return None
    links = () if data.links is UNSET else tuple(Link(e.request, e.relation) for e in data.links)
    return Content(
        kind=data.kind,
        direction=data.direction,
        partner=data.partner,
        requesting=data.requesting,
        requested=data.requested,
        legal_basis=tuple(data.legal_basis),
        links=links,
    )


def digest(data: Any) -> str:
    """A digest of a ``RequestContent``, 32 hex digits: the same if all that is clear is the same.

    The order in lists is no content, and a field that is absent says the same as an empty one (our choice).
    """
    said = {name: _clear(getattr(data, name)) for name in _FIELDS}
    return sha256(_encode({name: value for name, value in said.items() if value})).hexdigest()[:32]


def _clear(value: Any) -> Any:
    if value is UNSET:
        return None
    if isinstance(value, Sealed):
        return value.filled
    if isinstance(value, msgspec.Struct):
        said = {name: _clear(getattr(value, name)) for name in value.__struct_fields__}
        return {name: part for name, part in said.items() if part}
    if isinstance(value, list):
        return sorted((_clear(part) for part in value), key=_encode)
    return value
