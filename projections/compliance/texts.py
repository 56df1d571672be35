"""What a verdict says in words: the reasons of each rule kind, English and Russian, and the line of a rule.

``texts/<kind>.toml`` holds the reasons that checks of a kind give, ``texts/common.toml`` those that several give::

    [consultation_after]
    en = "the consultation of {consulted} came after the refusal of {decided}"
    ru = "консультация {consulted} – после отказа {decided}"
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec

from projections.compliance.rulebook import Rule, Rulebook, Text
from projections.compliance.verdict import Finding, Step

Lang = Literal["en", "ru"]


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


@cache
def reasons(kind: str) -> dict[str, Text]:
    """The reasons of a kind, by code."""
    try:
        text = resources.files("projections.compliance").joinpath("texts", f"{kind}.toml").read_text("utf-8")
    except OSError:
        return {}
    return msgspec.convert(tomllib.loads(text), dict[str, Text])


def reason(rule: Rule, finding: Finding, step: Step, lang: Lang = "en") -> str:
    """Why the verdict is what it is, in one clause."""
    text = reasons(rule.kind).get(step.reason) or reasons("common").get(step.reason)
    return step.reason if text is None else _fill(text, finding, lang)


def line(rule: Rule, finding: Finding, lang: Lang = "en") -> str:
    """The line that a reviewer reads."""
    return _fill(rule.line, finding, lang)


def said_line(finding: Finding, rulebook: Rulebook, lang: Lang = "en") -> str:
    """The line of a finding's rule; empty where the rulebook does not have it."""
    found = rulebook.find(finding.rule)
    return "" if found is None else line(found[1], finding, lang)


def why(finding: Finding, rulebook: Rulebook, as_of: int, lang: Lang = "en") -> str:
    """Why the verdict is what it is at a moment; the code of the reason where the rulebook does not have the rule."""
    found = rulebook.find(finding.rule)
    held = finding.at(as_of)
    return held.reason if found is None else reason(found[1], finding, held, lang)


def _fill(text: Text, finding: Finding, lang: Lang) -> str:
    template: str = getattr(text, lang)
    values: dict[str, Any] = {
        "item": finding.item,
        "bound": finding.bound,
        "missing": finding.missing,
        **finding.values,
    }
    return template.format_map(_Values(values))
