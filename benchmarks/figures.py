"""Figures of a simulated year: all projections by replay, and the page of a partner.

``python -m benchmarks.figures NAME ARGS`` prints one JSON object, and is a process of its own::

    fill FOLDER SCALE           a simulated year in a ledger folder of four partitions, admitted by registrars
    pure FOLDER P[,P…]          chain, status, case files, and figures of these partitions, in memory
    ask FOLDER URL              takes the ledger into the store at URL, judges and counts it, asks for partners
    cores FOLDER                ``pure`` of all partitions at once, on all cores
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.compliance import CHUNK, times
from consumers.replay import replay
from infra.adapters.ledger_folder import LedgerFolder
from ledger.chain import NO_HEAD, ChainState, Follower, Head, Record, read_ahead
from ledger.ids import LedgerId
from ledger.log import LEDGER
from projections.cases import CasesFacts, CasesFold
from projections.compliance.case import Case
from projections.compliance.facts import NOTHING
from projections.compliance.judging import Judge
from projections.compliance.queries import Compliance
from projections.compliance.register import SUBJECT, LegalRegister
from projections.compliance.rulebook import built_in
from projections.figures.answers import Scope
from projections.figures.counting import count
from projections.figures.queries import Figures
from projections.store import Store

_PARTITIONS = 4
_YEAR = Scope(first=202501, last=202512)
_AS_OF = 1_767_214_800_000
"""2026-01-01T00:00+03:00."""
_ASKED, _LISTED = 300, 30


def fill(folder: str, scale: str) -> dict[str, Any]:
    """A simulated year of so many times the ordinary number of requests."""
    begun = time.perf_counter()
    command = [
        "simulate",
        "--scale",
        scale,
        "--seed",
        "7",
        "--partitions",
        str(_PARTITIONS),
        "--into",
        folder,
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli.main", *command],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return {"events": json.loads(done.stdout)["events"], "seconds": time.perf_counter() - begun}


def pure(folder: str, partitions: str) -> dict[str, Any]:
    """Records to a second: chain and tree, status and case files; then the figures of what came together."""
    ledger_id = _ledger_id(folder)
    facts: dict[str, CasesFacts] = {}
    fold = CasesFold()

    async def fold_all() -> int:
        log, number = LedgerFolder(Path(folder) / "ledger"), 0
        for partition in map(int, partitions.split(",")):
            follower, heads = Follower(ledger_id, ChainState(partition)), dict[str, Head]()
            reader, end = log.reader(LEDGER, partition), await log.end(LEDGER, partition)
            while reader.position < end:
                messages = await reader.read(500, 5.0)
                for stored, seal in zip(messages, read_ahead(messages), strict=True):
                    taken = follower.look(stored, heads.get((stored.key or b"").decode(), NO_HEAD), seal)
                    assert isinstance(taken, Record)
                    follower.advance(taken)
                    heads[taken.subject] = Head(taken.seal.seq, taken.leaf)
                    facts[taken.subject] = fold.evolve(facts.get(taken.subject), taken)
                number += len(messages)
        await log.close()
        return number

    gc.freeze()
    begun, cpu = time.perf_counter(), time.process_time()
    number = asyncio.run(fold_all())
    folded, folded_cpu = time.perf_counter() - begun, time.process_time() - cpu
    whole = facts.get(SUBJECT)
    register = LegalRegister(NOTHING if whole is None else whole.file or NOTHING)
    postings = 0
    for subject, each in facts.items():
        if each.file is not None:
            postings += len(count(Case(subject, each.file), register))
    spent, spent_cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {
        "n": number, "subjects": len(facts), "postings": postings, "folded": folded, "folded_cpu": folded_cpu,
        "seconds": spent, "cpu": spent_cpu, "rate": number / spent, "per_core": number / spent_cpu,
        "fold_per_core": number / folded_cpu, "count_us": (spent_cpu - folded_cpu) / max(1, len(facts)) * 1e6,
    }  # fmt: skip


def cores(folder: str) -> dict[str, Any]:
    """All partitions at once, shared among as many processes as there are cores: records to a second of the clock."""
    number = min(os.cpu_count() or 1, _PARTITIONS)
    shares = [",".join(map(str, range(core, _PARTITIONS, number))) for core in range(number)]
    running = [
        subprocess.Popen([sys.executable, "-m", __spec__.name, "pure", folder, share], stdout=subprocess.PIPE)
        for share in shares
    ]
    found = [json.loads(each.communicate()[0]) for each in running]
    n = sum(each["n"] for each in found)
    # They begin together but for the import; the slowest ends it.
    return {"n": n, "cores": number, "rate": n / max(each["seconds"] for each in found),
            "fold_rate": n / max(each["folded"] for each in found)}  # fmt: skip


def ask(folder: str, url: str = "") -> dict[str, Any]:
    """All projections with commits, and how long the questions of a partner take."""
    with tempfile.TemporaryDirectory() as there, Store.open(url or f"sqlite:///{there}/store.sqlite") as store:
        ledger_id = _ledger_id(folder)
        generation = store.live(CasesFold(), ledger_id)
        begun, cpu = time.perf_counter(), time.process_time()
        records = asyncio.run(_take(folder, store, generation))
        taken, taken_cpu = time.perf_counter() - begun, time.process_time() - cpu
        judge, subjects = Judge(store, generation, lambda _: built_in()), 0
        judge.advance()
        for partition in range(_PARTITIONS):
            while made := judge.some(partition, CHUNK):
                subjects += made
        store.refresh_statistics()  # as every command does behind so many
        spent, spent_cpu = time.perf_counter() - begun, time.process_time() - cpu
        figures = Figures(Compliance(store, ledger_id, built_in()))
        largest = figures.partners(_YEAR, _AS_OF).rows[0].partner
        page = figures.page(_scope(largest), _AS_OF)
        questions: dict[str, tuple[Callable[[], object], int]] = {
            "page": (lambda: figures.page(_scope(largest), _AS_OF), _ASKED),
            "kz": (lambda: figures.page(_scope("KZ"), _AS_OF), _ASKED),
            "partners": (lambda: figures.partners(_YEAR, _AS_OF), _LISTED),
            "records": (lambda: figures.records("M10", _scope(largest)), _LISTED),
            "office": (lambda: figures.page(_scope("KZ", "RU-OMS"), _AS_OF), _LISTED),
        }
        took = {name: times(question, number) for name, (question, number) in questions.items()}
        return {
            "n": records, "subjects": subjects, "largest": largest, "requests": page.figure("M1").part("M1").number,
            "replayed": records / taken, "replayed_cpu": records / taken_cpu, "rate": records / spent,
            "per_core": records / spent_cpu, "judged_cpu": subjects / (spent_cpu - taken_cpu), **took,
        }  # fmt: skip


async def _take(folder: str, store: Store, generation: Any) -> int:
    log = LedgerFolder(Path(folder) / "ledger")
    outcome = await replay(log, store, CasesFold(), generation)
    assert not outcome.stopped, outcome.stopped
    await log.close()
    return sum(outcome.sizes.values())


def _scope(partner: str, office: str | None = None) -> Scope:
    return Scope(partner=partner, office=office, first=_YEAR.first, last=_YEAR.last)


def _ledger_id(folder: str) -> LedgerId:
    return LedgerId(tomllib.loads((Path(folder) / "rogatory.toml").read_text())["ledger_id"])


_MEASUREMENTS: dict[str, Callable[..., dict[str, Any]]] = {"fill": fill, "pure": pure, "cores": cores, "ask": ask}

if __name__ == "__main__":
    print(json.dumps(_MEASUREMENTS[sys.argv[1]](*sys.argv[2:])))
