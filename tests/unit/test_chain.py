"""A follower takes the records that follow, and stops at the first one that does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.chain import NO_HEAD, Ahead, ChainState, Follower, Head, Record, Repeated, read_ahead
from ledger.errors import ChainError, UnknownVersion
from ledger.log import Message, Stored
from tests.ledgers import Book, stored


def follow(book: Book, messages: list[Message], partition: int = 0) -> tuple[Follower, list[Any]]:
    """The follower behind ``messages``, and what it took each for."""
    follower = Follower(book.ledger_id, ChainState(partition), check_past=True)
    heads: dict[str, Head] = {}
    taken = []
    for one in stored(messages):
        what = follower.take(one, heads)
        if isinstance(what, Record):
            heads[what.subject] = Head(what.seal.seq, what.leaf)
        taken.append(what)
    return follower, taken


def a_book() -> Book:
    """Genesis and three steps of two requests."""
    book = Book()
    for subject in ("request/1", "request/2", "request/1"):
        book.add(subject)
    return book


def test_records_that_follow_are_taken_and_their_tree_grows() -> None:
    book = a_book()
    follower, taken = follow(book, book.messages[0])
    assert [t.leaf for t in taken] == book.leaves[0]
    assert follower.state.size == 4
    assert [t.seal.seq for t in taken] == [1, 1, 1, 2]


def test_a_record_again_is_named_with_its_leaf_and_moves_nothing() -> None:
    book = a_book()
    follower, taken = follow(book, [*book.messages[0], book.repeated(0, 2), book.forked(0, 2)])
    again, other = taken[-2:]
    assert again == Repeated(2, book.leaves[0][2])
    assert isinstance(other, Repeated)
    assert other.leaf != book.leaves[0][2]
    assert follower.state.size == 4


def test_a_record_ahead_is_named_and_moves_nothing() -> None:
    book = a_book()
    follower, taken = follow(book, [*book.messages[0], book.ahead(0)])
    assert taken[-1] == Ahead(5, 4)
    assert follower.state.size == 4


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"seq": 3}, "expected seq 2"),
        ({"prev": "00" * 32}, "expected seq 2 after leaf"),
        ({"prev": ""}, "expected seq 2 after leaf"),
        ({"admitted": 1}, "expected admitted"),
        ({"offset": 2}, "expected a submission after 0/2"),
        ({"past": "00" * 32}, "expected past"),
        ({"v": 2}, "sealed under version 1, found 2"),
        ({"epoch": 1, "offset": 0}, "to open epoch 1"),
        ({"home": [0, 0, "00" * 32]}, "expected home on register copies"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_seal_that_does_not_follow_ends_the_chain(changes: dict[str, Any], match: str) -> None:
    book = a_book()
    last = msgspec.json.decode(dict(book.messages[0][3].headers)["seal"])
    text = msgspec.json.encode({**last, **changes})
    headers = tuple((n, text if n == "seal" else v) for n, v in book.messages[0][3].headers)
    wrong = msgspec.structs.replace(book.messages[0][3], headers=headers)
    with pytest.raises(ChainError, match=match):
        follow(book, [*book.messages[0][:3], wrong])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"key": b"request/2"}, "as key"),
        ({"key": None}, "as key"),
        ({"value": None}, "expected the event's bytes"),
        ({"value": b"{}"}, "expected an event"),
        ({"headers": ()}, "expected a seal header"),
        ({"headers": (("seal", b"{}"),)}, "expected a seal"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_message_that_is_no_record_ends_the_chain(changes: dict[str, Any], match: str) -> None:
    book = a_book()
    wrong = msgspec.structs.replace(book.messages[0][3], **changes)
    with pytest.raises(ChainError, match=match):
        follow(book, [*book.messages[0][:3], wrong])


def test_the_first_record_is_the_genesis_that_the_ledger_id_names() -> None:
    book, other = a_book(), Book(name="other")
    with pytest.raises(ChainError, match="expected the genesis of"):
        follow(book, other.messages[0])
    renamed = msgspec.structs.replace(book.messages[0][0], value=book.messages[0][0].value + b" ")  # type: ignore[operator]
    with pytest.raises(ChainError, match="expected the genesis of"):
        follow(book, [renamed])


def test_a_record_in_another_partition_than_its_subjects_ends_the_chain() -> None:
    book = Book(2)
    message = book.add("request/1")
    home = next(p for p in (0, 1) if message in book.messages[p])
    moved = Book(2)
    assert moved.ledger_id == book.ledger_id
    with pytest.raises(ChainError, match="in another partition"):
        follow(book, [*moved.messages[1 - home], message], 1 - home)


def test_an_adopted_version_that_this_release_does_not_know_stops_the_reader() -> None:
    book = Book()
    book.add("register", "rules.adopted", {"version": 2})
    genesis, adoption = book.stored()
    follower = Follower(book.ledger_id, ChainState(0), known={1})
    follower.take(genesis, {})
    with pytest.raises(UnknownVersion, match="upgrade"):
        follower.take(adoption, {"register": Head(1, book.leaves[0][0])})
    assert follower.state.size == 1


def test_a_follower_goes_on_from_a_kept_state() -> None:
    book = a_book()
    whole, _ = follow(book, book.messages[0])
    half, _ = follow(book, book.messages[0][:2])
    onward = Follower(book.ledger_id, half.state, check_past=True)
    heads = {"request/1": Head(1, book.leaves[0][1])}
    rest: list[Stored] = stored(book.messages[0])[2:]
    for one in rest:
        what = onward.take(one, heads)
        assert isinstance(what, Record)
        heads[what.subject] = Head(what.seal.seq, what.leaf)
    assert onward.state == whole.state
    assert onward.state.root() == whole.state.root()


def test_a_record_that_is_only_looked_at_moves_nothing() -> None:
    book = a_book()
    follower = Follower(book.ledger_id, ChainState(0))
    genesis = stored(book.messages[0])[0]
    before = follower.state
    seen = [follower.look(genesis, NO_HEAD) for _ in range(2)]
    assert seen[0] == seen[1]
    assert follower.state == before
    assert isinstance(seen[0], Record)
    follower.advance(seen[0])
    assert follower.state.size == 1
    assert follower.state.register is not None


def test_seals_that_were_read_ahead_make_the_same_records() -> None:
    book = a_book()
    messages = stored(book.messages[0])
    follower, taken = follow(book, book.messages[0])
    ahead = Follower(book.ledger_id, ChainState(0), check_past=True)
    heads: dict[str, Head] = {}
    for one, seal, known in zip(messages, read_ahead(messages), taken, strict=True):
        assert seal == known.seal
        record = ahead.look(one, heads.get((one.key or b"").decode(), NO_HEAD), seal)
        assert record == known
        ahead.advance(known)
        heads[known.subject] = Head(known.seal.seq, known.leaf)
    assert ahead.state == follower.state


def test_a_piece_with_a_message_that_has_no_right_seal_is_read_one_by_one() -> None:
    messages = stored(a_book().messages[0])
    for headers in ((), (("seal", b"{}"),)):
        wrong = msgspec.structs.replace(messages[1], headers=headers)
        assert list(read_ahead([messages[0], wrong])) == [None, None]
    assert list(read_ahead([])) == []


def test_a_register_record_that_contradicts_the_register_ends_the_chain() -> None:
    book = Book()
    stranger = {"kid": f"RU-OMS#{'0' * 32}", "reason": "lost", "effective": "2025-03-03T10:00:00Z"}
    book.add("register", "key.revoked", stranger)
    with pytest.raises(ChainError, match="expected a register event that follows"):
        follow(book, book.messages[0])
