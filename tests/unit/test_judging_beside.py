"""Judging beside the fold and after a replay: what waits gets judged, whatever else goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from consumers.judging import JudgingPace, judge_all, judge_on
from consumers.replay import follow
from ledger.errors import ConfigError, Overtaken, StoreUnavailable
from ledger.log import LEDGER
from ledger.observing import Observer
from projections.compliance.judging import Judge
from projections.compliance.proof import verdict_digest
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Rulebook
from projections.store import Store
from tests.aio import run, until
from tests.fakes import MemoryLog
from tests.judgements import FOLD, QUICK, RULES, always, head_of, judged, step, taken, town
from tests.ledgers import Book

PACE = JudgingPace(chunk=4, live_chunk=2, look_again=0.01, first_pause=0.001, longest_pause=0.002)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


class Heard(Observer):
    """What the observer was told."""

    def __init__(self) -> None:
        self.subjects = 0
        self.waiting: int | None = None

    def judged(self, waiting: int | None, subjects: int, seconds: float) -> None:
        assert seconds >= 0
        self.subjects += subjects
        self.waiting = self.waiting if waiting is None else waiting


def proofs(store: Store, book: Book, generation: object) -> list[str]:
    return [verdict_digest(store, generation, p).digest for p in range(book.partitions)]  # type: ignore[arg-type]


def anew(store: Store, book: Book) -> list[str]:
    generation = store.new_generation(FOLD, book.ledger_id)
    taken(store, book, generation)
    judged(Judge(store, generation, always()), book.partitions, chunk=100)
    return proofs(store, book, generation)


def test_after_a_replay_everything_is_judged_and_told(store: Store) -> None:
    book = town(9, 3)
    generation = taken(store, book)
    told: list[tuple[int, int]] = []
    heard = Heard()
    judge = Judge(store, generation, always())
    done = run(judge_all(judge, range(3), pace=PACE, progress=lambda *at: told.append(at), observer=heard))
    assert done == heard.subjects == 10
    assert told[0] == (0, 10)
    assert told[-1] == (10, 10)
    assert heard.waiting == 0
    assert proofs(store, book, generation) == anew(store, book)


def test_beside_a_fold_that_goes_on_all_comes_to_be_judged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    book = town(6, 2)
    generation = store.live(FOLD, book.ledger_id)
    log, sent = MemoryLog(2), [0, 0]
    heard = Heard()
    judge = Judge(store, generation, always())

    def grow() -> None:
        for partition, messages in enumerate(book.messages):
            log.put(LEDGER, partition, messages[sent[partition] :])
            sent[partition] = len(messages)

    def settled() -> bool:
        stands = [store.load(generation, p).next for p in range(2)]
        return stands == sent and judge_seq() == book_seq() and heard.waiting == 0 and Judge.waiting(judge) == 0

    def judge_seq() -> int:
        return verdict_digest(store, generation, 0).register_seq

    def book_seq() -> int:
        return 6 + heads

    async def work() -> None:
        nonlocal heads
        stop, landed, partitions = asyncio.Event(), asyncio.Event(), set[int]()

        def told(partition: int, *_: int) -> None:
            partitions.add(partition)
            landed.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(follow(log, store, FOLD, generation, stop=stop, limits=QUICK, progress=told))
            group.create_task(
                judge_on(judge, range(2), stop=stop, landed=landed, taken=partitions, pace=PACE, observer=heard)
            )
            grow()
            await until(settled)
            for number in range(4):
                step(book, number)
            head_of(book, "RU-KGN")
            heads += 1
            grow()
            await until(settled)
            stop.set()

    heads = 0
    with caplog.at_level(logging.INFO, logger="consumers.judging"):
        run(work())
    # In which round depends on how far the fold was at the first look; what is new and for whom does not.
    assert "judging by register 7" in caplog.text
    assert "1 new records of the register, " in caplog.text
    assert proofs(store, book, generation) == anew(store, book)


def test_a_store_that_does_not_answer_is_asked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    book = town(3, 1)
    generation = taken(store, book)
    judge = Judge(store, generation, always())
    some, failures = judge.some, iter(range(3))

    def failing(partition: int, limit: int) -> int:
        if next(failures, None) is not None:
            raise StoreUnavailable("expected an answer, found none")
        return some(partition, limit)

    monkeypatch.setattr(judge, "some", failing)

    async def work() -> None:
        stop, landed = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(judge_on(judge, [0], stop=stop, landed=landed, taken={0}, pace=PACE))
        await until(lambda: judge.waiting() == 0)
        stop.set()
        await task

    run(work())
    assert proofs(store, book, generation) == anew(store, book)


def test_a_rulebook_that_is_not_here_is_said_once_and_looked_for_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    book = town(3, 1)
    generation = taken(store, book)
    looks = 0

    def rulebooks(_: LegalRegister) -> Rulebook:
        nonlocal looks
        looks += 1
        if looks < 4:
            raise ConfigError("expected the rulebook 9, found none")
        return RULES

    judge = Judge(store, generation, rulebooks)

    async def work() -> None:
        stop, landed = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(judge_on(judge, [0], stop=stop, landed=landed, taken=set(), pace=PACE))
        await until(lambda: judge.waiting() == 0)
        stop.set()
        await task

    run(work())
    said = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert [r.getMessage() for r in said] == ["nothing is judged: expected the rulebook 9, found none"]


@pytest.mark.parametrize("begun", [False, True])
def test_where_another_generation_answers_it_ends(store: Store, begun: bool) -> None:
    book = town(3, 1)
    generation = taken(store, book)
    judge = Judge(store, generation, always())
    if begun:
        judge.advance()
    fresh = store.new_generation(FOLD, book.ledger_id)
    store.switch(fresh)
    with pytest.raises(Overtaken):
        run(judge_all(judge, [0], pace=PACE))


def test_two_at_work_on_one_generation_do_it_all_once_over(store: Store) -> None:
    book = town(12, 3)
    generation = taken(store, book)

    async def work() -> list[int]:
        judges = [Judge(store, generation, always()) for _ in range(2)]
        return list(await asyncio.gather(*(judge_all(judge, range(3), pace=PACE) for judge in judges)))

    done = run(work())
    assert sum(done) == 13
    assert proofs(store, book, generation) == anew(store, book)


class Busy(Judge):
    """Beside a fold that commits all the time."""

    landed: asyncio.Event

    def some(self, partition: int, limit: int = 200) -> int:
        made = super().some(partition, limit)
        self.landed.set()
        return made


@pytest.mark.parametrize(("share", "judged_at_once"), [(1e-6, 4), (1.0, 10)])
def test_beside_a_busy_fold_judging_rests_for_as_long_as_its_share_asks(
    store: Store, share: float, judged_at_once: int
) -> None:
    """Given a share of a millionth, then the first turn (a chunk of each partition) is the last for hours."""
    book = town(9, 2)
    judge = Busy(store, taken(store, book), always())
    judge.landed, stop, heard = asyncio.Event(), asyncio.Event(), Heard()
    pace = JudgingPace(live_chunk=2, share=share, look_again=0.01)

    async def scenario() -> None:
        work = judge_on(judge, range(2), stop=stop, landed=judge.landed, taken={0, 1}, pace=pace, observer=heard)
        working = asyncio.create_task(work)
        await until(lambda: heard.subjects == judged_at_once)
        await asyncio.sleep(0.05)  # time for some more turns, were they not to rest
        assert judge.waiting() == 10 - judged_at_once
        stop.set()
        await working

    run(scenario())
    assert heard.subjects == judged_at_once
