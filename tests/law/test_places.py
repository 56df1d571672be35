"""Every place that the rulebook cites exists in the original text; skipped with a word where that is not here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from projections.compliance.rulebook import Rule, built_in

_DATA = Path(os.environ.get("ROGATORY_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
ORIGINALS = _DATA.parent / "domain" / "order-136-protocol-agreement.ru.txt"
CORE = ("ru-order-136", "ru-kz-2009-ap-2022", "ru-kz-2009")
RULES = [rule for profile in built_in().profiles if profile.instrument.id in CORE for rule in profile.rule]


def texts() -> dict[str, str]:
    """The three texts by instrument."""
    if not ORIGINALS.exists():
        pytest.skip(f"the originals are not here ({ORIGINALS}); ROGATORY_TEST_DATA names the folder beside theirs")
    whole = ORIGINALS.read_text(encoding="utf-8")
    order, rest = whole.split("**Дополнительный протокол", 1)
    protocol, agreement = rest.split("**СОГЛАШЕНИЕ**", 1)
    return {"ru-order-136": order, "ru-kz-2009-ap-2022": protocol, "ru-kz-2009": agreement}


def articles(instrument: str, text: str) -> dict[str, str]:
    """Each article (point of the Order) with its text."""
    mark = r"^(\d+(?:\.\d+)?)\. ?" if instrument == "ru-order-136" else r"^[#* ]*Статья (\d+)[* ]*$"
    parts = re.split(mark, text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def paragraphs(instrument: str, article: str) -> list[str]:
    """The numbered paragraphs of an article, or else those between blank lines that begin with a capital."""
    numbered = re.split(r"^\d+\. ", article, flags=re.MULTILINE)
    if len(numbered) > 1 and instrument == "ru-kz-2009":
        return numbered[1:]
    return [part for part in re.split(r"\n\s*\n", article) if part.strip() and part.strip()[0].isupper()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_place_that_a_rule_cites_exists(rule: Rule) -> None:
    text = texts()[rule.instrument]
    if rule.place.article == "closing":
        assert "Приказ направить" in text
        return
    found = articles(rule.instrument, text)
    assert rule.place.article in found, sorted(found)
    said = paragraphs(rule.instrument, found[rule.place.article])
    if rule.place.paragraph:
        number = int(rule.place.paragraph)
        assert 1 <= number <= len(said), said
        if rule.place.sentence:
            last = int(re.split(r"[–-]", rule.place.sentence)[-1])
            whole = " ".join(said) if rule.instrument == "ru-order-136" else said[number - 1]
            assert last <= len(re.findall(r"[.!?](?:\s|$)", whole)), said
