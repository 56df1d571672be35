"""Records as events of an OCEL 2.0 log, with the objects that take part and how these relate.

``material.sent`` of a request becomes (shortened)::

    OcelEvent(id="1/41", type="material.sent", time="2025-03-03T04:00:00.000Z", attributes={"lang": "ru", …},
              objects=[("request/2025-1", "request", "subject"), ("office/RU-OMS", "office", "source"),
                       ("material/m-1", "material", "material"), …],
              links=[("material/m-1", "request/2025-1", "of")])

An id is ``<type>/<value>``, of subjects the subject itself; events are called partition/index.  Of two objects it is
told: what a request says of its offices, instruments and other requests, and which request a thing belongs to.

Source: OCEL 2.0 specification (Berti et al., 2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ledger.event import moment_of, time_ms
from projections.exports.ocel_shape import (
    ASSET,
    INSTRUMENT,
    MATERIAL,
    OBJECT_ATTRIBUTES,
    OFFICE,
    PERSON,
    REQUEST,
    TELLING,
    shape_of,
)
from projections.exports.told import Hidden, Scalar, Told

_BELONGS = frozenset({MATERIAL, ASSET, "condition", "cost"})
_FROM_REQUEST = frozenset({"requesting", "requested", "legal_basis", "links/request"})


class Taking(msgspec.Struct, frozen=True):
    """An object that takes part in an event."""

    id: str
    type: str
    qualifier: str


class OcelEvent(msgspec.Struct, frozen=True):
    """A record as OCEL has it; ``links`` are of objects with each other: source, target, qualifier."""

    id: str
    type: str
    time: str
    attributes: dict[str, Scalar]
    objects: list[Taking]
    links: list[tuple[str, str, str]]
    values: list[tuple[str, str, str]]
    """What is told of an object: its id, attribute, value."""


def ocel_event(told: Told) -> OcelEvent:
    """A record as an event."""
    objects = list(dict.fromkeys(_objects(told)))
    subject = objects[0]
    return OcelEvent(
        id=f"{told.record.partition}/{told.record.index}",
        type=told.name,
        time=instant(time_ms(told.record.event.time)),
        attributes=dict(_attributes(told)),
        objects=objects,
        links=list(_links(subject, objects)),
        values=list(_values(told, subject)),
    )


def instant(ms: int) -> str:
    """A time in ms since 1970 in UTC."""
    return moment_of(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _objects(told: Told) -> Iterator[Taking]:
    event = told.record.event
    yield Taking(event.subject, event.subject.partition("/")[0], "subject")
    yield Taking(f"{OFFICE}/{event.office}", OFFICE, "source")
    if event.actor is not None:
        yield Taking(f"{PERSON}/{event.actor}", PERSON, "actor")
    for field in shape_of(event.type).objects:
        for value in _at(told.data, field.path):
            if isinstance(value, str) and value:
                yield Taking(f"{field.type}/{value}", field.type, field.qualifier)


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What stands at a path; of a list all of it."""
    if not path:
        yield value
    elif path[0] == "*":
        for item in value:
            yield from _at(item, path[1:])
    elif path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _attributes(told: Told) -> Iterator[tuple[str, Scalar]]:
    record, event = told.record, told.record.event
    yield from (
        ("record_event", event.id), ("record_time", event.time), ("record_office", event.office),
        ("record_partition", record.partition), ("record_index", record.index), ("record_seq", record.seal.seq),
        ("record_admitted", instant(record.seal.admitted)), ("record_leaf", record.leaf.hex()),
    )  # fmt: skip
    for attribute in shape_of(event.type).attributes:
        for value in _at(told.data, attribute.path):
            if isinstance(value, Hidden):
                yield f"{attribute.name}_filled", value.filled
                continue
            if attribute.sealed:
                yield f"{attribute.name}_filled", value not in ("", None, [], {})
            yield attribute.name, _json(value) if attribute.is_json else value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _links(subject: Taking, objects: list[Taking]) -> Iterator[tuple[str, str, str]]:
    for one in objects:
        if subject.type == REQUEST and one.type in _BELONGS:
            yield one.id, subject.id, "of"
        elif subject.type == REQUEST and one.qualifier in _FROM_REQUEST and one.id != subject.id:
            yield subject.id, one.id, one.qualifier


def _values(told: Told, subject: Taking) -> Iterator[tuple[str, str, str]]:
    kind = TELLING.get(told.name)
    if kind is None:
        return
    field = {MATERIAL: "material", ASSET: "asset", OFFICE: "office", INSTRUMENT: "instrument"}.get(kind)
    about = subject.id if field is None else f"{kind}/{told.data[field]}"
    for name in OBJECT_ATTRIBUTES[kind]:
        value = told.data.get(name)
        if isinstance(value, str):
            yield about, name, value
