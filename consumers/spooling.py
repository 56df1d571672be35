"""Reading a ledger into a spool: all its records, checked to follow from each other, for who needs another order.

What the log has beside them (repetitions, messages beyond the next index, records that were settled against) is left
out as every reader leaves it out.  Signatures are not looked at: that is ``rogatory check``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from consumers.finder import check_fork
from consumers.settlements import Settlements
from ledger.chain import ChainState, Follower, Head, Record, Repeated
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log

_READ = 2000

Progress = Callable[[int], None]
"""Told how many messages were read."""


class Spool(Protocol):
    """Keeps records and the heads of their subjects. Owned by one task; calls are synchronous."""

    def heads(self, partition: int) -> Mapping[str, Head]:
        """The last record of each subject of a partition."""
        ...

    def add(self, record: Record) -> None:
        """Keep a record; it is the new head of its subject."""
        ...

    def leaf(self, partition: int, index: int) -> bytes:
        """The leaf of a record that was added."""
        ...


async def spool(
    log: Log, ledger_id: LedgerId, settlements: Settlements, partitions: int, into: Spool, progress: Progress
) -> dict[int, tuple[int, str]]:
    """Put the records of all partitions, up to where they end now, into a spool; size and root (hex) of each.

    Raises:
        IntegrityError: a record does not follow from those before it, or there are two at one index.
        UnknownVersion: the ledger adopted a version that this release does not know.
        LogUnavailable: the log does not answer.
    """
    found: dict[int, tuple[int, str]] = {}
    done = 0
    for partition in range(partitions):
        follower = Follower(ledger_id, ChainState(partition), check_past=True)
        follower.settled = settlements.of(partition)
        heads = into.heads(partition)
        end = await log.end(LEDGER, partition)
        reader = log.reader(LEDGER, partition, 0)
        try:
            while reader.position < end and (messages := await reader.read(_READ)):
                for stored in messages:
                    taken = follower.take(stored, heads)
                    if isinstance(taken, Record):
                        into.add(taken)
                    elif isinstance(taken, Repeated):
                        _compare(follower, taken, into)
                done += len(messages)
                progress(done)
        finally:
            await reader.close()
        found[partition] = follower.size, follower.state.root().hex()
    return found


def _compare(follower: Follower, taken: Repeated, into: Spool) -> None:
    known = into.leaf(follower.partition, taken.index)
    if taken.leaf != known:
        named = follower.settled.leaf(taken.index, follower.register)
        check_fork(f"{follower.partition}/{taken.index}", known, taken.leaf, named)
