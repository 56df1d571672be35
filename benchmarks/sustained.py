"""Sustained admission on real Kafka, on all cores, against the signatures that the same cores verify.

``python -m benchmarks.sustained ROLE …`` is one of the processes that ``sustained`` starts: ``registrars`` admit some
of the partitions, ``verify`` checks the same events' signatures with PyNaCl and does nothing else.  Both wait for a
line before they begin and print seconds when they are done, so that all of them begin at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nacl.signing import VerifyKey

from benchmarks.world import NAME, World
from consumers.herald import Herald
from consumers.registrar import Registrar
from infra.adapters.kafka_log import KafkaLog
from infra.adapters.keys import SeedSigner, read_key, write_key
from infra.adapters.state_file import SqliteStateFile
from ledger.ids import LedgerId
from ledger.log import LEDGER, SUBMISSIONS, Log, Message
from ledger.partition import partition_of
from ledger.signature import EVENT_PAYLOAD, pae, parse_signature
from ledger.submission import SIGNATURE_HEADER

_ROUNDS = 3
_BATCH = 400


def _registrar(log: Log, folder: Path, ledger_id: str, partition: int) -> Registrar:
    keys = [SeedSigner(read_key(path)) for path in folder.rglob("*.key")]
    return Registrar(
        log, LedgerId(ledger_id), partition, SqliteStateFile(folder / f"p{partition}.sqlite", partition), keys
    )


async def open_ledger(bootstrap: str, folder: Path, world: World, name: str = NAME) -> None:
    """A ledger whose register stands in every partition."""
    log = KafkaLog(bootstrap, name)
    await log.create(world.partitions)
    await log.append(SUBMISSIONS, 0, world.opening())
    registrars = [_registrar(log, folder, world.ledger_id, p) for p in range(world.partitions)]
    herald = Herald(log, world.partitions, time.monotonic)
    while True:
        moved = [await registrar.drain() for registrar in registrars]
        if not await herald.step() and not any(moved):
            break
    for registrar in registrars:
        await registrar.close()
    await herald.close()
    await log.close()


async def submit(log: Log, partitions: int, messages: Sequence[Message]) -> None:
    """Messages of ordinary subjects, in a few large appends."""
    waiting: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        waiting[partition_of((message.key or b"").decode(), partitions)].append(message)
    for partition, found in waiting.items():
        for start in range(0, len(found), _BATCH):
            await log.append(SUBMISSIONS, partition, found[start : start + _BATCH])


async def _admit(bootstrap: str, folder: Path, ledger_id: str, partitions: list[int]) -> None:
    log = KafkaLog(bootstrap, NAME)
    registrars = [_registrar(log, folder, ledger_id, partition) for partition in partitions]
    for registrar in registrars:
        await registrar.drain()
    print("ready", flush=True)
    for _ in sys.stdin:
        begun, cpu = time.perf_counter(), time.process_time()
        counts = await asyncio.gather(*(registrar.drain() for registrar in registrars))
        print(json.dumps([sum(counts), time.perf_counter() - begun, time.process_time() - cpu]), flush=True)
    for registrar in registrars:
        await registrar.close()
    await log.close()


def _verify(folder: Path, share: int, of: int) -> None:
    key = VerifyKey((folder / "public").read_bytes())
    print("ready", flush=True)
    for line in sys.stdin:
        raw = [bytes.fromhex(text) for text in (folder / line.strip()).read_text().splitlines()[share::of]]
        pairs = [(one[:-64], one[-64:]) for one in raw]
        begun = time.perf_counter()
        for payload, signature in pairs:
            key.verify(payload, signature)
        print(json.dumps([len(pairs), time.perf_counter() - begun, 0.0]), flush=True)


class _Children:
    """Processes that work at once, one for each core."""

    def __init__(self, commands: Sequence[Sequence[object]]) -> None:
        self._all = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.sustained", *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[1],
            )
            for command in commands
        ]
        for child in self._all:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"

    def work(self, line: str) -> tuple[int, float]:
        """Let all of them begin; what they did together, and how long the slowest of them took."""
        for child in self._all:
            assert child.stdin is not None
            child.stdin.write(line + "\n")
            child.stdin.flush()
        found = [json.loads(child.stdout.readline()) for child in self._all if child.stdout is not None]
        return sum(count for count, _, _ in found), max(seconds for _, seconds, _ in found)

    def end(self) -> None:
        for child in self._all:
            child.communicate()


def sustained(bootstrap: str, folder: Path, count: int) -> dict[str, Any]:
    """``count`` events a round, on as many processes as there are cores; rates per second, of all cores together."""
    cores = os.cpu_count() or 1
    world = World(partitions=2 * cores)
    write_key(folder, world.log_key_file)
    (folder / "public").write_bytes(world.signer.public_key)
    asyncio.run(open_ledger(bootstrap, folder, world))
    events = world.messages(count * _ROUNDS)
    admitting = _Children(
        [
            (
                "registrars",
                bootstrap,
                folder,
                world.ledger_id,
                ",".join(str(p) for p in range(world.partitions) if p % cores == c),
            )
            for c in range(cores)
        ]
    )
    verifying = _Children([("verify", folder, core, cores) for core in range(cores)])
    rounds = []
    for n in range(_ROUNDS):
        messages = [next(events) for _ in range(count)]
        _write_raw(folder / f"round-{n}", messages)
        asyncio.run(_submit(bootstrap, world.partitions, messages))
        limit, limit_seconds = verifying.work(f"round-{n}")
        ours, seconds = admitting.work("go")
        assert (limit, ours) == (count, count), (limit, ours)
        rounds.append((limit / limit_seconds, ours / seconds))
    admitting.end()
    verifying.end()
    rounds.sort(key=lambda pair: pair[1] / pair[0])
    limit_rate, rate = rounds[len(rounds) // 2]
    sealed = asyncio.run(_sealed(bootstrap, world.partitions))
    assert sealed >= count * _ROUNDS, sealed
    spread = [ours / limit for limit, ours in rounds]
    return {"rate": rate, "limit": limit_rate, "n": count, "cores": cores, "ratio": statistics.median(spread)}


async def _submit(bootstrap: str, partitions: int, messages: Sequence[Message]) -> None:
    log = KafkaLog(bootstrap, NAME)
    await submit(log, partitions, messages)
    await log.close()


async def _sealed(bootstrap: str, partitions: int) -> int:
    log = KafkaLog(bootstrap, NAME)
    ends = [await log.end(LEDGER, p) for p in range(partitions)]
    await log.close()
    return sum(ends)


def _write_raw(path: Path, messages: Sequence[Message]) -> None:
    with path.open("w") as file:
        for message in messages:
            text = dict(message.headers)[SIGNATURE_HEADER]
            file.write((pae(EVENT_PAYLOAD, message.value or b"") + parse_signature(text).value).hex() + "\n")


if __name__ == "__main__":
    role, *given = sys.argv[1:]
    if role == "registrars":
        server, place, ledger, chosen = given
        asyncio.run(_admit(server, Path(place), ledger, [int(p) for p in chosen.split(",")]))
    else:
        _verify(Path(given[0]), int(given[1]), int(given[2]))
