"""Outcomes and receipts: one text for each refusal, keys that name one submission, nothing lost."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from ledger.admission import Duplicate
from ledger.dispositions import MEANING, Disposition, Refused
from ledger.errors import FormatError
from ledger.log import Headers, Stored
from ledger.outcome import (
    Outcome,
    OutcomeKey,
    format_outcome,
    format_outcome_key,
    outcome_message,
    outcome_of,
    parse_outcome,
    parse_outcome_key,
    read_outcome,
)
from ledger.submission import Receipt, Submission, parse_signatures
from tests.keys import Signer

RECEIPT = Receipt(3, 0, 57, 41, 2, "5b" * 32)
RECEIPT_TEXT = f'[3,0,57,41,2,"{"5b" * 32}"]'

NUMBERS = {
    "admitted": 0, "duplicate": 1, "too-large": 2, "not-json": 3, "not-an-event": 4, "unknown-type": 5,
    "wrong-ledger": 6, "bad-subject": 7, "wrong-partition": 8, "identity-reused": 9, "bad-home": 10,
    "no-signature": 11, "unknown-key": 12, "foreign-key": 13, "key-not-valid": 14, "bad-signature": 15,
    "not-allowed": 16, "bad-data": 17, "contradicts-register": 18, "sequence-conflict": 19,
}  # fmt: skip


def test_the_numbers_of_dispositions_are_frozen() -> None:
    assert {d.reason: int(d) for d in Disposition} == NUMBERS


@pytest.mark.parametrize("disposition", [d for d in Disposition if d > 1], ids=lambda d: d.reason)
def test_every_refusal_says_what_it_means(disposition: Disposition) -> None:
    assert MEANING[disposition].endswith(".")
    assert Outcome("refused", int(disposition), disposition.reason).meaning == MEANING[disposition]


def test_refusals_alone_have_a_meaning_in_the_table() -> None:
    assert set(MEANING) == {d for d in Disposition if d > 1}
    assert Outcome("duplicate", 1, "duplicate").meaning.startswith("The same event")
    assert Outcome("refused", 200, "of-tomorrow").meaning == "A reason that this release does not know."
    assert Outcome("refused", 1, "duplicate").meaning == "A reason that this release does not know."


def test_a_refusal_is_told_with_what_was_expected_and_found() -> None:
    outcome = outcome_of(Refused(Disposition.UNKNOWN_KEY, "a key of the register", "RU-OMS#0a1b"))
    assert format_outcome(outcome) == (
        b'{"outcome":"refused","n":12,"reason":"unknown-key","expected":"a key of the register","found":"RU-OMS#0a1b"}'
    )
    assert parse_outcome(format_outcome(outcome)) == outcome


def test_a_duplicate_is_told_with_the_original_receipt() -> None:
    outcome = outcome_of(Duplicate(RECEIPT))
    said = f'{{"outcome":"duplicate","n":1,"reason":"duplicate","receipt":{RECEIPT_TEXT}}}'
    assert format_outcome(outcome) == said.encode()
    assert parse_outcome(said.encode()).receipt == RECEIPT


def test_identity_reused_names_the_record_that_has_the_identity() -> None:
    outcome = outcome_of(Refused(Disposition.IDENTITY_REUSED, "a", "b", RECEIPT))
    assert outcome.receipt == RECEIPT
    assert outcome_of(Refused(Disposition.BAD_DATA, "a", "b")).receipt is UNSET


def test_long_explanations_are_cut() -> None:
    outcome = outcome_of(Refused(Disposition.BAD_DATA, "x" * 1000, "ё" * 1000))
    assert (len(outcome.expected), len(outcome.found)) == (300, 300)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"outcome":"admitted","n":0,"reason":"admitted"}',
        b'{"outcome":"refused","n":0,"reason":"x"}', b'{"outcome":"refused","n":256,"reason":"x"}',
        b'{"outcome":"refused","n":2,"reason":"x","extra":1}', b'{"outcome":"refused","n":2}',
        b'{"outcome":"duplicate","n":1,"reason":"duplicate","receipt":[3,0,57,41,2]}',
        b'{"outcome":"duplicate","n":1,"reason":"duplicate","receipt":[3,0,57,41,0,"' + b"5b" * 32 + b'"]}',
        b'{"outcome":"duplicate","n":1,"reason":"duplicate","receipt":[3,0,57,41,2,"' + b"5B" * 32 + b'"]}',
        b'{"outcome":"duplicate","n":1,"reason":"duplicate","receipt":[-3,0,57,41,2,"' + b"5b" * 32 + b'"]}',
    ],
)  # fmt: skip
def test_other_texts_are_no_outcomes(raw: bytes) -> None:
    with pytest.raises(FormatError, match="expected an outcome"):
        parse_outcome(raw)


@pytest.mark.parametrize(("partition", "epoch", "offset"), [(0, 0, 0), (3, 0, 57), (1023, 12, 10**15)])
def test_a_key_names_one_submission(partition: int, epoch: int, offset: int) -> None:
    key = OutcomeKey(partition, epoch, offset)
    assert format_outcome_key(key) == f"{partition}/{epoch}/{offset}".encode()
    assert parse_outcome_key(format_outcome_key(key)) == key


@pytest.mark.parametrize(
    "raw",
    [None, b"", b"3/0", b"3/0/57/1", b"03/0/57", b"3/0/-1", b"3/0/+1", b"3/0/ 1", b"3//57", b"3/0/1\n",
     b"3/0/" + b"1" * 17,
     "3/0/٣".encode(), b"a/b/c"],
)  # fmt: skip
def test_other_keys_are_refused(raw: bytes | None) -> None:
    with pytest.raises(FormatError, match="as key"):
        parse_outcome_key(raw)


def test_a_message_keeps_value_and_headers_and_says_the_outcome_last() -> None:
    headers: Headers = (("content-type", b"x"), ("outcome", b"the sender's own"), ("signature", b"y"))
    submission = Submission(0, 57, 1_741_000_000_000, b"request/1", b"value", headers)
    message = outcome_message(3, submission, Duplicate(RECEIPT), 1_741_000_000_000)
    assert (message.key, message.value, message.timestamp) == (b"3/0/57", b"value", 1_741_000_000_000)
    assert message.headers[:-1] == headers
    stored = Stored(9, message.timestamp, message.key, message.value, message.headers)
    assert read_outcome(stored) == (OutcomeKey(3, 0, 57), outcome_of(Duplicate(RECEIPT)))


def test_a_submission_without_value_has_an_outcome_without_value() -> None:
    submission = Submission(0, 0, 0, None, None, ())
    message = outcome_message(0, submission, Refused(Disposition.NOT_JSON, "a", "b"), 0)
    assert message.value is None
    with pytest.raises(FormatError, match="an outcome header, found none"):
        read_outcome(Stored(0, 0, message.key, message.value, ()))


def test_signatures_are_one_to_four_by_different_keys() -> None:
    texts = [f"{Signer('RU-OMS', str(n)).kid} {'A' * 86}==".encode() for n in range(5)]
    for count in range(1, 5):
        assert [s.kid.encode() for s in parse_signatures(texts[:count])] == [t.split()[0] for t in texts[:count]]
    for wrong in ([], texts, [texts[0], texts[0]], [texts[0], b"x"]):
        with pytest.raises(FormatError):
            parse_signatures(wrong)
