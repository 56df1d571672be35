"""Digests: the same rows give the same, any other rows another."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ledger.errors import IntegrityError
from projections import schema
from projections.digest import EMPTY_DONE, Compared, next_done, row_digest, state_digest
from projections.store import Store
from projections.view import Generation
from tests.ledgers import Book, TallyFold

ROW: dict[str, Any] = {
    "subject": "request/1", "seq": 3, "leaf": b"\x01" * 32, "done": EMPTY_DONE, "recent": b"[1,2,3]",
    "facts": b'{"a":"1"}',
}  # fmt: skip
ABOUT = Compared("status", 1, "test.00", 3, 42, "ab" * 32)


def test_a_row_digest_is_over_the_array_that_is_documented() -> None:
    text = b'["request/1",3,"%b","%b",[1,2,3],{"a":"1"}]' % (b"01" * 32, b"00" * 32)
    assert row_digest(**ROW) == sha256(text).digest()


def test_a_row_without_facts_has_null_in_their_place() -> None:
    text = b'["request/1",3,"%b","%b",[1,2,3],null]' % (b"01" * 32, b"00" * 32)
    assert row_digest(**{**ROW, "facts": None}) == sha256(text).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "request/2"}, {"seq": 4}, {"leaf": b"\x02" * 32}, {"done": b"\x01" * 32},
        {"recent": b"[1,2,4]"}, {"facts": b'{"a":"2"}'}, {"facts": None},
    ],
)  # fmt: skip
def test_a_row_digest_depends_on_everything_in_the_row(change: dict[str, Any]) -> None:
    assert row_digest(**{**ROW, **change}) != row_digest(**ROW)


def test_a_state_digest_is_over_the_line_and_the_rows_in_order() -> None:
    line = b'["rogatory-digest/1","status",1,"test.00",3,42,"%b"]\n' % (b"ab" * 32)
    assert state_digest(ABOUT, [b"x" * 32, b"y" * 32]) == sha256(line + b"x" * 32 + b"y" * 32).digest()


@pytest.mark.parametrize(
    "change", [{"fold": "x"}, {"fold_version": 2}, {"ledger_id": "x"}, {"partition": 4}, {"size": 43}, {"root": ""}]
)
def test_a_state_digest_says_what_it_is_about(change: dict[str, Any]) -> None:
    assert state_digest(msgspec.structs.replace(ABOUT, **change), []) != state_digest(ABOUT, [])


def test_done_chains_its_chunks() -> None:
    one = next_done(EMPTY_DONE, b"[1]")
    assert next_done(one, b"[2]") != next_done(next_done(EMPTY_DONE, b"[2]"), b"[1]")


class TestOfAStore:
    @pytest.fixture
    def filled(self, store_url: str) -> Iterator[tuple[Store, Generation]]:
        book = Book()
        for i in range(300):
            # capitals, digits and signs: their order by bytes is not that of any language
            book.add(f"request/{'aB0-~_Z'[i % 7]}")
        with Store.open(store_url) as store:
            generation = store.live(TallyFold(), book.ledger_id)
            view = store.view(TallyFold(), generation, 0)
            for message in book.stored():
                view.take(message)
            batch = view.cut()
            assert batch is not None
            store.commit(batch)
            yield store, generation

    def test_rows_are_taken_in_the_order_of_their_subjects_bytes(self, filled: tuple[Store, Generation]) -> None:
        store, generation = filled
        with store.engine.begin() as connection:
            rows = connection.execute(sa.select(schema.cases.c.subject, schema.cases.c.digest)).all()
        about, digest = store.digest(generation, 0)
        ordered = [row.digest for row in sorted(rows, key=lambda row: row.subject.encode())]
        assert state_digest(about, ordered) == digest
        assert state_digest(about, ordered[::-1]) != digest

    def test_it_says_which_records_it_covers(self, filled: tuple[Store, Generation]) -> None:
        store, generation = filled
        about, _ = store.digest(generation, 0)
        state = store.load(generation, 0).state
        assert (about.size, about.root) == (301, state.root().hex())

    def test_a_partition_without_rows_has_one_too(self, filled: tuple[Store, Generation]) -> None:
        store, generation = filled
        about, digest = store.digest(generation, 5)
        assert about.size == 0
        assert digest == state_digest(about, [])

    @pytest.mark.parametrize("change", [{"facts": "{}"}, {"seq": 999}, {"recent": "[]"}, {"leaf": bytes(32)}])
    def test_a_row_changed_behind_our_back_is_found(
        self, filled: tuple[Store, Generation], change: dict[str, Any]
    ) -> None:
        store, generation = filled
        assert store.digest(generation, 0, check=True) == store.digest(generation, 0)
        with store.engine.begin() as connection:
            connection.execute(schema.cases.update().where(schema.cases.c.subject == "request/Z").values(change))
        with pytest.raises(IntegrityError, match="request/Z"):
            store.digest(generation, 0, check=True)
