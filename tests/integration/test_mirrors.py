"""Every figure that the prosecution services have published comes out of a stream built to contain it.

``tests/mirrors.py`` tells the streams and names the sources: *July 2017*, *May 2020*, *newspaper*, *Kazakhstan*.  The
events are signed and admitted like any others, folded and judged; the figures are read as a command reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.config import Config
from infra.figures import open_figures
from infra.wiring import Ledger, open_ledger
from ledger.event import time_ms
from projections.figures.answers import FiguresPage, PartAnswer, Scope
from projections.figures.queries import Figures
from tests import mirrors
from tests.aio import run
from tests.telling import Teller

NOW = time_ms("2026-01-15T12:00:00Z")
YEAR = (mirrors.YEAR * 100 + 1, mirrors.YEAR * 100 + 12)
JULY_2017, MAY_2020 = 201707, 202005
SINCE_2007 = 200701


async def ledger_of(config: Config) -> Ledger:
    async with open_ledger(config, lambda _: None) as ledger:
        return ledger


def opened(teller: Teller, folder: Path) -> Iterator[Figures]:
    ledger = run(ledger_of(run(teller.fill(folder))))
    with ledger.store() as store:
        yield open_figures(ledger, store)


@pytest.fixture(scope="module")
def russia(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Figures]:
    yield from opened(mirrors.russia(), tmp_path_factory.mktemp("mirrors") / "russia")


@pytest.fixture(scope="module")
def kazakhstan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Figures]:
    yield from opened(mirrors.kazakhstan(), tmp_path_factory.mktemp("mirrors") / "kazakhstan")


def page(figures: Figures, first: int, last: int, **more: str) -> FiguresPage:
    return figures.page(Scope(first=first, last=last, **more), NOW)


def lines(part: PartAnswer) -> dict[str, int]:
    return {f"{line.tag} {line.currency}".strip(): line.number for line in part.lines}


def total(part: PartAnswer, *tags: str) -> int:
    return sum(number for tag, number in lines(part).items() if tag in tags)


def states(figures: Figures, part: str, last: int, *tags: str, first: int = 0) -> set[str]:
    """With which states there are things of these lines."""
    found = figures.by(part, Scope(first=first, last=last), "partner")
    return {state for state, answer in found.items() if state and total(answer, *tags)}


# A year of requests (July 2017)


def test_about_400_requests_for_extradition_are_sent_in_a_year(russia: Figures) -> None:
    assert lines(page(russia, *YEAR).figure("M1").part("M1"))["out extradition"] == 400


def test_more_than_1500_requests_for_extradition_are_received_in_a_year(russia: Figures) -> None:
    assert lines(page(russia, *YEAR).figure("M1").part("M1"))["in extradition"] == 1501


def test_more_than_6000_requests_of_legal_assistance_go_both_ways_in_a_year(russia: Figures) -> None:
    requests = page(russia, *YEAR).figure("M1").part("M1")
    assert total(requests, "in mla", "out mla") == 6001
    assert lines(page(russia, *YEAR, kind="mla").figure("M1").part("M1")) == {"in mla": 3301, "out mla": 2700}


def test_more_than_10000_documents_are_considered_in_a_year(russia: Figures) -> None:
    documents = page(russia, *YEAR).figure("M2").part("M2")
    assert documents.number == 400 + 1501 + 2700 + 3301 + (400 + 1501 + 2700 + 3301) // 3
    assert documents.number > 10_000


def test_partners_are_in_more_than_80_states(russia: Figures) -> None:
    assert page(russia, *YEAR).figure("M3").part("M3").number == 81
    assert len(russia.partners(Scope(first=YEAR[0], last=YEAR[1]), NOW).rows) == 81


# Persons and proceedings (July 2017)


def test_handovers_from_states_without_a_treaty_are_told_apart(russia: Figures) -> None:
    by_partner = russia.by("M13", Scope(first=YEAR[0], last=YEAR[1]), "partner")
    without = {state for state, answer in by_partner.items() if "out reciprocity" in lines(answer)}
    assert without == set(mirrors.WITHOUT_TREATY)
    assert lines(page(russia, *YEAR).figure("M13").part("M13")) == {"out reciprocity": 6, "out treaty": 2}


def test_persons_handed_over_for_treatment_or_to_serve_a_sentence_are_no_extraditions(russia: Figures) -> None:
    assert lines(page(russia, *YEAR).figure("M14").part("M14")) == {
        "out transfer_mental": 1,
        "out transfer_sentenced": 1,
    }


def test_a_person_whom_two_requests_speak_of_was_located_once(russia: Figures) -> None:
    before = (YEAR[0] - 100, YEAR[1] - 100)
    assert lines(page(russia, *before).figure("M16").part("M16")) == {"interpol": 8}
    assert page(russia, *before).figure("M16").part("M16").number == 8
    assert len(russia.records("M16", Scope(first=before[0], last=before[1])).rows) == 16


def test_prosecutions_are_transferred_both_ways(russia: Figures) -> None:
    assert lines(page(russia, *YEAR).figure("M17").part("M17")) == {
        "out taken_over": 5, "in taken_over": 3, "out concluded convicted": 4, "in concluded convicted": 2,
    }  # fmt: skip


# Property (July 2017)


def test_about_250_million_of_funds_and_300_million_of_real_estate_are_restrained_to_date(russia: Figures) -> None:
    restrained = page(russia, 0, JULY_2017).figure("M18").part("M18")
    assert lines(restrained) == {"funds EUR": 250_000_000_00, "real_estate EUR": 300_000_000_00}


def test_what_is_restrained_stands_at_the_end_of_whatever_period(russia: Figures) -> None:
    assert lines(page(russia, 201701, JULY_2017).figure("M18").part("M18")) == lines(
        page(russia, 0, JULY_2017).figure("M18").part("M18")
    )
    assert lines(page(russia, 0, 201012).figure("M18").part("M18")) == {"funds EUR": 120_000_000_00}


def test_property_that_was_confiscated_is_counted_there(russia: Figures) -> None:
    assert lines(page(russia, 0, JULY_2017).figure("M20").part("M20")) == {"funds EUR": 4_000_000_00}


def test_more_than_110_million_dollars_came_back_to_companies_from_switzerland_alone(russia: Figures) -> None:
    returned = page(russia, SINCE_2007, JULY_2017, partner="CH").figure("M19").part("M19")
    assert lines(returned) == {"company USD": 110_000_001_00, "person USD": 1000_00}


# Treaties and programmes (July 2017, May 2020, newspaper)


AGREED = ("agreement", "memorandum")


def test_in_july_2017_there_are_85_interdepartmental_agreements_with_66_states(russia: Figures) -> None:
    signed = page(russia, 0, JULY_2017).figure("M25").part("M25.signed")
    assert total(signed, *AGREED) == 5 + 80
    assert total(page(russia, 0, JULY_2017).figure("M25").part("M25.force"), *AGREED) == 85
    assert len(states(russia, "M25.signed", JULY_2017, *AGREED)) == 66


def test_28_of_them_were_signed_in_the_last_five_years(russia: Figures) -> None:
    assert total(page(russia, 201208, JULY_2017).figure("M25").part("M25.new"), *AGREED) == 28


def test_in_may_2020_there_are_90_agreements_and_other_arrangements_with_72_states(russia: Figures) -> None:
    assert total(page(russia, 0, MAY_2020).figure("M25").part("M25.signed"), *AGREED) == 90
    assert len(states(russia, "M25.signed", MAY_2020, *AGREED)) == 72


def test_a_memorandum_that_is_only_intended_stands_at_its_stage_and_counts_as_nothing_signed(russia: Figures) -> None:
    american = page(russia, 0, JULY_2017, partner="US")
    assert lines(american.figure("M26").part("M26")) == {"proposed": 1}
    assert "memorandum" not in lines(american.figure("M25").part("M25.signed"))


def test_48_programmes_were_signed_since_2007_with_28_states(russia: Figures) -> None:
    programmes = page(russia, SINCE_2007, JULY_2017).figure("M27").part("M27")
    assert lines(programmes)["signed"] == 48
    assert len(states(russia, "M27", JULY_2017, "signed")) == 28


def test_40_programmes_were_carried_out_and_7_are_under_way(russia: Figures) -> None:
    programmes = page(russia, SINCE_2007, JULY_2017).figure("M27").part("M27")
    assert (lines(programmes)["finished"], lines(programmes)["running"]) == (40, 7)
    assert states(russia, "M27", JULY_2017, "running") == set(mirrors.RUNNING)


def test_more_than_130_events_were_held_under_them(russia: Figures) -> None:
    told = page(russia, SINCE_2007, JULY_2017)
    assert told.figure("M27").part("M27.events").number == 134
    assert told.figure("M23").part("M23.programme").number == 134
    held = told.figure("M23").part("M23")
    assert (held.number, lines(held)["held consultation"]) == (136, 134)


# Kazakhstan


def test_83_agreements_are_with_38_states(kazakhstan: Figures) -> None:
    assert page(kazakhstan, 0, 202506).figure("M25").part("M25.signed").number == 83
    assert len(states(kazakhstan, "M25.signed", 202506, "treaty")) == 38


def test_the_83_are_33_on_assistance_24_on_extradition_and_26_on_sentenced_persons(kazakhstan: Figures) -> None:
    """By the ids of the instruments that the figure rests on: a record does not say what a treaty is about."""
    rows = kazakhstan.records("M25.signed", Scope(last=202506), limit=1000).rows
    about = [row.thing.rpartition("-")[2] for row in rows]
    assert {sort: about.count(sort) for sort in set(about)} == {"mla": 33, "extr": 24, "sent": 26}


def test_9_new_treaties_are_of_last_year(kazakhstan: Figures) -> None:
    new = page(kazakhstan, 202401, 202412).figure("M25").part("M25.new")
    assert new.number == 9
    found = kazakhstan.by("M25.new", Scope(first=202401, last=202412), "partner")
    assert {state: answer.number for state, answer in found.items()} == {"PE": 3, "MA": 3, "QA": 2, "CY": 1}


def test_one_is_of_this_year_with_singapore(kazakhstan: Figures) -> None:
    found = kazakhstan.by("M25.new", Scope(first=202501, last=202506), "partner")
    assert {state: answer.number for state, answer in found.items()} == {"SG": 1}


def test_the_convention_is_at_invited_after_four_attempts(kazakhstan: Figures) -> None:
    stages = page(kazakhstan, 0, 202506).figure("M26")
    assert lines(stages.part("M26")) == {"invited": 1}
    assert stages.part("M26.declined").number == 3
    applied = {line.tag: line.number for line in stages.part("M26.days").lines}
    assert applied == {"applied to declined": 3, "declined to applied": 3, "applied to invited": 1}


def test_an_invitation_is_no_treaty(kazakhstan: Figures) -> None:
    rows = kazakhstan.records("M25.signed", Scope(last=202506), limit=1000).rows
    assert "kz-coe-mla" not in {row.thing for row in rows}
