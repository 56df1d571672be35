"""Event data from JSON as a person writes it: members as in the catalogue, sealed fields in plain text.

``{"executing": "RU-OMS"}`` for ``request.accepted`` gives ``RequestAccepted(executing="RU-OMS")``; the builder seals it
and checks once more.  What is wrong is named with its path and what was expected, never with a sealed text.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from ledger.catalogue import types_by_name
from ledger.catalogue.base import Data, EventType
from ledger.catalogue.describe import FieldNote, describe_fields
from ledger.errors import FieldError, FormatError
from ledger.ijson import parse_ijson
from producers.builder import Draft


def find_type(name: str) -> EventType:
    """The newest row of an event type, by its short or whole name.

    Raises:
        FieldError: there is none; suggests one.
    """
    rows = {row.name: row for row in sorted(types_by_name().values(), key=lambda row: row.version)}
    row = types_by_name().get(name) or rows.get(name)
    if row is None:
        near = get_close_matches(name, rows, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise FieldError(f"expected an event type, found {name[:60]!r}; {hint}`rogatory catalogue` lists them")
    return row


def read_members(given: str) -> dict[str, Any]:
    """The JSON object in a file, on standard input (``-``), or in the text itself.

    Raises:
        FieldError: no such file, or not an object of strict JSON.
    """
    if given.lstrip().startswith("{"):
        raw, where = given.encode(), "--data"
    elif given == "-":
        raw, where = sys.stdin.buffer.read(), "standard input"
    else:
        where = given
        try:
            raw = Path(given).read_bytes()
        except OSError as error:
            raise FieldError(
                f"expected --data to be JSON beginning with {{, a file, or - for standard input, found {given[:60]!r} "
                f"({error.strerror})"
            ) from None
    return parse_object(raw, where)


def parse_object(raw: bytes, where: str) -> dict[str, Any]:
    """The JSON object that bytes hold. Raises FieldError."""
    try:
        members = parse_ijson(raw)
    except FormatError as error:
        raise FieldError(f"{where}: {error}") from None
    if not isinstance(members, dict):
        raise FieldError(f"{where}: expected a JSON object, found {_kind(members)}")
    return members


S = TypeVar("S", bound=msgspec.Struct)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event in a file of events, one JSON object a line."""

    subject: str
    type: str
    data: dict[str, Any]
    time: str | None = None
    id: str | None = None
    actor: str | None = None
    expectedseq: int | None = None


def convert_members(members: dict[str, Any], type_: type[S], where: str) -> S:
    """A Struct from the members of a JSON object. Raises FieldError: one is missing, unknown or of the wrong form."""
    known = {field.name: field.required for field in msgspec.structs.fields(type_)}
    if wrong := sorted(members.keys() - known.keys()):
        raise FieldError(f"{where}: expected the members {', '.join(known)}, found {wrong[0][:40]!r}")
    if missing := [name for name, required in known.items() if required and name not in members]:
        raise FieldError(f"{where}: expected the member {missing[0]}, found none")
    try:
        return msgspec.convert(members, type_)
    except msgspec.ValidationError as error:
        raise FieldError(f"{where}: {error}") from None


def parse_line(raw: bytes, where: str) -> tuple[str, Draft]:
    """The event type's name and the draft that a line says. Raises FieldError, with ``where`` in its message."""
    line = convert_members(parse_object(raw, where), Line, where)
    try:
        row = find_type(line.type)
        data = make_data(row, line.data)
    except FieldError as error:
        raise FieldError(f"{where}: {error}") from None
    draft = Draft(
        subject=line.subject,
        data=data,
        time=line.time,
        id=line.id,
        actor=line.actor,
        expectedseq=line.expectedseq,
    )
    return row.name, draft


def make_data(row: EventType, members: dict[str, Any]) -> Data:
    """The data of an event type.

    Raises:
        FieldError: a member is missing, unknown or of the wrong form; names it.
    """
    return _block(row.data, members, row.name)


def _block(cls: type[Data], members: dict[str, Any], where: str) -> Data:
    notes = {note.name: note for note in describe_fields(cls)}
    fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
    if unknown := sorted(members.keys() - fields.keys()):
        near = get_close_matches(unknown[0], fields, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise FieldError(f"{where}: expected members {', '.join(fields)}, found {unknown[0][:40]!r}{hint}")
    if missing := [name for name, field in fields.items() if field.required and name not in members]:
        raise FieldError(f"{where}: expected the member {missing[0]} ({expectation(notes[missing[0]])}), found none")
    values = {
        fields[name].name: _value(fields[name].type, notes[name], value, f"{where}.{name}")
        for name, value in members.items()
    }
    try:
        return cls(**values)
    except ValueError as error:  # members that depend on each other
        raise FieldError(f"{where}: {error}") from None


def _value(hint: Any, note: FieldNote, value: Any, where: str) -> Any:
    inner = _inner(hint)
    if get_origin(inner) is list:
        if not isinstance(value, list):
            raise FieldError(f"{where}: expected a {note.form}, found {_kind(value)}")
        item = msgspec.structs.replace(note, form=note.form.removeprefix("list of "))
        return [_value(get_args(inner)[0], item, one, f"{where}[{i}]") for i, one in enumerate(value)]
    if isinstance(inner, type) and issubclass(inner, Data):
        if not isinstance(value, dict):
            raise FieldError(f"{where}: expected an object ({note.form}), found {_kind(value)}")
        return _block(inner, value, where)
    if note.sealed:
        if note.plain is not None and isinstance(value, note.plain):
            return value
        raise FieldError(f"{where}: expected {expectation(note)}, found {_kind(value)}")
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError:
        raise FieldError(f"{where}: expected {expectation(note)}, found {_shown(value)}") from None


def expectation(note: FieldNote) -> str:
    """What a field takes, for a person."""
    if note.words:
        many = "list of " if note.form.startswith("list of ") else ""
        return f"{many}one of {', '.join(map(str, note.words))}"
    return f"{note.form}, which is sealed" if note.sealed else note.form


def _inner(hint: Any) -> Any:
    """A field's type without ``UnsetType`` and, if it is a list, without its bounds."""
    arm = next(arm for arm in get_args(hint) if arm is not UnsetType) if UnsetType in get_args(hint) else hint
    first = get_args(arm)[0] if get_args(arm) else None
    return first if get_origin(first) is list and get_origin(arm) is not list else arm


def _shown(value: Any) -> str:
    return (
        repr(value[:60]) if isinstance(value, str) else _kind(value) if isinstance(value, (dict, list)) else str(value)
    )


def _kind(value: Any) -> str:
    kinds = {
        str: "text",
        dict: "an object",
        list: "a list",
        bool: "true or false",
        type(None): "null",
        type(UNSET): "nothing",
    }
    return kinds.get(type(value), "a number")
