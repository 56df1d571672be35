"""The words of generated documents, English and Russian, and how they write numbers, days and amounts.

``texts/words.toml`` holds sentences and headings, ``texts/figures.toml`` the names of the parts of figures,
``texts/tags.toml`` the words that tags are made of::

    [no_records]
    en = "no records"
    ru = "записей нет"
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

from projections.compliance.readings import day_of
from projections.compliance.rulebook import Text
from projections.figures.catalogue import PARTS
from projections.figures.money import exponent
from projections.reports.document import Lang

UNKNOWN = "—"
"""What is not known, and a share of nothing."""
_NARROW = "\u202f"


@cache
def _texts(name: str) -> dict[str, Text]:
    text = resources.files("projections.reports").joinpath("texts", f"{name}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Text])


class Words:
    """What a document in one language says."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def say(self, key: str, **values: object) -> str:
        """A sentence or a heading; ``values`` fill its places."""
        return self._of(_texts("words")[key]).format(**values)

    def figure(self, part: str) -> str:
        """The name of a part of a figure; the catalogue's own where there is no other."""
        text = _texts("figures").get(part)
        said = PARTS[part].title if text is None else self._of(text)
        return said[:1].upper() + said[1:]

    def tag(self, tag: str) -> str:
        """The words of a tag; a word that is a code of a register stands as it is."""
        return " · ".join(self.word(word) for word in tag.split(" ")) if tag else self.say("all_lines")

    def place(self, cites: str) -> str:
        """A place in a text as it is cited: ``Agr. 6(2) s. 1``."""
        return " ".join(self.word(word) for word in cites.split(" "))

    def word(self, word: str) -> str:
        """One word of a vocabulary."""
        text = _texts("tags").get(word)
        return word if text is None else self._of(text)

    def _of(self, text: Text) -> str:
        said: str = getattr(text, self.lang)
        return said

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
        if not of:
            return UNKNOWN
        tenths = (2000 * some + of) // (2 * of)
        point = "." if self.lang == "en" else ","
        return f"{tenths // 10}{point}{tenths % 10}{_NARROW}%"

    def amount(self, value: Decimal, currency: str) -> str:
        """An amount as ``1 234,50 EUR``: with the decimals of the minor unit, more where there are more."""
        places = max(exponent(currency), -int(value.normalize().as_tuple().exponent))
        whole, _, decimals = f"{abs(value):.{places}f}".partition(".")
        point = "." if self.lang == "en" else ","
        said = self.number(int(whole)) + (point + decimals if decimals else "")
        return f"{'−' if value < 0 else ''}{said}\u00a0{currency}"

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
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
