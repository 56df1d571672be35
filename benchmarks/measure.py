"""The measurements, each in a process of its own.

``python -m benchmarks.measure NAME ARGS`` prints one JSON object.

A process each, so that peak memory is that of one thing, and no cache of one warms the other.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from nacl.signing import VerifyKey

from benchmarks.identities import state_identities
from benchmarks.world import World, admit_all, submit
from consumers.replay import replay
from infra.adapters.kafka_log import KafkaLog
from infra.adapters.ledger_folder import LedgerFolder
from ledger.admission import Admitted, PartitionState, admit, prepare, verify_ahead
from ledger.chain import Record
from ledger.event import read_event
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log, Message, Stored, header
from ledger.seal import read_seal
from ledger.signature import EVENT_PAYLOAD, pae, parse_signature
from ledger.submission import SEAL_HEADER, Submission
from projections.cases import CasesFacts, CasesFold
from projections.store import Store

_ROUNDS = 7


def peak_mb() -> float:
    """Peak resident memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def admission(count: int) -> dict[str, Any]:
    """Admission of events in memory against PyNaCl's verification of the same bytes, in turns, CPU time."""
    world = World()
    messages = [*world.opening(), *world.messages(count)]
    submissions = [Submission(0, n, m.timestamp, m.key, m.value, m.headers) for n, m in enumerate(messages)]
    key = VerifyKey(world.signer.public_key)
    raw = [(pae(EVENT_PAYLOAD, s.value or b""), parse_signature(s.signature_texts()[0]).value) for s in submissions[3:]]

    def verify() -> float:
        begun = time.process_time()
        for payload, signature in raw:
            key.verify(payload, signature)
        return (time.process_time() - begun) / len(raw)

    def admitted() -> list[float]:
        state = PartitionState(world.ledger_id, 0)
        parts = [0.0, 0.0, 0.0]
        for start in range(0, len(submissions), 500):
            times = [time.process_time()]
            batch = [prepare(submission) for submission in submissions[start : start + 500]]
            times.append(time.process_time())
            verified = verify_ahead(state, batch)
            times.append(time.process_time())
            for prepared in batch:
                decision = admit(state, prepared, verified)
                state.advance(prepared, decision)
            times.append(time.process_time())
            parts = [part + end - begun for part, begun, end in zip(parts, times, times[1:], strict=False)]
        assert state.index == len(submissions), decision
        assert isinstance(decision, Admitted)
        return [part / len(submissions) for part in parts]

    gc.collect()
    gc.freeze()  # the events of the benchmark itself are not garbage to look through
    pairs = [(verify(), admitted()) for _ in range(_ROUNDS)]
    pairs.sort(key=lambda pair: pair[0] / sum(pair[1]))
    limit, parts = pairs[len(pairs) // 2]
    size = sum(len(s.value or b"") for s in submissions) / len(submissions)
    names = ("read", "verify", "decide")
    micros = {name: part * 1e6 for name, part in zip(names, parts, strict=True)}
    return {"limit": 1 / limit, "ours": 1 / sum(parts), "n": count, "bytes": size, "rounds": _ROUNDS, **micros}


def fill(folder: str, count: int) -> dict[str, Any]:
    """A ledger folder of ``count`` events, admitted by a registrar: its rate by CPU time, and its peak memory."""

    async def run() -> dict[str, Any]:
        world = World()
        log = LedgerFolder(Path(folder) / "ledger")
        await submit(log, world, count)
        before = peak_mb()
        spent, done = await admit_all(log, world, Path(folder))
        await log.close()
        (Path(folder) / "id").write_text(world.ledger_id)
        return {"rate": done / spent, "peak": peak_mb(), "before": before, "n": done}

    return asyncio.run(run())


def registrar_memory(folder: str) -> dict[str, Any]:
    """Admit the submissions of a filled folder again, with no state: peak memory of a process that does only this."""

    async def run() -> dict[str, Any]:
        log = LedgerFolder(Path(folder) / "ledger")
        with tempfile.TemporaryDirectory() as state:
            world = World()
            world.ledger_id = LedgerId((Path(folder) / "id").read_text())
            spent, done = await admit_all(log, world, Path(state))
        await log.close()
        return {"rate": done / spent, "peak": peak_mb(), "n": done}

    return asyncio.run(run())


def upload(folder: str, bootstrap: str, name: str) -> dict[str, Any]:
    """Copy the ledger log of a folder to Kafka."""

    async def run() -> dict[str, Any]:
        source, target = LedgerFolder(Path(folder) / "ledger"), KafkaLog(bootstrap, name)
        await target.create(1)
        reader = source.reader(LEDGER, 0)
        count = 0
        while piece := await reader.read(400):
            await target.append(LEDGER, 0, [Message(s.key, s.value, s.headers, s.timestamp) for s in piece])
            count += len(piece)
        await source.close()
        await target.close()
        return {"n": count}

    return asyncio.run(run())


def _log(folder: str, bootstrap: str, name: str) -> Log:
    return KafkaLog(bootstrap, name) if bootstrap else LedgerFolder(Path(folder) / "ledger")


def replaying(folder: str, bootstrap: str = "", name: str = "", url: str = "") -> dict[str, Any]:
    """Replay with chain, tree and commit into the store at ``url``, or into SQLite."""

    async def run() -> dict[str, Any]:
        log = _log(folder, bootstrap, name)
        with tempfile.TemporaryDirectory() as there, Store.open(url or f"sqlite:///{there}/store.sqlite") as store:
            fold = CasesFold()
            generation = store.live(fold, LedgerId((Path(folder) / "id").read_text()))
            begun, cpu = time.perf_counter(), time.process_time()
            outcome = await replay(log, store, fold, generation)
            spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
            assert not outcome.stopped, outcome.stopped
        await log.close()
        return {
            "rate": outcome.sizes[0] / spent,
            "cpu": outcome.sizes[0] / cpu,
            "peak": peak_mb(),
            "n": outcome.sizes[0],
        }

    return asyncio.run(run())


def raw_loop(folder: str, bootstrap: str = "", name: str = "") -> dict[str, Any]:
    """The peer of ``replaying``: consume, decode, fold in memory; no chain, no tree, no commit."""

    async def run() -> dict[str, Any]:
        log = _log(folder, bootstrap, name)
        end = await log.end(LEDGER, 0)
        reader, fold = log.reader(LEDGER, 0), CasesFold()
        facts: dict[str, CasesFacts] = {}
        begun, cpu = time.perf_counter(), time.process_time()
        while reader.position < end:
            for stored in await reader.read(2000, 5.0):
                record = _unchecked(stored)
                if record.subject.startswith("request/"):
                    facts[record.subject] = fold.evolve(facts.get(record.subject), record)
        spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
        await log.close()
        return {"rate": end / spent, "cpu": end / cpu, "peak": peak_mb(), "n": end}

    return asyncio.run(run())


def _unchecked(stored: Stored) -> Record:
    text, value = header(stored.headers, SEAL_HEADER) or b"", stored.value or b""
    return Record(0, stored.position, read_seal(text), text, value, b"", read_event(value))


_MEASUREMENTS = {
    "admission": lambda count: admission(int(count)),
    "fill": lambda folder, count: fill(folder, int(count)),
    "registrar_memory": registrar_memory,
    "upload": upload,
    "replay": replaying,
    "raw": raw_loop,
    "state_identities": lambda count: state_identities(int(count)),
}

if __name__ == "__main__":
    print(json.dumps(_MEASUREMENTS[sys.argv[1]](*sys.argv[2:])))
