"""What a registrar appends: records with seal and attestation, and how much of anything fits one append."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.admission import Admitted, Prepared
from ledger.errors import KeyFault
from ledger.event import CONTENT_TYPE
from ledger.ids import Kid
from ledger.log import Message, Stored
from ledger.register import Register
from ledger.seal import entry
from ledger.signature import ENTRY_PAYLOAD, Signer, format_signature, sign
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, SEAL_HEADER

_HEADROOM = 2048  # bytes that a seal or an outcome adds to a submission, with the framing of both logs


def record_message(partition: int, prepared: Prepared, decision: Admitted, log_keys: Mapping[Kid, Signer]) -> Message:
    """A record as the ledger log carries it; a register record of partition 0 is attested.

    Args:
        partition: that the record belongs to.
        prepared: its submission.
        decision: its seal.
        log_keys: those at hand, by kid.

    Raises:
        KeyFault: it has to be attested, and no log key in force is at hand.
    """
    headers = [(CONTENT_TYPE_HEADER, CONTENT_TYPE), (SEAL_HEADER, decision.seal_text)]
    if decision.register is not None and partition == 0:
        made = entry(decision.seal_text, prepared.submission.value or b"")
        attest = sign(_log_key(decision.register, log_keys), ENTRY_PAYLOAD, made)
        headers.append((ATTEST_HEADER, format_signature(attest)))
    return Message(decision.subject.encode(), prepared.submission.value, tuple(headers), decision.seal.admitted)


def _log_key(register: Register, log_keys: Mapping[Kid, Signer]) -> Signer:
    """A log key in force behind a register record; a new one attests for itself, since the old may be lost."""
    for kid in register.log_keys:
        if kid in log_keys:
            return log_keys[kid]
    raise KeyFault(
        f"expected a log key of the register ({', '.join(register.log_keys)}) to attest register records, "
        f"found {', '.join(log_keys) or 'none'}"
    )


def surely_fitting(stored: Sequence[Stored], limit: int) -> Sequence[Stored]:
    """As many submissions as surely fit one append of ``limit`` bytes, whatever they become; at least one."""
    total = 0
    for count, one in enumerate(stored):
        total += _size(one.value, one.headers) + len(one.key or b"") + _HEADROOM
        if total > limit and count:
            return stored[:count]
    return stored


def first_piece(messages: Sequence[Message], limit: int) -> Sequence[Message]:
    """As many outcomes as fit one append of ``limit`` bytes; at least one."""
    size, count = 0, 0
    for message in messages:
        size += _size(message.value, message.headers) + _HEADROOM
        if count and size > limit:
            break
        count += 1
    return messages[:count]


def _size(value: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> int:
    return len(value or b"") + sum(len(name) + len(text) for name, text in headers)
