"""One rich ledger in which each of the 55 obligations has a row; without a rule its rows are gone, and no others."""

from __future__ import annotations

from functools import cache

import pytest

from projections.compliance.rulebook import Rulebook, built_in
from tests.law.scene import Scene
from tests.law.test_every_verdict import OBLIGATIONS

DIRECT, CENTRAL, SPOKEN, MEETING, YEAR = "request/1", "request/2", "request/3", "meeting/1", "year/2025"
SUBJECTS = (DIRECT, CENTRAL, SPOKEN, MEETING, YEAR, "register")
COMPOSED = {"P6": ("A6.", "A7.", "A9.", "A10"), "A15.3": ("A6.2b", "A7.2b", "A7.3", "A8.2", "A9.", "A10")}
"""What the two composite rules are made of: without a part they say something else, but they say it."""


@cache
def told() -> Scene:
    """A direct exchange with a material, a cost, a doubt, a refusal; a central one; a spoken one; the register."""
    scene = Scene()
    scene.request(subject=DIRECT)
    act = scene.act
    act("authenticity.doubted", "2025-03-04", office="KZ-B-01", subject=DIRECT)
    act("request.accepted", "2025-03-05", office="KZ-B-01", subject=DIRECT)
    act("condition.proposed", "2025-03-06", office="KZ-B-01", subject=DIRECT)
    act("condition.answered", "2025-03-07", subject=DIRECT)
    act("material.received", "2025-03-08", from_="KZ-B-01", supplier="KZ-B-01", channel="direct",
        degree={"scale": "kz", "value": "dsp"}, subject=DIRECT)  # fmt: skip
    act("handling.set", "2025-03-09", subject=DIRECT)
    act("material.accessed", "2025-03-10", subject=DIRECT)
    act("material.used", "2025-03-11", subject=DIRECT)
    act("cost.incurred", "2025-03-12", subject=DIRECT)
    act("refusal.decided", "2025-03-13", office="KZ-B-01", decided_by="KZ-B-01", scope="partial", subject=DIRECT)
    scene.request(
        "mla", to="KZ-PGO", channel="directorate", subject=CENTRAL, when="2027-02-01", legal_basis=["ru-kz-2009"]
    )
    act("request.spoken", "2025-03-03", subject=SPOKEN)
    act("meeting.held", "2025-06-02", subject=MEETING)
    reg = scene.reg
    reg("contact.designated", "2025-05-01", office="RU-OMS", effective="2025-05-01")
    reg("contact.changed", "2025-06-01", office="RU-OMS")
    reg("coordinator.changed", "2025-06-01")
    reg("dispute.opened", "2025-06-01")
    reg("notice.received", "2027-01-15T12:00+03:00")
    return scene


def rows(rulebook: Rulebook) -> set[tuple[str, str, str]]:
    """Every row of every subject: subject, rule, item."""
    scene = told()
    scene.rulebook = rulebook
    return {(each, f.rule, f.item) for each in SUBJECTS for f in scene.judged(each).findings}


@cache
def whole() -> frozenset[tuple[str, str, str]]:
    """The rows by the built-in rulebook."""
    return frozenset(rows(built_in()))


@pytest.mark.parametrize("rule", OBLIGATIONS)
def test_without_a_rule_its_rows_are_gone_and_no_others(rule: str) -> None:
    assert [row for row in whole() if row[1] == rule] != [], "the ledger of this test has nothing that it is about"
    left = rows(built_in().without(rule))
    gone = {row for row in whole() - left if not (row[1] == "A15.3" and row[2] == rule)}
    assert left <= whole()
    assert {row[1] for row in gone} == {rule}


@pytest.mark.parametrize("rule", COMPOSED)
def test_a_composite_rule_without_its_parts_says_nothing(rule: str) -> None:
    parts = [part for part in OBLIGATIONS if part.startswith(COMPOSED[rule])]
    assert [row for row in rows(built_in().without(*parts)) if row[1] == rule] == []
