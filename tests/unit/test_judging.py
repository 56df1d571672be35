"""Judging in the store: what waits, what the register touches, what stays, and that the end is the same however."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.errors import ConfigError, FormatError, Overtaken
from projections import schema
from projections.compliance.adopting import resolve
from projections.compliance.judging import Judge
from projections.compliance.proof import verdict_digest
from projections.compliance.queries import BoardFilters, Compliance
from projections.compliance.rulebook import built_in
from projections.store import Store
from projections.view import Generation
from tests.judgements import (
    DAY,
    FOLD,
    RULES,
    T0,
    always,
    grant_key,
    head_of,
    judged,
    office_of,
    rules,
    sign,
    step,
    taken,
    town,
)
from tests.ledgers import Book
from tests.records import box

SOON = T0 + 3_600_000
LATER = T0 + 40 * DAY


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def asked(store: Store, book: Book, rulebook: Any = RULES) -> Compliance:
    return Compliance(store, book.ledger_id, rulebook)


def proofs(store: Store, book: Book, generation: Generation) -> list[str]:
    return [verdict_digest(store, generation, p).digest for p in range(book.partitions)]


def anew(store: Store, book: Book, rulebook: Any = RULES) -> list[str]:
    """The digests that a rebuild gives."""
    generation = store.new_generation(FOLD, book.ledger_id)
    taken(store, book, generation)
    judged(Judge(store, generation, always(rulebook)), book.partitions, chunk=100)
    return proofs(store, book, generation)


class TestWhatWaits:
    def test_a_request_waits_until_it_is_judged_and_again_when_it_grows(self, store: Store) -> None:
        book = town(4, 2)
        generation = taken(store, book)
        judge = Judge(store, generation, always())
        assert judge.waiting() == 5  # and the register
        assert judged(judge, 2)[1] == 5
        step(book, 1)
        taken(store, book)
        assert judge.waiting() == 1
        assert judged(judge, 2) == (None, 1)
        assert proofs(store, book, generation) == anew(store, book)

    def test_before_the_first_round_nothing_is_judged(self, store: Store) -> None:
        book = town(2, 1)
        judge = Judge(store, taken(store, book), always())
        assert judge.some(0) == 0
        assert judge.waiting() == 3

    def test_a_chunk_takes_no_more_than_it_is_told(self, store: Store) -> None:
        book = town(9, 1)
        judge = Judge(store, taken(store, book), always())
        judge.advance()
        assert [judge.some(0, 4) for _ in range(4)] == [4, 4, 2, 0]

    def test_a_rulebook_that_is_not_here_leaves_all_of_it_waiting(self, store: Store) -> None:
        book = town(3, 1)
        book.add("register", "rulebook.adopted",
                 {"version": "9", "sha256": "ab" * 32, "profiles": [], "valid_from": "2025-01-01"})  # fmt: skip
        judge = Judge(store, taken(store, book), lambda register: resolve(register, looked_in="rulebooks/"))
        with pytest.raises(ConfigError, match=r"rulebook 9 with digest (ab){32}.* found no such one in rulebooks/"):
            judge.advance()
        assert judge.some(0) == 0
        assert judge.waiting() == 4

    def test_an_adopted_rulebook_that_is_here_is_used(self, store: Store) -> None:
        book = town(3, 1)
        own = rules(7)
        generation = taken(store, book)
        assert resolve(asked(store, book).register()) == built_in()
        book.add("register", "rulebook.adopted",
                 {"version": "7", "sha256": own.sha256, "profiles": [], "valid_from": "2025-01-01"})  # fmt: skip
        taken(store, book, generation)
        register = Compliance(store, book.ledger_id, RULES, generation=generation).register()
        found = resolve(register, {own.sha256: own}.get)
        assert (found.sha256, found.version) == (own.sha256, "7")


class TestTheRegisterGrows:
    def test_only_the_requests_that_looked_at_what_is_new_are_judged_again(self, store: Store) -> None:
        book = town(12, 3)
        generation = taken(store, book)
        judge = Judge(store, generation, always())
        judged(judge, 3)
        before = {row.subject: row.verdict for row in asked(store, book).board(BoardFilters(rule="T1"), SOON).rows}
        head_of(book, "RU-KGN")
        taken(store, book)
        advanced, number = judged(judge, 3)
        assert advanced is not None
        assert (advanced.records, advanced.entries, advanced.subjects) == (1, 1, 4)
        assert number == 4 + 1  # and the register, which has grown
        after = {row.subject: row.verdict for row in asked(store, book).board(BoardFilters(rule="T1"), SOON).rows}
        changed = {subject for subject in before if before[subject] != after[subject]}
        assert changed == {f"request/{n}" for n in range(12) if office_of(n) == "RU-KGN"}
        assert proofs(store, book, generation) == anew(store, book)

    def test_a_key_that_turns_out_compromised_takes_the_verdicts_that_rest_on_it(self, store: Store) -> None:
        book = town(3, 1)
        key = grant_key(book, "RU-KGN")
        sign(book, 4, key)
        judge = Judge(store, taken(store, book), always())
        judged(judge, 1)
        said = {"kid": key, "reason": "compromised", "effective": "2025-03-03T00:00:00+03:00"}
        book.add("register", "key.revoked", said)
        taken(store, book)
        advanced, number = judged(judge, 1)
        assert advanced is not None
        assert (advanced.subjects, number) == (1, 2)  # the one that it signed, and the register
        rows = asked(store, book).board(BoardFilters(rule="T1"), SOON).rows
        assert [row.subject for row in rows if row.reason == "key_compromised"] == ["request/4"]

    def test_what_nobody_looked_at_touches_nobody(self, store: Store) -> None:
        book = town(6, 2)
        judge = Judge(store, taken(store, book), always())
        judged(judge, 2)
        head_of(book, "RU-TYU")
        taken(store, book)
        advanced, number = judged(judge, 2)
        assert advanced is not None
        assert (advanced.subjects, number) == (0, 1)

    def test_a_corrected_register_record_touches_everything(self, store: Store) -> None:
        book = town(6, 2)
        judge = Judge(store, taken(store, book), always())
        judged(judge, 2)
        book.add("register", "record.corrected", {"target": "e-6", "how": "disown", "why": box()})
        taken(store, book)
        advanced, number = judged(judge, 2)
        assert advanced is not None
        assert (advanced.subjects, number) == (6, 7)
        rows = asked(store, book).board(BoardFilters(rule="T1"), SOON).rows
        assert {row.verdict for row in rows} == {"breached"}  # the head's assignment is disowned

    def test_another_rulebook_touches_everything(self, store: Store) -> None:
        book = town(6, 2)
        generation = taken(store, book)
        judged(Judge(store, generation, always()), 2)
        advanced, number = judged(Judge(store, generation, always(rules(60))), 2)
        assert advanced is not None
        assert advanced.other_rulebook
        assert (advanced.subjects, number) == (7, 7)
        at = SOON + 50 * DAY
        assert {row.verdict for row in asked(store, book, rules(60)).board(BoardFilters(rule="T2"), at).rows} == {
            "open"
        }
        assert proofs(store, book, generation) == anew(store, book, rules(60))

    def test_it_goes_on_where_it_was_stopped(self, store: Store) -> None:
        book = town(9, 1)
        generation = taken(store, book)
        judged(Judge(store, generation, always()), 1)
        first = Judge(store, generation, always(rules(60)))
        first.advance()
        first.some(0, 4)
        second = Judge(store, generation, always(rules(60)))
        assert judged(second, 1) == (None, 10 - 4)
        assert proofs(store, book, generation) == anew(store, book, rules(60))


class TestSeveralJudges:
    def test_a_chunk_of_an_earlier_round_is_refused(self, store: Store) -> None:
        book = town(4, 1)
        generation = taken(store, book)
        slow, quick = Judge(store, generation, always()), Judge(store, generation, always())
        slow.advance()
        head_of(book, "RU-KGN")
        taken(store, book)
        quick.advance()
        with pytest.raises(Overtaken, match="round 1"):
            slow.some(0)
        assert slow.advance() is None
        assert judged(slow, 1)[1] == 5

    def test_a_round_that_begins_while_a_chunk_is_judged_refuses_it(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        book = town(4, 1)
        generation = taken(store, book)
        slow, quick = Judge(store, generation, always()), Judge(store, generation, always())
        slow.advance()
        write = slow._write

        def meanwhile(*args: Any) -> int:
            head_of(book, "RU-KGN")
            taken(store, book)
            quick.advance()
            return write(*args)

        monkeypatch.setattr(slow, "_write", meanwhile)
        with pytest.raises(Overtaken):
            slow.some(0)
        assert quick.waiting() == 5
        judged(quick, 1)
        assert proofs(store, book, generation) == anew(store, book)

    def test_a_request_that_grows_while_it_is_judged_stays_waiting(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        book = town(2, 1)
        generation = taken(store, book)
        judge = Judge(store, generation, always())
        judge.advance()
        write = judge._write

        def meanwhile(*args: Any) -> int:
            step(book, 1)
            taken(store, book)
            return write(*args)

        monkeypatch.setattr(judge, "_write", meanwhile)
        assert judge.some(0) == 2  # the register and the other request
        monkeypatch.undo()
        assert judge.waiting() == 1
        judged(judge, 1)
        assert proofs(store, book, generation) == anew(store, book)

    def test_the_slower_of_two_does_not_write_over_the_newer(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        book = town(2, 1)
        generation = taken(store, book)
        slow, quick = Judge(store, generation, always()), Judge(store, generation, always())
        slow.advance()
        write = slow._write

        def meanwhile(*args: Any) -> int:
            step(book, 1)
            taken(store, book)
            judged(quick, 1)
            return write(*args)

        monkeypatch.setattr(slow, "_write", meanwhile)
        assert slow.some(0) == 0
        assert slow.waiting() == 0
        assert proofs(store, book, generation) == anew(store, book)

    def test_verdicts_go_with_their_generation(self, store: Store) -> None:
        book = town(4, 2)
        generation = store.new_generation(FOLD, book.ledger_id)
        taken(store, book, generation)
        judge = Judge(store, generation, always())
        judged(judge, 2)
        store.drop(generation)
        with pytest.raises(Overtaken):
            judge.advance()
        with store.reading() as connection:
            for table in (*schema.DERIVED, *schema.OF_GENERATION):
                assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0


class TestTheBoard:
    @pytest.fixture
    def book(self, store: Store) -> Book:
        book = town(12, 3)
        judged(Judge(store, taken(store, book), always()), 3)
        return book

    def test_the_worst_stands_first_and_pages_meet(self, store: Store, book: Book) -> None:
        compliance = asked(store, book)
        whole = compliance.board(BoardFilters(), SOON, limit=1000)
        assert whole.after is None
        assert [row.verdict for row in whole.rows] == ["breached"] * 8 + ["undetermined"] * 3 + ["open"] * 12 + [
            "met"
        ] * 7
        pages, after = [], None
        while True:
            page = compliance.board(BoardFilters(), SOON, limit=4, after=after)
            pages += page.rows
            after = page.after
            if after is None:
                break
        assert pages == whole.rows

    def test_time_alone_moves_what_runs(self, store: Store, book: Book) -> None:
        compliance = asked(store, book)
        moments = [T0 - 10 * DAY, SOON, T0 + 2 * DAY, LATER]
        found = [{row.verdict for row in compliance.board(BoardFilters(rule="T2"), at).rows} for at in moments]
        assert found == [{"open"}, {"open"}, {"open"}, {"breached"}]
        overdue = [len(compliance.board(BoardFilters(overdue=True), at).rows) for at in moments]
        assert overdue == [0, 0, 12, 0]

    @pytest.mark.parametrize(
        "filters",
        [
            BoardFilters(), BoardFilters(verdicts=("breached", "open")), BoardFilters(office="RU-PGO"),
            BoardFilters(office="RU-SAM"), BoardFilters(partner="KZ"), BoardFilters(partner="BY"),
            BoardFilters(rule="T1"), BoardFilters(article="2"), BoardFilters(article="Test 3"),
            BoardFilters(article="99"), BoardFilters(instrument="test-1"), BoardFilters(instrument="other"),
            BoardFilters(subject="request/3"), BoardFilters(subject="request/4", verdicts=("met",)),
            BoardFilters(overdue=True), BoardFilters(first=202503, last=202503), BoardFilters(last=202502),
            BoardFilters(rule="T2", first=202503, last=202504, overdue=True),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("at", [T0 - DAY, SOON, T0 + 5 * DAY, LATER])
    def test_the_counts_are_those_of_the_rows(self, store: Store, book: Book, filters: BoardFilters, at: int) -> None:
        compliance = asked(store, book)
        rows = compliance.board(filters, at, limit=1000).rows
        counted = {(c.rule, c.verdict): (c.number, c.overdue) for c in compliance.counts(filters, at).rows}
        expected = {
            key: (len(group), sum(row.overdue for row in group))
            for key in {(row.rule, row.verdict) for row in rows}
            for group in [[row for row in rows if (row.rule, row.verdict) == key]]
        }
        assert counted == expected

    def test_a_filter_gives_the_rows_that_pass_it(self, store: Store, book: Book) -> None:
        compliance = asked(store, book)
        whole = compliance.board(BoardFilters(), SOON, limit=1000).rows
        assert compliance.board(BoardFilters(rule="T3"), SOON).rows == [r for r in whole if r.rule == "T3"]
        assert compliance.board(BoardFilters(article="Test 2"), SOON).rows == [r for r in whole if r.rule == "T2"]
        mine = compliance.board(BoardFilters(subject="request/4"), SOON).rows
        assert mine == [r for r in whole if r.subject == "request/4"]

    def test_it_says_what_it_rests_on_and_how_many_wait(self, store: Store, book: Book) -> None:
        step(book, 1)
        taken(store, book)
        basis = asked(store, book).board(BoardFilters(), SOON).basis
        assert basis.waiting == asked(store, book).waiting() == 1
        assert (basis.register_seq, basis.rulebook_sha256) == (6, RULES.sha256)
        assert basis.sizes == {p: len(book.messages[p]) for p in range(3)}

    def test_a_cursor_of_somebody_else_is_refused(self, store: Store, book: Book) -> None:
        with pytest.raises(FormatError, match="cursor of an earlier page"):
            asked(store, book).board(BoardFilters(), SOON, after="[1,2]")


class TestOneRequest:
    def test_it_is_judged_when_it_is_asked_for(self, store: Store) -> None:
        book = town(4, 2)
        taken(store, book)
        answer = asked(store, book).of("request/1")
        assert [(f.rule, f.at(SOON).verdict) for f in answer.findings] == [("T1", "breached"), ("T2", "open")]
        assert (answer.records, answer.register_seq, answer.rulebook) == (1, 6, "test-30")

    def test_it_answers_for_a_position_and_for_a_moment(self, store: Store) -> None:
        book = town(1, 1)
        head_of(book, "RU-KGN")
        taken(store, book)
        compliance = asked(store, book)
        assert [f.rule for f in compliance.of("request/0").findings] == ["T1", "T2", "T3"]
        assert [f.rule for f in compliance.of("request/0", at=7).findings] == ["T1", "T2"]
        assert compliance.of("request/0", at=6).findings == ()
        assert [compliance.of("request/0", at=at).register_seq for at in (3, 7, 99)] == [3, 6, 7]
        then = compliance.of("request/0", as_of=T0 + 6)
        assert (then.records, then.index, then.register_seq) == (1, 6, 6)
        assert [f.rule for f in then.findings] == ["T1", "T2"]

    def test_of_one_that_nobody_knows_nothing_is_said(self, store: Store) -> None:
        book = town(1, 1)
        taken(store, book)
        answer = asked(store, book).of("request/none")
        assert (answer.partition, answer.records, answer.findings) == (None, 0, ())
        assert asked(store, book).file_of("request/none") is None

    def test_files_come_in_the_order_of_subjects(self, store: Store) -> None:
        book = town(5, 2)
        taken(store, book)
        compliance = asked(store, book)
        assert [f.subject for f in compliance.materials(limit=3)] == ["request/0", "request/1", "request/2"]
        assert [f.subject for f in compliance.materials(after="request/2")] == ["request/3", "request/4"]
        assert [f.seq for f in compliance.materials("request/4")] == [2]
