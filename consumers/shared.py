"""What all partitions of one worker share: log, store, fold, and what is settled about forks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from consumers.settlements import Settlements
from ledger.log import Log, Stored
from ledger.observing import SILENT, Observer
from ledger.settlement import Settled, Statement
from projections.fold import Fold
from projections.store import Store
from projections.view import Batch, Generation

F = TypeVar("F", bound=msgspec.Struct)


class Shared(Generic[F]):
    """What all partitions of one worker share."""

    def __init__(
        self,
        log: Log,
        store: Store,
        fold: Fold[F],
        generation: Generation,
        *,
        capacity: int,
        landed: Callable[[Batch], None] = lambda _: None,
        statements: Sequence[Statement] = (),
        settlements: Settlements | None = None,
        observer: Observer = SILENT,
    ) -> None:
        """What they share.

        Args:
            log: the ledger is read from it.
            store: where rows and positions are.
            fold: what turns records into facts.
            generation: whose rows are written.
            capacity: rows kept in each half of a view.
            landed: told of each batch that is in the store.
            statements: settlements of forks that came in a file.
            settlements: what is settled, where somebody has looked already; ``statements`` are then not looked at.
            observer: told of each batch.
        """
        self.observer = observer
        self.log = log
        self.store = store
        self.fold = fold
        self.generation = generation
        self.capacity = capacity
        self.landed = landed
        self._statements = statements
        self._settlements = settlements
        self._asking = asyncio.Lock()
        self.pen = asyncio.Lock()
        """Whoever writes holds it: SQLite has one writer, and waits better here than inside the database."""

    async def known(self, partition: int) -> Settled:
        """What the authorities settled in a partition, as far as it is known here without reading the log for it.

        Raises:
            Overtaken, StoreUnavailable: as the store's ``load``.
        """
        async with self._asking:
            return (await self._settlements_known()).of(partition)

    async def settled(self, partition: int) -> Settled:
        """What the authorities settled in a partition, as far as the log says it now.

        Raises:
            LogUnavailable: the log does not answer.
            Overtaken, StoreUnavailable: as the store's ``load``.
        """
        async with self._asking:
            settlements = await self._settlements_known()
            await settlements.refresh()
            return settlements.of(partition)

    async def _settlements_known(self) -> Settlements:
        if self._settlements is None:
            # Up to there the store has followed partition 0: only what came since has to be looked at.
            saved = await asyncio.to_thread(self.store.load, self.generation, 0)
            self._settlements = Settlements(
                self.log,
                self.generation.ledger_id,
                self._statements,
                register=saved.state.register,
                position=saved.next,
            )
        return self._settlements

    def passed(self, start: int, messages: Sequence[Stored]) -> None:
        """Messages of partition 0 were taken from position ``start`` on: whoever asks need not read them again."""
        if self._settlements is not None:
            self._settlements.passed(start, messages)
