"""A partition as one reader sees it: the chain's state, the rows at hand, and what changed since the last commit.

A view is the pure half of a reader; ``store.py`` is the other.  Replay and the live worker turn the same crank::

    view = store.view(fold, generation, partition)
    store.fill(view, messages)            # rows that the view does not hold, in one query
    for message in messages:
        taken = view.take(message)        # checks, folds, remembers
    batch = view.cut()                    # everything since the last cut, ready to write
    store.commit(batch)                   # all of it or Overtaken
    view.committed(batch)

Rows of a batch that is being committed stay in the view, so the next one can be folded meanwhile.  After
``Overtaken`` the view is worth nothing: take a new one from the store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from ledger.chain import NO_HEAD, Ahead, ChainState, Follower, Head, Record, Repeated
from ledger.errors import MisuseError, PoisonRecord, UnknownVersion
from ledger.ids import LedgerId
from ledger.log import Stored
from ledger.seal import Seal
from ledger.settlement import Settled
from ledger.versions import KNOWN_VERSIONS
from projections.digest import EMPTY_DONE, next_done, row_digest
from projections.fold import Column, Fold
from projections.schema import CHUNK, FIXED, PROJECTIONS

F = TypeVar("F", bound=msgspec.Struct)

PLACE_EVERY = 4096
"""Records between two places, from which a single record is found again."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Generation(msgspec.Struct, frozen=True):
    """One build of a fold's rows over one ledger; ``created_at`` in ms."""

    id: int
    fold: str
    fold_version: int
    ledger_id: LedgerId
    state: str
    created_at: int


class Place(msgspec.Struct, frozen=True):
    """Before log position ``next`` stand the first ``size`` records of history, and no others of it."""

    size: int
    next: int


START = Place(0, 0)


class Saved(msgspec.Struct, frozen=True):
    """Where a generation stands in a partition: the next log position, and the chain up to it."""

    next: int
    state: ChainState


class Row(msgspec.Struct, Generic[F], gc=False):
    """A subject: its head, history and facts. Belongs to one view, which changes it in place."""

    subject: str
    sort: str
    head: Head = NO_HEAD
    done: bytes = EMPTY_DONE
    recent: list[int] = []
    facts: F | None = None


def new_row(subject: str) -> Row[F]:
    """The row of a subject without records."""
    return Row(subject, subject.partition("/")[0])


class Batch(msgspec.Struct, frozen=True):
    """What a commit writes: rows and position together.

    ``rows`` and ``chunks`` are values in the order of their tables' columns.
    """

    generation: Generation
    partition: int
    expected: int
    """The position that must still be the stored one."""
    next: int
    state: ChainState
    register_moved: bool
    place: Place | None
    rows: list[tuple[Column | bytes, ...]]
    chunks: list[tuple[Column, ...]]


