"""Register copies: what a register event brings along when it is submitted anywhere but in partition 0.

The ``home`` header as it stands on a copy (shortened)::

    home: RU-PGO#77aa… Zm9v…== {"v":1,"index":12,"seq":13,"prev":"5b1f…",…}

that is partition 0's attestation (kid and signature by a log key over the entry) and partition 0's seal.  A
copy is right
when the attestation verifies over the entry rebuilt from that seal and these bytes, when the seal follows the previous
copy's home, and when the signatures are those that partition 0 sealed.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from ledger import catalogue
from ledger.catalogue import EventType, own
from ledger.dispositions import Disposition, Refusal
from ledger.errors import FormatError
from ledger.ids import Kid
from ledger.plain import Read, members_of
from ledger.register import Change, Contradiction, Register, apply, named_keys
from ledger.seal import Home, entry, leaf_hash, parse_seal, seal_signatures
from ledger.signature import ENTRY_PAYLOAD, parse_signature, verify
from ledger.submission import HOME_HEADER, Submission, parse_signatures


def check_home(
    register: Register | None, partition: int, submission: Submission, event: Read, row: EventType
) -> Home | None:
    """Check 10: where a copy's record stands in partition 0; None for whatever is no copy.

    Raises:
        Refusal: ``home`` is missing, stray, wrong, or not the next.
    """
    if partition == 0 or event.subject != "register":
        for name, _ in submission.headers:
            if name == HOME_HEADER:
                raise Refusal(Disposition.BAD_HOME, "home on register copies only", "a stray home header")
        return None
    found = [value for name, value in submission.headers if name == HOME_HEADER]
    if len(found) != 1:
        shown = f"{len(found)} home headers"
        raise Refusal(Disposition.BAD_HOME, "one home header, since register events go to partition 0", shown)
    try:
        return _read_home(register, submission, event, row, found[0])
    except FormatError as error:
        raise Refusal.of(Disposition.BAD_HOME, error) from None


def _read_home(register: Register | None, submission: Submission, event: Read, row: EventType, raw: bytes) -> Home:
    """Where the record stands in partition 0, if its attestation and place are right.

    Raises:
        FormatError: they are not.
    """
    parts = raw.split(b" ", 2)
    if len(parts) != 3:
        raise FormatError("expected '<kid> <base64> <seal>' as home, found fewer parts")
    attest = parse_signature(parts[0] + b" " + parts[1])
    seal = parse_seal(parts[2])
    made = entry(parts[2], submission.value or b"")
    next_seq = register.seq + 1 if register else 1
    previous = register.home_leaf.hex() if register else ""
    if seal.home is not UNSET:
        raise FormatError("expected partition 0's own seal in home, found a copy's")
    if seal.seq != next_seq or seal.prev != previous:
        raise FormatError(
            f"expected the register's next event, {next_seq} after {previous[:12] or 'none'}, "
            f"found {seal.seq} after {seal.prev[:12] or 'none'}"
        )
    if [tuple(s) for s in seal.sigs] != seal_signatures(parse_signatures(submission.signature_texts())):
        raise FormatError("expected the signatures that partition 0 sealed, found others")
    public = log_keys_after(register, row, event).get(attest.kid)
    if public is None or not verify(public, attest.value, ENTRY_PAYLOAD, made):
        raise FormatError(f"expected an attestation by a log key, found one by {attest.kid} that does not verify")
    return Home(seal.index, seal.admitted, leaf_hash(made).hex())


def log_keys_after(register: Register | None, row: EventType, event: Read) -> Mapping[Kid, bytes]:
    """The log keys in force once the event stands: it may be what names the new one (the old may be lost)."""
    try:
        if register is None:
            opened = catalogue.convert_data(row, members_of(event.data))
            return named_keys(opened.log_keys) if isinstance(opened, own.RegisterOpened) else {}
        if row.data is own.LogKeyReplaced:
            replaced = catalogue.convert_data(row, members_of(event.data))
            changed = apply(register, register.ledger_id, Change(replaced, 0, b""))
            return changed.log_keys
    except Contradiction as error:
        raise FormatError(str(error)) from None
    return register.log_keys
