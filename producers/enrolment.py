"""Opening a ledger and enrolling keys: the drafts that take more than their fields.

Genesis names the authorities and log keys; its bytes are the anchor that the ledger's id begins with, so the
id is known
only once it is signed.  A granted key carries a proof of possession, made here by whoever holds its private half.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.catalogue.own import NamedKey, RegisterOpened
from ledger.catalogue.register import KeyGranted
from ledger.ids import Kid, LedgerId
from ledger.register import make_ledger_id
from ledger.signature import (
    POSSESSION_PAYLOAD,
    Signer,
    encode_base64,
    format_signature,
    office_of,
    possession_payload,
    sign,
)
from producers.builder import Draft, Sender, Signed, build, format_time


class Genesis(msgspec.Struct, frozen=True):
    """A ledger's first event, and the id that follows from its bytes."""

    ledger_id: LedgerId
    signed: Signed


class NewKey(msgspec.Struct, frozen=True):
    """The public half of a key to enrol; ``alg`` and ``use`` as in key.granted."""

    kid: Kid
    alg: str
    use: str
    public_key: bytes


def named(signer: Signer) -> NamedKey:
    """A signer's key as genesis names it."""
    return NamedKey(kid=signer.kid, public_key=encode_base64(signer.public_key))


def make_genesis(
    name: str,
    *,
    partitions: int,
    party: str,
    authorities: Sequence[Signer],
    threshold: int,
    log_keys: Sequence[NamedKey],
    now: int,
) -> Genesis:
    """Genesis, signed by as many of the authorities as the threshold needs (``now`` in ms).

    Raises:
        FieldError: a field is of the wrong form.
    """
    opened = RegisterOpened(
        name=name,
        partitions=partitions,
        party=party,
        authorities=[named(a) for a in authorities],
        threshold=threshold,
        log_keys=list(log_keys),
    )
    office = office_of(authorities[0].kid)
    sender = Sender(LedgerId(name), office, tuple(authorities[:threshold]))
    signed = build(Draft(subject="register", data=opened), sender, now)
    return Genesis(make_ledger_id(signed.value, name), signed)


def grant(
    ledger_id: LedgerId,
    key: NewKey,
    possessor: Signer,
    *,
    valid_from: int,
    valid_to: int | None = None,
) -> KeyGranted:
    """The data of key.granted, with proof of possession.

    Args:
        ledger_id: the ledger that it is enrolled in.
        key: what is enrolled.
        possessor: signs for it: the key itself, or for an x25519 key a sign key of the same office.
        valid_from: ms.
        valid_to: ms, not included; None for no end.
    """
    office = office_of(key.kid)
    by = None if key.alg == "ed25519" else possessor.kid
    proof = sign(possessor, POSSESSION_PAYLOAD, possession_payload(ledger_id, office, key.kid, key.use, by))
    return msgspec.convert(
        {
            "office": office,
            "kid": key.kid,
            "public_key": encode_base64(key.public_key),
            "alg": key.alg,
            "use": key.use,
            "possession": format_signature(proof).decode(),
            "valid_from": format_time(valid_from),
            **({} if valid_to is None else {"valid_to": format_time(valid_to)}),
        },
        KeyGranted,
    )
