"""The Faust live worker against a bare Faust agent that only counts, on the same topic, in processes of their own.

``python -m benchmarks.live ROLE BOOTSTRAP NAME LEDGER_ID [STORE]`` prints one JSON object.  Either side counts from its
first message (or commit) on, so that joining the consumer group is not measured.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faust

from consumers import live
from infra.adapters.kafka_log import KafkaLog
from ledger.ids import LedgerId
from ledger.log import LEDGER
from projections.cases import CasesFold
from projections.store import Store
from projections.view import Batch


async def _ours(bootstrap: str, name: str, ledger_id: str, url: str) -> dict[str, Any]:
    log = KafkaLog(bootstrap, name)
    end = await log.end(LEDGER, 0)
    stop = asyncio.Event()
    marks: list[tuple[float, float, int]] = []

    def landed(batch: Batch) -> None:
        marks.append((time.perf_counter(), time.process_time(), batch.next))
        if batch.next >= end:
            stop.set()

    with Store.open(url) as store:
        fold = CasesFold()
        generation = store.live(fold, LedgerId(ledger_id))
        await live.run(bootstrap, name, log, store, fold, generation, stop=stop, landed=landed)
    await log.close()
    return _rate(marks[0], marks[-1])


async def _bare(bootstrap: str, name: str, ledger_id: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="rogatory-bare-") as folder:  # Faust wants one, whatever it is told
        return await _counted(bootstrap, name, ledger_id, folder)


async def _counted(bootstrap: str, name: str, ledger_id: str, folder: str) -> dict[str, Any]:
    log = KafkaLog(bootstrap, name)
    end = await log.end(LEDGER, 0)
    await log.close()
    app = faust.App(
        f"bare-{ledger_id}-{time.time_ns()}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        loop=asyncio.get_running_loop(),
    )
    topic = app.topic(
        f"{name}.{LEDGER}", value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw"
    )
    marks: list[tuple[float, float, int]] = []
    over = asyncio.Event()

    async def count(stream: Any) -> None:
        seen = 0
        async for _ in stream.noack().events():
            seen += 1
            if seen == 1 or seen == end:
                marks.append((time.perf_counter(), time.process_time(), seen))
            if seen == end:
                over.set()

    app.agent(topic, name="count")(count)
    await app.start()
    await over.wait()
    await app.stop()
    return _rate(marks[0], marks[-1])


def _rate(first: tuple[float, float, int], last: tuple[float, float, int]) -> dict[str, Any]:
    count = last[2] - first[2]
    return {"rate": count / (last[0] - first[0]), "cpu": count / (last[1] - first[1]), "n": count}


def measure(role: str, *given: object) -> dict[str, Any]:
    """One side, in a process of its own."""
    words = [sys.executable, "-W", "ignore", "-m", "benchmarks.live", role, *map(str, given)]
    done = subprocess.run(
        words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[1]
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    print(json.dumps(asyncio.run(_ours(*words) if role == "live" else _bare(*words))))
