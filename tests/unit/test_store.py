"""The projection store: rows and position together, exactly once, whatever dies when."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.chain import Record
from ledger.errors import ConfigError, FormatError, MisuseError, Overtaken
from projections import schema
from projections.digest import EMPTY_DONE, next_done
from projections.engine import make_engine, parse_url
from projections.queries import Filters, Queries
from projections.schema import CHUNK
from projections.store import Store
from projections.view import PLACE_EVERY, START, Generation, PartitionView, Place
from tests.ledgers import T0, Book, Tally, TallyFold

FOLD = TallyFold()
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def advance(store: Store, view: PartitionView[Tally], book: Book, upto: int | None = None) -> None:
    """Take a partition's messages from where the view stands, and commit them."""
    messages = book.stored(view.partition)[view.next : upto]
    store.fill(view, messages)
    for message in messages:
        assert isinstance(view.take(message), Record)
    batch = view.cut()
    if batch is not None:
        store.commit(batch)
        view.committed(batch)


def book_of(*subjects: str, partitions: int = 1) -> Book:
    book = Book(partitions)
    for subject in subjects:
        book.add(subject)
    return book


def begun(store: Store, book: Book) -> tuple[Generation, PartitionView[Tally]]:
    generation = store.live(FOLD, book.ledger_id)
    return generation, store.view(FOLD, generation, 0)


def records_of(store: Store, book: Book, subject: str = "request/1") -> int:
    known = Queries(store, FOLD, book.ledger_id).status_of(subject).value
    return 0 if known is None or known.facts is None else known.facts.records


class TestOpening:
    def test_a_store_is_made_once_and_found_again(self, store_url: str) -> None:
        book = book_of("request/1")
        with Store.open(store_url) as store:
            generation, view = begun(store, book)
            advance(store, view, book)
        with Store.open(store_url) as store:
            assert store.generations() == [generation]
            assert records_of(store, book) == 1

    @pytest.mark.parametrize("name", ["cases", "store"])
    def test_a_database_with_other_tables_of_our_names_is_left_alone(self, store_url: str, name: str) -> None:
        engine = make_engine(parse_url(store_url))
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {name} (x INTEGER)"))
        engine.dispose()
        with pytest.raises(ConfigError, match="other tables named"):
            Store.open(store_url)

    def test_many_may_open_a_new_store_at_once(self, store_url: str) -> None:
        book = book_of("request/1")

        def opened(_: int) -> Generation:
            with Store.open(store_url) as store:
                return store.live(FOLD, book.ledger_id)

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(opened, range(8)))) == 1

    def test_a_database_that_plans_by_statistics_is_told_what_was_written(self, store: Store) -> None:
        """Given rows, when statistics are refreshed, then PostgreSQL knows of them; SQLite needs none."""
        begun(store, book_of("request/1"))
        store.refresh_statistics()
        if store.engine.dialect.name == "postgresql":
            with store.reading() as connection:
                known = "SELECT reltuples FROM pg_class WHERE relname = 'generations'"
                assert connection.exec_driver_sql(known).scalar() == len(store.generations()) > 0

    def test_the_tables_suit_postgresql(self) -> None:
        dialect = sa.create_mock_engine("postgresql://", lambda *_: None).dialect
        made = str(sa.schema.CreateTable(schema.cases).compile(dialect=dialect))
        assert 'subject VARCHAR(128) COLLATE "C"' in made
        assert "BYTEA" in made


