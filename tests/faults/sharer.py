"""A process of the sharing campaign: ``python -m tests.faults.sharer TASK`` with a ``Task`` as JSON.

It shares the ledger's partitions with the others as ``rogatory run registrar`` does, and runs a herald beside.  A line
on its standard input is a request to leave; it prints ``left`` when it has, and ends with status 0.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from pathlib import Path

import msgspec

from consumers.herald import Herald
from consumers.holding import Holding
from consumers.registrar import Registrar
from infra.adapters.assignment_folder import FolderAssignment
from infra.adapters.assignment_kafka import KafkaAssignment
from infra.adapters.state_file import SqliteStateFile
from infra.workers import together
from ledger.assignment import Assignment, Member
from ledger.log import SUBMISSIONS
from tests.contracts.log_place import Place
from tests.faults.ground import registrar
from tests.faults.worker import people_of, say


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Who this is, and what is shared."""

    name: str
    place: Place
    folder: str
    """State files."""
    partitions: int
    session: float = 6.0
    standby: bool = False
    log_key: bool = True


def assignment(task: Task) -> Assignment:
    """As ``infra/sharing.py`` makes it."""
    me = Member(where=task.name, log_key=task.log_key, standby=task.standby)
    if not task.place.bootstrap:
        return FolderAssignment(Path(task.place.name), task.partitions, me, interval=0.05)
    client = {"bootstrap_servers": task.place.bootstrap}
    return KafkaAssignment(client, task.place.name, task.partitions, me, session=task.session)


async def main(task: Task) -> None:
    """Share until told to leave."""
    people = people_of(task.partitions)
    log = task.place.open(10.0)

    async def open_(partition: int, stop: asyncio.Event) -> Registrar:
        del stop
        return registrar(log, people, partition, SqliteStateFile(Path(task.folder) / f"p{partition}.sqlite", partition))

    holding = Holding(assignment(task), task.partitions, open_, lambda p: log.end(SUBMISSIONS, p), standby=task.standby)
    herald = Herald(log, task.partitions, time.monotonic)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.readline(), loop.call_soon_threadsafe(stop.set)), daemon=True).start()
    say("ready")
    try:
        await together([holding.run(stop), herald.run(stop)], stop)
    finally:
        await herald.close()
        await log.close()
    say("left")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Task)))
