"""Which settlements count: found by attestation wherever they stand, or in a file, by the right authorities."""

from __future__ import annotations

import msgspec
import pytest

from consumers.herald import Herald
from consumers.settlements import Settlements
from ledger.chain import Ahead, ChainState, Follower, Head, Overruled, Record
from ledger.envelope import Envelope, format_envelopes, parse_envelopes
from ledger.errors import ChainError, FormatError, IntegrityError
from ledger.log import LEDGER, SUBMISSIONS, Message
from ledger.register import Register
from ledger.seal import read_seal
from ledger.settlement import Settled, Statement, check_statement, follow_attested, read_statement
from ledger.submission import ATTEST_HEADER, SEAL_HEADER
from tests.aio import run
from tests.fakes import MemoryLog
from tests.ledgers import Book, stored, unsigned


def settle(book: Book, partition: int, index: int, leaf: str) -> Message:
    return book.add("register", "fork.settled", {"partition": partition, "index": index, "leaf": leaf})


def followed(book: Book, messages: list[Message]) -> Register:
    register: Register | None = None
    for one in stored(messages):
        register = follow_attested(register, book.ledger_id, one) or register
    assert register is not None
    return register


def envelope_of(message: Message) -> Envelope:
    assert message.value is not None
    return Envelope(message.value, tuple(read_seal(dict(message.headers)[SEAL_HEADER]).signatures()))


def a_statement(book: Book, leaf: str = "ab" * 32, index: int = 1) -> Statement:
    return read_statement(envelope_of(settle(book, 0, index, leaf)), book.ledger_id)


class TestAttestation:
    def test_the_register_is_followed_past_whatever_stands_between(self) -> None:
        book = Book(2)
        book.add("request/1")
        settle(book, 1, 4, "ab" * 32)
        noise = [book.forked(0, 0), book.unsealed(0), book.ahead(0)]
        assert followed(book, [*book.messages[0][:1], *noise, *book.messages[0][1:]]).settled == {"1/4": "ab" * 32}

    def test_a_record_without_attestation_or_with_another_ones_is_passed(self) -> None:
        book = Book(1)
        message = settle(book, 0, 4, "ab" * 32)
        without = tuple(h for h in message.headers if h[0] != ATTEST_HEADER)
        genesis = dict(book.messages[0][0].headers)[ATTEST_HEADER]
        for headers in (without, (*without, (ATTEST_HEADER, genesis)), (*without, (ATTEST_HEADER, b"x"))):
            forged = msgspec.structs.replace(message, headers=headers)
            assert followed(book, [book.messages[0][0], forged]).settled == {}

    def test_a_settlement_needs_the_authorities_whoever_attests_it(self) -> None:
        book = Book(1)
        message = settle(book, 0, 4, "ab" * 32)
        assert followed(book, [book.messages[0][0], unsigned(message)]).settled == {}

    def test_the_opening_of_another_ledger_begins_nothing(self) -> None:
        one, other = Book(1), Book(1, "other")
        assert follow_attested(None, one.ledger_id, stored(other.messages[0])[0]) is None


