"""What holds of the postings of any subject, whatever was recorded in whatever order."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.compliance.case import Case
from projections.compliance.facts import CaseFile
from projections.compliance.fold import CaseFold
from projections.compliance.register import LegalRegister
from projections.figures.catalogue import PARTS
from projections.figures.counting import count
from projections.figures.posting import Posting
from tests.records import DAY, EVENTS, START, record, usual

_FOLD = CaseFold()
_OFTEN = (
    "request.signed", "request.spoken", "request.received", "request.sent", "request.closed", "request.reopened",
    "request.withdrawn", "request.answered", "refusal.decided", "information.requested", "information.supplied",
    "consent.requested", "consent.answered", "handling.set", "material.disposed", "content.erased", "person.detained",
    "person.released", "person.handedover", "record.corrected",
)  # fmt: skip
_REFERS = {
    "request.confirmed": "confirms", "information.supplied": "answers", "authenticity.answered": "answers",
    "consent.answered": "answers", "refusal.notified": "decision", "record.corrected": "target",
}  # fmt: skip
_VARIED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "request.answered": ("final", (True, False)),
    "refusal.decided": ("scope", ("full", "partial")),
    "authenticity.answered": ("authentic", (True, False)),
    "person.handedover": ("what", ("extradition", "temporary")),
    "handling.set": ("grade", ("open", "strict")),
}
_HOLDERS = st.sampled_from(["RU-OMS", "RU-PGO"])


@st.composite
def _requests(draw: st.DrawFn) -> CaseFile:
    """Any acts of a request, claimed and admitted at any days; the first is often an opener."""
    opener = draw(st.sampled_from(["request.signed", "request.spoken", "step.taken"]))
    names = [opener, *draw(st.lists(st.one_of(st.sampled_from(_OFTEN), st.sampled_from(EVENTS)), max_size=14))]
    file, admitted = CaseFile(), START
    for seq, name in enumerate(names, 1):
        admitted += draw(st.integers(0, 3)) * DAY
        data = usual(name)
        if name in _REFERS:
            data[_REFERS[name]] = f"e-{draw(st.integers(1, len(names)))}"
        if name in _VARIED:
            member, values = _VARIED[name]
            data[member] = draw(st.sampled_from(values))
        if "material" in data:
            data["material"] = draw(st.sampled_from(["m-1", "m-2"]))
        if "holder" in data:
            data["holder"] = draw(_HOLDERS)
        claimed = admitted + draw(st.integers(-6, 1)) * DAY
        file = _FOLD.evolve(file, record(name, data, seq=seq, index=seq, claimed=claimed, admitted=admitted))
    return file


_INSTRUMENTS = {
    "instrument.staged": {"stage": "applied", "parties": ["RU", "KZ"], "kind": "treaty"},
    "instrument.signed": {"parties": ["RU", "KZ", "BY"], "kind": "programme", "profile_sha256": "00" * 32},
    "instrument.entered": {},
    "instrument.ended": {"cause": "other"},
}


@st.composite
def _registers(draw: st.DrawFn) -> CaseFile:
    """Any acts of instruments, at any dates, between any of the states."""
    file = CaseFile()
    days = st.sampled_from([f"2025-01-{day:02}" for day in range(1, 9)])
    for seq, name in enumerate(draw(st.lists(st.sampled_from(sorted(_INSTRUMENTS)), max_size=9)), 1):
        data = {"instrument": draw(st.sampled_from(["a", "b"])), "date": draw(days), **_INSTRUMENTS[name]}
        if name == "instrument.staged":
            data["stage"] = draw(st.sampled_from(["applied", "declined", "invited"]))
        if name in ("instrument.entered", "instrument.ended"):
            between = draw(st.sampled_from([None, ["RU", "KZ"], ["KZ", "BY"]]))
            data |= {} if between is None else {"between": between}
        if name == "instrument.entered" and draw(st.booleans()):
            data["until"] = draw(days)
        file = _FOLD.evolve(file, record(name, data, seq=seq, index=seq, subject="register"))
    return file


def _request(file: CaseFile) -> list[Posting]:
    return count(Case("request/2025-000123", file), LegalRegister(CaseFile(), "RU"))


def _moments(rows: list[Posting]) -> list[int]:
    return sorted({row.time for row in rows})


def _never_below_nothing(rows: list[Posting]) -> None:
    stands: Counter[tuple[str, ...]] = Counter()
    times = _moments(rows)
    for time in times:
        for row in rows:
            if row.time == time and PARTS[row.part].how in ("standing", "held"):
                stands[row.part, row.partner, row.tag, row.thing] += row.value
        below = {key: number for key, number in stands.items() if number < 0}
        assert not below, f"{below} at {time}"


@given(_requests())
def test_what_stands_is_never_less_than_nothing(file: CaseFile) -> None:
    _never_below_nothing(_request(file))


@given(_registers())
def test_instruments_that_stand_are_never_less_than_nothing_and_each_stands_once(file: CaseFile) -> None:
    register = LegalRegister(file, "RU")
    rows = count(register.case, register)
    _never_below_nothing(rows)
    for time in _moments(rows):
        stands: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            if row.time <= time and PARTS[row.part].how == "held":
                stands[row.part, row.partner, row.tag, row.thing] += row.value
        assert max(stands.values(), default=0) <= 1
        stages = Counter((key[1], key[3]) for key, number in stands.items() if key[0] == "M26" and number)
        assert max(stages.values(), default=0) <= 1, "an instrument stands at one stage"


@given(_requests())
def test_the_sides_sum_up_to_what_is_open_at_every_moment(file: CaseFile) -> None:
    rows = _request(file)
    for time in _moments(rows):
        open_ = sum(row.value for row in rows if row.part == "M4" and row.time <= time)
        sides = [row for row in rows if row.part == "M5" and row.time <= time]
        assert open_ in (0, 1)
        assert sum(row.value for row in sides) == open_
        assert {row.tag for row in sides} <= {"requesting", "requested", "supplying"}


@given(_requests())
def test_the_days_of_the_sides_are_those_until_the_first_end(file: CaseFile) -> None:
    rows = _request(file)
    waited = [row.value for row in rows if row.part == "M12"]
    ends = [row.time for row in rows if row.part == "M4" and row.value < 0]
    if ends:
        begun = min(row.time for row in rows if row.part == "M4" and row.value > 0)
        whole = (min(ends) - begun) // DAY
        assert whole - len(waited) < sum(waited) <= whole or waited == []
    else:
        assert waited == []


@given(_requests())
def test_postings_are_told_apart_and_rest_on_records_of_the_subject(file: CaseFile) -> None:
    rows = _request(file)
    assert len({(row.part, row.item) for row in rows}) == len(rows)
    assert {row.record for row in rows} | {row.begun for row in rows} <= {-1, *(act.index for act in file.acts)}
    assert all(row.part in PARTS and len(row.item) <= 256 and len(row.tag) <= 256 for row in rows)
    assert all(row.value >= 0 for row in rows if PARTS[row.part].how in ("days", "count", "distinct", "money"))
