"""Every line that a figure can have is told in words, in both languages, and no word is told that no line has."""

from __future__ import annotations

import re

import pytest

from projections.compliance.texts import Lang
from projections.figures.catalogue import FIGURES, PARTS
from projections.figures.words import (
    NAMED,
    elsewhere,
    figure_title,
    full_title,
    part_title,
    said,
    said_state,
    said_unit,
    texts,
)
from tests.figure_lines import ALONE, LINES, VERDICTS

both = pytest.mark.parametrize("lang", ["en", "ru"])


def test_every_part_has_told_lines_or_names_or_none() -> None:
    assert sorted([*LINES, *NAMED, *ALONE, *VERDICTS]) == sorted(PARTS)


@both
@pytest.mark.parametrize("part", sorted(LINES))
def test_every_tag_that_counting_can_post_is_told(part: str, lang: Lang) -> None:
    for tag in LINES[part]:
        for word in tag.split(" "):
            told = said(part, word, lang)
            codes = part, part.partition(".")[0]
            known = word in texts("words") or any(word in elsewhere().get(code, {}) for code in codes)
            assert known, f"{part}: {word}"
            assert "_" not in told
            assert lang == "en" or re.search("[а-я→]", told), f"{part}: {told}"


@both
def test_no_two_tags_of_a_part_are_told_alike(lang: Lang) -> None:
    for part, posted in LINES.items():
        assert len({said(part, tag, lang) for tag in posted}) == len(posted), part


def test_no_word_is_told_that_no_line_has() -> None:
    reached: set[str] = set()
    others: dict[str, set[str]] = {code: set() for code in elsewhere()}
    for part, posted in LINES.items():
        codes = [code for code in (part, part.partition(".")[0]) if code in others]
        for tag in posted:
            for word in {tag, *tag.split(" ")}:
                own = [code for code in codes if word in elsewhere()[code]]
                if own:
                    others[own[0]].add(word)
                elif " " not in word:
                    reached.add(word)
    assert reached == set(texts("words"))
    assert others == {code: set(words) for code, words in elsewhere().items()}
    for code, words in elsewhere().items():
        for word, text in words.items():
            assert text != texts("words").get(word), f"{code}: {word} is told the same everywhere"


def test_the_rate_of_every_part_is_a_word_that_is_told() -> None:
    for part in PARTS.values():
        assert not part.rate or part.rate in LINES[part.code], part.code


@both
def test_every_figure_part_and_unit_has_a_title_and_no_other_has(lang: Lang) -> None:
    assert set(texts("figures")) == {figure.id for figure in FIGURES}
    assert set(texts("units")) == {part.unit for part in PARTS.values()} | {"cases"}
    assert set(texts("parts")) <= set(PARTS)
    for code, part in PARTS.items():
        assert part_title(code, lang)
        assert said_unit(part.unit, lang)
        assert code in texts("parts") or code in texts("figures")
    titles = [full_title(code, lang) for code in PARTS]
    assert len(set(titles)) == len(titles)


def test_the_words_of_a_tag_stand_in_a_row() -> None:
    assert said("M1", "out extradition") == "outgoing, extradition"
    assert said("M1", "out extradition", "ru") == "исходящие, выдача"
    assert said("M7", "essential_interest partial") == "essential interests, in part"
    assert said("M26.days", "applied to declined") == "applied for to declined"
    assert said("M26.days", "applied to declined", "ru") == "подано обращение → отклонено"


def test_a_word_may_say_another_thing_in_another_figure() -> None:
    assert said("M13", "in treaty") == "on incoming requests, by treaty"
    assert said("M25.force", "treaty") == "treaty"
    assert said("M25.signed", "treaty", "ru") == "договор"
    assert said("M21", "served refused") == "service of documents, acceptance refused"
    assert said("M21", "served served") == "documents served"
    assert said("M6", "refused") == "refused"
    assert said("M31", "sent", "ru") == "направлено"


def test_names_stand_as_they_are() -> None:
    assert said("M34", "in") == "in"
    assert said("M2", "request.sent", "ru") == "request.sent"
    assert said("M27.events", "ru-am-prog") == "ru-am-prog"
    assert said("M22", "o9", "ru") == "o9"


def test_a_part_with_one_line_alone_needs_no_title() -> None:
    assert said("M10", "") == ""


def test_partners_are_told_apart_from_none_and_all() -> None:
    assert [said_state(each) for each in ("KZ", "", None)] == ["KZ", "no single partner", "all partners"]
    assert [said_state(each, "ru") for each in ("KZ", None)] == ["KZ", "все партнёры"]


def test_a_part_is_named_after_its_figure_unless_that_is_all_it_is() -> None:
    assert full_title("M22.topic") == "direct exchanges: by topic"
    assert full_title("M15", "ru") == figure_title("M15", "ru")


def test_titles_of_figures_are_short_and_plain() -> None:
    for code in PARTS:
        assert re.fullmatch(r"[a-z0-9 ,:-]+(24 h [a-z ]+)?", full_title(code)), code
        assert re.fullmatch(r"[а-яё0-9 ,:-]+", full_title(code, "ru")), code
