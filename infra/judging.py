"""Judging for an open ledger: after a replay until nothing waits, and beside the loops that keep the rows up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from consumers.judging import Progress, judge_all, judge_on
from infra.rulebooks import Rulebooks
from projections.compliance.judging import Judge
from projections.compliance.rounds import count_waiting
from projections.store import Store
from projections.view import Generation

if TYPE_CHECKING:
    from infra.wiring import Ledger


_MANY = 1000
"""Subjects after which the statistics of the database are of another store."""


def rulebooks_of(ledger: Ledger) -> Rulebooks:
    """The rulebooks that this installation keeps, in its data folder."""
    return Rulebooks(ledger.config.data / "rulebooks")


async def judged(ledger: Ledger, store: Store, generation: Generation, progress: Progress | None = None) -> int:
    """Judge all that waits in a generation; how many subjects were judged. Raises as ``judge_all``."""
    judge = Judge(store, generation, rulebooks_of(ledger).in_use)
    done = await judge_all(judge, range(ledger.partitions), progress=progress, observer=ledger.observer)
    if done >= _MANY:
        await asyncio.to_thread(store.refresh_statistics)
    return done


def waiting(store: Store, generation: Generation) -> int:
    """How many subjects of a generation wait for judgement."""
    with store.reading() as connection:
        return count_waiting(connection, generation.id)


@asynccontextmanager
async def judging(
    ledger: Ledger, store: Store, generation: Generation, stop: asyncio.Event
) -> AsyncIterator[Callable[[int], None]]:
    """Judge beside the block; it is given a function to call with the partition of each commit.

    When the block ends, the chunk in hand is finished. What goes wrong with judging beyond waiting for the store ends
    the block, too: what asks for it would be answered wrong in silence.
    """
    landed, over, taken = asyncio.Event(), asyncio.Event(), set[int]()

    def told(partition: int) -> None:
        taken.add(partition)
        landed.set()

    async def ending() -> None:
        await stop.wait()
        over.set()

    judge = Judge(store, generation, rulebooks_of(ledger).in_use)
    watching = asyncio.create_task(ending())
    working = asyncio.create_task(
        judge_on(
            judge, range(ledger.partitions), stop=over, landed=landed, taken=taken, observer=ledger.observer
        ),
        name="judging",
    )  # fmt: skip
    block = asyncio.current_task()
    assert block is not None
    failed: list[BaseException] = []

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not over.is_set():
            failed.append(error)
            block.cancel()

    working.add_done_callback(ended)
    try:
        yield told
    except asyncio.CancelledError:
        if failed:
            block.uncancel()
            raise failed[0] from None
        raise
    finally:
        over.set()
        watching.cancel()
        await asyncio.wait([working])
