"""Building events: typed data in, sealed fields sealed, signed bytes out.

Wrong fields fail here, at the caller, before anything is signed::

    draft = Draft(subject="request/2025-000123", data=RequestAccepted(executing="RU-OMS"))
    signed = build(draft, Sender(ledger_id, "RU-OMS", (signer,), vault), now_ms)

Fields typed ``Sealed…`` take plaintext; it is sealed under the content key of its compartment (the material or
contact that the event
speaks of, else the subject's general part) and never leaves this function.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import uuid_utils
from msgspec import UNSET

from ledger import catalogue
from ledger.catalogue.base import Data, EventType, Sealed, sealed_pointers, types_by_name
from ledger.catalogue.dates import check_dates
from ledger.errors import FieldError, FormatError
from ledger.event import CONTENT_TYPE, MAX_EVENT_BYTES, Event, format_event
from ledger.ids import SORTS, SUBJECT_MAX, LedgerId, Subject
from ledger.log import Message
from ledger.partition import partition_of
from ledger.sealing import Place, seal_field
from ledger.signature import EVENT_PAYLOAD, MAX_SIGNATURES, Signature, Signer, format_signature, sign
from ledger.submission import CONTENT_TYPE_HEADER, SIGNATURE_HEADER
from ledger.vault import GENERAL, Vault
from producers.tracing import current_traceparent

_ENVELOPE_BYTES = 768  # more than the attributes around ``data`` can take without extensions


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say. ``time`` is when the act happened, RFC 3339 with offset; default: now."""

    subject: str
    data: Data
    time: str | None = None
    id: str | None = None
    """Default: a new UUIDv7 (RFC 9562)."""
    actor: str | None = None
    expectedseq: int | None = None
    traceparent: str | None = None
    """Default: the OpenTelemetry span that runs now, if it is sampled; none where ``id`` is given, because whoever
    chooses the id may build the event again and needs the same bytes."""


class Sender(msgspec.Struct, frozen=True):
    """Who says it: the ledger it is for, the office, the keys that sign (1 to 4), the vault for sealed fields."""

    ledger_id: LedgerId
    office: str
    signers: Sequence[Signer]
    vault: Vault | None = None


class Signed(msgspec.Struct, frozen=True):
    """An event ready to submit, now or later, once or again: the same bytes are one event."""

    subject: Subject
    id: str
    value: bytes
    signatures: tuple[Signature, ...]

    def message(self) -> Message:
        """What is appended to ``submissions``."""
        signatures = [(SIGNATURE_HEADER, format_signature(s)) for s in self.signatures]
        return Message(self.subject.encode(), self.value, ((CONTENT_TYPE_HEADER, CONTENT_TYPE), *signatures))

    def partition(self, partitions: int) -> int:
        """Where it is submitted."""
        return partition_of(self.subject, partitions)


class Unsigned(msgspec.Struct, frozen=True):
    """An event whose bytes are fixed, and that somebody has still to sign."""

    subject: Subject
    id: str
    value: bytes

    def sign(self, signers: Sequence[Signer]) -> Signed:
        """The same bytes with a signature of each (1 to 4). Raises KeyFault if a key can't be used."""
        return Signed(self.subject, self.id, self.value, tuple(sign(s, EVENT_PAYLOAD, self.value) for s in signers))


_rows: dict[type[Data], EventType] = {}


def row_of(data: Data) -> EventType:
    """The catalogue's row for a data object; the newest version where there are several.

    Raises:
        FieldError: not an event's data.
    """
    if not _rows:
        _rows.update({row.data: row for row in types_by_name().values()})
    row = _rows.get(type(data))
    if row is None:
        raise FieldError(f"expected the data of an event type of the catalogue, found {type(data).__name__}")
    return row


def build(draft: Draft, sender: Sender, now: int) -> Signed:
    """The signed event for a draft; ``now`` in ms is the time if the draft names none.

    Raises:
        FieldError: a field is missing, unknown or of the wrong form; names it.
        KeyFault: a key or the vault can't be used.
    """
    if not 1 <= len(sender.signers) <= MAX_SIGNATURES:
        name = row_of(draft.data).name
        raise FieldError(f"{name}: expected 1 to {MAX_SIGNATURES} signers, found {len(sender.signers)}")
    return compose(draft, sender, now).sign(sender.signers)


