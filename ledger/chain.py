"""Records and the chain they form: what a reader of the ledger log may believe, and when it must stop.

History is a pure function of the log: *the first record at each next index*.  A ``Follower`` holds what one
partition has said so far and takes its messages one by one::

    taken = follower.take(stored)
    match taken:
        case Record(): ...        # the next one of history
        case Repeated(): ...      # an old index again: compare the leaf, identical ones are harmless
        case Ahead(): ...         # beyond the next index: ignored, with an alarm

A second record at an old index is a fork if its leaf differs; the follower cannot know old leaves, so it hands
``Repeated`` to its caller, who reads the first record again and compares (``consumers/replay.py``).

What is checked of each record: its seal's form, key = subject, the place of its subject, ``seq`` and ``prev``
against the subject's
head, ``admitted`` and (epoch, offset) rising, ``past`` where the submission before it is known, the version
and, of register
records, that they follow.  Signatures and attestations are the business of ``ledger/verification.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from ledger import catalogue
from ledger.catalogue import own
from ledger.catalogue.base import Data
from ledger.errors import ChainError, FormatError, UnknownVersion
from ledger.event import Event, read_event
from ledger.ids import LedgerId
from ledger.log import Stored, header
from ledger.merkle import Frontier, format_frontier, push, root
from ledger.partition import partition_of
from ledger.register import FIRST_VERSION, Change, Contradiction, Register, apply, make_ledger_id
from ledger.seal import EMPTY_PAST, MAX_ENTRY_BYTES, Seal, entry, leaf_hash, next_past, read_seal
from ledger.submission import SEAL_HEADER

KNOWN_VERSIONS = frozenset({1})
"""Admission and catalogue versions that this release can execute."""

_REOPENED = "rogatory.submissions.reopened.v1"

ADMITTED = 0
"""The disposition of what became a record (``ledger/dispositions.py`` has the table)."""


class Record(msgspec.Struct, frozen=True):
    """One record of history. ``leaf`` is 32 bytes; ``position`` is where it stands in the log."""

    partition: int
    position: int
    seal: Seal
    seal_text: bytes
    value: bytes
    """The event's bytes, as signed."""
    leaf: bytes
    event: Event

    @property
    def index(self) -> int:
        """Its leaf index in the partition."""
        return self.seal.index

    @property
    def subject(self) -> str:
        """The subject of its event."""
        return self.event.subject

    def data(self) -> Data:
        """The event's data as the newest version of its type.

        Raises:
            FormatError: not of its type's schema; admission never lets that happen.
        """
        return catalogue.decode_data(catalogue.known(self.event.type), bytes(self.event.data))


class Repeated(msgspec.Struct, frozen=True):
    """An index that history has passed, with the leaf found there now."""

    index: int
    leaf: bytes


class Ahead(msgspec.Struct, frozen=True):
    """An index that history has not reached."""

    index: int
    expected: int


