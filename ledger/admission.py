"""Admission: what becomes a record, what does not and why. One pure function, one table of reasons.

``admit(state, prepare(submission))`` is *Admitted*, *Duplicate* or *Refused*; ``state.advance`` moves past it.  Neither
clock nor chance nor any look-up elsewhere takes part, so registrars that overlap write the same records.

Refused is only what cannot be trusted or read.  An unlawful act did happen: it is admitted and becomes a finding.

The checks run in the order of ``_decide``; their numbers are frozen, since they go into ``past``.  A duplicate
is found before any
signature is looked at, so that a retry after a revocation still gets its receipt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import UNSET

from ledger import catalogue, ids
from ledger.catalogue import EventType, own
from ledger.catalogue.base import Data
from ledger.chain import NO_HEAD, Head
from ledger.errors import FormatError
from ledger.event import MAX_EVENT_BYTES, check_attributes
from ledger.ids import Kid, LedgerId, OfficeCode
from ledger.ijson import parse_compact, parse_ijson
from ledger.merkle import Frontier, push
from ledger.partition import partition_of
from ledger.register import FIRST_VERSION, Change, Contradiction, GrantedKey, Register, anchor, apply, named_keys
from ledger.seal import (
    EMPTY_PAST,
    Home,
    Seal,
    entry,
    format_seal,
    leaf_hash,
    next_past,
    parse_seal,
    seal_signatures,
)
from ledger.signature import (
    ENTRY_PAYLOAD,
    EVENT_PAYLOAD,
    Signature,
    pae,
    parse_signature,
    verify,
    verify_message,
)
from ledger.submission import HOME_HEADER, Receipt, Submission, parse_signatures


class Disposition(IntEnum):
    """What became of a submission. The numbers are frozen."""

    ADMITTED = 0
    DUPLICATE = 1
    TOO_LARGE = 2
    NOT_JSON = 3
    NOT_AN_EVENT = 4
    UNKNOWN_TYPE = 5
    WRONG_LEDGER = 6
    BAD_SUBJECT = 7
    WRONG_PARTITION = 8
    IDENTITY_REUSED = 9
    BAD_HOME = 10
    NO_SIGNATURE = 11
    UNKNOWN_KEY = 12
    FOREIGN_KEY = 13
    KEY_NOT_VALID = 14
    BAD_SIGNATURE = 15
    NOT_ALLOWED = 16
    BAD_DATA = 17
    CONTRADICTS_REGISTER = 18
    SEQUENCE_CONFLICT = 19

    @property
    def reason(self) -> str:
        """The word for it: ``too-large``."""
        return self.name.lower().replace("_", "-")


MEANING: dict[Disposition, str] = {
    Disposition.TOO_LARGE: "The event is over 48 KiB. Hold long texts elsewhere and give their SHA-256.",
    Disposition.NOT_JSON: "The bytes are not strict I-JSON. Let the SDK write the event.",
    Disposition.NOT_AN_EVENT: "The CloudEvents attributes are missing, unknown or malformed.",
    Disposition.UNKNOWN_TYPE: "The type is not in the catalogue that this ledger has adopted.",
    Disposition.WRONG_LEDGER: "The event was signed for another ledger. Sign it again for this one.",
    Disposition.BAD_SUBJECT: "The subject is malformed, is not the record's key, or takes no events of this type.",
    Disposition.WRONG_PARTITION: "The subject lives in another partition. Use the murmur2 partitioner.",
    Disposition.IDENTITY_REUSED: "Subject, source and id were used for other bytes. Give the event a new id.",
    Disposition.BAD_HOME: "Register events come from partition 0 only, in its order, with its attestation.",
    Disposition.NO_SIGNATURE: "One to four well-formed signatures are needed, each by another key.",
    Disposition.UNKNOWN_KEY: "The key is not enrolled. Have it granted in the register first.",
    Disposition.FOREIGN_KEY: "The key belongs to another office than the event's source.",
    Disposition.KEY_NOT_VALID: "The key was not valid, or revoked, when the event arrived.",
    Disposition.BAD_SIGNATURE: "A signature does not verify over these bytes.",
    Disposition.NOT_ALLOWED: "The signer may not sign events of this type.",
    Disposition.BAD_DATA: "The data is not of its type's schema.",
    Disposition.CONTRADICTS_REGISTER: "The event contradicts what the register says.",
    Disposition.SEQUENCE_CONFLICT: "Another record came first. Look at the subject again and decide anew.",
}
"""What each refusal says to a person, and what to do about it."""

THRESHOLD_TYPES = frozenset(
    {
        "register.opened",
        "rules.adopted",
        "authority.replaced",
        "logkey.replaced",
        "submissions.reopened",
        "fork.settled",
    }
)
COORDINATOR_FAMILIES = frozenset({"office", "key", "instrument", "act", "coordinator", "rulebook"})
OWN_OFFICE_FAMILIES = frozenset({"role", "contact"})


class Known(msgspec.Struct, frozen=True, array_like=True):
    """An identity that was admitted: the SHA-256 of its bytes, and the receipt."""

    digest: bytes
    receipt: Receipt


class Refused(msgspec.Struct, frozen=True):
    """Not admitted; ``expected`` and ``found`` never repeat what ``data`` says."""

    disposition: Disposition
    expected: str
    found: str
    receipt: Receipt | None = None


class Duplicate(msgspec.Struct, frozen=True):
    """The same bytes as a record that stands already."""

    receipt: Receipt
    disposition: Disposition = Disposition.DUPLICATE


class Admitted(msgspec.Struct, frozen=True):
    """Becomes a record. ``seal_text`` is the header, ``leaf`` 32 bytes; ``register`` is new on register events."""

    seal: Seal
    seal_text: bytes
    leaf: bytes
    subject: str
    register: Register | None
    receipt: Receipt
    disposition: Disposition = Disposition.ADMITTED


Decision = Admitted | Duplicate | Refused


class Prepared(msgspec.Struct, frozen=True):
    """A submission, read as far as that goes without any state."""

    submission: Submission
    digest: bytes
    """SHA-256 of its value."""
    event: dict[str, Any]
    identity: bytes
    """Names (subject, source, id); empty when refused."""
    strict: bool
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
            self.frontier = push(self.index, self.frontier, decision.leaf)
            self.index += 1
            self.admitted = decision.seal.admitted
            self.last_leaf = decision.leaf
            self.heads[decision.subject] = Head(decision.seal.seq, decision.leaf)
            self.identities[prepared.identity] = Known(prepared.digest, decision.receipt)
            if decision.register is not None:
                self.register = decision.register


def prepare(submission: Submission, *, strict: bool = False) -> Prepared:
    """Read a submission: checks 2 to 4, which need no state.

    Unless ``strict``, bytes as our own encoder writes them are read in one quick pass that leaves the size of
    integers and the
    depth to the type's schema; ``admit`` goes back to the strict pass before it refuses any of them.
    """
    value = submission.value
    digest = sha256(value or b"").digest()
    try:
        if value is not None and len(value) > MAX_EVENT_BYTES:
            refusal = Refused(Disposition.TOO_LARGE, f"at most {MAX_EVENT_BYTES} bytes", f"{len(value)} bytes")
            return Prepared(submission, digest, {}, b"", True, refusal)
        event = None if strict else parse_compact(value or b"")
        if event is None:
            strict = True
            event = parse_ijson(value or b"")
    except FormatError as error:
        return Prepared(submission, digest, {}, b"", True, _refused(Disposition.NOT_JSON, error))
    try:
        check_attributes(event)
    except FormatError as error:
        refusal = _refused(Disposition.NOT_AN_EVENT, error)
        return Prepared(submission, digest, {}, b"", strict, refusal)
    identity = identity_of(event["subject"], event["source"], event["id"])
    return Prepared(submission, digest, event, identity, strict)


def admit(state: PartitionState, prepared: Prepared) -> Decision:
    """Decide what a submission becomes, given everything before it."""
    try:
        decision = _decide(state, prepared)
    except _Refusal as refusal:
        decision = refusal.refused
    if isinstance(decision, Refused) and not prepared.strict:
        # The quick pass leaves integers and depth unchecked; the first reason in the order decides.
        return admit(state, prepare(prepared.submission, strict=True))
    return decision


class _Refusal(Exception):
    """Carries a refusal out of nested checks."""

    def __init__(self, disposition: Disposition, expected: str, found: str, receipt: Receipt | None = None) -> None:
        super().__init__(disposition.reason)
        self.refused = Refused(disposition, expected, found, receipt)


def _refused(disposition: Disposition, error: FormatError) -> Refused:
    expected, _, found = str(error).removeprefix("expected ").partition(", found ")
    return Refused(disposition, expected, found)


def _decide(state: PartitionState, prepared: Prepared) -> Decision:
    """The checks in their order (numbers of ``Disposition``; 1 stands between 8 and 9)."""
    if prepared.refusal is not None:
        return prepared.refusal
    submission, event = prepared.submission, prepared.event
    subject: str = event["subject"]
    row = catalogue.find(event["type"])
    if row is None:
        raise _Refusal(Disposition.UNKNOWN_TYPE, f"a type of catalogue version {state.version}", event["type"][:80])
    genesis = row.data is own.RegisterOpened and _is_genesis(state.ledger_id, submission.value or b"", event)
    if not genesis and (state.register is None or event["ledger"] != state.ledger_id):
        found = event["ledger"] if state.register else "an event before register.opened"
        raise _Refusal(Disposition.WRONG_LEDGER, str(state.ledger_id), found)
    _check_subject(submission, subject, row)
    head = state.heads.get(subject, NO_HEAD)
    if head.seq == 0:
        _check_partition(state, subject)
    known = state.identities.get(prepared.identity)
    if known is not None:
        if known.digest == prepared.digest:
            return Duplicate(known.receipt)
        raise _Refusal(
            Disposition.IDENTITY_REUSED,
            "the same bytes or a new id",
            "other bytes under this id",
            known.receipt,
        )
    return _admit_new(state, prepared, row, head)


def _is_genesis(ledger_id: LedgerId, value: bytes, event: dict[str, Any]) -> bool:
    name, _, start = ledger_id.partition(".")
    return event["ledger"] == name and event["subject"] == "register" and anchor(value).hex()[:32] == start


_SORTS = {sort: re.compile(rf"(?:{pattern})\Z").match for sort, pattern in ids.SORTS.items()}


def _check_subject(submission: Submission, subject: str, row: EventType) -> None:
    if submission.key != subject.encode():
        shown = "no key" if submission.key is None else repr(submission.key[:60].decode("latin-1"))
        raise _Refusal(Disposition.BAD_SUBJECT, f"the subject {subject[:60]} as the record's key", shown)
    sort = subject.partition("/")[0]
    matches = _SORTS.get(sort)
    if matches is None or not matches(subject):
        raise _Refusal(Disposition.BAD_SUBJECT, f"a subject of the sorts {', '.join(ids.SORTS)}", subject[:60])
    if sort not in row.sorts:
        raise _Refusal(Disposition.BAD_SUBJECT, f"{row.name} in a subject {' or '.join(row.sorts)}", subject[:60])


def _check_partition(state: PartitionState, subject: str) -> None:
    if subject == "register":
        return  # partition 0, or a copy; ``home`` tells (check 10)
    right = partition_of(subject, state.register.partitions if state.register else 1)
    if right != state.partition:
        raise _Refusal(Disposition.WRONG_PARTITION, f"{subject[:60]} in partition {right}", str(state.partition))


def _admit_new(state: PartitionState, prepared: Prepared, row: EventType, head: Head) -> Admitted:
    """Checks 10 to 19, and the seal of what passes them."""
    submission, event = prepared.submission, prepared.event
    value = submission.value or b""
    texts = submission.signature_texts()
    home = _check_home(state, prepared, row, texts)
    try:
        signatures = parse_signatures(texts)
    except FormatError as error:
        raise _Refusal(*_reason(Disposition.NO_SIGNATURE, error)) from None
    admitted = max(submission.timestamp, state.admitted)
    judged_at = admitted if home is None else home.admitted
    signers = _check_signatures(state.register, prepared, row, signatures, judged_at)
    _check_allowed(state.register, event, row, signers)
    try:
        if not prepared.strict and row.name in catalogue.FREE_FORM:
            parse_ijson(value)
        data = catalogue.convert_data(row, event["data"])
    except FormatError as error:
        raise _Refusal(*_reason(Disposition.BAD_DATA, error)) from None
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
            raise _Refusal(Disposition.CONTRADICTS_REGISTER, error.expected, error.found) from None
        except FormatError as error:
            raise _Refusal(*_reason(Disposition.CONTRADICTS_REGISTER, error)) from None
    if expected is not None and expected != head.seq:
        raise _Refusal(Disposition.SEQUENCE_CONFLICT, f"{head.seq}, the subject's head", str(expected))
    receipt = Receipt(state.partition, submission.epoch, submission.offset, state.index, head.seq + 1, leaf.hex())
    return Admitted(seal, seal_text, leaf, event["subject"], register, receipt)


def _reason(disposition: Disposition, error: FormatError) -> tuple[Disposition, str, str]:
    refused = _refused(disposition, error)
    return disposition, refused.expected, refused.found


# Check 10: register copies and what came with them.


def _check_home(state: PartitionState, prepared: Prepared, row: EventType, texts: list[bytes]) -> Home | None:
    found = [value for name, value in prepared.submission.headers if name == HOME_HEADER]
    wanted = state.partition != 0 and prepared.event["subject"] == "register"
    if not wanted:
        if found:
            raise _Refusal(Disposition.BAD_HOME, "home on register copies only", "a stray home header")
        return None
    if len(found) != 1:
        shown = f"{len(found)} home headers"
        raise _Refusal(Disposition.BAD_HOME, "one home header, since register events go to partition 0", shown)
    try:
        return _read_home(state.register, prepared, row, texts, found[0])
    except FormatError as error:
        raise _Refusal(*_reason(Disposition.BAD_HOME, error)) from None


def _read_home(register: Register | None, prepared: Prepared, row: EventType, texts: list[bytes], raw: bytes) -> Home:
    """Where the record stands in partition 0, if its attestation and place are right.

    Raises:
        FormatError: they are not.
    """
    parts = raw.split(b" ", 2)
    if len(parts) != 3:
        raise FormatError("expected '<kid> <base64> <seal>' as home, found fewer parts")
    attest = parse_signature(parts[0] + b" " + parts[1])
    seal = parse_seal(parts[2])
    made = entry(parts[2], prepared.submission.value or b"")
    next_seq = register.seq + 1 if register else 1
    previous = register.home_leaf.hex() if register else ""
    if seal.home is not UNSET:
        raise FormatError("expected partition 0's own seal in home, found a copy's")
    if seal.seq != next_seq or seal.prev != previous:
        raise FormatError(
            f"expected the register's next event, {next_seq} after {previous[:12] or 'none'}, "
            f"found {seal.seq} after {seal.prev[:12] or 'none'}"
        )
    if [tuple(s) for s in seal.sigs] != seal_signatures(parse_signatures(texts)):
        raise FormatError("expected the signatures that partition 0 sealed, found others")
    public = _log_keys_after(register, row, prepared.event["data"]).get(attest.kid)
    if public is None or not verify(public, attest.value, ENTRY_PAYLOAD, made):
        raise FormatError(f"expected an attestation by a log key, found one by {attest.kid} that does not verify")
    return Home(seal.index, seal.admitted, leaf_hash(made).hex())


def _log_keys_after(register: Register | None, row: EventType, data: dict[str, Any]) -> Mapping[Kid, bytes]:
    """The log keys in force once the event stands: it may be what names the new one (the old may be lost)."""
    try:
        if register is None:
            opened = catalogue.convert_data(row, data)
            return named_keys(opened.log_keys) if isinstance(opened, own.RegisterOpened) else {}
        if row.data is own.LogKeyReplaced:
            replaced = catalogue.convert_data(row, data)
            changed = apply(register, register.ledger_id, Change(replaced, 0, b""))
            return changed.log_keys
    except Contradiction as error:
        raise FormatError(str(error)) from None
    return register.log_keys


# Checks 12 to 16: who signed, and whether they may.


class _Signers(msgspec.Struct, frozen=True):
    authorities: int
    sign_offices: frozenset[OfficeCode]


def _check_signatures(
    register: Register | None, prepared: Prepared, row: EventType, signatures: list[Signature], judged_at: int
) -> _Signers:
    """Checks 12 to 15, each of all signatures before the next."""
    authorities = register.authorities if register else _genesis_authorities(row, prepared.event["data"])
    publics = [_public_key(register, authorities, s.kid) for s in signatures]
    office = prepared.event["source"][7:]
    for signature in signatures:
        anybodys = row.name in THRESHOLD_TYPES and signature.kid in authorities
        if signature.office != office and not anybodys:
            raise _Refusal(Disposition.FOREIGN_KEY, f"a key of {office}", str(signature.kid))
    others = [s.kid for s in signatures if s.kid not in authorities]
    granted = [key for kid in others if (key := _valid_key(register, kid, judged_at)) is not None]
    message = pae(EVENT_PAYLOAD, prepared.submission.value or b"")
    for signature, public in zip(signatures, publics, strict=True):
        if not verify_message(public, signature.value, message):
            raise _Refusal(Disposition.BAD_SIGNATURE, f"a signature by {signature.kid} over these bytes", "another")
    offices = frozenset(key.office for key in granted if key.use == "sign")
    return _Signers(len(signatures) - len(others), offices)


def _public_key(register: Register | None, authorities: Mapping[Kid, bytes], kid: Kid) -> bytes:
    """Check 12: the key is known, be it in force or not."""
    if kid in authorities:
        return authorities[kid]
    if register is not None:
        if kid in register.keys:
            return register.keys[kid].public_key
        for known in (register.log_keys, register.former):
            if kid in known:
                return known[kid]
    raise _Refusal(Disposition.UNKNOWN_KEY, "a key of the register", str(kid))


def _valid_key(register: Register | None, kid: Kid, judged_at: int) -> GrantedKey | None:
    """Check 14, of a key that is no authority's. None for a log key: it verifies, and may sign nothing."""
    if register is None:
        return None
    if kid in register.former:
        raise _Refusal(Disposition.KEY_NOT_VALID, "a key in force", f"{kid}, replaced before")
    key = register.keys.get(kid)
    if key is not None and not key.valid_at(judged_at):
        until = "any time" if key.valid_to is None else str(key.valid_to)
        found = f"revoked at {key.revoked}" if key.revoked is not None else f"valid from {key.valid_from} to {until}"
        raise _Refusal(Disposition.KEY_NOT_VALID, f"a key valid at {judged_at}", f"{kid}, {found}")
    return key


