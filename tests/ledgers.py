"""Ledgers without a registrar: correctly chained messages of topic ``ledger``, for tests of readers.

``Book`` numbers what it is told, seals it and keeps the messages of each partition::

    book = Book(partitions=2)             # every partition begins with register.opened
    book.add("request/1", "step.taken", {"step": "draft created"})
    book.messages[3]                      # as they would be appended to partition 3
    book.stored(3)                        # as they would be read back

Leaf, chain, ``past`` and copies of the register are right; register events are signed and attested, other signatures
are well formed and empty, since followers do not verify them.  ``repeated``, ``forked`` and ``ahead`` make the messages
that a reader must tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import msgspec
from nacl.signing import SigningKey

from ledger.chain import ADMITTED, Record
from ledger.event import CONTENT_TYPE
from ledger.ids import LedgerId
from ledger.log import Message, Stored
from ledger.partition import partition_of
from ledger.register import make_ledger_id
from ledger.seal import EMPTY_PAST, Home, Seal, entry, format_seal, leaf_hash, next_past
from ledger.signature import (
    ENTRY_PAYLOAD,
    EVENT_PAYLOAD,
    Signature,
    encode_base64,
    format_signature,
    make_kid,
    pae,
)
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, SEAL_HEADER
from projections.fold import Column
from projections.schema import metadata
from projections.store import Store

T0 = 1_741_000_000_000
OFFICE = "RU-PGO"
_SIGNER = SigningKey(b"\x07" * 32)
_LOG_SIGNER = SigningKey(b"\x08" * 32)
_KEY = _SIGNER.verify_key.encode()
_LOG_KEY = _LOG_SIGNER.verify_key.encode()
_LOG_KID = make_kid("RU-PGO", "ed25519", _LOG_KEY)
KID = make_kid(OFFICE, "ed25519", _KEY)
_SIGS = [(str(KID), encode_base64(bytes(64)))]


class _Tail(msgspec.Struct):
    """Where a partition ends."""

    index: int = 0
    past: bytes = EMPTY_PAST
    heads: dict[str, tuple[int, str]] = {}


class Book:
    """A ledger of so many partitions, in memory."""

    def __init__(self, partitions: int = 1, name: str = "test", *, padding: int = 0) -> None:
        self.partitions = partitions
        self.messages: list[list[Message]] = [[] for _ in range(partitions)]
        self.leaves: list[list[bytes]] = [[] for _ in range(partitions)]
        self.ledger_id = LedgerId(name)
        self._tails = [_Tail() for _ in range(partitions)]
        self._ids = 0
        self._padding = padding
        genesis = {
            "name": name,
            "partitions": partitions,
            "party": "RU",
            "authorities": [{"kid": KID, "public_key": encode_base64(_KEY)}],
            "threshold": 1,
            "log_keys": [{"kid": _LOG_KID, "public_key": encode_base64(_LOG_KEY)}],
        }
        raw = self.event("register", "register.opened", genesis)
        self.ledger_id = make_ledger_id(raw, name)
        self._register(raw)

    def event(self, subject: str, name: str, data: dict[str, Any]) -> bytes:
        """An event's bytes; each has an id of its own."""
        self._ids += 1
        event = {
            "specversion": "1.0",
            "id": f"e-{self._ids}",
            "source": f"office/{OFFICE}",
            "type": f"rogatory.{name}.v1",
            "subject": subject,
            "time": "2025-03-03T10:00:00+06:00",
            "datacontenttype": "application/json",
            "ledger": self.ledger_id,
            "data": data,
        }
        return msgspec.json.encode(event)

    def add(
        self, subject: str, name: str = "step.taken", data: dict[str, Any] | None = None, *, kid: str = str(KID)
    ) -> Message:
        """One more record at the end of the subject's partition (of all partitions, for ``register``).

        ``kid``: the key that it names as its signer's, where it is not of the register.
        """
        raw = self.event(subject, name, {"step": "step " + "x" * self._padding} if data is None else data)
        if subject == "register":
            return self._register(raw)
        return self._append(partition_of(subject, self.partitions), subject, raw, kid=kid)

    def put(self, subject: str, raw: bytes, *, kid: str = str(KID)) -> Message:
        """One more record, of an event's bytes as they are."""
        if subject == "register":
            return self._register(raw)
        return self._append(partition_of(subject, self.partitions), subject, raw, kid=kid)

    def drain(self, partition: int) -> list[Message]:
        """The messages of a partition, which are forgotten here: of a ledger too large to be held."""
        found, self.messages[partition] = self.messages[partition], []
        return found

    def stored(self, partition: int = 0) -> list[Stored]:
        """The partition as a log without noise gives it back."""
        return stored(self.messages[partition])

    def repeated(self, partition: int, index: int) -> Message:
        """The same record once more, as a second registrar writes it."""
        return self.messages[partition][index]

    def forked(self, partition: int, index: int) -> Message:
        """Another record at that index."""
        return self._resealed(self.messages[partition][index], admitted=T0 + 10**9)

    def ahead(self, partition: int, by: int = 1) -> Message:
        """The last record, sealed ``by`` beyond the next index."""
        last = self.messages[partition][-1]
        return self._resealed(last, index=len(self.messages[partition]) + by)

    def unsealed(self, partition: int) -> Message:
        """A message that is no record at all."""
        return msgspec.structs.replace(self.messages[partition][-1], headers=())

    def _resealed(self, message: Message, **changes: Any) -> Message:
        seal = msgspec.json.decode(dict(message.headers)[SEAL_HEADER], type=Seal)
        changed = msgspec.structs.replace(seal, **changes)
        return msgspec.structs.replace(message, headers=_headers(changed))

    def _register(self, raw: bytes) -> Message:
        first = self._append(0, "register", raw)
        index = len(self.leaves[0]) - 1
        home = Home(index, first.timestamp, self.leaves[0][index].hex())
        for partition in range(1, self.partitions):
            self._append(partition, "register", raw, home=home)
        return first

    def _append(self, partition: int, subject: str, raw: bytes, *, kid: str = str(KID), **more: Any) -> Message:
        tail = self._tails[partition]
        seq, prev = tail.heads.get(subject, (0, ""))
        seal = Seal(
            v=1,
            index=tail.index,
            seq=seq + 1,
            prev=prev,
            sigs=_signed(raw) if subject == "register" else [(kid, encode_base64(bytes(64)))],
            admitted=T0 + tail.index,
            epoch=0,
            offset=tail.index,
            past=tail.past.hex(),
            **more,
        )
        message = Message(subject.encode(), raw, _headers(seal), seal.admitted)
        if subject == "register" and partition == 0:
            message = attested(message)
        leaf = leaf_of(message)
        tail.past = next_past(tail.past, 0, tail.index, ADMITTED, sha256(raw).digest())
        tail.heads[subject] = (seq + 1, leaf.hex())
        tail.index += 1
        self.messages[partition].append(message)
        self.leaves[partition].append(leaf)
        return message


