"""Signatures, kids and base64: one spelling each, and nothing verifies that should not."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from nacl.exceptions import BadSignatureError

from ledger.errors import FormatError
from ledger.ids import LedgerId
from ledger.signature import (
    ENTRY_PAYLOAD,
    EVENT_PAYLOAD,
    POSSESSION_PAYLOAD,
    STATE_PAYLOAD,
    Signature,
    decode_base64,
    encode_base64,
    format_signature,
    is_exchange_point,
    is_main_subgroup_point,
    make_kid,
    office_of,
    pae,
    parse_kid,
    parse_signature,
    possession_payload,
    sign,
    verify,
    verify_message,
)
from tests.keys import SealKey, Signer

KEY = Signer("RU-OMS")
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493


def test_pae_is_the_example_of_the_dsse_specification() -> None:
    # DSSE v1.0, protocol.md, "Test Vectors"
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("a", "ё".encode()) == b"DSSEv1 1 a 2 \xd1\x91"


def test_ed25519_is_that_of_rfc_8032() -> None:
    # RFC 8032 7.1, TEST 3
    public = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
    signature = bytes.fromhex(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    assert verify_message(public, signature, bytes.fromhex("af82"))
    assert not verify_message(public, signature, bytes.fromhex("af83"))


@given(st.binary(max_size=300), st.integers(0, 63), st.integers(0, 255))
def test_libsodium_called_directly_decides_as_pynacl_does(message: bytes, place: int, mask: int) -> None:
    signature = bytearray(KEY.sign(message))
    signature[place] ^= mask
    try:
        opened = bindings.crypto_sign_open(bytes(signature) + message, KEY.public_key) == message
    except BadSignatureError:
        opened = False
    assert verify_message(KEY.public_key, bytes(signature), message) is opened
    assert opened is (mask == 0)


def test_a_signature_verifies_over_its_bytes_type_and_key_only() -> None:
    made = sign(KEY, EVENT_PAYLOAD, b"payload")
    assert made.kid == KEY.kid
    assert made.office == "RU-OMS"
    assert verify(KEY.public_key, made.value, EVENT_PAYLOAD, b"payload")
    assert not verify(KEY.public_key, made.value, EVENT_PAYLOAD, b"payloae")
    for other in (ENTRY_PAYLOAD, POSSESSION_PAYLOAD, STATE_PAYLOAD, ""):
        assert not verify(KEY.public_key, made.value, other, b"payload")
    assert not verify(Signer("RU-OMS", "2").public_key, made.value, EVENT_PAYLOAD, b"payload")


def test_every_flipped_bit_breaks_a_signature() -> None:
    made = sign(KEY, EVENT_PAYLOAD, b"payload").value
    for bit in range(512):
        broken = bytearray(made)
        broken[bit // 8] ^= 1 << bit % 8
        assert not verify(KEY.public_key, bytes(broken), EVENT_PAYLOAD, b"payload"), bit


def test_a_malleable_signature_does_not_verify() -> None:
    # RFC 8032 5.1.7: S must be below the group's order
    made = sign(KEY, EVENT_PAYLOAD, b"payload").value
    twin = made[:32] + (int.from_bytes(made[32:], "little") + L).to_bytes(32, "little")
    assert not verify(KEY.public_key, twin, EVENT_PAYLOAD, b"payload")


@pytest.mark.parametrize("length", [0, 1, 63, 65])
def test_signatures_and_keys_of_another_length_do_not_verify(length: int) -> None:
    made = sign(KEY, EVENT_PAYLOAD, b"payload").value
    assert not verify(KEY.public_key, (made * 2)[:length], EVENT_PAYLOAD, b"payload")
    assert not verify((KEY.public_key * 3)[:length], made, EVENT_PAYLOAD, b"payload")


def test_bytes_cannot_move_between_signature_and_message() -> None:
    signature = KEY.sign(b"a message in two parts")
    assert verify_message(KEY.public_key, signature, b"a message in two parts")
    assert not verify_message(KEY.public_key, signature + b"a message", b" in two parts")


def test_a_kid_is_the_start_of_a_hash_over_algorithm_and_key() -> None:
    digest = sha256(b"ed25519\x00" + KEY.public_key).hexdigest()
    assert make_kid("RU-OMS", "ed25519", KEY.public_key) == f"RU-OMS#{digest[:32]}"
    assert make_kid("RU-OMS", "x25519", KEY.public_key) != KEY.kid
    assert make_kid("RU-ALT", "ed25519", KEY.public_key)[7:] == KEY.kid[7:]
    assert office_of(KEY.kid) == "RU-OMS"


HEX = "0123456789abcdef" * 2


@pytest.mark.parametrize("kid", [f"R#{HEX}", f"RU-OMS#{HEX}", f"RU-T-WSIB#{HEX}", f"{'R' * 32}#{HEX}", f"K1-2#{HEX}"])
def test_kids_are_read_as_they_stand(kid: str) -> None:
    assert parse_kid(kid) == parse_kid(kid.encode()) == kid


@pytest.mark.parametrize(
    "kid",
    [
        "", "#", HEX, f"#{HEX}", f"RU-OMS{HEX}", f"RU-OMS#{HEX[:-1]}", f"RU-OMS#{HEX}0", f"RU-OMS#{HEX.upper()}",
        f"ru-oms#{HEX}", f"-RU#{HEX}", f"RU-#{HEX}", f"RU--OMS#{HEX}", f"{'R' * 33}#{HEX}", f"RU-OMS#{HEX}\n",
        f" RU-OMS#{HEX}", f"РУ#{HEX}", f"1RU#{HEX}", f"RU-OMS##{HEX[1:]}",
    ],
)  # fmt: skip
def test_other_kids_are_refused(kid: str) -> None:
    with pytest.raises(FormatError, match="expected a kid"):
        parse_kid(kid)
    with pytest.raises(FormatError, match="expected a kid"):
        parse_kid(kid.encode())


def test_a_signature_header_is_kid_blank_base64() -> None:
    made = Signature(KEY.kid, bytes(range(64)))
    written = format_signature(made)
    assert written == f"{KEY.kid} {base64.b64encode(bytes(range(64))).decode()}".encode()
    assert parse_signature(written) == made


GOOD = format_signature(Signature(KEY.kid, bytes(64)))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", GOOD + b" ", b" " + GOOD, GOOD.replace(b" ", b"  "), GOOD.replace(b" ", b"\t"), GOOD + b"\n",
        GOOD[:-1], GOOD[:-4], GOOD.split(b" ", maxsplit=1)[1], GOOD.replace(b"#", b""), GOOD[:-2] + b"B==",
        GOOD.split(b" ", maxsplit=1)[0] + b" " + base64.b64encode(bytes(63)),
        GOOD.split(b" ", maxsplit=1)[0] + b" " + base64.b64encode(bytes(65)),
    ],
)  # fmt: skip
def test_other_signature_headers_are_refused(raw: bytes) -> None:
    with pytest.raises(FormatError):
        parse_signature(raw)


@pytest.mark.parametrize("size", range(70))
def test_base64_has_one_spelling(size: int) -> None:
    raw = bytes(range(180, 180 + size))
    text = encode_base64(raw)
    assert text == base64.b64encode(raw).decode()
    assert decode_base64(text) == decode_base64(text.encode(), size) == raw
    with pytest.raises(FormatError, match=f"of {size + 1} bytes, found {size}"):
        decode_base64(text, size + 1)


@pytest.mark.parametrize(
    "text",
    ["A", "AA", "AA=", "AAA", "AAAA=", "AB==", "AAB=", "AA==AA==", "A A=", "AAAA\n", " AAAA", "-_-_", "ёё", "=",
     "A=AA"],
)  # fmt: skip
def test_other_spellings_of_base64_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="canonical base64"):
        decode_base64(text)
    with pytest.raises(FormatError, match="canonical base64"):
        decode_base64(text.encode())


def test_possession_is_a_compact_array() -> None:
    ledger = LedgerId("test." + "0" * 32)
    assert possession_payload(ledger, "RU-OMS", KEY.kid, "sign") == (
        f'["{ledger}","RU-OMS","{KEY.kid}","sign"]'.encode()
    )
    seal = SealKey("RU-OMS")
    assert possession_payload(ledger, "RU-OMS", seal.kid, "seal", KEY.kid) == (
        f'["{ledger}","RU-OMS","{seal.kid}","seal","{KEY.kid}"]'.encode()
    )


# Ed25519: the 8 points of small order in their canonical form, non-canonical forms of the identity, no point at all.
_ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
BAD_POINTS = {
    "identity": (1).to_bytes(32, "little"),
    "order 2": (P - 1).to_bytes(32, "little"),
    "order 4": bytes(32),
    "order 4, other sign": bytes(31) + b"\x80",
    "order 8": bytes.fromhex(_ORDER_8),
    "order 8, other sign": bytes.fromhex(_ORDER_8[:-2] + "85"),
    "identity, not reduced": (P + 1).to_bytes(32, "little"),
    "zero, not reduced": P.to_bytes(32, "little"),
    "not on the curve": (2).to_bytes(32, "little"),
    "all ones": b"\xff" * 32,
    "short": KEY.public_key[:31],
    "long": KEY.public_key + b"\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("raw", BAD_POINTS.values(), ids=BAD_POINTS)
def test_bad_points_are_no_signing_keys(raw: bytes) -> None:
    assert not is_main_subgroup_point(raw)


def test_a_point_with_a_part_of_small_order_is_no_signing_key() -> None:
    from nacl.bindings import crypto_core_ed25519_add  # noqa: PLC0415 - only here

    # The sum of a right key and the point of order 2: on the curve, outside the main subgroup.
    mixed = crypto_core_ed25519_add(KEY.public_key, BAD_POINTS["order 2"])
    assert mixed != KEY.public_key
    assert not is_main_subgroup_point(mixed)
    assert is_main_subgroup_point(KEY.public_key)


def test_exchange_keys_that_give_zero_are_refused() -> None:
    # RFC 7748 6.1 and the list of low-order points at https://cr.yp.to/ecdh.html#validate
    low = [
        bytes(32),
        (1).to_bytes(32, "little"),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        (P - 1).to_bytes(32, "little"),
        P.to_bytes(32, "little"),
        (P + 1).to_bytes(32, "little"),
    ]
    for raw in (*low, b"", bytes(31), bytes(33)):
        assert not is_exchange_point(raw)
    assert is_exchange_point(SealKey("RU-OMS").public_key)
