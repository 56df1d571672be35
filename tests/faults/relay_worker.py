"""The relay that the kill campaign kills: ``python -m tests.faults.relay_worker TASK`` with a ``RelayTask`` as JSON.

It prints ``ready``, works until a line comes on standard input, and ends with status 0.  It can be told to die at the
``n``-th of its steps of a sort, before or after it:

``take``     rows are taken from the outbox (and locked, where the database does that)
``append``   they are appended to ``submissions``
``mark``     they are marked as submitted (``within``: the marks are written and not committed)
``answer``   what became of rows is written
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Collection, Sequence

import msgspec
import sqlalchemy as sa

from producers.outbox_answers import Answer
from producers.outbox_store import Hold, Mark, OutboxStore, Piece
from producers.relay import Limits
from tests.contracts.log_place import Place
from tests.faults.faulty import GatedLog, Write
from tests.faults.worker import Kill, Reaper, say
from tests.faults.world import People
from tests.outboxes import relay_of


class RelayTask(msgspec.Struct, frozen=True, kw_only=True):
    """What to relay, from where to where."""

    url: str
    place: Place
    partitions: int
    kill: Kill | None = None


def people_of(partitions: int) -> People:
    """The same people in all processes."""
    return People(partitions, "relays")


class GatedPiece(Piece):
    """Rows whose marking passes a gate."""

    reaper: Reaper

    def settle(self, marks: Collection[Mark], holds: Collection[Hold]) -> None:
        self.reaper(Write("mark", 0), "before")
        super().settle(marks, holds)
        self.reaper(Write("mark", 0), "after")


class GatedOutbox(OutboxStore):
    """An outbox whose steps pass a gate."""

    reaper: Reaper = Reaper(None)

    def take(self, limit: int) -> Piece:
        self.reaper(Write("take", 0), "before")
        taken = super().take(limit)
        piece = GatedPiece(self, taken.rows, taken._connection)
        piece.reaper = self.reaper
        if piece.rows:  # looks at an empty outbox are no steps
            self.reaper(Write("take", 0), "after")
        return piece

    def write_marks(self, connection: sa.Connection, marks: Sequence[Mark], holds: Sequence[Hold]) -> None:
        super().write_marks(connection, marks, holds)
        self.reaper(Write("mark", 0), "within")

    def answer(self, answers: Sequence[Answer]) -> int:
        self.reaper(Write("answer", 0), "before")
        settled = super().answer(answers)
        self.reaper(Write("answer", 0), "after")
        return settled


async def main(task: RelayTask) -> None:
    """Relay until told to end."""
    reaper = Reaper(task.kill)
    log = task.place.open(10.0)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.readline(), loop.call_soon_threadsafe(stop.set)), daemon=True).start()
    with GatedOutbox.open(task.url) as store:
        store.reaper = reaper
        few = Limits(rows=4, poll=0.02, hold=0.2)  # few, so that there are many steps to die at
        relay = relay_of(store, GatedLog(log, reaper.slow), people_of(task.partitions), limits=few)
        say("ready")
        try:
            await relay.run(stop)
        finally:
            await relay.close()
            await log.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=RelayTask)))
