"""What must hold of a ledger, whatever happened to those who wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from consumers.audit import audit
from consumers.replay import replay
from ledger.ids import LedgerId
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Stored, header
from ledger.outcome import read_outcome
from ledger.seal import EMPTY_PAST, Seal, entry, leaf_hash, next_past, read_seal
from ledger.submission import SEAL_HEADER
from projections.cases import CasesFold
from projections.store import Store
from projections.view import Generation

FOLD = CasesFold()
_WAIT = 5.0  # a broker may know of an end a moment before it hands out what stands before it

Told = tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]
"""A message without its position: timestamp, key, value, headers."""


class Seen(msgspec.Struct, frozen=True):
    """What readers see of one partition: its history, and the first outcome of each (epoch, offset)."""

    history: list[Told]
    seals: list[Seal]
    outcomes: dict[tuple[int, int], Told]
    dispositions: dict[tuple[int, int], int]
    repeated: int

    def __eq__(self, other: object) -> bool:
        """Equal history and outcomes; how often something was written again does not matter."""
        return isinstance(other, Seen) and (self.history, self.outcomes) == (other.history, other.outcomes)

    __hash__ = None  # type: ignore[assignment]


async def everything(log: Log, topic: str, partition: int) -> list[Stored]:
    """All messages of a partition."""
    reader = log.reader(topic, partition)
    found: list[Stored] = []
    end = await log.end(topic, partition)
    try:
        while reader.position < end and (piece := await reader.read(1000, _WAIT)):
            found += piece
    finally:
        await reader.close()
    return found


def told(stored: Stored) -> Told:
    """A message as it was appended."""
    return stored.timestamp, stored.key, stored.value, stored.headers


async def seen(log: Log, partition: int) -> Seen:
    """The partition as a reader sees it, who finds no fork, nothing ahead, and no two answers to one submission."""
    history: list[Told] = []
    seals: list[Seal] = []
    leaves: list[bytes] = []
    repeated = 0
    for stored in await everything(log, LEDGER, partition):
        text = header(stored.headers, SEAL_HEADER)
        assert text is not None, f"partition {partition}, position {stored.position}: no seal"
        seal = read_seal(text)
        leaf = leaf_hash(entry(text, stored.value or b""))
        if seal.index < len(leaves):
            assert leaf == leaves[seal.index], f"partition {partition}: a fork at index {seal.index}"
            repeated += 1
            continue
        assert seal.index == len(leaves), f"partition {partition}: index {seal.index} came before {len(leaves)}"
        leaves.append(leaf)
        seals.append(seal)
        history.append(told(stored))
    outcomes: dict[tuple[int, int], Told] = {}
    dispositions: dict[tuple[int, int], int] = {}
    for stored in await everything(log, OUTCOMES, partition):
        key, outcome = read_outcome(stored)
        assert key.partition == partition
        place = (key.epoch, key.offset)
        assert outcomes.setdefault(place, told(stored)) == told(stored), f"two answers to {place} of {partition}"
        dispositions[place] = outcome.n
    return Seen(history, seals, outcomes, dispositions, repeated)


def check_answers(submissions: Sequence[Stored], found: Seen, epoch: int = 0) -> None:
    """Every submission has one answer, with its own bytes, and ``past`` counts all of them."""
    sealed = {(s.epoch, s.offset): i for i, s in enumerate(found.seals)}
    assert len(sealed) == len(found.seals), "a submission was sealed twice"
    identities = [_identity(value) for _, _, value, _ in found.history]
    assert len(set(identities)) == len(identities), "an identity was sealed twice"
    past = EMPTY_PAST
    for stored in submissions:
        place = (epoch, stored.position)
        assert (place in sealed) != (place in found.outcomes), f"expected one answer to {place}, found none or two"
        if place in sealed:
            index = sealed[place]
            assert found.history[index][2] == stored.value
            assert found.seals[index].past == past.hex(), f"past of index {index}"
        else:
            assert found.outcomes[place][2] == stored.value
        said = found.dispositions.get(place, 0)
        past = next_past(past, epoch, stored.position, said, sha256(stored.value or b"").digest())


def _identity(value: bytes | None) -> tuple[str, str, str]:
    event = msgspec.json.decode(value or b"{}")
    return event["subject"], event["source"], event["id"]


async def check_audit(log: Log, ledger_id: LedgerId, partitions: int) -> None:
    """The audit finds nothing, and the register is the same everywhere."""
    reports = await audit(log, ledger_id, range(partitions))
    assert [r.fault for r in reports] == [None] * partitions
    assert [r.ahead for r in reports] == [0] * partitions
    assert len({r.register_seq for r in reports}) == 1, [r.register_seq for r in reports]


async def check_all(log: Log, ledger_id: LedgerId, partitions: int) -> list[Seen]:
    """All of this, of all partitions."""
    views = []
    for partition in range(partitions):
        view = await seen(log, partition)
        check_answers(await everything(log, SUBMISSIONS, partition), view)
        views.append(view)
    await check_audit(log, ledger_id, partitions)
    return views


def answered(view: Seen) -> dict[int, bytes | None]:
    """The bytes that each submission's record or outcome holds."""
    sealed = {seal.offset: record[2] for seal, record in zip(view.seals, view.history, strict=True)}
    return sealed | {offset: outcome[2] for (_, offset), outcome in view.outcomes.items()}


async def check_acknowledged(log: Log, views: Sequence[Seen], acknowledged: Sequence[tuple[int, int, str]]) -> None:
    """Each (partition, offset, id) that a publisher was told holds its event (id "-": unknown), and is answered."""
    for partition, view in enumerate(views):
        submitted = {s.position: s.value or b"" for s in await everything(log, SUBMISSIONS, partition)}
        answers = answered(view)
        for _, offset, id_ in (a for a in acknowledged if a[0] == partition):
            assert id_ == "-" or f'"{id_}"'.encode() in submitted[offset]
            assert answers[offset] == submitted[offset]


async def rebuilt(log: Log, store: Store, ledger_id: LedgerId, partitions: int) -> list[bytes]:
    """The digests of rows that are made anew from the ledger."""
    generation = store.new_generation(FOLD, ledger_id)
    outcome = await replay(log, store, FOLD, generation)
    assert not outcome.stopped
    return digests(store, generation, partitions)


def digests(store: Store, generation: Generation, partitions: int) -> list[bytes]:
    """The digest of each partition, every row checked."""
    return [store.digest(generation, p, check=True)[1] for p in range(partitions)]
