r"""JSON Schema (2020-12) of the event types, made from the catalogue, for systems that do not use this code.

``event_schema(row)`` describes a whole event, as it stands on the wire; ``data_schema(row)`` its ``data`` alone;
``plaintext_schema(row)`` the data as a builder takes them, each sealed field in plain text.  A sealed field of the
first two refers to a form of its own, which says what plaintext the box holds::

    "note": {"$ref": "#/$defs/SealedText"}
    "SealedText": {"allOf": [{"$ref": "#/$defs/Sealed"}], "x-plaintext": {"type": "string"}, …}

What a schema cannot say, and admission refuses all the same (``docs/formats.md``):

- spelling: a member twice, a byte order mark, over 48 KiB, more than 32 levels, noncharacters; a number with a
  fraction of zero or an exponent, which JSON Schema counts as an integer;
- days that the calendar has not, for validators that do not assert ``format``;
- what other records decide: keys and signatures, the ledger's id, whether a partition exists, offices and kids of the
  register, ``expectedseq``, and the place and key of the message.

Patterns are those of ECMA-262 with its ``u`` flag, as the standard recommends: ``$`` is the end of the text and nothing
else (in Python ``\Z``).

Source: JSON Schema core and validation, draft 2020-12; CloudEvents 1.0.2.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec

from ledger import ids
from ledger.catalogue import FREE_FORM, blocks
from ledger.catalogue.base import Data, Date, EventType, Instant, InstantOrEmpty, Sealed
from ledger.catalogue.describe import describe_fields
from ledger.event import SOURCE, TIME, TRACEPARENT, TRACESTATE
from ledger.ijson import MAX_INTEGER

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"
_SEALED_REF = {"$ref": "#/$defs/Sealed"}
_BOX = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?$"
_PLAINTEXTS: dict[type, dict[str, Any]] = {str: {"type": "string"}, dict: {"type": "object"}}
_SEALED_NAMES: dict[type, str] = {str: "SealedText", dict: "SealedObject"}

Schema = dict[str, Any]


def event_schema(row: EventType) -> Schema:
    """The schema of a whole event of a type."""
    data, components = _components(row, _wire)
    return {
        "$schema": DIALECT,
        "title": row.type,
        "description": f"{meaning(row.data)} Rests on: {row.cites}.",
        **_envelope(row, data),
        "$defs": components,
    }


def data_schema(row: EventType) -> Schema:
    """The schema of the ``data`` of a type, as on the wire: sealed fields are boxes."""
    return _standalone(row, f"data of {row.type}", _wire)


def plaintext_schema(row: EventType) -> Schema:
    """The schema of the ``data`` of a type as ``rogatory publish`` and the builder take them."""
    return _standalone(row, f"data of {row.type}, before its sealed fields are sealed", _plain)


def wire_components(row: EventType) -> tuple[Schema, dict[str, Schema]]:
    """The envelope of a type, and what it refers to as ``#/$defs/…``."""
    data, components = _components(row, _wire)
    return _envelope(row, data), components


def _standalone(row: EventType, title: str, of: Callable[[type], Schema]) -> Schema:
    data, components = _components(row, of)
    name = data["$ref"].rpartition("/")[2]
    root = components.pop(name)
    return {"$schema": DIALECT, **root, "title": title, **({"$defs": components} if components else {})}


def _envelope(row: EventType, data: Schema) -> Schema:
    subjects = "|".join(ids.SORTS[sort] for sort in row.sorts)
    is_genesis = row.name == "register.opened"
    properties: Schema = {
        "specversion": {"const": "1.0"},
        "id": _text(ids.EVENT_ID, "Chosen by the sender; with source and subject it is the event's identity."),
        "source": _text(SOURCE, "The acting or recording office.", 7 + ids.OFFICE_CODE_MAX),
        "type": {"const": row.type},
        "subject": _text(subjects, "What it is about; also the key of the message.", ids.SUBJECT_MAX),
        "time": {
            **_text(TIME, "When the act happened, says the sender."),
            "format": "date-time",
        },
        "datacontenttype": {"const": "application/json"},
        "ledger": _text(
            ids.LEDGER_NAME if is_genesis else ids.LEDGER_ID,
            "The ledger's name, since its id follows from this event." if is_genesis else "The ledger's id.",
        ),
        "data": data,
        "actor": _text(ids.SEGMENT, "The person inside the office, as a reference.", 64),
        "expectedseq": {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_INTEGER,
            "description": "Refuse the event unless its subject has this many records; 0: unless it has none.",
        },
        "traceparent": _text(TRACEPARENT, "W3C Trace Context."),
        "tracestate": _text(TRACESTATE, "W3C Trace Context."),
    }
    required = list(properties)[:9]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _text(pattern: str, description: str, maximum: int | None = None) -> Schema:
    limit = {} if maximum is None else {"maxLength": maximum}
    return {"type": "string", "pattern": f"^(?:{pattern})$", **limit, "description": description}


