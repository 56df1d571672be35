"""Checking signatures of records that stand in a ledger, with the keys as they were when each was admitted.

A reader that follows a partition (``ledger/chain.py``) holds the register as of each record; together with a
record's seal that is all
it takes.  The order: (1) the seal's signatures are well-formed and sorted, (2) each is by a key that the
register knew and that
was good at ``admitted`` (of partition 0 for copies), (3) each verifies over the event's bytes, (4) register records of
partition 0 carry an attestation by a log key in force behind them.
"""

from __future__ import annotations

from msgspec import UNSET

from ledger import catalogue
from ledger.chain import Record
from ledger.dispositions import Refusal
from ledger.errors import ChainError, FormatError
from ledger.ijson import parse_ijson
from ledger.log import Stored, header
from ledger.register import Register
from ledger.seal import entry, parse_seal
from ledger.signature import ENTRY_PAYLOAD, parse_signature, verify
from ledger.signers import Signed, check_allowed, check_signatures
from ledger.submission import ATTEST_HEADER


def check_record(before: Register | None, after: Register | None, record: Record, stored: Stored) -> int:
    """Check the signatures of a record; how many verified.

    Args:
        before: the register that it was admitted under; None for genesis.
        after: the register behind it.
        record: as a ``Follower`` gave it.
        stored: the message it came in.

    Raises:
        ChainError: a signature is missing, by a wrong key, or does not verify.
    """
    try:
        seal = parse_seal(record.seal_text)
        parse_ijson(record.value)
        event = record.event
        row = catalogue.known(event.type)
        judged_at = seal.admitted if seal.home is UNSET else seal.home.admitted
        signatures = seal.signatures()
        signers = check_signatures(before, Signed(record.value, event, signatures), row, judged_at)
        check_allowed(before, event, row, signers)
        attested = _check_attest(after, record, stored)
    except Refusal as refusal:
        refused = refusal.refused
        raise ChainError(
            f"partition {record.partition}, index {record.index}: {refused.disposition.reason}: "
            f"expected {refused.expected}, found {refused.found}"
        ) from None
    except FormatError as error:
        raise ChainError(f"partition {record.partition}, index {record.index}: {error}") from None
    return len(signatures) + attested


def _check_attest(register: Register | None, record: Record, stored: Stored) -> int:
    if record.subject != "register" or record.partition != 0:
        return 0
    raw = header(stored.headers, ATTEST_HEADER)
    if raw is None:
        raise FormatError("expected an attestation of a register record, found none")
    attest = parse_signature(raw)
    public = register.log_keys.get(attest.kid) if register else None
    if public is None or not verify(public, attest.value, ENTRY_PAYLOAD, entry(record.seal_text, record.value)):
        raise FormatError(f"expected an attestation by a log key, found one by {attest.kid} that does not verify")
    return 1
