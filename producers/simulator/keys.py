"""Signing and content keys of the simulated offices: derived from the seed, so anybody who knows it has them.

They are for simulated ledgers alone.  Nothing is kept: a content key is a hash of the seed, the subject and the
compartment, so that a vault for any number of requests takes no room.
"""

from __future__ import annotations

from hashlib import blake2b

from nacl import bindings
from nacl.bindings.crypto_sign import ffi, lib  # type: ignore[attr-defined] # not exported; see ``sign``

from ledger.event import MAX_EVENT_BYTES
from ledger.ids import Kid
from ledger.sealing import key_id
from ledger.signature import make_kid

_ROOM = 64 + MAX_EVENT_BYTES + 256
"""A signature, and the message that libsodium copies behind it: the PAE of the longest event."""


class DerivedSigner:
    """Signs with a key that follows from the seed. Not for several threads at once: each key has one buffer."""

    def __init__(self, seed: int, office: str, use: str, number: int = 0) -> None:
        self.seed = raw = _derive(seed, f"sign/{office}/{use}/{number}")
        public, self._secret = bindings.crypto_sign_seed_keypair(raw)
        self._signed = ffi.new("unsigned char[]", _ROOM)
        self._signature: memoryview = ffi.buffer(self._signed, 64)
        self.office = office
        self.public_key: bytes = public
        self.kid: Kid = make_kid(office, "ed25519", public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        if len(message) > _ROOM - 64:
            return bytes(bindings.crypto_sign(message, self._secret)[:64])
        # What PyNaCl does, but for two new buffers a call: a tenth of the whole.
        if lib.crypto_sign(self._signed, ffi.NULL, message, len(message), self._secret) != 0:
            raise RuntimeError("expected libsodium to sign, found that it refused")
        return bytes(self._signature)


class DerivedVault:
    """Content keys that follow from the seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last: tuple[str, str, bytes] = ("", "", b"")

    def key_for(self, subject: str, compartment: str) -> bytes:
        """The content key of a compartment, 32 bytes."""
        if self._last[:2] != (subject, compartment):
            self._last = (subject, compartment, _derive(self._seed, f"content/{subject}/{compartment}"))
        return self._last[2]

    def find(self, key: str) -> bytes | None:
        """A content key by its id: only the last one that was made is remembered."""
        return self._last[2] if self._last[2] and key_id(self._last[2]) == key else None

    def destroy(self, subject: str, compartment: str) -> list[str]:
        """Nothing can be destroyed that follows from a seed."""
        raise NotImplementedError(f"the key of {subject} {compartment} follows from the seed")


def _derive(seed: int, name: str) -> bytes:
    return blake2b(f"rogatory/simulated/1/{seed}/{name}".encode(), digest_size=32).digest()
