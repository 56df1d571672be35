"""Which attributes and objects the event types have in an OCEL: read off the catalogue, so that a new type has its own.

A field is an *object* if it names one of the things below, an *attribute* otherwise.  For ``asset.restrained``::

    attributes   record_…, act_of, received_on, note_filled, doc_filled, money_amount, money_currency, measure, …
    objects      asset, act_of (office)

Lists and free JSON are texts of JSON.  Of a sealed field there is ``…_filled``; where it is opened, also its text.
"""

from __future__ import annotations

from functools import cache

import msgspec

from ledger import ids
from ledger.catalogue import find, types_by_name
from ledger.catalogue.describe import FieldNote, describe_fields

OFFICE, REQUEST, PERSON, MATERIAL, ASSET, INSTRUMENT = "office", "request", "person", "material", "asset", "instrument"

#: Object types of fields by their names; offices are known by their form.
OBJECT_FIELDS = {
    "person": PERSON, "persons": PERSON, "signer": PERSON, "custodian": PERSON, "access": PERSON, "resource": PERSON,
    "material": MATERIAL, "materials": MATERIAL,
    "asset": ASSET,
    "instrument": INSTRUMENT, "legal_basis": INSTRUMENT, "supplements": INSTRUMENT, "amends": INSTRUMENT,
    "succeeds": INSTRUMENT, "carries_out": INSTRUMENT, "programme": INSTRUMENT,
    "request": REQUEST, "requests": REQUEST,
    "condition": "condition", "cost": "cost", "costs": "cost", "case": "case", "dispute": "dispute", "act": "act",
    "contact": "contact", "replaces": "contact",
}  # fmt: skip
#: Ids that name none: of several sorts of things by another field, of a paper elsewhere.
NO_OBJECTS = frozenset({"ids", "memo_ref"})

#: Of a successor ledger it is the ledger that is succeeded, no instrument.
_BLOCKS_WITHOUT = frozenset({"Predecessor"})

RECORD = {
    "record_event": "string", "record_time": "string", "record_office": "string", "record_partition": "integer",
    "record_index": "integer", "record_seq": "integer", "record_admitted": "time", "record_leaf": "string",
}  # fmt: skip
"""Attributes of every event: what it is called in the ledger, where it stands there, and what it is proved by."""

OBJECT_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    REQUEST: ("kind", "direction", "partner", "area"),
    MATERIAL: ("sort", "lang", "supplied_as"),
    ASSET: ("sort", "state"),
    OFFICE: ("party", "sort", "name_ru", "tz"),
    INSTRUMENT: ("kind",),
}
"""Attributes of objects, as the events of ``TELLING`` say them."""

TELLING = {
    "request.signed": REQUEST, "request.spoken": REQUEST, "request.received": REQUEST, "request.confirmed": REQUEST,
    "material.sent": MATERIAL, "material.received": MATERIAL, "asset.traced": ASSET, "office.registered": OFFICE,
    "instrument.staged": INSTRUMENT, "instrument.signed": INSTRUMENT,
}  # fmt: skip

_FORMS = {"true or false": "boolean", "count": "integer", "version": "integer", "year": "integer", "number": "integer"}


class Attribute(msgspec.Struct, frozen=True):
    """An attribute of an event type: where in the data it is taken from, and of which type of OCEL it is."""

    name: str
    path: tuple[str, ...]
    type: str
    is_json: bool = False
    sealed: bool = False


class ObjectField(msgspec.Struct, frozen=True):
    """A field that names objects; ``*`` in the path stands for the items of a list."""

    path: tuple[str, ...]
    type: str

    @property
    def qualifier(self) -> str:
        """How the object takes part: the field's path, ``links/request``."""
        return "/".join(part for part in self.path if part != "*")


class Shape(msgspec.Struct, frozen=True):
    """The attributes and objects of an event type."""

    attributes: tuple[Attribute, ...]
    objects: tuple[ObjectField, ...]


@cache
def shape_of(type_: str) -> Shape:
    """The shape of an event type, by its CloudEvents ``type``."""
    row = find(type_)
    assert row is not None
    attributes: list[Attribute] = []
    objects: list[ObjectField] = []
    _walk(describe_fields(row.data), (), attributes, objects)
    return Shape(tuple(attributes), tuple(objects))


def _walk(
    notes: tuple[FieldNote, ...], before: tuple[str, ...], attributes: list[Attribute], objects: list[ObjectField]
) -> None:
    for note in notes:
        path = (*before, note.name)
        form = note.form.removeprefix("list of ")
        is_list = form != note.form
        if form in _BLOCKS_WITHOUT:
            continue
        inside = (*path, "*") if is_list else path
        if kind := object_type(note):
            objects.append(ObjectField(inside, kind))
        if note.members:
            _walk(note.members, inside, [] if is_list else attributes, objects)
        if is_list or form == "object":
            attributes.append(Attribute("_".join(path), path, "string", is_json=True, sealed=note.sealed))
        elif note.members:
            continue
        elif note.sealed:
            attributes.append(Attribute("_".join(path), path, "string", sealed=True))
        else:
            attributes.append(Attribute("_".join(path), path, _FORMS.get(form, "string")))


def object_type(note: FieldNote) -> str | None:
    """The type of the objects that a field names; None if it names none."""
    form = note.form.removeprefix("list of ")
    if form.startswith("office"):
        return OFFICE
    is_id = form.startswith(("opaque id", "case id", "word")) and not note.words
    return OBJECT_FIELDS.get(note.name) if is_id else None


def event_types(*, reveal: bool) -> dict[str, dict[str, str]]:
    """Attributes with their types, by the name of each event type."""
    return {row.name: dict(RECORD) | _declared(row.type, reveal=reveal) for row in types_by_name().values()}


def _declared(type_: str, *, reveal: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in shape_of(type_).attributes:
        if attribute.sealed:
            found[f"{attribute.name}_filled"] = "boolean"
        if reveal or not attribute.sealed:
            found[attribute.name] = attribute.type
    return found


def object_types() -> dict[str, dict[str, str]]:
    """Attributes with their types, by the name of each type of objects."""
    names = sorted({*ids.SORTS, OFFICE, *OBJECT_FIELDS.values()})
    return {name: dict.fromkeys(OBJECT_ATTRIBUTES.get(name, ()), "string") for name in names}
