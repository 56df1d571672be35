"""What the catalogue takes the schema takes, and the other way round, as far as a schema can say it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import catalogue
from ledger.admission import Refusal, _check_subject
from ledger.catalogue.base import EventType, types_by_name
from ledger.catalogue.dates import check_dates
from ledger.catalogue.schema import data_schema, event_schema
from ledger.errors import FormatError
from ledger.event import parse_event
from ledger.submission import Submission
from tests.schemas import validator
from tests.strategies import event_data, instants, json_values, offices, sealed, segments, subjects

ROWS = sorted(types_by_name().values(), key=lambda r: r.type)
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
every_type = pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])

_of_data = cache(lambda row: validator(data_schema(row)))
_of_events = cache(lambda row: validator(event_schema(row)))

# Values that are right somewhere, nearly right, or nowhere.
_values = (
    json_values()
    | sealed()
    | sealed().map(lambda box: {**box, "box": box["box"][:-1]})
    | st.sampled_from(
        ["", "x\n", "RU-OMS\n", "2025-02-30",
         "2025-02-28\n", "2025-13-01", "2025-02-29T10:00:00Z", "1.50", "01", "100.1",
         "ё", "\u202e", True, False, -1, 2**53 - 1, [], {}, [""], [{}], "0" * 64, "A" * 43 + "=", "/", "a/b", "direct"]
    )
    | instants()
    | segments(130)
)  # fmt: skip


def is_taken(row: EventType, members: dict[str, Any]) -> bool:
    try:
        check_dates(row, catalogue.decode_data(row, json.dumps(members).encode()))
    except FormatError:
        return False
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all members and items."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [deeper for name, member in inner for deeper in ((*path, name), *places(member, (*path, name)))]


def changed(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """A copy with something else at a place; with ``UNSET``, with nothing there."""
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and by is msgspec.UNSET:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], by)
    return copy


@every_type
@few
@given(data=st.data())
def test_the_schema_takes_what_the_catalogue_takes(row: EventType, data: st.DataObject) -> None:
    members = data.draw(event_data(row.data))
    assert is_taken(row, members)
    assert _of_data(row).is_valid(members)


@every_type
@few
@given(data=st.data())
def test_schema_and_catalogue_agree_on_data_with_a_change(row: EventType, data: st.DataObject) -> None:
    members = data.draw(event_data(row.data))
    where = data.draw(st.sampled_from([*places(members), ("another",)]))
    by = data.draw(_values | st.just(msgspec.UNSET))
    if where == ("another",):
        names = [f.encode_name for f in msgspec.structs.fields(row.data)]
        members = {**members, data.draw(st.sampled_from([*names, "another"])): data.draw(_values)}
    else:
        members = changed(members, where, by)
    assert _of_data(row).is_valid(members) == is_taken(row, members), members


def is_event(row: EventType, value: dict[str, Any]) -> bool:
    """By the checks of admission that need nothing but the event itself."""
    try:
        event = parse_event(json.dumps(value).encode())
        is_id = "." in event.ledger
        if event.type != row.type or is_id == (row.name == "register.opened"):
            return False
        submission = Submission(0, 0, 0, event.subject.encode(), b"", ())
        _check_subject(submission, event.subject, row, known=False)
        check_dates(row, catalogue.decode_data(row, bytes(event.data)))
    except (FormatError, Refusal):
        return False
    return True


_ATTRIBUTES = {
    "actor": segments(64),
    "expectedseq": st.integers(0, 2**53 - 1),
    "traceparent": st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    "tracestate": st.just("vendor=value with blanks"),
}
_ASCII = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=130) | st.text("ab/-.1Z", max_size=8)


@every_type
@few
@given(data=st.data())
def test_schema_and_admission_agree_on_envelopes(row: EventType, data: st.DataObject) -> None:
    name = "assistance" if row.name == "register.opened" else "assistance." + "0" * 32
    event = data.draw(
        st.fixed_dictionaries(
            {
                "specversion": st.just("1.0"), "id": st.uuids().map(str), "source": offices().map("office/{}".format),
                "type": st.just(row.type), "subject": subjects(), "time": instants(),
                "datacontenttype": st.just("application/json"), "ledger": st.just(name), "data": event_data(row.data),
            },
            optional=_ATTRIBUTES,
        )
    )  # fmt: skip
    assert _of_events(row).is_valid(event) == is_event(row, event)
    changed_one = data.draw(st.sampled_from([*event, "another", "data_base64"]))
    other = {**event, changed_one: data.draw(_ASCII | _values)}
    less = {name: value for name, value in event.items() if name != changed_one}
    for one in (other, less):
        assert _of_events(row).is_valid(one) == is_event(row, one), one
