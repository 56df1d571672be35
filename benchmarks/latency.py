"""From publishing to the answer of a query, in an open loop: events come at their times, whatever becomes of others.

The services are the command lines of a deployment (registrar, herald, Faust live) on a real broker and PostgreSQL.
An event is *visible* when the row's commit that contains it can be read, and its latency counts from the moment at
which it was due, not from when the publisher got to it: a system that falls behind must not slow its own questions.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.sustained import open_ledger
from benchmarks.world import World
from infra.adapters.kafka_log import KafkaLog
from infra.adapters.keys import write_key
from ledger.event import read_event
from ledger.ids import Subject
from ledger.log import LEDGER, Message, header
from ledger.seal import read_seal
from ledger.signature import parse_signature
from ledger.submission import SEAL_HEADER, SIGNATURE_HEADER
from producers.builder import Sender, Signed
from producers.publisher import Publisher
from projections.store import Store

_NAME = "open"
_PARTITIONS = 4
_WARM_UP = 20.0
"""Seconds that do not count. A service runs for months; a broker that is seconds old spends a quarter of a core, which
the others then lack, on compiling itself (its C2 threads, by ``/proc``)."""
_POLL = 0.003
_PATIENCE = 60.0


class _Poller(threading.Thread):
    """Asks PostgreSQL how far each partition's rows are, again and again."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._over = threading.Event()
        self.seen: dict[int, list[tuple[float, int]]] = {p: [] for p in range(_PARTITIONS)}

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.is_set():
                rows = connection.execute("SELECT partition, next FROM positions").fetchall()
                now = time.perf_counter()
                for partition, position in rows:
                    known = self.seen[partition]
                    if not known or known[-1][1] != position:
                        known.append((now, position))
                time.sleep(_POLL)

    def positions(self) -> list[int]:
        """The last that was seen."""
        return [known[-1][1] if known else 0 for known in self.seen.values()]

    def end(self) -> None:
        """No more questions."""
        self._over.set()
        self.join()


@contextmanager
def _services(folder: Path, bootstrap: str, store: str, ledger_id: str) -> Iterator[None]:
    environment = os.environ | {
        "ROGATORY_LEDGER": f"kafka://{bootstrap}/{_NAME}",
        "ROGATORY_LEDGER_ID": ledger_id,
        "ROGATORY_DATA": str(folder),
        "ROGATORY_STORE": store,
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "infra.cli.main", "run", service],
            env=environment,
            cwd=Path(__file__).parents[1],
            stderr=(folder / f"{service}.log").open("wb"),
        )
        for service in ("registrar", "herald", "live")
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def latency(bootstrap: str, store: str, folder: Path, rate: int, seconds: float) -> dict[str, Any]:
    """Latencies in ms at ``rate`` events a second; ``store`` is a PostgreSQL URL of an empty database."""
    world = World(partitions=_PARTITIONS)
    write_key(folder / "keys", world.log_key_file)
    asyncio.run(open_ledger(bootstrap, folder, world, _NAME))
    for state in folder.glob("p*.sqlite*"):
        state.unlink()
    messages = [_signed(message) for message in world.messages(int(rate * (seconds + _WARM_UP)))]
    Store.open(store).close()  # makes the tables, as an installation does
    with _services(folder, bootstrap, store, world.ledger_id):
        poller = _Poller(store)
        poller.start()
        due, late = asyncio.run(_publish(bootstrap, world, messages, rate, poller))
        poller.end()
    found = asyncio.run(_visible(bootstrap, due, poller))
    kept = sorted(ms for n, ms in found.items() if n >= rate * _WARM_UP)
    assert len(kept) == len(messages) - int(rate * _WARM_UP)
    at = lambda share: kept[int(share * (len(kept) - 1))]  # noqa: E731
    return {
        "p50": at(0.5),
        "p90": at(0.9),
        "p99": at(0.99),
        "max": kept[-1],
        "n": len(kept),
        "rate": rate,
        "late": late,
    }


async def _publish(
    bootstrap: str, world: World, messages: list[Signed], rate: int, poller: _Poller
) -> tuple[dict[tuple[int, int], tuple[int, float]], float]:
    """When each (partition, offset) was due, and by how much the publisher itself was late at most, in ms."""
    gc.collect()
    gc.freeze()  # tens of thousands of events made beforehand are no work of a publisher's
    log = KafkaLog(bootstrap, _NAME)
    before = [await log.end(LEDGER, p) for p in range(_PARTITIONS)]
    await _until(lambda: poller.positions() == before)
    publisher = Publisher(log, Sender(world.ledger_id, "RU-OMS", (world.signer,)), _PARTITIONS, watch=False)
    due: dict[tuple[int, int], tuple[int, float]] = {}
    late = 0.0
    first = time.perf_counter() + 0.2

    async def one(n: int) -> None:
        submitted = await publisher.submit(messages[n])
        due[submitted.partition, submitted.offset] = n, first + n / rate

    async with asyncio.TaskGroup() as group:
        for n in range(len(messages)):
            wait = first + n / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                late = max(late, -wait)
            group.create_task(one(n))
            if n % 50 == 0:
                await asyncio.sleep(0)
    submitted = len(messages) + sum(before)
    await _until(lambda: sum(poller.positions()) >= submitted)
    await publisher.close()
    await log.close()
    return due, late * 1000


def _signed(message: Message) -> Signed:
    """The event of a message that was signed beforehand."""
    value = message.value or b""
    event = read_event(value)
    return Signed(Subject(event.subject), event.id, value, (parse_signature(dict(message.headers)[SIGNATURE_HEADER]),))


async def _until(done: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < deadline, "the services did not follow"
        await asyncio.sleep(0.02)


async def _visible(bootstrap: str, due: dict[tuple[int, int], tuple[int, float]], poller: _Poller) -> dict[int, float]:
    """By number of the event, ms from when it was due until its commit could be read."""
    log = KafkaLog(bootstrap, _NAME)
    found: dict[int, float] = {}
    for partition in range(_PARTITIONS):
        seen = iter(poller.seen[partition])
        now, position = next(seen)
        reader = log.reader(LEDGER, partition)
        end = await log.end(LEDGER, partition)
        while reader.position < end:
            for stored in await reader.read(1000, 5.0):
                while position <= stored.position:
                    now, position = next(seen)
                place = partition, read_seal(header(stored.headers, SEAL_HEADER) or b"").offset
                if place in due:
                    n, when = due[place]
                    found[n] = (now - when) * 1000
        await reader.close()
    await log.close()
    return found
