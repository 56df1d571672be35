"""How far everything is behind, partition by partition: registrars, register, projections, and who is at work."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import sqlalchemy as sa

from consumers.lag import Progress, progress
from consumers.register_tail import RegisterTail
from infra.adapters.cache_file import BookmarkFiles
from infra.judging import waiting
from infra.projecting import FOLD
from infra.reading import is_held
from infra.sharing import assignment
from infra.wiring import Ledger
from ledger.assignment import Member
from ledger.errors import ConfigError, LogError, StoreUnavailable
from ledger.ids import LedgerId
from projections import poison
from projections.store import Store

_HERE = "a process here, by --partitions or `run all`"


class Behind(msgspec.Struct, frozen=True):
    """A projection's live rows of one partition: the position in the ledger log that comes next, and what is behind."""

    next: int
    behind: int
    poison: str | None


class PartitionLag(msgspec.Struct, frozen=True):
    """One partition. Ages are seconds."""

    partition: int
    submissions: int
    decided: int
    waiting: int
    oldest_age: float | None
    ledger_end: int
    records: int
    register_missing: int
    """Register events that it has not followed yet."""
    holder: str | None
    standbys: dict[str, int]
    """Who follows it, and how many submissions they had decided when they last said so."""
    stopped: str | None
    projections: dict[str, Behind]

    @property
    def worst(self) -> int:
        """The largest of its figures."""
        return max(self.waiting, self.register_missing, *(p.behind for p in self.projections.values()))


class Lag(msgspec.Struct, frozen=True):
    """All of it. ``at`` is ms since 1970-01-01T00:00Z."""

    ledger_id: LedgerId
    at: int
    partitions: list[PartitionLag]
    judgement_waiting: int | None
    """Subjects that wait for judgement; None: nothing is known of it."""
    notes: list[str]
    """What could not be found out."""


class Meter:
    """Measures one ledger again and again. Owned by one task."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._unjudged: int | None = None
        marks = BookmarkFiles(ledger.cache_folder())
        self._tails = [RegisterTail(ledger.log, p, marks) for p in range(ledger.partitions)]

    async def measure(self) -> Lag:
        """How far everything is now.

        Raises:
            LogUnavailable: the log does not answer.
        """
        ledger, notes = self._ledger, []
        for tail in self._tails:
            await tail.new()
            tail.save()
        try:
            members = await assignment(ledger).members()
        except LogError as error:
            members = []
            notes.append(f"who holds what is not known: {error}")
        found = [await progress(ledger.log, p) for p in range(ledger.partitions)]
        try:
            projections = self._projections(found)
        except (StoreUnavailable, ConfigError, sa.exc.SQLAlchemyError) as error:
            projections = {}
            notes.append(f"how far the projections are is not known: {str(error).splitlines()[0]}")
        now = int(time.time() * 1000)
        return Lag(
            ledger.ledger_id,
            now,
            [self._of(one, members, projections.get(one.partition, {}), now) for one in found],
            self._unjudged,
            notes,
        )

    def _of(self, one: Progress, members: list[Member], projections: dict[str, Behind], now: int) -> PartitionLag:
        partition = one.partition
        holder = next((m for m in members if partition in m.held), None)
        who = holder.where if holder else _HERE if is_held(self._ledger.state_path(partition)) else None
        return PartitionLag(
            partition=partition,
            submissions=one.submitted,
            decided=one.consumed,
            waiting=one.waiting,
            oldest_age=None if one.oldest is None else max(0.0, (now - one.oldest) / 1000),
            ledger_end=one.ledger_end,
            records=one.sealed,
            register_missing=max(0, len(self._tails[0].places) - len(self._tails[partition].places)),
            holder=who,
            standbys={m.where: m.warm[partition] for m in members if partition in m.warm and m is not holder},
            stopped=holder.stopped.get(partition) if holder else None,
            projections=projections,
        )

    def _projections(self, found: list[Progress]) -> dict[int, dict[str, Behind]]:
        """By partition and name, of what lives in the store; nothing is made where there is none."""
        ledger = self._ledger
        url = sa.make_url(ledger.config.store)
        if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
            return {}
        told: dict[int, dict[str, Behind]] = {one.partition: {} for one in found}
        self._unjudged = None
        with ledger.store() as store:
            live = [g for g in store.generations(ledger.ledger_id) if g.state == "live"]
            if not live:
                return {one.partition: {FOLD.name: Behind(0, one.ledger_end, None)} for one in found}
            reasons = self._poison(store)
            for generation in live:
                self._unjudged = waiting(store, generation)
                for one in found:
                    at = store.load(generation, one.partition).next
                    told[one.partition][generation.fold] = Behind(
                        at, max(0, one.ledger_end - at), reasons.get((generation.id, one.partition))
                    )
        return told

    def _poison(self, store: Store) -> dict[tuple[int, int], str]:
        noted = poison.standing(store, self._ledger.ledger_id)
        return {(n.generation, n.partition): f"record {n.index} of {n.type}: {n.reason}" for n in noted}

    async def close(self) -> None:
        """Give back readers."""
        for tail in self._tails:
            await tail.close()
