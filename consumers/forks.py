"""Looking for forks: the indices at which a partition's log holds different records, and what is settled about each.

It looks at indices and leaves alone, so it sees behind the first fork and behind whatever does not follow; whether
records are right is for the audit to say.  A record that was forged at the tail and has no rival yet is none to it
either: only admission tells (``consumers/registrar.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from consumers.settlements import Settlements
from consumers.tail import leaf_of, seal_of
from ledger.errors import FormatError
from ledger.event import read_event
from ledger.log import LEDGER, Log, Stored, header
from ledger.settlement import Settled
from ledger.submission import SEAL_HEADER

_READ = 2000


class Rival(msgspec.Struct, frozen=True):
    """One of the records at a forked index; ``leaf`` is hex, ``position`` its first place in the log."""

    leaf: str
    position: int
    admitted: int
    subject: str
    type: str
    source: str
    id: str


class Fork(msgspec.Struct, frozen=True):
    """An index with more than one record; ``settled`` is the leaf (hex) that counts, if the authorities named one."""

    partition: int
    index: int
    rivals: tuple[Rival, ...]
    settled: str | None

    @property
    def place(self) -> str:
        """``<partition>/<index>``, as commands take it."""
        return f"{self.partition}/{self.index}"


async def find_forks(log: Log, settlements: Settlements, partitions: Sequence[int]) -> list[Fork]:
    """The forks of some partitions up to where they end now; keeps 32 bytes a record in memory.

    Raises:
        LogUnavailable: the log does not answer.
    """
    found = []
    for partition in partitions:
        found += await _Survey(log, partition, settlements.of(partition), settlements).run()
    return found


class _Survey:
    def __init__(self, log: Log, partition: int, settled: Settled, settlements: Settlements) -> None:
        self._log = log
        self._partition = partition
        self._settled = settled
        self._register = settlements.register
        self._leaves = bytearray()  # of the first record at each next index
        self._firsts: list[int] = []  # their positions
        self._rivals: dict[int, dict[bytes, Stored]] = {}
        self._passed: dict[int, dict[bytes, Stored]] = {}  # overruled before the settled one came

    async def run(self) -> list[Fork]:
        end = await self._log.end(LEDGER, self._partition)
        reader = self._log.reader(LEDGER, self._partition)
        try:
            while reader.position < end and (messages := await reader.read(_READ)):
                for stored in messages:
                    self._take(stored)
        finally:
            await reader.close()
        indices = sorted({*self._rivals, *self._passed, *(i for i in self._settled.indices if i < len(self._firsts))})
        return [await self._fork(index) for index in indices]

    def _take(self, stored: Stored) -> None:
        seal = seal_of(stored)
        if seal is None or seal.index > len(self._firsts):
            return
        leaf = leaf_of(header(stored.headers, SEAL_HEADER) or b"", stored)
        if seal.index < len(self._firsts):
            if leaf != self._leaves[32 * seal.index : 32 * seal.index + 32]:
                self._rivals.setdefault(seal.index, {}).setdefault(leaf, stored)
        elif self._settled and self._settled.leaf(seal.index, self._register) not in (None, leaf):
            self._passed.setdefault(seal.index, {}).setdefault(leaf, stored)
        else:
            self._leaves += leaf
            self._firsts.append(stored.position)

    async def _fork(self, index: int) -> Fork:
        rivals = {**self._passed.get(index, {}), **self._rivals.get(index, {})}
        if index < len(self._firsts):
            reader = self._log.reader(LEDGER, self._partition, self._firsts[index])
            try:
                (first,) = await reader.read(1)
            finally:
                await reader.close()
            rivals[bytes(self._leaves[32 * index : 32 * index + 32])] = first
        named = self._settled.leaf(index, self._register)
        ordered = sorted(rivals.items(), key=lambda item: item[1].position)
        shown = tuple(_rival(leaf, stored) for leaf, stored in ordered)
        return Fork(self._partition, index, shown, None if named is None else named.hex())


def _rival(leaf: bytes, stored: Stored) -> Rival:
    seal = seal_of(stored)
    try:
        event = read_event(stored.value or b"")
        says = str(event.subject), event.type, event.source, event.id
    except FormatError:
        says = "", "(no event)", "", ""
    return Rival(leaf.hex(), stored.position, seal.admitted if seal else 0, *says)
