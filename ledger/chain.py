"""Records and the chain they form: what a reader of the ledger log may believe, and when it must stop.

History is a pure function of the log: *the first record at each next index*.  A ``Follower`` holds what one
partition has said so far and takes its messages one by one::

    taken = follower.take(stored)
    match taken:
        case Record(): ...        # the next one of history
        case Repeated(): ...      # an old index again: compare the leaf, identical ones are harmless
        case Ahead(): ...         # beyond the next index, or settled against: ignored, with an alarm

A second record at an old index is a fork if its leaf differs; the follower cannot know old leaves, so it hands
``Repeated`` to its caller, who reads the first record again and compares (``consumers/replay.py``).

What is checked of each record: its seal's form, key = subject, the place of its subject, ``seq`` and ``prev``
against the subject's
head, ``admitted`` and (epoch, offset) rising, ``past`` where the submission before it is known, the version
and, of register
records, that they follow.  Signatures and attestations are the business of ``ledger/verification.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from ledger import catalogue
from ledger.catalogue import own
from ledger.catalogue.base import Data
from ledger.envelope import Envelope
from ledger.errors import ChainError, FormatError
from ledger.event import Event, read_event
from ledger.ids import LedgerId
from ledger.log import Stored, header
from ledger.merkle import Frontier, extend, root
from ledger.partition import partition_of
from ledger.register import Change, Contradiction, Register, apply, make_ledger_id
from ledger.seal import EMPTY_PAST, MAX_ENTRY_BYTES, Seal, entry, next_past, read_seal, read_seals, record_leaf
from ledger.settlement import NOTHING, Settled, check_threshold
from ledger.submission import SEAL_HEADER
from ledger.versions import FIRST_VERSION, KNOWN_VERSIONS, check_known

_MAX_PARTS_BYTES = MAX_ENTRY_BYTES - len(entry(b"", b""))

_STRAY_HOME = "expected home on register copies, and nowhere else"
_REOPENED = "rogatory.submissions.reopened.v1"

_MANY_LEAVES = 8192
"""Leaves that are put into the tree at the latest, whether its root is asked for or not."""

ADMITTED = 0
"""The disposition of what became a record (``ledger/dispositions.py`` has the table)."""


class Record(msgspec.Struct, frozen=True, gc=False):
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


class Overruled(Ahead, frozen=True):
    """The next index, and the authorities settled that another leaf counts there (``ledger/settlement.py``)."""


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


def read_ahead(messages: Sequence[Stored]) -> Sequence[Seal | None]:
    """The seals of messages that are about to be looked at, read at once; None where they must be read one by one."""
    texts = [text for m in messages if (text := header(m.headers, SEAL_HEADER)) is not None]
    seals = read_seals(texts) if len(texts) == len(messages) else None
    return seals if seals is not None else [None] * len(messages)


class Follower:
    """Takes one partition's messages in order and says what each is. Owned by one task.

    Its state is kept in fields, and put together where it is asked for: to make a value for each record cost more than
    to check it.  The tree's nodes are made then, too, since many at once cost less than one by one.
    """

    def __init__(
        self,
        ledger_id: LedgerId,
        state: ChainState,
        *,
        check_past: bool = False,
        known: Collection[int] = KNOWN_VERSIONS,
    ) -> None:
        """Go on from ``state``; ``check_past`` also recomputes ``past`` wherever that is possible."""
        self.ledger_id = ledger_id
        self._known = known
        self.partition = state.partition
        self.size = state.size
        """The next index."""
        self.register = state.register
        self.settled = NOTHING
        self._frontier = state.frontier  # of the records before those that have their leaves here
        self._leaves: list[bytes] = []
        self._admitted = state.admitted
        self._epoch = state.epoch
        self._offset = state.offset
        self._past = state.past
        self._last_leaf = state.last_leaf
        self._version = state.register.version if state.register else FIRST_VERSION
        self._next_register: Register | None = None  # of the register record looked at last
        self._check_past = check_past

    @property
    def settled(self) -> Settled:
        """What the authorities settled in this partition; whoever follows may replace it."""
        return self._settled

    @settled.setter
    def settled(self, settled: Settled) -> None:
        self._settled = settled
        self._is_contested = bool(settled)

    @property
    def state(self) -> ChainState:
        """What is to be remembered behind the last record taken."""
        self._grow()
        return ChainState(
            partition=self.partition,
            size=self.size,
            frontier=self._frontier,
            admitted=self._admitted,
            epoch=self._epoch,
            offset=self._offset,
            past=self._past,
            last_leaf=self._last_leaf,
            register=self.register,
        )

    def take(self, stored: Stored, heads: Mapping[str, Head]) -> Record | Repeated | Ahead:
        """What the message is; a ``Record`` moves the state on.

        Args:
            stored: the next message of the ``ledger`` topic.
            heads: the last record of each subject; the caller puts the new head in after each record.

        Raises:
            ChainError: the record does not follow from those before it.
            UnknownVersion: the ledger adopted a version that this release does not know.
        """
        # A record whose subject is not its key is refused, so the head of no other subject is needed.
        subject = "" if stored.key is None else stored.key.decode("ascii", "replace")
        taken = self.look(stored, heads.get(subject, NO_HEAD))
        if type(taken) is Record:
            self.advance(taken)
        return taken

    def look(self, stored: Stored, head: Head, seal: Seal | None = None) -> Record | Repeated | Ahead:
        """What the message is, with the state left where it is.

        Args:
            stored: the next message of the ``ledger`` topic.
            head: the last record of the subject that is its key.
            seal: the message's own, if ``read_ahead`` has read it.

        Raises:
            ChainError, UnknownVersion: as ``take``.
        """
        leaf = b""
        try:
            text = header(stored.headers, SEAL_HEADER)
            if text is None:
                raise FormatError("expected a seal header, found none")
            value = stored.value
            if value is None:
                raise FormatError("expected the event's bytes as value, found none")
            if seal is None:
                seal = read_seal(text)
            leaf = record_leaf(text, value)
            if seal.index != self.size:
                return Repeated(seal.index, leaf) if seal.index < self.size else Ahead(seal.index, self.size)
            if self._is_contested and self._overrules(leaf):
                return Overruled(seal.index, self.size)
            record = Record(self.partition, stored.position, seal, text, value, leaf, read_event(value))
            if len(text) + len(value) > _MAX_PARTS_BYTES:
                raise FormatError(
                    f"expected an entry of at most {MAX_ENTRY_BYTES} bytes, found {len(entry(text, value))}"
                )
            self._check(record, stored.key, head)
        except FormatError as error:
            if self._is_contested and self._overrules(leaf):
                return Overruled(self.size, self.size)  # it is no record, and one is named
            raise ChainError(f"partition {self.partition}, position {stored.position}: {error}") from error
        return record

    def _overrules(self, leaf: bytes) -> bool:
        """Whether the authorities settled that another leaf counts at the next index."""
        return self.size in self.settled and self.settled.leaf(self.size, self.register) != leaf

    def advance(self, record: Record) -> None:
        """Move on behind the record that was looked at last."""
        seal = record.seal
        if self._check_past:
            digest = sha256(record.value).digest()
            self._past = next_past(bytes.fromhex(seal.past), seal.epoch, seal.offset, ADMITTED, digest)
        if record.event.subject == "register":
            assert self._next_register is not None
            self.register, self._next_register = self._next_register, None
            self._version = self.register.version
        leaves = self._leaves
        leaves.append(record.leaf)
        self.size = seal.index + 1
        if len(leaves) >= _MANY_LEAVES:
            self._grow()
        self._admitted = seal.admitted
        self._epoch = seal.epoch
        self._offset = seal.offset
        self._last_leaf = record.leaf

    def _grow(self) -> None:
        if self._leaves:
            self._frontier = extend(self.size - len(self._leaves), self._frontier, self._leaves)
            self._leaves = []

    def _check(self, record: Record, key: bytes | None, head: Head) -> None:
        seal, event = record.seal, record.event
        subject = event.subject
        if self._version not in self._known:  # this state was left by a newer release
            check_known(self._version, self._known, f"partition {self.partition}")
        if seal.v != self._version:
            raise FormatError(f"expected a record sealed under version {self._version}, found {seal.v}")
        if key != subject.encode():
            raise FormatError(f"expected the subject {subject} as key, found {key!r}")
        if seal.seq != head.seq + 1 or seal.prev != head.leaf.hex():
            raise FormatError(
                f"expected seq {head.seq + 1} after leaf {head.leaf.hex()[:12] or 'none'} in {subject}, "
                f"found {seal.seq} after {seal.prev[:12] or 'none'}"
            )
        if seal.admitted < self._admitted:
            raise FormatError(f"expected admitted ≥ {self._admitted}, found {seal.admitted}")
        if seal.epoch != self._epoch or seal.offset <= self._offset:
            self._check_epoch(seal, event, self._epoch, self._offset)
        self._check_place(record, head)
        if self._check_past and self._follows(seal) and seal.past != self._past.hex():
            raise FormatError(f"expected past {self._past.hex()[:12]}, found {seal.past[:12]}")
        if subject == "register":
            self._next_register = self._registered(record)

    def _check_epoch(self, seal: Seal, event: Event, epoch: int, offset: int) -> None:
        if (seal.epoch, seal.offset) <= (epoch, offset):
            raise FormatError(f"expected a submission after {epoch}/{offset}, found {seal.epoch}/{seal.offset}")
        if seal.epoch != epoch + 1 or event.type != _REOPENED:
            raise FormatError(f"expected {_REOPENED} to open epoch {epoch + 1}, found {event.type}")

    def _check_place(self, record: Record, head: Head) -> None:
        event, subject = record.event, record.event.subject
        if event.ledger != self.ledger_id or self.size == 0:
            self._check_ledger(record)
        if subject == "register":
            if (record.seal.home is msgspec.UNSET) != (self.partition == 0):
                raise FormatError(_STRAY_HOME)
            return
        if record.seal.home is not msgspec.UNSET:
            raise FormatError(_STRAY_HOME)
        if head.seq:  # the place of a subject was looked at with its first record
            return
        if self.register is None:
            raise FormatError("expected register.opened as the first record")
        if partition_of(subject, self.register.partitions) != self.partition:
            raise FormatError(f"expected {subject} in another partition")

    def _check_ledger(self, record: Record) -> None:
        if self.size:
            raise FormatError(f"expected an event of ledger {self.ledger_id}, found one of {record.event.ledger[:80]}")
        if make_ledger_id(record.value, record.event.ledger) != self.ledger_id:
            raise FormatError(f"expected the genesis of {self.ledger_id} as the first record, found another event")

    def _follows(self, seal: Seal) -> bool:
        """Whether the submission before this record's own is known: then so is ``past``."""
        if self.size == 0:
            return seal.epoch == seal.offset == 0
        return seal.epoch == self._epoch and seal.offset == self._offset + 1

    def _registered(self, record: Record) -> Register:
        home = record.seal.home
        admitted = record.seal.admitted if home is msgspec.UNSET else home.admitted
        leaf = record.leaf if home is msgspec.UNSET else bytes.fromhex(home.leaf)
        data = record.data()
        if isinstance(data, own.RulesAdopted):
            check_known(data.version, self._known, f"partition {record.partition}, index {record.index}")
        if isinstance(data, own.ForkSettled) and self.register is not None:
            # Which records count must not rest on what anybody can write to the log.
            check_threshold(self.register, Envelope(record.value, tuple(record.seal.signatures())))
        try:
            return apply(self.register, self.ledger_id, Change(data, admitted, leaf))
        except Contradiction as error:
            raise FormatError(f"expected a register event that follows: {error}") from error
