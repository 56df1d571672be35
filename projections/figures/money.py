"""Amounts as whole numbers, exactly: the minor unit of each currency, and two units more for what that cannot hold.

An act states an amount as decimal text of up to 18 digits and 6 decimals (``ledger/catalogue/base.py``), a figure sums
whole numbers of 64 bits.  So an amount is taken apart, and nothing of it is rounded::

    text                      posted as
    1234.56 EUR               EUR 123456                      the minor unit, of ISO 4217
    1234.567 EUR              EUR 123456 and eur 7000         millionths of the currency: less than a minor unit
    1234 JPY                  JPY 1234                        which has none
    5000000000000000 EUR      Eur 5000000000                  millions: of amounts from 10^15 on (from 10^14, of a
                                                              currency whose minor unit has four decimals)

A unit is written like its currency, in small letters or with one capital, since that is what tells one line of a sum
from another.  Ordinary amounts have the first unit alone; ``together`` gives exact decimals whatever there is.

Minor units are those of ISO 4217 list one (amendment 177); a code without one, or that it does not have, is taken to
have hundredths (our choice).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from functools import cache

_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""Decimals of the minor unit where these are not two."""
_MICRO = 6
_EXACT = Context(prec=60)


def exponent(currency: str) -> int:
    """How many decimals the minor unit of a currency has."""
    return _EXPONENTS.get(currency, 2)


def units(amount: str, currency: str) -> list[tuple[str, int]]:
    """An amount in whole units: unit and number, the minor unit first and always there.

    Args:
        amount: decimal text of the catalogue's pattern.
        currency: ISO 4217.
    """
    whole, _, decimals = amount.partition(".")
    number, found = int(whole), []
    minor = exponent(currency)
    if number >= 10 ** min(15, 18 - minor):  # so that the minor unit stays below 2^63
        millions, number = divmod(number, 10**6)
        found.append((currency.capitalize(), millions))
    digits = decimals.ljust(_MICRO, "0")
    rest = int(digits[minor:] or 0)
    if rest:
        found.append((currency.lower(), rest))
    return [(currency, number * 10**minor + int(digits[:minor] or 0)), *found]


@cache
def currency_of(unit: str) -> str:
    """The currency that a unit is one of."""
    return unit.upper()


def decimal_of(number: int, unit: str) -> Decimal:
    """A number of units as an amount in their currency, exactly."""
    currency = currency_of(unit)
    power = -exponent(currency) if unit == currency else -_MICRO if unit.islower() else _MICRO
    return Decimal(number).scaleb(power, _EXACT)


def millionths(number: int, unit: str) -> int:
    """A number of units in millionths of their currency: what amounts of one currency are compared and added up in."""
    currency = currency_of(unit)
    power = _MICRO - exponent(currency) if unit == currency else 0 if unit.islower() else 2 * _MICRO
    return int(number * 10**power)


def from_millionths(amount: int, currency: str) -> list[tuple[str, int]]:
    """An amount in units again: unit and number, those of which there are any."""
    minor, rest = divmod(amount, 10 ** (_MICRO - exponent(currency)))
    return [(unit, number) for unit, number in ((currency, minor), (currency.lower(), rest)) if number]


def together(parts: Iterable[tuple[str, int]]) -> dict[str, Decimal]:
    """Sums by currency of numbers of units, exactly."""
    sums: dict[str, Decimal] = {}
    for unit, number in parts:
        currency = currency_of(unit)
        sums[currency] = _EXACT.add(sums.get(currency, Decimal(0)), decimal_of(number, unit))
    return sums


def format_amount(number: int, unit: str) -> str:
    """A number of units as text with the decimals of its unit: ``1234.56``; of millionths, as many as there are."""
    value = decimal_of(number, unit)
    if unit.islower():
        return f"{value.normalize(_EXACT):f}"
    places = exponent(currency_of(unit))
    return f"{value:.{places}f}"