def _genesis_authorities(row: EventType, data: dict[str, Any]) -> Mapping[Kid, bytes]:
    """Before the register stands, the authorities are those that genesis itself names (its bytes are the anchor)."""
    try:
        opened = catalogue.convert_data(row, data)
        return named_keys(opened.authorities) if isinstance(opened, own.RegisterOpened) else {}
    except (FormatError, Contradiction):
        return {}


def _check_allowed(register: Register | None, event: dict[str, Any], row: EventType, signers: _Signers) -> None:
    """Who may sign what (check 16). One signature that may is enough; all have verified."""
    family = row.name.partition(".")[0]
    office = OfficeCode(event["source"][7:])
    if row.name in THRESHOLD_TYPES:
        needed = register.threshold if register else _genesis_threshold(row, event["data"])
        if signers.authorities < needed:
            raise _Refusal(Disposition.NOT_ALLOWED, f"{needed} authority keys", f"{signers.authorities}")
        return
    if family in COORDINATOR_FAMILIES:
        if not _is_superior(register, office, signers):
            raise _Refusal(
                Disposition.NOT_ALLOWED,
                "an authority key or one of a coordinating unit of the own Party",
                office,
            )
    elif family in OWN_OFFICE_FAMILIES:
        about = event["data"].get("office", office)
        if not (about == office and signers.sign_offices) and not _is_superior(register, office, signers):
            expected = "a sign key of the office it speaks of, or as for keys and offices"
            raise _Refusal(Disposition.NOT_ALLOWED, expected, office)
    elif not signers.sign_offices:
        raise _Refusal(Disposition.NOT_ALLOWED, f"a sign key of {office}", "a key for another use")


def _genesis_threshold(row: EventType, data: dict[str, Any]) -> int:
    opened = catalogue.convert_data(row, data)
    return opened.threshold if isinstance(opened, own.RegisterOpened) else 1


def _is_superior(register: Register | None, office: OfficeCode, signers: _Signers) -> bool:
    if signers.authorities:
        return True
    return register is not None and office in signers.sign_offices and register.is_coordinator(office)


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
        raise _Refusal(
            Disposition.CONTRADICTS_REGISTER,
            "submissions.reopened as the first of a new submissions log, naming the last sealed record",
            f"epoch {data.epoch} in {subject}",
        )
