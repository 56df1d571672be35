"""Every line that a figure can have is told in words."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from ledger import catalogue
from ledger.catalogue import blocks
from projections.figures.catalogue import FIGURES, PARTS
from projections.figures.words import WORDS, said, said_state
from projections.status.facts import Side

_FED = {
    "M1": [("request.signed", "direction"), ("request.signed", "kind")],
    "M6": [("request.answered", "outcome")],
    "M7": [("refusal.decided", "ground"), ("refusal.decided", "scope")],
    "M14": [("person.handedover", "what")],
    "M16": [("person.located", "via")],
    "M17": [("prosecution.concluded", "outcome")],
    "M18": [("asset.traced", "sort")],
    "M19": [("asset.returned", "to")],
    "M21": [("measure.performed", "measure"), ("document.served", "result")],
    "M23": [("meeting.held", "sort")],
    "M25.signed": [("instrument.signed", "kind")],
    "M26": [("instrument.staged", "stage")],
    "M31.grade": [("handling.set", "grade")],
    "M31.disposed": [("material.disposed", "how")],
    "M35": [("request.sent", "channel")],
}
"""Parts whose lines are words of the catalogue, and where it has them."""


def words_of(name: str, member: str) -> tuple[str, ...]:
    """The closed vocabulary of a member of an event's data."""
    hint: Any = get_type_hints(catalogue.known(f"rogatory.{name}.v1").data)[member]
    args = get_args(hint)
    assert args, f"{name}.{member} has no closed vocabulary"
    return tuple(str(arg) for arg in args if isinstance(arg, str)) or tuple(
        str(word) for arg in args if get_origin(arg) for word in get_args(arg)
    )


@pytest.mark.parametrize(("part", "name", "member"), [(p, *each) for p, fed in _FED.items() for each in fed])
def test_every_word_of_the_catalogue_that_makes_a_line_is_told(part: str, name: str, member: str) -> None:
    for word in set(words_of(name, member)) - {"temporary"}:  # a temporary handover is in no figure
        assert word in WORDS, f"{part}: {word}"
        assert "_" not in said(part, word)


def test_every_side_form_and_topic_is_told() -> None:
    for word in (*get_args(Side), *blocks.TOPICS, *blocks.ORDER_FORMS, *blocks.PROTOCOL_FORMS):
        assert word in WORDS, word


def test_the_rate_of_every_part_is_a_word_that_is_told() -> None:
    for part in PARTS.values():
        assert not part.rate or part.rate in WORDS, part.code


def test_the_words_of_a_tag_stand_in_a_row() -> None:
    assert said("M1", "out extradition") == "out, extradition"
    assert said("M7", "essential_interest partial") == "essential interests, in part"
    assert said("M26.days", "applied to declined") == "applied for to declined"


def test_a_word_may_say_another_thing_in_another_figure() -> None:
    assert said("M13", "in treaty") == "in, by treaty"
    assert said("M25.force", "treaty") == "treaty"
    assert said("M21", "served refused") == "served, acceptance refused"
    assert said("M6", "refused") == "refused"


def test_names_stand_as_they_are() -> None:
    assert said("M34", "in") == "in"
    assert said("M2", "request.sent") == "request.sent"
    assert said("M27.events", "ru-am-prog") == "ru-am-prog"


def test_a_part_with_one_line_alone_needs_no_title() -> None:
    assert said("M10", "") == ""


def test_partners_are_told_apart_from_none_and_all() -> None:
    assert [said_state(each) for each in ("KZ", "", None)] == ["KZ", "no single partner", "all partners"]


def test_titles_of_figures_are_short_and_plain() -> None:
    for figure in FIGURES:
        for part in figure.parts:
            assert re.fullmatch(r"[a-z0-9 ,]+(24 h [a-z ]+)?", part.title), part.title
