"""Makes the frozen vectors in ``vectors/``; ``python -m tests.conformance.make_vectors`` writes them again.

A change of any byte is a change of the format: it needs a new admission version, and the old vectors stay.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from ledger.admission import Admitted, Decision, Duplicate, PartitionState, identity_of
from ledger.dispositions import Disposition, Refused
from ledger.event import time_ms
from ledger.ijson import parse_ijson
from ledger.merkle import root
from ledger.outcome import OutcomeKey, format_outcome, format_outcome_key, outcome_of
from ledger.partition import murmur2, partition_of
from ledger.register import anchor
from ledger.seal import entry
from ledger.sealing import Place, disclose_field, field_key, key_id, seal_field
from ledger.signature import (
    ENTRY_PAYLOAD,
    EVENT_PAYLOAD,
    POSSESSION_PAYLOAD,
    STATE_PAYLOAD,
    decode_base64,
    encode_base64,
    format_signature,
    pae,
    possession_payload,
    sign,
)
from ledger.submission import HOME_HEADER, Receipt, Submission
from tests.admissions import PARTITIONS, T0, World, respelled
from tests.keys import SealKey, Signer, seed_of

FOLDER = Path(__file__).parent / "vectors"
WARNING = "Test keys: anybody can compute their seeds. Never enrol them anywhere."
CONTENT_KEY = seed_of("content key request/a general")
LATER = Signer("RU-GUMPS", "log 2")


class Recorder(World):
    """A world that writes down what it consumes."""

    def __init__(self) -> None:
        self.consumed: list[list[dict[str, Any]]] = [[] for _ in range(PARTITIONS)]
        super().__init__()

    def take(self, submission: Submission, partition: int) -> Decision:
        decision = super().take(submission, partition)
        state = self.states[partition]
        row: dict[str, Any] = {
            "epoch": submission.epoch,
            "offset": submission.offset,
            "timestamp": submission.timestamp,
            "key": None if submission.key is None else submission.key.decode(),
            "value": None if submission.value is None else encode_base64(submission.value),
            "headers": [[name, value.decode()] for name, value in submission.headers],
            "disposition": int(decision.disposition),
            "past": state.past.hex(),
        }
        if isinstance(decision, Admitted):
            made = entry(decision.seal_text, submission.value or b"")
            row["record"] = {
                "seal": decision.seal_text.decode(),
                "entry": encode_base64(made),
                "leaf": decision.leaf.hex(),
                "root": root(state.frontier).hex(),
            }
            if decision.subject == "register" and partition == 0:
                key = LATER if LATER.kid in (decision.register or self.states[0].register).log_keys else self.log  # type: ignore[union-attr]
                row["record"]["attest"] = format_signature(sign(key, ENTRY_PAYLOAD, made)).decode()
        else:
            place = OutcomeKey(partition, submission.epoch, submission.offset)
            row["outcome"] = {"key": format_outcome_key(place).decode(), "reason": decision.disposition.reason}
            if decision.receipt is not None:
                row["outcome"]["receipt"] = msgspec.to_builtins(decision.receipt)
        self.consumed[partition].append(row)
        return decision


def story() -> Recorder:
    """Everything that can happen to a small ledger, once."""
    w = Recorder.opened()
    assert isinstance(w, Recorder)
    w.register(w.grant(w.oms_seal, by=w.oms), [w.gumps])
    raw = w.accepted(id_="0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b")
    w.submit(raw, [w.oms])
    w.submit(raw, [w.oms])
    w.submit(sealed_event(w), [w.oms])
    w.submit(respelled(w.accepted("request/c", expectedseq=0, actor="p-7")), [w.oms, w.witness])
    w.submit(w.accepted(expectedseq=0), [w.oms])
    w.submit(w.accepted(id_="0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", actor="p-7"), [w.oms])
    w.submit(w.accepted(), [Signer("RU-OMS", "never enrolled")])
    w.submit(b'{"a":1,"a":2}', key=b"request/a")
    w.submit(None, key=None)
    w.submit(w.accepted("request/b"), [w.oms])
    w.submit(w.accepted("request/b"), [w.oms], partition=0)
    w.register(w.replace("logkey.replaced", w.log, LATER), [w.authorities[0], w.authorities[2]], key=LATER)
    w.register(w.revoke(w.oms), [w.gumps], key=LATER)
    w.submit(raw, [w.oms])
    w.submit(w.accepted(), [w.oms], timestamp=T0)
    w.submit(w.accepted("request/c", office="RU-ALT"), [w.alt], timestamp=T0)
    w.take(w.submission(w.reopen(1), w.authorities[:2], epoch=1, offset=0, timestamp=T0 + 100_000), 1)
    w.submit(w.accepted("request/c", office="RU-ALT"), [w.alt], timestamp=T0 + 101_000)
    return w


def upgrade() -> Recorder:
    """A ledger that adopts version 2: what is decided otherwise behind it, and what is not."""
    w = Recorder.opened()
    assert isinstance(w, Recorder)
    wrong = w.event("request/a", "request.accepted", {"executing": "RU-OMS", "received_on": "2025-02-31T10:00:00Z"})
    w.submit(wrong, [w.oms])
    adoption = w.home(w.adopt(2), w.authorities[:2])
    w.submit(w.event("request/a", "request.accepted", {"executing": "RU-OMS", "received_on": WRONG_TIME}), [w.oms])
    w.take(w.copied(adoption), 1)
    w.submit(wrong, [w.oms])
    w.submit(w.event("request/a", "request.accepted", {"executing": "RU-OMS", "received_on": WRONG_TIME}), [w.oms])
    w.submit(w.event("request/a", "request.accepted", {"executing": "RU-OMS", "received_on": RIGHT_TIME}), [w.oms])
    w.submit(w.revoke(w.alt, effective=WRONG_TIME), [w.gumps], partition=0)
    w.submit(w.adopt(2), w.authorities[:2], partition=0)
    w.register(w.revoke(w.alt, effective=RIGHT_TIME), [w.gumps])
    w.submit(w.accepted(), [w.oms])
    return w


WRONG_TIME, RIGHT_TIME = "2025-02-29T10:00:00+06:00", "2024-02-29T10:00:00+06:00"


def place(w: World) -> Place:
    return Place(w.ledger_id, "office/RU-OMS", "sealed", "request/a", "rogatory.step.taken.v1", "/data/note")


def sealed_event(w: World) -> bytes:
    field = msgspec.to_builtins(seal_field(CONTENT_KEY, place(w), NOTE))
    return w.event("request/a", "step.taken", {"step": "draft created", "note": field}, id_="sealed")


NOTE = "Свидетель опрошен."


# The files, each a function of the story.


def keys(w: World) -> Any:
    signers = {
        "authority 0": w.authorities[0],
        "authority 1": w.authorities[1],
        "authority 2": w.authorities[2],
        "log": w.log,
        "log 2": LATER,
        "RU-GUMPS sign": w.gumps,
        "RU-OMS sign": w.oms,
        "RU-ALT sign": w.alt,
        "KZ-MTP sign": w.kz,
        "RU-OMS witness": w.witness,
        "RU-OMS seal": w.oms_seal,
    }
    return {
        "warning": WARNING,
        "keys": {
            label: {
                "alg": "x25519" if isinstance(key, SealKey) else "ed25519",
                "seed": key.seed.hex(),
                "public_key": encode_base64(key.public_key),
                "kid": key.kid,
            }
            for label, key in signers.items()
        },
    }


def genesis(w: World) -> Any:
    return {
        "text": w.genesis.decode(),
        "anchor": anchor(w.genesis).hex(),
        "name": "test",
        "ledger_id": w.ledger_id,
    }


def event(w: Recorder) -> Any:
    row = next(r for r in w.consumed[1] if r["key"] == "request/a")
    raw = json_bytes(row)
    said = json.loads(raw)
    name, value = row["headers"][1]
    return {
        "text": raw.decode(),
        "sha256": sha256(raw).hexdigest(),
        "identity": identity_of(said["subject"], said["source"], said["id"]).hex(),
        "payload_type": EVENT_PAYLOAD,
        "pae": pae(EVENT_PAYLOAD, raw).decode(),
        "signature": value,
        "header": f"{name}: {value}",
        "seal": row["record"]["seal"],
        "entry": entry(row["record"]["seal"].encode(), raw).decode(),
        "leaf": row["record"]["leaf"],
    }


def json_bytes(row: dict[str, Any]) -> bytes:
    return decode_base64(row["value"])


def dsse(w: World) -> Any:
    payloads = {
        EVENT_PAYLOAD: b"{}",
        ENTRY_PAYLOAD: b"rogatory/1\n{}\n{}",
        POSSESSION_PAYLOAD: b"[]",
        STATE_PAYLOAD: "Омск".encode(),
        "": b"",
    }
    return {
        "kid": w.oms.kid,
        "cases": [
            {
                "payload_type": kind,
                "payload": encode_base64(payload),
                "pae": encode_base64(pae(kind, payload)),
                "signature": encode_base64(sign(w.oms, kind, payload).value),
            }
            for kind, payload in payloads.items()
        ],
    }


def possession(w: World) -> Any:
    own = possession_payload(w.ledger_id, "RU-OMS", w.oms.kid, "sign")
    vouched = possession_payload(w.ledger_id, "RU-OMS", w.oms_seal.kid, "seal", w.oms.kid)
    return {
        "payload_type": POSSESSION_PAYLOAD,
        "ed25519": {"payload": own.decode(), "possession": proof(w.oms, own)},
        "x25519": {"payload": vouched.decode(), "possession": proof(w.oms, vouched)},
    }


def proof(signer: Signer, payload: bytes) -> str:
    return format_signature(sign(signer, POSSESSION_PAYLOAD, payload)).decode()


VALUES: list[Any] = [NOTE, "", "x" * 61, "x" * 62, "я" * 2100, {"n": 1, "list": [True, None]}, {}, [], None, 0]


def sealed(w: World) -> Any:
    where = place(w)
    key = field_key(CONTENT_KEY, where)
    cases = []
    for value in VALUES:
        field = seal_field(CONTENT_KEY, where, value)
        assert disclose_field(key, field) == value
        cases.append({"value": value, "sealed": msgspec.to_builtins(field)})
    return {
        "warning": WARNING,
        "content_key": CONTENT_KEY.hex(),
        "key_id": key_id(CONTENT_KEY),
        "context": msgspec.json.encode(where).decode(),
        "field_key": key.hex(),
        "cases": cases,
    }


def partition(w: Recorder, number: int) -> Any:
    state: PartitionState = w.states[number]
    return {
        "ledger_id": w.ledger_id,
        "partition": number,
        "submissions": w.consumed[number],
        "size": state.index,
        "frontier": [part.hex() for part in state.frontier],
        "root": root(state.frontier).hex(),
        "past": state.past.hex(),
        "heads": {subject: [head.seq, head.leaf.hex()] for subject, head in sorted(state.heads.items())},
        "register_seq": state.register.seq if state.register else 0,
    }


def copies(w: Recorder) -> Any:
    rows = [r for r in w.consumed[1] if r["key"] == "register"]
    homes = [dict(r["headers"])[HOME_HEADER] for r in rows]
    return {
        "attest": f"attest: {' '.join(homes[-1].split(' ', 2)[:2])}",
        "home": f"home: {homes[-1]}",
        "homes": homes,
        "seals": [r["record"]["seal"] for r in rows],
    }


def outcomes(w: Recorder) -> Any:
    row = next(r for r in w.consumed[1] if r["disposition"] == Disposition.DUPLICATE)
    receipt = msgspec.convert(row["outcome"]["receipt"], Receipt)
    # What is expected and found is said to people: the words are an example, the members are not.
    refused = Refused(Disposition.UNKNOWN_KEY, "a key of the register", "RU-OMS#dc3ebd4b1b365dc82028cb3b44c82991")
    return {
        "key": row["outcome"]["key"],
        "receipt": msgspec.json.encode(receipt).decode(),
        "duplicate": f"outcome: {format_outcome(outcome_of(Duplicate(receipt))).decode()}",
        "refused": f"outcome: {format_outcome(outcome_of(refused)).decode()}",
        "reasons": {d.reason: int(d) for d in Disposition},
    }


SUBJECTS = [
    "request/2025-000123",
    "request/a",
    "meeting/2025-omsk",
    "year/2025",
    "review/RU-OMS/2025-01-01",
    "request/~",
    "",
]
COUNTS = [1, 2, 3, 8, 1024]


def partitions(_: World) -> Any:
    return {
        "murmur2": {subject: murmur2(subject.encode()) for subject in [*SUBJECTS, "21", "foobar", "abc"]},
        "counts": COUNTS,
        "partitions": {
            subject: [partition_of(subject, n) for n in COUNTS]
            for subject in [*(s for s in SUBJECTS if s), "register", "ledger/0"]
        },
    }


READ = [
    b"{}",
    b" [1, -0] ",
    b"9007199254740991",
    b'"\\u041e"',
    b'{"a":{"a":1}}',
    b"[" * 32 + b"]" * 32,
    '"Омск"'.encode(),
]
REFUSED = [
    b"", b"1.0", b"1e2", b"9007199254740992", b"-9007199254740992", b'{"a":1,"a":1}', b'{"a":1,"\\u0061":1}',
    b'"\\ud800"', b'"\xff"', b'"\xed\xa0\x80"', '"\ufdd0"'.encode(), b'"\\uffff"', b"\xef\xbb\xbf{}", b"NaN",
    b"[1,]", b"[" * 33 + b"]" * 33, b"01", b'"\n"',
]  # fmt: skip


def ijson(_: World) -> Any:
    return {
        "read": [{"bytes": encode_base64(raw), "value": parse_ijson(raw)} for raw in READ],
        "refused": [encode_base64(raw) for raw in REFUSED],
    }


TIMES = ["1970-01-01T00:00:00Z", "2025-03-03T10:00:00+06:00", "2025-03-03T04:00:00.0509Z", "1969-12-31T23:59:59.999Z",
         "2024-02-29T00:00:00-00:00"]  # fmt: skip
NO_TIMES = ["2025-03-03T10:00:00", "2025-03-03t10:00:00Z", "2016-12-31T23:59:60Z", "2025-02-29T00:00:00Z",
            "2025-03-03T10:00:00.0000000000Z", "2025-03-03 10:00:00Z"]  # fmt: skip


def times(_: World) -> Any:
    return {"read": {text: time_ms(text) for text in TIMES}, "refused": NO_TIMES}


def make() -> dict[str, bytes]:
    """Every file by its name."""
    w, adopting = story(), upgrade()
    made = {
        "keys": keys(w),
        "genesis": genesis(w),
        "event": event(w),
        "dsse": dsse(w),
        "possession": possession(w),
        "sealed": sealed(w),
        "partition-0": partition(w, 0),
        "partition-1": partition(w, 1),
        "adopted-0": partition(adopting, 0),
        "adopted-1": partition(adopting, 1),
        "copies": copies(w),
        "outcomes": outcomes(w),
        "partitions": partitions(w),
        "ijson": ijson(w),
        "times": times(w),
    }
    return {
        f"{name}.json": (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
        for name, value in made.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, raw in make().items():
        (FOLDER / file).write_bytes(raw)
