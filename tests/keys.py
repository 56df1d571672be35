"""Test keys: signers from small numbers, the same in every run. Never enrol them anywhere."""

from __future__ import annotations

from hashlib import sha256

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from ledger.ids import Kid
from ledger.signature import make_kid


def seed_of(label: str) -> bytes:
    """32 bytes that anybody can compute."""
    return sha256(f"rogatory test key {label}".encode()).digest()


class Signer:
    """An Ed25519 signer of an office, from a label."""

    def __init__(self, office: str, label: str = "1") -> None:
        self.seed = seed_of(f"{office} {label}")
        self._key = SigningKey(self.seed)
        self.public_key = bytes(self._key.verify_key)
        self.kid: Kid = make_kid(office, "ed25519", self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


class SealKey:
    """An X25519 key of an office: it cannot sign."""

    def __init__(self, office: str, label: str = "1") -> None:
        self.seed = seed_of(f"{office} {label} x25519")
        self.public_key = bytes(PrivateKey(self.seed).public_key)
        self.kid: Kid = make_kid(office, "x25519", self.public_key)
