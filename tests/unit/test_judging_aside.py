"""A subject that a rule or a figure fails on is set aside: the others are judged, it goes on waiting and is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.judging import JudgingPace, judge_all, judge_on
from ledger.errors import JudgementFault
from ledger.observing import Observer
from projections.compliance import judge as judge_module
from projections.compliance import making, queries
from projections.compliance import register as register_module
from projections.compliance.judge import Judged
from projections.compliance.judging import Judge
from projections.compliance.proof import verdict_digest
from projections.compliance.queries import BoardFilters, Compliance
from projections.store import Store
from projections.view import Generation
from tests.aio import run, until
from tests.judgements import FOLD, RULES, T0, always, head_of, judged, step, taken, town
from tests.ledgers import Book
from tests.records import box

PACE = JudgingPace(chunk=4, live_chunk=2, look_again=0.01, first_pause=0.001, longest_pause=0.002)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


class Heard(Observer):
    """What the observer was told last."""

    def __init__(self) -> None:
        self.aside = self.waiting = self.subjects = 0

    def judged(self, waiting: int | None, subjects: int, seconds: float) -> None:
        del seconds
        self.subjects += subjects
        self.waiting = self.waiting if waiting is None else waiting

    def set_aside(self, subjects: int) -> None:
        self.aside = subjects


def last_of(book: Book) -> str:
    """The id of the last event."""
    return f"e-{book._ids}"


def mend(book: Book, number: int, target: str) -> None:
    """A step of a request turns out to be none."""
    book.add(f"request/{number}", "record.corrected", {"target": target, "how": "disown", "why": box()})


def proofs(store: Store, book: Book, generation: Generation) -> list[str]:
    return [verdict_digest(store, generation, p).digest for p in range(book.partitions)]


def anew(store: Store, book: Book) -> list[str]:
    generation = store.new_generation(FOLD, book.ledger_id)
    taken(store, book, generation)
    judged(Judge(store, generation, always()), book.partitions, chunk=100)
    return proofs(store, book, generation)


def board(store: Store, book: Book) -> Any:
    return Compliance(store, book.ledger_id, RULES).board(BoardFilters(), T0, limit=1000)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]


@pytest.mark.parametrize("broken", ["broken", "twice", "vast"])
class TestAllTheOthersAreJudged:
    def test_after_a_replay(self, store: Store, broken: str, caplog: pytest.LogCaptureFixture) -> None:
        book = town(9, 3)
        step(book, 1, broken)
        judge, heard = Judge(store, taken(store, book), always()), Heard()
        assert run(judge_all(judge, range(3), pace=PACE, observer=heard)) == heard.subjects == 9
        assert judge.waiting() == heard.waiting == heard.aside == len(judge.aside) == 1
        page = board(store, book)
        assert page.basis.waiting == 1
        assert {row.subject for row in page.rows} == {f"request/{n}" for n in range(9) if n != 1}
        (fault,) = judge.aside.faults()
        assert (fault.subject, fault.seq) == ("request/1", 2)
        (line,) = said(caplog)
        assert "request/1" in line
        assert "Subjects set aside" in line

    def test_in_whatever_chunks(self, store: Store, broken: str) -> None:
        book = town(6, 1)
        for number in (0, 1, 2, 3, 5):
            step(book, number, broken)
        generation = taken(store, book)
        for chunk in (1, 2, 100):
            judge = Judge(store, generation, always())
            judge.advance()
            while judge.some(0, chunk):
                pass
            assert judge.waiting() == len(judge.aside) == 5
        assert {row.subject for row in board(store, book).rows} == {"request/4"}

    def test_once_it_grows_it_is_tried_again(self, store: Store, broken: str) -> None:
        book = town(5, 2)
        step(book, 1, broken)
        generation = taken(store, book)
        judge = Judge(store, generation, always())
        assert run(judge_all(judge, range(2), pace=PACE)) == 5
        mend(book, 1, last_of(book))
        taken(store, book)
        assert run(judge_all(judge, range(2), pace=PACE)) == 1
        assert (judge.waiting(), judge.aside.faults()) == (0, [])
        assert proofs(store, book, generation) == anew(store, book)


class TestItIsTriedAgain:
    def test_by_a_release_that_mends_it(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        book = town(5, 2)
        generation = taken(store, book)
        count = making.count

        def failing(case: Any, register: Any) -> Any:
            if case.subject == "request/3":
                raise IndexError("what it says")
            return count(case, register)

        monkeypatch.setattr(making, "count", failing)
        judge = Judge(store, generation, always())
        assert run(judge_all(judge, range(2), pace=PACE)) == 5
        assert [fault.doing for fault in judge.aside.faults()] == ["the figures"]
        monkeypatch.undo()
        assert run(judge_all(judge, range(2), pace=PACE)) == 0  # not tried: nothing has changed for this process
        assert run(judge_all(Judge(store, generation, always()), range(2), pace=PACE)) == 1
        assert proofs(store, book, generation) == anew(store, book)

    @pytest.mark.parametrize("touched", [False, True])
    def test_in_a_new_round(self, store: Store, monkeypatch: pytest.MonkeyPatch, touched: bool) -> None:
        """Whether it waits since its file has grown, or since the register has touched it."""
        book = town(6, 2)
        generation = taken(store, book)
        judge = Judge(store, generation, always())
        if touched:
            judged(judge, 2)
            head_of(book, "RU-KGN")
            taken(store, book)
        count, fails = making.count, {"request/1"}

        def failing(case: Any, register: Any) -> Any:
            if case.subject in fails:
                raise IndexError("what it says")
            return count(case, register)

        monkeypatch.setattr(making, "count", failing)
        # request/1 and request/4 are those of the office, and the register has grown
        assert run(judge_all(judge, range(2), pace=PACE)) == (2 if touched else 6)
        assert (judge.waiting(), len(judge.aside)) == (1, 1)
        fails.clear()
        head_of(book, "RU-SAM")
        taken(store, book)
        run(judge_all(judge, range(2), pace=PACE))
        assert (judge.waiting(), len(judge.aside)) == (0, 0)
        assert proofs(store, book, generation) == anew(store, book)

    def test_not_where_somebody_else_has_judged_it(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        book = town(4, 1)
        step(book, 1, "broken")
        generation = taken(store, book)
        judge = Judge(store, generation, always())
        assert run(judge_all(judge, [0], pace=PACE)) == 4
        monkeypatch.setattr(making, "judge_case", lambda case, register, _: _nothing(case, register))
        assert run(judge_all(Judge(store, generation, always()), [0], pace=PACE)) == 1
        assert judge.some(0) == 0
        assert (judge.waiting(), len(judge.aside)) == (0, 0)


def _nothing(case: Any, register: Any) -> Any:
    return Judged(case.subject, (), register.seq, frozenset({"rulebook"}))


def test_it_is_told_once_and_nothing_of_its_content(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    book = town(4, 1)
    step(book, 1, "broken")
    judge = Judge(store, taken(store, book), always())
    run(judge_all(judge, [0], pace=PACE))
    head_of(book, "RU-KGN")
    taken(store, book)
    run(judge_all(judge, [0], pace=PACE))
    (line,) = said(caplog)
    assert line.startswith("set aside, the others are judged: expected to judge request/1 up to its record 2, found ")
    assert "found ZeroDivisionError in rule T3" in line
    assert "says" not in caplog.text


def test_beside_a_fold_the_others_come_to_be_judged(store: Store) -> None:
    """Given a broken request, when another one comes and the broken one is mended, then both are judged."""
    book = town(6, 2)
    step(book, 1, "broken")
    broken = last_of(book)
    generation = taken(store, book)
    judge, heard = Judge(store, generation, always()), Heard()

    async def work() -> None:
        stop, landed = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(
            judge_on(judge, range(2), stop=stop, landed=landed, taken={0, 1}, pace=PACE, observer=heard)
        )
        await until(lambda: (heard.waiting, heard.aside, heard.subjects) == (1, 1, 6))
        step(book, 2)
        await asyncio.to_thread(taken, store, book)
        landed.set()
        await until(lambda: (heard.waiting, heard.aside, heard.subjects) == (1, 1, 7))
        mend(book, 1, broken)
        await asyncio.to_thread(taken, store, book)
        landed.set()
        await until(lambda: (heard.waiting, heard.aside, heard.subjects) == (0, 0, 8))
        stop.set()
        await task

    run(work())
    assert proofs(store, book, generation) == anew(store, book)


class TestARegisterThatCannotBeRead:
    @pytest.fixture
    def book(self, monkeypatch: pytest.MonkeyPatch) -> Book:
        book = town(3, 1)
        said = {"office": "RU-NEW", "party": "RU", "sort": "territorial", "name_ru": "x", "tz": "Mars/Phobos",
                "border": True, "valid_from": "2000-01-01", "basis": "order-136"}  # fmt: skip
        book.add("register", "office.registered", said)
        head_of(book, "RU-KGN")
        known = register_module.zone_or

        def failing(key: str, otherwise: str) -> str:
            if key == "Mars/Phobos":
                raise LookupError(key)
            return known(key, otherwise)

        monkeypatch.setattr(register_module, "zone_or", failing)
        return book

    def test_the_record_is_named(self, store: Store, book: Book) -> None:
        judge = Judge(store, taken(store, book), always())
        with pytest.raises(
            JudgementFault, match="register up to its record 7, found LookupError in the reading"
        ) as met:
            run(judge_all(judge, [0], pace=PACE))
        assert (met.value.subject, met.value.seq, met.value.kind) == ("register", 7, "LookupError")
        assert "Mars" not in str(met.value)
        assert judge.waiting() == 4
        with pytest.raises(JudgementFault, match="register up to its record 7"):
            board(store, book)

    def test_it_is_said_once_and_looked_at_again(
        self, store: Store, book: Book, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        judge = Judge(store, taken(store, book), always())
        looks, read = 0, judge._read_register

        def reading(connection: Any) -> None:
            nonlocal looks
            looks += 1
            if looks == 3:
                monkeypatch.undo()
            read(connection)

        judge._read_register = reading  # type: ignore[method-assign]

        async def work() -> None:
            stop, landed = asyncio.Event(), asyncio.Event()
            task = asyncio.create_task(judge_on(judge, [0], stop=stop, landed=landed, taken=set(), pace=PACE))
            await until(lambda: judge.waiting() == 0)
            stop.set()
            await task

        run(work())
        (line,) = said(caplog)
        assert line.startswith("nothing is judged: expected to judge register up to its record 7")


def test_a_silent_year_that_cannot_be_judged_leaves_the_board(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    book = town(3, 1)
    judged(Judge(store, taken(store, book), always()), 1)
    whole = board(store, book)
    monkeypatch.setattr(queries, "years", lambda *_: ["year/2024", "year/2025"])
    monkeypatch.setattr(judge_module, "_applies", lambda *_: 1 / 0)
    page = board(store, book)
    assert page.rows == whole.rows
    assert (whole.basis.waiting, page.basis.waiting) == (0, 2)
    assert [line.partition(" up to")[0] for line in said(caplog)] == [
        f"not judged, the others are: expected to judge year/{year}" for year in (2024, 2025)
    ]
