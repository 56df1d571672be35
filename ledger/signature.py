"""Signatures: Ed25519 over the DSSE pre-authentication encoding, named by key id.

A signature header as it stands beside an event (the base64 text shortened here)::

    signature: RU-OMS#0a1b2c3d4e5f60718293a4b5c6d7e8f9 q83vEjRWeJC…==

What is signed is never the bytes alone but ``DSSEv1 <len> <payload type> <len> <payload>``, so that no signature
made for one purpose serves another.  Source: DSSE v1.0 (PAE), RFC 8032 (Ed25519), RFC 4648 4 (base64).

libsodium's strict check decides: it refuses non-canonical points and scalars and keys of small order, so
what it admits every other verifier accepts as well.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from hashlib import sha256
from typing import Literal, Protocol

import msgspec
from nacl import bindings
from nacl.bindings.crypto_sign import ffi, lib  # type: ignore[attr-defined] # not exported; see ``verify_message``
from nacl.exceptions import CryptoError

from ledger import ids
from ledger.errors import FormatError
from ledger.ids import Kid, LedgerId, OfficeCode

Algorithm = Literal["ed25519", "x25519"]

EVENT_PAYLOAD = "application/cloudevents+json"
ENTRY_PAYLOAD = "application/vnd.rogatory.entry"
POSSESSION_PAYLOAD = "application/vnd.rogatory.possession"
STATE_PAYLOAD = "application/vnd.rogatory.state"

MAX_SIGNATURES = 4


class Signature(msgspec.Struct, frozen=True, order=True, gc=False):
    """Who signed, and the 64 bytes."""

    kid: Kid
    value: bytes

    @property
    def office(self) -> OfficeCode:
        """The office that the kid names."""
        return office_of(self.kid)


class Signer(Protocol):
    """Something that can sign with one private key: a file, a command, a hardware module."""

    @property
    def kid(self) -> Kid:
        """The id of its key."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of its public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature (64 bytes) over ``message``, which is a PAE. Raises KeyFault if the key can't be used."""
        ...


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE v1.0's pre-authentication encoding: lengths in decimal ASCII, parts separated by one blank."""
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type.encode(), len(payload), payload)


def sign(signer: Signer, payload_type: str, payload: bytes) -> Signature:
    """A signature over ``payload`` under its type."""
    return Signature(signer.kid, signer.sign(pae(payload_type, payload)))


def verify(public_key: bytes, signature: bytes, payload_type: str, payload: bytes) -> bool:
    """Whether ``signature`` (64 bytes) by the Ed25519 ``public_key`` (32 bytes) is over ``payload``."""
    return verify_message(public_key, signature, pae(payload_type, payload))


def verify_message(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """The same, over a message that is a PAE already."""
    # libsodium takes the key's length for granted, and the signature as the first 64 bytes of what is opened.
    if len(signature) != 64 or len(public_key) != 32:
        return False
    # PyNaCl's ``crypto_sign_open`` also hands out the message in two new buffers, a twentieth of the whole; libsodium
    # takes NULL for "not wanted".  Nothing is shared between calls, and the interpreter's lock is free meanwhile.
    signed = signature + message
    return bool(lib.crypto_sign_open(ffi.NULL, ffi.NULL, signed, len(signed), public_key) == 0)


def make_kid(office: str, algorithm: Algorithm, public_key: bytes) -> Kid:
    """``<office>#`` and the first 16 bytes, in hex, of SHA-256(algorithm in ASCII ‖ 0 ‖ public key)."""
    return Kid(f"{office}#{sha256(algorithm.encode() + bytes(1) + public_key).hexdigest()[:32]}")


def office_of(kid: str) -> OfficeCode:
    """The office that a kid names."""
    return OfficeCode(kid.partition("#")[0])


_is_kid = re.compile(rf"{ids.KID}\Z").match


def format_signature(signature: Signature) -> bytes:
    """A header value: ``<kid> <base64>``."""
    return f"{signature.kid} {encode_base64(signature.value)}".encode()


def parse_signature(raw: bytes) -> Signature:
    """The signature in a header value.

    Raises:
        FormatError: not ``<kid> <base64 of 64 bytes>``.
    """
    kid, blank, text = raw.partition(b" ")
    if not blank:
        raise FormatError("expected '<kid> <base64>' as signature, found no blank")
    return Signature(parse_kid(kid), decode_base64(text, 64))


@lru_cache(maxsize=4096)  # few keys sign many events
def parse_kid(raw: bytes | str) -> Kid:
    """A kid.

    Raises:
        FormatError: not of the form ``<office>#<32 hex>``.
    """
    text = raw if isinstance(raw, str) else raw.decode("latin-1")
    if len(text) > ids.OFFICE_CODE_MAX + 33 or not _is_kid(text):
        raise FormatError(f"expected a kid '<office>#<32 hex>', found {text[:70]!r}")
    return Kid(text)


def encode_base64(raw: bytes) -> str:
    """Base64 in the standard alphabet, padded (RFC 4648 4)."""
    return binascii.b2a_base64(raw, newline=False).decode()


def decode_base64(text: bytes | str, length: int | None = None) -> bytes:
    """The bytes of canonical base64: encoding them again gives the same text.

    Raises:
        FormatError: not canonical base64, or not of ``length`` bytes.
    """
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise FormatError("expected canonical base64, found other text") from None
    if binascii.b2a_base64(raw, newline=False) != (text if isinstance(text, bytes) else text.encode()):
        raise FormatError("expected canonical base64, found another spelling of it")
    if length is not None and len(raw) != length:
        raise FormatError(f"expected base64 of {length} bytes, found {len(raw)}")
    return raw


def possession_payload(ledger: LedgerId, office: str, kid: Kid, use: str, signer: Kid | None = None) -> bytes:
    """What proves possession of a key: the compact JSON array [ledger, office, kid, use].

    The key itself signs it; for an x25519 key, which cannot sign, a sign key of the office signs
    [ledger, office, kid, use, signer kid].
    """
    return msgspec.json.encode([ledger, office, kid, use] if signer is None else [ledger, office, kid, use, signer])


def is_main_subgroup_point(public_key: bytes) -> bool:
    """Whether 32 bytes are a valid point of Ed25519's main subgroup, in canonical form, not of small order."""
    return len(public_key) == 32 and bindings.crypto_core_ed25519_is_valid_point(public_key)


def is_exchange_point(public_key: bytes) -> bool:
    """Whether 32 bytes serve as an X25519 public key: multiplying does not give zero (RFC 7748 6.1)."""
    if len(public_key) != 32:
        return False
    try:
        return any(bindings.crypto_scalarmult(b"\x01" * 32, public_key))
    except CryptoError:
        return False
