"""Targets of the law: profiles as people write them, acts of any content, hostile ledgers, cursors of the board."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from ledger import catalogue
from ledger.errors import ConfigError, FormatError
from projections.cases import CasesFacts
from projections.compliance.board import CURSORS
from projections.compliance.facts import NOTHING, Act, CaseFile
from projections.compliance.judge import judge
from projections.compliance.making import Work, make
from projections.compliance.reading import keep
from projections.compliance.register import LegalRegister, touched
from projections.compliance.rows import Place, findings_digest, verdict_rows
from projections.compliance.rulebook import built_in, built_in_texts, make_rulebook
from projections.figures.book import lasting
from projections.figures.posting import Posting
from tests.fuzz.targets import target
from tests.hostile import World
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


@target("hostile", lambda: [sha256(bytes([n])).digest() * 16 for n in range(40)])
def hostile(raw: bytes) -> None:
    """Whatever a ledger is made of (the bytes choose), its register is read, and every subject judged and counted."""
    world = World(raw)
    register = LegalRegister(world.files["register"], world.own)
    assert touched(register.case.every)
    for subject, file in [*world.files.items(), ("year/2025", NOTHING), ("year/9999", NOTHING)]:
        facts = msgspec.json.encode(CasesFacts(file=file)).decode()
        made = make(Work(subject, len(file.acts), "", facts, grown=True), register, built_in())
        place = Place(1, 0, "", register.ledger_zone())
        rows = [*verdict_rows(made.judged, place, {}), *lasting(made.postings, place.zone)]
        assert all(_fits(value) for row in rows for value in row)
        assert findings_digest(made.judged) == findings_digest(made.judged)


def _fits(value: object) -> bool:
    """Whether both databases have room for a value."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, Posting):
        return all(_fits(each) for each in value)
    return not isinstance(value, str) or ((len(value) <= 256 or value[0] == "{") and "\0" not in value)


def _kept(name: str) -> msgspec.Raw:
    return keep(name, msgspec.Raw(msgspec.json.encode(usual(name))))


@target("cursor", lambda: [b'[0,"request/1","A6.2b",""]'])
def cursor(raw: bytes) -> None:
    """A cursor is one, or a FormatError."""
    try:
        rank, *texts_ = CURSORS.read(raw.decode("utf-8", "surrogateescape"))
    except FormatError:
        return
    assert isinstance(rank, int)
    assert all(isinstance(text, str) for text in texts_)
