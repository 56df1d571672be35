"""Figures of compliance: replay with case files, judging, one request's verdicts, the board, another rulebook.

The ledger is one of the demonstration's requests, as many as are wanted and spread over ten years, in a ledger folder.
``python -m benchmarks.compliance NAME ARGS`` prints one JSON object, and is a process of its own::

    fill FOLDER EVENTS      makes the ledger
    judge FOLDER URL        takes it into the store at URL, judges it, asks it
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.world import FixedVault
from consumers.replay import replay
from infra.adapters.keys import SeedSigner, new_key
from infra.adapters.ledger_folder import LedgerFolder
from infra.demo.offices import ALL, instruments, registered
from infra.demo.stream import tell
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log, Message
from producers.builder import Draft, Sender, build
from projections.cases import CasesFold
from projections.compliance.answers import BoardFilters
from projections.compliance.judging import Judge
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import built_in
from projections.store import Store
from projections.view import Generation
from rogatory import events
from tests.ledgers import Book

START = 1_760_000_000_000
"""The newest records are a little older (ms)."""
_DAY = 86_400_000
_SPREAD = 3650
"""Days."""
_PIECE = 500
"""Requests told at once."""
_APPEND = 200
"""Records appended at once."""
CHUNK = 200
_ASKED = 300
_LOOKED = 30
_WORST = BoardFilters(verdicts=("breached", "undetermined", "open"))


def fill(folder: str, count: int) -> dict[str, Any]:
    """A ledger folder of one partition with at least ``count`` records of requests, and an ordinary register."""

    async def run() -> dict[str, Any]:
        log, book, vault = LedgerFolder(Path(folder) / "ledger"), Book(1), FixedVault()
        await log.create(1)
        signers = {place.code: SeedSigner(new_key(place.code, "sign")) for place in ALL}
        senders = {code: Sender(book.ledger_id, code, (signer,), vault) for code, signer in signers.items()}
        heads = [
            events.RoleAssigned(
                office=place.code, person="p-1", role="head", valid_from="2010-01-01", basis="Приказ о назначении"
            )
            for place in ALL
        ]
        for data in (*map(registered, ALL), *instruments(), *heads):
            book.put("register", build(Draft(subject="register", data=data), senders["RU-PGO"], START).value)
        await log.append(LEDGER, 0, book.drain(0))
        done = requests = 0
        while done < count:
            messages = _told(book, requests, senders, signers, START - _SPREAD * _DAY * (count - done) // count)
            for start in range(0, len(messages), _APPEND):
                await log.append(LEDGER, 0, messages[start : start + _APPEND])
            done, requests = done + len(messages), requests + _PIECE
        await log.close()
        (Path(folder) / "id").write_text(book.ledger_id)
        return {"n": done, "requests": requests}

    return asyncio.run(run())


def _told(
    book: Book, first: int, senders: dict[str, Sender], signers: dict[str, SeedSigner], now: int
) -> list[Message]:
    """Some hundred requests, which are numbered on from ``first``."""
    for act in tell(first, _PIECE, now, frozenset(signers)):
        number = int(act.draft.subject.rpartition("-")[2]) - 100 + first
        draft = msgspec.structs.replace(act.draft, subject=f"request/{number:07}")
        book.put(draft.subject, build(draft, senders[act.office], now).value, kid=str(signers[act.office].kid))
    return book.drain(0)


def judging(folder: str, url: str = "") -> dict[str, Any]:
    """The ledger of a folder: taken into a store, judged, asked, and judged again by another rulebook."""
    with tempfile.TemporaryDirectory() as there, Store.open(url or f"sqlite:///{there}/store.sqlite") as store:
        ledger_id = LedgerId((Path(folder) / "id").read_text())
        generation = store.live(CasesFold(), ledger_id)
        taken = asyncio.run(_take(LedgerFolder(Path(folder) / "ledger"), store, generation))
        rulebook = built_in()
        first = _judge(Judge(store, generation, lambda _: rulebook))
        compliance = Compliance(store, ledger_id, rulebook)
        subjects = [filed.subject for filed in _files(compliance)]
        chosen = random.Random(1)
        asked = {
            "one": times(lambda: compliance.of(chosen.choice(subjects)), _ASKED),
            "page": times(lambda: compliance.board(_WORST, START), _LOOKED),
            "office": times(lambda: compliance.board(msgspec.structs.replace(_WORST, office="RU-OMS"), START), _LOOKED),
            "counts": times(lambda: compliance.counts(_WORST, START), _LOOKED),
        }
        standing = {c.verdict: 0 for c in compliance.counts(BoardFilters(), START).rows}
        for count in compliance.counts(BoardFilters(), START).rows:
            standing[count.verdict] += count.number
        other = msgspec.structs.replace(rulebook, sha256="f" * 64)
        again = _judge(Judge(store, generation, lambda _: other))
    return {**taken, "requests": len(subjects), "first": first, "again": again, "standing": standing, **asked}


async def _take(log: Log, store: Store, generation: Generation) -> dict[str, Any]:
    begun, cpu = time.perf_counter(), time.process_time()
    outcome = await replay(log, store, CasesFold(), generation)
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert not outcome.stopped, outcome.stopped
    await log.close()
    size = outcome.sizes[0]
    return {"n": size, "rate": size / spent, "cpu": size / cpu}


def _judge(judge: Judge) -> dict[str, float]:
    """All that waits: subjects, and subjects to a second of the clock and of this process's CPU time."""
    begun, cpu, subjects = time.perf_counter(), time.process_time(), 0
    judge.advance()
    while made := judge.some(0, CHUNK):
        subjects += made
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert judge.waiting() == 0
    return {"subjects": subjects, "seconds": spent, "rate": subjects / spent, "cpu": subjects / cpu}


def _files(compliance: Compliance) -> Iterator[Any]:
    after = ""
    while found := compliance.materials(after=after, limit=1000):
        yield from found
        after = found[-1].subject


def times(call: Callable[[], object], number: int) -> dict[str, float]:
    """ms: half of the calls took no longer than ``p50``, 99 of 100 no longer than ``p99``."""
    call()  # the first one reads the register
    found = []
    for _ in range(number):
        begun = time.perf_counter()
        call()
        found.append((time.perf_counter() - begun) * 1000)
    return {"p50": statistics.median(found), "p99": statistics.quantiles(found, n=100)[98]}


_MEASUREMENTS = {"fill": lambda folder, count: fill(folder, int(count)), "judge": judging}

if __name__ == "__main__":
    print(json.dumps(_MEASUREMENTS[sys.argv[1]](*sys.argv[2:])))
