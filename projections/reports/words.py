"""The words of generated documents, English and Russian, and how they write numbers, days and amounts.

``texts/words.toml`` holds sentences and headings, ``texts/codes.toml`` what codes say; figures, their parts, lines and
units are named as everywhere (``projections/figures/words.py``)::

    [no_records]
    en = "no records"
    ru = "записей нет"
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from ledger.event import moment_of
from projections.compliance.readings import day_of
from projections.compliance.rulebook import Text
from projections.figures.money import exponent
from projections.figures.words import full_title, said, said_unit
from projections.reports.document import Lang

UNKNOWN = "—"
"""What is not known, and a share of nothing."""
_NARROW = "\u202f"


@cache
def sentences() -> dict[str, Text]:
    """Sentences and headings, by key."""
    return msgspec.convert(_read("words"), dict[str, Text])


@cache
def codes() -> dict[str, dict[str, Text]]:
    """What codes say, by what they are codes of."""
    return msgspec.convert(_read("codes"), dict[str, dict[str, Text]])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("projections.reports").joinpath("texts", f"{name}.toml").read_text("utf-8"))


class Words:
    """What a document in one language says."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def say(self, key: str, **values: object) -> str:
        """A sentence or a heading; ``values`` fill its places."""
        return self._of(sentences()[key]).format(**values)

    def figure(self, part: str) -> str:
        """The name of a part of a figure: ``Direct exchanges: by form``."""
        title = full_title(part, self.lang)
        return title[:1].upper() + title[1:]

    def line(self, part: str, tag: str) -> str:
        """The title of a line of a part."""
        return said(part, tag, self.lang) or self.say("all_lines")

    def unit(self, unit: str) -> str:
        """What a part is counted in."""
        return said_unit(unit, self.lang)

    def place(self, cites: str) -> str:
        """A place in a text as it is cited: ``Agr. 6(2) s. 1``."""
        return " ".join(self.code("place", word) for word in cites.split(" "))

    def code(self, of: str, code: str) -> str:
        """What a code says: a ``verdict``, the ``state`` of a report, a ``check``, a ``role``; else as it is."""
        text = codes()[of].get(code)
        return code if text is None else self._of(text)

    def _of(self, text: Text) -> str:
        told: str = getattr(text, self.lang)
        return told

    # Numbers

    def number(self, number: int | None) -> str:
        """``12 345``, ``12,345``; a dash for what is not known."""
        if number is None:
            return UNKNOWN
        sign, digits = ("−" if number < 0 else ""), f"{abs(number):,}"
        return sign + (digits if self.lang == "en" else digits.replace(",", _NARROW))

    def decimal(self, text: str) -> str:
        """Decimal text with the point of the language: ``0.5``, ``0,5``."""
        return text if self.lang == "en" else text.replace(".", ",")

    def change(self, now: int, before: int) -> str:
        """``+3``, ``−2``, ``0``: what changed."""
        return ("+" if now > before else "") + self.number(now - before)

    def percent(self, some: int, of: int) -> str:
        """A share with one decimal, rounded half up; a dash of nothing."""
        return f"{self.ratio(100 * some, of)}{_NARROW}%" if of else UNKNOWN

    def ratio(self, some: int, of: int) -> str:
        """How many there are for each, with one decimal, rounded half up: ``12.5``; a dash of nothing."""
        if not of:
            return UNKNOWN
        tenths = (20 * some + of) // (2 * of)
        return self.number(tenths // 10) + ("." if self.lang == "en" else ",") + str(tenths % 10)

    def amount(self, value: Decimal, currency: str) -> str:
        """An amount as ``1 234,50 EUR``: with the decimals of the minor unit, more where there are more."""
        places = max(exponent(currency), -int(value.normalize().as_tuple().exponent))
        whole, _, decimals = f"{abs(value):.{places}f}".partition(".")
        point = "." if self.lang == "en" else ","
        digits = self.number(int(whole)) + (point + decimals if decimals else "")
        return f"{'−' if value < 0 else ''}{digits}\u00a0{currency}"

    def percentile(self, days: int | None, *, cases: int) -> str:
        """Days; in words why there is no such number."""
        if days is not None:
            return self.number(days)
        return self.say("too_few") if cases else UNKNOWN

    def day(self, ms: int, zone: str) -> str:
        """``2025-06-01``, ``01.06.2025``: the day of a moment in a zone."""
        return self.iso_day(day_of(ms, zone).isoformat())

    def iso_day(self, iso: str) -> str:
        """The same of a day; what is none stands as it is."""
        parts = iso.split("-")
        return iso if self.lang == "en" or len(parts) != 3 else ".".join(reversed(parts))

    def moment(self, ms: int) -> str:
        """A moment in UTC, the same in every language: a person may ask for it again."""
        return moment_of(ms).isoformat(timespec="seconds").replace("+00:00", "Z")
