"""What a case file keeps of an event's ``data``: every clear member, and of a sealed one whether it is filled.

The types are derived from the catalogue's, so that rules read ``act.data.refused_by`` and not a dict; patterns are not
matched again, since admission has done so.
"""

from __future__ import annotations

import re
from calendar import monthrange
from typing import Any

import msgspec

from ledger import catalogue
from ledger.catalogue.dates import check_dates
from ledger.catalogue.derive import derive
from ledger.errors import FormatError


class Filled(msgspec.Struct, frozen=True, gc=False):
    """What stands for a sealed field: whether something was said in it."""

    filled: bool


def _matters(member: str) -> bool:
    return member != "note"  # no rule can rest on it


TYPES: dict[str, type[Any]] = {
    row.name: derive(row.data, Filled, keeps=_matters) for row in catalogue.types_by_name().values()
}
"""The type of each event's kept data, by the event's name."""

# At import, under its lock: msgspec prepares a type at its first use (see ``ledger/catalogue``).
_decoders = {name: msgspec.json.Decoder(cls) for name, cls in TYPES.items()}
_encode = msgspec.json.Encoder().encode


def keep(name: str, data: msgspec.Raw) -> msgspec.Raw:
    """What a case file keeps of an event's data. Raises msgspec's errors."""
    return msgspec.Raw(_encode(_decoders[name].decode(data)))


def read(name: str, kept: msgspec.Raw) -> Any:
    """Kept data as a Struct of ``TYPES``.

    A day that no month has, which admission version 1 let pass, is read as the last one of its month (our choice).
    """
    if _LATE.search(bytes(kept)) is not None and not _in_calendar(name, kept):
        kept = msgspec.Raw(_DATE.sub(_last_day, bytes(kept).decode()).encode())
    return _decoders[name].decode(kept)


def _in_calendar(name: str, kept: msgspec.Raw) -> bool:
    try:
        check_dates(_ROWS[name], msgspec.json.decode(kept, type=_EXACT[name]))
    except (FormatError, msgspec.MsgspecError):
        return False
    return True


def corrected(name: str, kept: Any, fields: dict[str, Any]) -> Any:
    """Kept data with some members replaced by a correction; unchanged where the correction does not fit the type.

    Admission does not hold the members of a correction against the type of what they correct, so it is done here.
    """
    known = {each.encode_name for each in msgspec.structs.fields(TYPES[name])}
    members = {**msgspec.to_builtins(kept), **{member: value for member, value in fields.items() if member in known}}
    try:
        msgspec.convert(members, _EXACT[name])
    except msgspec.MsgspecError:
        return kept
    return read(name, msgspec.Raw(_encode(members)))


_ROWS = {row.name: row for row in catalogue.types_by_name().values()}
_EXACT = {name: derive(row.data, Filled, keeps=_matters, exact=True) for name, row in _ROWS.items()}
_LATE = re.compile(rb'"(?:0000|[0-9]{4}-[0-9]{2}-(?:29|3[01]))')
"""What a day may begin with that no month has; few acts have such a text."""
_DATE = re.compile(r'(?<=")([0-9]{4})-([0-9]{2})-([0-9]{2})', re.ASCII)


def _last_day(found: re.Match[str]) -> str:
    year, month, day = max(1, int(found[1])), min(12, max(1, int(found[2]))), int(found[3])
    return f"{year:04}-{month:02}-{min(day, monthrange(year, month)[1]):02}"
