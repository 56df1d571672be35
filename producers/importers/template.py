"""Data of an event with gaps that a log fills: what stands under ``data`` in a map (``mapping.py`` shows one).

A template is compiled once against its type, so that every constant in it is known to be good; a value of the log
is checked when it is filled in.  Messages name the attribute, never what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from ledger.catalogue import base
from ledger.catalogue.base import Data
from ledger.catalogue.describe import FieldNote, describe_fields
from ledger.errors import ConfigError, FieldError, FormatError
from producers.importers.xes_values import Value, read_time

_SOURCES = ("attribute", "case_attribute", "person_of")


class Context(msgspec.Struct, frozen=True):
    """What the log says of one event."""

    event: Mapping[str, Value]
    case: Mapping[str, Value]
    person: Callable[[str], str]
    """From a name to its reference."""


class Scope(msgspec.Struct, frozen=True):
    """Where in a map we are, for errors, and which attributes name people."""

    where: str
    people: frozenset[str]

    def at(self, step: str) -> Scope:
        """One level further in."""
        return Scope(f"{self.where}{step}", self.people)


class Node(Protocol):
    """A part of a template."""

    def fill(self, context: Context) -> Any:
        """Its value for one event; UNSET leaves the field out. Raises FieldError."""
        ...


class Fixed(msgspec.Struct, frozen=True):
    """A constant."""

    value: Any

    def fill(self, context: Context) -> Any:  # noqa: ARG002 - the same for every event
        """The constant."""
        return self.value


class Gap(msgspec.Struct, frozen=True):
    """A value of the log."""

    where: str
    hint: Any
    note: FieldNote
    source: str
    key: str
    words: Mapping[str, Any] | None
    default: Any

    def fill(self, context: Context) -> Any:
        """What the log says, in the form of the field."""
        found = context.case.get(self.key) if self.source == "case_attribute" else context.event.get(self.key)
        if found is None and self.source == "person_of":
            found = context.case.get(self.key)
        if found is None or found == "" or (self.words is not None and _text(found) not in self.words):
            if self.default is UNSET and self.note.required:
                raise FieldError(
                    f"{self.where}: expected {self.key!r} in the log, found none that will do; set a default"
                )
            return self.default
        if self.words is not None:
            return self.words[_text(found)]
        if self.source == "person_of":
            found = context.person(_text(found))
        if self.note.sealed:
            return _text(found) if self.note.plain is str else _object(self.key, found)
        for form in _forms(self.hint, found):
            try:
                return msgspec.convert(form, self.hint)
            except msgspec.ValidationError:
                continue
        raise FieldError(f"{self.where}: expected {_expected(self.note)} in {self.key!r}, found something else")


class Many(msgspec.Struct, frozen=True):
    """A list; items that are left out shorten it."""

    items: tuple[Node, ...]

    def fill(self, context: Context) -> Any:
        """The list."""
        return [value for item in self.items if (value := item.fill(context)) is not UNSET]


class Block(msgspec.Struct, frozen=True):
    """The data of an event, or a block in it."""

    where: str
    cls: type[Data]
    members: Mapping[str, Node]

    def fill(self, context: Context) -> Any:
        """The Struct, not yet sealed."""
        return _make(self.cls, {name: node.fill(context) for name, node in self.members.items()}, self.where)


def compile_block(cls: type[Data], members: Mapping[str, Any], scope: Scope) -> Block:
    """The template of a type or block.

    Raises:
        FieldError: an unknown or missing member, or a constant of the wrong form.
        ConfigError: a reference that is malformed or would show the name of a person.
    """
    notes = {note.name: note for note in describe_fields(cls)}
    fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
    if unknown := sorted(members.keys() - fields.keys()):
        raise FieldError(f"{scope.where}.{unknown[0]}: expected one of {', '.join(fields)}, found another member")
    if missing := [name for name, field in fields.items() if field.required and name not in members]:
        raise FieldError(f"{scope.where}: expected the member {missing[0]}, found none")
    nodes = {
        fields[name].name: _compile(fields[name].type, notes[name], value, scope.at(f".{name}"))
        for name, value in members.items()
    }
    _make(cls, {name: node.value if isinstance(node, Fixed) else "" for name, node in nodes.items()}, scope.where)
    return Block(scope.where, cls, nodes)


def _make(cls: type[Data], values: dict[str, Any], where: str) -> Data:
    try:
        return cls(**values)
    except ValueError as error:  # of a __post_init__: members that depend on each other
        raise FieldError(f"{where}: {error}") from None


def _compile(hint: Any, note: FieldNote, value: Any, scope: Scope) -> Node:
    if isinstance(value, dict) and sum(name in value for name in _SOURCES) == 1:
        return _gap(hint, note, value, scope)
    inner = _inner(hint)
    if get_origin(inner) is list:
        if not isinstance(value, list):
            raise FieldError(f"{scope.where}: expected a list, found {type(value).__name__}")
        item = msgspec.structs.replace(note, required=False, form=note.form.removeprefix("list of "))
        each = get_args(inner)[0]
        return Many(tuple(_compile(each, item, one, scope.at(f"[{i}]")) for i, one in enumerate(value)))
    if isinstance(inner, type) and issubclass(inner, Data):
        if not isinstance(value, dict):
            raise FieldError(f"{scope.where}: expected a table, found {type(value).__name__}")
        return compile_block(inner, value, scope)
    return Fixed(_constant(hint, note, value, scope))


def _gap(hint: Any, note: FieldNote, value: dict[str, Any], scope: Scope) -> Gap:
    (source,) = (name for name in _SOURCES if name in value)
    key, words = value[source], value.get("words")
    unknown = sorted(value.keys() - {source, "words", "default"})
    if unknown or not isinstance(key, str) or not key or not isinstance(words, dict | None):
        found = f"the member {unknown[0]!r}" if unknown else "a member of another kind"
        raise ConfigError(f"{scope.where}: expected {{{source} = text, words = table, default = …}}, found {found}")
    inner = _inner(hint)
    if note.members or get_origin(inner) is list:
        raise ConfigError(f"{scope.where}: expected {note.form}, with references inside it, found a reference")
    if source != "person_of" and key in scope.people and not note.sealed and words is None:
        raise ConfigError(
            f"{scope.where}: expected person_of = {key!r}, since it names people and the field is clear, found {source}"
        )
    if words is not None:
        words = {word: _constant(hint, note, to, scope.at(f".words.{word}")) for word, to in words.items()}
    default = _constant(hint, note, value["default"], scope.at(".default")) if "default" in value else UNSET
    return Gap(scope.where, hint, note, source, key, words, default)


def _constant(hint: Any, note: FieldNote, value: Any, scope: Scope) -> Any:
    if note.sealed:
        assert note.plain is not None
        if isinstance(value, note.plain):
            return value
    else:
        try:
            return msgspec.convert(value, hint)
        except msgspec.ValidationError:
            pass
    raise FieldError(f"{scope.where}: expected {_expected(note)}, found {value!r}")


def _expected(note: FieldNote) -> str:
    return f"one of {', '.join(map(str, note.words))}" if note.words else note.form


def _inner(hint: Any) -> Any:
    """A field's type without ``UnsetType`` and, if it is a list, without its bounds."""
    arm = next(arm for arm in get_args(hint) if arm is not UnsetType) if UnsetType in get_args(hint) else hint
    if get_origin(arm) is Annotated and get_origin(get_args(arm)[0]) is list:
        return get_args(arm)[0]
    return arm


def _forms(hint: Any, value: Value) -> list[Any]:
    """A value as the log has it, and as a field may want it: a text, a day, an instant."""
    text = _text(value)
    forms: list[Any] = [value, text]
    if (arm := _inner(hint)) in (base.Date, base.Instant, base.InstantOrEmpty):
        try:
            instant = read_time(text)
        except FormatError:
            return forms
        forms.append(instant[:10] if arm == base.Date else instant)
    return forms


def _text(value: Value) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _object(key: str, value: Value) -> dict[str, Any]:
    return value if isinstance(value, dict) else {key: value}