class TestCommitting:
    def test_rows_hold_what_was_folded_and_answers_say_where_they_stand(self, store: Store) -> None:
        book = book_of("request/1", "request/2", "request/1")
        generation, view = begun(store, book)
        advance(store, view, book)
        answer = Queries(store, FOLD, book.ledger_id).status_of("request/1")
        assert (answer.generation, answer.sizes) == (generation.id, {0: 4})
        known = answer.value
        assert known is not None
        assert known.facts is not None
        assert (known.seq, known.facts.records, known.leaf) == (2, 2, book.leaves[0][3].hex())

    def test_a_view_taken_up_again_goes_on_as_if_it_had_never_stopped(self, store: Store) -> None:
        book = book_of(*(f"request/{i % 3}" for i in range(20)))
        generation, _ = begun(store, book)
        for upto in range(1, 22):
            advance(store, store.view(FOLD, generation, 0), book, upto)
        stepwise = store.digest(generation, 0)
        other = store.new_generation(FOLD, book.ledger_id)
        advance(store, store.view(FOLD, other, 0), book)
        assert store.digest(other, 0) == stepwise

    def test_the_chain_state_survives_whole(self, store: Store) -> None:
        book = book_of("request/1", "request/2")
        generation, view = begun(store, book)
        advance(store, view, book)
        assert store.load(generation, 0).state == view.state
        assert store.register(generation) == view.state.register
        assert view.state.register is not None

    def test_of_two_workers_one_goes_on_and_the_other_has_written_nothing(self, store: Store) -> None:
        book = book_of(*["request/1"] * 9)
        generation, paused = begun(store, book)
        advance(store, paused, book, 4)
        for message in book.stored()[4:8]:
            paused.take(message)
        late = paused.cut()
        other = store.view(FOLD, generation, 0)
        advance(store, other, book, 6)
        assert late is not None
        with pytest.raises(Overtaken):
            store.commit(late)
        assert records_of(store, book) == 5
        assert store.load(generation, 0).next == 6
        advance(store, store.view(FOLD, generation, 0), book)
        assert records_of(store, book) == 9

    def test_two_first_commits_count_once(self, store: Store) -> None:
        book = book_of("request/1")
        generation, one = begun(store, book)
        two = store.view(FOLD, generation, 0)
        for message in book.stored():
            one.take(message)
            two.take(message)
        first, second = one.cut(), two.cut()
        assert first is not None
        assert second is not None
        store.commit(first)
        with pytest.raises(Overtaken):
            store.commit(second)
        assert records_of(store, book) == 1

    def test_an_overtaken_view_learns_no_rows_of_a_later_position(self, store: Store) -> None:
        book = book_of(*(f"request/{i}" for i in range(4)), *(f"request/{i}" for i in range(4)))
        generation, view = begun(store, book)
        advance(store, view, book, 5)
        stale = store.view(FOLD, generation, 0)
        advance(store, view, book)
        with pytest.raises(Overtaken):
            store.fill(stale, book.stored()[5:])

    def test_messages_whose_rows_were_not_learnt_are_refused(self, store: Store) -> None:
        book = book_of("request/1", "request/1")
        generation, view = begun(store, book)
        advance(store, view, book, 2)
        with pytest.raises(MisuseError, match="learnt"):
            store.view(FOLD, generation, 0).take(book.stored()[2])

    def test_a_batch_may_fly_while_the_next_is_folded_but_not_two(self, store: Store) -> None:
        book = book_of(*["request/1"] * 3)
        _, view = begun(store, book)
        messages = book.stored()
        for message in messages[:2]:
            view.take(message)
        flying = view.cut()
        assert flying is not None
        store.fill(view, messages[2:])
        view.take(messages[2])
        with pytest.raises(MisuseError, match="committed first"):
            view.cut()
        store.commit(flying)
        view.committed(flying)
        advance(store, view, book)
        assert records_of(store, book) == 3

    def test_rows_of_a_flying_batch_are_never_asked_of_the_store(self, store: Store) -> None:
        book = book_of(*(f"request/{i}" for i in range(6)), "request/0")
        generation, _ = begun(store, book)
        view = store.view(FOLD, generation, 0, capacity=1)
        messages = book.stored()
        for half in (messages[:4], messages[4:7]):  # of the first half no row is held any more
            store.fill(view, half)
            for message in half:
                view.take(message)
            assert view.missing(messages[7:]) == [], "in the open batch"
        flying = view.cut()
        assert flying is not None
        for message in messages[1:7]:
            view.missing([message])
        assert view.missing(messages[7:]) == [], "in the flying batch"
        view.take(messages[7])
        store.commit(flying)
        view.committed(flying)
        advance(store, view, book)
        assert records_of(store, book, "request/0") == 2

    def test_a_view_that_holds_few_rows_makes_the_same_rows(self, store: Store) -> None:
        book = book_of(*(f"request/{i * 7 % 10}" for i in range(60)))
        generation, _ = begun(store, book)
        small = store.view(FOLD, generation, 0, capacity=1)
        for upto in range(0, 62, 5):
            advance(store, small, book, upto)
        advance(store, small, book)
        other = store.new_generation(FOLD, book.ledger_id)
        advance(store, store.view(FOLD, other, 0), book)
        assert store.digest(generation, 0) == store.digest(other, 0)

    def test_what_the_fold_cannot_digest_leaves_the_view_before_it(self, store: Store) -> None:
        book = book_of("request/1")
        book.add("request/1", "step.taken", {"step": "poison"})
        _, view = begun(store, book)
        messages = book.stored()
        view.take(messages[0])
        view.take(messages[1])
        with pytest.raises(FormatError, match=r"index 2.*step\.taken.*KeyError") as caught:
            view.take(messages[2])
        assert "secret" not in str(caught.value)
        assert (view.next, view.state.size) == (2, 2)

    def test_long_histories_move_to_chunks_and_read_back_whole(self, store: Store) -> None:
        book = book_of(*["request/1"] * (2 * CHUNK + 5))
        _, view = begun(store, book)
        for upto in (100, CHUNK + 1, CHUNK + 2, 2 * CHUNK):
            advance(store, view, book, upto)
        advance(store, view, book)
        answer = Queries(store, FOLD, book.ledger_id).history_of("request/1")
        assert answer.value == list(range(1, 2 * CHUNK + 6))
        with store.engine.begin() as connection:
            found = connection.execute(sa.select(schema.history.c.chunk, schema.history.c.indices)).all()
            done = connection.execute(sa.select(schema.cases.c.done).where(schema.cases.c.seq > 1)).scalar()
        chunks = dict(sorted(map(tuple, found)))
        assert list(chunks) == [0, 1]
        assert done == next_done(next_done(EMPTY_DONE, chunks[0].encode()), chunks[1].encode())

    def test_places_lead_near_an_index(self, store: Store) -> None:
        book = book_of(*(f"request/{i % 50}" for i in range(PLACE_EVERY + 10)))
        generation, view = begun(store, book)
        advance(store, view, book, PLACE_EVERY + 3)
        assert store.place(generation, 0, 5) == START
        assert store.place(generation, 0, PLACE_EVERY + 5) == Place(PLACE_EVERY + 3, PLACE_EVERY + 3)


