"""The map of a log: which of its attributes say what, and which of its events are acts of the catalogue.

A map as it is written (all of it optional; without a map every event becomes ``step.taken``)::

    people = ["org:resource", "responsible"]     # attributes that name people: never in clear fields

    [keys]                                       # case, name, time, transition, resource
    case = "case:number"

    [[event]]
    name = "Confirmation of receipt"
    transition = "complete"                      # without it: any
    type = "request.received"

    [event.data]                                 # as in the catalogue; sealed fields take plaintext
    channel = {attribute = "channel", words = {Internet = "direct"}, default = "directorate"}
    from = "RU-OMS"
    to = {attribute = "org:group"}
    signer = {person_of = "org:resource"}
    translations = []
    note = {case_attribute = "department"}

A table with one of ``attribute`` (of the event), ``case_attribute`` and ``person_of`` (of the event, else of its case;
gives the keyed reference), beside ``words`` and ``default``, stands for a value of the log.  ``words`` translates it; a
word that is not there counts as absent.  An absent value is the default, else an optional field is left out.

What the map itself says is checked when it is read, what the log says when it is filled in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ledger.catalogue import types_by_name
from ledger.catalogue.base import Data, EventType
from ledger.errors import ConfigError
from producers.importers.template import Block, Context, Scope, compile_block
from producers.importers.xes import STANDARD_KEYS, Happening, Keys

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: _Text
    type: _Text
    transition: _Text | None = None
    data: dict[str, Any] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: Keys = STANDARD_KEYS
    people: list[_Text] = []
    event: list[_Row] = []


class Rule(msgspec.Struct, frozen=True):
    """What one kind of event becomes."""

    row: EventType
    template: Block

    def fill(self, context: Context) -> Data:
        """The data for one event of the log.

        Raises:
            FieldError: the log says nothing, or something of the wrong form, for a field; names it.
        """
        data = self.template.fill(context)
        assert isinstance(data, Data)
        return data


class LogMap(msgspec.Struct, frozen=True):
    """A map that was read and checked; ``LogMap()`` makes a step of everything."""

    keys: Keys = STANDARD_KEYS
    rules: Mapping[tuple[str, str | None], Rule] = {}
    """By name and transition (None: any)."""

    def rule_for(self, happening: Happening) -> Rule | None:
        """The rule for an event, the one that names its transition first; None: it becomes a step."""
        if not self.rules:
            return None
        exact = self.rules.get((happening.name, plain_transition(happening.transition)))
        return exact or self.rules.get((happening.name, None))


def plain_transition(transition: str) -> str:
    """A transition as it is compared: small letters, and the standard's default ``complete`` if absent."""
    return transition.strip().lower() or "complete"


def read_map(path: Path) -> LogMap:
    """The map in a file. Raises as ``parse_map``, and ConfigError if the file can't be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"map {path}: expected a file in UTF-8, found {error}") from None
    return parse_map(text, path.name)


def parse_map(text: str, origin: str = "map") -> LogMap:
    """The map that a TOML text says; ``origin`` is named in errors.

    Raises:
        ConfigError: not TOML, an unknown or missing key, an unknown type, or two rules for one event.
        FieldError: data that its type does not take; names the field.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: expected the keys of a map, found: {error}") from None
    except (ValueError, RecursionError) as error:  # ValueError: not TOML, or a number of thousands of digits
        raise ConfigError(f"{origin}: expected TOML, found an error: {error}") from None
    people = frozenset({*file.people, file.keys.resource})
    lines = [i for i, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*event\s*\]\]", line)]
    rules: dict[tuple[str, str | None], Rule] = {}
    for i, row in enumerate(file.event):
        line = f" line {lines[i]}" if len(lines) == len(file.event) else ""
        where = f"{origin}{line}, event {row.name!r}"
        key = (row.name, row.transition and plain_transition(row.transition))
        if key in rules:
            raise ConfigError(f"{where}: expected one rule for each name and transition, found a second")
        type_ = _type(row.type, where)
        rules[key] = Rule(type_, compile_block(type_.data, row.data, Scope(f"{where}, data", people)))
    return LogMap(file.keys, rules)


def _type(name: str, where: str) -> EventType:
    rows = {row.name: row for row in types_by_name().values() if "request" in row.sorts}
    row = rows.get(name) or next((row for row in rows.values() if row.type == name), None)
    if row is None:
        near = get_close_matches(name, rows, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{where}: expected an event type that stands in a request, found {name!r}{hint}")
    return row
