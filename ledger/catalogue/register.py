"""The register: offices, keys, roles, contacts, coordinating units, acts, instruments, disputes.

Terms are half-open: ``valid_from`` is inside; ``valid_to`` and the ``effective`` of an end are not any
more (our choice).
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from ledger.catalogue.base import (
    UNSET,
    Act,
    CaseId,
    Count,
    Data,
    Date,
    Digest,
    EventRef,
    Instant,
    InstantOrEmpty,
    KidText,
    NamedSignature,
    OfficeText,
    Opaque,
    Provision,
    PublicKey,
    PublicText,
    SealedText,
    State,
    Token,
    UnsetType,
    Zone,
    event,
)
from ledger.catalogue.blocks import Contact, ContactAct, InstrumentKind, Role


@event("office.registered", sorts="register", cites="Order 1; Prot. 2")
class OfficeRegistered(Act):
    """An office exists, or its data are these from a date on."""

    office: OfficeText
    party: State
    sort: Literal["party", "coordinator", "territorial", "transport", "nature", "other"]
    name_ru: PublicText
    name_en: PublicText | UnsetType = UNSET
    tz: Zone
    border: bool
    direct_since: Date | UnsetType = UNSET
    valid_from: Date
    valid_to: Date | UnsetType = UNSET
    basis: Token


@event("key.granted", sorts="register", cites="our choice")
class KeyGranted(Act):
    """An office's public key is good for one use; ``possession`` shows that it holds the private one."""

    office: OfficeText
    kid: KidText
    public_key: PublicKey
    alg: Literal["ed25519", "x25519"]
    use: Literal["sign", "seal", "witness"]
    possession: NamedSignature
    """``<kid> <base64>`` by the key itself; for x25519 by an office sign key (``ledger/signature.py``)."""
    valid_from: Instant
    valid_to: Instant | UnsetType = UNSET


@event("key.revoked", sorts="register", cites="our choice")
class KeyRevoked(Act):
    """A key is no longer good."""

    kid: KidText
    reason: Literal["lost", "compromised", "superseded", "closed"]
    effective: Instant


@event("role.assigned", sorts="register", cites="Agr. 6(4); Order 4.3")
class RoleAssigned(Act):
    """A person holds a role at an office."""

    office: OfficeText
    person: Opaque
    role: Role
    valid_from: Date
    valid_to: Date | UnsetType = UNSET
    basis: SealedText


@event("role.ended", sorts="register", cites="Agr. 6(4)")
class RoleEnded(Act):
    """A person holds a role no longer."""

    office: OfficeText
    person: Opaque
    role: Role
    effective: Date


@event("contact.designated", sorts="register", cites="Order 3.1; Prot. 3")
class ContactDesignated(ContactAct):
    """An office names the official for direct contact, perhaps in place of another."""

    replaces: Opaque | UnsetType = UNSET
    effective: Date


@event("contact.changed", sorts="register", cites="Order 3.1")
class ContactChanged(ContactAct):
    """Data of a contact are new; all of them are given, ``changed`` says which differ."""

    changed: list[Literal["surname", "name", "patronymic", "post", "phone", "email"]]
    effective: Date


@event("contact.notified", sorts="register", cites="Order 3.1")
class ContactNotified(Act):
    """An office tells the Main Directorate of one version of a contact."""

    office: OfficeText
    contact: Opaque
    version: EventRef
    means: Token


@event("contact.forwarded", sorts="register", cites="Order 4.2; Prot. 3")
class ContactForwarded(Act):
    """The coordinating unit tells the other Party of versions of contacts."""

    versions: list[EventRef]
    to: OfficeText
    means: Token


@event("contact.received", sorts="register", cites="Prot. 3")
class ContactReceived(Act):
    """Contacts of the other Party arrive, or a change to an earlier such notice."""

    contacts: list[Contact]
    from_: OfficeText = field(name="from")
    changes_of: EventRef | UnsetType = UNSET
    effective: Date | UnsetType = UNSET


