"""Figures in words, English and Russian: titles of figures and parts, units, and the lines of a part.

A tag is words divided by blanks; each is of a closed vocabulary, or a name (an instrument, an office, a state), which
stands as it is.  The same word may say different things in different figures::

    said("M1", "out extradition")       outgoing, extradition
    said("M7", "legislation full")      legislation, in full
    said("M13", "in treaty")            on incoming requests, by treaty
    said("M25.signed", "treaty")        treaty
    said("M26.days", "applied to declined", "ru")

``texts/words.toml`` has what a word says, ``texts/elsewhere.toml`` what it says in some parts or figures instead;
titles are in ``texts/figures.toml`` and ``texts/parts.toml``, units in ``texts/units.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from projections.compliance.rulebook import Text
from projections.compliance.texts import Lang
from projections.figures.catalogue import OF_PART

NAMED = frozenset({"M2", "M23.place", "M23.programme", "M24.changes", "M27.events", "M34"})
"""Parts whose tags are names: of acts, states, programmes, offices."""


def said(part: str, tag: str, lang: Lang = "en") -> str:
    """The title of a line of a part; empty where the part has one line alone."""
    if part in NAMED or not tag:
        return tag
    whole = _elsewhere(part, tag)
    if whole is not None:
        return _in(whole, lang)
    return (" " if part == "M26.days" else ", ").join(_word(part, word, lang) for word in tag.split(" "))


def said_state(partner: str | None, lang: Lang = "en") -> str:
    """A partner; None: all of them, empty: no single one."""
    return partner or _in(texts("partners")["all" if partner is None else "none"], lang)


def said_unit(unit: str, lang: Lang = "en") -> str:
    """What a part is counted in, by the unit of the catalogue."""
    return _in(texts("units")[unit], lang)


def figure_title(figure: str, lang: Lang = "en") -> str:
    """The title of a figure by its id: ``direct exchanges``."""
    return _in(texts("figures")[figure], lang)


def part_title(part: str, lang: Lang = "en") -> str:
    """The title of a part within its figure, ``by form``; that of the figure where it has no other."""
    own = texts("parts").get(part)
    return figure_title(OF_PART[part].id, lang) if own is None else _in(own, lang)


def full_title(part: str, lang: Lang = "en") -> str:
    """The title of a part where its figure is not named beside it: ``direct exchanges: by form``."""
    of_figure, own = figure_title(OF_PART[part].id, lang), part_title(part, lang)
    return of_figure if own == of_figure else f"{of_figure}: {own}"


def _word(part: str, word: str, lang: Lang) -> str:
    text = _elsewhere(part, word) or texts("words").get(word)
    return word if text is None else _in(text, lang)


def _elsewhere(part: str, word: str) -> Text | None:
    own, of_figure = (elsewhere().get(code, {}) for code in (part, OF_PART[part].id))
    return own.get(word) or of_figure.get(word)


def _in(text: Text, lang: Lang) -> str:
    told: str = getattr(text, lang)
    return told


@cache
def texts(name: str) -> dict[str, Text]:
    """One of the files of texts: ``figures``, ``parts``, ``partners``, ``units`` or ``words``."""
    return msgspec.convert(_read(name), dict[str, Text])


@cache
def elsewhere() -> dict[str, dict[str, Text]]:
    """What words and tags say in some parts or figures instead."""
    return msgspec.convert(_read("elsewhere"), dict[str, dict[str, Text]])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("projections.figures").joinpath("texts", f"{name}.toml").read_text("utf-8"))
