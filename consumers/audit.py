"""The audit: read a ledger from its start and check everything that the ledger alone can show.

Chain, seals, places, ``past``, tree, versions, and each signature against the keys as of its record.  The
first bad record of a
partition ends that partition and is named; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from consumers.finder import check_fork
from consumers.settlements import Settlements
from ledger.chain import Ahead, ChainState, Follower, Head, Overruled, Repeated
from ledger.errors import IntegrityError, UnknownVersion
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log, Stored
from ledger.settlement import Settled, Statement
from ledger.verification import check_record

_READ = 2000

Progress = Callable[[int, int, int], None]
"""Called with partition, position, end."""


class PartitionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit of one partition found; ``fault`` is None if everything holds."""

    partition: int
    size: int
    root: str
    signatures: int
    repeated: int
    """Copies of old records, left by registrars that overlapped; harmless."""
    ahead: int
    """Messages beyond the next index: nobody of ours writes such; ignored by readers."""
    overruled: int
    """Messages at a forked index for whose rival the authorities settled."""
    register_seq: int
    fault: str | None = None
    fault_position: int | None = None


async def audit(
    log: Log,
    ledger_id: LedgerId,
    partitions: Sequence[int],
    progress: Progress | None = None,
    statements: Sequence[Statement] = (),
) -> list[PartitionReport]:
    """Check some partitions, one after the other, up to where they end now.

    Args:
        log: what is read.
        ledger_id: the ledger that it must be.
        partitions: which ones.
        progress: told how far it has come.
        statements: settlements of forks that partition 0 cannot carry yet.

    Raises:
        LogUnavailable: the log does not answer.
    """
    settlements = Settlements(log, ledger_id, statements)
    await settlements.refresh()
    return [await _Partition(log, ledger_id, p, settlements.of(p)).run(progress) for p in partitions]


class _Partition:
    """The audit of one partition. Heads and leaves of all subjects are kept in memory: about 300 bytes a subject."""

    def __init__(self, log: Log, ledger_id: LedgerId, partition: int, settled: Settled) -> None:
        self._log = log
        self._partition = partition
        self._follower = Follower(ledger_id, ChainState(partition), check_past=True)
        self._follower.settled = settled
        self._heads: dict[str, Head] = {}
        self._leaves = bytearray()
        self._signatures = self._repeated = self._ahead = self._overruled = 0

    async def run(self, progress: Progress | None) -> PartitionReport:
        end = await self._log.end(LEDGER, self._partition)
        reader = self._log.reader(LEDGER, self._partition, 0)
        fault: tuple[str, int] | None = None
        try:
            while fault is None and reader.position < end and (messages := await reader.read(_READ)):
                for stored in messages:
                    try:
                        self._take(stored)
                    except (IntegrityError, UnknownVersion) as error:
                        fault = str(error), stored.position
                        break
                if progress is not None:
                    progress(self._partition, reader.position, end)
        finally:
            await reader.close()
        state = self._follower.state
        return PartitionReport(
            partition=self._partition,
            size=state.size,
            root=state.root().hex(),
            signatures=self._signatures,
            repeated=self._repeated,
            ahead=self._ahead,
            overruled=self._overruled,
            register_seq=state.register.seq if state.register else 0,
            fault=fault[0] if fault else None,
            fault_position=fault[1] if fault else None,
        )

    def _take(self, stored: Stored) -> None:
        before = self._follower.register
        taken = self._follower.take(stored, self._heads)
        if isinstance(taken, Overruled):
            self._overruled += 1
        elif isinstance(taken, Ahead):
            self._ahead += 1
        elif isinstance(taken, Repeated):
            self._compare(taken)
        else:
            self._signatures += check_record(before, self._follower.register, taken, stored)
            self._heads[taken.subject] = Head(taken.seal.seq, taken.leaf)
            self._leaves += taken.leaf

    def _compare(self, taken: Repeated) -> None:
        known = bytes(self._leaves[32 * taken.index : 32 * taken.index + 32])
        if taken.leaf != known:
            named = self._follower.settled.leaf(taken.index, self._follower.register)
            check_fork(f"{self._partition}/{taken.index}", known, taken.leaf, named)
            self._overruled += 1
        else:
            self._repeated += 1
