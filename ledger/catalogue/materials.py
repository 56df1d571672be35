"""Materials and their confidentiality: supply, degree, handling, access, use, consent, disposal, erasure.

All of them stand in the request in which the material was supplied, so that one fold sees every use of it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from ledger.catalogue.base import (
    UNSET,
    Act,
    CaseId,
    ContentKeyId,
    Date,
    EventRef,
    Grade,
    Instant,
    OfficeText,
    Opaque,
    Purpose,
    SealedText,
    Token,
    UnsetType,
    event,
)
from ledger.catalogue.blocks import Channel, Degree, MaterialAct, PublicSource, StatedPurpose


@event("material.sent", sorts="request", cites="Order 3.3; Agr. 9")
class MaterialSent(MaterialAct):
    """A material is supplied to the other Party."""

    to: OfficeText
    channel: Channel


@event("material.received", sorts="request", cites="Order 3.3; Agr. 9(1)")
class MaterialReceived(MaterialAct):
    """A material arrives."""

    from_: OfficeText = field(name="from")
    channel: Channel


@event("degree.requested", sorts="request", cites="Agr. 9(2)")
class DegreeRequested(Act):
    """The supplier asks, with the supply or later, that materials be held at a degree of confidentiality."""

    materials: list[Opaque]
    degree: Degree
    by: OfficeText


@event("handling.set", sorts="request", cites="Order 3.3; Agr. 9(1), (2)")
class HandlingSet(Act):
    """A holder fixes how a material is kept: grade, custodian, who may open it, what protects it."""

    material: Opaque
    holder: OfficeText
    grade: Grade
    custodian: Opaque
    access: list[Opaque]
    measures: list[Literal["encrypted", "locked", "logged", "need_to_know", "other"]]
    law_limit: SealedText | UnsetType = UNSET
    why: SealedText | UnsetType = UNSET


@event("downgrade.allowed", sorts="request", cites="Agr. 9(2) (our choice)")
class DowngradeAllowed(Act):
    """The supplier is content with a lower grade."""

    materials: list[Opaque]
    to: Grade
    by: OfficeText


@event("access.granted", sorts="request", cites="Agr. 9(1)")
class AccessGranted(Act):
    """Persons are put on the access list of a material."""

    material: Opaque
    holder: OfficeText
    persons: list[Opaque]
    basis: Token


@event("access.withdrawn", sorts="request", cites="Agr. 9(1)")
class AccessWithdrawn(Act):
    """Persons are struck off that list."""

    material: Opaque
    holder: OfficeText
    persons: list[Opaque]


@event("material.accessed", sorts="request", cites="Order 3.3; Agr. 9(1)")
class MaterialAccessed(Act):
    """A person opens, copies or exports a material."""

    material: Opaque
    holder: OfficeText
    person: Opaque
    how: Literal["viewed", "copied", "printed", "exported"]
    purpose: Purpose


@event("material.used", sorts="request", cites="Agr. 9(3)")
class MaterialUsed(Act):
    """A material is used, for the purpose it was asked for or another."""

    material: Opaque
    by: OfficeText
    purpose: Purpose
    case: CaseId | UnsetType = UNSET
    public: PublicSource | UnsetType = UNSET
    what: SealedText | UnsetType = UNSET


@event("material.disclosed", sorts="request", cites="Agr. 7(2), 9")
class MaterialDisclosed(Act):
    """A material is passed to a third office, state or person."""

    material: Opaque
    to: Literal["office", "state", "person"]
    purpose: Purpose
    case: CaseId | UnsetType = UNSET
    public: PublicSource | UnsetType = UNSET


@event("consent.requested", sorts="request", cites="Agr. 9(3)")
class ConsentRequested(Act):
    """A user asks the supplier's consent to another use."""

    materials: list[Opaque]
    purposes: list[StatedPurpose]
    of: OfficeText


@event("consent.answered", sorts="request", cites="Agr. 9(3)")
class ConsentAnswered(Act):
    """The supplier gives or refuses it; consent may also come unasked."""

    answers: EventRef | UnsetType = UNSET
    granted: bool
    materials: list[Opaque]
    purposes: list[StatedPurpose]
    by: OfficeText
    written: bool
    until: Date | UnsetType = UNSET


@event("material.disposed", sorts="request", cites="our choice")
class MaterialDisposed(Act):
    """A holder returns or destroys a material."""

    material: Opaque
    holder: OfficeText
    how: Literal["returned", "destroyed"]
    date: Date


@event("content.erased", sorts="request register", cites="our choice")
class ContentErased(Act):
    """Content keys are destroyed: what they sealed is gone, what was signed stays provable.

    ``ids`` names the request, the materials or the contacts; ``kids`` the content keys.
    """

    scope: Literal["request", "materials", "contact"]
    ids: list[CaseId]
    kids: list[ContentKeyId]
    why: Token


@event("incident.reported", sorts="request", cites="Agr. 9(1)")
class IncidentReported(Act):
    """A material is lost, leaked or opened by somebody who must not."""

    material: Opaque
    holder: OfficeText
    sort: Literal["loss", "leak", "unauthorised"]
    discovered: Instant
    what: SealedText
