"""Admission versions: what each decides, and that a release stops where it knows no rules."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import catalogue
from ledger.admission import Admitted, Decision, PartitionState
from ledger.catalogue.base import EventType
from ledger.catalogue.dates import check_dates
from ledger.chain import ChainState, Follower, Head, Record
from ledger.dispositions import Disposition, Refused
from ledger.errors import FieldError, FormatError, UnknownVersion
from ledger.log import Message, Stored
from ledger.submission import SEAL_HEADER
from ledger.versions import FIRST_VERSION, KNOWN_VERSIONS, RULES, check_known
from producers.builder import Draft, Sender, build
from tests.admissions import World
from tests.records import usual
from tests.strategies import event_data

OFFICE = {
    "office": "RU-NEW", "party": "RU", "sort": "territorial", "name_ru": "Прокуратура", "tz": "Asia/Omsk",
    "border": False, "valid_from": "2022-03-10", "basis": "order-136",
}  # fmt: skip


def row_of(name: str) -> EventType:
    return catalogue.known(f"rogatory.{name}.v1")


def check(name: str, **stated: Any) -> None:
    row = row_of(name)
    data = (OFFICE if name == "office.registered" else usual(name)) | stated
    check_dates(row, catalogue.convert_data(row, data))


class TestDates:
    @pytest.mark.parametrize(
        "day", ["2024-02-29", "2025-02-28", "2000-02-29", "0001-01-01", "9999-12-31", "2025-04-30"]
    )
    def test_a_day_of_the_calendar_is_right(self, day: str) -> None:
        check("office.registered", valid_from=day)

    @pytest.mark.parametrize(
        "day", ["2025-02-29", "2025-02-31", "1900-02-29", "2025-04-31", "0000-01-01", "0000-12-31", "2025-11-31"]
    )
    def test_any_other_is_not_and_the_message_says_where_but_not_what(self, day: str) -> None:
        with pytest.raises(FormatError, match=r"office\.registered at \$\.valid_from: expected a date") as caught:
            check("office.registered", valid_from=day)
        assert day not in str(caught.value)

    def test_of_a_time_the_date_before_its_offset_is_checked(self) -> None:
        check("request.accepted", received_on="2025-02-28T23:59:59-12:00")
        with pytest.raises(FormatError, match=r"\$\.received_on"):
            check("request.accepted", received_on="2025-02-29T00:00:00+12:00")

    def test_an_empty_time_is_left_to_the_findings(self) -> None:
        row = row_of("notice.received")
        check_dates(row, catalogue.convert_data(row, {"instrument": "agreement-1999", "from": "KZ", "received": ""}))

    @pytest.mark.parametrize("row", catalogue.types_by_name().values(), ids=lambda row: row.name)
    @given(data=st.data())
    @settings(max_examples=5, deadline=None)
    def test_no_type_hides_a_date_from_the_check(self, row: EventType, data: st.DataObject) -> None:
        """Wherever something stands that looks like a date, 31 February in its place is refused."""
        members = data.draw(event_data(row.data))
        check_dates(row, catalogue.convert_data(row, members))
        for wrong in spoiled({k: v for k, v in members.items() if k not in FREE}):
            with pytest.raises(FormatError, match="expected a date of the calendar"):
                check_dates(row, catalogue.convert_data(row, {**members, **wrong}))


FREE = {"fields"}  # of a correction: any JSON


def spoiled(value: Any) -> list[Any]:
    """The same with one date replaced by 31 February, once for each date in it."""
    if isinstance(value, str):
        looks = len(value) >= 10 and value[4] == value[7] == "-" and value[:4].isdigit()
        return [value[:5] + "02-31" + value[10:]] if looks else []
    if isinstance(value, dict):
        return [{**value, k: inner} for k, v in value.items() for inner in spoiled(v)]
    if isinstance(value, list):
        return [[*value[:i], inner, *value[i + 1 :]] for i, v in enumerate(value) for inner in spoiled(v)]
    return []


def test_a_builder_takes_no_such_date_whatever_the_version() -> None:
    w = World.opened()
    data = msgspec.convert(OFFICE | {"valid_from": "2025-02-31"}, row_of("office.registered").data)
    with pytest.raises(FieldError, match=r"\$\.valid_from"):
        build(Draft(subject="register", data=data), Sender(w.ledger_id, "RU-GUMPS", [w.gumps]), 0)


# Admission


@pytest.fixture
def w() -> World:
    return World.opened()


def feb_31(w: World) -> bytes:
    data = {"executing": "RU-OMS", "received_on": "2025-02-31T10:00:00Z"}
    return w.event("request/a", "request.accepted", data)


def disposition(decision: Decision) -> Disposition:
    return decision.disposition


def test_under_version_1_the_form_of_a_date_is_enough(w: World) -> None:
    assert disposition(w.decide(feb_31(w), [w.oms])) == Disposition.ADMITTED


def test_under_version_2_it_must_be_in_the_calendar(w: World) -> None:
    w.register(w.adopt(2), w.authorities)
    decision = w.decide(feb_31(w), [w.oms])
    assert isinstance(decision, Refused)
    assert decision.disposition == Disposition.BAD_DATA
    assert decision.expected == "request.accepted at $.received_on: expected a date of the calendar"
    assert "31" not in decision.found
    right = w.event("request/a", "request.accepted", {"executing": "RU-OMS", "received_on": "2025-02-28T10:00:00Z"})
    assert disposition(w.decide(right, [w.oms])) == Disposition.ADMITTED


def test_a_time_in_the_register_that_does_not_exist_changes_its_reason_only(w: World) -> None:
    raw = w.revoke(w.oms, effective="2025-02-31T00:00:00Z")
    assert disposition(w.decide(raw, [w.gumps], partition=0)) == Disposition.CONTRADICTS_REGISTER
    w.register(w.adopt(2), w.authorities)
    assert disposition(w.decide(raw, [w.gumps], partition=0)) == Disposition.BAD_DATA


def test_what_version_1_admitted_stays_a_duplicate_under_version_2(w: World) -> None:
    raw = feb_31(w)
    w.submit(raw, [w.oms])
    w.register(w.adopt(2), w.authorities)
    assert disposition(w.decide(raw, [w.oms])) == Disposition.DUPLICATE


def test_an_adoption_is_sealed_under_the_version_before_it_in_each_partition(w: World) -> None:
    copy = w.home(w.adopt(2), w.authorities)
    assert [s.version for s in w.states] == [2, 1]
    assert disposition(w.decide(feb_31(w), [w.oms])) == Disposition.ADMITTED
    adoption = w.take(w.copied(copy), 1)
    assert isinstance(adoption, Admitted)
    assert adoption.seal.v == 1
    assert disposition(w.decide(feb_31(w), [w.oms])) == Disposition.BAD_DATA


def test_there_is_no_way_back(w: World) -> None:
    w.register(w.adopt(2), w.authorities)
    for version in (1, 2):
        assert disposition(w.decide(w.adopt(version), w.authorities, partition=0)) == Disposition.CONTRADICTS_REGISTER


def test_a_type_is_unknown_before_the_version_that_brings_it(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of("request.accepted")
    newer = msgspec.structs.replace(row, since=2)
    monkeypatch.setitem(catalogue.types_by_name(), row.type, newer)
    assert disposition(w.decide(w.accepted(), [w.oms])) == Disposition.UNKNOWN_TYPE
    w.register(w.adopt(2), w.authorities)
    assert disposition(w.decide(w.accepted(), [w.oms])) == Disposition.ADMITTED


def test_every_type_of_the_catalogue_comes_with_a_version_that_has_rules() -> None:
    assert {row.since for row in catalogue.types_by_name().values()} <= set(RULES)
    assert sorted(RULES) == list(range(FIRST_VERSION, max(RULES) + 1))


# Releases


def test_a_release_names_what_it_knows_and_what_it_found() -> None:
    check_known(2, KNOWN_VERSIONS, "anybody")
    with pytest.raises(UnknownVersion, match=r"partition 3: .*knows \(1\), found version 2; upgrade"):
        check_known(2, {1}, "partition 3")


def test_a_reader_of_an_older_release_stops_at_the_adoption_and_a_newer_one_goes_on(w: World) -> None:
    records = Records(w)
    records.copy(w.home(w.adopt(2), w.authorities))
    records.act()
    records.act()
    newer = Follower(w.ledger_id, ChainState(1))
    heads: dict[str, Head] = {}
    kept = newer.state
    for stored in records.all:
        taken = newer.take(stored, heads)
        assert isinstance(taken, Record)
        heads[taken.subject] = Head(taken.seal.seq, taken.leaf)
        if taken.index == len(records.all) - 2:
            kept, kept_heads = newer.state, dict(heads)
    older = Follower(w.ledger_id, ChainState(1), known={1})
    heads = {}
    *before, adoption = records.all[:-2]
    for stored in before:
        taken = older.take(stored, heads)
        assert isinstance(taken, Record)
        heads[taken.subject] = Head(taken.seal.seq, taken.leaf)
    with pytest.raises(UnknownVersion, match=r"found version 2"):
        older.take(adoption, heads)
    assert older.state.size == len(before)
    # What a newer release left behind, an older one does not go on from.
    with pytest.raises(UnknownVersion, match="no ledger goes back"):
        Follower(w.ledger_id, kept, known={1}).take(records.all[-1], kept_heads)
    assert isinstance(Follower(w.ledger_id, kept).take(records.all[-1], kept_heads), Record)


class Records:
    """Partition 1's ledger, as its registrar writes it."""

    def __init__(self, w: World) -> None:
        self._w = w
        w.states[1] = PartitionState(w.ledger_id, 1)
        self.all: list[Stored] = []
        for message in w.copies:
            self.copy(message)

    def copy(self, message: Message) -> None:
        self._keep(b"register", message.value or b"", self._w.take(self._w.copied(message), 1))

    def act(self) -> None:
        raw = self._w.accepted()
        self._keep(b"request/a", raw, self._w.submit(raw, [self._w.oms]))

    def _keep(self, key: bytes, raw: bytes, decision: Decision) -> None:
        assert isinstance(decision, Admitted)
        position, headers = len(self.all), ((SEAL_HEADER, decision.seal_text),)
        self.all.append(Stored(position, decision.seal.admitted, key, raw, headers))
