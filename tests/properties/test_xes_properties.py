"""Whatever a log or a map contains, reading ends in cases or in an error of ours, and drafts are good."""

from __future__ import annotations

import gzip
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from ledger import ids
from ledger.catalogue.own import StepTaken
from ledger.errors import FormatError, MisuseError
from ledger.event import time_ms
from ledger.ijson import parse_ijson
from producers.importers.drafts import drafts, event_id, person_ref, step_of, subject_of
from producers.importers.mapping import LogMap, parse_map
from producers.importers.xes import read_cases, survey

KEY = b"k" * 32
on_disk = settings(deadline=None)  # a file for each example: how long that takes says nothing of ours
SUBJECT = re.compile(rf"(?:{ids.SORTS['request']})\Z")
STEP = re.compile(r"[!-~]+(?: [!-~]+)*\Z")
PERSON = re.compile(rf"(?:{ids.SEGMENT})\Z")

names = st.text(st.characters(codec="utf-8"), max_size=150)
# XML 1.0 2.2: no control characters but three, and neither U+FFFE nor U+FFFF.
xml_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=40
)
_scalar = st.builds(
    "<{0} key={1} value={2}/>".format,
    st.sampled_from(["string", "date", "int", "float", "boolean", "id", "strange"]),
    st.sampled_from(["concept:name", "time:timestamp", "lifecycle:transition", "org:resource", "case"]).map(quoteattr)
    | xml_text.map(quoteattr),
    (xml_text | st.just("2025-01-01T00:00:00") | st.integers().map(str) | st.floats().map(str)).map(quoteattr),
)
_nodes = st.recursive(
    _scalar,
    lambda inner: st.builds(
        "<{0} key='k' value='1'>{1}</{0}>".format,
        st.sampled_from(["list", "container", "values", "string", "event", "trace", "log"]),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=12,
)
_time = "<date key='time:timestamp' value='2025-01-01T00:00:00.5'/>"
_attributes = st.lists(_scalar.filter(lambda text: "<strange" not in text and "time:" not in text), max_size=4).map(
    "".join
)
_events = st.lists(_attributes.map(lambda inner: f"<event>{inner}{_time}</event>"), max_size=3).map("".join)
_traces = st.builds("<trace>{}{}</trace>".format, _attributes, _events)
_messy = st.builds("<trace>{}{}</trace>".format, _nodes, _events) | _nodes
good_logs = st.lists(_traces, max_size=3).map(lambda parts: f"<log>{''.join(parts)}</log>".encode())
logs = st.lists(_traces | _messy, max_size=3).map(lambda parts: f"<log>{''.join(parts)}</log>".encode())


@contextmanager
def written(raw: bytes) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.xes"
        path.write_bytes(raw)
        yield path


def read(raw: bytes) -> list[Any] | None:
    with written(raw) as path:
        try:
            found = survey(path)
            return list(drafts(read_cases(path), LogMap(), found.digest, KEY))
        except FormatError:
            return None


@on_disk
@given(st.binary(max_size=300))
def test_random_bytes_leak_only_format_errors(raw: bytes) -> None:
    for start in (b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00", b"<log>", b'<?xml version="1.0" encoding="'):
        read(start + raw)
    read(gzip.compress(raw))


@on_disk
@given(logs | good_logs)
def test_random_logs_leak_only_format_errors_and_give_good_drafts(raw: bytes) -> None:
    found = read(raw)
    assert found == read(gzip.compress(raw, mtime=0))
    for draft in found or ():
        assert SUBJECT.match(draft.subject)
        assert len(draft.subject) <= ids.SUBJECT_MAX
        time_ms(draft.time)
        assert isinstance(draft.data, StepTaken)
        assert STEP.match(draft.data.step)
        if draft.data.attributes is not UNSET:
            parse_ijson(msgspec.json.encode(draft.data.attributes))


@on_disk
@given(logs, st.integers(0, 400), st.integers(0, 400))
def test_damaged_gzip_leaks_only_format_errors(raw: bytes, at: int, bit: int) -> None:
    zipped = bytearray(gzip.compress(raw))
    zipped[at % len(zipped)] ^= 1 << bit % 8
    read(bytes(zipped))


@given(names, names)
def test_names_of_cases_give_valid_subjects_that_differ(one: str, other: str) -> None:
    for name in (one or "unnamed-1", one * 3 + "x"):
        subject = subject_of(name)
        assert SUBJECT.match(subject)
        assert len(subject) <= ids.SUBJECT_MAX
    assert (subject_of(one + "x") == subject_of(other + "x")) == (one == other)


@given(names, names)
def test_names_of_events_give_valid_steps(name: str, transition: str) -> None:
    step = step_of(name, transition)
    assert STEP.match(step)
    assert len(step) <= 128


@given(names, st.binary(min_size=16, max_size=64))
def test_references_of_people_are_opaque_ids(name: str, key: bytes) -> None:
    reference = person_ref(name, key)
    assert PERSON.match(reference)
    assert len(reference) <= 64


@given(st.binary(min_size=32, max_size=32), names, st.integers(1, 2**40))
def test_ids_are_uuids_of_version_8(digest: bytes, case: str, ordinal: int) -> None:
    id_ = uuid.UUID(event_id(digest.hex(), case, ordinal))
    assert id_.version == 8
    assert id_.variant == uuid.RFC_4122


_toml = st.sampled_from(
    ["[[event]]", "[keys]", "[event.data]", 'name = "x"', 'type = "request.accepted"', 'executing = "RU-OMS"', "=", "{"]
) | st.text(max_size=10)


@given(st.lists(_toml, max_size=8).map("\n".join))
def test_random_maps_leak_only_errors_of_ours(text: str) -> None:
    with suppress(MisuseError):
        parse_map(text)
