"""Receipts: what a publisher has been promised so far, stage by stage.

====================  =====================================================================================
stage                 what it promises, and against whom
====================  =====================================================================================
``Submitted``         The log has the bytes and survives the loss of one server; they will be decided in the
                      log's order.  Nothing is said yet of *how*; whoever runs the broker could still drop them.
``Sealed``            The event is record ``index`` of its partition and ``seq`` of its subject, with this leaf.
                      Every reader that holds a later record would notice its change or removal.  An operator in
                      league with the broker's administrator can still rewrite what nobody has read.
                      Whoever can write to topic ``ledger`` without being its registrar can forge a seal for
                      true bytes: the publisher believes the first record that it sees of its submission, and
                      raises ``ForkError`` where it has seen two at one index.  Readers, who follow the chain,
                      find the rest; the same event submitted again has the leaf that counts in its outcome.
====================  =====================================================================================

A refusal is no stage but an answer: ``SubmissionRefused`` carries the outcome as the ledger keeps it.
"""

from __future__ import annotations

import msgspec

from ledger.errors import RogatoryError
from ledger.outcome import Outcome


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """The log has it, at ``offset`` of the partition's submissions."""

    subject: str
    id: str
    partition: int
    offset: int
    digest: str
    """SHA-256 of the event's bytes, hex."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """It is a record. On a duplicate all of this is the original's, and ``original`` is False."""

    subject: str
    id: str
    partition: int
    epoch: int
    offset: int
    index: int
    seq: int
    leaf: str
    original: bool = True
    """Whether this submission became the record (else an earlier one with the same bytes had)."""


class SubmissionRefused(RogatoryError):
    """The registrar refused the event; ``outcome`` says why and what to do."""

    def __init__(self, submitted: Submitted, outcome: Outcome) -> None:
        super().__init__(
            f"{submitted.subject} {submitted.id}: refused as {outcome.reason}: expected {outcome.expected}, "
            f"found {outcome.found}. {outcome.meaning}"
        )
        self.submitted = submitted
        self.outcome = outcome
