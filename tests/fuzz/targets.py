"""Each parser with what must hold of any bytes: it reads them, or raises its domain error, and what it reads it means.

A target is a function of bytes that raises nothing as long as all is well.  Whatever else it lets out is a finding, and
so is an input that costs more than ``BUDGET`` seconds of CPU.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from infra.adapters.keys import _parse as parse_key
from infra.adapters.keys import new_key
from infra.config import parse_address, parse_endpoint
from ledger import catalogue
from ledger.admission import Admitted, admit, prepare
from ledger.catalogue.dates import check_dates
from ledger.chain import Ahead, Follower, Head, Record, Repeated
from ledger.dispositions import Disposition, Refusal
from ledger.envelope import Envelope, format_envelopes, parse_envelopes
from ledger.errors import ChainError, ConfigError, FormatError, KeyFault, UnknownVersion
from ledger.event import format_event, parse_event, read_event, time_ms
from ledger.home import check_home
from ledger.ids import LedgerId
from ledger.ijson import parse_ijson
from ledger.log import Stored
from ledger.merkle import format_frontier, parse_frontier
from ledger.outcome import format_outcome, format_outcome_key, parse_outcome, parse_outcome_key
from ledger.plain import members_of, read_plain
from ledger.register import Change, Contradiction, Register, apply
from ledger.seal import format_seal, parse_seal, read_seal, read_seals
from ledger.sealing import Place, disclose_field, field_key, open_field, seal_field
from ledger.settlement import read_statement
from ledger.signature import (
    EVENT_PAYLOAD,
    decode_base64,
    encode_base64,
    format_signature,
    parse_kid,
    parse_signature,
    sign,
)
from ledger.submission import HOME_HEADER, SEAL_HEADER, Submission, parse_signatures
from tests.conformance.frozen import load
from tests.fuzz.worlds import registered, state_of, world

BUDGET = 2.0
"""Seconds of CPU for one input of up to 64 KiB, with coverage counted; what is quadratic takes far more."""


class Target(msgspec.Struct, frozen=True):
    """A parser under test: the property, and right inputs to begin with."""

    name: str
    check: Callable[[bytes], None]
    corpus: Callable[[], Sequence[bytes]]


TARGETS: dict[str, Target] = {}
_Check = Callable[[bytes], None]


def target(name: str, corpus: Callable[[], Sequence[bytes]]) -> Callable[[_Check], _Check]:
    """Name a property."""

    def add(check: _Check) -> _Check:
        TARGETS[name] = Target(name, check, corpus)
        return check

    return add


def _base64(text: str) -> bytes:
    return decode_base64(text)


def _events() -> list[bytes]:
    rows = [*load("partition-0")["submissions"], *load("partition-1")["submissions"]]
    return [_base64(row["value"]) for row in rows if row["value"]]


def _seals() -> list[bytes]:
    return [row["record"]["seal"].encode() for row in load("partition-1")["submissions"] if "record" in row]


@target("ijson", lambda: [*_events(), *(_base64(c["bytes"]) for c in load("ijson")["read"])])
def ijson(raw: bytes) -> None:
    """Strict I-JSON says what Python's own reader says, and the same once it is written compactly."""
    try:
        value = parse_ijson(raw)
    except FormatError:
        return
    assert json.loads(raw) == value
    compact = msgspec.json.encode(value)
    assert parse_ijson(compact) == value
    assert msgspec.json.encode(parse_ijson(compact)) == compact


@target("plain", _events)
def plain(raw: bytes) -> None:
    """What the plain reading takes is an event with data of its type, and the strict reading says the same of it."""
    found = read_plain(raw)
    if found is None:
        return
    strict = parse_event(raw)
    catalogue.convert_data(catalogue.known(strict.type), members_of(strict.data))
    assert members_of(found.data) == members_of(strict.data)
    names = [name for name in strict.__struct_fields__ if name != "data"]
    assert [getattr(found, name) for name in names] == [getattr(strict, name) for name in names]


@target("event", _events)
def event(raw: bytes) -> None:
    """What is read strictly is read quickly, and written again it stays as it is."""
    try:
        strict = parse_event(raw)
    except FormatError:
        try:
            read_event(raw)
        except FormatError:
            return
        return
    assert read_event(raw) == strict
    try:
        written = format_event(strict)
    except FormatError as error:
        assert "48" in str(error) or "at most" in str(error), error  # noqa: PT017 - another spelling may be longer
        return
    assert format_event(parse_event(written)) == written
    time_ms(strict.time)


