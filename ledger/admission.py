"""Admission: what becomes a record, what does not and why. One pure function.

``admit(state, prepare(submission))`` is *Admitted*, *Duplicate* or *Refused*; ``state.advance`` moves past it.  Neither
clock nor chance nor any look-up elsewhere takes part, so registrars that overlap write the same records.

Refused is only what cannot be trusted or read.  An unlawful act did happen: it is admitted and becomes a finding.

The reasons are the table of ``ledger/dispositions.py``, who may sign what that of ``ledger/signers.py``; the checks
run in the order of ``_decide``.  A duplicate is found before any signature is looked at, so that a retry after a
revocation still gets its receipt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET

from ledger import catalogue, ids
from ledger.catalogue import EventType, own
from ledger.catalogue.base import Data
from ledger.catalogue.dates import check_dates
from ledger.chain import NO_HEAD, Head
from ledger.dispositions import Disposition, Refusal, Refused
from ledger.errors import FormatError
from ledger.event import MAX_EVENT_BYTES, check_attributes
from ledger.home import check_home
from ledger.ids import LedgerId
from ledger.ijson import parse_compact, parse_ijson
from ledger.merkle import Frontier, push
from ledger.partition import partition_of
from ledger.register import Change, Contradiction, Register, anchor, apply
from ledger.seal import (
    EMPTY_PAST,
    Seal,
    entry,
    format_seal,
    leaf_hash,
    next_past,
    seal_signatures,
)
from ledger.signature import Signature
from ledger.signers import Signed, Verified, check_allowed, check_signatures, verify_all
from ledger.submission import Receipt, Submission, parse_signatures
from ledger.versions import FIRST_VERSION, RULES


class Known(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An identity that was admitted: the SHA-256 of its bytes, and the receipt."""

    digest: bytes
    receipt: Receipt


class Duplicate(msgspec.Struct, frozen=True):
    """The same bytes as a record that stands already."""

    receipt: Receipt
    disposition: Disposition = Disposition.DUPLICATE


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """Becomes a record. ``seal_text`` is the header, ``leaf`` 32 bytes; ``register`` is new on register events."""

    seal: Seal
    seal_text: bytes
    leaf: bytes
    subject: str
    register: Register | None
    receipt: Receipt
    disposition: Disposition = Disposition.ADMITTED


Decision = Admitted | Duplicate | Refused


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A submission, read as far as that goes without any state."""

    submission: Submission
    digest: bytes
    """SHA-256 of its value."""
    event: dict[str, Any]
    identity: bytes
    """Names (subject, source, id); empty when refused."""
    strict: bool
    signatures: Sequence[Signature] = ()
    """Those of its headers; none if one is malformed, or there are too many."""
    refusal: Refused | None = None

    @property
    def subject(self) -> str:
        """The event's subject, or "" when refused."""
        return str(self.event.get("subject", ""))


def identity_of(subject: str, source: str, id_: str) -> bytes:
    """SHA-256 over subject, source and id, separated by blanks (none of them holds one)."""
    return sha256(f"{subject} {source} {id_}".encode()).digest()


class PartitionState:
    """What admission knows of one partition. Owned by its registrar; ``advance`` alone changes it.

    ``heads`` and ``identities`` answer for at least the subjects and identities of what is being admitted.
    """

    def __init__(self, ledger_id: LedgerId, partition: int) -> None:
        """The state before the first submission."""
        self.ledger_id = ledger_id
        self.partition = partition
        self.register: Register | None = None
        self.index = 0
        self.frontier: Frontier = ()
        self.past = EMPTY_PAST
        self.admitted = 0
        self.epoch = 0
        self.offset = -1
        """Offset of the last consumed submission in this epoch."""
        self.last_leaf = b""
        self.heads: dict[str, Head] = {}
        self.identities: dict[bytes, Known] = {}

    @property
    def version(self) -> int:
        """The admission version in force."""
        return self.register.version if self.register else FIRST_VERSION

    def advance(self, prepared: Prepared, decision: Decision) -> None:
        """Move past a submission with what was decided of it."""
        submission = prepared.submission
        self.past = next_past(self.past, submission.epoch, submission.offset, decision.disposition, prepared.digest)
        self.epoch = submission.epoch
        self.offset = submission.offset
        if isinstance(decision, Admitted):
            leaf, seal = decision.leaf, decision.seal
            self.frontier = push(self.index, self.frontier, leaf)
            self.index += 1
            self.admitted = seal.admitted
            self.last_leaf = leaf
            self.heads[decision.subject] = Head(seal.seq, leaf)
            self.identities[prepared.identity] = Known(prepared.digest, decision.receipt)
            if decision.register is not None:
                self.register = decision.register


