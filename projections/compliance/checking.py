"""What is wrong with a rulebook beyond its form: readings that nobody can count, texts with gaps, names of nothing.

``read_profile`` holds a profile against its type and ``make_rulebook`` each rule against the checks there are; here
the rest is looked at, all of it, so that somebody who writes a profile mends it in one go::

    for fault in faults(rulebook):
        print(fault)        # rule P2: expected summary.ru to say something, found it empty
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.errors import ConfigError
from projections.compliance.readings import calendar
from projections.compliance.rulebook import Profile, Rule, Rulebook, Text

SORTS = ("request", "meeting", "year", "review", "register")
"""Sorts of subjects that are judged (``CaseFold.sorts``)."""

_READING = re.compile(r"hours:[1-9]\d*|(?:work)?days:[1-9]\d*:(?:next|same)|by:\d\d-\d\d|P[1-9]\d*D")
_THRESHOLD = re.compile(r"P[1-9]\d*D")
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
    for party in head.parties:
        if not _PARTY.fullmatch(party):
            yield f"{where}: expected parties as ISO 3166-1 codes like KZ, found {party!r}"
    if len(head.parties) < 1:
        yield f"{where}: expected a party, found none"
    for name in ("signed", "in_force_from"):
        day = getattr(head, name)
        if day and not _DAY.fullmatch(day):
            yield f"{where}: expected {name} as a day like 2009-06-23, found {day!r}"
    for name in ("lives_with", "carries_out"):
        other = getattr(head, name)
        if other and other not in instruments:
            yield f"{where}: expected {name} to be an instrument of this rulebook, found {other!r}"
    try:
        calendar(profile.calendar)
    except ConfigError as error:
        yield f"{where}: {error}"
    for rule in profile.rule:
        yield from _of_rule(rule, known)


def _of_rule(rule: Rule, known: set[str]) -> Iterator[str]:
    where = f"rule {rule.id}"
    yield from _untold(where, "summary", rule.summary)
    yield from _untold(where, "line", rule.line)
    for lang in ("en", "ru"):
        try:
            getattr(rule.line, lang).format_map(_Anything())
        except (ValueError, IndexError, KeyError, AttributeError) as error:
            yield f"{where}: expected placeholders like {{office}} in line.{lang}, found {error}"
    if not rule.gives:
        yield f"{where}: expected the verdicts that it can give, found none"
    for sort in rule.subjects:
        if sort not in SORTS:
            yield f"{where}: expected subjects of {', '.join(SORTS)}, found {sort!r}"
    if not rule.subjects:
        yield f"{where}: expected subjects of {', '.join(SORTS)}, found none"
    for reading in rule.readings:
        if not _READING.fullmatch(reading):
            yield f"{where}: expected a reading like days:15:next, hours:72 or by:01-30, found {reading!r}"
    if rule.threshold and not _THRESHOLD.fullmatch(rule.threshold):
        yield f"{where}: expected a threshold in days like P5D, found {rule.threshold!r}"
    if set(rule.kinds) & set(rule.not_kinds):
        yield f"{where}: expected a kind in kinds or not_kinds, found {sorted({*rule.kinds} & {*rule.not_kinds})} in both"
    for other in rule.same_as:
        if other not in known and not any(id_.startswith((f"{other}.", other)) for id_ in known):
            yield f"{where}: expected same_as to name rules of this rulebook, found {other!r}"


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _untold(where: str, name: str, text: Text) -> Iterator[str]:
    for lang in ("en", "ru"):
        if not getattr(text, lang).strip():
            yield f"{where}: expected {name}.{lang} to say something, found it empty"
