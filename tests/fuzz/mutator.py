"""Inputs by dice: right ones, spoiled in the ways that parsers most often fail at. The same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

MAX_BYTES = 64 * 1024

_BITS = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800",
    b"\\u0000", b"\xef\xbf\xbf",
    b"\xef\xbb\xbf", b"1.5", b"1e9", b"-0", b"9" * 30, b"null", b"NaN", b"true", b"=", b"/",
    b"+", b".", b"#", b"-", b"0000-02-31", b"T24:00:00Z", "٣".encode(), "Ж".encode(), b"<", b"&#0;", b"[[",
)  # fmt: skip
_LARGE = (b"[", b"{", b'{"a":', b"9", b"a", b"\\", b" ", b"<a>", b"=", "Ж".encode(), b"[[a]]\n", b'"",')


def inputs(corpus: Sequence[bytes], seed: str) -> Iterator[bytes]:
    """Endlessly; first the corpus itself."""
    yield from corpus
    dice = random.Random(seed)
    kept = [raw for raw in corpus if raw] or [b"{}"]
    while True:
        raw = bytearray(dice.choice(kept))
        for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
            _spoil(dice, raw, kept)
        yield bytes(raw[:MAX_BYTES])


def _spoil(dice: random.Random, raw: bytearray, kept: Sequence[bytes]) -> None:
    at = dice.randint(0, len(raw))
    end = min(len(raw), at + dice.choice((1, 2, 8, 40)))
    what = dice.randrange(100)
    if what < 25 and at < len(raw):
        raw[at] ^= 1 << dice.randrange(8)
    elif what < 35:
        del raw[at:end]
    elif what < 45:
        raw[at:at] = raw[at:end]
    elif what < 75:
        raw[at:end] = dice.choice(_BITS)
    elif what < 85:
        raw[at:at] = dice.choice(_BITS)
    elif what < 95:
        other = dice.choice(kept)
        start = dice.randint(0, len(other))
        raw[at:] = other[start:]
    elif what < 99:
        raw[at:at] = dice.choice(_LARGE) * dice.choice((33, 300, 5000))
    else:
        raw[:] = dice.randbytes(dice.randint(0, 64))
