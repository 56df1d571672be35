"""Random draws that are the same on every machine.

A stream of its own for every case (``case``), seeded by a hash of the seed and its number: nothing that one case draws
changes another.  Draws are whole-number arithmetic on ``random.Random``'s Mersenne Twister, which Python keeps stable;
the logarithmic-normal distribution is read from a table of quantiles made with ``decimal``, since ``exp`` and ``log``
differ in their last digits between machines.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from hashlib import blake2b
from itertools import accumulate
from statistics import NormalDist
from typing import Generic, TypeVar

T = TypeVar("T")

_QUANTILES = 1024
_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"
_PAIRS = [_DIGITS[n & 31] + _DIGITS[n >> 5] for n in range(1024)]


def case(seed: int, *names: str | int) -> Chance:
    """The stream of draws of one named thing."""
    text = ":".join(str(name) for name in (seed, *names))
    return Chance(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"))


class Chance(random.Random):
    """Draws of one case."""

    def flip(self, share: float) -> bool:
        """True in that share of cases."""
        return self.random() < share

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def one(self, things: Sequence[T]) -> T:
        """One of them, each as likely."""
        return things[int(self.random() * len(things))]

    def token(self, prefix: str) -> str:
        """An opaque id: the prefix and 60 random bits in 12 letters and digits."""
        bits = self.getrandbits(60)
        return (
            f"{prefix}{_PAIRS[bits & 1023]}{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits >> 20 & 1023]}"
            f"{_PAIRS[bits >> 30 & 1023]}{_PAIRS[bits >> 40 & 1023]}{_PAIRS[bits >> 50]}"
        )

    def event_id(self, ms: int) -> str:
        """A UUIDv7 (RFC 9562) for a moment in ms."""
        at, third, rest = f"{ms & 0xFFFFFFFFFFFF:012x}", self.getrandbits(12), f"{1 << 63 | self.getrandbits(62):016x}"
        return f"{at[:8]}-{at[8:]}-7{third:03x}-{rest[:4]}-{rest[4:]}"

    def text(self, words: int) -> str:
        """A text of random words."""
        bits = self.getrandbits
        return " ".join([_WORDS[bits(6)] for _ in range(words)])

    def few(self, mean: float) -> int:
        """A whole number by Poisson's distribution (by products of draws; for small means)."""
        limit, count, product = _exp(-mean), 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count


class LogNormal:
    """A logarithmic-normal distribution by its median and sigma, cut to quantiles from 1/2048 to 2047/2048."""

    def __init__(self, median: float, sigma: float) -> None:
        self._values = _quantiles(median, sigma)

    def draw(self, chance: Chance) -> float:
        """One draw, in the unit of the median."""
        bits = chance.getrandbits(30)
        at, part = bits >> 20, (bits & 0xFFFFF) / 1048576
        low = self._values[at]
        return low + (self._values[at + 1] - low) * part


class Weighted(Generic[T]):
    """Things by weight."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._things = list(weights)
        self._ends = list(accumulate(weights.values()))

    def draw(self, chance: Chance) -> T:
        """One of them."""
        return self._things[min(bisect_right(self._ends, chance.random() * self._ends[-1]), len(self._things) - 1)]


@cache
def _quantiles(median: float, sigma: float) -> list[float]:
    normal = NormalDist()
    found = []
    for n in range(_QUANTILES):
        z = Decimal(round(normal.inv_cdf((n + 0.5) / _QUANTILES), 6)).quantize(Decimal("0.000001"))
        value = Decimal(repr(median)) * (Decimal(repr(sigma)) * z).exp()
        found.append(float(value.quantize(Decimal("0.000001"))))
    return [*found, found[-1]]


@cache
def _exp(power: float) -> float:
    return float(Decimal(repr(power)).exp().quantize(Decimal("0.000000001")))


_WORDS = [
    "account",
    "act",
    "address",
    "agency",
    "amount",
    "annex",
    "answer",
    "archive",
    "article",
    "asset",
    "bank",
    "border",
    "case",
    "charge",
    "circumstances",
    "company",
    "contract",
    "copy",
    "court",
    "customs",
    "damage",
    "date",
    "deposit",
    "document",
    "enquiry",
    "episode",
    "evidence",
    "expert",
    "file",
    "finding",
    "flight",
    "fraud",
    "freight",
    "goods",
    "house",
    "invoice",
    "journey",
    "land",
    "ledger",
    "letter",
    "loan",
    "market",
    "measure",
    "meeting",
    "message",
    "notice",
    "office",
    "order",
    "owner",
    "parcel",
    "passage",
    "payment",
    "period",
    "permit",
    "record",
    "report",
    "residence",
    "road",
    "search",
    "service",
    "share",
    "statement",
    "station",
    "summons",
]
