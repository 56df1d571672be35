"""Hostile ledgers: a register and some subjects whose every value stands at an edge of what admission lets pass.

Dates of the years 0001 and 9999 and such as no month has, instants with offsets of a day, amounts and counts as long as
their types allow, ids that different offices share, references in circles and to the act itself, zones that do not
exist, corrections with anything in place of anything.  All of it from bytes, so that a fuzzer can go on from what it
found::

    world = World(b"any bytes")
    world.files["register"]     # a CaseFile
    world.subjects              # the others
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, UnsetType

from ledger import catalogue
from ledger.catalogue import base, blocks
from ledger.catalogue.base import Data, EventType, Sealed
from ledger.event import time_ms
from projections.compliance.case import CONTENT
from projections.compliance.facts import Act, CaseFile
from projections.compliance.reading import keep
from tests.records import box

T = TypeVar("T")
SUBJECTS = ("request/1", "request/2", "meeting/1", "review/1/2025-01-01", "year/2025", "year/0000", "year/0001",
            "year/9999", "request/" + "x" * 120)  # fmt: skip

_ROWS: dict[str, list[EventType]] = {}
for _row in catalogue.types_by_name().values():
    for _sort in _row.sorts:
        _ROWS.setdefault(_sort, []).append(_row)

_OFFICES = ("RU-OMS", "RU-GUMPS", "RU-PGO", "RU-T-WSIB", "RU-18", "KZ-B-01", "KZ-PGO", "KZ-DIC", "KZ-MTP", "RU", "X",
            "KZ-" + "9" * 29)  # fmt: skip
_ID = ("e-1", "e-2", "e-3", "e-4", "e-5", "e-6", "e-7", "e-8", "e-9", "e-3@RU-OMS", "e-3@RU-OMS@KZ-B-01")
_OPAQUE = ("p-1", "p-2", "m-1", "m-2", "ct-1", "c-1", "d-1", *_ID[:9], ":", "x" * 64)
_DATES = (
    "0000-01-01", "0001-01-01", "0001-01-02", "1582-10-10", "1900-02-29", "2009-06-23", "2022-03-10", "2025-01-01",
    "2025-02-29", "2025-02-31", "2025-03-03", "2025-03-04", "2025-06-01", "2025-12-31", "2027-03-16", "9998-12-31",
    "9999-01-01", "9999-12-30", "9999-12-31",
)  # fmt: skip
_CLOCKS = ("00:00:00", "12:00:00", "23:59:59.999999999")
_OFFSETS = ("Z", "+03:00", "+23:59", "-23:59", "-00:00")
_ZONES = ("Asia/Omsk", "Europe/Moscow", "Pacific/Kiritimati", "Etc/GMT+12", "UTC", "Mars/Phobos", "Europe",
          "leapseconds", "__init__", "Europe/__init__", "Europe/Moscow/x", "-", "_/_", "asia/omsk",
          "Europe-Moscow")  # fmt: skip
_WORDS = ("ru-kz-2009", "ru-kz-2009-ap-2022", "ru-by-kz-kg-1992", "ru-order-136", "new", "post", "email", "phone",
          "A9.3", "A9", "O1", "zakonnost", "official_site", "all", "other", "x" * 64, "1", *blocks.ORDER_FORMS[:2],
          *blocks.PROTOCOL_FORMS[:2], *blocks.AREAS[:2], *blocks.TOPICS[:2])  # fmt: skip
_KEYS = tuple(f"{office}#{digit * 32}" for office in ("RU-OMS", "KZ-B-01") for digit in "5f")
_HEX = "ab"

_POOLS: list[tuple[Any, Sequence[str]]] = [
    (base.OfficeText, _OFFICES),
    (base.OfficeOrEmpty, ("", *_OFFICES)),
    (base.KidText, _KEYS),
    (base.Opaque, _OPAQUE),
    (base.OpaqueOrEmpty, ("", *_OPAQUE)),
    (base.CaseId, (*_OPAQUE, "c" * 128)),
    (base.Token, _WORDS),
    (base.TokenOrEmpty, ("", *_WORDS)),
    (base.Date, _DATES),
    (base.State, ("RU", "KZ", "BY", "CH", "ZZ")),
    (base.StateOrEmpty, ("", "RU", "KZ", "BY")),
    (base.Lang, ("ru", "kk", "zh-Hant-CN-pinyin")),
    (base.Digest, ("00" * 32, "ab" * 32)),
    (base.ContentKeyId, (_HEX * 16,)),
    (base.PublicKey, ("A" * 43 + "=",)),
    (base.NamedSignature, (_KEYS[0] + " " + "A" * 86 + "==",)),
    (base.EventRef, (*_ID, "!" * 64, "~")),
    (base.Amount, ("0", "0.000001", "1.5", "100", "9" * 18, "9" * 18 + ".999999", "999999999999999.999999")),
    (base.Currency, ("EUR", "JPY", "TND", "CLF", "ZZZ")),
    (base.Percent, ("0", "00.0000", "33.3333", "100", "100.00", "100.9999")),
    (base.PublicText, (" ", "x" * 256, "\U0001f600" * 256, "{date}", "%s", "'; --", "é")),
    (base.Provision, ("7(2)", "9.3", "A" * 32)),
    (base.Zone, _ZONES),
    (base.SubjectText, (*SUBJECTS, "register", "ledger/0")),
]
_OTHERS = ("a", "0", "a." + "0" * 32)
"""Of types with a pattern of their own."""
_JSON: tuple[Any, ...] = (
    None, True, -1, 0, 2**53 - 1, 10**30, 1.5, "", "x", "e-1", "2025-02-31", "9999-12-31", [], {}, [[]], [{}],
    {"filled": True}, {"a": {"b": []}}, ["e-1"], "\u0000", "RU-OMS",
)  # fmt: skip


class Choices:
    """What is chosen, by the bytes as far as they go and then by dice that they seed."""

    def __init__(self, raw: bytes) -> None:
        self._bytes = iter(raw)
        self._dice = random.Random(raw)

    def number(self, below: int) -> int:
        """Of 0 and up."""
        given = next(self._bytes, None)
        return (self._dice.randrange(256) if given is None else given) % below

    def of(self, options: Sequence[T]) -> T:
        """One of some, fewer than 257."""
        return options[self.number(len(options))]

    def once_in(self, number: int) -> bool:
        """Now and then."""
        return self.number(number) == number - 1


class World:
    """A register and subjects, made of bytes."""

    def __init__(self, raw: bytes) -> None:
        self._choices = choices = Choices(raw)
        self.own = choices.of(("RU", "RU", "", "KZ"))
        self.files = {"register": self._file("register", 4 + choices.number(24))}
        self.subjects = [choices.of(SUBJECTS) for _ in range(2)]
        self.files |= {subject: self._file(subject, choices.number(16)) for subject in self.subjects}

    def _file(self, subject: str, length: int) -> CaseFile:
        rows = _ROWS[subject.partition("/")[0]]
        # Some sorts have few types, and a correction is of all of them.
        likely = [self._choices.of(rows) for _ in range(4)]
        some = [self._choices.of(likely if self._choices.number(3) else rows) for _ in range(length)]
        if subject.startswith("request") and self._choices.number(8):
            some = [catalogue.types_by_name()[f"rogatory.{self._choices.of(CONTENT)}.v1"], *some]
        acts = [self._act(row, number) for number, row in enumerate(some, 1)]
        return CaseFile(tuple({(act.source, act.id): act for act in acts}.values()))  # identities are unique

    def _act(self, row: EventType, number: int) -> Act:
        choices = self._choices
        id_ = f"e-{number}" if choices.number(8) else choices.of(_ID)
        claimed = time_ms(self._instant())
        admitted = time_ms(choices.of(("2025-03-03T10:00:00Z", "2025-06-01T00:00:00+03:00", self._instant())))
        kids = tuple(_KEYS[: choices.number(3)])
        data = msgspec.json.encode(self._data(row))
        catalogue.decode_data(row, data)  # a hostile act is one that admission lets pass
        return Act(
            row.name, id_, number, number, choices.of(_OFFICES), claimed, admitted, kids,
            keep(row.name, msgspec.Raw(data)), choices.of(("", "p-1")),
        )  # fmt: skip

    def _instant(self) -> str:
        day = self._choices.of([day for day in _DATES if day not in _NO_DAYS])
        return f"{day}T{self._choices.of(_CLOCKS)}{self._choices.of(_OFFSETS)}"

    def _data(self, row: EventType) -> dict[str, Any]:
        made = self._block(row.data)
        if row.name == "record.corrected" and "fields" in made:
            made["fields"] = self._replacing()
        return made

    def _replacing(self) -> dict[str, Any]:
        """Members of some type, with values of their own types or of any."""
        choices = self._choices
        members = [field for rows in _ROWS.values() for field in msgspec.structs.fields(choices.of(rows).data)]
        chosen = [choices.of(members[:200]) for _ in range(choices.number(6))]
        return {
            field.encode_name: choices.of(_JSON) if choices.once_in(3) else self._value(field.type) for field in chosen
        }

    def _block(self, cls: type[Data]) -> dict[str, Any]:
        choices = self._choices
        fields = msgspec.structs.fields(cls)
        made = {f.encode_name: self._value(f.type) for f in fields if f.required or choices.number(3) == 0}
        if issubclass(cls, (blocks.Contact, blocks.ContactAct)):
            made.pop("no_patronymic", None)
            made.pop("patronymic", None)
            made |= {"patronymic": box()} if choices.number(2) else {"no_patronymic": True}
        if issubclass(cls, blocks.RequestContentIfAny):
            names = {f.encode_name for f in msgspec.structs.fields(blocks.RequestContent)}
            names -= {f.encode_name for f in msgspec.structs.fields(base.Act)}
            whole = choices.number(2)
            needed = [f for f in msgspec.structs.fields(blocks.RequestContent) if f.required]
            for name in names:
                made.pop(name, None)
            made |= {f.encode_name: self._value(f.type) for f in needed if whole}
        return made

    def _value(self, hint: Any) -> Any:
        choices = self._choices
        for form, pool in _POOLS:
            if hint == form:
                return choices.of(pool)
        if hint in (base.Instant, base.InstantOrEmpty):
            return "" if hint == base.InstantOrEmpty and choices.once_in(3) else self._any_instant()
        origin, args = get_origin(hint), get_args(hint)
        if UnsetType in args:
            return self._value(next(arm for arm in args if arm is not UnsetType))
        if origin is Literal:
            return choices.of(args)
        if origin is list:
            return [self._value(args[0]) for _ in range(choices.number(4))]
        if origin is dict:
            return {name: choices.of(_JSON) for name in ("kind", "to", "date")[: choices.number(4)]}
        if origin is Annotated:
            return self._marked(args[0], next(mark for mark in args[1:] if isinstance(mark, Meta)))
        if hint is bool:
            return bool(choices.number(2))
        if hint is str:
            return choices.of(("", "x", "\u0000"))
        return self._block(hint)

    def _any_instant(self) -> str:
        """Of the data: admission version 1 lets it be a day that no month has."""
        return f"{self._choices.of(_DATES)}T{self._choices.of(_CLOCKS)}{self._choices.of(_OFFSETS)}"

    def _marked(self, inner: Any, meta: Meta) -> Any:
        if inner is Sealed:
            return box(bool(self._choices.number(2)))
        if inner is str:
            return self._choices.of([text for text in _OTHERS if re.search(meta.pattern or "", text)])
        if inner is int:
            least, most = meta.ge or 0, meta.le or 2**53 - 1
            return self._choices.of((least, most, min(most, least + 1), min(most, 2025)))
        assert get_origin(inner) is list, f"no values for {inner} {meta}"
        least = meta.min_length or 0
        return [self._value(get_args(inner)[0]) for _ in range(least + self._choices.number(4))]


_NO_DAYS = ("0000-01-01", "1900-02-29", "2025-02-29", "2025-02-31")
