"""The outbox: put within the caller's transaction, taken in order, settled by what the ledger says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.catalogue.own import StepTaken
from ledger.catalogue.requests import RequestWithdrawn
from ledger.errors import ConfigError, FieldError, KeyFault, LogClosed, LogUnavailable, MisuseError, OutboxUnavailable
from ledger.event import read_event
from ledger.outcome import Outcome
from ledger.signature import EVENT_PAYLOAD, parse_signature, verify
from ledger.submission import Receipt
from producers.builder import Draft, Sender
from producers.outbox import Outbox
from producers.outbox_answers import Answer, Known, judge
from producers.outbox_rows import cancel, find_row, list_rows, oldest, purge, retry
from producers.outbox_schema import make_outbox
from producers.outbox_store import Hold, Mark, OutboxStore
from producers.publisher import Publisher
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.world import People, office
from tests.keys import Signer
from tests.outboxes import OFFICE, Desk, desk_at, relay_of

PEOPLE = People(2, "outbox")
SUBJECT = "request/1"


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with desk_at(store_url, PEOPLE, tmp_path) as made:
        yield made


@pytest.fixture
def store(desk: Desk) -> Iterator[OutboxStore]:
    with desk.store() as opened:
        yield opened


def mark(id_: int, offset: int = 5, partition: int = 0) -> Mark:
    return Mark(
        id=id_,
        signatures="k s",
        partition=partition,
        offset=offset,
        ledger_from=3,
        outcomes_from=4,  # type: ignore[arg-type]
    )


def submit(store: OutboxStore, *, offset: int = 5) -> list[int]:
    """Everything that waits, as a relay marks it."""
    piece = store.take(100)
    piece.settle([mark(row.id, offset + i) for i, row in enumerate(piece.rows)], [])
    piece.release()
    return [row.id for row in piece.rows]


def sealed(value: bytes, offset: int = 5) -> Answer:
    receipt = Receipt(0, 0, offset, 7, 2, "ab" * 32)
    return Answer(digest=sha256(value).digest(), partition=0, epoch=0, offset=offset, receipt=receipt)


def refused(value: bytes, offset: int = 5, reason: str = "unknown-key") -> Answer:
    outcome = Outcome("refused", 12, reason, "a key of the register", "another")
    return Answer(digest=sha256(value).digest(), partition=0, epoch=0, offset=offset, refusal=outcome)


def taken(store: OutboxStore) -> list[int]:
    piece = store.take(100)
    piece.release()
    return [row.id for row in piece.rows]


# Putting


def test_a_row_and_its_event_are_both_there_or_neither(desk: Desk) -> None:
    with desk.engine.connect() as connection:
        desk.enter(connection, SUBJECT, "rolled back")
        connection.rollback()
    kept = desk.act(SUBJECT, "committed")
    assert desk.entered() == [(SUBJECT, "committed")]
    assert [row.id for row in desk.rows()] == [kept]


def test_what_is_put_is_signed_and_is_what_was_said(desk: Desk) -> None:
    id_ = desk.put(SUBJECT, StepTaken(step="opened"), time="2026-03-02T09:30:00+06:00", id="e-1")
    value, signatures = desk.event(id_)
    event, signature = read_event(value), parse_signature((signatures or "").encode())
    assert (event.subject, event.id, event.time) == (SUBJECT, "e-1", "2026-03-02T09:30:00+06:00")
    assert event.ledger == PEOPLE.ledger_id
    assert verify(PEOPLE.offices[OFFICE].public_key, signature.value, EVENT_PAYLOAD, value)


@pytest.mark.parametrize("sign", ["put", "relay"])
def test_confidential_text_is_never_in_the_database_in_clear(desk: Desk, sign: str) -> None:
    outbox = desk.outbox(sign=sign)  # type: ignore[arg-type]
    id_ = desk.put(SUBJECT, RequestWithdrawn(why="a secret cause"), outbox)
    value, signatures = desk.event(id_)
    assert b"secret" not in value
    assert b'"box"' in value
    assert (signatures is None) == (sign == "relay")


def test_a_rolled_back_event_leaves_its_content_key_and_no_box(desk: Desk) -> None:
    with desk.engine.connect() as connection:
        desk.outbox().put(connection, Draft(subject=SUBJECT, data=RequestWithdrawn(why="a cause")))
        key = desk.vault.key_for(SUBJECT, "general")  # durable while the transaction is still open
        connection.rollback()
    assert desk.vault.key_for(SUBJECT, "general") == key
    assert not desk.rows()


def test_events_of_the_register_are_left_to_the_relay_to_sign(desk: Desk) -> None:
    id_ = desk.put("register", office("RU-KGN"), desk.outbox(PEOPLE.coordinator, office="RU-PGO"))
    (row,) = desk.rows()
    assert (row.id, row.sign, row.type, row.source) == (id_, "relay", "office.registered", "office/RU-PGO")
    assert desk.event(id_)[1] is None


def test_putting_the_same_event_again_gives_the_first_id(desk: Desk) -> None:
    first = desk.act(SUBJECT, "opened", id="e-1")
    assert desk.act(SUBJECT, "opened", id="e-1") == first
    assert len(desk.rows()) == 1


def test_an_id_that_was_used_for_another_event_is_an_error_that_spares_the_transaction(desk: Desk) -> None:
    desk.act(SUBJECT, "opened", id="e-1")
    with desk.engine.begin() as connection:
        with pytest.raises(FieldError, match="expected a new id"):
            desk.outbox().put(connection, Draft(subject=SUBJECT, data=StepTaken(step="closed"), id="e-1"))
        desk.enter(connection, SUBJECT, "closed", id="e-2")
    assert len(desk.rows()) == 2


def test_a_wrong_field_is_found_before_anything_is_written(desk: Desk) -> None:
    with pytest.raises(FieldError, match="expected a subject"):
        desk.act("meeting/1", "opened")
    assert not desk.rows()


def test_a_connection_that_commits_by_itself_is_refused(desk: Desk) -> None:
    draft = Draft(subject=SUBJECT, data=StepTaken(step="opened"))
    careless = desk.engine.execution_options(isolation_level="AUTOCOMMIT")
    with careless.connect() as connection, pytest.raises(MisuseError, match="AUTOCOMMIT"):
        desk.outbox().put(connection, draft)


def test_an_outbox_that_signs_needs_a_key() -> None:
    table = make_outbox(sa.MetaData())
    with pytest.raises(ConfigError, match="expected 1 to 4 keys"):
        Outbox(table, Sender(PEOPLE.ledger_id, OFFICE, ()))


def test_a_key_that_fails_writes_nothing(desk: Desk) -> None:
    class Broken(Signer):
        def sign(self, message: bytes) -> bytes:
            raise KeyFault("the token is not plugged in")

    with pytest.raises(KeyFault):
        desk.put(SUBJECT, StepTaken(step="opened"), desk.outbox(Broken(OFFICE)))
    assert not desk.rows()


# Taking


def test_rows_are_taken_in_the_order_of_putting(desk: Desk, store: OutboxStore) -> None:
    ids = [desk.act(f"request/{n % 3}", str(n)) for n in range(9)]
    assert taken(store) == ids
    assert submit(store) == ids
    assert taken(store) == []


def test_a_row_that_was_put_first_and_committed_last_is_not_lost(desk: Desk, postgres_url: str, tmp_path: Path) -> None:
    with desk_at(postgres_url, PEOPLE, tmp_path / "two") as two, two.store() as store:
        with two.engine.connect() as late:
            first = two.enter(late, "request/1", "put first")
            second = two.act("request/2", "committed first")
            assert first < second
            assert submit(store) == [second]
            late.commit()
        assert submit(store) == [first]


def test_two_relays_never_have_the_same_row_nor_what_follows_it(postgres_url: str, tmp_path: Path) -> None:
    with desk_at(postgres_url, PEOPLE, tmp_path) as desk, desk.store() as one, desk.store() as two:
        first = [desk.act("request/1", str(n)) for n in range(3)]
        mine = one.take(2)
        assert [row.id for row in mine.rows] == first[:2]
        other = desk.act("request/2", "of another subject")
        theirs = two.take(100)
        assert [row.id for row in theirs.rows] == [other]
        theirs.release()
        mine.settle([mark(row.id) for row in mine.rows], [])
        mine.release()
        assert taken(two) == [first[2], other]


def test_a_smaller_id_that_is_committed_late_does_not_let_its_subject_pass_a_row_in_hand(
    postgres_url: str, tmp_path: Path
) -> None:
    """The last row was put after one that another relay is sending; it must not overtake that one."""
    with (
        desk_at(postgres_url, PEOPLE, tmp_path) as desk,
        desk.store() as one,
        desk.store() as two,
        desk.engine.connect() as slow,
    ):
        late = desk.enter(slow, "request/1", "open to any order")
        desk.act("request/1", "in hand")
        mine = one.take(100)
        desk.act("request/1", "after what is in hand")
        slow.commit()
        theirs = two.take(100)
        assert [row.id for row in theirs.rows] == [late]
        theirs.release()
        mine.release()


def test_a_relay_that_dies_leaves_its_rows_to_others(postgres_url: str, tmp_path: Path) -> None:
    with desk_at(postgres_url, PEOPLE, tmp_path) as desk, desk.store() as one, desk.store() as two:
        id_ = desk.act(SUBJECT, "opened")
        piece = one.take(100)
        assert taken(two) == []
        assert piece._connection is not None
        piece._connection.invalidate()  # what the end of a process does to its connection
        assert taken(two) == [id_]


def test_many_rows_in_another_relays_hands_do_not_hide_those_behind(postgres_url: str, tmp_path: Path) -> None:
    with desk_at(postgres_url, PEOPLE, tmp_path) as desk, desk.store() as one, desk.store() as two:
        for n in range(12):
            desk.act("request/1", str(n))
        mine = one.take(12)
        behind = desk.act("request/2", "behind them")
        piece = two.take(3)
        assert [row.id for row in piece.rows] == [behind]
        piece.release()
        mine.release()


def test_a_held_row_holds_up_its_subject_alone_and_for_its_time(desk: Desk, store: OutboxStore) -> None:
    now = [1000]
    store.now = lambda: now[0]
    first, second = desk.act("request/1", "held"), desk.act("request/1", "behind it")
    other = desk.act("request/2", "elsewhere")
    piece = store.take(100)
    piece.settle([], [Hold(first, "no key", 2000)])
    piece.release()
    assert taken(store) == [other]
    assert store.counts()["held"] == 1
    now[0] = 2000
    assert taken(store) == [first, second, other]


# Judging

BEFORE = Answer(digest=b"", partition=0, epoch=0, offset=5, refusal=Outcome("refused", 12, "unknown-key"))
IN_LEDGER = sealed(b"")


@pytest.mark.parametrize(
    ("known", "answer", "state"),
    [
        (Known("submitted", None, 5), IN_LEDGER, "sealed"),
        (Known("waiting", None, None), IN_LEDGER, "sealed"),
        (Known("refused", 0, 3), IN_LEDGER, "sealed"),
        (Known("cancelled", None, None), IN_LEDGER, "sealed"),
        (Known("sealed", 0, 5), IN_LEDGER, None),
        (Known("sealed", 0, 5), BEFORE, None),
        (Known("submitted", None, 5), BEFORE, "refused"),
        (Known("submitted", None, 6), BEFORE, None),
        (Known("waiting", None, None), BEFORE, "refused"),
        (Known("waiting", 0, 4), BEFORE, "refused"),
        (Known("waiting", 0, 5), BEFORE, None),
        (Known("waiting", 1, 0), BEFORE, None),
        (Known("refused", 0, 5), BEFORE, None),
        (Known("cancelled", None, None), BEFORE, None),
    ],
)
def test_what_an_answer_makes_of_a_row(known: Known, answer: Answer, state: str | None) -> None:
    after = judge(known, answer)
    assert (after.state if after else None) == state


# Settling


def test_a_sealed_row_has_its_receipt(desk: Desk, store: OutboxStore) -> None:
    id_ = desk.act(SUBJECT, "opened")
    submit(store)
    assert store.answer([sealed(desk.event(id_)[0])]) == 1
    (row,) = desk.rows()
    assert (row.state, row.index, row.seq, row.leaf, row.offset) == ("sealed", 7, 2, "ab" * 32, 5)


def test_a_refused_row_says_why(desk: Desk, store: OutboxStore) -> None:
    id_ = desk.act(SUBJECT, "opened")
    submit(store)
    store.answer([refused(desk.event(id_)[0])])
    (row,) = list_rows(store, states=["refused"])
    assert (row.reason, row.expected, row.found) == ("unknown-key", "a key of the register", "another")


def test_an_answer_that_overtakes_the_mark_is_kept(desk: Desk, store: OutboxStore) -> None:
    id_ = desk.act(SUBJECT, "opened")
    piece = store.take(100)
    piece.release()
    store.answer([sealed(desk.event(id_)[0])])
    piece.settle([mark(id_)], [])
    assert desk.states() == ["sealed"]


def test_answers_to_events_of_others_settle_nothing(desk: Desk, store: OutboxStore) -> None:
    desk.act(SUBJECT, "opened")
    submit(store)
    assert store.answer([sealed(b"another event")]) == 0
    assert desk.states() == ["submitted"]


def test_a_refusal_and_the_record_of_another_try_in_one_batch_leave_the_record(desk: Desk, store: OutboxStore) -> None:
    value = desk.event(desk.act(SUBJECT, "opened"))[0]
    submit(store)
    store.answer([refused(value), sealed(value, 9)])
    (row,) = desk.rows()
    assert (row.state, row.offset, row.reason) == ("sealed", 9, None)


def test_a_relay_that_starts_looks_from_before_the_oldest_unanswered_row(desk: Desk, store: OutboxStore) -> None:
    assert store.starts() == {}
    ids = [desk.act(SUBJECT, str(n)) for n in range(3)]
    piece = store.take(100)
    early = [
        Mark(id=i, signatures="", partition=1, offset=n, ledger_from=9 - n, outcomes_from=n) for n, i in enumerate(ids)
    ]
    piece.settle(early, [])
    piece.release()
    assert store.starts() == {1: (7, 0)}


# What a person does


def test_a_refused_row_is_sent_again_and_its_old_refusal_is_not_taken_for_the_new(
    desk: Desk, store: OutboxStore
) -> None:
    id_ = desk.act(SUBJECT, "opened")
    value, _ = desk.event(id_)
    submit(store)
    store.answer([refused(value)])
    assert retry(store, [id_]) == [id_]
    store.answer([refused(value)])  # read again by a relay that has started
    assert desk.states() == ["waiting"]
    assert desk.event(id_) == (value, "k s")
    assert submit(store, offset=8) == [id_]
    store.answer([refused(value, 8)])
    assert desk.states() == ["refused"]


def test_a_row_may_be_left_to_the_relay_to_sign_anew(desk: Desk, store: OutboxStore) -> None:
    id_ = desk.act(SUBJECT, "opened")
    value = desk.event(id_)[0]
    submit(store)
    store.answer([refused(value, reason="key-not-valid")])
    retry(store, None, sign_anew=True)
    assert desk.event(id_) == (value, None)
    assert desk.rows()[0].sign == "relay"


def test_what_is_sealed_or_waits_in_peace_is_not_sent_again(desk: Desk, store: OutboxStore) -> None:
    done = desk.act(SUBJECT, "opened")
    submit(store)
    store.answer([sealed(desk.event(done)[0])])
    waiting = desk.act(SUBJECT, "closed")
    assert retry(store, [done, waiting, 999]) == []


def test_only_what_waits_can_be_cancelled(desk: Desk, store: OutboxStore) -> None:
    sent = desk.act(SUBJECT, "opened")
    submit(store)
    waiting = desk.act(SUBJECT, "closed")
    assert cancel(store, [sent, waiting]) == [waiting]
    assert desk.states() == ["submitted", "cancelled"]
    assert taken(store) == []


def test_purging_deletes_what_is_settled_and_old_and_nothing_else(desk: Desk, store: OutboxStore) -> None:
    now = [1000]
    store.now = lambda: now[0]
    ids = [desk.act(f"request/{n}", "opened") for n in range(4)]
    values = [desk.event(i)[0] for i in ids]
    piece = store.take(3)
    piece.settle([mark(row.id, n) for n, row in enumerate(piece.rows)], [])
    piece.release()
    store.answer([sealed(values[0], 0), refused(values[1], 1)])
    assert purge(store, 1000, ["sealed"]) == 0
    now[0] = 5000
    assert purge(store, 4000, ["sealed", "cancelled"]) == 1
    assert desk.states() == ["refused", "submitted", "waiting"]
    assert purge(store, 4000, ["sealed", "refused"]) == 1
    assert desk.act("request/9", "later") > ids[-1]


def test_the_oldest_waiting_row_is_known(desk: Desk, store: OutboxStore) -> None:
    assert oldest(store) is None
    desk.act(SUBJECT, "opened")
    assert oldest(store) == desk.rows()[0].put_at
    assert find_row(store, 999) is None


# Following


def test_a_publisher_that_does_not_follow_says_so_instead_of_waiting_for_ever() -> None:
    async def story() -> None:
        log = MemoryLog(2)
        async with Publisher(log, Sender(PEOPLE.ledger_id, OFFICE, ()), 2, watch=False) as publisher:
            (submitted,) = await publisher.submit_all([PEOPLE.say(OFFICE, SUBJECT, StepTaken(step="opened"))])
            with pytest.raises(MisuseError, match="watch=False"):
                await publisher.result(submitted)

    run(story())


def test_what_ends_the_following_of_a_log_ends_the_relay(desk: Desk, store: OutboxStore) -> None:
    async def story() -> None:
        log = MemoryLog(2)
        relay = relay_of(store, log, PEOPLE)
        desk.act(SUBJECT, "opened")
        assert await relay.step() == 1
        await log.close()
        with pytest.raises(LogClosed):
            await relay.run(asyncio.Event())
        await relay.close()

    run(story())


def test_a_stopped_relay_lets_go_of_what_it_had_in_hand(postgres_url: str, tmp_path: Path) -> None:
    """Cancelled while the log does not answer: the rows are free for the next relay."""

    async def story() -> None:
        with desk_at(postgres_url, PEOPLE, tmp_path) as desk, desk.store() as one, desk.store() as two:
            id_ = desk.act(SUBJECT, "opened")
            log = MemoryLog(2)
            relay = relay_of(one, log, PEOPLE)
            assert await relay._answers.follow(0) == await relay._answers.follow(1) == (0, 0)
            asked = asyncio.Event()

            async def away(*_: object) -> int:
                asked.set()
                raise LogUnavailable("away")

            log.append = away  # type: ignore[method-assign]
            task = asyncio.create_task(relay.step())
            await asked.wait()
            assert taken(two) == []
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert taken(two) == [id_]
            await relay.close()

    run(story())


# Opening


def test_a_database_without_the_table_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected the table rogatory_outbox at .* found none"):
        OutboxStore.open(f"sqlite:///{tmp_path}/empty.db")


def test_an_older_table_names_what_it_lacks(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/old.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE rogatory_outbox (id INTEGER PRIMARY KEY, subject TEXT)"))
    with pytest.raises(ConfigError, match="found none named source, event_id"):
        OutboxStore.open(f"sqlite:///{tmp_path}/old.db")


@pytest.mark.parametrize("url", ["sqlite://", "mysql://localhost/x", "nothing"])
def test_a_url_that_is_no_outbox_is_a_message(url: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        OutboxStore.open(url)


def test_a_database_that_does_not_answer_is_not_a_mistake_of_the_settings() -> None:
    with pytest.raises(OutboxUnavailable, match="does not answer"):
        OutboxStore.open("postgresql+psycopg://nobody@127.0.0.1:1/none")


def test_a_table_in_a_schema_is_found_by_its_whole_name(postgres_url: str) -> None:
    metadata = sa.MetaData()
    make_outbox(metadata, "events", "cases")
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA cases"))
        metadata.create_all(connection)
    engine.dispose()
    with OutboxStore.open(postgres_url, "cases.events") as store:
        assert store.counts() == {"held": 0}
