"""The ledger's own events: its opening, versions, keys of its own, epochs, and statements about it.

None of them rests on a treaty ("our choice"); the first four and ``submissions.reopened`` and ``fork.settled``
need the threshold of authority keys.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ledger import ids
from ledger.catalogue.base import (
    UNSET,
    Act,
    Count,
    Data,
    Digest,
    KidText,
    Opaque,
    PublicKey,
    SealedObject,
    SealedText,
    State,
    Token,
    UnsetType,
    Version,
    event,
)

LedgerName = Annotated[str, Meta(pattern=rf"^{ids.LEDGER_NAME}\Z")]
LedgerIdText = Annotated[str, Meta(pattern=rf"^{ids.LEDGER_ID}\Z")]
PartitionNumber = Annotated[int, Meta(ge=0, le=9999)]
PartitionCount = Annotated[int, Meta(ge=1, le=1024)]
Threshold = Annotated[int, Meta(ge=1, le=4)]  # an event carries at most four signatures


class NamedKey(Data):
    """An Ed25519 key by its kid."""

    kid: KidText
    public_key: PublicKey


class Predecessor(Data):
    """The ledger that this one continues, with its final checkpoints as text."""

    ledger: LedgerIdText
    checkpoints: list[str]


@event("register.opened", sorts="register", cites="our choice")
class RegisterOpened(Data):
    """Genesis: fixes the name, the number of partitions, the own Party, the authorities and the log keys."""

    name: LedgerName
    partitions: PartitionCount
    party: State
    authorities: Annotated[list[NamedKey], Meta(min_length=1, max_length=64)]
    threshold: Threshold
    log_keys: Annotated[list[NamedKey], Meta(min_length=1, max_length=64)]
    succeeds: Predecessor | UnsetType = UNSET


@event("rules.adopted", sorts="register", cites="our choice")
class RulesAdopted(Data):
    """The next admission and catalogue version; in force from the record after this one."""

    version: Version


@event("authority.replaced", sorts="register", cites="our choice")
class AuthorityReplaced(Data):
    """One authority key takes the place of another."""

    old: KidText
    kid: KidText
    public_key: PublicKey
    why: Literal["lost", "compromised", "superseded"]


@event("logkey.replaced", sorts="register", cites="our choice")
class LogKeyReplaced(Data):
    """One log key takes the place of another; attested by the new one, since the old may be lost."""

    old: KidText
    kid: KidText
    public_key: PublicKey
    why: Literal["lost", "compromised", "superseded"]


@event("fork.settled", sorts="register", cites="our choice")
class ForkSettled(Data):
    """The authorities name the leaf that counts at a forked index."""

    partition: PartitionNumber
    index: Count
    leaf: Digest
    why: SealedText | UnsetType = UNSET


@event("submissions.reopened", sorts="ledger", cites="our choice")
class SubmissionsReopened(Data):
    """A new submissions log begins: opens ``epoch`` behind the last sealed record."""

    epoch: Count
    index: Count
    leaf: Digest
    why: SealedText | UnsetType = UNSET


@event("partition.rebuilt", sorts="ledger", cites="our choice")
class PartitionRebuilt(Data):
    """A projection of this partition was rebuilt and switched."""

    projection: Token
    index: Count
    digest: Digest


@event("poison.skipped", sorts="ledger", cites="our choice")
class PoisonSkipped(Data):
    """A person let a projection pass over a record that it could not digest."""

    projection: Token
    index: Count
    leaf: Digest
    why: SealedText


@event("step.taken", sorts="request", cites="our choice")
class StepTaken(Act):
    """A system's own step that no type of the catalogue covers; moves no state and feeds no rule."""

    step: Annotated[str, Meta(pattern=r"^[!-~]+(?: [!-~]+)*\Z", max_length=128)]
    resource: Opaque | UnsetType = UNSET
    attributes: SealedObject | UnsetType = UNSET