def build(partitions: int, acts: list[tuple[str, str, dict[str, Any]]]) -> Book:
    """A ledger of these (subject, event name, data)."""
    book = Book(partitions)
    for subject, name, data in acts:
        book.add(subject, name, data)
    return book


def stored(messages: list[Message], start: int = 0) -> list[Stored]:
    """Messages as read back from ``start`` on."""
    return [Stored(start + i, m.timestamp, m.key, m.value, m.headers) for i, m in enumerate(messages)]


def attested(message: Message) -> Message:
    """The message with an attestation by the log key, as partition 0's registrar adds it to register records."""
    assert message.value is not None
    made = pae(ENTRY_PAYLOAD, entry(dict(message.headers)[SEAL_HEADER], message.value))
    attest = Signature(_LOG_KID, _LOG_SIGNER.sign(made).signature)
    return msgspec.structs.replace(message, headers=(*message.headers, (ATTEST_HEADER, format_signature(attest))))


def unsigned(message: Message) -> Message:
    """A register record of partition 0 with an empty signature of the authority, sealed and attested all the same."""
    seal = msgspec.json.decode(dict(message.headers)[SEAL_HEADER], type=Seal)
    return attested(msgspec.structs.replace(message, headers=_headers(msgspec.structs.replace(seal, sigs=_SIGS))))


def _signed(raw: bytes) -> list[tuple[str, str]]:
    return [(str(KID), encode_base64(_SIGNER.sign(pae(EVENT_PAYLOAD, raw)).signature))]


def leaf_of(message: Message) -> bytes:
    """The leaf of the record that a message carries."""
    assert message.value is not None
    return leaf_hash(entry(dict(message.headers)[SEAL_HEADER], message.value))


def _headers(seal: Seal) -> tuple[tuple[str, bytes], ...]:
    return ((CONTENT_TYPE_HEADER, CONTENT_TYPE), (SEAL_HEADER, format_seal(seal)))


class Tally(msgspec.Struct, frozen=True):
    """How many records, the last one's admission, and a hash over all their indices in order."""

    records: int
    last: int
    trail: str


class TallyFold:
    """A fold that any record missed, doubled or out of order would give away; the step "poison" it cannot digest."""

    name = "cases"
    version = 1
    sorts = frozenset({"request"})
    facts = Tally

    def evolve(self, facts: Tally | None, record: Record) -> Tally:
        data = msgspec.json.decode(bytes(record.event.data))
        if data.get("step") == "poison":
            raise KeyError("secret")
        before = facts or Tally(0, 0, "")
        trail = sha256(f"{before.trail} {record.index}".encode()).hexdigest()
        return Tally(before.records + 1, record.seal.admitted, trail)

    def columns(self, facts: Tally) -> dict[str, Column]:
        odd = facts.records % 2 == 1
        return {
            "kind": "mla",
            "direction": "out" if odd else "in",
            "partner": "KZ",
            "state": "sent" if odd else "received",
            "ball": "requested" if odd else None,
            "ball_office": "KZ-PGO" if odd else None,
            "ball_since": facts.last if odd else None,
            "opened_at": T0,
            "updated_at": facts.last,
            "remarks": facts.records // 3,
            "open_items": 0,
            "waiting": None,
        }


@contextmanager
def new_store(url: str) -> Iterator[Store]:
    """The store, empty."""
    with Store.open(url) as store:
        with store.writing() as connection:
            for table in metadata.sorted_tables:
                connection.execute(table.delete())
        yield store
