"""Event logs are read as they stand, and every event of them becomes one that the ledger takes."""

from __future__ import annotations

import gzip
import os
import re
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from nacl.signing import SigningKey

from ledger import catalogue, ids
from ledger.catalogue.base import Sealed
from ledger.catalogue.own import StepTaken
from ledger.catalogue.requests import InformationRequested, RequestAccepted, RequestReceived, RequestWithdrawn
from ledger.errors import ConfigError, FieldError, FormatError, KeyFault
from ledger.event import parse_event
from ledger.ids import LedgerId
from ledger.ijson import parse_ijson
from ledger.signature import make_kid
from producers.builder import Draft, Sender, Signed, build
from producers.importers.drafts import drafts, event_id, person_ref, step_of, subject_of
from producers.importers.mapping import LogMap, parse_map, read_map
from producers.importers.xes import Case, Happening, Keys, log_digest, read_cases, survey
from producers.importers.xes_values import read_time

DATA = Path(__file__).parents[1] / "data"
REAL = Path(os.environ.get("ROGATORY_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
INQUIRIES = DATA / "inquiries.xes"
ODD = DATA / "odd.xes"
KEY = bytes(range(32))
DIGEST = "ab" * 32
SUBJECT = re.compile(rf"(?:{ids.SORTS['request']})\Z")


class DictVault:
    """Content keys in a dict."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], bytes] = {}

    def key_for(self, subject: str, compartment: str) -> bytes:
        made = sha256(f"{subject} {compartment}".encode()).digest()
        return self.keys.setdefault((subject, compartment), made)

    def find(self, key_id: str) -> bytes | None:
        raise NotImplementedError

    def destroy(self, subject: str, compartment: str) -> list[str]:
        raise NotImplementedError


class ThrowAway:
    """A signer whose key lives as long as the test."""

    def __init__(self) -> None:
        self._key = SigningKey(bytes(32))
        self.public_key = bytes(self._key.verify_key)
        self.kid = make_kid("RU-OMS", "ed25519", self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


def sender() -> Sender:
    ledger = LedgerId("assistance.0123456789abcdef0123456789abcdef")
    return Sender(ledger, "RU-OMS", (ThrowAway(),), DictVault())


def accept(signed: Signed) -> None:
    """What admission looks at before it looks at the register."""
    event = parse_event(signed.value)
    row = catalogue.find(event.type)
    assert row is not None
    catalogue.decode_data(row, event.data)
    assert SUBJECT.match(event.subject)


def real(name: str) -> Path:
    path = REAL / name
    if not path.exists():
        pytest.skip(f"the real log {path} is not here; set ROGATORY_TEST_DATA to the folder that has it")
    return path


def write(folder: Path, text: str | bytes, name: str = "log.xes") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def log(*traces: str) -> str:
    return f"<log>{''.join(f'<trace>{trace}</trace>' for trace in traces)}</log>"


def event(name: str = "x", time: str = "2025-01-01T00:00:00Z", more: str = "") -> str:
    inner = f'<string key="concept:name" value="{name}"/><date key="time:timestamp" value="{time}"/>'
    return f"<event>{inner}{more}</event>"


def of(path: Path, mapping: LogMap | None = None, key: bytes = KEY) -> list[Draft]:
    mapping = mapping or LogMap()
    return list(drafts(read_cases(path, mapping.keys), mapping, log_digest(path), key))


def one(name: str = "x", case: str = "c", **said: Any) -> Iterator[Case]:
    said = {"time": "2025-01-01T00:00:00Z", "transition": "", "resource": "", "attributes": {}, **said}
    yield Case(case, {}, (Happening(name=name, **said),))


# Reading


def test_cases_and_events_are_read_in_order() -> None:
    first, second = read_cases(INQUIRIES)
    assert first.name == "inquiry 7/25"
    assert first.attributes == {"channel": "Internet", "responsible": "Ada Quill"}
    assert first.events[1] == Happening(
        name="Ask for papers",
        time="2025-02-04T10:00:00+06:00",
        transition="Awaiting Answer",
        resource="Ben Harrow",
        attributes={"fee": "12.5", "copies": 3, "urgent": True},
    )
    assert [e.name for e in first.events] == ["Register inquiry", "Ask for papers", "Close inquiry"]
    assert second.events[0].transition == ""


def test_a_log_without_namespace_and_with_every_kind_of_attribute() -> None:
    cases = list(read_cases(ODD))
    assert [c.name for c in cases] == ["Дело № 5", "unnamed-2", "Дело № 5", "nothing happened"]
    assert cases[0].attributes == {"topic": "fences"}
    assert cases[0].events[0].time == "2025-03-01T08:00:00Z"
    assert cases[0].events[0].attributes == {
        "case": "upper",
        "papers": [{"paper": "plan"}, {"paper": "deed"}],
        "marks": [{"mark": 1}, {"mark": "9007199254740993"}],
        "place": {"town": {"value": "Nowhere", "attributes": {"id": "n-1"}}},
        "tag": ["a", "b"],
        "weight": "heavy",
        "ratio": "NaN",
        "known": "perhaps",
        "time:timestamp": "2025-03-01 08:00:00",
    }
    assert cases[1].events[0].time == "2025-03-02T08:00:00.123456789+05:00"
    assert cases[3].events == ()


def test_gzip_is_known_by_its_bytes_and_makes_no_difference(tmp_path: Path) -> None:
    zipped = write(tmp_path, gzip.compress(INQUIRIES.read_bytes()), "zipped-by-surprise.xes")
    assert list(read_cases(zipped)) == list(read_cases(INQUIRIES))
    assert survey(zipped) == survey(INQUIRIES)
    assert log_digest(zipped) == sha256(INQUIRIES.read_bytes()).hexdigest()
    assert of(zipped) == of(INQUIRIES)


def test_a_survey_counts_across_the_edges_of_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        tmp_path, '<log xmlns:x="http://www.xes-standard.org/"><x:trace><x:event></x:event><events/></x:trace>'
    )
    for size in range(1, 30):
        monkeypatch.setattr("producers.importers.logfile._CHUNK", size)
        assert (survey(path).cases, survey(path).events) == (1, 1)


def test_keys_say_what_is_what(tmp_path: Path) -> None:
    keys = Keys(case="number", name="act", time="when", transition="phase", resource="who")
    said = "".join(f'<string key="{k}" value="{v}"/>' for k, v in [("act", "a"), ("phase", "p"), ("who", "w")])
    trace = f'<int key="number" value="7"/><event>{said}<date key="when" value="2025-01-01T00:00:00Z"/></event>'
    (case,) = read_cases(write(tmp_path, log(trace)), keys)
    assert case == Case("7", {}, (Happening("a", "2025-01-01T00:00:00Z", "p", "w", {}),))


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    def peak(cases: int) -> int:
        path = write(tmp_path, log(*(event() * 5 for _ in range(cases))))
        tracemalloc.start()
        for _ in read_cases(path):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(2000) < 2 * peak(200)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected XML, found an error: no element found: line 1"),
        ("plain text", "expected XML, found an error: syntax error: line 1"),
        ("<log>\n<trace>\n</log>", "mismatched tag: line 3"),
        ("<html/>", "expected an XES log, found XML with the root element html"),
        ('<log xmlns="urn:other"/>', "expected elements of XES, found the namespace urn:other"),
        ("<log><logentry/></log>", "expected traces in the log, found the element logentry"),
        (f"<log>{event()}</log>", "expected traces in the log, found the element event"),
        (
            log(f"{event()}<event/>"),
            r"event 2 of case 1 \('unnamed-1'\): expected a time \(time:timestamp\), found none",
        ),
        (log(event(), event(time="yesterday")), r"event 1 of case 2 .*: expected a time such as .*'yesterday'"),
        (log(event(time="2025-02-30T00:00:00Z")), "event 1 of case 1 .*: expected an RFC 3339 time that exists"),
        (log('<string value="x"/>'), "expected a key for every attribute, found a string without"),
        (log('<string key="x"/>'), "expected a value for the attribute 'x', found none"),
        (log("<trace/>"), "expected an attribute, found the element trace"),
        (log('<list key="concept:name"/>'), "case 1: expected one text for concept:name, found list"),
        (log("<a>" * 20 + "</a>" * 20), "expected at most 16 elements inside each other, found more"),
        ("<!DOCTYPE log><log/>", "expected XML without document type, found DTDForbidden"),
        ('<!DOCTYPE log [<!ENTITY a "b">]><log/>', "expected XML without document type"),
        ('<?xml version="1.0" encoding="klingon"?><log/>', "klingon|encoding"),
    ],
)
def test_what_is_not_a_log_is_refused_with_a_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(read_cases(write(tmp_path, text)))


def test_broken_gzip_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(INQUIRIES.read_bytes())
    for broken in (whole[:-20], whole[:40] + b"\x00\xff" * 9 + whole[58:], b"\x1f\x8bnot gzip at all"):
        path = write(tmp_path, broken)
        for read in (lambda p: list(read_cases(p)), survey):
            with pytest.raises(FormatError, match="expected whole gzip, found an error after"):
                read(path)


def test_a_value_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b'<log><string key="' + b"a" * (40 << 20))
    with pytest.raises(FormatError, match="expected elements of at most 4194304 bytes"):
        list(read_cases(write(tmp_path, bomb)))


def test_cases_before_the_fault_are_given(tmp_path: Path) -> None:
    cases = read_cases(write(tmp_path, log(event(), "<event/>")))
    assert next(cases).name == "unnamed-1"
    with pytest.raises(FormatError):
        next(cases)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-01-02T03:04:05", "2025-01-02T03:04:05Z"),
        (" 2025-01-02 03:04:05.5 ", "2025-01-02T03:04:05.5Z"),
        ("2025-01-02T03:04:05-0330", "2025-01-02T03:04:05-03:30"),
        ("2025-01-02T03:04:05.000+06:00", "2025-01-02T03:04:05.000+06:00"),
    ],
)
def test_times_become_rfc_3339(text: str, time: str) -> None:
    assert read_time(text) == time


# Drafts


def test_steps_carry_everything_and_show_no_name_of_a_person() -> None:
    first, second, third, fourth = of(INQUIRIES)
    assert first.subject == "request/inquiry%207%2F25"
    assert first.time == "2025-02-03T09:15:00.250+06:00"
    assert first.data == StepTaken(
        step="Register inquiry",
        resource=person_ref("Ada Quill", KEY),
        attributes={
            "org:group": "RU-OMS",
            "org:resource": "Ada Quill",
            "case": {"channel": "Internet", "responsible": "Ada Quill"},
        },
    )
    assert isinstance(second.data, StepTaken)
    assert second.data.step == "Ask for papers:Awaiting Answer"
    assert isinstance(third.data, StepTaken)
    assert third.data.resource == first.data.resource
    assert isinstance(fourth.data, StepTaken)
    assert fourth.data.resource is UNSET
    for draft in (first, second, third, fourth):
        value = build(draft, sender(), 0).value
        assert b"Quill" not in value
        assert b"Harrow" not in value


def test_what_the_step_cannot_say_letter_by_letter_is_kept_sealed() -> None:
    first, second, third = (draft.data for draft in of(ODD))
    assert isinstance(first, StepTaken)
    assert isinstance(first.attributes, dict)
    assert first.step == "Priyom: proverka shhita"
    assert first.attributes["concept:name"] == "Приём: проверка щита"
    assert first.attributes["case"] == "upper"
    assert first.attributes["case_"] == {"topic": "fences"}
    assert second == StepTaken(
        step="unnamed",
        attributes={
            "time:timestamp": "2025-03-02T08:00:00.1234567891+0500",
            "concept:name": "",
            "lifecycle:transition": "",
        },
    )
    assert isinstance(third, StepTaken)
    assert third.step == "Zakry'to"


def test_traces_of_one_name_are_one_subject_numbered_through() -> None:
    found = of(ODD)
    digest = log_digest(ODD)
    assert found[0].subject == found[2].subject == subject_of("Дело № 5")
    assert [d.id for d in found] == [
        event_id(digest, "Дело № 5", 1),
        event_id(digest, "unnamed-2", 1),
        event_id(digest, "Дело № 5", 2),
    ]


def test_ids_are_uuid_8_of_log_case_and_ordinal() -> None:
    known = event_id(DIGEST, "case-1", 1)
    assert known == "6bc7278f-bfd5-87db-bce4-bdf6b68978c0"
    assert uuid.UUID(known).version == 8
    assert uuid.UUID(known).variant == uuid.RFC_4122
    assert (
        len({known, event_id("cd" * 32, "case-1", 1), event_id(DIGEST, "case-2", 1), event_id(DIGEST, "case-1", 2)})
        == 4
    )


def test_the_same_log_map_and_keys_give_the_same_bytes() -> None:
    for path in (INQUIRIES, ODD):
        first, again = ([build(draft, sender(), now) for draft in of(path)] for now in (0, 10**12))
        assert [signed.value for signed in first] == [signed.value for signed in again]


def test_another_key_gives_other_references() -> None:
    assert person_ref("Ada Quill", KEY) != person_ref("Ada Quill", KEY[::-1])
    assert person_ref("Ben Harrow", KEY) != person_ref("Ada Quill", KEY)
    assert person_ref(" Ka\u0301ra  B ", KEY) == person_ref("K\u00e1ra B", KEY)
    for size in (0, 15, 65):
        with pytest.raises(KeyFault, match=f"expected a key for names of 16 to 64 bytes, found {size}"):
            drafts([], LogMap(), DIGEST, bytes(size))


@pytest.mark.parametrize(
    ("name", "transition", "step"),
    [
        ("Queued", "Awaiting Assignment", "Queued:Awaiting Assignment"),
        ("Queued", "complete", "Queued"),
        ("Queued", "COMPLETE", "Queued"),
        ("Queued", "", "Queued"),
        ("", "", "unnamed"),
        (" a \n b\t", "start", "a b:start"),
        ("Résumé für ß", "", "Resume fur %C3%9F"),
        ("Щёлк ұғым", "", "Shhyolk u'g'y'm"),
        ("受付", "", "%E5%8F%97%E4%BB%98"),
        ("50% %41", "", "50% %41"),
    ],
)
def test_steps_are_ascii(name: str, transition: str, step: str) -> None:
    assert step_of(name, transition) == step


def test_long_names_are_cut_and_told_apart() -> None:
    first, second = step_of("a" * 200, ""), step_of("a" * 201, "")
    assert len(first) == 128
    assert first != second
    subjects = [subject_of("ж" * n) for n in (19, 20, 21, 22)]
    assert [len(s) for s in subjects] == [8 + 19 * 6, 8 + 20 * 6, *(len(subjects[2]),) * 2]
    assert len(set(subjects)) == 4
    assert all(SUBJECT.match(s) and len(s) <= ids.SUBJECT_MAX for s in subjects)
    assert re.search(r"(?:%D0%B6){17}~[0-9a-f]{16}\Z", subjects[2])


def test_attributes_too_long_for_an_event_leave_their_digest() -> None:
    (draft,) = drafts(one(attributes={"text": "x" * 40_000}), LogMap(), DIGEST, KEY)
    assert isinstance(draft.data, StepTaken)
    raw = msgspec.json.encode({"text": "x" * 40_000})
    assert draft.data.attributes == {"sha256": sha256(raw).hexdigest(), "bytes": len(raw)}
    (draft,) = drafts(one(attributes={"text": "x" * (32 * 1024 - 12)}), LogMap(), DIGEST, KEY)
    assert isinstance(draft.data, StepTaken)
    assert isinstance(draft.data.attributes, dict)
    assert "text" in draft.data.attributes
    accept(build(draft, sender(), 0))


def test_the_deepest_attributes_are_still_i_json(tmp_path: Path) -> None:
    deep = '<string key="k" value="v"/>'
    for _ in range(13):
        deep = f'<string key="k" value="v">{deep}</string>'
    (case,) = read_cases(write(tmp_path, log(deep + event())))
    (draft,) = drafts([case], LogMap(), DIGEST, KEY)
    assert isinstance(draft.data, StepTaken)
    parse_ijson(msgspec.json.encode(draft.data.attributes))


# Maps

MAP = """
people = ["responsible"]

[[event]]
name = "Register inquiry"
type = "request.received"

[event.data]
channel = {case_attribute = "channel", words = {Internet = "direct"}, default = "directorate"}
from = {attribute = "org:group"}
to = "RU-OMS"
signer = {person_of = "responsible"}
translations = ["ru"]
note = {case_attribute = "responsible"}

[[event]]
name = "Ask for papers"
transition = "awaiting answer"
type = "rogatory.request.accepted.v1"
data = {executing = "RU-OMS"}

[[event]]
name = "Ask for papers"
type = "request.withdrawn"
"""


def test_mapped_events_say_what_the_map_lets_them_say() -> None:
    made = of(INQUIRIES, parse_map(MAP))
    found = [draft.data for draft in made]
    assert found[0] == RequestReceived(
        channel="direct",
        from_="RU-OMS",
        to="RU-OMS",
        signer=person_ref("Ada Quill", KEY),
        translations=["ru"],
        note="Ada Quill",
    )
    assert found[1] == RequestAccepted(executing="RU-OMS")
    assert isinstance(found[2], StepTaken)
    assert isinstance(found[2].attributes, dict)
    assert found[2].attributes["case"] == {"channel": "Internet", "responsible": "Ada Quill"}
    assert found[3] == RequestReceived(channel="directorate", from_="KZ-MTP", to="RU-OMS", translations=["ru"])
    for draft in made:
        signed = build(draft, sender(), 0)
        accept(signed)
        assert b"Quill" not in signed.value


def test_the_rule_for_any_transition_comes_second() -> None:
    mapping = parse_map(MAP)
    (draft,) = drafts(one("Ask for papers", transition="start"), mapping, DIGEST, KEY)
    assert draft.data == RequestWithdrawn()
    accept(build(draft, sender(), 0))


def test_sealed_fields_of_mapped_events_are_sealed() -> None:
    mapping = parse_map(
        '[[event]]\nname = "x"\ntype = "information.requested"\n'
        'data = {from = "RU-OMS", to = "KZ-MTP", what = {attribute = "text"}, received_on = {attribute = "day"}}'
    )
    attributes = {"text": "where the sheep are", "day": "2025-01-02 03:04:05"}
    (draft,) = drafts(one(attributes=attributes), mapping, DIGEST, KEY)
    assert draft.data == InformationRequested(
        from_="RU-OMS", to="KZ-MTP", what="where the sheep are", received_on="2025-01-02T03:04:05Z"
    )
    signed = build(draft, sender(), 0)
    accept(signed)
    assert b"sheep" not in signed.value


def test_a_log_that_does_not_say_what_a_map_needs_is_an_error_that_names_the_event() -> None:
    for attributes, message in (
        ({}, "expected 'org:group' in the log, found none"),
        ({"org:group": "secret group"}, "expected office in 'org:group', found something else"),
    ):
        cases = one("Register inquiry", attributes=attributes)
        with pytest.raises(
            FieldError, match=rf"event 1 of case 'c': map line 4, event .* data\.from: {message}"
        ) as caught:
            list(drafts(cases, parse_map(MAP), DIGEST, KEY))
        assert "secret" not in str(caught.value)


def rule(data: str, type_: str = "request.received") -> str:
    return f'\n[[event]]\nname = "x"\ntype = "{type_}"\ndata = {{{data}}}'


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("\nx = = 1", ConfigError, "expected TOML, found an error: .*line 2"),
        ("evnt = 1", ConfigError, "expected the keys of a map, found: .*`evnt`"),
        ("keys = {case = 5}", ConfigError, r"Expected `str`, got `int` - at `\$.keys.case`"),
        ('[[event]]\nname = "x"', ConfigError, "missing required field `type`"),
        (
            rule("", "request.recieved"),
            ConfigError,
            "line 2, event 'x': .*'request.recieved'; did you mean 'request.re",
        ),
        (rule("", "register.opened"), ConfigError, "stands in a request, found 'register.opened'"),
        (rule('executing = "A"', "request.accepted") * 2, ConfigError, "line 6, event 'x': expected one rule"),
        (rule("", "request.accepted"), FieldError, "data: expected the member executing, found none"),
        (rule('executing = "a"', "request.accepted"), FieldError, r"data\.executing: expected office, found 'a'"),
        (rule('executin = "A"', "request.accepted"), FieldError, r"data\.executin: expected one of .*executing"),
        (rule("why = 5", "request.withdrawn"), FieldError, r"data\.why: expected text, found 5"),
        (
            rule('executing = {attribute = "g", defualt = "A"}', "request.accepted"),
            ConfigError,
            r"data\.executing: expected .*, found the member 'defualt'",
        ),
        (
            rule('executing = {attribute = "g", default = "a"}', "request.accepted"),
            FieldError,
            r"data\.executing\.default: expected office, found 'a'",
        ),
        (
            rule('executing = {attribute = "g", words = {x = "a"}}', "request.accepted"),
            FieldError,
            r"data\.executing\.words\.x: expected office",
        ),
        (
            rule('executing = {attribute = "org:resource"}', "request.accepted"),
            ConfigError,
            "expected person_of = 'org:resource', since it names people and the field is clear",
        ),
        (
            rule('channel = "direct", from = "A", to = "B", translations = {attribute = "x"}'),
            ConfigError,
            r"data\.translations: expected list of language, with references inside it",
        ),
        (
            rule('channel = "direct", from = "A", to = "B", translations = ["x"]'),
            FieldError,
            r"data\.translations\[0\]: expected language, found 'x'",
        ),
        (
            rule('channel = "pigeon", from = "A", to = "B", translations = []'),
            FieldError,
            r"data\.channel: expected one of direct, directorate, interpol, diplomatic, found 'pigeon'",
        ),
        (
            rule('channel = "direct", from = "A", to = "B", translations = [], kind = "mla"'),
            FieldError,
            "expected all of a request's content or none",
        ),
    ],
)
def test_a_map_with_errors_is_refused_when_it_is_read(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        parse_map(text)


def test_maps_are_read_from_files(tmp_path: Path) -> None:
    assert read_map(write(tmp_path, MAP, "map.toml")).keys == Keys()
    with pytest.raises(ConfigError, match=r"map .*none\.toml: expected a file in UTF-8"):
        read_map(tmp_path / "none.toml")


def test_references_reach_into_blocks_and_lists() -> None:
    text = rule(
        'channel = "direct", from = "A", to = "B", translations = [{attribute = "lang"}, "ru"],'
        ' kind = "mla", direction = "in", partner = "KZ", requesting = "A", requested = "B",'
        ' substance = "s", purpose_text = "p", grounds = "g", assistance = {attribute = "n"},'
        ' purposes = [{purpose = "criminal_case", case = {attribute = "n"}}], legal_basis = [],'
        ' answer_by = {attribute = "by"}'
    )
    attributes = {"n": 7, "by": "2025-05-06T00:00:00+06:00"}
    (draft,) = drafts(one(attributes=attributes), parse_map(text), DIGEST, KEY)
    assert isinstance(draft.data, RequestReceived)
    assert draft.data.translations == ["ru"]
    assert draft.data.assistance == "7"
    assert draft.data.answer_by == "2025-05-06"
    assert draft.data.purposes is not UNSET
    assert draft.data.purposes[0].case == "7"
    accept(build(draft, sender(), 0))


# Real logs


@pytest.mark.parametrize(
    ("name", "cases", "events"),
    [
        ("receipt.xes.gz", 1434, 8577),
        pytest.param("bpic2013-incidents.xes.gz", 7554, 65533, marks=pytest.mark.slow),
    ],
)
def test_real_logs_are_counted_and_every_event_of_them_is_accepted(name: str, cases: int, events: int) -> None:
    path = real(name)
    found = survey(path)
    assert (found.cases, found.events) == (cases, events)
    by = sender()
    seen: Counter[str] = Counter()
    ids_ = set()
    for draft in drafts(read_cases(path), LogMap(), found.digest, KEY):
        signed = build(draft, by, 0)
        accept(signed)
        seen[signed.subject] += 1
        ids_.add(signed.id)
    assert (len(seen), seen.total(), len(ids_)) == (cases, events, events)


def test_what_is_sealed_stands_in_boxes() -> None:
    for draft in of(ODD):
        event_ = parse_event(build(draft, sender(), 0).value)
        row = catalogue.known(event_.type)
        data = catalogue.decode_data(row, event_.data)
        assert isinstance(data, StepTaken)
        assert isinstance(data.attributes, Sealed)
