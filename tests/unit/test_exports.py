"""What exports make of records: names, attributes, objects; and that a longer ledger takes no more memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from infra.exporting.ocel_file import write_ocel
from infra.exporting.spool_file import SpoolFile
from infra.exporting.xes_log import write_xes
from ledger.catalogue import types_by_name
from ledger.catalogue.describe import FieldNote, describe_fields
from ledger.chain import Record
from ledger.errors import FormatError
from ledger.sealing import Place, seal_field
from producers.importers.drafts import subject_of
from producers.importers.xes_values import read_attributes
from projections.exports.ocel import ocel_event
from projections.exports.ocel_shape import NO_OBJECTS, OBJECT_ATTRIBUTES, TELLING, event_types, object_type, shape_of
from projections.exports.told import Hidden, leaves, tell
from projections.exports.xes import attribute, case_name, trace
from tests.records import LEDGER, SUBJECT, box, record, usual

KEY = bytes(32)
UUID8 = "0193a2b4-5c6d-8e8f-9a0b-1c2d3e4f5a6b"


def sealed(name: str, value: Any, *, type_: str = "step.taken", event_id: str = "e-1") -> Any:
    place = Place(LEDGER, "office/RU-OMS", event_id, SUBJECT, f"rogatory.{type_}.v1", f"/data/{name}")
    found = seal_field(KEY, place, value)
    return {member: getattr(found, member) for member in found.__struct_fields__}


def events_of(*records: Record, opened: bool = True) -> list[dict[str, Any]]:
    """The attributes of each event of a case, as an importer reads them."""
    find = (lambda _: KEY) if opened else None
    text = "".join(trace(SUBJECT, (tell(r, find) for r in records)))
    return [dict(read_attributes(event)) for event in fromstring(text).iter("event")]


# Opening


def test_a_sealed_field_is_hidden_without_its_key_and_told_with_it() -> None:
    one = record(
        "step.taken", {"step": "x", "note": sealed("note", "a reason"), "attributes": sealed("attributes", {})}
    )
    assert tell(one).data == {"step": "x", "note": Hidden(filled=True), "attributes": Hidden(filled=False)}
    assert tell(one, lambda _: None).data["note"] == Hidden(filled=True)
    assert tell(one, lambda _: KEY).data == {"step": "x", "note": "a reason", "attributes": {}}


def test_a_box_that_was_moved_is_an_error_that_says_where() -> None:
    one = record("step.taken", {"step": "x", "note": sealed("doc", "a reason")}, index=7)
    with pytest.raises(FormatError, match="record 0/7, /data/note: expected a box"):
        tell(one, lambda _: KEY)


def test_leaves_have_paths() -> None:
    value = {"a": [{"b": 1}, {"b": Hidden(filled=True)}], "c": True, "d": []}
    assert dict(leaves(value)) == {"a/0/b": 1, "a/1/b/filled": True, "c": True}


# XES


@pytest.mark.parametrize("name", ["2025-000123", "Дело № 5", "100%", "a b/c", "%41", "~x:y", "%D0%94"])
def test_a_case_has_the_name_that_its_subject_was_made_of(name: str) -> None:
    assert case_name(subject_of(name)) == name


def test_a_subject_that_no_importer_made_keeps_its_name() -> None:
    assert case_name("request/100%") == "100%"
    assert case_name("request/%4a") == "%4a"
    assert case_name("register") == "register"


@pytest.mark.parametrize(
    ("step", "id_", "name", "transition"),
    [
        ("Queued:Awaiting: Them", UUID8, "Queued", "Awaiting: Them"),
        ("Queued", UUID8, "Queued", "complete"),
        ("scanned: page 1", "e-1", "scanned: page 1", "complete"),
    ],
)
def test_only_an_imported_step_is_taken_apart(step: str, id_: str, name: str, transition: str) -> None:
    (event,) = events_of(record("step.taken", {"step": step}, event_id=id_))
    assert (event["concept:name"], event["lifecycle:transition"]) == (name, transition)


def test_an_act_is_named_by_its_type_and_says_where_it_stands() -> None:
    one = record("request.accepted", {"executing": "RU-ALT", "note": box()}, seq=3, index=9, partition=2)
    (event,) = events_of(one, opened=False)
    assert event["concept:name"] == "request.accepted"
    assert event["org:group"] == "RU-OMS"
    assert event["rogatory:data/executing"] == "RU-ALT"
    assert event["rogatory:data/note/filled"] is True
    assert (event["rogatory:partition"], event["rogatory:index"], event["rogatory:seq"]) == (2, 9, 3)
    assert event["rogatory:leaf"] == one.leaf.hex()


def test_only_the_first_step_gives_its_case_away() -> None:
    first = {"case": {"topic": "fences"}, "x": "1"}
    second = {"case": {"mine": "own"}}
    records = [
        record("request.accepted", {"executing": "RU-OMS"}),
        *(
            record(
                "step.taken", {"step": "s", "attributes": sealed("attributes", said, event_id=f"{UUID8[:-1]}{n}")},
                seq=n, index=n, event_id=f"{UUID8[:-1]}{n}",
            )
            for n, said in ((2, first), (3, second))
        ),
    ]  # fmt: skip
    find = lambda _: KEY  # noqa: E731
    text = "".join(trace(SUBJECT, (tell(r, find) for r in records), first["case"]))
    found = fromstring(text)
    assert found.find("string[@key='topic']").get("value") == "fences"  # type: ignore[union-attr]
    said = [dict(read_attributes(event)) for event in found.iter("event")]
    assert "case" not in said[1]
    assert said[1]["x"] == "1"
    assert said[2]["case"] == {"mine": "own"}


@pytest.mark.parametrize(
    "value",
    ["", "a\n\tb\r'\"<&>", 7, -1, True, [{"x": "1"}, {"x": 2}], ["a", "b"], {"town": "Omsk", "in": {"known": False}},
     {"value": "x", "attributes": {"id": "n-1"}}, {"value": [{"x": "1"}], "attributes": {"n": 1}}, []],
)  # fmt: skip
def test_attributes_are_read_as_they_were_written(value: Any) -> None:
    assert read_attributes(fromstring(f"<event>{attribute('k', value)}</event>")) == {"k": value}


def test_what_xml_cannot_say_is_replaced() -> None:
    said = attribute("k", "a\x00b\ud800")
    assert read_attributes(fromstring(f"<event>{said}</event>")) == {"k": "a\ufffdb\ufffd"}


# OCEL


def test_every_field_with_an_id_names_an_object_or_is_known_not_to() -> None:
    def look(notes: tuple[FieldNote, ...]) -> Iterator[str]:
        for note in notes:
            form = note.form.removeprefix("list of ")
            if form.startswith(("opaque id", "case id", "office")) and object_type(note) is None:
                yield note.name
            yield from look(note.members)

    assert {name for row in types_by_name().values() for name in look(describe_fields(row.data))} == NO_OBJECTS


def test_attributes_of_a_type_have_names_of_their_own() -> None:
    for row in types_by_name().values():
        names = [a.name for a in shape_of(row.type).attributes]
        assert len(names) == len({name.lower() for name in names}), row.name
    assert not {"ocel_id", "ocel_time"} & {name for found in event_types(reveal=True).values() for name in found}


def test_what_tells_of_an_object_has_the_fields_that_it_tells() -> None:
    for name, kind in TELLING.items():
        fields = {n.name for n in describe_fields(types_by_name()[f"rogatory.{name}.v1"].data)}
        assert fields & {*OBJECT_ATTRIBUTES[kind]}, name


def test_a_material_belongs_to_its_request_and_says_what_it_is() -> None:
    one = record("material.sent", usual("material.sent"))
    event = ocel_event(tell(one))
    material = one.data().material  # type: ignore[attr-defined]
    assert (f"material/{material}", SUBJECT, "of") in event.links
    assert (f"material/{material}", "lang", one.data().lang) in event.values  # type: ignore[attr-defined]
    assert {(o.type, o.qualifier) for o in event.objects} >= {
        ("request", "subject"), ("office", "source"), ("material", "material"), ("office", "to"),
    }  # fmt: skip
    assert event.attributes["title_filled"] is True
    assert "title" not in event.attributes


def test_a_request_is_linked_to_offices_instruments_and_other_requests() -> None:
    data = usual("request.signed") | {"legal_basis": ["t-1"], "links": [{"request": "A-1", "relation": "follows"}]}
    links = ocel_event(tell(record("request.signed", data))).links
    assert (SUBJECT, "instrument/t-1", "legal_basis") in links
    assert (SUBJECT, "request/A-1", "links/request") in links
    assert (SUBJECT, f"office/{data['requested']}", "requested") in links


def test_sealed_texts_are_attributes_only_where_they_are_opened() -> None:
    one = record("step.taken", {"step": "x", "note": sealed("note", "a reason")})
    assert "note" not in event_types(reveal=False)["step.taken"]
    assert ocel_event(tell(one, lambda _: KEY)).attributes["note"] == "a reason"
    assert event_types(reveal=True)["step.taken"]["note"] == "string"


# Memory


class Sink(io.RawIOBase):
    """Counts what is written, and keeps nothing."""

    size = 0

    def write(self, raw: Any) -> int:
        self.size += len(raw)
        return len(raw)


def peak(cases: int, folder: Path) -> tuple[int, int, int]:
    """Bytes that were needed at most for reading and writing both forms, and the bytes of each."""
    with SpoolFile(folder) as spool:
        tracemalloc.start()
        try:
            for number in range(cases):
                for seq in (1, 2):
                    at = 2 * number + seq
                    place: dict[str, Any] = {"seq": seq, "index": at, "subject": f"request/{number}"}
                    spool.add(record("request.accepted", {"executing": "RU-OMS"}, event_id=f"e-{at}", **place))
            spool.sort()
            xes, ocel = Sink(), Sink()
            write_xes(spool, xes, ledger_id=LEDGER, sizes={0: (2 * cases, "")}, sorts=frozenset({"request"}), find=None,
                      progress=lambda _: None)  # fmt: skip
            write_ocel(spool.all(), ocel, spool.folder, None, lambda _: None)
            return tracemalloc.get_traced_memory()[1], xes.size, ocel.size
        finally:
            tracemalloc.stop()


def test_a_longer_ledger_takes_no_more_memory(tmp_path: Path) -> None:
    peak(50, tmp_path)  # what is made once
    small, long = peak(300, tmp_path), peak(2400, tmp_path)
    assert long[1] > 7 * small[1]
    assert long[2] > 6 * small[2]
    assert long[0] < small[0] + 200_000
    assert not list(tmp_path.iterdir())


def test_keys_are_asked_for_by_their_id() -> None:
    said = sealed("note", "a reason")
    one = record("step.taken", {"step": "x", "note": said})
    assert tell(one, {said["key"]: KEY}.get).data["note"] == "a reason"
    assert tell(one, {"0" * 32: KEY}.get).data["note"] == Hidden(filled=True)
