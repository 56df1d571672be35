"""The catalogue as a listing: what each type means, rests on and contains.

Documents, builders and schemas are made from it.  For example, a field of ``refusal.notified``::

    FieldNote(name="reason", required=True, sealed=True, form="text", words=(), members=(), plain=str)
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, UnsetType

from ledger.catalogue import base, types_by_name
from ledger.catalogue.base import Data, EventType, Sealed

# Each clear form by its name; the first that equals a field's type names it.
_FORMS: tuple[tuple[Any, str], ...] = (
    (base.OfficeText, "office"),
    (base.OfficeOrEmpty, "office or empty"),
    (base.KidText, "kid"),
    (base.Opaque, "opaque id"),
    (base.OpaqueOrEmpty, "opaque id or empty"),
    (base.CaseId, "case id"),
    (base.Token, "word"),
    (base.Date, "date"),
    (base.Instant, "instant"),
    (base.InstantOrEmpty, "instant or empty"),
    (base.State, "state"),
    (base.Lang, "language"),
    (base.Digest, "SHA-256"),
    (base.PublicKey, "public key"),
    (base.NamedSignature, "signature"),
    (base.EventRef, "event id"),
    (base.Amount, "amount"),
    (base.Currency, "currency"),
    (base.Percent, "percent"),
    (base.PublicText, "public text"),
    (base.Provision, "provision"),
    (base.Zone, "time zone"),
    (base.SubjectText, "subject"),
    (base.ContentKeyId, "content key id"),
    (base.Count, "count"),
    (base.Version, "version"),
    (base.Year, "year"),
    (bool, "true or false"),
)
_PLAIN: dict[type, str] = {str: "text", dict: "object"}


class FieldNote(msgspec.Struct, frozen=True):
    """One field of a type or of a block in it."""

    name: str
    """As on the wire."""
    required: bool
    sealed: bool
    form: str
    """Of the plaintext, if sealed; "list of …" for lists."""
    words: tuple[str, ...] = ()
    """Its vocabulary, if that is closed."""
    members: tuple[FieldNote, ...] = ()
    """Fields of the block that it, or each item of it, is."""
    plain: type | None = None
    """Python type of the plaintext, if sealed."""


class TypeNote(msgspec.Struct, frozen=True):
    """One event type."""

    type: str
    name: str
    version: int
    meaning: str
    cites: str
    sorts: tuple[str, ...]
    fields: tuple[FieldNote, ...]


def describe(row: EventType) -> TypeNote:
    """The note on one type."""
    meaning = inspect.getdoc(row.data) or ""
    return TypeNote(row.type, row.name, row.version, meaning, row.cites, row.sorts, describe_fields(row.data))


def describe_all() -> list[TypeNote]:
    """The notes on all types, in the order in which they are declared."""
    return [describe(row) for row in types_by_name().values()]


def describe_fields(cls: type[Data]) -> tuple[FieldNote, ...]:
    """The notes on the fields of a type or block, those it inherits included."""
    return tuple(_field(f.encode_name, f.required, f.type) for f in msgspec.structs.fields(cls))


def _field(name: str, required: bool, hint: Any) -> FieldNote:
    item, many = _bare(hint), ""
    if get_origin(_unmarked(item)) is list:
        item, many = get_args(_unmarked(item))[0], "list of "
    if (plain := _plaintext(item)) is not None:
        return FieldNote(name, required, sealed=True, form=many + _PLAIN[plain], plain=plain)
    if get_origin(item) is Literal:
        return FieldNote(name, required, sealed=False, form=many + "word", words=get_args(item))
    if isinstance(item, type) and issubclass(item, Data):
        form = many + item.__name__
        return FieldNote(name, required, sealed=False, form=form, members=describe_fields(item))
    return FieldNote(name, required, sealed=False, form=many + _form(item))


def _bare(hint: Any) -> Any:
    """The type of an optional field without ``UnsetType``."""
    arms = [arm for arm in get_args(hint) if arm is not UnsetType]
    return arms[0] if UnsetType in get_args(hint) else hint


def _plaintext(hint: Any) -> type | None:
    if get_origin(hint) is Annotated and get_args(hint)[0] is Sealed:
        plains: list[type] = [m.extra["plain"] for m in get_args(hint)[1:] if isinstance(m, Meta) and m.extra]
        return plains[0]
    return None


def _unmarked(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _form(hint: Any) -> str:
    for known, name in _FORMS:
        if hint == known:
            return name
    return {str: "text of a fixed pattern", int: "number"}.get(_unmarked(hint), "object")