# A worker in a process of its own, which ends where the test says.
_WORKER = """
import os, signal, sys
import sqlalchemy as sa
from projections.store import Store
from tests.ledgers import Book, TallyFold
url, when = sys.argv[1:]
book = Book()
for _ in range(3): book.add("request/1")
store = Store.open(url)
view = store.view(TallyFold(), store.live(TallyFold(), book.ledger_id), 0)
for message in book.stored(): view.take(message)
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if when == "before": sa.event.listen(sa.Engine, "commit", die)
store.commit(view.cut())
die()
"""


class TestDying:
    @pytest.mark.parametrize(("when", "there"), [("before", 0), ("after", 3)])
    def test_a_worker_killed_at_its_commit_leaves_all_of_a_batch_or_nothing(
        self, store_url: str, store: Store, when: str, there: int
    ) -> None:
        book = book_of(*["request/1"] * 3)
        died = subprocess.run([sys.executable, "-c", _WORKER, store_url, when], cwd=REPOSITORY, check=False)
        assert died.returncode == -signal.SIGKILL
        _, view = begun(store, book)
        assert (records_of(store, book), view.next) == (there, 4 if there else 0)
        advance(store, view, book)
        assert records_of(store, book) == 3

    def test_an_error_inside_a_commit_leaves_nothing_of_the_batch(self, store: Store) -> None:
        book = book_of("request/1", "request/2")
        generation, view = begun(store, book)
        for message in book.stored():
            view.take(message)
        batch = view.cut()
        assert batch is not None
        sort = batch.rows[-1].index("request")
        batch.rows[-1] = (*batch.rows[-1][:sort], None, *batch.rows[-1][sort + 1 :])  # against the schema
        with pytest.raises(sa.exc.IntegrityError):
            store.commit(batch)
        assert records_of(store, book) == 0
        assert store.load(generation, 0).next == 0


class TestGenerations:
    def test_a_switch_lets_the_new_one_answer_and_the_old_one_take_nothing_more(self, store: Store) -> None:
        book = book_of("request/1", "request/1")
        old, view = begun(store, book)
        advance(store, view, book, 2)
        new = store.new_generation(FOLD, book.ledger_id)
        advance(store, store.view(FOLD, new, 0), book)
        assert records_of(store, book) == 1
        store.switch(new)
        assert records_of(store, book) == 2
        assert [g.state for g in store.generations(book.ledger_id)] == ["old", "live"]
        view.take(book.stored()[2])
        batch = view.cut()
        assert batch is not None
        with pytest.raises(Overtaken):
            store.commit(batch)
        with pytest.raises(Overtaken, match="old"):
            store.view(FOLD, old, 0)

    def test_only_one_that_is_being_built_can_be_switched_to(self, store: Store) -> None:
        book = book_of("request/1")
        live, _ = begun(store, book)
        with pytest.raises(MisuseError, match="building"):
            store.switch(live)
        assert store.live(FOLD, book.ledger_id) == live

    def test_a_dropped_generation_leaves_no_rows_and_its_number_is_not_given_again(self, store: Store) -> None:
        book = book_of(*["request/1"] * (CHUNK + 1))
        begun(store, book)
        dropped = store.new_generation(FOLD, book.ledger_id)
        advance(store, store.view(FOLD, dropped, 0), book)
        store.drop(dropped)
        with store.engine.begin() as connection:
            for table in (schema.cases, schema.history, schema.places, schema.positions):
                assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0
        assert store.new_generation(FOLD, book.ledger_id).id > dropped.id

    def test_the_live_generation_cannot_be_dropped(self, store: Store) -> None:
        book = book_of("request/1")
        live, view = begun(store, book)
        advance(store, view, book)
        with pytest.raises(MisuseError, match="live"):
            store.drop(live)
        assert records_of(store, book) == 1

    def test_rows_of_another_fold_version_ask_for_a_rebuild(self, store: Store) -> None:
        book = book_of("request/1")
        begun(store, book)
        newer = TallyFold()
        newer.version = 2
        with pytest.raises(ConfigError, match="rebuild"):
            store.live(newer, book.ledger_id)
        with pytest.raises(MisuseError, match="rebuild"):
            Queries(store, newer, book.ledger_id).counts("state")

    def test_ledgers_in_one_store_know_nothing_of_each_other(self, store: Store) -> None:
        one, two = book_of("request/1"), Book(name="other")
        _, view = begun(store, one)
        advance(store, view, one)
        begun(store, two)
        assert records_of(store, one) == 1
        assert records_of(store, two) == 0


