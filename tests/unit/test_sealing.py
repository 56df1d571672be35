"""A sealed field says nothing to outsiders, opens only in its place, and proves what it said."""

from __future__ import annotations

import base64
from hashlib import blake2b, sha256
from typing import Any

import msgspec
import pytest
from nacl.secret import SecretBox

from ledger.catalogue.base import Sealed
from ledger.errors import FormatError
from ledger.sealing import (
    Place,
    disclose_field,
    field_key,
    is_filled,
    key_id,
    new_content_key,
    open_field,
    seal_field,
)
from ledger.signature import decode_base64, encode_base64

KEY = bytes(range(32))
PLACE = Place(
    "test." + "0" * 32,
    "office/RU-OMS",
    "e-1",
    "request/1",
    "rogatory.request.signed.v1",
    "/data/substance",
)
TEXT = "установить местонахождение"
VALUES: list[Any] = [
    TEXT,
    "",
    "a",
    None,
    0,
    True,
    -1,
    [],
    {},
    [1, "x", None],
    {"b": {"c": []}, "a": ""},
    "\x80",
    "€" * 50,
]


@pytest.mark.parametrize("value", VALUES, ids=[repr(v)[:20] for v in VALUES])
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    sealed = seal_field(KEY, PLACE, value)
    assert open_field(KEY, PLACE, sealed) == value
    assert disclose_field(field_key(KEY, PLACE), sealed) == value
    assert msgspec.convert(msgspec.to_builtins(sealed), Sealed) == sealed
    assert sealed.filled == is_filled(value)


def test_the_bytes_are_those_of_the_documentation() -> None:
    context = (
        '["test.00000000000000000000000000000000","office/RU-OMS","e-1","request/1",'
        '"rogatory.request.signed.v1","/data/substance"]'
    )
    key = blake2b(context.encode(), digest_size=32, key=KEY, person=b"rogatory/field/1").digest()
    padded = f'"{TEXT}"'.encode().ljust(64, b"\0")
    mark = len(f'"{TEXT}"'.encode())
    padded = padded[:mark] + b"\x80" + padded[mark + 1 :]
    nonce = blake2b(padded, digest_size=24, key=key, person=b"rogatory/nonce/1").digest()
    sealed = seal_field(KEY, PLACE, TEXT)
    assert field_key(KEY, PLACE) == key
    assert sealed.key == key_id(KEY) == blake2b(KEY, digest_size=16).hexdigest()
    assert decode_base64(sealed.box) == nonce + SecretBox(key).encrypt(padded, nonce).ciphertext
    assert decode_base64(sealed.commit) == sha256(key + padded).digest()


def test_the_context_is_raw_utf_8() -> None:
    place = msgspec.structs.replace(PLACE, pointer="/data/поле")
    assert "поле".encode() in msgspec.json.encode(place)


def test_sealing_again_gives_the_same_bytes() -> None:
    assert seal_field(KEY, PLACE, TEXT) == seal_field(KEY, PLACE, TEXT)


def test_the_plaintext_is_not_in_the_field() -> None:
    sealed = seal_field(KEY, PLACE, TEXT)
    raw = msgspec.json.encode(sealed) + decode_base64(sealed.box) + decode_base64(sealed.commit)
    for word in TEXT.split():
        assert word.encode() not in raw
        assert base64.b64encode(word.encode())[:12] not in raw
    # Nor is anything that could be compared with a guess: other keys give other boxes and commitments.
    other = seal_field(new_content_key(), PLACE, TEXT)
    assert {other.box, other.commit, other.key}.isdisjoint({sealed.box, sealed.commit, sealed.key})


@pytest.mark.parametrize("name", PLACE.__struct_fields__)
def test_a_box_does_not_open_in_another_place(name: str) -> None:
    sealed = seal_field(KEY, PLACE, TEXT)
    moved = msgspec.structs.replace(PLACE, **{name: getattr(PLACE, name) + "2"})
    with pytest.raises(FormatError, match="a box that this key opens"):
        open_field(KEY, moved, sealed)
    assert seal_field(KEY, moved, TEXT).box != sealed.box


def test_another_content_key_is_named_and_refused() -> None:
    sealed = seal_field(KEY, PLACE, TEXT)
    other = new_content_key()
    with pytest.raises(FormatError, match=f"the content key {key_id(KEY)}, found {key_id(other)}"):
        open_field(other, PLACE, sealed)
    with pytest.raises(FormatError, match="a box that this key opens"):
        open_field(other, PLACE, msgspec.structs.replace(sealed, key=key_id(other)))
    with pytest.raises(FormatError):
        disclose_field(field_key(other, PLACE), sealed)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_field_key_has_32_bytes(length: int) -> None:
    with pytest.raises(FormatError):
        disclose_field(bytes(length), seal_field(KEY, PLACE, TEXT))


