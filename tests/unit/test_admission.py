"""Admission: every reason to refuse, their order, duplicates, keys, copies of the register, versions and epochs."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from ledger import catalogue
from ledger.admission import (
    Admitted,
    Decision,
    Duplicate,
    PartitionState,
    admit,
    identity_of,
    opens_epoch,
    prepare,
    verify_ahead,
)
from ledger.dispositions import MEANING, Disposition, Refused
from ledger.event import MAX_EVENT_BYTES
from ledger.log import Message
from ledger.merkle import push, root
from ledger.register import make_ledger_id
from ledger.seal import Home, entry, format_seal, leaf_hash, parse_seal, seal_signatures
from ledger.signature import ENTRY_PAYLOAD, encode_base64, format_signature, parse_signature, sign
from ledger.submission import HOME_HEADER, SIGNATURE_HEADER, Receipt, Submission, parse_signatures
from tests.admissions import (
    PARTITIONS,
    SUBJECTS,
    T0,
    World,
    home_of,
    respelled,
    signatures,
    snapshot,
    with_home,
)
from tests.admissions import event as make_event
from tests.keys import SealKey, Signer

D = Disposition
STRANGER = Signer("RU-OMS", "never enrolled")


@pytest.fixture(name="w")
def a_world() -> World:
    return World.opened()


def refused(decision: Decision, reason: Disposition, match: str = "") -> Refused:
    assert isinstance(decision, Refused), decision
    assert decision.disposition is reason, decision
    assert match in f"expected {decision.expected}, found {decision.found}"
    assert MEANING[decision.disposition]
    return decision


def admitted(decision: Decision) -> Admitted:
    assert isinstance(decision, Admitted), decision
    return decision


# What is admitted


def test_an_admitted_event_gets_a_seal_with_everything_about_its_place(w: World) -> None:
    state = w.states[1]
    before = state.past
    raw = w.accepted()
    submission = w.submission(raw, [w.oms])
    one = admitted(w.submit(raw, [w.oms]))
    assert one.seal.v == 1
    assert (one.seal.index, one.seal.seq, one.seal.prev) == (10, 1, "")
    assert (one.seal.epoch, one.seal.offset) == (0, 10)
    assert one.seal.admitted == submission.timestamp == T0 + 10_000
    assert one.seal.past == before.hex()
    assert one.seal.home is UNSET
    assert one.seal.signatures() == parse_signatures(submission.signature_texts())
    assert one.seal_text == format_seal(one.seal)
    assert parse_seal(one.seal_text) == one.seal
    assert one.leaf == leaf_hash(entry(one.seal_text, raw))
    assert one.receipt == Receipt(1, 0, 10, 10, 1, one.leaf.hex())
    assert one.register is None
    two = admitted(w.submit(w.accepted(), [w.oms]))
    assert (two.seal.index, two.seal.seq, two.seal.prev) == (11, 2, one.leaf.hex())


def test_signatures_are_sealed_sorted_by_kid(w: World) -> None:
    second = Signer("RU-OMS", "second")
    w.register(w.grant(second), w.authorities[:1])
    raw = w.accepted()
    seals = [admitted(w.decide(raw, keys)).seal for keys in ([w.oms, second], [second, w.oms])]
    assert seals[0] == seals[1]
    assert [kid for kid, _ in seals[0].sigs] == sorted([w.oms.kid, second.kid])


def test_admitted_never_goes_back(w: World) -> None:
    first = admitted(w.submit(w.accepted(), [w.oms], timestamp=T0 + 50_000))
    second = admitted(w.submit(w.accepted(), [w.oms], timestamp=T0 + 20_000))
    assert first.seal.admitted == second.seal.admitted == T0 + 50_000
    assert admitted(w.decide(w.accepted(), [w.oms], timestamp=-1)).seal.admitted == T0 + 50_000


def test_the_spelling_is_the_senders_own(w: World) -> None:
    raw = respelled(w.accepted())
    one = admitted(w.decide(raw, [w.oms]))
    assert one.leaf == leaf_hash(entry(one.seal_text, raw))


def test_an_unlawful_act_did_happen_and_is_admitted(w: World) -> None:
    # KZ-MTP says that RU-OMS accepted, on a day that has not come, in a request that nobody signed.
    raw = w.accepted(office="KZ-MTP", time="2099-01-01T00:00:00Z", expectedseq=0)
    admitted(w.decide(raw, [w.kz]))


def test_sequences_count_by_subject_and_indices_by_partition(w: World) -> None:
    a, c = SUBJECTS[1]
    seals = [admitted(w.submit(w.accepted(s), [w.oms])).seal for s in (a, c, a, c, a)]
    assert [s.index for s in seals] == [10, 11, 12, 13, 14]
    assert [s.seq for s in seals] == [1, 1, 2, 2, 3]


# 2 to 9, without any signature


def test_2_too_large(w: World) -> None:
    raw = w.event("request/a", "step.taken", {"step": "x"}, tracestate="")
    padding = b" " * (MAX_EVENT_BYTES + 1 - len(raw))
    refused(w.decide(raw + padding), D.TOO_LARGE, "at most 49152 bytes, found 49153 bytes")
    refused(w.decide(b"x" * 100_000), D.TOO_LARGE)
    large = w.accepted()
    large += b" " * (MAX_EVENT_BYTES - len(large))
    admitted(w.decide(large, [w.oms]))


@pytest.mark.parametrize(
    "raw", [None, b"", b"{", b"nonsense", b'{"a":1.5}', b'{"a":1,"a":2}', b"\xff", b"[" * 40 + b"]" * 40, b"9" * 20]
)
def test_3_not_json(w: World, raw: bytes | None) -> None:
    refused(w.decide(raw, key=b"request/a"), D.NOT_JSON)


def test_3_not_json_is_said_of_what_hides_in_an_otherwise_right_event(w: World) -> None:
    raw = w.accepted()
    hidden = {
        "duplicate member": raw[:-1] + b',"subject":"request/a"}',
        "float": raw.replace(b'{"executing"', b'{"n":1.0,"executing"'),
        "large integer": raw.replace(b'{"executing"', b'{"n":9007199254740993,"executing"'),
        "depth": raw.replace(b'{"executing"', b'{"n":' + b"[" * 40 + b"]" * 40 + b',"executing"'),
        "noncharacter": raw.replace(b'{"executing"', '{"n":"\ufdd0","executing"'.encode()),
        "noncharacter, escaped": raw.replace(b'{"executing"', b'{"n":"\\ufdd0","executing"'),
        "surrogate": raw.replace(b'{"executing"', b'{"n":"\\ud800","executing"'),
    }
    for label, text in hidden.items():
        assert text != raw, label
        refused(w.decide(text, [w.oms]), D.NOT_JSON)


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**63, 2**64, 2**70])
def test_3_free_json_is_strict_too(w: World, number: int) -> None:
    box = {"s": 1, "key": "0" * 32, "filled": True, "box": "AAAA", "commit": "A" * 43 + "="}
    data = {"target": "e-1", "how": "replace", "fields": {"n": 1}, "why": box}
    right = w.event("request/a", "record.corrected", data)
    admitted(w.decide(right, [w.oms]))
    wrong = right.replace(b'{"n":1}', b'{"n":%d}' % number)
    assert wrong != right
    refused(w.decide(wrong, [w.oms]), D.NOT_JSON)


@pytest.mark.parametrize("raw", [b"null", b"1", b"[]", b"{}", b'"text"', b'{"specversion":"1.0"}'])
def test_4_not_an_event(w: World, raw: bytes) -> None:
    refused(w.decide(raw, key=b"request/a"), D.NOT_AN_EVENT)


@pytest.mark.parametrize(
    "changes",
    [{"id": ""}, {"time": "yesterday"}, {"specversion": "0.3"}, {"source": "RU-OMS"}, {"data": None}, {"data": []},
     {"data_base64": "AAAA"}, {"Subject": "request/a"}, {"expectedseq": -1}, {"actor": "a b"}],
)  # fmt: skip
def test_4_malformed_attributes(w: World, changes: dict[str, Any]) -> None:
    refused(w.decide(respell(w.accepted(), **changes), [w.oms]), D.NOT_AN_EVENT)


def respell(raw: bytes, **changes: Any) -> bytes:
    return msgspec.json.encode({**json.loads(raw), **changes})


@pytest.mark.parametrize("type_", ["rogatory.request.accepted.v2", "rogatory.request.dreamt.v1", "rogatory.x.v1"])
def test_5_unknown_type(w: World, type_: str) -> None:
    refused(w.decide(w.accepted(type=type_), [w.oms]), D.UNKNOWN_TYPE, f"a type of catalogue version 1, found {type_}")


def test_6_wrong_ledger(w: World) -> None:
    for ledger in ("test", "test." + "0" * 32, f"other{w.ledger_id[4:]}"):
        refused(w.decide(w.accepted(ledger=ledger), [w.oms]), D.WRONG_LEDGER, f"expected {w.ledger_id}, found {ledger}")


def test_6_everything_before_genesis(w: World) -> None:
    empty = World()
    for raw in (w.accepted("request/b"), w.office("RU-KLG")):
        found = refused(empty.decide(raw, [w.oms], partition=0), D.WRONG_LEDGER)
        assert found.found == "an event before register.opened"


def test_6_another_genesis_of_the_same_name(w: World) -> None:
    other = w.make_genesis(threshold=1)
    for world in (w, World()):
        refused(world.decide(other, w.authorities[:2], partition=0), D.WRONG_LEDGER)
    respelled_genesis = respelled(w.genesis)
    refused(World().decide(respelled_genesis, w.authorities[:2], partition=0), D.WRONG_LEDGER)


@pytest.mark.parametrize("key", [None, b"", b"request/c", b"request/a ", b"Request/a", b"\xff"])
def test_7_bad_subject_if_the_key_is_another(w: World, key: bytes | None) -> None:
    submission = msgspec.structs.replace(w.submission(w.accepted(), [w.oms]), key=key)
    decision = admit(w.states[1], prepare(submission))
    refused(decision, D.BAD_SUBJECT, "the subject request/a as the record's key")


@pytest.mark.parametrize(
    "subject",
    ["request/", "request/a/b", "request/a+b", "request", "case/1", "ledger/01", "ledger/x", "ledger/10000", "year/25",
     "review/RU-OMS", "register/1", "!"],
)  # fmt: skip
def test_7_bad_subject_if_malformed(w: World, subject: str) -> None:
    refused(w.decide(w.accepted(subject), [w.oms]), D.BAD_SUBJECT)


def test_7_bad_subject_if_the_type_does_not_belong_there(w: World) -> None:
    raw = w.accepted("meeting/m-1")
    refused(w.decide(raw, [w.oms]), D.BAD_SUBJECT, "request.accepted in a subject request, found meeting/m-1")
    refused(w.decide(w.accepted("register"), [w.oms], partition=0), D.BAD_SUBJECT)
    raw = w.event("request/a", "key.revoked", {"kid": w.oms.kid, "reason": "lost", "effective": "2025-01-01T00:00:00Z"})
    refused(w.decide(raw, [w.oms]), D.BAD_SUBJECT, "key.revoked in a subject register")
    raw = w.event("register", "register.opened", {}, ledger="test")
    refused(w.decide(raw.replace(b'"register"', b'"request/a"'), [w.oms]), D.WRONG_LEDGER)


def test_8_wrong_partition(w: World) -> None:
    for partition in range(PARTITIONS):
        for subject in SUBJECTS[1 - partition]:
            decision = w.decide(w.accepted(subject), [w.oms], partition=partition)
            refused(decision, D.WRONG_PARTITION, f"{subject} in partition {1 - partition}, found {partition}")
        for subject in SUBJECTS[partition]:
            admitted(w.decide(w.accepted(subject), [w.oms], partition=partition))


def test_8_statements_about_a_partition_live_in_it(w: World) -> None:
    data = {"projection": "status", "index": 0, "digest": "0" * 64}
    for partition in range(PARTITIONS):
        right = w.event(f"ledger/{partition}", "partition.rebuilt", data)
        admitted(w.decide(right, [w.oms], partition=partition))
        refused(w.decide(right, [w.oms], partition=1 - partition), D.WRONG_PARTITION)
    nowhere = w.event("ledger/2", "partition.rebuilt", data)
    refused(w.decide(nowhere, [w.oms]), D.WRONG_PARTITION)


def test_1_duplicate_gets_the_original_receipt(w: World) -> None:
    raw = w.accepted()
    original = admitted(w.submit(raw, [w.oms]))
    for _ in range(2):
        again = w.submit(raw, [w.oms])
        assert again == Duplicate(original.receipt)
    assert w.states[1].index == 11


def test_1_duplicate_comes_before_any_signature(w: World) -> None:
    raw = w.accepted()
    original = admitted(w.submit(raw, [w.oms]))
    w.register(w.revoke(w.oms), [w.gumps])
    for signers in ([w.oms], [], [STRANGER], [w.alt], [w.oms] * 5):
        assert w.decide(raw, signers) == Duplicate(original.receipt)
    refused(w.decide(w.accepted(), [w.oms]), D.KEY_NOT_VALID)


def test_1_duplicate_copies_of_a_second_herald(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    first = admitted(w.take(w.copied(copy), 1))
    assert w.take(w.copied(copy), 1) == Duplicate(first.receipt)
    # Even one without its header: what stands, stands.
    assert w.take(w.copied(with_home(copy, None)), 1) == Duplicate(first.receipt)


def test_1_duplicate_genesis(w: World) -> None:
    receipt = w.states[0].identities[identity_of("register", "office/RU-GUMPS", "genesis")].receipt
    assert w.decide(w.genesis, w.authorities[:2], partition=0) == Duplicate(receipt)


def test_9_identity_reused(w: World) -> None:
    raw = w.accepted(id_="same")
    original = admitted(w.submit(raw, [w.oms]))
    for other in (
        respelled(raw),
        w.accepted(id_="same", actor="p-1"),
        w.event("request/a", "step.taken", {}, id_="same"),
    ):
        assert refused(w.decide(other, [w.oms]), D.IDENTITY_REUSED).receipt == original.receipt


def test_9_an_identity_is_subject_source_and_id(w: World) -> None:
    admitted(w.submit(w.accepted(id_="same"), [w.oms]))
    admitted(w.submit(w.accepted("request/c", id_="same"), [w.oms]))
    admitted(w.submit(w.accepted(office="RU-ALT", id_="same"), [w.alt]))


def test_9_refused_identities_are_not_reserved(w: World) -> None:
    refused(w.submit(w.accepted(id_="same"), [STRANGER]), D.UNKNOWN_KEY)
    admitted(w.submit(w.accepted(id_="same", actor="p-1"), [w.oms]))


# 10 bad-home


def test_10_a_copy_is_sealed_with_its_place_at_home(w: World) -> None:
    raw = w.office("RU-KLG")
    copy = w.home(raw, [w.gumps])
    refused(w.submit(w.accepted(), [STRANGER]), D.UNKNOWN_KEY)  # so that the two partitions' pasts differ
    home = parse_seal(home_of(copy)[2])
    one = admitted(w.take(w.copied(copy), 1))
    assert one.seal.home == Home(home.index, home.admitted, leaf_hash(entry(home_of(copy)[2], raw)).hex())
    assert (one.seal.seq, one.seal.sigs) == (home.seq, home.sigs)
    assert one.seal.past != home.past
    assert w.states[0].register == w.states[1].register


def test_10_a_register_event_without_home_goes_to_partition_0(w: World) -> None:
    decision = w.decide(w.office("RU-KLG"), [w.gumps])
    refused(decision, D.BAD_HOME, "since register events go to partition 0, found 0 home headers")


def test_10_two_home_headers(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    twice = msgspec.structs.replace(copy, headers=(*copy.headers, (HOME_HEADER, dict(copy.headers)[HOME_HEADER])))
    refused(admit(w.states[1], prepare(w.copied(twice))), D.BAD_HOME, "found 2 home headers")


def test_10_stray_home_in_partition_0_and_on_requests(w: World) -> None:
    stray = ((HOME_HEADER, dict(w.copies[-1].headers)[HOME_HEADER]),)
    for headers in (stray, ((HOME_HEADER, b""),)):
        decision = w.decide(w.office("RU-KLG"), [w.gumps], partition=0, headers=headers)
        refused(decision, D.BAD_HOME, "a stray home header")
        refused(w.decide(w.accepted(), [w.oms], headers=headers), D.BAD_HOME, "a stray home header")
        refused(w.decide(w.accepted("request/b"), [w.oms], partition=0, headers=headers), D.BAD_HOME)


def forged(
    copy: Message, *, attest: bytes | None = None, kid: bytes | None = None, seal: bytes | None = None
) -> Message:
    was_kid, was_attest, was_seal = home_of(copy)
    return with_home(copy, b" ".join([kid or was_kid, attest or was_attest, seal or was_seal]))


def reattested(copy: Message, key: Signer, **changes: Any) -> Message:
    """The copy with its home's seal changed and attested by a key."""
    seal = format_seal(msgspec.structs.replace(parse_seal(home_of(copy)[2]), **changes))
    signature = sign(key, ENTRY_PAYLOAD, entry(seal, copy.value or b""))
    return with_home(copy, format_signature(signature) + b" " + seal)