class PartitionView(Generic[F]):
    """One partition of one generation. Owned by one task; no I/O."""

    def __init__(
        self,
        fold: Fold[F],
        generation: Generation,
        partition: int,
        saved: Saved,
        *,
        capacity: int = 4096,
        known: Collection[int] = KNOWN_VERSIONS,
    ) -> None:
        """Go on from ``saved``; ``capacity`` rows are held beside those in work (up to twice as many)."""
        self.fold = fold
        self.generation = generation
        self.partition = partition
        self.next = saved.next
        self._follower = Follower(generation.ledger_id, saved.state, known=known)
        self._cut = saved  # up to here everything is in a batch
        self._committed = saved.next  # up to here it is in the store
        # Two halves instead of a list by last use: when the young half is full it becomes the old one, and the rows of
        # the old one that nobody asked for are forgotten.  Costs nothing per record.
        self._capacity = max(1, capacity)
        self._piece: dict[bytes | None, Row[F]] = {}  # by key, as messages come with it
        self._young: dict[str, Row[F]] = {}
        self._old: dict[str, Row[F]] = {}
        self._changed: dict[str, Row[F]] = {}
        self._flying: dict[str, Row[F]] = {}
        self._chunks: list[tuple[Column, ...]] = []
        # From an empty partition on nothing is in the store that the view does not hold, until it forgets something.
        self._holds_all = saved.state.size == 0
        self._sorts = fold.sorts
        self._searched = tuple(c.name for c in PROJECTIONS[fold.name].c if c.name not in FIXED)
        self._blank: tuple[Column, ...] = (None,) * len(self._searched)

    @property
    def state(self) -> ChainState:
        """The chain's state after the last record taken."""
        return self._follower.state

    @property
    def settled(self) -> Settled:
        """What the authorities settled in this partition."""
        return self._follower.settled

    @settled.setter
    def settled(self, settled: Settled) -> None:
        self._follower.settled = settled

    @property
    def pending(self) -> int:
        """Positions passed since the last cut."""
        return self.next - self._cut.next

    @property
    def bases(self) -> frozenset[int]:
        """The positions at which the store may stand while nobody has overtaken this view."""
        return frozenset((self._committed, self._cut.next))

    def missing(self, messages: Iterable[Stored]) -> list[str]:
        """Subjects of the messages to be taken next whose rows must be learnt first; holds on to the other rows."""
        self._piece = {}
        missing = set()
        for key in {m.key for m in messages if m.key is not None}:
            subject = key.decode("ascii", "replace")  # a key that is not ASCII is refused when its message is taken
            row = self._row(subject)
            if row is None:
                missing.add(subject)
            else:
                self._piece[key] = row
        return sorted(missing)

    def learn(self, asked: Iterable[str], rows: Mapping[str, Row[F]]) -> None:
        """Take in the rows of the subjects asked for; those without a row are known to be new."""
        for subject in asked:
            row = self._piece[subject.encode()] = rows.get(subject) or new_row(subject)
            self._keep(row)

    def take(self, stored: Stored, seal: Seal | None = None, *, pass_over: bool = False) -> Record | Repeated | Ahead:
        """Pass one message: check it and fold it. What was changed is in the next ``cut``.

        A ``Repeated`` is not passed: compare it with the first record of its index, then ``skip`` it.

        Args:
            stored: the message.
            seal: its own, if ``ledger.chain.read_ahead`` has read it.
            pass_over: should the fold be unable to digest the record, leave the subject's facts as they were and move
                everything else (head, history, chain) on. The ledger must say so: a sealed ``poison.skipped``.

        Raises:
            ChainError: it does not follow. The view stands before it, as in the following cases.
            UnknownVersion: the ledger adopted a version that this release does not know.
            PoisonRecord: the fold could not digest the record.
        """
        key = stored.key
        row = self._piece.get(key) or self._row("" if key is None else key.decode("ascii", "replace"))
        if row is None and key is not None:
            raise MisuseError(f"expected the row of {key!r} to be learnt before its messages are taken")
        follower = self._follower
        taken = follower.look(stored, NO_HEAD if row is None else row.head, seal)
        if type(taken) is Record:
            self._fold(row, taken, pass_over)
            follower.advance(taken)
        elif type(taken) is Repeated:
            return taken
        self.next = stored.position + 1
        return taken

    def skip(self, stored: Stored) -> None:
        """Pass a message that changes nothing."""
        self.next = stored.position + 1

    def _fold(self, row: Row[F] | None, record: Record, pass_over: bool) -> None:
        assert row is not None  # the follower has found the subject equal to the key
        if row.sort in self._sorts:
            try:
                row.facts = self.fold.evolve(row.facts, record)
            except (UnknownVersion, MemoryError):
                raise
            except Exception as error:  # a fold must not raise at all, so nothing can be said about what it raises
                if not pass_over:
                    raise self._poison(record, error) from error
        seal = record.seal
        row.head = Head(seal.seq, record.leaf)
        recent = row.recent
        recent.append(seal.index)
        self._changed[row.subject] = row
        if len(recent) == CHUNK:
            self._complete(row)

    def _poison(self, record: Record, error: Exception) -> PoisonRecord:
        return PoisonRecord(  # the error's kind alone: its words may quote the record
            f"partition {self.partition}, index {record.index}: expected the fold {self.fold.name} to "
            f"digest a {record.event.type}, found {type(error).__name__}",
            partition=self.partition,
            position=record.position,
            index=record.index,
            leaf=record.leaf,
            subject=record.subject,
            type_=record.event.type,
        )

    def _complete(self, row: Row[F]) -> None:
        indices = _encode(row.recent)
        row.done = next_done(row.done, indices)
        number = row.head.seq // CHUNK - 1
        self._chunks.append((self.generation.id, self.partition, row.subject, number, indices.decode()))
        row.recent = []

    def cut(self) -> Batch | None:
        """Everything since the last cut as a batch, or None where there is nothing; one may be under way at a time."""
        if self.next == self._cut.next:
            return None
        if self._cut.next != self._committed:
            raise MisuseError("expected the batch before this one to be committed first")
        state, before = self.state, self._cut.state
        batch = Batch(
            generation=self.generation,
            partition=self.partition,
            expected=self._cut.next,
            next=self.next,
            state=state,
            register_moved=state.register is not before.register,
            place=Place(state.size, self.next) if state.size // PLACE_EVERY > before.size // PLACE_EVERY else None,
            rows=[self._written(row) for row in self._changed.values()],
            chunks=self._chunks,
        )
        self._flying, self._changed, self._chunks = self._changed, {}, []
        self._cut = Saved(self.next, state)
        return batch

    def committed(self, batch: Batch) -> None:
        """The store has taken the batch."""
        self._committed = batch.next
        self._flying = {}

    def _written(self, row: Row[F]) -> tuple[Column | bytes, ...]:
        recent = _encode(row.recent)
        facts, searched = None, self._blank
        if row.facts is not None:
            said = self.fold.columns(row.facts)
            facts, searched = _encode(row.facts), tuple([said[name] for name in self._searched])
        head = row.head
        return (
            self.generation.id,
            self.partition,
            row.subject,
            row.sort,
            head.seq,
            head.leaf,
            row.done,
            recent.decode(),
            row_digest(row.subject, head.seq, head.leaf, row.done, recent, facts),
            *searched,
            None if facts is None else facts.decode(),
        )

    def _row(self, subject: str) -> Row[F] | None:
        row = self._piece.get(subject.encode()) or self._young.get(subject)
        if row is not None:
            return row
        row = self._old.get(subject) or self._changed.get(subject) or self._flying.get(subject)
        if row is None:
            if not self._holds_all:
                return None
            row = new_row(subject)
        self._keep(row)
        return row

    def _keep(self, row: Row[F]) -> None:
        if len(self._young) >= self._capacity:
            self._holds_all = self._holds_all and not self._old
            self._old, self._young = self._young, {}
        self._young[row.subject] = row
