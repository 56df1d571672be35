"""Submissions: what reaches the registrar, and the receipt that answers them.

A receipt as it stands in an outcome: ``[3,0,57,41,2,"5b1f…"]``, that is partition, epoch, offset, index, seq and leaf
(hex) of the record that the submission became.  In an outcome it is a prediction until the ledger shows the
record, because outcomes are appended first.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ledger.errors import FormatError
from ledger.ijson import MAX_INTEGER
from ledger.log import Headers, Stored
from ledger.signature import MAX_SIGNATURES, Signature, parse_signature

_Whole = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]

CONTENT_TYPE_HEADER = "content-type"
SIGNATURE_HEADER = "signature"
HOME_HEADER = "home"
SEAL_HEADER = "seal"
ATTEST_HEADER = "attest"
OUTCOME_HEADER = "outcome"


class Submission(msgspec.Struct, frozen=True, gc=False):
    """One message of the submissions log. ``timestamp`` is the broker's clock, ms."""

    epoch: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, stored: Stored, epoch: int) -> Submission:
        """The submission at a position of the log that ``epoch`` began."""
        return cls(epoch, stored.position, stored.timestamp, stored.key, stored.value, stored.headers)

    def signature_texts(self) -> list[bytes]:
        """The values of its ``signature`` headers, as they stand."""
        return [value for name, value in self.headers if name == SIGNATURE_HEADER]


class Receipt(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """Which record a submission became."""

    partition: _Whole
    epoch: _Whole
    offset: _Whole
    index: _Whole
    seq: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    leaf: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


def parse_signatures(texts: list[bytes]) -> list[Signature]:
    """The signatures of a submission.

    Raises:
        FormatError: none, more than four, one malformed, or two by one kid.
    """
    if len(texts) == 1:  # nearly always
        return [parse_signature(texts[0])]
    if not 1 <= len(texts) <= MAX_SIGNATURES:
        raise FormatError(f"expected 1 to {MAX_SIGNATURES} signatures, found {len(texts)}")
    signatures = [parse_signature(text) for text in texts]
    if len({s.kid for s in signatures}) != len(signatures):
        raise FormatError("expected each kid once among the signatures, found one twice")
    return signatures