def test_a_tampered_box_does_not_open() -> None:
    sealed = seal_field(KEY, PLACE, TEXT)
    raw = decode_base64(sealed.box)
    for i in range(len(raw)):
        broken = encode_base64(raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :])
        with pytest.raises(FormatError):
            open_field(KEY, PLACE, msgspec.structs.replace(sealed, box=broken))
    for box in ("", encode_base64(raw[:24]), encode_base64(raw[:39]), encode_base64(raw[:-1])):
        with pytest.raises(FormatError):
            open_field(KEY, PLACE, msgspec.structs.replace(sealed, box=box))
    with pytest.raises(ValueError, match="an incomplete group"):
        msgspec.structs.replace(sealed, box=sealed.box[:-1])


def test_a_tampered_commitment_is_noticed() -> None:
    sealed = seal_field(KEY, PLACE, TEXT)
    raw = decode_base64(sealed.commit)
    for i in range(32):
        broken = encode_base64(raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :])
        with pytest.raises(FormatError, match="the plaintext that the field commits to"):
            open_field(KEY, PLACE, msgspec.structs.replace(sealed, commit=broken))
    for commit in ("", "AAAA", sealed.commit[:-1]):
        with pytest.raises(FormatError):
            open_field(KEY, PLACE, msgspec.structs.replace(sealed, commit=commit))


@pytest.mark.parametrize("value", ["", None, [], {}, "x", [None], {"a": ""}, 0, False])
def test_a_lie_about_filled_is_noticed(value: Any) -> None:
    sealed = seal_field(KEY, PLACE, value)
    with pytest.raises(FormatError, match=f"filled to be {sealed.filled}"):
        open_field(KEY, PLACE, msgspec.structs.replace(sealed, filled=not sealed.filled))


@pytest.mark.parametrize("value", ["", None, [], {}])
def test_only_these_four_are_not_filled(value: Any) -> None:
    assert not is_filled(value)


@pytest.mark.parametrize("value", ["x", " ", 0, False, [""], {"a": None}])
def test_everything_else_is_filled(value: Any) -> None:
    assert is_filled(value)


# Plaintext is the text and two quotation marks; one byte marks the end.
LENGTHS = [(0, 64), (61, 64), (62, 128), (125, 128), (126, 256), (1021, 1024), (2046, 4096), (4093, 4096), (4094, 8192),
           (8189, 8192), (8190, 12288), (16382, 20480), (30000, 32768)]  # fmt: skip


@pytest.mark.parametrize(("size", "padded"), LENGTHS)
def test_lengths_are_padded_in_steps(size: int, padded: int) -> None:
    sealed = seal_field(KEY, PLACE, "x" * size)
    assert len(decode_base64(sealed.box)) == 24 + 16 + padded
    assert open_field(KEY, PLACE, sealed) == "x" * size


def made_by_hand(padded: bytes, *, filled: bool = True) -> Sealed:
    """A field whose maker holds the key and keeps no other rule."""
    key = field_key(KEY, PLACE)
    return Sealed(
        s=1,
        key=key_id(KEY),
        filled=filled,
        box=encode_base64(bytes(SecretBox(key).encrypt(padded, bytes(24)))),
        commit=encode_base64(sha256(key + padded).digest()),
    )


BY_HAND = {
    "no padding": b'"x"',
    "no mark": b'"x"'.ljust(64, b"\0"),
    "too short": b'"x"\x80'.ljust(32, b"\0"),
    "too long": b'"x"\x80'.ljust(128, b"\0"),
    "something behind the mark": b'"x"\x80'.ljust(63, b"\0") + b"x",
    "nothing": b"",
    "no plaintext": b"\x80".ljust(64, b"\0"),
    "not JSON": b"x\x80".ljust(64, b"\0"),
    "duplicate member": b'{"a":1,"a":2}\x80'.ljust(64, b"\0"),
    "float": b"1.5\x80".ljust(64, b"\0"),
    "not UTF-8": b'"\xff"\x80'.ljust(64, b"\0"),
}


@pytest.mark.parametrize("padded", BY_HAND.values(), ids=BY_HAND)
def test_plaintext_that_breaks_the_rules_is_refused(padded: bytes) -> None:
    assert open_field(KEY, PLACE, made_by_hand(b'"x"\x80'.ljust(64, b"\0"))) == "x"
    with pytest.raises(FormatError):
        open_field(KEY, PLACE, made_by_hand(padded))


UNSAYABLE = [1.5, float("nan"), float("inf"), 2**53, -(2**60), 2**70, "\ud800", {"a": "\ufdd0"}, {"a": [0.5]}, object()]


@pytest.mark.parametrize("value", UNSAYABLE, ids=[repr(v)[:20] for v in UNSAYABLE])
def test_a_value_that_could_not_be_opened_again_is_not_sealed(value: Any) -> None:
    with pytest.raises(FormatError):
        seal_field(KEY, PLACE, value)


def test_content_keys_are_random() -> None:
    keys = {new_content_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {32}
