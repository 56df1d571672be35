"""The side file: what was planted where, and the verdict that it deserves.

One JSON object a line::

    {"sort":"breach","knob":"field_missing","rule":"A6.3","subject":"request/2025-0000123","item":"",
     "events":["0195…"],"verdict":"breached","at":"2025-03-03T07:00:00.000Z"}

``breach`` must be found breached, ``undetermined`` undetermined, and a ``near_miss`` met: it is as close to a breach as
the law still bears.  ``item`` is what of the subject it is about, where a rule has
several rows for one subject: an event id, a material, an office.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Sort = Literal["breach", "near_miss", "undetermined"]
VERDICTS: dict[Sort, str] = {"breach": "breached", "near_miss": "met", "undetermined": "undetermined"}


class Truth(msgspec.Struct, frozen=True, omit_defaults=False):
    """One planted thing."""

    sort: Sort
    knob: str
    rule: str
    subject: str
    item: str
    events: tuple[str, ...]
    verdict: str
    at: str


def line(truth: Truth) -> bytes:
    """As a line of the file."""
    return msgspec.json.encode(truth) + b"\n"


def read(raw: bytes) -> Truth:
    """A line of the file."""
    return msgspec.json.decode(raw, type=Truth)
