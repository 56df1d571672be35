"""Outcomes: the answer to a submission that did not become a new record.

The message in topic ``outcomes`` has the key ``<partition>/<epoch>/<offset>`` of the submission, its value, all its
headers, and behind them the ``outcome`` header, one JSON text::

    {"outcome":"refused","n":12,"reason":"unknown-key","expected":"a key of the register","found":"RU-OMS#0a1b…"}
    {"outcome":"duplicate","n":1,"reason":"duplicate","receipt":[3,0,57,41,2,"5b1f…"]}

An outcome may stand there twice (a registrar that restarts appends again what may be lost), so readers keep the first
per key.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ledger.admission import Duplicate
from ledger.dispositions import MEANING, Disposition, Refused
from ledger.errors import FormatError
from ledger.log import Message, Stored, header
from ledger.submission import OUTCOME_HEADER, Receipt, Submission

_SHOWN = 300


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the ``outcome`` header says."""

    outcome: Literal["refused", "duplicate"]
    n: Annotated[int, Meta(ge=1, le=255)]
    reason: str
    expected: str = ""
    found: str = ""
    receipt: Receipt | UnsetType = UNSET
    """The original record's; on duplicates and on identity-reused."""

    @property
    def meaning(self) -> str:
        """What it says to a person, and what to do."""
        if self.outcome == "duplicate":
            return "The same event stands in the ledger already; this is its receipt."
        try:
            return MEANING[Disposition(self.n)]
        except (ValueError, KeyError):
            return "A reason that this release does not know."


class OutcomeKey(msgspec.Struct, frozen=True, order=True):
    """Which submission: the key of the message."""

    partition: int
    epoch: int
    offset: int


_decode = msgspec.json.Decoder(Outcome).decode
_encode = msgspec.json.Encoder().encode


def outcome_of(decision: Refused | Duplicate) -> Outcome:
    """The outcome that tells of a decision."""
    if isinstance(decision, Duplicate):
        return Outcome("duplicate", int(Disposition.DUPLICATE), Disposition.DUPLICATE.reason, receipt=decision.receipt)
    return Outcome(
        "refused",
        int(decision.disposition),
        decision.disposition.reason,
        decision.expected[:_SHOWN],
        decision.found[:_SHOWN],
        decision.receipt or UNSET,
    )


def format_outcome(outcome: Outcome) -> bytes:
    """The text of the header."""
    return _encode(outcome)


def parse_outcome(raw: bytes) -> Outcome:
    """The outcome that a header says.

    Raises:
        FormatError: not an outcome.
    """
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"expected an outcome: {error}") from None


def format_outcome_key(key: OutcomeKey) -> bytes:
    """``<partition>/<epoch>/<offset>``."""
    return f"{key.partition}/{key.epoch}/{key.offset}".encode()


def parse_outcome_key(raw: bytes | None) -> OutcomeKey:
    """Which submission a key names.

    Raises:
        FormatError: not three numbers with slashes between.
    """
    parts = (raw or b"").split(b"/")
    if len(parts) != 3 or not all(p.isdigit() and len(p) <= 16 and str(int(p)).encode() == p for p in parts):
        raise FormatError(f"expected '<partition>/<epoch>/<offset>' as key, found {(raw or b'')[:60]!r}")
    return OutcomeKey(*(int(p) for p in parts))


def outcome_message(partition: int, submission: Submission, decision: Refused | Duplicate, now: int) -> Message:
    """The message to append to ``outcomes``; ``now`` in ms."""
    key = format_outcome_key(OutcomeKey(partition, submission.epoch, submission.offset))
    said = (OUTCOME_HEADER, format_outcome(outcome_of(decision)))
    return Message(key, submission.value, (*submission.headers, said), now)


def read_outcome(stored: Stored) -> tuple[OutcomeKey, Outcome]:
    """The key and the outcome of a message of topic ``outcomes``.

    Raises:
        FormatError: not one.
    """
    raw = header(stored.headers, OUTCOME_HEADER)
    if raw is None:
        raise FormatError("expected an outcome header, found none")
    return parse_outcome_key(stored.key), parse_outcome(raw)