@event("coordinator.changed", sorts="register", cites="Agr. 5(3)")
class CoordinatorChanged(Act):
    """A Party has another coordinating unit for an instrument."""

    party: State
    unit_old: OfficeText
    unit_new: OfficeText
    effective: Date
    instrument: Token


@event("coordinator.notified", sorts="register", cites="Agr. 5(3)")
class CoordinatorNotified(Act):
    """The other Party is told of such a change."""

    change: EventRef
    to: OfficeText


@event("act.issued", sorts="register", cites="Order, heading")
class ActIssued(Act):
    """A Party issues an internal act that binds some of its offices."""

    act: Token
    number: PublicText
    date: Date
    binds: list[OfficeText]
    carries_out: Token | UnsetType = UNSET


@event("act.published", sorts="register", cites="Order 5")
class ActPublished(Act):
    """An internal act appears in print or on the official site."""

    act: Token
    outlet: Literal["zakonnost", "official_site", "other"]
    date: Date
    where: PublicText


@event("act.acquainted", sorts="register", cites="Order, closing paragraph")
class ActAcquainted(Act):
    """An office brings an internal act to its people."""

    act: Token
    office: OfficeText
    persons: Count | UnsetType = UNSET


@event("instrument.staged", sorts="register", cites="D003; D004")
class InstrumentStaged(Act):
    """An instrument takes a step on the way to its signature."""

    instrument: Token
    stage: Literal["proposed", "negotiating", "applied", "declined", "invited", "initialled"]
    parties: list[State]
    kind: InstrumentKind
    date: Date


@event("instrument.signed", sorts="register", cites="Agr.; Prot.")
class InstrumentSigned(Act):
    """An instrument is signed; its profile is named by digest."""

    instrument: Token
    date: Date
    parties: list[State]
    kind: InstrumentKind
    profile_sha256: Digest
    supplements: Token | UnsetType = UNSET
    amends: Token | UnsetType = UNSET
    succeeds: Token | UnsetType = UNSET


@event("instrument.entered", sorts="register", cites="Agr. 15(1); Prot. 5")
class InstrumentEntered(Act):
    """An instrument is in force, for all its parties or between some."""

    instrument: Token
    date: Date
    until: Date | UnsetType = UNSET
    between: list[State] | UnsetType = UNSET


@event("notice.received", sorts="register", cites="Agr. 15(2)")
class NoticeReceived(Act):
    """A notice of termination arrives; ``received`` is empty where only the notice itself is known."""

    instrument: Token
    from_: State = field(name="from")
    received: InstantOrEmpty
    sent: Date | UnsetType = UNSET


@event("instrument.ended", sorts="register", cites="Agr. 15(2), (4)")
class InstrumentEnded(Act):
    """An instrument is no longer in force, for all its parties or between some."""

    instrument: Token
    date: Date
    between: list[State] | UnsetType = UNSET
    cause: Literal["notice", "succession", "expiry", "other"]


@event("instrument.released", sorts="register", cites="Agr. 15(3)")
class InstrumentReleased(Act):
    """The Parties agree that some duties, named by rule, do not outlive the instrument."""

    instrument: Token
    duties: list[Token]
    date: Date
    basis: SealedText


class ProfileDigest(Data):
    """The profile of one instrument, by digest."""

    instrument: Token
    sha256: Digest


@event("rulebook.adopted", sorts="register", cites="Agr. 12")
class RulebookAdopted(Act):
    """A set of profiles and thresholds is in use from a date on."""

    version: Token
    sha256: Digest
    profiles: list[ProfileDigest]
    valid_from: Date


@event("dispute.opened", sorts="register", cites="Agr. 13")
class DisputeOpened(Act):
    """The Parties differ on how an article is to be read or applied."""

    dispute: Opaque
    instrument: Token
    article: Provision
    question: SealedText
    requests: list[CaseId] | UnsetType = UNSET


@event("dispute.resolved", sorts="register", cites="Agr. 13")
class DisputeResolved(Act):
    """The Parties settle such a difference."""

    dispute: Opaque
    means: Literal["consultation", "negotiation", "other"]
    outcome: SealedText
