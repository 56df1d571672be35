"""Sealed fields: what stands in an event in place of a confidential value, and how it is opened.

A sealed field as it stands in an event (box shortened)::

    {"s":1,"key":"8c1f…32 hex","filled":true,"box":"kq3v…","commit":"Zm9v…="}

- plaintext = compact JSON of the value, then 0x80, then zeros up to a power of two ≥ 64, above 4 KiB up to a multiple
  of 4 KiB, so that the length says little;
- field key = BLAKE2b-256 keyed with the content key, person ``rogatory/field/1``, over the compact JSON array
  [ledger, source, id, subject, type, JSON Pointer]: a box cannot be moved to another place, and giving away one field
  key discloses one field;
- ``box`` = PyNaCl SecretBox (XSalsa20-Poly1305, nonce in front) of the plaintext under the field key; the
  nonce is BLAKE2b-192
  of the plaintext keyed with the field key, person ``rogatory/nonce/1``.  A field key serves one field of one event, so
  the same box twice means the same event twice: building an event again gives the same bytes, and a retry is a
  duplicate;
- ``commit`` = SHA-256(field key ‖ plaintext): who is given the field key can prove what the field said;
- ``key`` = BLAKE2b-128 of the content key, hex; ``filled`` is false for "", null, [] and {}.

Source: libsodium's secretbox and generichash (RFC 7693), RFC 6901 (JSON Pointer).
"""

from __future__ import annotations

import hmac
from hashlib import blake2b, sha256
from typing import Any

import msgspec
from nacl.bindings import crypto_secretbox_easy
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes

from ledger.catalogue.base import Sealed
from ledger.errors import FormatError
from ledger.ijson import parse_ijson
from ledger.signature import decode_base64, encode_base64

CONTENT_KEY_BYTES = 32
_PERSON = b"rogatory/field/1"
_NONCE_PERSON = b"rogatory/nonce/1"
_SMALLEST = 64
_STEP = 4096


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a sealed field stands: the context that its key is bound to, in this order."""

    ledger: str
    source: str
    id: str
    subject: str
    type: str
    pointer: str
    """JSON Pointer from the event's root: ``/data/substance``."""


def new_content_key() -> bytes:
    """32 random bytes."""
    return random_bytes(CONTENT_KEY_BYTES)


def key_id(content_key: bytes) -> str:
    """BLAKE2b-128 of a content key, hex."""
    return blake2b(content_key, digest_size=16).hexdigest()


def field_key(content_key: bytes, place: Place) -> bytes:
    """The key of one field at one place."""
    context = msgspec.json.encode(place)
    return blake2b(context, digest_size=32, key=content_key, person=_PERSON).digest()


def seal_field(content_key: bytes, place: Place, value: Any) -> Sealed:
    """The sealed form of a JSON value.

    Raises:
        FormatError: not a value that strict I-JSON can say, so that opening it would not give it back.
    """
    key = field_key(content_key, place)
    padded = _pad(_encode(value))
    nonce = blake2b(padded, digest_size=24, key=key, person=_NONCE_PERSON).digest()
    return Sealed(
        s=1,
        key=key_id(content_key),
        filled=is_filled(value),
        box=encode_base64(nonce + crypto_secretbox_easy(padded, nonce, key)),
        commit=encode_base64(sha256(key + padded).digest()),
    )


def open_field(content_key: bytes, place: Place, sealed: Sealed) -> Any:
    """The value of a sealed field, with the content key.

    Raises:
        FormatError: another key, another place, or a box that was tampered with.
    """
    if key_id(content_key) != sealed.key:
        raise FormatError(f"expected the content key {sealed.key}, found {key_id(content_key)}")
    return disclose_field(field_key(content_key, place), sealed)


def disclose_field(key: bytes, sealed: Sealed) -> Any:
    """The value of a sealed field, with its field key alone; the same checks.

    Raises:
        FormatError: not this field's key, or the field says something else than it commits to.
    """
    try:
        padded = SecretBox(key).decrypt(decode_base64(sealed.box))
    except (CryptoError, ValueError):
        raise FormatError("expected a box that this key opens, found another") from None
    if not hmac.compare_digest(sha256(key + padded).digest(), decode_base64(sealed.commit, 32)):
        raise FormatError("expected the plaintext that the field commits to, found another")
    value = parse_ijson(_unpad(padded))
    if sealed.filled != is_filled(value):
        raise FormatError(f"expected filled to be {is_filled(value)}, found {sealed.filled}")
    return value


def _encode(value: Any) -> bytes:
    try:
        plain = msgspec.json.encode(value)
        if type(value) is str and value.isascii():
            return plain  # nothing in it that I-JSON could forbid
        same = parse_ijson(plain) == msgspec.to_builtins(value, str_keys=True)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        raise FormatError("expected a value that JSON can say, found another") from None
    if not same:
        raise FormatError("expected a value that JSON can say, found one that it changes")
    return plain


def is_filled(value: Any) -> bool:
    """Whether a value counts as given: false for "", null, [] and {}."""
    return value is not None and value not in ("", [], {})


def _pad(plain: bytes) -> bytes:
    length = len(plain) + 1
    small = max(_SMALLEST, 1 << (length - 1).bit_length())
    padded = small if length <= _STEP else -(-length // _STEP) * _STEP
    return plain + b"\x80" + bytes(padded - length)


def _unpad(padded: bytes) -> bytes:
    plain, mark, rest = padded.rpartition(b"\x80")
    if not mark or rest.strip(b"\x00") or _pad(plain) != padded:
        raise FormatError("expected padding of 0x80 and zeros to the right length, found other bytes")
    return plain
