"""The rulebook: instruments as profiles, their rules with parameters, readings and the place in the text.

A profile is a TOML file (``instruments/``)::

    [instrument]
    id = "ru-kz-2009-ap-2022"
    kind = "protocol"
    parties = ["RU", "KZ"]
    title = { en = "Additional Protocol of 12 January 2022", ru = "Дополнительный протокол от 12 января 2022 г." }

    [[rule]]
    id = "P2"
    place = { article = "2", paragraph = "1", sentence = "1", cites = "Prot. 2" }
    kind = "closed_list"
    check = "form"
    subjects = ["request"]
    summary = { en = "…", ru = "…" }
    line = { en = "Form {form} of Prot. 2", ru = "…" }
    gives = ["met", "breached", "undetermined"]

A rulebook is all profiles of a folder and the digest of them.  Which one is in use is a record of the register
(``rulebook.adopted``), by digest; without one it is the built-in one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

import msgspec

from ledger.errors import ConfigError
from projections.compliance.readings import check_reading
from projections.compliance.takes import check_taken
from projections.compliance.verdict import Verdict


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in English and Russian."""

    en: str
    ru: str


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where in the text: article (of an order: point), paragraph, sentence; ``cites`` as reviewers write it."""

    article: str
    cites: str
    paragraph: str = ""
    sentence: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One obligation, bound to a check."""

    id: str
    place: Place
    kind: str
    check: str
    subjects: tuple[str, ...]
    """Sorts of subjects that have a row of it."""
    summary: Text
    line: Text
    """What a reviewer reads; placeholders are ``Finding.values``."""
    gives: tuple[Verdict, ...]
    """Verdicts that it can give; the text allows no other."""
    modality: str = "duty"
    binds: str = ""
    same_as: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Kinds of requests that it is about; empty: all."""
    not_kinds: tuple[str, ...] = ()
    direct_only: bool = False
    """Whether it is about direct exchanges only."""
    readings: tuple[str, ...] = ()
    threshold: str = ""
    params: dict[str, Any] = {}
    choice: Text | None = None
    """What is our choice in it, since the text is silent."""
    instrument: str = ""
    """Set when the profile is read."""


class Exclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two parties between whom an instrument of several does not apply from a day on."""

    between: tuple[str, str]
    from_: str = msgspec.field(name="from")
    """ISO day, included."""
    source: str
    """The text that says so: ``Agr. 15(4)``."""


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The head of a profile."""

    id: str
    kind: str
    parties: tuple[str, ...]
    title: Text
    abbreviation: str
    signed: str = ""
    in_force_from: str = ""
    lives_with: str = ""
    carries_out: str = ""
    issued_by: str = ""
    """Of an internal act: the Party whose offices it binds; the ledger of another one does not ask its rules."""
    languages: tuple[str, ...] = ()
    source: str = ""
    excluded: tuple[Exclusion, ...] = ()


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One instrument as data."""

    instrument: Instrument
    rule: tuple[Rule, ...] = ()
    requests: dict[str, Any] = {}
    """Channels, signers, forms, languages, scales, offices: whatever its checks read by ``Asked.profile``."""
    calendar: str = "ru"
    sha256: str = ""

    def between(self, one: str, other: str, day: str = "") -> bool:
        """Whether both states are parties, and not a pair for which it has ceased to apply by a day (ISO)."""
        parties = self.instrument.parties
        return (
            one in parties
            and other in parties
            and not any({one, other} == {*each.between} and day >= each.from_ for each in self.instrument.excluded)
        )


class Rulebook(msgspec.Struct, frozen=True):
    """All profiles. ``sha256`` (hex) is over the profiles' digests in the order of their ids."""

    profiles: tuple[Profile, ...]
    sha256: str
    version: str = "built-in"

    def rules(self) -> Iterable[Rule]:
        """All rules, by profile and in the order of the text."""
        return (rule for profile in self.profiles for rule in profile.rule)

    def find(self, rule_id: str) -> tuple[Profile, Rule] | None:
        """A rule by its id."""
        return next(((p, r) for p in self.profiles for r in p.rule if r.id == rule_id), None)

    def profile(self, instrument: str) -> Profile | None:
        """The profile of an instrument."""
        return next((p for p in self.profiles if p.instrument.id == instrument), None)

    def without(self, *rule_ids: str) -> Rulebook:
        """The same rulebook with some rules left out."""
        kept = tuple(
            msgspec.structs.replace(p, rule=tuple(r for r in p.rule if r.id not in rule_ids)) for p in self.profiles
        )
        return msgspec.structs.replace(self, profiles=kept)


def read_profile(text: str, name: str = "profile") -> Profile:
    """A profile from its TOML.

    Raises:
        ConfigError: it is no profile; the message has the path in it, what was expected and what was found.
    """
    try:
        members = tomllib.loads(text)
        profile = msgspec.convert(members, Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{name}: expected the profile of an instrument; {error}") from None
    rules = tuple(msgspec.structs.replace(rule, instrument=profile.instrument.id) for rule in profile.rule)
    return msgspec.structs.replace(profile, rule=rules, sha256=sha256(text.encode()).hexdigest())


def make_rulebook(texts: Mapping[str, str], version: str = "built-in") -> Rulebook:
    """A rulebook from the TOML of its profiles, by file name.

    Raises:
        ConfigError: a profile is none, an instrument or a rule is there twice, or a rule names a check that is none,
            or has parameters that its check does not take.
    """
    from projections.compliance import kinds  # noqa: F401, PLC0415 - declares the checks, which read this module
    from projections.compliance.kinds.base import CHECKS, TAKES  # noqa: PLC0415

    profiles = sorted((read_profile(text, name) for name, text in texts.items()), key=lambda p: p.instrument.id)
    instruments: set[str] = set()
    rules: set[str] = set()
    for profile in profiles:
        if profile.instrument.id in instruments:
            raise ConfigError(f"expected one profile of {profile.instrument.id}, found two")
        instruments.add(profile.instrument.id)
        for rule in profile.rule:
            if rule.id in rules:
                raise ConfigError(f"expected rule {rule.id} once, found it twice")
            rules.add(rule.id)
            for reading in rule.readings:
                check_reading(reading, rule.id)
            if rule.threshold:
                check_reading(rule.threshold, rule.id, threshold=True)
            if (rule.kind, rule.check) not in CHECKS:
                known = sorted(name for kind, name in CHECKS if kind == rule.kind)
                raise ConfigError(f"rule {rule.id}: expected a check of kind {rule.kind!r}, one of {known}, found "
                                  f"{rule.check!r}")  # fmt: skip
            check_taken(TAKES[rule.kind, rule.check], rule, profile)
    total = sha256("".join(f"{p.instrument.id} {p.sha256}\n" for p in profiles).encode()).hexdigest()
    return Rulebook(tuple(profiles), total, version)


def built_in_texts() -> dict[str, str]:
    """The profiles that this release brings, by file name."""
    folder = resources.files("projections.compliance").joinpath("instruments")
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")}


@cache
def built_in() -> Rulebook:
    """The rulebook that this release brings."""
    return make_rulebook(built_in_texts())
