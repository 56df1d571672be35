r"""Seals: what the ledger adds beside a sender's bytes, never inside them; entries and leaves made of both.

The seal of a request's second record, as it stands in the ``seal`` header (one line; broken and shortened here)::

    {"v":1,"index":41,"seq":2,"prev":"5b1f…","sigs":[["RU-OMS#0a1b…","q83v…=="]],
     "admitted":1741000000000,"epoch":0,"offset":57,"past":"c9d2…"}

- ``v`` admission version; ``index`` leaf index in the partition, from 0, without gaps; ``seq`` position in the
  subject, from 1; ``prev`` leaf hash of the subject's previous record, or "".
- ``sigs`` the verified signatures, sorted by kid.
- ``admitted`` integer ms: the greater of the broker's time and the previous record's.
- ``epoch``, ``offset`` which submission it was; ``past`` commits to everything consumed before it.
- ``home``, on register copies only: [index, admitted, leaf] of partition 0's record.

Hashes are lower hex.  Members stand in this order, without blanks, and ``format_seal(parse_seal(b)) == b``.

**Entry** = ``rogatory/1\n`` + seal + ``\n`` + event bytes, at most 65,535 bytes (C2SP tlog-tiles entry bundles);
**leaf** = SHA-256(0x00 ‖ entry) (RFC 6962 2.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from struct import Struct as Layout
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ledger import ids
from ledger.errors import FormatError
from ledger.ijson import MAX_INTEGER
from ledger.signature import MAX_SIGNATURES, Signature, decode_base64, encode_base64, parse_kid

MAX_ENTRY_BYTES = 65_535
EMPTY_PAST = bytes(32)
_CONSUMED = Layout(">32sIQB32s").pack
_ENTRY_HEAD = b"rogatory/1\n"

_Whole = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
_Positive = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
_Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
# Replay reads a seal for every record, and patterns are most of what a decoder costs: of these only the length is said
# here, ``_are_well_formed`` looks at the rest.
_QuickHash = Annotated[str, Meta(min_length=64, max_length=64)]
_QuickHashOrNone = Annotated[str, Meta(max_length=64)]
_QuickKid = Annotated[str, Meta(max_length=65)]


class Home(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Where a register copy's record stands in partition 0."""

    index: _Whole
    admitted: _Whole
    leaf: _Hash


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One record's seal; hashes are hex as in the text."""

    v: _Positive
    index: _Whole
    seq: _Positive
    prev: _QuickHashOrNone
    sigs: list[tuple[_QuickKid, str]]
    admitted: _Whole
    epoch: _Whole
    offset: _Whole
    past: _QuickHash
    home: Home | UnsetType = UNSET

    def signatures(self) -> list[Signature]:
        """The signatures, decoded."""
        return [Signature(parse_kid(kid), decode_base64(text, 64)) for kid, text in self.sigs]


_KID = re.compile(ids.KID).fullmatch
_PREV_LENGTHS = frozenset({0, 64})
_decode = msgspec.json.Decoder(Seal).decode
_decode_lines = msgspec.json.Decoder(Seal).decode_lines
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


def format_seal(seal: Seal) -> bytes:
    """The text of a seal."""
    return _encode(seal)


def parse_seal(raw: bytes) -> Seal:
    """The seal that ``raw`` says.

    Raises:
        FormatError: not a seal, or a seal written in another way than ``format_seal`` writes it.
    """
    seal = read_seal(raw)
    kids = [kid for kid, _ in seal.sigs]
    if not 1 <= len(kids) <= MAX_SIGNATURES:
        raise FormatError(f"expected 1 to {MAX_SIGNATURES} signatures in a seal, found {len(kids)}")
    if kids != sorted(set(kids)):
        raise FormatError("expected the signatures of a seal sorted by kid, each kid once")
    for _, text in seal.sigs:
        decode_base64(text, 64)
    return seal


def read_seal(raw: bytes) -> Seal:
    """The same without looking into the signatures, for readers that do not verify them."""
    try:
        seal = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"expected a seal: {error}") from None
    if _encode(seal) != raw:
        raise FormatError("expected a seal in its one spelling, found other blanks, order or escapes")
    if not _are_well_formed([seal]):
        raise FormatError(
            "expected a seal: hashes of 64 lower-case hex digits, or no prev, and kids, found other texts"
        )
    return seal


def read_seals(raws: Sequence[bytes]) -> list[Seal] | None:
    """What ``read_seal`` gives for each, a third cheaper; None where one of them needs a closer look.

    No seal has a line break in it.  So if all of them, one to a line, are what the encoder writes, and are as many as
    there are lines, then each is what the encoder writes, and none reaches into the next.
    """
    lines = b"\n".join(raws) + b"\n"
    try:
        seals = _decode_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(seals) != len(raws) or _encode_lines(seals) != lines or not _are_well_formed(seals):
        return None
    return seals


def _are_well_formed(seals: Sequence[Seal]) -> bool:
    """Whether hashes and kids are what the decoder does not hold them to."""
    hashes = "".join([seal.past + seal.prev for seal in seals])
    lengths = {len(seal.prev) for seal in seals}
    kids = {kid for seal in seals for kid, _ in seal.sigs}
    return lengths <= _PREV_LENGTHS and _is_hex(hashes) and all(map(_is_kid, kids))


def _is_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text).hex() == text  # which no other spelling survives: blanks, capitals
    except ValueError:
        return False


@lru_cache(1024)  # a ledger has few keys, and each of its records names one
def _is_kid(text: str) -> bool:
    return _KID(text) is not None


def seal_signatures(signatures: Sequence[Signature]) -> list[tuple[str, str]]:
    """``sigs`` of a seal: sorted by kid."""
    if len(signatures) == 1:  # nearly always
        return [(signatures[0].kid, encode_base64(signatures[0].value))]
    return [(s.kid, encode_base64(s.value)) for s in sorted(signatures)]


def entry(seal: bytes, value: bytes) -> bytes:
    """The bytes that the tree holds: the seal's text and the event's bytes, as they stand in the log."""
    return b"%b%b\n%b" % (_ENTRY_HEAD, seal, value)


def leaf_hash(entry_bytes: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256(0x00 ‖ entry), 32 bytes."""
    return sha256(b"\x00" + entry_bytes).digest()


def record_leaf(seal: bytes, value: bytes) -> bytes:
    """``leaf_hash(entry(seal, value))``, for who has no other use for the entry."""
    return sha256(b"\x00rogatory/1\n" + seal + b"\n" + value).digest()


def next_past(past: bytes, epoch: int, offset: int, disposition: int, digest: bytes) -> bytes:
    """``past`` after one more consumed submission, admitted or not.

    SHA-256(past ‖ u32 epoch ‖ u64 offset ‖ u8 disposition ‖ SHA-256 of the submission's value); a null value
    hashes as empty.
    """
    return sha256(_CONSUMED(past, epoch, offset, disposition, digest)).digest()
