"""Finding one record in the log again, by its index.

History is the first record at each next index (at a forked one, the one that the authorities named), so an index alone
does not say where its record stands: repeated and ignored messages lie between.  A finder reads forward from a known
place (``Place(size, next)``: before log position ``next`` stand exactly the first ``size`` records) and counts; from
one place it needs at most some thousand messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from ledger.errors import ChainError, ForkError, FormatError
from ledger.log import LEDGER, Log, Reader, Stored, header
from ledger.register import Register
from ledger.seal import entry, leaf_hash, read_seal
from ledger.settlement import NOTHING, Settled
from ledger.submission import SEAL_HEADER
from projections.view import PLACE_EVERY, START, Place, Saved

_PIECE = 256


class Found(msgspec.Struct, frozen=True):
    """A record of history where it stands, not checked against its neighbours. ``leaf`` is 32 bytes."""

    stored: Stored
    seal_text: bytes
    leaf: bytes


class RecordFinder:
    """Finds records of one partition; quickest in the order of their indices. Owned by one task."""

    def __init__(self, log: Log, partition: int, places: Callable[[int], Place] = lambda _: START) -> None:
        """``places`` gives a place at or before an index (``Store.place``); without it, reading begins at the start."""
        self._log = log
        self._partition = partition
        self._places = places
        self.settled = NOTHING
        """What is settled in the partition; whoever looks may replace it."""
        self._reader: Reader | None = None
        self._piece: list[Stored] = []
        self._size = 0

    async def find(self, index: int, *, before: int | None = None, register: Register | None = None) -> Found:
        """The record at an index.

        Args:
            index: of the record.
            before: it stands before this position of the log.
            register: what settlements that came in a file are judged with.

        Raises:
            ChainError: the log ends before it, or it does not stand before that position.
            LogUnavailable: the log does not answer.
        """
        if self._reader is None or not self._size <= index < self._size + PLACE_EVERY:
            await self._restart(index)
        assert self._reader is not None
        where = f"partition {self._partition}"
        while True:
            while self._piece:
                stored = self._piece.pop()
                text = header(stored.headers, SEAL_HEADER)
                if before is not None and stored.position >= before:
                    await self.close()  # this look went too far to go on from here
                    raise ChainError(
                        f"{where}: expected a record at index {index} before position {before}, found none"
                    )
                if text is None or stored.value is None or read_index(text) != self._size:
                    continue
                if self.settled and self.settled.leaf(self._size, register) not in (None, _leaf(text, stored.value)):
                    continue
                self._size += 1
                if self._size == index + 1:
                    return Found(stored, text, _leaf(text, stored.value))
            self._piece = (await self._reader.read(_PIECE))[::-1]
            if not self._piece:
                raise ChainError(f"{where}: expected a record at index {index}, found the log's end at {self._size}")

    async def close(self) -> None:
        """Give back the reader."""
        if self._reader is not None:
            await self._reader.close()
            self._reader = None

    async def _restart(self, index: int) -> None:
        place = await asyncio.to_thread(self._places, index)
        self._size, self._piece = place.size, []
        if self._reader is None:
            self._reader = self._log.reader(LEDGER, self._partition, place.next)
        else:
            self._reader.seek(place.next)


def check_fork(place: str, first: bytes | None, other: bytes, settled: bytes | None) -> None:
    """Whether a reader may go on past another leaf at an old index, given the leaf that the authorities named.

    Args:
        place: ``<partition>/<index>``.
        first: the leaf that the reader has there; None if it is not the one that the authorities named.
        other: the leaf found now.
        settled: the leaf that they named.

    Raises:
        ForkError: they named none, or one that this reader does not have there.
    """
    if settled is None:
        raise ForkError(
            f"index {place}: expected leaf {(first or b'').hex()}, found {other.hex()} as well; the authorities must "
            f"settle which one counts: `rogatory fork show {place}`"
        )
    if settled != first:
        raise ForkError(
            f"index {place}: expected the record that the authorities settled for, leaf {settled.hex()}, found that "
            "these rows were made with another one: `rogatory rebuild` makes them again"
        )


def _leaf(seal_text: bytes, value: bytes) -> bytes:
    return leaf_hash(entry(seal_text, value))


def read_index(seal: bytes) -> int | None:
    """The index that a seal claims; None where it is no seal."""
    try:
        return read_seal(seal).index
    except FormatError:
        return None


async def holds_settled(log: Log, saved: Saved, settled: Settled) -> bool:
    """Whether rows that stand at ``saved`` were made with the records that the authorities settled for since.

    Raises:
        LogUnavailable: the log does not answer.
    """
    finder = RecordFinder(log, saved.state.partition)
    finder.settled = settled
    try:
        for index in settled.indices:
            if index < saved.state.size:
                await finder.find(index, before=saved.next, register=saved.state.register)
    except ChainError:
        return False
    finally:
        await finder.close()
    return True


async def read_record(log: Log, partition: int, index: int, place: Place = START) -> Found:
    """The record at an index; ``place`` from ``Store.place`` spares reading from the start. Raises as ``find``."""
    finder = RecordFinder(log, partition, lambda _: place)
    try:
        return await finder.find(index)
    finally:
        await finder.close()
