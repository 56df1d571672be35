"""Signed events on their way between machines: one DSSE envelope in JSON per line (DSSE v1.0, "envelope").

What the threshold decides is signed on several machines that share no network.  A statement file of such lines is
carried from one to the next, each adds a signature, the last one publishes.  A line as it stands (shortened)::

    {"payloadType":"application/cloudevents+json","payload":"eyJzcGVj…","signatures":[{"keyid":"RU-PGO#4c49…","sig":"9fU+…"}]}

``payload`` is the event's bytes in base64, signed as everywhere (``signature.py``), so any DSSE library can sign and
verify it.  Without signatures it is a draft.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ledger.errors import FormatError
from ledger.event import MAX_EVENT_BYTES, Event, read_event
from ledger.ijson import parse_ijson
from ledger.signature import EVENT_PAYLOAD, Signature, decode_base64, encode_base64, parse_kid

_MAX_SIGNATURES = 64  # as many as a ledger can have authorities; an event carries four of them
_MAX_LINES = 1024  # one for each partition of the largest ledger


class Envelope(msgspec.Struct, frozen=True):
    """An event's bytes and the signatures that were given so far, each by another key."""

    value: bytes
    signatures: tuple[Signature, ...] = ()

    def event(self) -> Event:
        """The event. Raises FormatError if the bytes are none."""
        return read_event(self.value)

    def signed(self, more: Iterable[Signature]) -> Envelope:
        """The same with more signatures, sorted by kid; a second one by the same key takes the place of the first."""
        by_kid = {s.kid: s for s in (*self.signatures, *more)}
        return Envelope(self.value, tuple(sorted(by_kid.values())))


class _Sig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payloadType: str  # noqa: N815 - DSSE's own name
    payload: str
    signatures: list[_Sig]


def format_envelopes(envelopes: Sequence[Envelope]) -> bytes:
    """The file that holds them."""
    lines = [
        _Line(EVENT_PAYLOAD, encode_base64(e.value), [_Sig(s.kid, encode_base64(s.value)) for s in e.signatures])
        for e in envelopes
    ]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def parse_envelopes(raw: bytes) -> list[Envelope]:
    """The envelopes in a file; at least one.

    Raises:
        FormatError: not such a file; the signatures are not verified here.
    """
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if not 1 <= len(lines) <= _MAX_LINES:
        raise FormatError(f"expected 1 to {_MAX_LINES} envelopes, one a line, found {len(lines)}")
    return [_parse(line) for line in lines]


def _parse(line: bytes) -> Envelope:
    parse_ijson(line)
    try:
        found = msgspec.json.decode(line, type=_Line)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise FormatError(f"expected a DSSE envelope, found: {error}") from None
    if found.payloadType != EVENT_PAYLOAD:
        raise FormatError(f"expected the payload type {EVENT_PAYLOAD}, found {found.payloadType[:60]!r}")
    if len(found.signatures) > _MAX_SIGNATURES:
        raise FormatError(f"expected at most {_MAX_SIGNATURES} signatures, found {len(found.signatures)}")
    value = decode_base64(found.payload)
    if len(value) > MAX_EVENT_BYTES:
        raise FormatError(f"expected an event of at most {MAX_EVENT_BYTES} bytes, found {len(value)}")
    signatures = tuple(Signature(parse_kid(s.keyid), decode_base64(s.sig, 64)) for s in found.signatures)
    if len({s.kid for s in signatures}) != len(signatures):
        raise FormatError("expected each kid once among the signatures, found one twice")
    envelope = Envelope(value, signatures)
    envelope.event()
    return envelope
