"""What is kept of one request: its state, who owes the next step, what is open, persons, property, remarks.

All times are ms since 1970-01-01T00:00Z; a *time* is effective, the earlier of claimed and admitted (our
choice).  Every record is pointed at by its leaf index in the partition.  Nothing here grows with an ordinary
event; the history of a request is a list of indices beside the facts, and the store keeps that.
"""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal[
    "oral", "signed", "sent", "received", "accepted", "executed", "refused", "answered", "closed", "returned",
    "withdrawn",
]  # fmt: skip
Side = Literal["requesting", "requested", "supplying", "nobody"]
Sort = Literal["confirmation", "doubt", "information", "condition", "refusal_notice", "consent"]
Code = Literal[
    "no_opening", "confirms_nothing", "content_changed", "no_decision", "out_of_order", "amount_exceeds",
    "after_closure", "future_dated",
]  # fmt: skip
PersonState = Literal["located", "detained", "granted", "lent", "handed_over", "released"]
AssetState = Literal["traced", "restrained", "confiscated", "returned", "released"]


class Ball(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who owes the next step, and since when; an office that is not known is empty."""

    side: Side = "requested"
    office: str = ""
    since: int = 0


class Item(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Something that waits for an answer, with a clock of its own."""

    sort: Sort
    ref: str
    """What an answer names: the id of the event that opened it; of a condition, the condition's."""
    side: Side
    office: str
    since: int
    index: int


class Person(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A person of this request; ``lent`` is handed over for a time (in the texts: temporarily)."""

    person: str
    state: PersonState
    since: int
    index: int
    granted: bool = False
    """Whether a decision that grants the request names this person."""


class Sums(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was done to an asset in one currency, as exact decimal texts."""

    currency: str
    restrained: str = "0"
    released: str = "0"
    confiscated: str = "0"
    returned: str = "0"


class Asset(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A piece of property of this request."""

    asset: str
    state: AssetState
    since: int
    index: int
    sort: str = ""
    sums: tuple[Sums, ...] = ()


class Remark(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A finding of ours about the order of acts, with no article behind it; or the mark of a record."""

    code: Code
    index: int
    event: str


class Notes(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Remarks or marks: how many there are, and the first of them (``MAX_NOTES`` in ``remarks.py``)."""

    count: int = 0
    first: tuple[Remark, ...] = ()


class Link(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How this request relates to another one."""

    request: str
    relation: str


class Content(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a request says about itself in clear."""

    kind: str
    direction: str
    partner: str
    requesting: str
    requested: str
    legal_basis: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class Last(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The last record."""

    event: str = ""
    time: int = 0
    admitted: int = 0
    index: int = 0


class StatusFacts(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The facts of one request."""

    last: Last = Last()
    records: int = 0
    opened: int = 0
    """Time of the opening, or of the first record while none is known."""
    opener: str = ""
    """Name of the event that opened it; empty: none is known."""
    assumed: bool = True
    """The state ``received`` is taken for granted: no opening is known, and no act has moved the state."""
    content: Content | None = None
    """As last put in writing; None: unknown."""
    state: State = "received"
    state_since: int = 0
    ball: Ball = Ball()
    turn: str = ""
    """The office whose step the state waits for, whatever the open items say."""
    holder: str = ""
    """The office of the requested side that has the request."""
    items: tuple[Item, ...] = ()
    """Open items, in the order of their opening in the ledger."""
    persons: tuple[Person, ...] = ()
    assets: tuple[Asset, ...] = ()
    spoken: str = ""
    """Digest of what was said by word of mouth (``content.py``); empty: no oral request is known."""
    refusal_decided: bool = False
    all_granted: bool = False
    """A decision about persons was recorded that names none."""
    execution: str = ""
    """Outcome of the execution; empty until it is over."""
    outcome: str = ""
    """Outcome told to the requesting side; empty until that is final."""
    closed_as: str = ""
    """Outcome under which the file was last closed."""
    remarks: Notes = Notes()
    marks: Notes = Notes()
