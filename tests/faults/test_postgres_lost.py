"""PostgreSQL goes away at every point of a commit: rows and position stay together, and the store goes on after it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from ledger.errors import StoreUnavailable
from projections.queries import Queries
from projections.store import Store
from projections.view import Generation
from tests.faults.test_two_stores import FOLD, batch_of, book_of, clean_digest, finish
from tests.ledgers import Book
from tests.postgres_fixture import PostgresServer, drop_database

# A commit of many rows: BEGIN, position, stage, COPY, merge, COMMIT.
POINTS = ["UPDATE positions", "CREATE TEMPORARY", "INSERT INTO cases"]


@pytest.fixture
def book() -> Book:
    return book_of(60, 200)


@pytest.fixture
def store(own_postgres: PostgresServer) -> Iterator[Store]:
    url = own_postgres.create("lost")
    with Store.open(url) as opened:
        yield opened
    drop_database(own_postgres.url, "lost")


def at(store: Store, point: str, after: bool, act: Callable[[sa.Connection], None]) -> None:
    """Do something once, before or after the next statement that begins so."""
    armed = [True]

    def listen(connection: sa.Connection, _: object, statement: str, *__: object) -> None:
        if armed and statement.startswith(point):
            armed.clear()
            act(connection)

    sa.event.listen(store.engine, "after_cursor_execute" if after else "before_cursor_execute", listen)


def begun(store: Store, book: Book) -> Generation:
    generation = store.live(FOLD, book.ledger_id)
    store.commit(batch_of(store, generation, book, 80))
    return generation


def check(store: Store, generation: Generation, book: Book, stands: set[int]) -> None:
    """Rows and position are those of one moment, and what is missing can be made up for, exactly."""
    found = store.load(generation, 0).next
    assert found in stands
    known = Queries(store, FOLD, book.ledger_id).list_status(limit=1000)
    assert sum(row.facts.records for row in known.value.rows if row.facts) == found - 1  # the opening is no request's
    finish(store, generation, book)
    assert store.digest(generation, 0, check=True)[1] == clean_digest(store, book)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", POINTS)
class TestWithinACommit:
    def test_a_connection_that_is_ended_takes_all_of_the_batch_with_it(
        self, own_postgres: PostgresServer, store: Store, book: Book, point: str, after: bool
    ) -> None:
        generation = begun(store, book)

        def terminate(connection: sa.Connection) -> None:
            driver: Any = connection.connection.driver_connection
            with psycopg.connect(own_postgres.url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 10000)", [driver.info.backend_pid])

        at(store, point, after, terminate)
        with pytest.raises(StoreUnavailable):
            store.commit(batch_of(store, generation, book))
        check(store, generation, book, {80})

    def test_a_server_that_is_killed_leaves_nothing_of_the_batch(
        self, own_postgres: PostgresServer, store: Store, book: Book, point: str, after: bool
    ) -> None:
        generation = begun(store, book)
        at(store, point, after, lambda _: own_postgres.kill())
        with pytest.raises(StoreUnavailable):
            store.commit(batch_of(store, generation, book))
        for _ in range(2):  # while it is down, every call says so
            with pytest.raises(StoreUnavailable, match="refused"):
                store.load(generation, 0)
        own_postgres.start()
        check(store, generation, book, {80})


class Wire:
    """Carries bytes between a client and the server, and cuts the client off when the server answers its COMMIT."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.cut = threading.Event()
        """Set to cut at the next COMMIT."""
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            self._open += [client, server]
            committing = threading.Event()
            threading.Thread(target=self._carry, args=(client, server, committing, True)).start()
            threading.Thread(target=self._carry, args=(server, client, committing, False)).start()

    def _carry(self, one: socket.socket, two: socket.socket, committing: threading.Event, asks: bool) -> None:
        with suppress(OSError):
            while piece := one.recv(65536):
                if asks and self.cut.is_set() and b"COMMIT\0" in piece:
                    committing.set()
                if not asks and committing.is_set():
                    two.shutdown(socket.SHUT_RDWR)  # the answer is here, so the commit stands
                    return
                two.sendall(piece)
            two.shutdown(socket.SHUT_WR)


def test_a_commit_whose_answer_is_lost_is_found_by_reading_the_position(
    own_postgres: PostgresServer, store: Store, book: Book
) -> None:
    generation = begun(store, book)
    wire = Wire(own_postgres.port)
    url = store.engine.url.set(port=wire.port).render_as_string(hide_password=False)
    with Store.open(url) as far:
        batch = batch_of(far, generation, book)
        wire.cut.set()
        with pytest.raises(StoreUnavailable):
            far.commit(batch)
        wire.cut.clear()
        assert far.load(generation, 0).next == 201
        check(far, generation, book, {201})
    wire.close()


def test_connections_of_before_a_restart_are_not_taken_for_good(
    own_postgres: PostgresServer, store: Store, book: Book
) -> None:
    generation = begun(store, book)
    own_postgres.stop()
    own_postgres.start()
    check(store, generation, book, {80})


def test_every_public_method_says_that_the_store_does_not_answer(
    own_postgres: PostgresServer, store: Store, book: Book
) -> None:
    generation = begun(store, book)
    view, batch = store.view(FOLD, generation, 0, capacity=1), batch_of(store, generation, book)
    queries = Queries(store, FOLD, book.ledger_id)
    own_postgres.stop()
    calls: list[Callable[[], object]] = [
        store.generations,
        lambda: store.live(FOLD, book.ledger_id),
        lambda: store.new_generation(FOLD, book.ledger_id),
        lambda: store.switch(generation),
        lambda: store.drop(generation),
        lambda: store.load(generation, 0),
        lambda: store.view(FOLD, generation, 0),
        lambda: store.fill(view, book.stored()[80:]),
        lambda: store.commit(batch),
        lambda: store.register(generation),
        lambda: store.place(generation, 0, 1),
        lambda: store.digest(generation, 0),
        lambda: queries.status_of("request/1"),
        lambda: queries.history_of("request/1"),
        queries.list_status,
        lambda: queries.counts("state"),
        queries.positions,
        lambda: Store.open(store.engine.url.render_as_string(hide_password=False)),
    ]
    try:
        for call in calls:
            with pytest.raises(StoreUnavailable, match="refused"):
                call()
    finally:
        own_postgres.start()
    check(store, generation, book, {80})
