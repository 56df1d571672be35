"""Events: CloudEvents 1.0 JSON in structured mode, the bytes that a sender signs.

An event as it is signed, stored and read back, byte for byte (one line; broken here)::

    {"specversion":"1.0","id":"0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b","source":"office/RU-OMS",
     "type":"rogatory.request.accepted.v1","subject":"request/2025-000123",
     "time":"2025-03-03T10:00:00+06:00","datacontenttype":"application/json",
     "ledger":"assistance.0123456789abcdef0123456789abcdef","data":{"executing":"RU-OMS"}}

Source: CloudEvents 1.0.2 (core attributes, JSON format), RFC 3339 (``time``), RFC 7493 (I-JSON).  The
attributes named here are all that are allowed.  ``data`` is checked by its type (``ledger/catalogue``), the
form of ``subject`` and what may stand in it by admission.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from ledger import ids
from ledger.errors import FormatError
from ledger.ids import OfficeCode, Subject
from ledger.ijson import MAX_INTEGER, parse_ijson

MAX_EVENT_BYTES = 48 * 1024
CONTENT_TYPE = b"application/cloudevents+json"


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The envelope, with ``data`` still as JSON bytes. The order of fields is their order when we write one."""

    specversion: str
    id: str
    source: str
    type: str
    subject: Subject
    time: str
    datacontenttype: str
    ledger: str
    data: msgspec.Raw
    actor: str | None = None
    expectedseq: int | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @property
    def office(self) -> OfficeCode:
        """The code of the acting or recording office: ``source`` without its prefix."""
        return OfficeCode(self.source[7:])


_decode = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode


def format_event(event: Event) -> bytes:
    """The bytes to sign: compact, attributes in the order of ``Event``.

    Raises:
        FormatError: an attribute is malformed, or the event is over 48 KiB.
    """
    raw = _encode(event)
    parse_event(raw)
    return raw


def parse_event(raw: bytes) -> Event:
    """The event that ``raw`` holds. ``data`` is known to be an object, not yet to be of its type.

    Raises:
        FormatError: not I-JSON, too large, or not an event as described above.
    """
    if len(raw) > MAX_EVENT_BYTES:
        raise FormatError(f"expected at most {MAX_EVENT_BYTES} bytes, found {len(raw)}")
    check_attributes(parse_ijson(raw))
    return read_event(raw)


def read_event(raw: bytes) -> Event:
    """The envelope of bytes that are known to be an event, for example because they were admitted.

    Raises:
        FormatError: they are not.
    """
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"expected an event: {error}") from None


def _matcher(pattern: str) -> Any:
    return re.compile(rf"(?:{pattern})\Z").match


_is_id = _matcher(ids.EVENT_ID)
SOURCE = rf"office/{ids.OFFICE_CODE}"
_is_office = _matcher(SOURCE)
_TYPE = r"rogatory\.[a-z]+(?:\.[a-z]+)*\.v[1-9][0-9]{0,4}"
_is_type = _matcher(_TYPE)
_is_subject = _matcher(r"[!-~]{1,128}")
_LEDGER = rf"{ids.LEDGER_NAME}(?:\.[0-9a-f]{{32}})?"
is_ledger = _matcher(_LEDGER)
_is_segment = _matcher(rf"(?:{ids.SEGMENT})")
# W3C Trace Context 2.2 and 3.3
TRACEPARENT = r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
TRACESTATE = r"[ -~]{1,512}"
_is_traceparent = _matcher(TRACEPARENT)
_is_tracestate = _matcher(TRACESTATE)
# RFC 3339 5.6 with upper-case T and Z, at most 9 decimals, no leap second
TIME = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
is_time = _matcher(TIME)
"""Whether a text has the form of a time; whether there is such a day is another question."""

