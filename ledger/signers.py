"""Who signed a submission, and whether they may: checks 11 to 16, and the one table of who may sign what.

==========================  ================================================================================
events                      who may sign
==========================  ================================================================================
``THRESHOLD_TYPES``         the threshold of authority keys
``COORDINATOR_FAMILIES``    an authority key, or a sign key of a coordinating unit of the own Party
``OWN_OFFICE_FAMILIES``     a sign key of the office spoken of, or as above
everything else             a sign key of the ``source`` office
==========================  ================================================================================

All signatures must verify; one by somebody who may is enough.  Whether the right *body* acted is no question here: an
act by the wrong one did happen, and becomes a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from ledger import catalogue
from ledger.catalogue import EventType, own
from ledger.dispositions import Disposition, Refusal
from ledger.errors import FormatError
from ledger.ids import Kid, OfficeCode
from ledger.plain import Read, members_of
from ledger.register import Contradiction, GrantedKey, Register, named_keys
from ledger.signature import EVENT_PAYLOAD, Signature, pae, verify_message

THRESHOLD_TYPES = frozenset(
    {
        "register.opened",
        "rules.adopted",
        "authority.replaced",
        "logkey.replaced",
        "submissions.reopened",
        "fork.settled",
    }
)
COORDINATOR_FAMILIES = frozenset({"office", "key", "instrument", "act", "coordinator", "rulebook"})
OWN_OFFICE_FAMILIES = frozenset({"role", "contact"})


_EVERYBODYS = frozenset(
    row.name
    for row in catalogue.types_by_name().values()
    if row.name not in THRESHOLD_TYPES and row.name.partition(".")[0] not in COORDINATOR_FAMILIES | OWN_OFFICE_FAMILIES
)
"""The last row of the table."""


class Signed(msgspec.Struct, frozen=True, gc=False):
    """An event with its signatures: its bytes, the same read, and who signed."""

    value: bytes
    event: Read
    signatures: Sequence[Signature]


class Signers(msgspec.Struct, frozen=True):
    """Who signed, all of it verified: how many authority keys, and the offices by a sign key of theirs."""

    authorities: int
    sign_offices: frozenset[OfficeCode]


Verified = AbstractSet[tuple[bytes, bytes, bytes]]
"""Signatures known to be good: (public key, signature, SHA-256 of the event's bytes)."""


def verify_all(register: Register, events: Iterable[tuple[bytes, bytes, Sequence[Signature]]]) -> Verified:
    """The good ones among the signatures of many events, by the keys that the register knows now.

    Verifying in one go costs a quarter less than between other work, and says nothing about who may sign: a key that
    is revoked meanwhile is still refused by ``check_signatures``.

    Args:
        register: where the keys stand.
        events: bytes, their SHA-256, and signatures of each.
    """
    good = set()
    keys = register.keys
    for value, digest, signatures in events:
        message = pae(EVENT_PAYLOAD, value)
        for signature in signatures:
            key = keys.get(signature.kid)
            if key is not None and verify_message(key.public_key, signature.value, message):
                good.add((key.public_key, signature.value, digest))
    return good


def is_ordinary(
    register: Register, event: Read, row: EventType, signature: Signature, judged_at: int, known: tuple[bytes, Verified]
) -> bool:
    """Checks 12 to 16 at once, in the ordinary case.

    That is an event of the table's last row with one signature, which is among the verified, by a valid sign key of the
    source.  False says nothing: look closely.

    Args:
        register: as of the submission.
        event: what is signed.
        row: its type.
        signature: its only one.
        judged_at: as for ``check_signatures``.
        known: SHA-256 of the event's bytes, and what is verified already.
    """
    key = register.keys.get(signature.kid)
    digest, verified = known
    return (
        key is not None
        and row.name in _EVERYBODYS
        and key.use == "sign"
        and event.source[7:] == key.office
        and key.valid_at(judged_at)
        and (key.public_key, signature.value, digest) in verified
    )


def check_signatures(
    register: Register | None,
    signed: Signed,
    row: EventType,
    judged_at: int,
) -> Signers:
    """Checks 12 to 15, each of all signatures before the next.

    Args:
        register: as of the submission; None before genesis.
        signed: the event with its signatures, 1 to 4, each by another kid.
        row: its type.
        judged_at: ms at which keys must be valid: when it is admitted, for a copy when partition 0 admitted it.

    Raises:
        Refusal: one of them doesn't hold.
    """
    event, signatures = signed.event, signed.signatures
    message = pae(EVENT_PAYLOAD, signed.value)
    authorities = register.authorities if register else _genesis_authorities(row, event)
    publics = [_public_key(register, authorities, s.kid) for s in signatures]
    office = event.source[7:]
    for signature in signatures:
        anybodys = row.name in THRESHOLD_TYPES and signature.kid in authorities
        if signature.office != office and not anybodys:
            raise Refusal(Disposition.FOREIGN_KEY, f"a key of {office}", str(signature.kid))
    others = [s.kid for s in signatures if s.kid not in authorities]
    granted = [key for kid in others if (key := _valid_key(register, kid, judged_at)) is not None]
    for signature, public in zip(signatures, publics, strict=True):
        if not verify_message(public, signature.value, message):
            raise Refusal(Disposition.BAD_SIGNATURE, f"a signature by {signature.kid} over these bytes", "another")
    offices = frozenset(key.office for key in granted if key.use == "sign")
    return Signers(len(signatures) - len(others), offices)


def _public_key(register: Register | None, authorities: Mapping[Kid, bytes], kid: Kid) -> bytes:
    """Check 12: the key is known, be it in force or not."""
    if kid in authorities:
        return authorities[kid]
    if register is not None:
        if kid in register.keys:
            return register.keys[kid].public_key
        for known in (register.log_keys, register.former):
            if kid in known:
                return known[kid]
    raise Refusal(Disposition.UNKNOWN_KEY, "a key of the register", str(kid))


def _valid_key(register: Register | None, kid: Kid, judged_at: int) -> GrantedKey | None:
    """Check 14, of a key that is no authority's. None for a log key: it verifies, and may sign nothing."""
    if register is None:
        return None
    if kid in register.former:
        raise Refusal(Disposition.KEY_NOT_VALID, "a key in force", f"{kid}, replaced before")
    key = register.keys.get(kid)
    if key is not None and not key.valid_at(judged_at):
        until = "any time" if key.valid_to is None else str(key.valid_to)
        found = f"revoked at {key.revoked}" if key.revoked is not None else f"valid from {key.valid_from} to {until}"
        raise Refusal(Disposition.KEY_NOT_VALID, f"a key valid at {judged_at}", f"{kid}, {found}")
    return key


def _genesis_authorities(row: EventType, event: Read) -> Mapping[Kid, bytes]:
    """Before the register stands, the authorities are those that genesis itself names (its bytes are the anchor)."""
    try:
        opened = catalogue.convert_data(row, members_of(event.data))
        return named_keys(opened.authorities) if isinstance(opened, own.RegisterOpened) else {}
    except (FormatError, Contradiction):
        return {}


def check_allowed(register: Register | None, event: Read, row: EventType, signers: Signers) -> None:
    """Check 16: who may sign what. Raises Refusal if none of the signers may."""
    family = row.name.partition(".")[0]
    office = OfficeCode(event.source[7:])
    if row.name in THRESHOLD_TYPES:
        needed = register.threshold if register else _genesis_threshold(row, event)
        if signers.authorities < needed:
            raise Refusal(Disposition.NOT_ALLOWED, f"{needed} authority keys", f"{signers.authorities}")
        return
    if family in COORDINATOR_FAMILIES:
        if not _is_superior(register, office, signers):
            raise Refusal(
                Disposition.NOT_ALLOWED,
                "an authority key or one of a coordinating unit of the own Party",
                office,
            )
    elif family in OWN_OFFICE_FAMILIES:
        about = members_of(event.data).get("office", office)
        if not (about == office and signers.sign_offices) and not _is_superior(register, office, signers):
            expected = "a sign key of the office it speaks of, or as for keys and offices"
            raise Refusal(Disposition.NOT_ALLOWED, expected, office)
    elif not signers.sign_offices:
        raise Refusal(Disposition.NOT_ALLOWED, f"a sign key of {office}", "a key for another use")


def _genesis_threshold(row: EventType, event: Read) -> int:
    opened = catalogue.convert_data(row, members_of(event.data))
    return opened.threshold if isinstance(opened, own.RegisterOpened) else 1


def _is_superior(register: Register | None, office: OfficeCode, signers: Signers) -> bool:
    if signers.authorities:
        return True
    return register is not None and office in signers.sign_offices and register.is_coordinator(office)
