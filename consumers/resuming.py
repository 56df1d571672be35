"""Where a registrar goes on: whether its saved state fits the ledger, and the submissions the ledger.

Nothing here changes anything. What does not fit either costs time (the state is derived again) or stops the
partition (somebody exchanged one of the logs).
"""

from __future__ import annotations

from consumers.tail import leaf_of, seal_of
from ledger.admission import PartitionState, opens_epoch
from ledger.errors import ConfigError, IntegrityError
from ledger.ids import LedgerId
from ledger.log import LEDGER, SUBMISSIONS, Log, Stored, header
from ledger.state import Snapshot
from ledger.submission import SEAL_HEADER, Submission


async def stands(log: Log, ledger_id: LedgerId, partition: int, snapshot: Snapshot) -> bool:
    """Whether a saved state's last record stands at its place in the ledger (which may have been truncated).

    Args:
        log: carries the ledger.
        ledger_id: the ledger's.
        partition: which one.
        snapshot: what was saved.

    Raises:
        ConfigError: it is another ledger's or partition's state, which must not be cleared.
        IntegrityError: the ledger is empty.
        LogUnavailable: the log does not answer.
    """
    if (snapshot.ledger_id, snapshot.partition) != (ledger_id, partition):
        raise ConfigError(
            f"expected the state of partition {partition} of {ledger_id}, found that of partition "
            f"{snapshot.partition} of {snapshot.ledger_id}: give this registrar a state folder of its own (--data, "
            "or ROGATORY_STATE), and do not delete that one"
        )
    if snapshot.index == 0:
        return True
    if await log.end(LEDGER, partition) == 0:
        raise IntegrityError(
            f"partition {partition}: expected the {snapshot.index} records that this registrar has seen in "
            "the ledger, found it empty: somebody made the topic anew. Restore it from a mirror or a backup. If it "
            "is lost for good, move the partition's state file away: all submissions are then admitted again, "
            "which writes the same records"
        )
    stored = await _one(log, LEDGER, partition, snapshot.ledger_next - 1)
    text = header(stored.headers, SEAL_HEADER) if stored else None
    return stored is not None and text is not None and leaf_of(text, stored) == snapshot.last_leaf


async def resume_at(log: Log, state: PartitionState, ledger_next: int) -> int:
    """The offset to read submissions on from, after a look whether they are still the ones that were sealed.

    Args:
        log: carries the ledger.
        state: what admission knows.
        ledger_next: the position in the ledger behind the state's last record.

    Raises:
        IntegrityError: they are not, and the log does not begin with ``submissions.reopened``.
        LogUnavailable: the log does not answer.
    """
    partition = state.partition
    first = await _one(log, SUBMISSIONS, partition, 0)
    if state.index and first is not None and opens_epoch(state, Submission.of(first, state.epoch + 1)):
        return 0
    record = await _one(log, LEDGER, partition, ledger_next - 1 if state.index else 0)
    seal = seal_of(record) if record else None
    if record is None or seal is None:
        return state.offset + 1  # nothing, or a stray message; what it means for readers is theirs to say
    if seal.index != max(state.index - 1, 0):
        return state.offset + 1  # ahead of its index: no record of history
    submitted = await _one(log, SUBMISSIONS, partition, seal.offset)
    if submitted is None or submitted.value != record.value or seal.epoch != state.epoch:
        raise IntegrityError(
            f"partition {partition}: expected the bytes of ledger record {seal.index} at offset "
            f"{seal.offset} of the submissions of epoch {state.epoch}, found "
            f"{'other bytes' if submitted else 'nothing'}; a submissions log that was made anew begins with "
            "submissions.reopened, and needs the saved state"
        )
    return state.offset + 1


async def _one(log: Log, topic: str, partition: int, position: int) -> Stored | None:
    reader = log.reader(topic, partition, position)
    try:
        found = await reader.read(1)
    finally:
        await reader.close()
    return found[0] if found and found[0].position == position else None
