"""The frozen vectors: this release makes them byte for byte, and so does code that shares nothing with it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from nacl.bindings import crypto_secretbox
from nacl.public import PrivateKey
from nacl.signing import SigningKey, VerifyKey

from ledger.admission import PartitionState, admit, prepare
from ledger.chain import ChainState as Followed
from ledger.chain import Follower, Head, Record
from ledger.errors import ChainError, FormatError
from ledger.event import time_ms
from ledger.ids import LedgerId
from ledger.ijson import parse_ijson
from ledger.log import Stored
from ledger.submission import Submission
from tests.conformance import independent, make_vectors
from tests.conformance.frozen import FOLDER, load
from tests.conformance.independent import unbase64

README = Path(__file__).parent / "README.md"
PARTITIONS = ["partition-0", "partition-1", "adopted-0", "adopted-1"]
"""Files that hold all submissions of a partition."""


def test_making_the_vectors_again_gives_the_same_bytes() -> None:
    made = make_vectors.make()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, raw in made.items():
        assert (FOLDER / name).read_bytes() == raw, name


def test_the_readme_describes_every_file_and_member() -> None:
    text = README.read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        assert f"`{path.name.replace('-0', '-N').replace('-1', '-N')}`" in text, path.name
        for member in json.loads(path.read_bytes()):
            assert f"`{member}`" in text, f"{path.name}: {member}"


def test_the_independent_code_is_independent() -> None:
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))
    imported = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "base64", "json", "hashlib", "typing"}


# By the independent code


def test_keys_and_kids() -> None:
    for label, key in load("keys")["keys"].items():
        seed, public = bytes.fromhex(key["seed"]), unbase64(key["public_key"])
        private = SigningKey(seed).verify_key if key["alg"] == "ed25519" else PrivateKey(seed).public_key
        assert bytes(private) == public, label
        assert independent.kid(key["kid"].partition("#")[0], key["alg"], public) == key["kid"]


def publics() -> dict[str, bytes]:
    return {key["kid"]: unbase64(key["public_key"]) for key in load("keys")["keys"].values()}


def test_the_ledger_id() -> None:
    genesis = load("genesis")
    raw = genesis["text"].encode()
    assert genesis["anchor"].startswith(genesis["ledger_id"].partition(".")[2])
    assert independent.ledger_id(raw, genesis["name"]) == genesis["ledger_id"]
    first = load("partition-0")["submissions"][0]
    assert unbase64(first["value"]) == raw


def test_an_event_from_its_bytes_to_its_leaf() -> None:
    event = load("event")
    raw = event["text"].encode()
    assert independent.pae(event["payload_type"], raw).decode() == event["pae"]
    kid, signature = event["signature"].split(" ")
    assert event["header"] == f"signature: {kid} {signature}"
    VerifyKey(publics()[kid]).verify(event["pae"].encode(), unbase64(signature))
    assert independent.sha256(raw).hexdigest() == event["sha256"]
    said = json.loads(raw)
    identity = f"{said['subject']} {said['source']} {said['id']}".encode()
    assert independent.sha256(identity).hexdigest() == event["identity"]
    made = independent.entry(event["seal"].encode(), raw)
    assert made.decode() == event["entry"]
    assert independent.leaf(made).hex() == event["leaf"]


@pytest.mark.parametrize("case", load("dsse")["cases"], ids=lambda c: c["payload_type"] or "empty")
def test_dsse(case: dict[str, str]) -> None:
    made = independent.pae(case["payload_type"], unbase64(case["payload"]))
    assert made == unbase64(case["pae"])
    VerifyKey(publics()[load("dsse")["kid"]]).verify(made, unbase64(case["signature"]))


def test_possession() -> None:
    file, ledger = load("possession"), load("genesis")["ledger_id"]
    keys = load("keys")["keys"]
    sign, seal = keys["RU-OMS sign"]["kid"], keys["RU-OMS seal"]["kid"]
    assert json.loads(file["ed25519"]["payload"]) == [ledger, "RU-OMS", sign, "sign"]
    assert json.loads(file["x25519"]["payload"]) == [ledger, "RU-OMS", seal, "seal", sign]
    for case in (file["ed25519"], file["x25519"]):
        assert independent.compact(json.loads(case["payload"])) == case["payload"].encode()
        kid, signature = case["possession"].split(" ")
        message = independent.pae(file["payload_type"], case["payload"].encode())
        VerifyKey(publics()[kid]).verify(message, unbase64(signature))


@pytest.mark.parametrize("case", load("sealed")["cases"], ids=lambda c: repr(c["value"])[:16])
def test_sealed_fields(case: dict[str, Any]) -> None:
    file = load("sealed")
    content_key, context = bytes.fromhex(file["content_key"]), file["context"].encode()
    assert independent.compact(json.loads(context)) == context
    assert independent.content_key_id(content_key) == file["key_id"] == case["sealed"]["key"]
    key = independent.field_key(content_key, context)
    assert key.hex() == file["field_key"]
    padded = independent.padded(independent.compact(case["value"]))
    assert independent.sha256(key + padded).digest() == unbase64(case["sealed"]["commit"])
    nonce = independent.field_nonce(key, padded)
    assert nonce + crypto_secretbox(padded, nonce, key) == unbase64(case["sealed"]["box"])
    assert case["sealed"]["filled"] == (case["value"] not in ("", None, [], {}) or case["value"] is False)
    assert case["sealed"]["s"] == 1


@pytest.mark.parametrize("name", PARTITIONS)
def test_a_partition_from_its_submissions(name: str) -> None:
    file = load(name)
    mine = independent.Partition()
    for row in file["submissions"]:
        made = mine.take(row)
        assert mine.past.hex() == row["past"], row["offset"]
        assert (made is None) == ("record" not in row)
        if made is not None:
            seal, raw = made
            assert seal.decode() == row["record"]["seal"]
            assert raw == unbase64(row["record"]["entry"])
            assert mine.leaves[-1].hex() == row["record"]["leaf"]
            assert independent.root(mine.leaves).hex() == row["record"]["root"]
    assert len(mine.leaves) == file["size"]
    assert independent.root(mine.leaves).hex() == file["root"]
    assert {s: list(head) for s, head in mine.heads.items()} == file["heads"]
    assert mine.past.hex() == file["past"]
    assert mine.heads["register"][0] == file["register_seq"]


@pytest.mark.parametrize("name", PARTITIONS)
def test_a_frontier_is_the_roots_of_the_complete_subtrees(name: str) -> None:
    file = load(name)
    leaves = [bytes.fromhex(row["record"]["leaf"]) for row in file["submissions"] if "record" in row]
    parts, start = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            parts.append(independent.root(leaves[start : start + (1 << bit)]).hex())
            start += 1 << bit
    assert parts == file["frontier"]


def test_every_corrupted_record_changes_the_root() -> None:
    rows = [row for row in load("partition-1")["submissions"] if "record" in row]
    leaves = [bytes.fromhex(row["record"]["leaf"]) for row in rows]
    right = independent.root(leaves)
    for i, row in enumerate(rows):
        raw = bytearray(unbase64(row["record"]["entry"]))
        raw[len(raw) // 2] ^= 1
        assert independent.root([*leaves[:i], independent.leaf(bytes(raw)), *leaves[i + 1 :]]) != right


def test_register_records_are_attested_and_copied_with_their_home() -> None:
    keys = publics()
    rows = [row for row in load("partition-0")["submissions"] if row["key"] == "register"]
    homes = load("copies")["homes"]
    assert len(rows) == len(homes)
    for row, home in zip(rows, homes, strict=True):
        kid, signature, seal = home.split(" ", 2)
        assert f"{kid} {signature}" == row["record"]["attest"]
        assert seal == row["record"]["seal"]
        made = unbase64(row["record"]["entry"])
        message = independent.pae("application/vnd.rogatory.entry", made)
        VerifyKey(keys[kid]).verify(message, unbase64(signature))
    copied = [json.loads(seal) for seal in load("copies")["seals"]]
    assert [c["home"][2] for c in copied] == [row["record"]["leaf"] for row in rows]
    assert [c["seq"] for c in copied] == list(range(1, len(rows) + 1))
    assert load("copies")["home"] == f"home: {homes[-1]}"
    assert load("copies")["attest"] == f"attest: {rows[-1]['record']['attest']}"


def test_partitions_by_murmur2() -> None:
    file = load("partitions")
    for text, value in file["murmur2"].items():
        assert independent.murmur2(text.encode()) == value
    for subject, places in file["partitions"].items():
        assert [independent.partition_of(subject, n) for n in file["counts"]] == places


def test_outcomes_name_their_submission_and_original() -> None:
    file = load("outcomes")
    records = {
        (n, row["epoch"], row["offset"]): row["record"]["leaf"]
        for n in (0, 1)
        for row in load(f"partition-{n}")["submissions"]
        if "record" in row
    }
    rows = [(n, row) for n in (0, 1) for row in load(f"partition-{n}")["submissions"] if "outcome" in row]
    for n, row in rows:
        said = row["outcome"]
        assert said["key"] == f"{n}/{row['epoch']}/{row['offset']}"
        assert file["reasons"][said["reason"]] == row["disposition"]
        assert ("receipt" in said) == (said["reason"] in {"duplicate", "identity-reused"})
        if "receipt" in said:
            assert records[tuple(said["receipt"][:3])] == said["receipt"][5]
    duplicate = json.loads(file["duplicate"].removeprefix("outcome: "))
    assert duplicate == {"outcome": "duplicate", "n": 1, "reason": "duplicate", "receipt": json.loads(file["receipt"])}
    assert independent.compact(duplicate["receipt"]) == file["receipt"].encode()
    refused = json.loads(file["refused"].removeprefix("outcome: "))
    assert list(refused) == ["outcome", "n", "reason", "expected", "found"]
    assert file["reasons"][refused["reason"]] == refused["n"]


# By this release


@pytest.mark.parametrize("name", PARTITIONS)
def test_admission_decides_as_frozen(name: str) -> None:
    file = load(name)
    state = PartitionState(LedgerId(file["ledger_id"]), file["partition"])
    for row in file["submissions"]:
        submission = Submission(
            row["epoch"],
            row["offset"],
            row["timestamp"],
            None if row["key"] is None else row["key"].encode(),
            None if row["value"] is None else unbase64(row["value"]),
            tuple((name, text.encode()) for name, text in row["headers"]),
        )
        for strict in (False, True):
            prepared = prepare(submission, strict=strict)
            decision = admit(state, prepared)
            assert int(decision.disposition) == row["disposition"]
        state.advance(prepared, decision)
        assert state.past.hex() == row["past"]


@pytest.mark.parametrize("name", PARTITIONS)
def test_a_follower_reads_the_records_as_history(name: str) -> None:
    file = load(name)
    follower = Follower(LedgerId(file["ledger_id"]), Followed(file["partition"]), check_past=True)
    heads: dict[str, Head] = {}
    rows = [row for row in file["submissions"] if "record" in row]
    for position, row in enumerate(rows):
        seal = row["record"]["seal"].encode()
        stored = Stored(position, row["timestamp"], row["key"].encode(), unbase64(row["value"]), (("seal", seal),))
        record = follower.take(stored, heads)
        assert isinstance(record, Record)
        heads[record.subject] = Head(record.seal.seq, record.leaf)
    assert follower.state.root().hex() == file["root"]
    assert follower.state.size == file["size"]


@pytest.mark.parametrize("number", [0, 1])
def test_an_adoption_divides_what_version_1_and_version_2_decide(number: int) -> None:
    rows = load(f"adopted-{number}")["submissions"]
    records = [row for row in rows if "record" in row]
    versions = [json.loads(row["record"]["seal"])["v"] for row in records]
    adoption = next(i for i, row in enumerate(records) if b"rules.adopted" in unbase64(row["value"]))
    assert versions == [1] * (adoption + 1) + [2] * (len(versions) - adoption - 1)
    place = rows.index(records[adoption])
    dated = [(rows.index(row) > place, row["disposition"]) for row in rows if b"2025-02-" in unbase64(row["value"])]
    assert set(dated) == ({(True, 17)} if number == 0 else {(False, 0), (True, 1), (True, 17)})


def test_a_follower_of_another_ledger_does_not_take_the_genesis() -> None:
    row = load("partition-0")["submissions"][0]
    seal = row["record"]["seal"].encode()
    stored = Stored(0, row["timestamp"], b"register", unbase64(row["value"]), (("seal", seal),))
    for ledger in ("test." + "0" * 32, load("genesis")["ledger_id"].replace("test", "other")):
        with pytest.raises(ChainError):
            Follower(LedgerId(ledger), Followed(0)).take(stored, {})


def test_strict_json_reads_and_refuses_as_frozen() -> None:
    file = load("ijson")
    for case in file["read"]:
        assert parse_ijson(unbase64(case["bytes"])) == case["value"]
    for text in file["refused"]:
        with pytest.raises(FormatError):
            parse_ijson(unbase64(text))


def test_times_are_read_and_refused_as_frozen() -> None:
    file = load("times")
    assert {text: time_ms(text) for text in file["read"]} == file["read"]
    for text in file["refused"]:
        with pytest.raises(FormatError):
            time_ms(text)


def test_the_story_has_one_of_each_thing_that_can_happen() -> None:
    rows = [row for n in (0, 1) for row in load(f"partition-{n}")["submissions"]]
    assert {row["disposition"] for row in rows} >= {0, 1, 3, 8, 9, 12, 14, 19}
    assert {row["epoch"] for row in rows} == {0, 1}
    assert any(row["value"] is None for row in rows)
    assert sum(1 for row in rows if len([h for h in row["headers"] if h[0] == "signature"]) > 1) >= 3
