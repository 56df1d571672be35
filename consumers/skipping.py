"""Statements in a partition's ledger that let a projection pass over a record which its fold cannot digest.

A person looks at a poison record and publishes ``poison.skipped`` with subject ``ledger/<partition>``: projection,
index, leaf and, sealed, why. It is a record of the same partition and stands behind the one it speaks of, since it
names that one's leaf. A reader that meets a poison looks for it ahead of itself; whoever replays finds the same
statement, so what it decides is a function of the ledger (``docs/decisions/0011-poison-skip.md``).
"""

from __future__ import annotations

import msgspec

from consumers.finder import read_index
from ledger import catalogue
from ledger.catalogue.own import PoisonSkipped
from ledger.errors import FormatError, PoisonRecord
from ledger.event import read_event
from ledger.log import LEDGER, Log, Stored, header
from ledger.submission import SEAL_HEADER

_TYPE = "rogatory.poison.skipped.v1"
_PIECE = 2000


class _Named(msgspec.Struct, frozen=True):
    """What a statement is about; ``leaf`` is hex."""

    projection: str
    index: int
    leaf: str


class Statements:
    """The statements of one partition, read once: a later look reads only what has come since. Owned by one task."""

    def __init__(self, log: Log, partition: int) -> None:
        self._log = log
        self._partition = partition
        self._key = f"ledger/{partition}".encode()
        self._said: dict[_Named, int] = {}
        self._first = -1  # index of the record that reading began at; -1: it has not begun
        self._position = 0  # before it stand exactly ``_size`` records of history
        self._size = 0

    async def find(self, projection: str, poison: PoisonRecord) -> int | None:
        """The index of the statement that a projection may pass over this record; None: nobody has said so.

        Raises:
            LogUnavailable: the log does not answer; ask again.
        """
        wanted = _Named(projection, poison.index, poison.leaf.hex())
        if wanted not in self._said:
            if not 0 <= self._first <= poison.index:
                self._first = self._size = poison.index
                self._position = poison.position
            await self._read_on()
        return self._said.get(wanted)

    async def _read_on(self) -> None:
        reader = self._log.reader(LEDGER, self._partition, self._position)
        try:
            while piece := await reader.read(_PIECE):
                for stored in piece:
                    self._pass(stored)
        finally:
            await reader.close()

    def _pass(self, stored: Stored) -> None:
        self._position = stored.position + 1
        text = header(stored.headers, SEAL_HEADER)
        if text is None or stored.value is None or read_index(text) != self._size:
            return  # no record of history, which is the first at each next index
        self._size += 1
        if stored.key != self._key:
            return
        try:
            event = read_event(stored.value)
            data = catalogue.decode_data(catalogue.known(event.type), event.data) if event.type == _TYPE else None
        except FormatError:
            return  # the chain will be judged where the reader comes to it
        if isinstance(data, PoisonSkipped):
            self._said.setdefault(_Named(data.projection, data.index, data.leaf), self._size - 1)