# As our own builder writes it; half of a replay's work on time was to take any other form into account.
_is_usual_time = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
).fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@lru_cache(1024)  # events come day by day
def is_day(text: str) -> bool:
    """Whether a date in digits is in the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_source(text: str) -> bool:
    """Whether a text names an office as a source."""
    return len(text) <= 7 + ids.OFFICE_CODE_MAX and _is_office(text) is not None


def _is_actor(text: str) -> bool:
    return len(text) <= 64 and _is_segment(text) is not None


_REQUIRED: dict[str, Any] = {
    "specversion": lambda text: text == "1.0",
    "id": _is_id,
    "source": is_source,
    "type": lambda text: len(text) <= 128 and _is_type(text),
    "subject": _is_subject,
    "time": lambda text: is_time(text) and is_day(text[:10]),
    "datacontenttype": lambda text: text == "application/json",
    "ledger": is_ledger,
}
_OPTIONAL: dict[str, Any] = {
    "actor": _is_actor,
    "traceparent": _is_traceparent,
    "tracestate": _is_tracestate,
}
_KNOWN = frozenset({*_REQUIRED, *_OPTIONAL, "data", "expectedseq"})


def check_attributes(value: Any) -> None:
    """Check that a JSON value is an event's envelope with an object as ``data``.

    Raises:
        FormatError: an attribute is missing, unknown or malformed; names it.
    """
    if type(value) is not dict:
        raise FormatError(f"expected an event, a JSON object, found {type(value).__name__}")
    if not value.keys() <= _KNOWN:
        raise FormatError(f"expected only known attributes, found {min(value.keys() - _KNOWN)[:40]!r}")
    for name, accepts in _REQUIRED.items():
        text = value.get(name)
        if type(text) is not str or not accepts(text):
            raise FormatError(_wrong(name, value))
    if type(value.get("data")) is not dict:
        raise FormatError(_wrong("data", value))
    if len(value) > 9:
        _check_optional(value)


def _check_optional(value: dict[str, Any]) -> None:
    for name, accepts in _OPTIONAL.items():
        if name in value:
            text = value[name]
            if type(text) is not str or not accepts(text):
                raise FormatError(_wrong(name, value))
    if "expectedseq" in value:
        number = value["expectedseq"]
        if type(number) is not int or not 0 <= number <= MAX_INTEGER:
            raise FormatError(_wrong("expectedseq", value))


def are_right_options(actor: str | None, traceparent: str | None, tracestate: str | None) -> bool:
    """Whether those that are given are well-formed."""
    return (
        (actor is None or _is_actor(actor))
        and (traceparent is None or _is_traceparent(traceparent) is not None)
        and (tracestate is None or _is_tracestate(tracestate) is not None)
    )


def _wrong(name: str, value: dict[str, Any]) -> str:
    if name not in value:
        return f"expected the attribute {name}, found none"
    found = value[name]
    shown = repr(found[:60]) if isinstance(found, str) else type(found).__name__
    return f"expected a well-formed {name}, found {shown}"


def moment_of(ms: int) -> datetime:
    """A moment in ms since 1970-01-01T00:00Z as UTC, to be shown.

    A time may lie a day outside the years 1 to 9999, by its offset, and a term may end there; it is shown as the first
    or the last moment that can be written.
    """
    try:
        return _EPOCH + ms * _MS
    except OverflowError:
        return (_EPOCH.min if ms < 0 else _EPOCH.max).replace(tzinfo=UTC)


def time_ms(text: str) -> int:
    """An RFC 3339 time as ms since 1970-01-01T00:00Z, decimals beyond ms cut off.

    Raises:
        FormatError: not a time as an event may carry.
    """
    try:
        if _is_usual_time(text):
            return (datetime.fromisoformat(text) - _EPOCH) // _MS
        if not is_time(text):
            raise FormatError(f"expected an RFC 3339 time with offset, found {text[:40]!r}")
        zone = text[19:].lstrip(".0123456789")
        fraction = text[19 : len(text) - len(zone)].lstrip(".")
        seconds = int(datetime.fromisoformat(text[:19] + zone).timestamp())
    except (ValueError, OverflowError):
        raise FormatError(f"expected an RFC 3339 time that exists, found {text[:40]!r}") from None
    return seconds * 1000 + int((fraction + "000")[:3])
