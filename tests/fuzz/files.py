"""Targets that read files: event logs, maps, settings and a registrar's saved state."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from infra.adapters.state_file import _read_snapshot
from infra.config import load
from ledger.errors import ConfigError, FieldError, FormatError
from ledger.state import Snapshot
from producers.importers.drafts import drafts
from producers.importers.mapping import LogMap, parse_map
from producers.importers.xes import Case, read_cases
from tests.fuzz.targets import target
from tests.fuzz.worlds import state_of

DATA = Path(__file__).parents[1] / "data"
MAP = b"""people = ["org:resource"]
[keys]
case = "concept:name"
[[event]]
name = "Confirmation of receipt"
transition = "complete"
type = "request.received"
[event.data]
channel = {attribute = "channel", words = {Internet = "direct"}, default = "directorate"}
from = "RU-OMS"
to = {attribute = "org:group"}
translations = []
note = {case_attribute = "department"}
"""
_MOST = 500
"""Cases of a log that are looked at."""


@contextmanager
def _file(raw: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        yield path


def _cases() -> list[Case]:
    return list(read_cases(DATA / "odd.xes"))


@target("xes", lambda: [(DATA / "odd.xes").read_bytes(), (DATA / "inquiries.xes").read_bytes()[:6000]])
def xes(raw: bytes) -> None:
    """A log gives cases and drafts, or a FormatError where it breaks off."""
    with _file(raw, "log.xes") as path:
        found = []
        try:
            for case in read_cases(path):
                found.append(case)
                if len(found) >= _MOST:
                    break
        except FormatError:
            pass
    for draft in drafts(found, LogMap(), "0" * 64, bytes(32)):
        assert draft.subject.startswith("request/")


@target("map", lambda: [MAP])
def log_map(raw: bytes) -> None:
    """A map is read and fills in what a log says, or says which key or field is wrong."""
    try:
        found = parse_map(raw.decode("utf-8", "replace"))
    except (ConfigError, FieldError):
        return
    try:
        for _ in drafts(_cases(), found, "0" * 64, bytes(32)):
            pass
    except FieldError:
        return


@target("config", lambda: [b'ledger = "file:here"\ntimeout = 30\nkeys = ["a"]\n', b'ledger = "kafka://a:1/b"\n'])
def config(raw: bytes) -> None:
    """Settings are read, or a ConfigError names what is wrong."""
    with _file(raw, "rogatory.toml") as path:
        try:
            load({}, file=path, environ={})
        except ConfigError:
            return


def _snapshots() -> list[bytes]:
    return [msgspec.json.encode(Snapshot.of(state_of(p), state_of(p).index)) for p in (0, 1)]


@target("state", _snapshots)
def state(raw: bytes) -> None:
    """A saved state is one that a registrar can go on from, or counts as none."""
    try:
        found = _read_snapshot(raw)
    except FormatError:
        return
    restored = found.restore()
    assert restored.index == found.index
    assert _read_snapshot(msgspec.json.encode(found)) == found