@target("time", lambda: [text.encode() for text in load("times")["read"]])
def time(raw: bytes) -> None:
    """A time is read to whole ms, or refused."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        ms = time_ms(text)
    except FormatError:
        return
    assert -(10**14) < ms < 10**15


@target("seal", lambda: [*_seals(), b"\x00".join(_seals()[:3])])
def seal(raw: bytes) -> None:
    """A seal has one spelling; the quick reading takes at least what the strict one takes, and reads the same."""
    parts = raw.split(b"\x00")
    together = read_seals(parts)
    assert together is None or together == [read_seal(part) for part in parts]
    try:
        strict = parse_seal(raw)
    except FormatError:
        try:
            assert format_seal(read_seal(raw)) == raw
        except FormatError:
            return
        return
    assert format_seal(strict) == raw
    assert read_seal(raw) == strict
    assert read_seals([raw, raw]) in (None, [strict, strict])
    assert strict.signatures()


@target("signature", lambda: [load("event")["signature"].encode(), load("dsse")["kid"].encode()])
def signature(raw: bytes) -> None:
    """Signature headers, kids and base64 have one spelling each."""
    with suppress(FormatError):
        assert format_signature(parse_signature(raw)) == raw
    with suppress(FormatError):
        assert str(parse_kid(raw)).encode() == raw
    with suppress(FormatError):
        assert encode_base64(decode_base64(raw)).encode() == raw
    with suppress(FormatError):
        signatures = parse_signatures(raw.split(b"\n"))
        assert 1 <= len(signatures) <= 4
        assert len({s.kid for s in signatures}) == len(signatures)


@target("home", lambda: [home.partition(" ")[2].encode() for home in [load("copies")["home"]]])
def home(raw: bytes) -> None:
    """A home header is right as it stands, or refused as bad-home; only one is right."""
    w = world()
    copy = w.copies[-1]
    headers = tuple(h for h in copy.headers if h[0] != HOME_HEADER)
    submission = Submission(0, 1, 1, copy.key, copy.value, (*headers, (HOME_HEADER, raw)))
    said = read_event(copy.value or b"")
    try:
        found = check_home(registered(before_last=True), 1, submission, said, catalogue.known(said.type))
    except Refusal as refusal:
        assert refusal.refused.disposition == Disposition.BAD_HOME  # noqa: PT017 - any bytes may be refused, so
        return
    assert found is not None
    assert raw == dict(copy.headers)[HOME_HEADER]


@target("outcome", lambda: [load("outcomes")[n].partition(" ")[2].encode() for n in ("duplicate", "refused")])
def outcome(raw: bytes) -> None:
    """An outcome that is read is written, read and written the same."""
    try:
        found = parse_outcome(raw)
    except FormatError:
        return
    written = format_outcome(found)
    assert parse_outcome(written) == found
    assert isinstance(found.meaning, str)


@target("outcome-key", lambda: [load("outcomes")["key"].encode()])
def outcome_key(raw: bytes) -> None:
    """A key has one spelling."""
    try:
        assert format_outcome_key(parse_outcome_key(raw)) == raw
    except FormatError:
        return


@target("submission", _events)
def submission(raw: bytes) -> None:
    """Whatever comes is decided, the same by both passes and under its own signature or none, and changes no state."""
    w = world()
    state = state_of(1)
    before = (state.index, state.past, dict(state.heads), state.register)
    for signers in ((), (w.oms,)):
        made = w.submission(raw, signers)
        quick = admit(state, prepare(made))
        strict = admit(state, prepare(made, strict=True))
        assert quick == strict
        assert 0 <= int(quick.disposition) <= max(Disposition)
        if isinstance(quick, Admitted):
            assert parse_seal(quick.seal_text) == quick.seal
            parse_event(raw)
    assert (state.index, state.past, dict(state.heads), state.register) == before


_ROWS = list(catalogue.types_by_name().values())


def _data() -> list[bytes]:
    found = []
    for raw in _events():
        try:
            said = json.loads(raw)
            row = catalogue.find(said["type"])
        except (ValueError, KeyError):
            continue
        if row is not None:
            found.append(bytes([_ROWS.index(row)]) + msgspec.json.encode(said["data"]))
    return found


@target("data", _data)
def data(raw: bytes) -> None:
    """Data of a type (the first byte names it) are read alike from bytes and from JSON, and written as they were."""
    row = _ROWS[(raw[:1] or b"\0")[0] % len(_ROWS)]
    try:
        found = catalogue.decode_data(row, raw[1:])
    except FormatError:
        return
    written = msgspec.json.encode(found)
    assert msgspec.json.encode(catalogue.decode_data(row, written)) == written
    try:
        parsed = parse_ijson(raw[1:])
    except FormatError:
        return
    assert catalogue.convert_data(row, parsed) == found
    try:
        check_dates(row, found)
    except FormatError:
        return


_PLACE = Place("l", "s", "i", "s", "t", "/data/x")
_BOX = seal_field(bytes(32), _PLACE, {"text": "Свидетель"})


@target("sealed", lambda: [_base64(_BOX.box), _BOX.box.encode(), _BOX.commit.encode()])
def sealed(raw: bytes) -> None:
    """A box that was changed in any way does not open; the right one does."""
    text = raw.decode("latin-1")
    for box, commit in ((encode_base64(raw), _BOX.commit), (text, _BOX.commit), (_BOX.box, text)):
        changed = msgspec.structs.replace(_BOX)
        msgspec.structs.force_setattr(changed, "box", box)
        msgspec.structs.force_setattr(changed, "commit", commit)
        for opened in (
            lambda field: open_field(bytes(32), _PLACE, field),
            lambda field: disclose_field(field_key(bytes(32), _PLACE), field),
        ):
            try:
                opened(changed)
            except FormatError:
                continue
            assert (changed.box, changed.commit) == (_BOX.box, _BOX.commit)


_CHANGES = [row for row in _ROWS if "register" in row.sorts]


def _changes() -> list[bytes]:
    found = []
    for raw in _events():
        said = json.loads(raw) if raw[:1] == b"{" and raw.isascii() and raw.count(b'"a"') < 2 else {}
        row = catalogue.find(said.get("type", ""))
        if row in _CHANGES:
            found.append(bytes([_CHANGES.index(row)]) + msgspec.json.encode(said["data"]))
    return found


@target("register", _changes)
def register(raw: bytes) -> None:
    """A register event (the first byte names its type) gives the next register, or contradicts this one."""
    row = _CHANGES[(raw[:1] or b"\0")[0] % len(_CHANGES)]
    try:
        change = Change(catalogue.decode_data(row, raw[1:]), 10**12, bytes(32))
    except FormatError:
        return
    before = registered()
    for register in (None, before):
        try:
            after = apply(register, before.ledger_id, change)
        except (Contradiction, FormatError):
            continue
        assert after.seq == (register.seq if register else 0) + 1
        assert msgspec.json.decode(msgspec.json.encode(after), type=Register) == after


@target("record", lambda: [seal + b"\n" + value for seal, value in zip(_seals(), _events(), strict=False)])
def record(raw: bytes) -> None:
    """A message of the ledger is a record that follows, one that does not, or stops the reader."""
    text, _, value = raw.partition(b"\n")
    state = world().follower_state
    follower = Follower(LedgerId(state.register.ledger_id if state.register else "test"), state, check_past=True)
    key = b"request/a"
    stored = Stored(99, 1, key, value, ((SEAL_HEADER, text),))
    try:
        taken = follower.take(stored, {"request/a": Head(1, bytes(32))})
    except (ChainError, UnknownVersion):
        assert follower.state == state
        return
    assert isinstance(taken, (Record, Repeated, Ahead))
    assert (follower.state == state) != isinstance(taken, Record)


@target("frontier", lambda: [bytes(32), bytes(96), b""])
def frontier(raw: bytes) -> None:
    """A frontier has one spelling for each size."""
    for size in (0, 1, 3, 7, 8, len(raw)):
        try:
            assert format_frontier(parse_frontier(raw, size)) == raw
        except FormatError:
            continue


def _envelopes() -> list[bytes]:
    w = world()
    raw = w.adopt(2)
    return [format_envelopes([Envelope(raw), Envelope(raw, (sign(w.oms, EVENT_PAYLOAD, raw),))])]


@target("envelope", _envelopes)
def envelope(raw: bytes) -> None:
    """A file of DSSE envelopes that is read is written and read the same."""
    try:
        found = parse_envelopes(raw)
    except FormatError:
        return
    assert parse_envelopes(format_envelopes(found)) == found
    for one in found:
        with suppress(FormatError):
            read_statement(one, registered().ledger_id)


@target("address", lambda: [b"kafka://localhost:9092,[::1]:9092/assistance", b"file:ledger", b"127.0.0.1:9464"])
def address(raw: bytes) -> None:
    """An address is one, or a ConfigError."""
    text = raw.decode("utf-8", "surrogateescape")
    for parse in (parse_address, parse_endpoint):
        try:
            parse(text)
        except ConfigError:
            continue


@target("key-file", lambda: [msgspec.json.encode(new_key("RU-OMS", "sign"))])
def key_file(raw: bytes) -> None:
    """A key file is one, or a KeyFault that repeats nothing of it."""
    try:
        parse_key(raw, "here")
    except KeyFault as fault:
        assert fault.__cause__ is None  # noqa: PT017 - any bytes may be no key


def folder_of(name: str) -> Path:
    """Where the findings of a target are kept."""
    return Path(__file__).parent / "findings" / name


def corpus_of(found: Target) -> list[bytes]:
    """Right inputs and all findings."""
    kept = sorted(folder_of(found.name).glob("*")) if folder_of(found.name).is_dir() else []
    return [*found.corpus(), *(path.read_bytes() for path in kept)]


from tests.fuzz import files, law  # noqa: E402,F401 - name their targets in the table above
