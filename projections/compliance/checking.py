"""What is wrong with a rulebook that can be read: texts with gaps, names of nothing, days that are none.

``read_profile`` holds a profile against its type, ``make_rulebook`` each rule against the checks and readings there
are; here the rest is looked at, all of it, so that somebody who writes a profile mends it in one go::

    for fault in faults(rulebook):
        print(fault)        # rule P2: expected summary.ru to say something, found it empty
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ledger.errors import ConfigError
from projections.compliance.readings import calendar
from projections.compliance.rulebook import Profile, Rule, Rulebook, Text

SORTS = ("request", "meeting", "year", "review", "register")
"""Sorts of subjects that are judged (``CaseFold.sorts``)."""

_PARTY = re.compile(r"[A-Z]{2}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def faults(rulebook: Rulebook) -> list[str]:
    """Everything that is wrong with it, each with what was expected and found; empty: nothing."""
    known = {rule.id for rule in rulebook.rules()}
    instruments = {profile.instrument.id for profile in rulebook.profiles}
    return [fault for profile in rulebook.profiles for fault in _of_profile(profile, known, instruments)]


def _of_profile(profile: Profile, known: set[str], instruments: set[str]) -> Iterator[str]:
    head = profile.instrument
    where = f"instrument {head.id}"
    yield from _untold(where, "title", head.title)
    yield from _unlike(where, "parties as ISO 3166-1 codes like KZ", _PARTY, head.parties)
    if not head.parties:
        yield f"{where}: expected a party, found none"
    for name in ("signed", "in_force_from"):
        yield from _unlike(where, f"{name} as a day like 2009-06-23", _DAY, (getattr(head, name),))
    for name in ("lives_with", "carries_out"):
        other = getattr(head, name)
        if other and other not in instruments:
            yield f"{where}: expected {name} to be an instrument of this rulebook, found {other!r}"
    yield from _uncounted(where, profile)
    for rule in profile.rule:
        yield from _of_rule(f"rule {rule.id}", rule)
        for other in rule.same_as:
            # "A6" stands for all parts of article 6.
            if not any(id_ == other or id_.startswith(f"{other}.") for id_ in known):
                yield f"rule {rule.id}: expected same_as to name rules of this rulebook, found {other!r}"


def _uncounted(where: str, profile: Profile) -> Iterator[str]:
    """A calendar that is none; one is not needed where nothing counts working days."""
    if profile.calendar or any(r.startswith("workdays") for rule in profile.rule for r in rule.readings):
        try:
            calendar(profile.calendar)
        except ConfigError as error:
            yield f"{where}: {error}"


def _of_rule(where: str, rule: Rule) -> Iterator[str]:
    yield from _untold(where, "summary", rule.summary)
    yield from _untold(where, "line", rule.line)
    yield from _unfillable(where, rule)
    for name in ("gives", "subjects"):
        if not getattr(rule, name):
            yield f"{where}: expected {name} to name some, found none"
    for sort in rule.subjects:
        if sort not in SORTS:
            yield f"{where}: expected subjects of {', '.join(SORTS)}, found {sort!r}"
    if both := sorted({*rule.kinds} & {*rule.not_kinds}):
        yield f"{where}: expected a kind in kinds or in not_kinds, found {', '.join(both)} in both"


def _unfillable(where: str, rule: Rule) -> Iterator[str]:
    for lang in ("en", "ru"):
        try:
            getattr(rule.line, lang).format_map(_Anything())
        except (ValueError, IndexError, KeyError, AttributeError) as error:
            yield f"{where}: expected placeholders like {{office}} in line.{lang}, found {error}"


def _unlike(where: str, expected: str, form: re.Pattern[str], texts: Iterable[str]) -> Iterator[str]:
    """Those of some texts that have another form; an empty one is one that was not given."""
    for text in texts:
        if text and not form.fullmatch(text):
            yield f"{where}: expected {expected}, found {text!r}"


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _untold(where: str, name: str, text: Text) -> Iterator[str]:
    for lang in ("en", "ru"):
        if not getattr(text, lang).strip():
            yield f"{where}: expected {name}.{lang} to say something, found it empty"
