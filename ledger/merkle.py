"""RFC 6962 trees, kept as a frontier: the roots of the complete subtrees that a size is made of.

A tree of 6 leaves has the frontier (root of leaves 0–3, root of leaves 4–5), largest first; appending a leaf
touches only its end, so a log of any length costs a few hashes a record and at most 64 of them in memory.
``root`` folds the frontier from the right (RFC 6962 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ledger.errors import FormatError

Frontier = tuple[bytes, ...]

EMPTY_ROOT = sha256(b"").digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def push(size: int, frontier: Frontier, leaf: bytes) -> Frontier:
    """The frontier of ``size`` + 1 leaves, given that of ``size`` and the hash of the next leaf."""
    *left, last = (*frontier, leaf)
    while size & 1:
        last = node_hash(left.pop(), last)
        size >>= 1
    return (*left, last)


def extend(size: int, frontier: Frontier, leaves: Sequence[bytes]) -> Frontier:
    """The same for many leaves, whose hashes are made a level at a time.

    As in adding binary numbers: what a level has, with what is carried to it, is paired; the one without a pair stays,
    the pairs are carried to the next level.
    """
    left = list(frontier)
    level = list(leaves)
    alone: list[bytes] = []
    while size or level:
        if size & 1:
            level.insert(0, left.pop())
        if len(level) & 1:
            alone.append(level.pop())
        each = iter(level)
        level = [sha256(b"\x01" + one + other).digest() for one, other in zip(each, each, strict=True)]
        size >>= 1
    return tuple(reversed(alone))


def root(frontier: Frontier) -> bytes:
    """The tree's root; of no leaves, SHA-256 of nothing."""
    if not frontier:
        return EMPTY_ROOT
    value = frontier[-1]
    for left in reversed(frontier[:-1]):
        value = node_hash(left, value)
    return value


def format_frontier(frontier: Frontier) -> bytes:
    """The hashes one behind the other, 32 bytes each."""
    return b"".join(frontier)


def parse_frontier(raw: bytes, size: int) -> Frontier:
    """A frontier for a tree of ``size`` leaves.

    Raises:
        FormatError: not as many hashes as ``size`` has bits set.
    """
    if size < 0 or len(raw) != 32 * size.bit_count():
        raise FormatError(
            f"expected {32 * max(size, 0).bit_count()} bytes of frontier for size {size}, found {len(raw)}"
        )
    return tuple(raw[i : i + 32] for i in range(0, len(raw), 32))
