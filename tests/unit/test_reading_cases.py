"""What a case file keeps can be read, whatever admission version 1 and corrections let pass."""

from __future__ import annotations

import msgspec
import pytest

from projections.compliance.reading import corrected, read

COST = msgspec.Raw(b'{"scope":"all","borne_by":"KZ","share":"50","written":true}')


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2025-02-30", "2025-02-28"),
        ("2024-02-30", "2024-02-29"),
        ("2024-02-29", "2024-02-29"),
        ("2025-04-31", "2025-04-30"),
        ("2025-12-31", "2025-12-31"),
        ("0000-01-05", "0001-01-05"),
    ],
)
def test_a_day_that_no_month_has_is_read_as_the_last_one(written: str, read_as: str) -> None:
    raw = msgspec.Raw(msgspec.json.encode({"act": "Приказ 136", "number": written, "date": written, "binds": []}))
    assert read("act.issued", raw).date == read_as


def test_other_texts_stay_as_they_are() -> None:
    """Given a number that looks like such a day beside a good date, then nothing is changed."""
    raw = msgspec.Raw(b'{"act":"x","number":"2025-02-30","date":"2025-03-31","binds":[]}')
    assert (read("act.issued", raw).number, read("act.issued", raw).date) == ("2025-02-30", "2025-03-31")


@pytest.mark.parametrize("fields", [{"share": "all of it"}, {"written": "yes"}, {"borne_by": "Kazakhstan"}])
def test_a_correction_that_does_not_fit_changes_nothing(fields: dict[str, str]) -> None:
    kept = read("cost.agreed", COST)
    assert corrected("cost.agreed", kept, fields) == kept


def test_a_correction_changes_what_it_names() -> None:
    """Given a correction of one member, with one beside it that is not kept, then the one is replaced."""
    found = corrected("cost.agreed", read("cost.agreed", COST), {"share": "40", "note": {"filled": True}, "odd": 1})
    assert (found.share, found.borne_by) == ("40", "KZ")


def test_a_corrected_day_that_no_month_has_is_read_as_the_last_one() -> None:
    kept = read("act.issued", msgspec.Raw(b'{"act":"x","number":"1","date":"2025-03-31","binds":[]}'))
    assert corrected("act.issued", kept, {"date": "2025-02-31"}).date == "2025-02-28"
    assert corrected("act.issued", kept, {"date": "soon"}) == kept