def _components(row: EventType, of: Callable[[type], Schema]) -> tuple[Schema, dict[str, Schema]]:
    """A reference to the schema of a type's data, and all that it refers to, by name."""
    (data,), found = msgspec.json.schema_components([row.data], ref_template=_REF)
    classes = {cls.__name__: cls for cls in _classes(row.data)}
    components: dict[str, Schema] = {}
    used: set[type] = set()
    for name, cls in classes.items():
        component = {**found[name], "description": meaning(cls)}  # msgspec's has line breaks
        plains = {note.name: note.plain for note in describe_fields(cls) if note.plain is not None}
        properties = component["properties"]
        for field, plain in plains.items():
            used.add(plain)
            properties[field] = _replace(properties[field], of(plain))
        component |= _dependencies(cls)
        if row.name in FREE_FORM and cls is row.data:
            properties["fields"] = {"type": "object", "additionalProperties": {"$ref": "#/$defs/IJson"}}
        components[name] = _adapted(component)
    if of is _wire and used:
        components |= {_SEALED_NAMES[plain]: _sealed_form(plain) for plain in used} | {"Sealed": _sealed()}
    if row.name in FREE_FORM or (of is _plain and dict in used):
        components["IJson"] = _ijson()
    return data, dict(sorted(components.items()))


def _classes(cls: type[Data]) -> Iterator[type[Data]]:
    """A type and the blocks in it."""
    yield cls
    for field in msgspec.structs.fields(cls):
        for inner in _mentioned(field.type):
            yield from _classes(inner)


def _mentioned(hint: Any) -> Iterator[type[Data]]:
    if isinstance(hint, type) and issubclass(hint, Data):
        yield hint
    for arm in get_args(hint):
        yield from _mentioned(arm)


def _wire(plain: type) -> Schema:
    return {"$ref": _REF.format(name=_SEALED_NAMES[plain])}


def _plain(plain: type) -> Schema:
    more = {"additionalProperties": {"$ref": "#/$defs/IJson"}} if plain is dict else {}
    return {**_PLAINTEXTS[plain], **more, "description": "Sealed before it leaves the sender."}


def _sealed_form(plain: type) -> Schema:
    kind = "a text" if plain is str else "an object"
    return {
        "description": f"A sealed field; its plaintext is {kind} (docs/formats.md says how it is sealed).",
        "allOf": [_SEALED_REF],
        "x-plaintext": _PLAINTEXTS[plain],
    }


def _sealed() -> Schema:
    """Also says what the Struct checks in code: that the base64 of the box is whole."""
    _, found = msgspec.json.schema_components([Sealed], ref_template=_REF)
    component: Schema = _adapted(found["Sealed"])
    component["description"] = meaning(Sealed)
    component["properties"]["box"]["pattern"] = _BOX
    return component


def _ijson() -> Schema:
    """Any JSON without fractions: ``ledger/ijson.py``."""
    here = {"$ref": "#/$defs/IJson"}
    whole = {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}
    return {
        "description": "Any strict I-JSON (RFC 7493), whose numbers are integers.",
        "anyOf": [
            {"type": ["string", "boolean", "null"]},
            whole,
            {"type": "array", "items": here},
            {"type": "object", "additionalProperties": here},
        ],
    }


def _dependencies(cls: type) -> Schema:
    """What the Structs check in ``__post_init__``: members that depend on each other."""
    if issubclass(cls, blocks.RequestContentIfAny):
        return {"dependentRequired": {name: list(blocks.CONTENT_REQUIRED) for name in blocks.CONTENT}}
    if issubclass(cls, (blocks.Contact, blocks.ContactAct)):
        says_none = {"properties": {"no_patronymic": {"const": True}}, "required": ["no_patronymic"]}
        return {"if": {"required": ["patronymic"]}, "then": {"not": says_none}, "else": says_none}
    return {}


def _replace(schema: Schema, by: Schema) -> Schema:
    """A property with what stands for a sealed field put where the box was, also inside a list."""
    if "items" in schema:
        return {**schema, "items": _replace(schema["items"], by)}
    return by


def meaning(cls: type) -> str:
    """What a type or block is for, in one line."""
    return " ".join((inspect.getdoc(cls) or "").replace("``", "`").split())


# Patterns and dates


def _pattern_of(hint: Any) -> str:
    return str(msgspec.json.schema(hint)["pattern"])


_DATES = {_pattern_of(Date): "date", _pattern_of(Instant): "date-time"}
_INSTANT, _INSTANT_OR_EMPTY = _pattern_of(Instant), _pattern_of(InstantOrEmpty)


def _adapted(schema: Any) -> Any:
    """A schema of msgspec's in the words of ECMA-262, dates with their format."""
    if isinstance(schema, list):
        return [_adapted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    pattern = schema.get("pattern")
    if pattern == _INSTANT_OR_EMPTY:
        return {"anyOf": [{"const": ""}, _adapted({"type": "string", "pattern": _INSTANT})]}
    adapted = {key: _adapted(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}
    if isinstance(pattern, str):
        adapted["pattern"] = ecma(pattern)
        if pattern in _DATES:
            adapted["format"] = _DATES[pattern]
    return adapted


def ecma(pattern: str) -> str:
    r"""A pattern of ours as ECMA-262 writes it: ``\Z`` is ``$``."""
    return pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern
