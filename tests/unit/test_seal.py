"""Seals have one spelling; entries, leaves and ``past`` are the documented hashes."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from ledger.errors import FormatError
from ledger.seal import (
    EMPTY_PAST,
    Home,
    Seal,
    entry,
    format_seal,
    leaf_hash,
    next_past,
    parse_seal,
    read_seal,
    read_seals,
    record_leaf,
    seal_signatures,
)
from ledger.signature import Signature, encode_base64
from tests.keys import Signer

A, B = sorted((Signer("RU-OMS").kid, Signer("RU-ALT").kid))
SIG = encode_base64(bytes(64))
SEAL = Seal(
    v=1,
    index=41,
    seq=2,
    prev="5b" * 32,
    sigs=[(A, SIG), (B, SIG)],
    admitted=1_741_000_000_000,
    epoch=0,
    offset=57,
    past="c9" * 32,
)
TEXT = format_seal(SEAL)


def changed(**changes: Any) -> bytes:
    """The seal's text with members changed, everything else as ``format_seal`` writes it."""
    return json.dumps({**json.loads(TEXT), **changes}, separators=(",", ":")).encode()


def test_a_seal_is_written_in_one_order_without_blanks() -> None:
    assert (
        f'{{"v":1,"index":41,"seq":2,"prev":"{"5b" * 32}","sigs":[["{A}","{SIG}"],["{B}","{SIG}"]],'
        f'"admitted":1741000000000,"epoch":0,"offset":57,"past":"{"c9" * 32}"}}'
    ).encode() == TEXT
    assert parse_seal(TEXT) == read_seal(TEXT) == SEAL


def test_home_stands_last_and_only_on_copies() -> None:
    copy = msgspec.structs.replace(SEAL, home=Home(3, 1_740_000_000_000, "77" * 32))
    written = format_seal(copy)
    assert written == TEXT[:-1] + f',"home":[3,1740000000000,"{"77" * 32}"]}}'.encode()
    assert parse_seal(written) == copy
    assert b"home" not in TEXT


def test_the_first_record_of_a_subject_has_no_previous_leaf() -> None:
    first = msgspec.structs.replace(SEAL, seq=1, prev="")
    assert parse_seal(format_seal(first)) == first


def test_signatures_are_sorted_by_kid_and_given_back_decoded() -> None:
    one, two = Signature(A, b"\x01" * 64), Signature(B, b"\x02" * 64)
    sigs = seal_signatures([two, one])
    assert sigs == [(A, encode_base64(one.value)), (B, encode_base64(two.value))]
    assert msgspec.structs.replace(SEAL, sigs=sigs).signatures() == [one, two]


OTHER_SPELLINGS = {
    "blank": TEXT.replace(b":1,", b": 1,", 1),
    "newline": TEXT + b"\n",
    "another order": json.dumps(dict(reversed(json.loads(TEXT).items())), separators=(",", ":")).encode(),
    "escape": TEXT.replace(b'"v"', b'"\\u0076"'),
    "slash escaped": TEXT.replace(b"AA==", b"A\\u0041=="),
    "duplicate member": TEXT[:-1] + b',"v":1}',
    "unknown member": TEXT[:-1] + b',"x":1}',
    "home is null": TEXT[:-1] + b',"home":null}',
    "home too short": TEXT[:-1] + b',"home":[3,1740000000000]}',
    "home too long": TEXT[:-1] + b',"home":[3,1740000000000,"' + b"77" * 32 + b'",0]}',
    "two seals": TEXT + TEXT,
    "nothing": b"",
    "not UTF-8": TEXT.replace(b"5b5b", b"5b\xff\xff", 1),
    "deep": b'{"v":' + b"[" * 100_000,
}
WRONG_VALUES: list[dict[str, Any]] = [
    {"v": 0}, {"v": "1"}, {"v": 1.0}, {"v": True}, {"index": -1}, {"index": 2**53}, {"seq": 0}, {"prev": "5b" * 31},
    {"prev": "5B" * 32}, {"prev": "5b" * 32 + "\n"}, {"prev": None}, {"admitted": -1}, {"admitted": 1.5},
    {"epoch": -1}, {"offset": -1}, {"past": ""}, {"past": "g" * 64}, {"sigs": {}}, {"sigs": [[A]]},
    {"sigs": [[A, SIG, SIG]]}, {"sigs": [["RU-OMS", SIG]]},
]  # fmt: skip


@pytest.mark.parametrize("raw", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS)
def test_other_spellings_of_a_seal_are_refused(raw: bytes) -> None:
    for read in (read_seal, parse_seal):
        with pytest.raises(FormatError, match="expected a seal"):
            read(raw)


@pytest.mark.parametrize("changes", WRONG_VALUES, ids=[str(c)[:30] for c in WRONG_VALUES])
def test_values_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    for read in (read_seal, parse_seal):
        with pytest.raises(FormatError, match="expected a seal"):
            read(changed(**changes))


@pytest.mark.parametrize("name", [m for m in json.loads(TEXT) if m != "home"])
def test_every_member_is_required(name: str) -> None:
    rest = {key: value for key, value in json.loads(TEXT).items() if key != name}
    with pytest.raises(FormatError, match=f"expected a seal: .*{name}"):
        read_seal(json.dumps(rest, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "sigs",
    [[[B, SIG], [A, SIG]], [[A, SIG], [A, SIG]], [[A, SIG[:-4]]], [[A, "Zg=="]], [[A, SIG[:-3] + "B=="]], [[A, ""]]],
)
def test_signatures_unsorted_twice_or_malformed_are_refused(sigs: list[list[str]]) -> None:
    with pytest.raises(FormatError):
        parse_seal(changed(sigs=sigs))
    assert len(read_seal(changed(sigs=sigs)).sigs) == len(sigs)


OTHER = format_seal(msgspec.structs.replace(SEAL, seq=1, prev=""))


def test_seals_that_are_read_at_once_are_those_that_are_read_one_by_one() -> None:
    assert read_seals([TEXT, OTHER, TEXT]) == [read_seal(TEXT), read_seal(OTHER), read_seal(TEXT)]


@pytest.mark.parametrize("raw", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS)
def test_one_other_spelling_among_seals_is_left_to_a_closer_look(raw: bytes) -> None:
    for raws in ([raw], [TEXT, raw], [raw, TEXT], [TEXT, raw, OTHER]):
        assert read_seals(raws) is None


@pytest.mark.parametrize("changes", WRONG_VALUES, ids=[str(c)[:30] for c in WRONG_VALUES])
def test_one_wrong_value_among_seals_is_left_to_a_closer_look(changes: dict[str, Any]) -> None:
    assert read_seals([TEXT, changed(**changes), OTHER]) is None


@pytest.mark.parametrize("cut", [1, 10, len(TEXT) - 1])
def test_no_seal_reaches_into_the_next(cut: int) -> None:
    """However two seals are divided over messages, only where one ends and the other begins are they seals."""
    whole = TEXT + b"\n" + OTHER
    assert read_seals([whole, b""]) is None
    assert read_seals([b"", whole]) is None
    assert read_seals([whole[:cut], whole[cut:]]) is None
    assert read_seals([whole]) is None


def test_hashes_of_a_wrong_length_are_refused_even_where_the_sum_of_lengths_is_right() -> None:
    for prevs in ([32, 32], [1, 63], [63, 1]):
        raws = [changed(prev="a" * length) for length in prevs]
        assert read_seals(raws) is None
        for raw in raws:
            with pytest.raises(FormatError, match="expected a seal"):
                read_seal(raw)


def test_a_record_leaf_is_the_leaf_of_its_entry() -> None:
    assert record_leaf(b"SEAL", b"VALUE") == leaf_hash(entry(b"SEAL", b"VALUE"))


def test_an_entry_is_head_seal_and_value_and_a_leaf_its_rfc_6962_hash() -> None:
    made = entry(b"SEAL", b"VALUE")
    assert made == b"rogatory/1\nSEAL\nVALUE"
    assert leaf_hash(made) == sha256(b"\x00rogatory/1\nSEAL\nVALUE").digest()


def test_past_commits_to_each_part_of_each_submission() -> None:
    digest = sha256(b"value").digest()
    right = next_past(EMPTY_PAST, 1, 2, 3, digest)
    assert right == sha256(bytes(32) + b"\0\0\0\1" + b"\0\0\0\0\0\0\0\2" + b"\3" + digest).digest()
    others = {
        next_past(b"\1" * 32, 1, 2, 3, digest),
        next_past(EMPTY_PAST, 2, 2, 3, digest),
        next_past(EMPTY_PAST, 1, 3, 3, digest),
        next_past(EMPTY_PAST, 1, 2, 4, digest),
        next_past(EMPTY_PAST, 1, 2, 3, sha256(b"").digest()),
    }
    assert len(others) == 5
    assert right not in others


@pytest.mark.parametrize("count", [0, 5])
def test_a_seal_has_one_to_four_signatures(count: int) -> None:
    kids = sorted(f"RU-A{n}#{'0' * 32}" for n in range(count))
    with pytest.raises(FormatError, match=f"1 to 4 signatures in a seal, found {count}"):
        parse_seal(changed(sigs=[[kid, SIG] for kid in kids]))
