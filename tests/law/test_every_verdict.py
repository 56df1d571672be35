"""Every obligation is in the rulebook once, complete, and each verdict that it can give is shown by some test."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from projections.compliance.rulebook import Rule, built_in
from projections.compliance.texts import reasons
from tests.law.scene import declared

OBLIGATIONS = [
    *(f"O{n}" for n in range(1, 18)),
    *(f"P{n}" for n in range(1, 8)),
    *("A1", "A2", "A3", "A5.1", "A5.2", "A5.3"),
    *("A6.1", "A6.2a", "A6.2b", "A6.2c", "A6.3", "A6.4", "A6.5", "A7.1", "A7.2a", "A7.2b", "A7.3", "A8.1", "A8.2"),
    *("A9.1", "A9.2", "A9.3", "A10", "A11", "A12", "A13", "A14", "A15.1", "A15.2", "A15.3", "A15.4"),
]
CORE = ("ru-order-136", "ru-kz-2009-ap-2022", "ru-kz-2009")
RULES = [rule for profile in built_in().profiles if profile.instrument.id in CORE for rule in profile.rule]


def _modules() -> Iterator[ModuleType]:
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        yield importlib.import_module(f"tests.law.{file.stem}")


def test_each_of_the_55_obligations_is_there_once() -> None:
    assert len(OBLIGATIONS) == 55
    assert sorted(rule.id for rule in RULES) == sorted(OBLIGATIONS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_says_where_it_stands_and_what_it_asks(rule: Rule) -> None:
    for text in (rule.summary, rule.line):
        assert text.en
        assert text.ru
    assert rule.place.article
    assert rule.place.cites
    assert rule.binds
    assert set(rule.same_as) <= {*OBLIGATIONS, "A6", "A7", "A9"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_verdict_that_a_rule_can_give_is_shown(rule: Rule) -> None:
    shown = declared(_modules())
    assert [verdict for verdict in rule.gives if f"{rule.id} {verdict}" not in shown] == []


def test_nothing_is_shown_of_a_rule_that_cannot_give_it() -> None:
    can = {f"{rule.id} {verdict}" for profile in built_in().profiles for rule in profile.rule for verdict in rule.gives}
    assert declared(_modules()) <= can


def test_each_reason_has_its_text_in_both_languages() -> None:
    for kind in ["common", *{rule.kind for rule in RULES}]:
        for code, text in reasons(kind).items():
            assert text.en, (kind, code)
            assert text.ru, (kind, code)
