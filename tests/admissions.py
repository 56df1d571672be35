"""A little world for tests of admission: two partitions, three authorities, offices and their keys.

::

    world = World()                                  # genesis, offices and keys, copied to partition 1
    raw = world.event("request/1", "request.accepted", {"executing": "RU-OMS"})
    world.decide(raw, [world.oms])                   # Admitted | Duplicate | Refused; nothing is consumed
    world.submit(raw, [world.oms])                   # the same, and moves past it

Any bytes can be signed by anybody: what is wrong is up to the test.  Partition 0's register records are attested with
the log key and copied by ``consumers.herald.make_copy``, as a herald does it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from consumers.herald import make_copy
from ledger.admission import Admitted, Decision, PartitionState, Prepared, admit, prepare
from ledger.event import CONTENT_TYPE
from ledger.log import Headers, Message, Stored
from ledger.register import Register, make_ledger_id
from ledger.seal import entry
from ledger.signature import (
    ENTRY_PAYLOAD,
    EVENT_PAYLOAD,
    POSSESSION_PAYLOAD,
    encode_base64,
    format_signature,
    possession_payload,
    sign,
)
from ledger.submission import (
    ATTEST_HEADER,
    CONTENT_TYPE_HEADER,
    HOME_HEADER,
    SEAL_HEADER,
    SIGNATURE_HEADER,
    Submission,
)
from tests.keys import SealKey, Signer

T0 = 1_741_000_000_000
"""The broker's clock at the first submission of each partition; it goes on by a second for each further one."""
TIME = "2025-03-03T10:00:00+06:00"
START = "2025-01-01T00:00:00Z"
PARTITIONS = 2
NAME = "test"

SUBJECTS = (("request/b", "request/d"), ("request/a", "request/c"))
"""Some subjects of each partition."""


def event(subject: str, name: str, data: Any, *, ledger: str, source: str, id_: str, **attributes: Any) -> bytes:
    """The bytes of an event as our own encoder writes it; ``attributes`` come on top, None takes one away."""
    members = {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": f"rogatory.{name}.v1",
        "subject": subject,
        "time": TIME,
        "datacontenttype": "application/json",
        "ledger": ledger,
        "data": data,
        **attributes,
    }
    return msgspec.json.encode({k: v for k, v in members.items() if v is not None})


def respelled(raw: bytes) -> bytes:
    """The same event in another spelling, which the quick reading does not take."""
    return json.dumps(json.loads(raw), ensure_ascii=True, indent=1).encode()


