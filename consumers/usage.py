"""What a key has signed: records, attestations, and submissions that were refused; to judge a compromise by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from ledger.errors import FormatError
from ledger.event import read_event
from ledger.ids import Kid
from ledger.log import LEDGER, OUTCOMES, Log, Stored, header
from ledger.outcome import read_outcome
from ledger.seal import read_seal
from ledger.signature import parse_signature
from ledger.submission import ATTEST_HEADER, SEAL_HEADER, SIGNATURE_HEADER

_READ = 2000


class Use(msgspec.Struct, frozen=True):
    """One thing that a key has signed; ``what`` is record, attestation, or the reason of a refusal. ``at`` in ms."""

    what: str
    partition: int
    index: int | None
    at: int
    subject: str
    type: str
    id: str


async def find_uses(log: Log, partitions: Sequence[int], kid: Kid, since: int = 0) -> list[Use]:
    """What a key signed that was admitted, or refused, at ``since`` (ms) or later.

    Reads everything, and takes each index once; whether the signatures verify is for the audit to say.

    Raises:
        LogUnavailable: the log does not answer.
    """
    found: list[Use] = []
    for partition in partitions:
        size = 0
        async for stored in _all(log, LEDGER, partition):
            taken, size = _from_ledger(partition, stored, kid, size)
            found += [use for use in taken if use.at >= since]
        keys = set()
        async for stored in _all(log, OUTCOMES, partition):
            if stored.key not in keys:
                keys.add(stored.key)
                found += [use for use in _from_outcomes(partition, stored, kid) if use.at >= since]
    return found


async def _all(log: Log, topic: str, partition: int) -> AsyncIterator[Stored]:
    reader = log.reader(topic, partition)
    try:
        while messages := await reader.read(_READ):
            for stored in messages:
                yield stored
    finally:
        await reader.close()


def _from_ledger(partition: int, stored: Stored, kid: Kid, size: int) -> tuple[list[Use], int]:
    """What of it the key signed, if it is the next record; and the size behind it."""
    text = header(stored.headers, SEAL_HEADER)
    try:
        seal = read_seal(text or b"")
    except FormatError:
        return [], size
    if seal.index != size:
        return [], size
    envelope = _envelope(stored.value)
    uses = []
    if any(signer == kid for signer, _ in seal.sigs):
        uses.append(Use("record", partition, seal.index, seal.admitted, *envelope))
    if _attested(stored) == kid:
        uses.append(Use("attestation", partition, seal.index, seal.admitted, *envelope))
    return uses, size + 1


def _from_outcomes(partition: int, stored: Stored, kid: Kid) -> list[Use]:
    signed = [value for name, value in stored.headers if name == SIGNATURE_HEADER]
    if not any(value.startswith(f"{kid} ".encode()) for value in signed):
        return []
    try:
        _, outcome = read_outcome(stored)
    except FormatError:
        return []
    return [Use(outcome.reason, partition, None, stored.timestamp, *_envelope(stored.value))]


def _attested(stored: Stored) -> Kid | None:
    try:
        return parse_signature(header(stored.headers, ATTEST_HEADER) or b"").kid
    except FormatError:
        return None


def _envelope(value: bytes | None) -> tuple[str, str, str]:
    try:
        event = read_event(value or b"")
    except FormatError:
        return "", "", ""
    return str(event.subject), event.type, event.id
