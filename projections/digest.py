"""Digests: one hash per row, one per partition, by which two stores show that they hold the same.

A row's digest is SHA-256 over a compact JSON array (shortened here)::

    ["request/2025-000123",3,"5b1f…","0000…",[4,17,41],{"state":"accepted"}]

that is subject, seq, leaf of its last record, ``done`` (below), the indices of its current chunk of history, and the
facts as stored, or ``null`` where the fold passes this sort over.  ``done`` starts as 32 zero bytes; each completed
chunk of 256 indices makes it SHA-256(done ‖ the chunk's JSON).

A partition's digest is SHA-256 over a line of JSON that says what is compared, and then the digests of all rows in the
order of their subjects' bytes::

    ["rogatory-digest/1","status",1,"assistance.9c1e…",3,42,"c0ff…"]

that is fold, its version, ledger, partition, size and root of the tree.  Neither depends on how records were batched.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

EMPTY_DONE = bytes(32)

_encode = msgspec.json.Encoder().encode
_Raw = msgspec.Raw


def row_digest(subject: str, seq: int, leaf: bytes, done: bytes, recent: bytes, facts: bytes | None) -> bytes:
    """The digest of one row; ``recent`` and ``facts`` are compact JSON as stored."""
    told = _Raw(facts) if facts is not None else None
    return sha256(_encode((subject, seq, leaf.hex(), done.hex(), _Raw(recent), told))).digest()


def next_done(done: bytes, chunk: bytes) -> bytes:
    """``done`` after one more completed chunk, given as compact JSON."""
    return sha256(done + chunk).digest()


class Compared(msgspec.Struct, frozen=True, array_like=True):
    """What a partition's digest is about. ``root`` is hex."""

    fold: str
    fold_version: int
    ledger_id: str
    partition: int
    size: int
    root: str


def state_digest(compared: Compared, digests: Iterable[bytes]) -> bytes:
    """The digest of a partition from those of its rows, which come in the order of their subjects' bytes."""
    total = sha256(_encode(("rogatory-digest/1", *msgspec.structs.astuple(compared))) + b"\n")
    for digest in digests:
        total.update(digest)
    return total.digest()
