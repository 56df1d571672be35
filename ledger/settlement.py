"""Which record counts at a forked index: what the authorities have settled, and whom a reader may believe it from.

History is the first record at each next index, *except where a settlement names another leaf*: there it is the first
record with that leaf, and every other message at that index is passed over.  A settlement is a ``fork.settled`` event
(partition, index, leaf), and it counts if either

- it stands in the register that follows, by attested records of partition 0, from the register that the reader holds
  (``follow_attested``): wherever in the log they stand, and whatever stands between them; or
- it comes in a statement file and is signed by the threshold of the authorities that are in force, in the forked
  partition, before the forked index (``check_statement``).

The second way is for partition 0, whose own fork keeps the statement from being sealed; once that partition goes on,
the statement is published, and later readers find it the first way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ledger import catalogue
from ledger.catalogue import EventType, own
from ledger.dispositions import Refusal
from ledger.envelope import Envelope
from ledger.errors import FormatError, IntegrityError
from ledger.event import Event, parse_event
from ledger.home import log_keys_after
from ledger.ids import LedgerId
from ledger.log import Stored, header
from ledger.plain import members_of
from ledger.register import Change, Contradiction, Register, apply, make_ledger_id
from ledger.seal import entry, leaf_hash, read_seal
from ledger.signature import ENTRY_PAYLOAD, MAX_SIGNATURES, Signature, parse_signature, verify
from ledger.signers import THRESHOLD_TYPES, Signed, check_allowed, check_signatures
from ledger.submission import ATTEST_HEADER, SEAL_HEADER

_KEY = b"register"
_SETTLED = "rogatory.fork.settled.v1"


class Statement(msgspec.Struct, frozen=True):
    """A settlement from a file, and how it is signed; not yet judged."""

    data: own.ForkSettled
    envelope: Envelope

    @property
    def leaf(self) -> bytes:
        """The leaf (32 bytes) that it names."""
        return bytes.fromhex(self.data.leaf)


def read_statement(envelope: Envelope, ledger_id: LedgerId) -> Statement:
    """The settlement in an envelope.

    Raises:
        FormatError: another event, or one of another ledger.
    """
    event = envelope.event()
    if event.type != _SETTLED or event.subject != "register":
        raise FormatError(f"expected {_SETTLED} in subject register, found {event.type} in {event.subject}")
    if event.ledger != ledger_id:
        raise FormatError(f"expected a statement about {ledger_id}, found one about {event.ledger[:80]}")
    data = catalogue.decode_data(catalogue.known(event.type), event.data)
    assert isinstance(data, own.ForkSettled)
    return Statement(data, envelope)


def check_statement(register: Register | None, statement: Statement) -> None:
    """Whether the threshold of the authorities in ``register`` have signed a statement.

    Raises:
        FormatError: they have not; says who is missing, or whose signature does not hold.
    """
    if register is None:
        raise FormatError("expected a register with authorities, found none: nothing can be settled before genesis")
    check_threshold(register, statement.envelope)


def check_threshold(register: Register, envelope: Envelope) -> None:
    """Whether an event that needs the threshold has it; signatures of others do no harm here. Raises FormatError."""
    fitting = [s for s in envelope.signatures if s.kid in register.authorities][:MAX_SIGNATURES]
    if len(fitting) < register.threshold:
        raise FormatError(
            f"expected signatures of {register.threshold} of the authorities {', '.join(register.authorities)}, "
            f"found {', '.join(s.kid for s in fitting) or 'none of them'}"
        )
    event = parse_event(envelope.value)
    check_signed(register, catalogue.known(event.type), event, envelope.value, fitting, 0)


class Settled:
    """What is settled in one partition; belongs to the reader of that partition."""

    def __init__(self, partition: int, sealed: Mapping[str, str], statements: Iterable[Statement] = ()) -> None:
        """``sealed`` is ``Register.settled`` of a register that was followed by attested records."""
        self._partition = partition
        mine = f"{partition}/"
        self._leaves = {int(p.partition("/")[2]): bytes.fromhex(x) for p, x in sealed.items() if p.startswith(mine)}
        self._statements: dict[int, list[Statement]] = {}
        for statement in statements:
            if statement.data.partition == partition and statement.data.index not in self._leaves:
                self._statements.setdefault(statement.data.index, []).append(statement)

    def __contains__(self, index: int) -> bool:
        return index in self._leaves or index in self._statements

    def __bool__(self) -> bool:
        return bool(self._leaves or self._statements)

    @property
    def indices(self) -> list[int]:
        """The indices that something is said about."""
        return sorted({*self._leaves, *self._statements})

    def leaf(self, index: int, register: Register | None) -> bytes | None:
        """The leaf that counts at an index, as judged with the register before it; None where nothing is settled.

        Raises:
            IntegrityError: a statement is not signed as it must be, or two of them name different leaves.
        """
        if index not in self._leaves and index in self._statements:
            for statement in self._statements[index]:
                try:
                    check_statement(register, statement)
                except FormatError as error:
                    place = f"partition {self._partition}, index {index}"
                    raise IntegrityError(
                        f"{place}: a statement that settles this fork does not hold: {error}"
                    ) from None
                if self._leaves.setdefault(index, statement.leaf) != statement.leaf:
                    raise IntegrityError(
                        f"partition {self._partition}, index {index}: expected one settlement, found statements for "
                        f"{self._leaves[index].hex()} and {statement.data.leaf}: the authorities must take one back"
                    )
        return self._leaves.get(index)


NOTHING = Settled(0, {})
"""No settlement at all."""


def follow_attested(register: Register | None, ledger_id: LedgerId, stored: Stored) -> Register | None:
    """The register after a message of partition 0's ledger that is its next event; None if it is not.

    Such a message carries an attestation by a log key in force over its entry; what needs the threshold is also
    verified as that.  So nobody without a log key can make one, and nobody without the threshold can settle or replace
    anything, wherever in the log they write.
    """
    if stored.key != _KEY or stored.value is None:  # all but a few, and whoever asks asks about all
        return None
    text, attest = header(stored.headers, SEAL_HEADER) or b"", header(stored.headers, ATTEST_HEADER) or b""
    seq, last = (register.seq, register.home_leaf.hex()) if register else (0, "")
    try:
        seal = read_seal(text)
        if seal.seq != seq + 1 or seal.prev != last:
            return None
        signature = parse_signature(attest)
        event = parse_event(stored.value)
        row = catalogue.known(event.type)
        if register is None and make_ledger_id(stored.value, event.ledger) != ledger_id:
            return None
        made = entry(text, stored.value)
        public = log_keys_after(register, row, event).get(signature.kid)
        if public is None or not verify(public, signature.value, ENTRY_PAYLOAD, made):
            return None
        if row.name in THRESHOLD_TYPES:
            check_signed(register, row, event, stored.value, seal.signatures(), seal.admitted)
        data = catalogue.convert_data(row, members_of(event.data))
        return apply(register, ledger_id, Change(data, seal.admitted, leaf_hash(made)))
    except (FormatError, Contradiction, KeyError, TypeError):
        return None


def check_signed(
    register: Register | None,
    row: EventType,
    event: Event,
    value: bytes,
    signatures: list[Signature],
    at: int,
) -> None:
    """Whether these signatures let an event in, with ``register`` as before it and keys good at ``at`` (ms).

    Raises:
        FormatError: they do not.
    """
    try:
        signers = check_signatures(register, Signed(value, event, signatures), row, at)
        check_allowed(register, event, row, signers)
    except Refusal as refusal:
        refused = refusal.refused
        raise FormatError(f"{refused.disposition.reason}: expected {refused.expected}, found {refused.found}") from None