def prepare(submission: Submission, *, strict: bool = False) -> Prepared:
    """Read a submission: checks 2 to 4, which need no state.

    Unless ``strict``, bytes as our own encoder writes them are read in one quick pass that leaves the size of
    integers and the depth to the type's schema; ``admit`` goes back to the strict pass before it refuses any of them.
    """
    value = submission.value
    digest = sha256(value or b"").digest()
    try:
        if value is not None and len(value) > MAX_EVENT_BYTES:
            refusal = Refused(Disposition.TOO_LARGE, f"at most {MAX_EVENT_BYTES} bytes", f"{len(value)} bytes")
            return Prepared(submission, digest, {}, b"", True, refusal=refusal)
        event = None if strict else parse_compact(value or b"")
        if event is None:
            strict = True
            event = parse_ijson(value or b"")
    except FormatError as error:
        return Prepared(submission, digest, {}, b"", True, refusal=Refusal.of(Disposition.NOT_JSON, error).refused)
    try:
        check_attributes(event)
    except FormatError as error:
        refusal = Refusal.of(Disposition.NOT_AN_EVENT, error).refused
        return Prepared(submission, digest, {}, b"", strict, refusal=refusal)
    identity = identity_of(event["subject"], event["source"], event["id"])
    try:
        signatures = parse_signatures(submission.signature_texts())
    except FormatError:
        signatures = []  # check 11 says why, if it comes to that
    return Prepared(submission, digest, event, identity, strict, signatures)


def verify_ahead(state: PartitionState, batch: Sequence[Prepared]) -> Verified:
    """The good signatures of a batch, for ``admit``: a head start, by the register as it stands now."""
    if state.register is None:
        return frozenset()
    new = [p for p in batch if p.signatures and p.identity not in state.identities]
    return verify_all(state.register, ((p.submission.value or b"", p.digest, p.signatures) for p in new))


def admit(state: PartitionState, prepared: Prepared, verified: Verified = frozenset()) -> Decision:
    """Decide what a submission becomes, given everything before it; signatures in ``verified`` are taken as good."""
    try:
        decision = _decide(state, prepared, verified)
    except Refusal as refusal:
        decision = refusal.refused
    if isinstance(decision, Refused) and not prepared.strict:
        # The quick pass leaves integers and depth unchecked; the first reason in the order decides.
        return admit(state, prepare(prepared.submission, strict=True), verified)
    return decision


def _decide(state: PartitionState, prepared: Prepared, verified: Verified) -> Decision:
    """The checks in their order (numbers of ``Disposition``; 1 stands between 8 and 9)."""
    if prepared.refusal is not None:
        return prepared.refusal
    submission, event = prepared.submission, prepared.event
    subject: str = event["subject"]
    row = catalogue.find(event["type"])
    if row is None or row.since > state.version:
        raise Refusal(Disposition.UNKNOWN_TYPE, f"a type of catalogue version {state.version}", event["type"][:80])
    genesis = row.data is own.RegisterOpened and _is_genesis(state.ledger_id, submission.value or b"", event)
    if not genesis and (state.register is None or event["ledger"] != state.ledger_id):
        found = event["ledger"] if state.register else "an event before register.opened"
        raise Refusal(Disposition.WRONG_LEDGER, str(state.ledger_id), found)
    head = state.heads.get(subject, NO_HEAD)
    _check_subject(submission, subject, row, known=head.seq > 0)
    if head.seq == 0:
        _check_partition(state, subject)
    known = state.identities.get(prepared.identity)
    if known is not None:
        if known.digest == prepared.digest:
            return Duplicate(known.receipt)
        raise Refusal(
            Disposition.IDENTITY_REUSED,
            "the same bytes or a new id",
            "other bytes under this id",
            known.receipt,
        )
    return _admit_new(state, prepared, row, head, verified)


def _is_genesis(ledger_id: LedgerId, value: bytes, event: dict[str, Any]) -> bool:
    name, _, start = ledger_id.partition(".")
    return event["ledger"] == name and event["subject"] == "register" and anchor(value).hex()[:32] == start


_SORTS = {sort: re.compile(rf"(?:{pattern})\Z").match for sort, pattern in ids.SORTS.items()}


def _check_subject(submission: Submission, subject: str, row: EventType, *, known: bool) -> None:
    if submission.key != subject.encode():
        shown = "no key" if submission.key is None else repr(submission.key[:60].decode("latin-1"))
        raise Refusal(Disposition.BAD_SUBJECT, f"the subject {subject[:60]} as the record's key", shown)
    sort = subject.partition("/")[0]
    matches = _SORTS.get(sort)
    if not known and (matches is None or not matches(subject)):
        raise Refusal(Disposition.BAD_SUBJECT, f"a subject of the sorts {', '.join(ids.SORTS)}", subject[:60])
    if sort not in row.sorts:
        raise Refusal(Disposition.BAD_SUBJECT, f"{row.name} in a subject {' or '.join(row.sorts)}", subject[:60])


