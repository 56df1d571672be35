"""What holds for random data of every type of the catalogue."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ledger import catalogue
from ledger.catalogue.base import Data, EventType, Sealed, sealed_pointers, types_by_name
from ledger.errors import FormatError
from tests.strategies import event_data, json_values, sealed

ROWS = sorted(types_by_name().values(), key=lambda r: r.type)
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
every_type = pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])


def with_data(row: EventType, data: st.DataObject) -> dict[str, Any]:
    return data.draw(event_data(row.data))


def refused(row: EventType, members: dict[str, Any]) -> bool:
    """Both readings must agree."""
    try:
        catalogue.convert_data(row, members)
    except FormatError:
        with pytest.raises(FormatError):
            catalogue.decode_data(row, json.dumps(members).encode())
        return True
    catalogue.decode_data(row, json.dumps(members).encode())
    return False


@every_type
@few
@given(data=st.data())
def test_data_written_and_read_again_are_the_same(row: EventType, data: st.DataObject) -> None:
    members = with_data(row, data)
    struct = catalogue.convert_data(row, members)
    raw = msgspec.json.encode(struct)
    assert json.loads(raw) == members
    assert catalogue.decode_data(row, raw) == struct
    assert type(struct) is row.data


@every_type
@few
@given(data=st.data())
def test_each_missing_required_member_is_refused(row: EventType, data: st.DataObject) -> None:
    members = with_data(row, data)
    for field in msgspec.structs.fields(row.data):
        if field.required:
            assert refused(row, {n: v for n, v in members.items() if n != field.encode_name}), field.name


@every_type
@few
@given(data=st.data(), name=st.text(st.characters(codec="utf-8"), max_size=10), value=json_values())
def test_an_unknown_member_is_refused(row: EventType, data: st.DataObject, name: str, value: object) -> None:
    assume(name not in row.data.__struct_encode_fields__)
    assert refused(row, {**with_data(row, data), name: value})


@every_type
@few
@given(data=st.data())
def test_null_is_refused_everywhere(row: EventType, data: st.DataObject) -> None:
    members = with_data(row, data)
    for name in row.data.__struct_encode_fields__:
        assert refused(row, {**members, name: None}), name


@every_type
@few
@given(data=st.data(), text=st.text(st.characters(codec="utf-8"), max_size=20))
def test_plain_text_in_a_sealed_field_is_refused(row: EventType, data: st.DataObject, text: str) -> None:
    members = with_data(row, data)
    for path in sealed_pointers(row.data):
        if len(path) == 1:
            assert refused(row, {**members, path[0]: text}), path


@every_type
@few
@given(data=st.data(), value=json_values())
def test_wrong_values_are_refused_with_a_format_error_only(row: EventType, data: st.DataObject, value: object) -> None:
    members = with_data(row, data)
    name = data.draw(st.sampled_from(row.data.__struct_encode_fields__))
    refused(row, {**members, name: value})


@settings(deadline=None)
@given(row=st.sampled_from(ROWS), raw=st.binary(max_size=200))
def test_any_bytes_give_data_or_a_format_error(row: EventType, raw: bytes) -> None:
    try:
        data = catalogue.decode_data(row, raw)
    except FormatError:
        return
    assert isinstance(data, Data)


@settings(deadline=None)
@given(row=st.sampled_from(ROWS), value=json_values())
def test_any_json_gives_data_or_a_format_error(row: EventType, value: Any) -> None:
    for read in (catalogue.convert_data, lambda r, v: catalogue.decode_data(r, json.dumps(v).encode())):
        try:
            data = read(row, value)
        except FormatError:
            continue
        assert isinstance(data, Data)


@settings(deadline=None)
@given(box=sealed(), data=st.data())
def test_a_box_with_one_member_less_or_more_is_refused(box: dict[str, Any], data: st.DataObject) -> None:
    assert msgspec.convert(box, Sealed)
    name = data.draw(st.sampled_from(sorted(box)))
    row = catalogue.known("rogatory.request.reopened.v1")
    assert not refused(row, {"why": box})
    assert refused(row, {"why": {n: v for n, v in box.items() if n != name}})
    assert refused(row, {"why": {**box, "plain": "text"}})
