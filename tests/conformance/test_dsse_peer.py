"""securesystemslib, a DSSE and Ed25519 of other people's making, and we: each verifies what the other signed."""

from __future__ import annotations

import base64
import json

import pytest
from securesystemslib._vendor.ed25519 import ed25519
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey

from ledger.admission import Admitted
from ledger.signature import EVENT_PAYLOAD, decode_base64, format_signature, pae, parse_signature, verify
from ledger.signature import Signature as OurSignature
from ledger.submission import SIGNATURE_HEADER
from tests.admissions import World
from tests.conformance.frozen import load
from tests.keys import Signer as OurSigner

EVENT = load("event")
RAW = EVENT["text"].encode()
SIGNED = parse_signature(EVENT["signature"].encode())
OMS = OurSigner("RU-OMS", "sign")


def peer_key(key: OurSigner) -> SSlibKey:
    return SSlibKey(key.kid, "ed25519", "ed25519", {"public": key.public_key.hex()})


class PeerSigner(Signer):
    """Signs with the peer's own Ed25519, written in plain Python."""

    def __init__(self, key: OurSigner) -> None:
        self._seed = key.seed
        self._public = ed25519.publickey_unsafe(key.seed)
        self._key = SSlibKey(key.kid, "ed25519", "ed25519", {"public": self._public.hex()})

    @property
    def public_key(self) -> Key:
        return self._key

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> PeerSigner:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        signature = ed25519.signature_unsafe(payload, self._seed, self._public)
        return Signature(self._key.keyid, signature.hex())


def envelope(payload: bytes, *signatures: OurSignature) -> Envelope:
    """Ours as the peer reads it from a DSSE JSON envelope."""
    return Envelope.from_dict(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": EVENT_PAYLOAD,
            "signatures": [{"keyid": s.kid, "sig": base64.b64encode(s.value).decode()} for s in signatures],
        }
    )


def test_both_sign_the_same_encoding() -> None:
    for payload in (RAW, b"", "Омск".encode(), bytes(range(256))):
        for kind in (EVENT_PAYLOAD, "", "http://example.com/HelloWorld"):
            assert Envelope(payload, kind, {}).pae() == pae(kind, payload)


def test_the_peer_verifies_our_event() -> None:
    accepted = envelope(RAW, SIGNED).verify([peer_key(OMS)], 1)
    assert set(accepted) == {OMS.kid}


def test_the_peer_verifies_our_threshold() -> None:
    world = World()
    two = [OurSignature(a.kid, a.sign(pae(EVENT_PAYLOAD, world.genesis))) for a in world.authorities[:2]]
    keys = [peer_key(a) for a in world.authorities]
    assert len(envelope(world.genesis, *two).verify(keys, 2)) == 2
    with pytest.raises(VerificationError):
        envelope(world.genesis, *two).verify(keys, 3)


def test_we_verify_what_the_peer_signed() -> None:
    signer = PeerSigner(OMS)
    signed = Envelope(RAW, EVENT_PAYLOAD, {})
    signed.sign(signer)
    (made,) = signed.to_dict()["signatures"]
    signature = decode_base64(made["sig"], 64)
    assert made["keyid"] == OMS.kid
    assert verify(OMS.public_key, signature, EVENT_PAYLOAD, RAW)
    # Ed25519 is deterministic (RFC 8032 5.1.6): the two are even the same.
    assert signature == SIGNED.value


def test_what_the_peer_signed_is_admitted() -> None:
    world = World.opened()
    raw = json.dumps(json.loads(world.accepted()), indent=2).encode()
    signed = Envelope(raw, EVENT_PAYLOAD, {})
    signed.sign(PeerSigner(OMS))
    (made,) = signed.to_dict()["signatures"]
    text = format_signature(OurSignature(OMS.kid, decode_base64(made["sig"], 64)))
    assert isinstance(world.decide(raw, headers=((SIGNATURE_HEADER, text),)), Admitted)


@pytest.mark.parametrize("at", [0, len(RAW) // 2, len(RAW) - 1])
def test_a_corrupted_payload_fails_in_both(at: int) -> None:
    broken = RAW[:at] + bytes([RAW[at] ^ 1]) + RAW[at + 1 :]
    assert not verify(OMS.public_key, SIGNED.value, EVENT_PAYLOAD, broken)
    with pytest.raises(VerificationError):
        envelope(broken, SIGNED).verify([peer_key(OMS)], 1)


@pytest.mark.parametrize("at", [0, 31, 32, 62])
def test_a_corrupted_signature_fails_in_both(at: int) -> None:
    broken = SIGNED.value[:at] + bytes([SIGNED.value[at] ^ 1]) + SIGNED.value[at + 1 :]
    assert not verify(OMS.public_key, broken, EVENT_PAYLOAD, RAW)
    with pytest.raises(VerificationError):
        envelope(RAW, OurSignature(OMS.kid, broken)).verify([peer_key(OMS)], 1)


def test_another_key_and_another_payload_type_fail_in_both() -> None:
    other = OurSigner("RU-OMS", "2")
    assert not verify(other.public_key, SIGNED.value, EVENT_PAYLOAD, RAW)
    with pytest.raises(VerificationError):
        envelope(RAW, SIGNED).verify([SSlibKey(OMS.kid, "ed25519", "ed25519", {"public": other.public_key.hex()})], 1)
    assert not verify(OMS.public_key, SIGNED.value, "application/json", RAW)
    moved = envelope(RAW, SIGNED)
    moved.payload_type = "application/json"
    with pytest.raises(VerificationError):
        moved.verify([peer_key(OMS)], 1)