class TestQueries:
    @pytest.fixture
    def queries(self, store: Store) -> Queries[Tally]:
        # request/i has i + 1 records: states alternate, every third has a remark
        book = Book(2)
        for i in range(7):
            for _ in range(i + 1):
                book.add(f"request/{i}")
        generation = store.live(FOLD, book.ledger_id)
        for partition in range(2):
            advance(store, store.view(FOLD, generation, partition), book)
        return Queries(store, FOLD, book.ledger_id)

    def test_lists_hold_folded_subjects_and_nothing_else(self, queries: Queries[Tally]) -> None:
        rows = queries.list_status().value.rows
        assert [row.subject for row in rows] == [f"request/{i}" for i in range(7)]

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            (Filters(state="sent"), {0, 2, 4, 6}),
            (Filters(direction="in"), {1, 3, 5}),
            (Filters(ball="requested", kind="mla"), {0, 2, 4, 6}),
            (Filters(partner="CH"), set()),
            (Filters(remarks=True), {2, 3, 4, 5, 6}),
        ],
    )
    def test_filters_narrow_the_list(self, queries: Queries[Tally], filters: Filters, found: set[int]) -> None:
        rows = queries.list_status(filters).value.rows
        assert {int(row.subject.removeprefix("request/")) for row in rows} == found

    @pytest.mark.parametrize("order", ["subject", "ball_since", "opened_at", "updated_at"])
    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    def test_pages_join_to_the_whole_list(
        self, queries: Queries[Tally], order: str, descending: bool, limit: int
    ) -> None:
        whole = queries.list_status(order=order, descending=descending).value.rows
        paged, after = [], None
        while True:
            page = queries.list_status(order=order, descending=descending, limit=limit, after=after).value
            paged += page.rows
            after = page.after
            if after is None:
                break
        assert paged == whole
        values = [row.columns[order] for row in whole] if order != "subject" else [row.subject for row in whole]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=descending)
        assert values[: len(known)] == known, "unknown values come last"

    def test_a_cursor_of_another_make_is_refused(self, queries: Queries[Tally]) -> None:
        with pytest.raises(FormatError, match="cursor"):
            queries.list_status(after="nonsense")

    @pytest.mark.parametrize(
        "cursor", ['[1,"request/\\u0000"]', f'[{2**63},"request/1"]', f'[{-(2**63) - 1},"request/1"]']
    )
    def test_a_cursor_that_no_database_could_take_is_refused(self, queries: Queries[Tally], cursor: str) -> None:
        with pytest.raises(FormatError, match="cursor"):
            queries.list_status(order="opened_at", after=cursor)

    def test_counts_and_positions_cover_all_partitions(self, queries: Queries[Tally]) -> None:
        assert queries.counts("state").value == {"received": 3, "sent": 4}
        assert queries.counts("ball").value == {"": 3, "requested": 4}
        stand = queries.positions()
        assert sum(p.size for p in stand.value) == 28 + 2
        assert stand.sizes == {p.partition: p.next for p in stand.value}
        assert all(len(p.root) == 64 for p in stand.value)

    def test_the_register_answers_from_its_home(self, queries: Queries[Tally]) -> None:
        known = queries.status_of("register").value
        assert known is not None
        assert (known.partition, known.facts, known.seq) == (0, None, 1)
        assert queries.history_of("register").value == [0]

    def test_what_no_record_speaks_of_is_nothing_at_a_position(self, queries: Queries[Tally]) -> None:
        answer = queries.status_of("request/none")
        assert answer.value is None
        assert set(answer.sizes) == {0, 1}
        assert queries.history_of("request/none").value == []

    def test_a_ledger_never_replayed_has_no_answers(self, store: Store) -> None:
        with pytest.raises(MisuseError, match="replay the ledger first"):
            Queries(store, FOLD, Book(name="unknown").ledger_id).list_status()

    def test_times_are_those_of_the_records(self, queries: Queries[Tally]) -> None:
        known = queries.status_of("request/0").value
        assert known is not None
        assert known.columns["opened_at"] == T0
