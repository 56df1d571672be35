"""What the status fold reads of an event's ``data``: the clear members that it uses, and nothing else.

Admission has held each record's data against its type, so a replay need not do that again: boxes are passed over,
patterns are not matched, members that no fact comes from are not decoded.  For ``request.sent`` what is left is::

    class RequestSent: to: str

The types are derived from the catalogue's own, so they cannot say anything else than these.  Whoever doubts that data
are of their type reads them with ``Record.data``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ledger import catalogue
from ledger.catalogue.derive import derive

MEMBERS = frozenset(
    {
        # content
        "kind", "direction", "partner", "requesting", "requested", "legal_basis", "links", "request", "relation",
        # who is told, who executes
        "to", "executing", "of", "by", "asked_of",
        # what is answered, and how
        "confirms", "answers", "decision", "condition", "authentic", "outcome", "final", "scope", "what",
        # persons and property
        "person", "asset", "sort", "money", "amount", "currency",
    }
)  # fmt: skip
"""Members, of whatever type, that a fact may come from."""

COMPARED = frozenset({"request.spoken", "request.confirmed"})
"""Acts of which all that is clear is compared (``content.py``), so they are read whole."""


def reader(type_: str) -> Callable[[msgspec.Raw], Any]:
    """What reads the data of a type (CloudEvents ``type``); it raises msgspec's errors.

    It is prepared here, and this is to be called at import (see ``ledger/catalogue``); a type that this release does
    not know has a reader that raises UnknownVersion.
    """
    row = catalogue.find(type_)
    if row is None:
        return lambda _: catalogue.known(type_)
    return msgspec.json.Decoder(
        row.data if row.name in COMPARED else derive(row.data, None, keeps=MEMBERS.__contains__)
    ).decode
