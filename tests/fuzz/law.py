"""Targets of the law: profiles as people write them, acts of any content, cursors of the board."""

from __future__ import annotations

import msgspec

from ledger import catalogue
from ledger.errors import ConfigError, FormatError
from projections.compliance.board import read_cursor
from projections.compliance.facts import Act, CaseFile
from projections.compliance.judge import judge
from projections.compliance.reading import keep
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import built_in, built_in_texts, make_rulebook
from tests.fuzz.targets import target
from tests.law.scene import REQUEST, Scene
from tests.records import EVENTS, usual

_ROWS = [row for row in catalogue.types_by_name().values() if "request" in row.sorts and row.name in EVENTS]
_REGISTER = LegalRegister(Scene().files["register"], "RU")
_SIGNED = 1_741_000_000_000


@target("profile", lambda: [text.encode()[:12_000] for text in built_in_texts().values()])
def profile(raw: bytes) -> None:
    """A profile is one that a rulebook can be made of, or a ConfigError."""
    try:
        rulebook = make_rulebook({"p.toml": raw.decode("utf-8", "replace")})
    except ConfigError:
        return
    assert [rule.id for rule in rulebook.rules()] or rulebook.profiles


@target("case", lambda: [bytes([n]) + msgspec.json.encode(usual(row.name)) for n, row in enumerate(_ROWS) if n < 256])
def case(raw: bytes) -> None:
    """Whatever data admission takes for an act of a request (the first byte names its type), it is kept and judged."""
    row = _ROWS[(raw[:1] or b"\0")[0] % len(_ROWS)]
    try:
        catalogue.decode_data(row, raw[1:])
    except FormatError:
        return
    signed = Act("request.signed", "e-1", 1, 1, "RU-OMS", _SIGNED, _SIGNED, (), _kept("request.signed"))
    act = Act(row.name, "e-2", 2, 2, "RU-OMS", _SIGNED + 1, _SIGNED + 1, (), keep(row.name, msgspec.Raw(raw[1:])))
    file = CaseFile((signed, act))
    assert msgspec.json.decode(msgspec.json.encode(file), type=CaseFile) == file
    for finding in judge(REQUEST, file, _REGISTER, built_in()).findings:
        assert finding.evidence


def _kept(name: str) -> msgspec.Raw:
    return keep(name, msgspec.Raw(msgspec.json.encode(usual(name))))


@target("cursor", lambda: [b'[0,"request/1","A6.2b",""]'])
def cursor(raw: bytes) -> None:
    """A cursor is one, or a FormatError."""
    try:
        rank, *texts_ = read_cursor(raw.decode("utf-8", "surrogateescape"))
    except FormatError:
        return
    assert isinstance(rank, int)
    assert all(isinstance(text, str) for text in texts_)