class Head(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The last record of a subject: its seq and its leaf (32 bytes)."""

    seq: int
    leaf: bytes


NO_HEAD = Head(0, b"")


class ChainState(msgspec.Struct, frozen=True):
    """What a reader remembers of one partition between records; ``size`` is the next index."""

    partition: int
    size: Annotated[int, Meta(ge=0)] = 0
    frontier: Frontier = ()
    admitted: int = 0
    epoch: int = 0
    offset: int = -1
    past: bytes = EMPTY_PAST
    """``past`` after the last record's own submission."""
    last_leaf: bytes = b""
    register: Register | None = None

    def root(self) -> bytes:
        """The root of the partition's tree at ``size``."""
        return root(self.frontier)

    def frontier_bytes(self) -> bytes:
        """The frontier as stored."""
        return format_frontier(self.frontier)


class Follower:
    """Takes one partition's messages in order and says what each is. Owned by one task."""

    def __init__(self, ledger_id: LedgerId, state: ChainState, *, check_past: bool = False) -> None:
        """Go on from ``state``; ``check_past`` also recomputes ``past`` wherever that is possible."""
        self.ledger_id = ledger_id
        self.state = state
        self._check_past = check_past

    def take(self, stored: Stored, heads: Mapping[str, Head]) -> Record | Repeated | Ahead:
        """What the message is; a ``Record`` moves the state on.

        Args:
            stored: the next message of the ``ledger`` topic.
            heads: the last record of each subject; the caller puts the new head in after each record.

        Raises:
            ChainError: the record does not follow from those before it.
            UnknownVersion: the ledger adopted a version that this release does not know.
        """
        state = self.state
        try:
            text = header(stored.headers, SEAL_HEADER)
            if text is None:
                raise FormatError("expected a seal header, found none")
            if stored.value is None:
                raise FormatError("expected the event's bytes as value, found none")
            seal = read_seal(text)
            made = entry(text, stored.value)
            leaf = leaf_hash(made)
            if seal.index < state.size:
                return Repeated(seal.index, leaf)
            if seal.index > state.size:
                return Ahead(seal.index, state.size)
            event = read_event(stored.value)
            record = Record(state.partition, stored.position, seal, text, stored.value, leaf, event)
            if len(made) > MAX_ENTRY_BYTES:
                raise FormatError(f"expected an entry of at most {MAX_ENTRY_BYTES} bytes, found {len(made)}")
            self._check(record, stored, heads.get(event.subject, NO_HEAD))
        except FormatError as error:
            raise ChainError(f"partition {state.partition}, position {stored.position}: {error}") from error
        self.state = self._after(record)
        return record

    def _check(self, record: Record, stored: Stored, head: Head) -> None:
        seal, event, state = record.seal, record.event, self.state
        version = state.register.version if state.register else FIRST_VERSION
        if seal.v != version:
            raise FormatError(f"expected a record sealed under version {version}, found {seal.v}")
        if stored.key != event.subject.encode():
            raise FormatError(f"expected the subject {event.subject} as key, found {stored.key!r}")
        if seal.seq != head.seq + 1 or seal.prev != head.leaf.hex():
            raise FormatError(
                f"expected seq {head.seq + 1} after leaf {head.leaf.hex()[:12] or 'none'} in {event.subject}, "
                f"found {seal.seq} after {seal.prev[:12] or 'none'}"
            )
        if seal.admitted < state.admitted:
            raise FormatError(f"expected admitted ≥ {state.admitted}, found {seal.admitted}")
        if (seal.epoch, seal.offset) <= (state.epoch, state.offset):
            raise FormatError(
                f"expected a submission after {state.epoch}/{state.offset}, found {seal.epoch}/{seal.offset}"
            )
        if seal.epoch != state.epoch and (seal.epoch != state.epoch + 1 or event.type != _REOPENED):
            raise FormatError(f"expected {_REOPENED} to open epoch {state.epoch + 1}, found {event.type}")
        self._check_place(record, head)
        if self._check_past and self._follows(seal) and seal.past != state.past.hex():
            raise FormatError(f"expected past {state.past.hex()[:12]}, found {seal.past[:12]}")

    def _check_place(self, record: Record, head: Head) -> None:
        state, subject = self.state, record.event.subject
        if state.size == 0:
            if make_ledger_id(record.value, record.event.ledger) != self.ledger_id:
                raise FormatError(f"expected the genesis of {self.ledger_id} as the first record, found another event")
        elif record.event.ledger != self.ledger_id:
            raise FormatError(f"expected an event of ledger {self.ledger_id}, found one of {record.event.ledger[:80]}")
        is_copy = subject == "register" and state.partition != 0
        if (record.seal.home is msgspec.UNSET) == is_copy:
            raise FormatError("expected home on register copies, and nowhere else")
        if subject == "register":
            return
        if state.register is None:
            raise FormatError("expected register.opened as the first record")
        if head.seq == 0 and partition_of(subject, state.register.partitions) != state.partition:
            raise FormatError(f"expected {subject} in another partition")

    def _follows(self, seal: Seal) -> bool:
        """Whether the submission before this record's own is known: then so is ``past``."""
        if self.state.size == 0:
            return seal.epoch == seal.offset == 0
        return seal.epoch == self.state.epoch and seal.offset == self.state.offset + 1

    def _after(self, record: Record) -> ChainState:
        state, seal = self.state, record.seal
        register = state.register
        if record.event.subject == "register":
            register = self._registered(record, register)
        past = state.past
        if self._check_past:
            digest = sha256(record.value).digest()
            past = next_past(bytes.fromhex(seal.past), seal.epoch, seal.offset, ADMITTED, digest)
        return ChainState(
            partition=state.partition,
            size=state.size + 1,
            frontier=push(state.size, state.frontier, record.leaf),
            admitted=seal.admitted,
            epoch=seal.epoch,
            offset=seal.offset,
            past=past,
            last_leaf=record.leaf,
            register=register,
        )

    def _registered(self, record: Record, register: Register | None) -> Register:
        home = record.seal.home
        admitted = record.seal.admitted if home is msgspec.UNSET else home.admitted
        leaf = record.leaf if home is msgspec.UNSET else bytes.fromhex(home.leaf)
        data = record.data()
        if isinstance(data, own.RulesAdopted) and data.version not in KNOWN_VERSIONS:
            raise UnknownVersion(
                f"partition {record.partition} adopted version {data.version} at index {record.index}; "
                f"this release knows {sorted(KNOWN_VERSIONS)}: upgrade before reading on"
            )
        try:
            return apply(register, self.ledger_id, Change(data, admitted, leaf))
        except Contradiction as error:
            raise FormatError(f"expected a register event that follows: {error}") from error
