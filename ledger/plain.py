"""Plain events: bytes as our own builder writes them, read in one typed pass; for all others the strict reading stands.

What a plain event is, in one sentence: reading it by its type and writing that again gives the same bytes, and its
attributes are right.  The equality proves what the strict reading looks for one by one: each member once, none unknown,
no other spelling of a number, a text or base64.  So the types here need no pattern for base64, which costs more
than all else of a sealed field: a box is read to bytes, and only the canonical text is written back.

``read_plain`` never refuses.  None says that it takes the strict reading (``ijson``, ``event``, the catalogue's own
types) to tell what is wrong, or that nothing is: a publisher may write its members in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from ledger import catalogue
from ledger.catalogue.derive import derive
from ledger.event import MAX_EVENT_BYTES, Event, are_right_options, is_day, is_ledger, is_source, is_time
from ledger.ids import Subject
from ledger.ijson import MAX_INTEGER, has_noncharacter

_T = TypeVar("_T")


class Plain(msgspec.Struct, Generic[_T], frozen=True, omit_defaults=True, gc=False):
    """An event with its ``data`` read; the attributes of ``event.Event``, in the same order."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    source: str
    type: str
    subject: Annotated[Subject, Meta(min_length=1, max_length=128)]
    time: str
    datacontenttype: Literal["application/json"]
    ledger: str
    data: _T
    actor: str | None = None
    expectedseq: Annotated[int, Meta(ge=0, le=MAX_INTEGER)] | None = None
    traceparent: str | None = None
    tracestate: str | None = None


_is_content_key_id = lru_cache(1024)(re.compile(r"[0-9a-f]{32}").fullmatch)  # one serves all fields of a subject


class _Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What stands for ``Sealed``: the same members, base64 read to bytes."""

    s: Literal[1]
    key: str
    filled: bool
    box: bytes
    commit: Annotated[bytes, Meta(min_length=32, max_length=32)]

    def __post_init__(self) -> None:
        """A remembered look is several times cheaper than the pattern."""
        if not _is_content_key_id(self.key):
            raise ValueError("expected the id of a content key")


Read = Event | Plain[Any]
"""An event by either reading. Of a plain one ``data`` is read, of the other it is still JSON."""

# At import, under its lock: msgspec prepares a type at its first use (see ``ledger/catalogue``).  A member of any JSON
# could hold what only the strict reading refuses.
_decoders: dict[bytes, Callable[[bytes], Plain[Any]]] = {
    row.type.encode(): msgspec.json.Decoder(Plain[derive(row.data, _Box, exact=True)]).decode  # type: ignore[misc] # made at run time
    for row in catalogue.types_by_name().values()
    if row.name not in catalogue.FREE_FORM
}
_encode = msgspec.json.Encoder().encode
_TYPE_MARK = b'"type":"'
_FAULTS = (msgspec.MsgspecError, UnicodeError, RecursionError)


def read_plain(raw: bytes) -> Plain[Any] | None:
    """The event that ``raw`` holds, if it is a plain one."""
    start = raw.find(_TYPE_MARK) + len(_TYPE_MARK)
    type_ = raw[start : raw.find(b'"', start)]
    decode = _decoders.get(type_)
    if decode is None or len(raw) > MAX_EVENT_BYTES:
        return None
    try:
        event = decode(raw)
    except _FAULTS:
        return None
    if _encode(event) != raw or event.type != type_.decode() or not _has_right_attributes(event):
        return None
    if not raw.isascii() and has_noncharacter(raw.decode()):
        return None
    return event


def _has_right_attributes(event: Plain[Any]) -> bool:
    """What the types of ``Plain`` leave to say; its ``type`` is one of the catalogue's."""
    names = event.id + event.subject
    time = event.time
    return (
        names.isascii()
        and names.isprintable()
        and " " not in names
        and _is_source(event.source)
        and _is_ledger(event.ledger)
        and is_time(time) is not None
        and is_day(time[:10])
        and (
            (event.actor is None and event.traceparent is None and event.tracestate is None)
            or are_right_options(event.actor, event.traceparent, event.tracestate)
        )
    )


# Few of each are there at a time.
_is_source = lru_cache(1024)(is_source)
_is_ledger = lru_cache(64)(is_ledger)


def members_of(data: object) -> Any:
    """The members of an event's ``data``, as JSON values: of a plain event, or of ``Raw`` known to be strict I-JSON."""
    return msgspec.json.decode(_encode(data))
