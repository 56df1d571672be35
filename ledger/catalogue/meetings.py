"""Meetings: proposed, held or cancelled, reported."""

from __future__ import annotations

from ledger.catalogue.base import UNSET, Act, Count, Date, Digest, OfficeText, SealedText, UnsetType, event
from ledger.catalogue.blocks import MeetingPlan


@event("meeting.proposed", sorts="meeting", cites="Order 3.5; Agr. 3, 11")
class MeetingProposed(MeetingPlan):
    """An office proposes to take part in a meeting or to host one."""


@event("meeting.held", sorts="meeting", cites="Order 2, 3.5; Agr. 11")
class MeetingHeld(MeetingPlan):
    """A meeting took place."""

    held_from: Date
    held_to: Date
    participants: Count


@event("meeting.cancelled", sorts="meeting", cites="our choice")
class MeetingCancelled(Act):
    """A meeting did not take place."""

    why: SealedText | UnsetType = UNSET


@event("meeting.reported", sorts="meeting", cites="Order 3.5")
class MeetingReported(Act):
    """The report on a meeting is filed."""

    report_sha256: Digest
    to: OfficeText