class World:
    """What the registrars and the herald of a small ledger do, without log or loop."""

    def __init__(self, *, partitions: int = PARTITIONS) -> None:
        self.authorities = [Signer("RU-GUMPS", f"authority {n}") for n in range(2)] + [Signer("RU-PGO", "authority 2")]
        self.log = Signer("RU-GUMPS", "log")
        self.gumps = Signer("RU-GUMPS", "sign")
        self.oms = Signer("RU-OMS", "sign")
        self.alt = Signer("RU-ALT", "sign")
        self.kz = Signer("KZ-MTP", "sign")
        self.witness = Signer("RU-OMS", "witness")
        self.oms_seal = SealKey("RU-OMS")
        self.partitions = partitions
        self.genesis = self.make_genesis()
        self.ledger_id = make_ledger_id(self.genesis, NAME)
        self.states = [PartitionState(self.ledger_id, p) for p in range(partitions)]
        self.copies: list[Message] = []
        """Of partition 0's register records, in their order."""
        self._ids = 0

    @classmethod
    def opened(cls) -> World:
        """With genesis, offices and keys, in all partitions."""
        world = cls()
        world.register(world.genesis, world.authorities[:2])
        for code, party, sort in (
            ("RU-GUMPS", "RU", "coordinator"),
            ("RU-OMS", "RU", "territorial"),
            ("RU-ALT", "RU", "territorial"),
            ("KZ-MTP", "KZ", "coordinator"),
        ):
            world.register(world.office(code, party, sort), world.authorities[:1])
        for key in (world.gumps, world.oms, world.alt, world.kz):
            world.register(world.grant(key), world.authorities[:1])
        world.register(world.grant(world.witness, use="witness"), world.authorities[:1])
        return world

    # Events

    def make_genesis(self, **changes: Any) -> bytes:
        data = {
            "name": NAME,
            "partitions": self.partitions,
            "party": "RU",
            "authorities": [self.named(a) for a in self.authorities],
            "threshold": 2,
            "log_keys": [self.named(self.log)],
            **changes,
        }
        return event("register", "register.opened", data, ledger=NAME, source="office/RU-GUMPS", id_="genesis")

    @staticmethod
    def named(key: Signer) -> dict[str, str]:
        return {"kid": key.kid, "public_key": encode_base64(key.public_key)}

    def event(self, subject: str, name: str, data: Any, *, office: str = "RU-OMS", **attributes: Any) -> bytes:
        """An event of this ledger with an id of its own."""
        self._ids += 1
        members = {"ledger": self.ledger_id, "source": f"office/{office}", "id_": f"e-{self._ids}", **attributes}
        return event(subject, name, data, **members)

    def accepted(self, subject: str = "request/a", **attributes: Any) -> bytes:
        """An act of RU-OMS on a request."""
        return self.event(subject, "request.accepted", {"executing": "RU-OMS"}, **attributes)

    def office(self, code: str, party: str = "RU", sort: str = "territorial", **attributes: Any) -> bytes:
        data = {
            "office": code,
            "party": party,
            "sort": sort,
            "name_ru": code,
            "tz": "Asia/Omsk",
            "border": True,
            "valid_from": "2022-03-10",
            "basis": "order-136",
        }
        return self.event("register", "office.registered", data, **{"office": "RU-GUMPS", **attributes})

    def grant(
        self,
        key: Signer | SealKey,
        *,
        use: str = "sign",
        by: Signer | None = None,
        valid_from: str = START,
        **data: Any,
    ) -> bytes:
        """A key.granted with a right proof of possession, by the coordinating unit."""
        owner = key.kid.partition("#")[0]
        if isinstance(key, SealKey):
            assert by is not None
            proof = sign(by, POSSESSION_PAYLOAD, possession_payload(self.ledger_id, owner, key.kid, "seal", by.kid))
            kind = {"alg": "x25519", "use": "seal"}
        else:
            proof = sign(by or key, POSSESSION_PAYLOAD, possession_payload(self.ledger_id, owner, key.kid, use))
            kind = {"alg": "ed25519", "use": use}
        members = {
            "office": owner,
            "kid": key.kid,
            "public_key": encode_base64(key.public_key),
            **kind,
            "possession": format_signature(proof).decode(),
            "valid_from": valid_from,
            **data,
        }
        return self.event("register", "key.granted", members, office="RU-GUMPS")

    def revoke(self, key: Signer, effective: str = TIME) -> bytes:
        data = {"kid": key.kid, "reason": "lost", "effective": effective}
        return self.event("register", "key.revoked", data, office="RU-GUMPS")

    def replace(self, name: str, old: Signer, new: Signer) -> bytes:
        data = {"old": old.kid, **self.named(new), "why": "lost"}
        return self.event("register", name, data, office="RU-GUMPS")

    def adopt(self, version: int) -> bytes:
        return self.event("register", "rules.adopted", {"version": version}, office="RU-GUMPS")

    def reopen(self, partition: int, **changes: Any) -> bytes:
        """A submissions.reopened that fits the partition as it stands."""
        state = self.states[partition]
        data = {"epoch": state.epoch + 1, "index": state.index - 1, "leaf": state.last_leaf.hex(), **changes}
        return self.event(f"ledger/{partition}", "submissions.reopened", data, office="RU-GUMPS")

    # Submissions

    def submission(
        self,
        raw: bytes | None,
        signers: Sequence[Signer] = (),
        *,
        partition: int = 1,
        key: bytes | None = b"",
        headers: Headers = (),
        **changes: Any,
    ) -> Submission:
        """The next submission of a partition; ``key`` b"" means the event's own subject."""
        state = self.states[partition]
        if key == b"":
            key = subject_of(raw)
        return Submission(
            epoch=changes.get("epoch", state.epoch),
            offset=changes.get("offset", state.offset + 1),
            timestamp=changes.get("timestamp", T0 + (state.offset + 1) * 1000),
            key=key,
            value=raw,
            headers=((CONTENT_TYPE_HEADER, CONTENT_TYPE), *signatures(raw or b"", signers), *headers),
        )

    def prepared(self, raw: bytes | None, signers: Sequence[Signer] = (), **how: Any) -> Prepared:
        return prepare(self.submission(raw, signers, **how), strict=how.get("strict", False))

    def decide(self, raw: bytes | None, signers: Sequence[Signer] = (), **how: Any) -> Decision:
        """What it would become; nothing is consumed."""
        return admit(self.states[how.get("partition", 1)], self.prepared(raw, signers, **how))

    def submit(self, raw: bytes | None, signers: Sequence[Signer] = (), **how: Any) -> Decision:
        """What it becomes."""
        return self.take(self.submission(raw, signers, **how), how.get("partition", 1))

    def take(self, submission: Submission, partition: int) -> Decision:
        state = self.states[partition]
        prepared = prepare(submission)
        decision = admit(state, prepared)
        state.advance(prepared, decision)
        return decision

    def copied(self, message: Message, partition: int = 1, **changes: Any) -> Submission:
        """A copy as partition's next submission."""
        state = self.states[partition]
        clock = T0 + (state.offset + 1) * 1000
        submission = Submission(state.epoch, state.offset + 1, clock, message.key, message.value, message.headers)
        return msgspec.structs.replace(submission, **changes)

    def attested(self, raw: bytes, decision: Admitted, key: Signer | None = None) -> Message:
        """The copy of a record of partition 0, attested with the log key or another."""
        attest = sign(key or self.log, ENTRY_PAYLOAD, entry(decision.seal_text, raw))
        headers = (
            (CONTENT_TYPE_HEADER, CONTENT_TYPE),
            (SEAL_HEADER, decision.seal_text),
            (ATTEST_HEADER, format_signature(attest)),
        )
        position = decision.seal.index
        copy = make_copy(Stored(position, decision.seal.admitted, b"register", raw, headers))
        assert copy is not None
        return copy

    def home(self, raw: bytes, signers: Sequence[Signer], key: Signer | None = None) -> Message:
        """Seal a register event in partition 0 only; its copy is what comes back."""
        decision = self.submit(raw, signers, partition=0)
        assert isinstance(decision, Admitted), decision
        self.copies.append(self.attested(raw, decision, key))
        return self.copies[-1]

    def register(self, raw: bytes, signers: Sequence[Signer], key: Signer | None = None) -> Register:
        """Seal a register event in partition 0 and, copied, in all others."""
        copy = self.home(raw, signers, key)
        for partition in range(1, self.partitions):
            decision = self.take(self.copied(copy, partition), partition)
            assert isinstance(decision, Admitted), decision
        register = self.states[0].register
        assert register is not None
        return register


def signatures(raw: bytes, signers: Sequence[Signer]) -> Headers:
    """Signature headers over an event's bytes."""
    return tuple((SIGNATURE_HEADER, format_signature(sign(s, EVENT_PAYLOAD, raw))) for s in signers)


def subject_of(raw: bytes | None) -> bytes | None:
    """The subject that bytes name, or None where they name none."""
    try:
        return str(json.loads(raw or b"")["subject"]).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def with_home(message: Message, home: bytes | None) -> Message:
    """A copy with another home header, or none."""
    kept = tuple(h for h in message.headers if h[0] != HOME_HEADER)
    return msgspec.structs.replace(message, headers=kept if home is None else (*kept, (HOME_HEADER, home)))


def home_of(message: Message) -> tuple[bytes, bytes, bytes]:
    """Kid, signature and seal of a copy's home header."""
    kid, text, seal = dict(message.headers)[HOME_HEADER].split(b" ", 2)
    return kid, text, seal


def snapshot(state: PartitionState) -> bytes:
    """Everything a state holds, as bytes to compare."""
    return msgspec.json.encode({k: repr(v) for k, v in sorted(vars(state).items())})
