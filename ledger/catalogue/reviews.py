"""Reviews: the yearly analysis of practice, and every question that a reviewer put to a projection."""

from __future__ import annotations

from ledger.catalogue.base import (
    UNSET,
    Act,
    Count,
    Digest,
    EventRef,
    Instant,
    SealedText,
    SubjectText,
    Token,
    UnsetType,
    Year,
    event,
)
from ledger.catalogue.blocks import RoleOrOther


@event("practicereview.submitted", sorts="review year", cites="Order 4.3")
class PracticeReviewSubmitted(Act):
    """The Main Directorate submits its analysis of a year's practice, citing the reports it rests on."""

    year: Year
    to_role: RoleOrOther
    cites: list[EventRef]
    proposals: Count
    sha256: Digest


@event("query.asked", sorts="review", cites="our choice")
class QueryAsked(Act):
    """A reviewer asked a projection or exported from it.

    ``as_of`` is what the clock said; ``position`` how many records of each partition the answer knew.
    """

    projection: Token
    subjects: list[SubjectText] | UnsetType = UNSET
    parameters: SealedText
    as_of: Instant
    position: list[Count]
    rows: Count
    export_sha256: Digest | UnsetType = UNSET
    why: SealedText | UnsetType = UNSET