def take_apart(w: World, message: Message) -> Decision:
    return admit(w.states[1], prepare(w.copied(message)))


def test_10_a_home_that_is_not_in_its_form(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    kid, attest, seal = home_of(copy)
    for raw in (
        b"", kid, kid + b" " + attest, seal, b" ".join([attest, kid, seal]), b"  ".join([kid, attest, seal]),
        b" ".join([kid, attest, seal.replace(b",", b", ", 1)]), b" ".join([kid, attest[:-4], seal]), b"\xff \xff \xff",
        b" ".join([b"RU-OMS", attest, seal]), b" ".join([kid, attest, b"{}"]), b" ".join([kid, attest, seal, b"x"]),
    ):  # fmt: skip
        refused(take_apart(w, with_home(copy, raw)), D.BAD_HOME)
    admitted(take_apart(w, copy))


def test_10_a_forged_attestation(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    kid, attest, _ = home_of(copy)
    other = sign(w.log, "application/vnd.rogatory.state", b"x").value
    broken = encode_base64(other).encode()
    refused(take_apart(w, forged(copy, attest=broken)), D.BAD_HOME, f"one by {kid.decode()} that does not verify")
    for key in (w.gumps, w.authorities[0], STRANGER):
        refused(take_apart(w, reattested(copy, key)), D.BAD_HOME, "expected an attestation by a log key")
        # Signed by another, said to be by the log key.
        signed = home_of(reattested(copy, key))[1]
        refused(take_apart(w, forged(copy, attest=signed)), D.BAD_HOME, "an attestation by a log key")
        refused(take_apart(w, forged(copy, kid=key.kid.encode(), attest=attest)), D.BAD_HOME)


def test_10_an_attestation_under_another_payload_type(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    made = entry(home_of(copy)[2], copy.value or b"")
    for payload in ("application/cloudevents+json", "application/vnd.rogatory.state"):
        wrong = encode_base64(sign(w.log, payload, made).value).encode()
        refused(take_apart(w, forged(copy, attest=wrong)), D.BAD_HOME)


@pytest.mark.parametrize("name", ["v", "index", "admitted", "epoch", "offset", "past"])
def test_10_a_home_with_a_changed_seal(w: World, name: str) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    seal = parse_seal(home_of(copy)[2])
    changes = {name: "0" * 64 if name == "past" else getattr(seal, name) + 1}
    changed = format_seal(msgspec.structs.replace(seal, **changes))
    refused(take_apart(w, forged(copy, seal=changed)), D.BAD_HOME, "an attestation by a log key")


def test_10_the_home_of_another_event(w: World) -> None:
    one, two = (w.home(w.office(code), [w.gumps]) for code in ("RU-KLG", "RU-TUL"))
    swapped = with_home(two, dict(one.headers)[HOME_HEADER])
    refused(take_apart(w, swapped), D.BAD_HOME)
    # Its signatures too: everything but the bytes.
    refused(take_apart(w, msgspec.structs.replace(one, value=two.value)), D.BAD_HOME, "an attestation by a log key")


def test_10_copies_out_of_order(w: World) -> None:
    one, two = (w.home(w.office(code), [w.gumps]) for code in ("RU-KLG", "RU-TUL"))
    refused(take_apart(w, two), D.BAD_HOME, "the register's next")
    admitted(w.take(w.copied(one), 1))
    admitted(w.take(w.copied(two), 1))


def test_10_a_home_that_does_not_follow_the_last_copy(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    for changes in ({"seq": 10}, {"seq": 12}, {"prev": ""}, {"prev": "0" * 64}):
        refused(take_apart(w, reattested(copy, w.log, **changes)), D.BAD_HOME, "the register's next event, 11")
    admitted(take_apart(w, reattested(copy, w.log)))


def test_10_the_seal_of_a_copy_is_no_home(w: World) -> None:
    copy = w.home(w.office("RU-KLG"), [w.gumps])
    home = Home(10, T0, "0" * 64)
    refused(take_apart(w, reattested(copy, w.log, home=home)), D.BAD_HOME, "partition 0's own seal")


def test_10_signatures_other_than_home_sealed(w: World) -> None:
    raw = w.office("RU-KLG")
    copy = w.home(raw, [w.gumps])
    kept = tuple(h for h in copy.headers if h[0] != SIGNATURE_HEADER)
    for signers in ([], [w.authorities[0]], [w.gumps, w.authorities[0]], [w.gumps, w.gumps], [STRANGER] * 5):
        other = msgspec.structs.replace(copy, headers=(*signatures(raw, signers), *kept))
        refused(take_apart(w, other), D.BAD_HOME)
    sigs = seal_signatures([parse_signature(v) for _, v in signatures(raw, [w.gumps, w.authorities[0]])])
    refused(take_apart(w, reattested(copy, w.log, sigs=sigs)), D.BAD_HOME, "the signatures that partition 0 sealed")


def test_10_genesis_is_copied_under_its_own_log_keys() -> None:
    world = World()
    copy = world.home(world.genesis, world.authorities[:2])
    refused(admit(world.states[1], prepare(world.copied(reattested(copy, STRANGER)))), D.BAD_HOME)
    refused(admit(world.states[1], prepare(world.copied(with_home(copy, None)))), D.BAD_HOME)
    first = admitted(world.take(world.copied(copy), 1))
    assert first.register == world.states[0].register


# 11 to 15, signatures and keys


def test_11_no_signature(w: World) -> None:
    raw = w.accepted()
    others = [Signer("RU-OMS", str(n)) for n in range(5)]
    refused(w.decide(raw), D.NO_SIGNATURE, "expected 1 to 4 signatures, found 0")
    refused(w.decide(raw, others), D.NO_SIGNATURE, "expected 1 to 4 signatures, found 5")
    refused(w.decide(raw, [w.oms, w.oms]), D.NO_SIGNATURE, "each kid once")
    for text in (b"", b"x", w.oms.kid.encode(), w.oms.kid.encode() + b" AAAA"):
        refused(w.decide(raw, headers=((SIGNATURE_HEADER, text),)), D.NO_SIGNATURE)
        refused(w.decide(raw, [w.oms], headers=((SIGNATURE_HEADER, text),)), D.NO_SIGNATURE)


def test_11_four_signatures_are_enough_for_anybody(w: World) -> None:
    keys = [Signer("RU-OMS", f"key {n}") for n in range(3)]
    for key in keys:
        w.register(w.grant(key), w.authorities[:1])
    assert len(admitted(w.decide(w.accepted(), [w.oms, *keys])).seal.sigs) == 4


def test_12_unknown_key(w: World) -> None:
    refused(w.decide(w.accepted(), [STRANGER]), D.UNKNOWN_KEY, f"found {STRANGER.kid}")
    refused(w.decide(w.accepted(), [w.oms, STRANGER]), D.UNKNOWN_KEY)
    unknown_and_foreign = Signer("RU-KLG", "x")
    refused(w.decide(w.accepted(), [unknown_and_foreign]), D.UNKNOWN_KEY)


def test_12_a_key_is_known_where_its_copy_has_come(w: World) -> None:
    new = Signer("RU-ALT", "new")
    copy = w.home(w.grant(new), [w.gumps])
    here, there = (w.accepted(s, office="RU-ALT") for s in ("request/b", "request/a"))
    admitted(w.decide(here, [new], partition=0))
    refused(w.decide(there, [new]), D.UNKNOWN_KEY)
    admitted(w.take(w.copied(copy), 1))
    admitted(w.decide(there, [new]))


def test_13_foreign_key(w: World) -> None:
    refused(w.decide(w.accepted(), [w.alt]), D.FOREIGN_KEY, f"expected a key of RU-OMS, found {w.alt.kid}")
    refused(w.decide(w.accepted(), [w.oms, w.alt]), D.FOREIGN_KEY)
    refused(w.decide(w.accepted(), [w.authorities[0]]), D.FOREIGN_KEY)
    refused(w.decide(w.accepted(), [w.log]), D.FOREIGN_KEY)


def test_13_an_authority_of_another_office_signs_threshold_events_only(w: World) -> None:
    ours, _, other = w.authorities
    assert other.kid.startswith("RU-PGO#")
    admitted(w.decide(w.adopt(2), [ours, other], partition=0))
    refused(w.decide(w.office("RU-KLG"), [ours, other], partition=0), D.FOREIGN_KEY)
    refused(w.decide(w.adopt(2), [ours, w.authorities[1], w.oms], partition=0), D.FOREIGN_KEY)


def test_14_a_revoked_key(w: World) -> None:
    admitted(w.submit(w.accepted(), [w.oms]))
    w.register(w.revoke(w.oms), [w.gumps])
    refused(w.decide(w.accepted(), [w.oms]), D.KEY_NOT_VALID, "revoked at")
    # A key that is good does not cure one that is not.
    second = Signer("RU-OMS", "second")
    w.register(w.grant(second), [w.gumps])
    admitted(w.decide(w.accepted(), [second]))
    refused(w.decide(w.accepted(), [second, w.oms]), D.KEY_NOT_VALID)


def test_14_a_revocation_acts_where_its_copy_has_come(w: World) -> None:
    copy = w.home(w.revoke(w.oms), [w.gumps])
    refused(w.decide(w.accepted("request/b"), [w.oms], partition=0), D.KEY_NOT_VALID)
    admitted(w.submit(w.accepted(), [w.oms]))
    admitted(w.take(w.copied(copy), 1))
    refused(w.decide(w.accepted(), [w.oms]), D.KEY_NOT_VALID)


def test_14_a_revocation_that_is_effective_later_acts_at_once(w: World) -> None:
    w.register(w.revoke(w.oms, effective="2099-01-01T00:00:00Z"), [w.gumps])
    refused(w.decide(w.accepted(), [w.oms]), D.KEY_NOT_VALID)


def test_14_a_key_is_judged_at_admitted_by_a_half_open_term(w: World) -> None:
    key = Signer("RU-OMS", "for an hour")
    hour = {"valid_from": "2025-03-03T12:00:00Z", "valid_to": "2025-03-03T13:00:00Z"}
    w.register(w.grant(key, **hour), [w.gumps])
    start, end = 1_741_003_200_000, 1_741_006_800_000
    for at in (start - 1, end, end + 10**9):
        refused(w.decide(w.accepted(), [key], timestamp=at), D.KEY_NOT_VALID, f"a key valid at {at}")
    for at in (start, end - 1):
        admitted(w.decide(w.accepted(), [key], timestamp=at))
    # The sender's own time counts for nothing; nor does a clock that goes back.
    refused(w.decide(w.accepted(time="2025-03-03T12:30:00Z"), [key], timestamp=end), D.KEY_NOT_VALID)
    admitted(w.submit(w.accepted(), [w.oms], timestamp=end))
    refused(w.decide(w.accepted(), [key], timestamp=end - 1), D.KEY_NOT_VALID)


def test_14_a_copy_is_judged_at_the_time_of_home(w: World) -> None:
    key = Signer("RU-GUMPS", "for an hour")
    w.register(w.grant(key, valid_to="2025-03-03T13:00:00Z"), [w.gumps])
    copy = w.home(w.office("RU-KLG"), [key])
    end = 1_741_006_800_000
    one = admitted(admit(w.states[1], prepare(w.copied(copy, timestamp=end + 1))))
    assert one.seal.admitted == end + 1
    late = w.decide(w.office("RU-TUL"), [key], partition=0, timestamp=end)
    refused(late, D.KEY_NOT_VALID)


def test_14_replaced_authorities_and_log_keys(w: World) -> None:
    new = Signer("RU-GUMPS", "authority 3")
    w.register(w.replace("authority.replaced", w.authorities[0], new), w.authorities[:2])
    new_log = Signer("RU-GUMPS", "log 2")
    w.register(w.replace("logkey.replaced", w.log, new_log), [new, w.authorities[1]], key=new_log)
    by_gumps = w.accepted(office="RU-GUMPS")
    refused(w.decide(by_gumps, [w.log]), D.KEY_NOT_VALID, "replaced before")
    refused(w.decide(by_gumps, [new_log]), D.NOT_ALLOWED)
    raw = w.adopt(2)
    refused(w.decide(raw, w.authorities[:2], partition=0), D.KEY_NOT_VALID, "replaced before")
    admitted(w.decide(raw, [new, w.authorities[1]], partition=0))


def test_15_bad_signature(w: World) -> None:
    raw = w.accepted()
    other = signatures(w.accepted(), [w.oms])
    refused(w.decide(raw, headers=other), D.BAD_SIGNATURE, f"a signature by {w.oms.kid} over these bytes")
    forged_ = ((SIGNATURE_HEADER, w.oms.kid.encode() + b" " + b"A" * 86 + b"=="),)
    refused(w.decide(raw, headers=forged_), D.BAD_SIGNATURE)
    by_another = signatures(raw, [w.alt])[0][1].split(b" ")[1]
    refused(w.decide(raw, headers=((SIGNATURE_HEADER, w.oms.kid.encode() + b" " + by_another),)), D.BAD_SIGNATURE)
    entry_type = format_signature(sign(w.oms, ENTRY_PAYLOAD, raw))
    refused(w.decide(raw, headers=((SIGNATURE_HEADER, entry_type),)), D.BAD_SIGNATURE)
    refused(w.decide(respelled(raw), headers=signatures(raw, [w.oms])), D.BAD_SIGNATURE)


def test_15_all_signatures_must_verify(w: World) -> None:
    second = Signer("RU-OMS", "second")
    w.register(w.grant(second), w.authorities[:1])
    raw = w.accepted()
    wrong = signatures(w.accepted(), [second])
    refused(w.decide(raw, [w.oms], headers=wrong), D.BAD_SIGNATURE, second.kid)


def test_15_an_exchange_key_cannot_sign(w: World) -> None:
    w.register(w.grant(w.oms_seal, by=w.oms), [w.gumps])
    text = ((SIGNATURE_HEADER, w.oms_seal.kid.encode() + b" " + b"A" * 86 + b"=="),)
    refused(w.decide(w.accepted(), headers=text), D.BAD_SIGNATURE)


# 16 not-allowed


def test_16_a_witness_or_log_key_signs_no_act(w: World) -> None:
    refused(w.decide(w.accepted(), [w.witness]), D.NOT_ALLOWED, "a sign key of RU-OMS, found a key for another use")
    by_gumps = w.accepted(office="RU-GUMPS")
    for key in (w.log, w.authorities[0]):
        refused(w.decide(by_gumps, [key]), D.NOT_ALLOWED)
    admitted(w.decide(by_gumps, [w.gumps]))


def test_16_one_signature_that_may_is_enough(w: World) -> None:
    admitted(w.decide(w.accepted(), [w.witness, w.oms]))
    admitted(w.decide(w.accepted(office="RU-GUMPS"), [w.gumps, w.authorities[0], w.log]))


def threshold_events(w: World) -> dict[str, tuple[bytes, int]]:
    """One of each type that needs the threshold, with its partition."""
    fork = {"partition": 1, "index": 3, "leaf": "5b" * 32}
    return {
        "rules.adopted": (w.adopt(2), 0),
        "authority.replaced": (w.replace("authority.replaced", w.authorities[0], Signer("RU-GUMPS", "new")), 0),
        "logkey.replaced": (w.replace("logkey.replaced", w.log, Signer("RU-GUMPS", "new log")), 0),
        "fork.settled": (w.event("register", "fork.settled", fork, office="RU-GUMPS"), 0),
        "submissions.reopened": (w.reopen(1), 1),
    }


THRESHOLD = ["rules.adopted", "authority.replaced", "logkey.replaced", "fork.settled", "submissions.reopened"]


@pytest.mark.parametrize("name", THRESHOLD)
def test_16_threshold_events_need_two_of_three(w: World, name: str) -> None:
    raw, partition = threshold_events(w)[name]
    how: dict[str, Any] = {"partition": partition}
    if name == "submissions.reopened":
        how |= {"epoch": 1, "offset": 0}
    a, b, c = w.authorities
    for signers in ([a], [b], [c], [w.gumps], [a, w.gumps], [a, w.log], [a, w.gumps, w.log]):
        found = sum(s in w.authorities for s in signers)
        refused(w.decide(raw, signers, **how), D.NOT_ALLOWED, f"expected 2 authority keys, found {found}")
    for signers in ([a, b], [c, a], [b, c], [a, b, c], [a, b, w.gumps]):
        admitted(w.decide(raw, signers, **how))
    refused(w.decide(raw, [a, a], **how), D.NO_SIGNATURE)


def test_16_genesis_needs_its_own_threshold() -> None:
    world = World()
    refused(world.decide(world.genesis, world.authorities[:1], partition=0), D.NOT_ALLOWED, "2 authority keys, found 1")
    refused(world.decide(world.genesis, [world.log], partition=0), D.UNKNOWN_KEY)
    for signers in (world.authorities[:2], world.authorities[1:], world.authorities):
        admitted(world.decide(world.genesis, signers, partition=0))


COORDINATORS: dict[str, Callable[[World, str], bytes]] = {
    "office": lambda w, office: w.office("RU-KLG", office=office),
    "key": lambda w, office: respell(w.grant(Signer("RU-OMS", "new")), source=f"office/{office}"),
    "key (revocation)": lambda w, office: respell(w.revoke(w.alt), source=f"office/{office}"),
    "instrument": lambda w, office: w.event(
        "register", "instrument.entered", {"instrument": "ru-kz-2009", "date": "2010-01-01"}, office=office
    ),
    "act": lambda w, office: w.event(
        "register", "act.acquainted", {"act": "order-136", "office": "RU-OMS"}, office=office
    ),
    "coordinator": lambda w, office: w.event(
        "register", "coordinator.notified", {"change": "e-1", "to": "KZ-MTP"}, office=office
    ),
    "rulebook": lambda w, office: w.event(
        "register",
        "rulebook.adopted",
        {"version": "1", "sha256": "0" * 64, "profiles": [], "valid_from": "2025-01-01"},
        office=office,
    ),
}


@pytest.mark.parametrize("make", COORDINATORS.values(), ids=COORDINATORS)
def test_16_the_register_grows_by_authorities_and_own_coordinating_units(
    w: World, make: Callable[[World, str], bytes]
) -> None:
    admitted(w.decide(make(w, "RU-GUMPS"), [w.gumps], partition=0))
    admitted(w.decide(make(w, "RU-GUMPS"), [w.authorities[0]], partition=0))
    admitted(w.decide(make(w, "RU-PGO"), [w.authorities[2]], partition=0))
    for office, key in (("RU-OMS", w.oms), ("KZ-MTP", w.kz), ("RU-OMS", w.witness), ("RU-GUMPS", w.log)):
        found = w.decide(make(w, office), [key], partition=0)
        refused(found, D.NOT_ALLOWED, "an authority key or one of a coordinating unit of the own Party")


def test_16_a_unit_coordinates_as_long_as_it_is_registered_so(w: World) -> None:
    w.register(w.office("RU-GUMPS", sort="other"), w.authorities[:1])
    refused(w.decide(w.office("RU-KLG"), [w.gumps], partition=0), D.NOT_ALLOWED)


BOX = {"s": 1, "key": "0" * 32, "filled": True, "box": "AAAA", "commit": "A" * 43 + "="}
PERSON = {**dict.fromkeys(("surname", "name", "post", "phone", "email"), BOX), "no_patronymic": True}
OWN_OFFICE: dict[str, dict[str, Any]] = {
    "role.assigned": {"person": "p-1", "role": "head", "valid_from": "2025-01-01", "basis": BOX},
    "role.ended": {"person": "p-1", "role": "head", "effective": "2025-01-01"},
    "contact.designated": {"contact": "c-1", "effective": "2025-01-01", **PERSON},
    "contact.changed": {"contact": "c-1", "effective": "2025-01-01", "changed": ["phone"], **PERSON},
    "contact.notified": {"contact": "c-1", "version": "e-1", "means": "post"},
}


@pytest.mark.parametrize("name", OWN_OFFICE)
def test_16_an_office_speaks_of_its_own_roles_and_contacts(w: World, name: str) -> None:
    data = {"office": "RU-OMS", **OWN_OFFICE[name]}

    def by(office: str, key: Signer) -> Decision:
        return w.decide(w.event("register", name, data, office=office), [key], partition=0)

    admitted(by("RU-OMS", w.oms))
    admitted(by("RU-GUMPS", w.gumps))
    admitted(by("RU-GUMPS", w.authorities[0]))
    for office, key in (("RU-ALT", w.alt), ("KZ-MTP", w.kz), ("RU-OMS", w.witness), ("RU-GUMPS", w.log)):
        refused(by(office, key), D.NOT_ALLOWED, "a sign key of the office it speaks of")


@pytest.mark.parametrize("office", [None, 7, {}, ["RU-OMS"], ""])
def test_16_an_office_of_another_form_is_nobodys_own(w: World, office: Any) -> None:
    data = {**OWN_OFFICE["role.ended"], "office": office}
    refused(w.decide(w.event("register", "role.ended", data), [w.oms], partition=0), D.NOT_ALLOWED)
    by_superior = w.event("register", "role.ended", data, office="RU-GUMPS")
    refused(w.decide(by_superior, [w.gumps], partition=0), D.BAD_DATA)


def test_16_contacts_of_the_other_party_are_told_by_any_office_of_its_own(w: World) -> None:
    data = {"contacts": [], "from": "KZ-MTP"}
    admitted(w.decide(w.event("register", "contact.received", data), [w.oms], partition=0))
    refused(w.decide(w.event("register", "contact.received", data), [w.witness], partition=0), D.NOT_ALLOWED)


# 17 to 19


@pytest.mark.parametrize(
    "data", [{}, {"executing": 1}, {"executing": "ru"}, {"executing": None}, {"executing": "RU-OMS", "more": 1}]
)
def test_17_bad_data(w: World, data: dict[str, Any]) -> None:
    raw = w.event("request/a", "request.accepted", data)
    for text in (raw, respelled(raw)):
        refused(w.decide(text, [w.oms]), D.BAD_DATA, "request.accepted at $")


def test_17_a_refusal_never_repeats_what_data_says(w: World) -> None:
    secret = "Иванов-Тайный"
    for data in ({"executing": secret}, {secret: 1, "executing": "RU-OMS"}, {"executing": "RU-OMS", "note": secret}):
        found = refused(w.decide(w.event("request/a", "request.accepted", data), [w.oms]), D.BAD_DATA)
        assert secret not in found.expected + found.found


CONTRADICTIONS: dict[str, tuple[Callable[[World], bytes], str]] = {
    "a known key again": (lambda w: w.grant(w.oms), "a key that was never enrolled"),
    "an authority's key": (lambda w: w.grant(w.authorities[0]), "a key that was never enrolled"),
    "a bad point": (
        lambda w: w.grant(Signer("RU-OMS", "new"), public_key=encode_base64(bytes(32))),
        "a valid ed25519 point",
    ),
    "a bad possession": (
        lambda w: w.grant(Signer("RU-OMS", "new"), by=w.oms),
        "a possession signature that verifies",
    ),
    "an exchange key without a voucher of its office": (
        lambda w: w.grant(SealKey("RU-ALT"), by=w.oms),
        "a possession signature that verifies",
    ),
    "an unknown office": (lambda w: w.grant(Signer("RU-KLG", "new")), "a registered office, found RU-KLG"),
    "an unknown kid": (lambda w: w.revoke(STRANGER), "the kid of an enrolled key"),
    "a day that does not exist": (
        lambda w: w.grant(Signer("RU-OMS", "new"), valid_from="2025-02-30T00:00:00Z"),
        "time that exists",
    ),
}


@pytest.mark.parametrize(("make", "match"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_18_contradicts_register(w: World, make: Callable[[World], bytes], match: str) -> None:
    before = w.states[0].register
    refused(w.submit(make(w), [w.gumps], partition=0), D.CONTRADICTS_REGISTER, match)
    assert w.states[0].register is before


@pytest.mark.parametrize("version", [1, 3])
def test_18_a_version_that_is_not_the_next(w: World, version: int) -> None:
    refused(w.decide(w.adopt(version), w.authorities, partition=0), D.CONTRADICTS_REGISTER, "version 2, the next")


def test_18_a_genesis_of_another_name_than_its_own() -> None:
    world = World()
    world.genesis = world.make_genesis(name="other")
    state = PartitionState(make_ledger_id(world.genesis, "test"), 0)
    prepared = prepare(world.submission(world.genesis, world.authorities[:2], partition=0))
    refused(admit(state, prepared), D.CONTRADICTS_REGISTER, "the ledger's name, test, found other")


def test_18_a_second_opening(w: World) -> None:
    data = json.loads(w.make_genesis(threshold=1))["data"]
    raw = w.event("register", "register.opened", data, office="RU-GUMPS")
    refused(w.decide(raw, w.authorities, partition=0), D.CONTRADICTS_REGISTER, "register.opened once")


def test_18_a_fork_settled_in_two_ways(w: World) -> None:
    for leaf, ends in (("5b" * 32, Admitted), ("5b" * 32, Admitted), ("77" * 32, Refused)):
        data = {"partition": 1, "index": 3, "leaf": leaf}
        decision = w.submit(w.event("register", "fork.settled", data, office="RU-GUMPS"), w.authorities, partition=0)
        assert isinstance(decision, ends), decision
    refused(decision, D.CONTRADICTS_REGISTER, "one settlement for an index")


def test_19_sequence_conflict(w: World) -> None:
    admitted(w.submit(w.accepted(expectedseq=0), [w.oms]))
    for wrong in (0, 2, 2**53 - 1):
        found = w.decide(w.accepted(expectedseq=wrong), [w.oms])
        refused(found, D.SEQUENCE_CONFLICT, f"expected 1, the subject's head, found {wrong}")
    admitted(w.submit(w.accepted(expectedseq=1), [w.oms]))
    admitted(w.submit(w.accepted(), [w.oms]))
    admitted(w.submit(w.accepted(expectedseq=3), [w.oms]))
    admitted(w.submit(w.accepted("request/c", expectedseq=0), [w.oms]))


def test_19_in_the_register_the_sequence_is_the_same_everywhere(w: World) -> None:
    seq = w.states[0].register.seq  # type: ignore[union-attr]
    refused(w.decide(w.office("RU-KLG", expectedseq=seq - 1), [w.gumps], partition=0), D.SEQUENCE_CONFLICT)
    w.register(w.office("RU-KLG", expectedseq=seq), [w.gumps])
    assert w.states[1].register == w.states[0].register


# The order of checks


def faults(w: World) -> dict[Disposition, tuple[bytes | None, dict[str, Any]]]:
    """For each reason, an event that has this fault and as many of the later ones as can stand beside it."""
    w.register(w.revoke(w.alt), [w.gumps])
    admitted(w.submit(w.accepted(id_="taken"), [w.oms]))
    stray = {"headers": ((HOME_HEADER, b"x"),)}
    bad: dict[str, Any] = {"expectedseq": 99, "data": {"executing": 1}}
    alt = {"source": "office/RU-ALT"}
    wrong_signature = signatures(b"other bytes", [w.alt])

    def made(**changes: Any) -> bytes:
        return respell(w.accepted(), **{**bad, **changes})

    everything = {"type": "rogatory.x.v1", "ledger": "other", "subject": "request/b"}
    huge = made(**everything, id="a b")
    return {
        D.TOO_LARGE: (huge[:-1] + b"," + b"!" * MAX_EVENT_BYTES, stray),
        D.NOT_JSON: (huge + b"!", stray),
        D.NOT_AN_EVENT: (huge, stray),
        D.UNKNOWN_TYPE: (made(**everything), stray),
        D.WRONG_LEDGER: (made(ledger="other", subject="request/b/b"), stray),
        D.BAD_SUBJECT: (made(subject="request/b"), {**stray, "key": b"request/a"}),
        D.WRONG_PARTITION: (made(subject="request/b", id="taken"), stray),
        D.IDENTITY_REUSED: (made(id="taken"), stray),
        D.BAD_HOME: (made(), stray),
        D.NO_SIGNATURE: (made(), {}),
        D.UNKNOWN_KEY: (made(), {"headers": signatures(b"other bytes", [w.alt, STRANGER])}),
        D.FOREIGN_KEY: (made(), {"headers": wrong_signature}),
        D.KEY_NOT_VALID: (made(**alt), {"headers": wrong_signature}),
        D.BAD_SIGNATURE: (made(), {"headers": signatures(b"other bytes", [w.witness])}),
        D.NOT_ALLOWED: (raw := made(), {"headers": signatures(raw, [w.witness])}),
        D.BAD_DATA: (raw := made(), {"headers": signatures(raw, [w.oms])}),
        D.SEQUENCE_CONFLICT: (raw := made(data={"executing": "RU-OMS"}), {"headers": signatures(raw, [w.oms])}),
    }


@pytest.mark.parametrize("spelling", ["our encoder's", "another"])
@pytest.mark.parametrize("reason", [d for d in D if d > 1 and d is not D.CONTRADICTS_REGISTER], ids=lambda d: d.reason)
def test_the_first_fault_in_the_order_is_the_reason(w: World, reason: Disposition, spelling: str) -> None:
    raw, how = faults(w)[reason]
    assert raw is not None
    if spelling == "another" and reason > D.NOT_JSON:
        raw = raw.replace(b":", b": ", 1)
        if reason > D.BAD_SIGNATURE:
            kids = {s.kid for s in (parse_signature(v) for _, v in how["headers"])}
            how = {"headers": signatures(raw, [s for s in (w.oms, w.witness) if s.kid in kids])}
    refused(w.decide(raw, **how), reason)


def test_a_contradiction_comes_before_a_sequence_conflict_and_after_bad_data(w: World) -> None:
    both = respell(w.revoke(STRANGER), expectedseq=99)
    refused(w.decide(both, [w.gumps], partition=0), D.CONTRADICTS_REGISTER)
    all_three = respell(both, data={"kid": STRANGER.kid})
    refused(w.decide(all_three, [w.gumps], partition=0), D.BAD_DATA)


def test_each_check_of_keys_is_made_of_all_signatures_before_the_next(w: World) -> None:
    w.register(w.revoke(w.alt), [w.gumps])
    raw = w.accepted()
    # A signature that is wrong and foreign by the first, an unknown key by the second.
    refused(w.decide(raw, [w.alt, STRANGER]), D.UNKNOWN_KEY)
    refused(w.decide(raw, headers=signatures(b"x", [w.oms, w.alt])), D.FOREIGN_KEY)


# Log keys


def test_a_lost_log_key_does_not_lock_the_register(w: World) -> None:
    new = Signer("RU-GUMPS", "log 2")
    w.register(w.replace("logkey.replaced", w.log, new), w.authorities[:2], key=new)
    assert w.states[1].register == w.states[0].register
    copy = w.home(w.office("RU-KLG"), [w.gumps], key=w.log)
    refused(take_apart(w, copy), D.BAD_HOME, "an attestation by a log key")
    admitted(take_apart(w, reattested(copy, new)))


def test_the_old_log_key_does_not_attest_its_own_replacement(w: World) -> None:
    new = Signer("RU-GUMPS", "log 2")
    copy = w.home(w.replace("logkey.replaced", w.log, new), w.authorities[:2], key=w.log)
    refused(take_apart(w, copy), D.BAD_HOME, "an attestation by a log key")
    admitted(take_apart(w, reattested(copy, new)))


def test_a_new_log_key_named_without_the_threshold_attests_nothing(w: World) -> None:
    new = Signer("RU-OMS", "my own log key")
    raw = respell(w.replace("logkey.replaced", w.log, new), source="office/RU-OMS")
    decision = refused(w.decide(raw, [w.oms], partition=0), D.NOT_ALLOWED)
    assert decision.expected == "2 authority keys"
    # Nor does a copy that only claims to have been sealed at home.
    genuine = w.home(w.office("RU-KLG"), [w.gumps])
    sigs = seal_signatures([parse_signature(v) for _, v in signatures(raw, [w.oms])])
    kept = tuple(h for h in genuine.headers if h[0] != SIGNATURE_HEADER)
    made_up = msgspec.structs.replace(genuine, value=raw, headers=(*signatures(raw, [w.oms]), *kept))
    refused(take_apart(w, reattested(made_up, new, sigs=sigs)), D.NOT_ALLOWED)


# Versions


def test_a_version_is_in_force_from_the_next_record_on(w: World) -> None:
    adoption = admitted(w.submit(w.adopt(2), w.authorities, partition=0))
    assert adoption.seal.v == 1
    assert w.states[0].version == 2
    assert admitted(w.decide(w.accepted("request/b"), [w.oms], partition=0)).seal.v == 2
    assert w.states[1].version == 1


# ``past``


def test_past_is_the_running_hash_of_everything_consumed(w: World) -> None:
    state, past = w.states[1], w.states[1].past
    raw = w.accepted()
    steps: list[tuple[bytes | None, list[Signer]]] = [
        (raw, [w.oms]),
        (raw, [w.oms]),
        (None, []),
        (b"nonsense", [w.oms]),
        (w.accepted(), []),
        (w.accepted(expectedseq=7), [w.oms]),
        (w.accepted(), [w.oms]),
    ]
    seen = []
    for value, signers in steps:
        offset = state.offset + 1
        decision = w.submit(value, signers, **({"key": b"request/a"} if value in (None, b"nonsense") else {}))
        if isinstance(decision, Admitted):
            assert decision.seal.past == past.hex()
        past = sha256(
            past
            + (0).to_bytes(4, "big")
            + offset.to_bytes(8, "big")
            + bytes([decision.disposition])
            + sha256(value or b"").digest()
        ).digest()
        assert state.past == past
        seen.append(int(decision.disposition))
    assert seen == [0, 1, 3, 3, 11, 19, 0]


def test_the_state_after_genesis_by_hand() -> None:
    world = World()
    first = admitted(world.submit(world.genesis, world.authorities[:2], partition=0))
    state = world.states[0]
    assert first.seal.past == "00" * 32
    assert state.past == sha256(bytes(32) + bytes(12) + b"\0" + sha256(world.genesis).digest()).digest()
    assert (state.index, state.frontier, root(state.frontier)) == (1, (first.leaf,), first.leaf)
    assert (state.admitted, state.epoch, state.offset, state.last_leaf) == (T0, 0, 0, first.leaf)
    assert world.ledger_id == f"test.{sha256(world.genesis).hexdigest()[:32]}"


def test_a_refusal_moves_nothing_but_past_and_offset(w: World) -> None:
    state = w.states[1]
    kept = (state.index, state.frontier, state.admitted, state.last_leaf, dict(state.heads), dict(state.identities))
    refused(w.submit(w.accepted(), [STRANGER], timestamp=T0 + 10**9), D.UNKNOWN_KEY)
    after = (state.index, state.frontier, state.admitted, state.last_leaf, dict(state.heads), dict(state.identities))
    assert kept == after
    assert state.offset == 10


def test_the_frontier_is_that_of_the_leaves(w: World) -> None:
    state = w.states[1]
    frontier, size = state.frontier, state.index
    for n in range(9):
        one = admitted(w.submit(w.accepted(SUBJECTS[1][n % 2]), [w.oms]))
        frontier = push(size, frontier, one.leaf)
        size += 1
        assert (state.frontier, state.index) == (frontier, size)


# Epochs


def reopened(w: World, raw: bytes, **changes: Any) -> Submission:
    """The first submission of partition 1's next log."""
    state = w.states[1]
    how = {"epoch": state.epoch + 1, "offset": 0, **changes}
    return w.submission(raw, w.authorities[:2], partition=1, **how)


def test_a_new_submissions_log_begins_with_its_reopening(w: World) -> None:
    state = w.states[1]
    admitted(w.submit(w.accepted(), [w.oms]))
    submission = reopened(w, w.reopen(1))
    assert opens_epoch(state, submission)
    past, index = state.past, state.index
    one = admitted(w.take(submission, 1))
    assert (one.seal.epoch, one.seal.offset, one.seal.index, one.seal.past) == (1, 0, index, past.hex())
    assert (state.epoch, state.offset) == (1, 0)
    assert (
        state.past == sha256(past + b"\0\0\0\1" + bytes(8) + b"\0" + sha256(submission.value or b"").digest()).digest()
    )
    two = admitted(w.submit(w.accepted(), [w.oms]))
    assert (two.seal.epoch, two.seal.offset) == (1, 1)
    admitted(w.take(reopened(w, w.reopen(1)), 1))
    assert (state.epoch, state.offset) == (2, 0)


@pytest.mark.parametrize(
    "changes", [{"index": 0}, {"index": 10}, {"leaf": "0" * 64}, {"epoch": 0}, {"epoch": 2}], ids=lambda c: str(c)[:20]
)
def test_a_reopening_that_names_another_place_contradicts(w: World, changes: dict[str, Any]) -> None:
    submission = reopened(w, w.reopen(1, **changes))
    assert not opens_epoch(w.states[1], submission)
    refused(admit(w.states[1], prepare(submission)), D.CONTRADICTS_REGISTER, "naming the last sealed record")


def test_a_reopening_in_the_middle_of_a_log_contradicts(w: World) -> None:
    raw = w.reopen(1)
    refused(w.decide(raw, w.authorities[:2]), D.CONTRADICTS_REGISTER, "as the first of a new submissions log")
    assert not opens_epoch(w.states[1], reopened(w, raw, offset=1))


def test_a_reopening_of_another_partition_is_in_the_wrong_one(w: World) -> None:
    refused(admit(w.states[1], prepare(reopened(w, w.reopen(0)))), D.WRONG_PARTITION)


def test_only_a_reopening_opens_an_epoch(w: World) -> None:
    for raw in (w.accepted(), b"nonsense", b"", w.reopen(1, epoch="1"), w.adopt(2)):
        assert not opens_epoch(w.states[1], reopened(w, raw, key=b"x"))


# Signatures verified ahead


def test_verifying_ahead_changes_no_decision(w: World) -> None:
    state = w.states[1]
    raw, other = w.accepted(), w.accepted()
    cases = [
        w.prepared(raw, [w.oms]),
        w.prepared(raw, [w.oms, w.witness]),
        w.prepared(raw, [w.witness]),
        w.prepared(raw, [w.alt]),
        w.prepared(raw, [STRANGER]),
        w.prepared(raw, headers=signatures(other, [w.oms])),
        w.prepared(other, [w.oms]),
        w.prepared(b"nonsense", [w.oms], key=b"request/a"),
    ]
    verified = verify_ahead(state, cases)
    assert verified
    for one in cases:
        assert admit(state, one, verified) == admit(state, one)


def test_a_signature_verified_over_one_event_says_nothing_of_another(w: World) -> None:
    raw, other = w.accepted(), w.accepted()
    verified = verify_ahead(w.states[1], [w.prepared(raw, [w.oms])])
    moved = w.prepared(other, headers=signatures(raw, [w.oms]))
    refused(admit(w.states[1], moved, verified), D.BAD_SIGNATURE)
    refused(admit(w.states[1], moved, verify_ahead(w.states[1], [moved])), D.BAD_SIGNATURE)


def test_a_key_revoked_since_it_was_verified_ahead_is_refused(w: World) -> None:
    copy = w.home(w.revoke(w.oms), [w.gumps])
    one = w.prepared(w.accepted(), [w.oms])
    verified = verify_ahead(w.states[1], [one])
    admitted(admit(w.states[1], one, verified))
    admitted(w.take(w.copied(copy), 1))
    refused(admit(w.states[1], one, verified), D.KEY_NOT_VALID)


def test_nothing_is_verified_ahead_of_genesis() -> None:
    world = World()
    one = world.prepared(world.genesis, world.authorities[:2], partition=0)
    assert verify_ahead(world.states[0], [one]) == frozenset()


# Purity


def test_deciding_changes_nothing_and_gives_the_same_again(w: World) -> None:
    raw = w.accepted(id_="taken")
    admitted(w.submit(raw, [w.oms]))
    for value, signers in ((w.accepted(), [w.oms]), (raw, [w.oms]), (w.accepted(), [STRANGER]), (b"x", [])):
        prepared = w.prepared(value, signers, key=b"request/a")
        before = snapshot(w.states[1])
        first = admit(w.states[1], prepared)
        assert admit(w.states[1], prepared) == first
        assert snapshot(w.states[1]) == before


def test_two_registrars_write_the_same_records() -> None:
    one, two = World.opened(), World.opened()
    for n in range(6):
        raw = one.accepted(SUBJECTS[1][n % 2], id_=f"n-{n}")
        assert one.submit(raw, [one.oms]) == two.submit(raw, [two.oms])
    assert snapshot(one.states[0]) == snapshot(two.states[0])
    assert snapshot(one.states[1]) == snapshot(two.states[1])


def test_every_type_but_genesis_can_be_admitted_by_somebody() -> None:
    # The table of who may sign what knows every family of the catalogue or sends it to the source office.
    names = {row.name for row in catalogue.types_by_name().values()}
    assert set(THRESHOLD) | {"register.opened"} <= names
    assert {n.partition(".")[0] for n in names} >= {"office", "key", "instrument", "act", "coordinator", "rulebook"}


def test_a_state_begins_empty() -> None:
    state = PartitionState(World().ledger_id, 1)
    assert (state.index, state.frontier, state.past, state.epoch, state.offset) == (0, (), bytes(32), 0, -1)
    assert state.version == 1


def test_identities_do_not_collide_by_shifting_letters() -> None:
    assert identity_of("a", "b", "c") == sha256(b"a b c").digest()
    assert len({identity_of("a", "b", "cd"), identity_of("a", "bc", "d"), identity_of("ab", "c", "d")}) == 3


def test_an_event_of_the_helper_is_what_our_encoder_writes() -> None:
    raw = make_event("request/a", "request.accepted", {}, ledger="test", source="office/RU-OMS", id_="1")
    assert msgspec.json.encode(msgspec.json.decode(raw)) == raw
