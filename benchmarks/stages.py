"""Where the time of a replay goes: CPU time of each stage per record, on a filled ledger folder.

``python -m benchmarks.stages FOLDER [ROUNDS]``, after ``python -m benchmarks.measure fill FOLDER 100000``.  Stages are
run in batches, as replay runs them, so that what one stage makes is gone when the next batch comes; the least of some
rounds counts, since whatever else the machine does only adds.  ``follow`` contains ``seal`` to ``tree``; ``take``
contains ``follow`` and ``fold``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.adapters.topic_file import TopicConnection, TopicFile
from ledger.chain import NO_HEAD, ChainState, Follower, Head, Record, read_ahead
from ledger.event import read_event
from ledger.ids import LedgerId
from ledger.log import LEDGER, Stored, header
from ledger.merkle import Frontier, extend
from ledger.seal import Seal, read_seals, record_leaf
from ledger.submission import SEAL_HEADER
from projections.cases import CasesFacts, CasesFold
from projections.store import Store

_PIECE = 256
_COMMIT = 8192


class _Clock:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.spent[name] += time.process_time() - begun


def stages(folder: Path, rounds: int = 5) -> dict[str, float]:
    """µs of CPU time per record, by stage."""
    ledger_id = LedgerId((folder / "id").read_text())
    best: dict[str, float] = {}
    for _ in range(rounds):
        clock = _Clock()
        count = _run(folder, ledger_id, clock)
        for name, spent in clock.spent.items():
            micros = spent / count * 1e6
            best[name] = min(best.get(name, micros), micros)
    return best


def _run(folder: Path, ledger_id: LedgerId, clock: _Clock) -> int:
    connection = TopicFile(folder / "ledger" / "ledger.sqlite", LEDGER, 30.0).open()
    parts = _Parts(ledger_id)
    with tempfile.TemporaryDirectory() as there, Store.open(f"sqlite:///{there}/store.sqlite") as store:
        fold = CasesFold()
        view = store.view(fold, store.live(fold, ledger_id), 0)
        for messages in _pieces(connection, clock):
            parts.take(messages, clock)
            with clock.stage("take"):
                store.fill(view, messages)
                for stored, seal in zip(messages, read_ahead(messages), strict=True):
                    view.take(stored, seal)
            if view.pending >= _COMMIT:
                _commit(store, view, clock)
        _commit(store, view, clock)
        assert view.state.root() == parts.follower.state.root()
    connection.close()
    return view.next


def _pieces(connection: TopicConnection, clock: _Clock) -> Iterator[list[Stored]]:
    position = 0
    while True:
        with clock.stage("read"):
            messages = connection.read(0, position, _PIECE)
        if not messages:
            return
        yield messages
        position = messages[-1].position + 1


class _Parts:
    """The parts of ``view.take``, one by one."""

    def __init__(self, ledger_id: LedgerId) -> None:
        self.follower = Follower(ledger_id, ChainState(0))
        self._heads: dict[str, Head] = {}
        self._facts: dict[str, CasesFacts] = {}
        self._fold = CasesFold()
        self._frontier: Frontier = ()
        self._size = 0

    def take(self, messages: list[Stored], clock: _Clock) -> None:
        with clock.stage("seal"):
            texts = [header(m.headers, SEAL_HEADER) or b"" for m in messages]
            read_seals(texts)
        with clock.stage("leaf"):
            leaves = [record_leaf(text, m.value or b"") for text, m in zip(texts, messages, strict=True)]
        with clock.stage("event"):
            for m in messages:
                read_event(m.value or b"")
        with clock.stage("tree"):
            self._frontier = extend(self._size, self._frontier, leaves)
            self._size += len(leaves)
        with clock.stage("follow"):
            records = [self._follow(m, s) for m, s in zip(messages, read_ahead(messages), strict=True)]
        with clock.stage("fold"):
            for record in records:
                if record.subject.startswith("request/"):
                    self._facts[record.subject] = self._fold.evolve(self._facts.get(record.subject), record)

    def _follow(self, stored: Stored, seal: Seal | None) -> Record:
        taken = self.follower.look(stored, self._heads.get((stored.key or b"").decode(), NO_HEAD), seal)
        assert isinstance(taken, Record)
        self.follower.advance(taken)
        self._heads[taken.subject] = Head(taken.seal.seq, taken.leaf)
        return taken


def _commit(store: Store, view: object, clock: _Clock) -> None:
    with clock.stage("cut"):
        batch = view.cut()  # type: ignore[attr-defined]
    if batch is not None:
        with clock.stage("commit"):
            store.commit(batch)
        view.committed(batch)  # type: ignore[attr-defined]


if __name__ == "__main__":
    for stage, micros in stages(Path(sys.argv[1]), *map(int, sys.argv[2:3])).items():
        print(f"{stage:8} {micros:7.2f} µs")