class TestStatements:
    def test_a_file_gives_back_what_was_written(self) -> None:
        book = Book(1)
        envelopes = [envelope_of(settle(book, 0, i, "ab" * 32)) for i in range(3)]
        assert parse_envelopes(format_envelopes(envelopes)) == envelopes

    @pytest.mark.parametrize(
        "raw", [b"", b"\n", b"{}", b"[]", b"x", b'{"payloadType":"text/plain","payload":"","signatures":[]}', b"\xff"]
    )
    def test_anything_else_is_no_statement_file(self, raw: bytes) -> None:
        with pytest.raises(FormatError):
            parse_envelopes(raw)

    def test_the_threshold_must_have_signed_these_bytes(self) -> None:
        book = Book(1)
        register = followed(book, book.messages[0])
        statement = a_statement(book)
        check_statement(register, statement)
        empty = msgspec.structs.replace(statement, envelope=Envelope(statement.envelope.value))
        with pytest.raises(FormatError, match="found none of them"):
            check_statement(register, empty)
        other = Envelope(a_statement(book, "cd" * 32).envelope.value, statement.envelope.signatures)
        with pytest.raises(FormatError, match="bad-signature"):
            check_statement(register, msgspec.structs.replace(statement, envelope=other))
        with pytest.raises(FormatError, match="before genesis"):
            check_statement(None, statement)

    def test_another_event_or_ledger_is_refused(self) -> None:
        book, other = Book(1), Book(1, "other")
        with pytest.raises(FormatError, match=r"expected rogatory\.fork\.settled"):
            read_statement(envelope_of(book.messages[0][0]), book.ledger_id)
        with pytest.raises(FormatError, match="found one about"):
            read_statement(envelope_of(settle(other, 0, 1, "ab" * 32)), book.ledger_id)

    def test_what_is_sealed_goes_before_a_file_and_two_files_must_agree(self) -> None:
        book = Book(1)
        register = followed(book, book.messages[0])
        one, other = a_statement(book, "ab" * 32), a_statement(book, "cd" * 32)
        assert Settled(0, {"0/1": "ee" * 32}, [one]).leaf(1, register) == bytes.fromhex("ee" * 32)
        assert Settled(0, {}, [one]).leaf(1, register) == one.leaf
        assert not Settled(1, {}, [one])
        with pytest.raises(IntegrityError, match="expected one settlement"):
            Settled(0, {}, [one, other]).leaf(1, register)


class TestFollowing:
    def follow(self, book: Book, messages: list[Message], settled: Settled) -> list[object]:
        follower = Follower(book.ledger_id, ChainState(0))
        follower.settled = settled
        heads: dict[str, Head] = {}
        taken: list[object] = []
        for one in stored(messages):
            what = follower.take(one, heads)
            if isinstance(what, Record):
                heads[what.subject] = Head(what.seal.seq, what.leaf)
            taken.append(what)
        return taken

    def test_only_the_named_record_is_taken_at_its_index(self) -> None:
        book = Book(1)
        for _ in range(3):
            book.add("request/1")
        m = book.messages[0]
        settled = Settled(0, {"0/2": book.leaves[0][2].hex()})
        noise = [book.forked(0, 2), book.unsealed(0), m[3]]
        taken = self.follow(book, [*m[:2], *noise, *m[2:]], settled)
        assert [type(t) for t in taken] == [Record, Record, Overruled, Overruled, Ahead, Record, Record]

    def test_the_named_record_must_follow_all_the_same(self) -> None:
        book = Book(1)
        book.add("request/1")
        book.add("request/1")
        wrong = book._resealed(book.messages[0][2], seq=7)
        from tests.ledgers import leaf_of  # noqa: PLC0415 - beside its only use

        with pytest.raises(ChainError, match="expected seq 2"):
            self.follow(book, [*book.messages[0][:2], wrong], Settled(0, {"0/2": leaf_of(wrong).hex()}))


def test_a_herald_carries_the_register_past_a_settled_fork() -> None:
    book = Book(2)
    for n in range(3):
        book.add("register", "act.acquainted", {"act": f"order-{n}", "office": "RU-PGO"})
    forged = book.forked(0, 2)
    log = MemoryLog(2)
    log.put(LEDGER, 0, [*book.messages[0][:2], forged, *book.messages[0][2:]])

    async def story() -> None:
        settled = {0: {2: book.leaves[0][2]}}
        herald = Herald(log, 2, lambda: 0.0, settled=settled)
        assert await herald.step() == 4
        found = await log.reader(SUBMISSIONS, 1).read(10)
        assert [m.value for m in found] == [m.value for m in book.messages[0]]
        seals = [dict(m.headers)[SEAL_HEADER] for m in book.messages[0]]
        assert [dict(m.headers)["home"].split(b" ", 2)[2] for m in found] == seals
        await herald.close()

    run(story())


def test_settlements_are_looked_for_again_from_where_the_last_look_ended() -> None:
    book = Book(2)
    log = MemoryLog(2)
    log.put(LEDGER, 0, book.messages[0])

    async def story() -> None:
        settlements = Settlements(log, book.ledger_id)
        await settlements.refresh()
        assert not settlements.of(1)
        log.put(LEDGER, 0, [settle(book, 1, 4, "ab" * 32)])
        await settlements.refresh()
        assert settlements.leaves(2) == {1: {4: bytes.fromhex("ab" * 32)}}

    run(story())