def compose(draft: Draft, sender: Sender, now: int) -> Unsigned:
    """The event for a draft as its bytes, sealed fields sealed, for somebody to sign later; asks no signer.

    Raises:
        FieldError: a field is missing, unknown or of the wrong form; names it.
        KeyFault: the vault can't be used.
    """
    row = row_of(draft.data)
    sort = draft.subject.partition("/")[0]
    if sort not in row.sorts:
        raise FieldError(f"{row.name}: expected a subject {' or '.join(row.sorts)}, found {draft.subject[:60]!r}")
    if len(draft.subject) > SUBJECT_MAX or not re.fullmatch(SORTS[sort], draft.subject):
        raise FieldError(f"{row.name}: expected a well-formed subject, {SORTS[sort]}, found {draft.subject[:60]!r}")
    id_ = draft.id or str(uuid_utils.uuid7())
    source = f"office/{sender.office}"
    ledger = sender.ledger_id
    place = Place(ledger, source, id_, draft.subject, row.type, "/data")
    data = _Sealing(row, place, sender.vault, draft).run()
    event = Event(
        specversion="1.0",
        id=id_,
        source=source,
        type=row.type,
        subject=Subject(draft.subject),
        time=draft.time or format_time(now),
        datacontenttype="application/json",
        ledger=ledger,
        data=msgspec.Raw(msgspec.json.encode(data)),
        actor=draft.actor,
        expectedseq=draft.expectedseq,
        traceparent=draft.traceparent or (current_traceparent() if draft.id is None else None),
    )
    size = len(event.data)
    if size > MAX_EVENT_BYTES - _ENVELOPE_BYTES:
        raise FieldError(
            f"{row.name}: expected at most {MAX_EVENT_BYTES} bytes for the event, found {size} in its data; hold long "
            "texts elsewhere and give their SHA-256"
        )
    try:
        check_dates(row, catalogue.convert_data(row, data))
        value = format_event(event)
    except FormatError as error:
        raise FieldError(f"{row.name}: {error}") from None
    except UnicodeEncodeError:
        raise FieldError(f"{row.name}: expected attributes of Unicode text, found a lone surrogate") from None
    return Unsigned(Subject(draft.subject), id_, value)


def format_time(ms: int) -> str:
    """A time in ms since 1970 as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def compartment_of(data: Data) -> str:
    """Which content key seals an event's fields: that of its material or contact, else the general one."""
    for kind in ("material", "contact"):
        name = getattr(data, kind, None)
        if isinstance(name, str):
            return f"{kind}/{name}"
    return GENERAL


class _Sealing:
    """One event's data on its way to JSON, with every sealed field replaced by its box."""

    def __init__(self, row: EventType, place: Place, vault: Vault | None, draft: Draft) -> None:
        self._row = row
        self._sealed = sealed_pointers(row.data)
        self._place = place
        self._vault = vault
        self._draft = draft
        self._key: bytes | None = None

    def run(self) -> Any:
        return self._walk(self._draft.data, (), self._place.pointer)

    def _walk(self, value: Any, path: tuple[str, ...], pointer: str) -> Any:
        plain = self._sealed.get(path)
        if plain is not None:
            return self._box(value, plain, pointer)
        if isinstance(value, Data):
            # A member is called ``from`` on the wire and ``from_`` in Python.
            names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
            fields = ((name, wire, getattr(value, name)) for name, wire in names)
            return {w: self._walk(v, (*path, n), f"{pointer}/{w}") for n, w, v in fields if v is not UNSET}
        if isinstance(value, (list, tuple)):
            return [self._walk(item, (*path, "*"), f"{pointer}/{i}") for i, item in enumerate(value)]
        try:
            return msgspec.to_builtins(value)
        except TypeError:
            raise FieldError(
                f"{self._row.name}: expected a JSON value for {pointer[6:]}, found {type(value).__name__}"
            ) from None

    def _box(self, value: Any, plain: type, pointer: str) -> Any:
        if isinstance(value, Sealed):
            return msgspec.to_builtins(value)
        if not isinstance(value, plain):
            what = "text" if plain is str else "an object"
            raise FieldError(f"{self._row.name}: expected {what} for {pointer[6:]}, found {type(value).__name__}")
        if self._vault is None:
            raise FieldError(f"{self._row.name}: {pointer[6:]} is sealed and needs a vault, found none")
        if self._key is None:
            self._key = self._vault.key_for(self._draft.subject, compartment_of(self._draft.data))
        place = msgspec.structs.replace(self._place, pointer=pointer)
        try:
            return msgspec.to_builtins(seal_field(self._key, place, value))
        except FormatError as error:
            raise FieldError(f"{self._row.name}: {pointer[6:]}: {error}") from None
