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
from ledger.catalogue.dates import check_dates
from ledger.chain import NO_HEAD, Head
from ledger.dispositions import Disposition, Refusal, Refused
from ledger.errors import FormatError
from ledger.event import MAX_EVENT_BYTES, Event, check_attributes, read_event
from ledger.home import check_home
from ledger.ids import LedgerId
from ledger.ijson import parse_ijson
from ledger.merkle import Frontier, push
from ledger.partition import partition_of
from ledger.plain import Read, members_of, read_plain
from ledger.register import Change, Contradiction, Register, anchor, apply
from ledger.seal import (
    EMPTY_PAST,
    Seal,
    format_seal,
    next_past,
    record_leaf,
    seal_signatures,
)
from ledger.signature import Signature
from ledger.signers import Signed, Verified, check_allowed, check_signatures, is_ordinary, verify_all
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
    event: Read | None
    """None when refused."""
    identity: bytes
    """Names (subject, source, id); empty when refused."""
    strict: bool
    signatures: Sequence[Signature] = ()
    """Those of its headers; none if one is malformed, or there are too many."""
    refusal: Refused | None = None

    @property
    def subject(self) -> str:
        """The event's subject, or "" when refused."""
        return "" if self.event is None else self.event.subject


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

    Unless ``strict``, a plain event (``ledger/plain.py``) is read with its data in one quick pass; ``admit`` comes back
    to the strict one before it refuses any.
    """
    value = submission.value or b""
    digest = sha256(value).digest()
    event: Read | None = None if strict else read_plain(value)
    if event is None:
        strict = True
        try:
            event = _read_strictly(value)
        except Refusal as refusal:
            return Prepared(submission, digest, None, b"", True, refusal=refusal.refused)
    identity = identity_of(event.subject, event.source, event.id)
    try:
        signatures = parse_signatures(submission.signature_texts())
    except FormatError:
        signatures = []  # check 11 says why, if it comes to that
    return Prepared(submission, digest, event, identity, strict, signatures)


def _read_strictly(value: bytes) -> Event:
    if len(value) > MAX_EVENT_BYTES:
        raise Refusal(Disposition.TOO_LARGE, f"at most {MAX_EVENT_BYTES} bytes", f"{len(value)} bytes")
    try:
        members = parse_ijson(value)
    except FormatError as error:
        raise Refusal.of(Disposition.NOT_JSON, error) from None
    try:
        check_attributes(members)
        return read_event(value)
    except FormatError as error:
        raise Refusal.of(Disposition.NOT_AN_EVENT, error) from None


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
        # So that what is refused, and for which reason first, rests on the strict reading alone.
        return admit(state, prepare(prepared.submission, strict=True), verified)
    return decision


def _decide(state: PartitionState, prepared: Prepared, verified: Verified) -> Decision:
    """The checks in their order (numbers of ``Disposition``; 1 stands between 8 and 9)."""
    submission, event = prepared.submission, prepared.event
    if event is None:
        assert prepared.refusal is not None
        return prepared.refusal
    subject = event.subject
    row = catalogue.find(event.type)
    if row is None or row.since > state.version:
        raise Refusal(Disposition.UNKNOWN_TYPE, f"a type of catalogue version {state.version}", event.type[:80])
    genesis = row.data is own.RegisterOpened and _is_genesis(state.ledger_id, submission.value or b"", event)
    if not genesis and (state.register is None or event.ledger != state.ledger_id):
        found = event.ledger if state.register else "an event before register.opened"
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
    return _admit_new(state, prepared, event, row, head, verified)


def _is_genesis(ledger_id: LedgerId, value: bytes, event: Read) -> bool:
    name, _, start = ledger_id.partition(".")
    return event.ledger == name and event.subject == "register" and anchor(value).hex()[:32] == start


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


def _admit_new(
    state: PartitionState, prepared: Prepared, event: Read, row: EventType, head: Head, verified: Verified
) -> Admitted:
    """Checks 10 to 19, and the seal of what passes them."""
    submission, version = prepared.submission, state.version
    value = submission.value or b""
    home = check_home(state.register, state.partition, submission, event, row)
    signatures = prepared.signatures
    if not signatures:
        _explain_signatures(submission)
    admitted = max(submission.timestamp, state.admitted)
    judged_at = admitted if home is None else home.admitted
    register = state.register
    known = prepared.digest, verified
    if (
        len(signatures) > 1
        or register is None
        or not is_ordinary(register, event, row, signatures[0], judged_at, known)
    ):
        signers = check_signatures(register, Signed(value, event, signatures), row, judged_at)
        check_allowed(register, event, row, signers)
    try:
        data = _read_data(prepared, event, row)
        if RULES[version].calendar:
            check_dates(row, data)
    except FormatError as error:
        raise Refusal.of(Disposition.BAD_DATA, error) from None
    if isinstance(data, own.SubmissionsReopened):
        _check_epoch(state, submission, data, event.subject)
    seq = head.seq + 1
    seal = Seal(
        version,
        state.index,
        seq,
        head.leaf.hex(),
        seal_signatures(signatures),
        admitted,
        submission.epoch,
        submission.offset,
        state.past.hex(),
        UNSET if home is None else home,
    )
    seal_text = format_seal(seal)
    leaf = record_leaf(seal_text, value)
    changed = None
    if event.subject == "register":
        home_leaf = leaf if home is None else bytes.fromhex(home.leaf)
        try:
            changed = apply(register, state.ledger_id, Change(data, judged_at, home_leaf))
        except Contradiction as error:
            raise Refusal(Disposition.CONTRADICTS_REGISTER, error.expected, error.found) from None
        except FormatError as error:
            raise Refusal.of(Disposition.CONTRADICTS_REGISTER, error) from None
    expected = event.expectedseq
    if expected is not None and expected != head.seq:
        raise Refusal(Disposition.SEQUENCE_CONFLICT, f"{head.seq}, the subject's head", str(expected))
    receipt = Receipt(state.partition, submission.epoch, submission.offset, state.index, seq, leaf.hex())
    return Admitted(seal, seal_text, leaf, event.subject, changed, receipt)


def _read_data(prepared: Prepared, event: Read, row: EventType) -> Any:
    """Check 17 but for dates: ``data`` by its type; of a plain event, where nobody looks into it, as it was read."""
    if not prepared.strict and event.subject != "register" and row.data is not own.SubmissionsReopened:
        return event.data
    return catalogue.convert_data(row, members_of(event.data))


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
    event = prepared.event
    row = None if event is None else catalogue.find(event.type)
    if submission.offset != 0 or event is None or row is None or row.data is not own.SubmissionsReopened:
        return False
    try:
        data = catalogue.convert_data(row, members_of(event.data))
    except FormatError:
        return False
    assert isinstance(data, own.SubmissionsReopened)
    return (data.epoch, data.index, data.leaf) == (state.epoch + 1, state.index - 1, state.last_leaf.hex())


def _check_epoch(state: PartitionState, submission: Submission, data: own.SubmissionsReopened, subject: str) -> None:
    right = (state.epoch + 1, state.index - 1, state.last_leaf.hex())
    if submission.epoch != state.epoch + 1 or (data.epoch, data.index, data.leaf) != right:
        raise Refusal(
            Disposition.CONTRADICTS_REGISTER,
            "submissions.reopened as the first of a new submissions log, naming the last sealed record",
            f"epoch {data.epoch} in {subject}",
        )