def _check_partition(state: PartitionState, subject: str) -> None:
    if subject == "register":
        return  # partition 0, or a copy; ``home`` tells (check 10)
    right = partition_of(subject, state.register.partitions if state.register else 1)
    if right != state.partition:
        raise Refusal(Disposition.WRONG_PARTITION, f"{subject[:60]} in partition {right}", str(state.partition))


def _admit_new(state: PartitionState, prepared: Prepared, row: EventType, head: Head, verified: Verified) -> Admitted:
    """Checks 10 to 19, and the seal of what passes them."""
    submission, event = prepared.submission, prepared.event
    value = submission.value or b""
    home = check_home(state.register, state.partition, submission, event, row)
    signatures = prepared.signatures
    if not signatures:
        _explain_signatures(submission)
    admitted = max(submission.timestamp, state.admitted)
    judged_at = admitted if home is None else home.admitted
    signed = Signed(value, prepared.digest, event, signatures)
    signers = check_signatures(state.register, signed, row, judged_at, verified)
    check_allowed(state.register, event, row, signers)
    try:
        if not prepared.strict and row.name in catalogue.FREE_FORM:
            parse_ijson(value)
        data = catalogue.convert_data(row, event["data"])
        if RULES[state.version].calendar:
            check_dates(row, data)
    except FormatError as error:
        raise Refusal.of(Disposition.BAD_DATA, error) from None
    _check_epoch(state, submission, data, event["subject"])
    expected = event.get("expectedseq")
    register_event = event["subject"] == "register"
    seal = Seal(
        v=state.version,
        index=state.index,
        seq=head.seq + 1,
        prev=head.leaf.hex(),
        sigs=seal_signatures(signatures),
        admitted=admitted,
        epoch=submission.epoch,
        offset=submission.offset,
        past=state.past.hex(),
        home=UNSET if home is None else home,
    )
    seal_text = format_seal(seal)
    leaf = leaf_hash(entry(seal_text, value))
    register = None
    if register_event:
        home_leaf = leaf if home is None else bytes.fromhex(home.leaf)
        try:
            register = apply(state.register, state.ledger_id, Change(data, judged_at, home_leaf))
        except Contradiction as error:
            raise Refusal(Disposition.CONTRADICTS_REGISTER, error.expected, error.found) from None
        except FormatError as error:
            raise Refusal.of(Disposition.CONTRADICTS_REGISTER, error) from None
    if expected is not None and expected != head.seq:
        raise Refusal(Disposition.SEQUENCE_CONFLICT, f"{head.seq}, the subject's head", str(expected))
    receipt = Receipt(state.partition, submission.epoch, submission.offset, state.index, head.seq + 1, leaf.hex())
    return Admitted(seal, seal_text, leaf, event["subject"], register, receipt)


def _explain_signatures(submission: Submission) -> NoReturn:
    try:
        found = len(parse_signatures(submission.signature_texts()))
    except FormatError as error:
        raise Refusal.of(Disposition.NO_SIGNATURE, error) from None
    raise AssertionError(f"{found} well-formed signatures were taken for none")


# Check 18, the part about epochs.


def opens_epoch(state: PartitionState, submission: Submission) -> bool:
    """Whether a submission at the start of a new log names the epoch after the state's, and the state's last record."""
    prepared = prepare(msgspec.structs.replace(submission, epoch=state.epoch + 1), strict=True)
    row = catalogue.find(prepared.event.get("type", ""))
    if submission.offset != 0 or row is None or row.data is not own.SubmissionsReopened:
        return False
    try:
        data = catalogue.convert_data(row, prepared.event["data"])
    except FormatError:
        return False
    assert isinstance(data, own.SubmissionsReopened)
    return (data.epoch, data.index, data.leaf) == (state.epoch + 1, state.index - 1, state.last_leaf.hex())


def _check_epoch(state: PartitionState, submission: Submission, data: Data, subject: str) -> None:
    if not isinstance(data, own.SubmissionsReopened):
        return
    right = (state.epoch + 1, state.index - 1, state.last_leaf.hex())
    if submission.epoch != state.epoch + 1 or (data.epoch, data.index, data.leaf) != right:
        raise Refusal(
            Disposition.CONTRADICTS_REGISTER,
            "submissions.reopened as the first of a new submissions log, naming the last sealed record",
            f"epoch {data.epoch} in {subject}",
        )
