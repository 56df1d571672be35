"""Hypothesis strategies: random valid ``data`` for any type of the catalogue, as JSON-able builtins.

``event_data(RequestSent)`` gives dicts like ``{"channel": "direct", "from": "RU-OMS", "to": "KZ-MTP", ...}``.
Dates and instants are real ones, though the catalogue itself looks only at their form.
"""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from hypothesis import strategies as st
from msgspec import Meta, UnsetType

from ledger import ids
from ledger.catalogue import base, blocks
from ledger.catalogue.base import Data, Sealed

_SEGMENT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~%:-"
_PRINTABLE = "".join(chr(c) for c in range(0x21, 0x7F))


def hexes(size: int) -> st.SearchStrategy[str]:
    """Lower hex of ``size`` random bytes."""
    return st.binary(min_size=size, max_size=size).map(bytes.hex)


def base64s(minimum: int, maximum: int | None = None) -> st.SearchStrategy[str]:
    """Padded base64 of random bytes."""
    sizes = st.binary(min_size=minimum, max_size=minimum if maximum is None else maximum)
    return sizes.map(lambda raw: base64.b64encode(raw).decode())


def sealed() -> st.SearchStrategy[dict[str, Any]]:
    """A box as it stands in an event: nonce and tag (40 bytes), then padded plaintext; nobody can open it."""
    box = st.sampled_from([64, 128, 256]).flatmap(lambda size: base64s(40 + size))
    return st.fixed_dictionaries(
        {"s": st.just(1), "key": hexes(16), "filled": st.booleans(), "box": box, "commit": base64s(32)}
    )


def offices() -> st.SearchStrategy[str]:
    """Office codes, most of them real."""
    real = st.sampled_from(["RU-OMS", "RU-ALT", "RU-T-WSIB", "RU-N-VOLGA", "RU-PGO", "KZ-B-01", "KZ-MTP"])
    return real | st.from_regex(rf"\A{ids.OFFICE_CODE}\Z").filter(lambda code: len(code) <= ids.OFFICE_CODE_MAX)


def dates() -> st.SearchStrategy[str]:
    """ISO days."""
    return st.dates(date(1992, 1, 1), date(2099, 12, 31)).map(date.isoformat)


def instants() -> st.SearchStrategy[str]:
    """RFC 3339 times with offset, to the second or finer."""
    zones = st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))) | st.just(UTC)
    times = st.datetimes(datetime(1992, 1, 1), datetime(2099, 12, 31), timezones=zones)  # noqa: DTZ001
    return times.map(lambda t: t.isoformat().replace("+00:00", "Z"))


def segments(maximum: int) -> st.SearchStrategy[str]:
    """Opaque ids."""
    return st.text(_SEGMENT, min_size=1, max_size=maximum)


def subjects() -> st.SearchStrategy[str]:
    """Subjects of every sort."""
    return st.one_of(
        st.just("register"),
        segments(60).map("request/{}".format),
        segments(60).map("meeting/{}".format),
        st.integers(2000, 2099).map("year/{}".format),
        st.builds("review/{}/{}".format, segments(30), dates()),
        st.integers(0, 9999).map("ledger/{}".format),
    )


def words() -> st.SearchStrategy[str]:
    """Words of open vocabularies: known ones and such as nobody has thought of."""
    known = ("ru-kz-2009", "ru-kz-2009-ap-2022", "post", "A9.3", *blocks.AREAS, *blocks.TOPICS)
    return st.sampled_from((*known, *blocks.ORDER_FORMS, *blocks.PROTOCOL_FORMS)) | st.from_regex(
        r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"
    )


def event_refs() -> st.SearchStrategy[str]:
    """Ids of events."""
    return st.uuids().map(str) | st.text(_PRINTABLE, min_size=1, max_size=64)


_public = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn"]),
    min_size=1,
    max_size=256,
)
_amount = st.builds(lambda n, d: f"{n}.{d}" if d else str(n), st.integers(0, 10**17), st.sampled_from(["", "5", "00"]))
_states = st.sampled_from(["RU", "KZ", "BY", "CH", "DE"]) | st.from_regex(r"\A[A-Z]{2}\Z")

# By the type's marks; anything else is made from its pattern and bounds.
_FORMS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (base.OfficeText, offices()),
    (base.OfficeOrEmpty, offices() | st.just("")),
    (base.KidText, st.builds("{}#{}".format, offices(), hexes(16))),
    (base.Opaque, segments(64)),
    (base.OpaqueOrEmpty, segments(64) | st.just("")),
    (base.CaseId, segments(128)),
    (base.Token, words()),
    (base.Date, dates()),
    (base.Instant, instants()),
    (base.InstantOrEmpty, instants() | st.just("")),
    (base.State, _states),
    (base.Lang, st.sampled_from(["ru", "kk", "en", "zh-Hant"])),
    (base.Digest, hexes(32)),
    (base.ContentKeyId, hexes(16)),
    (base.PublicKey, base64s(32)),
    (
        base.NamedSignature,
        st.builds("{} {}".format, st.builds("{}#{}".format, offices(), hexes(16)), base64s(64)),
    ),
    (base.EventRef, event_refs()),
    (base.Amount, _amount),
    (base.Currency, st.sampled_from(["RUB", "KZT", "EUR", "USD"])),
    (base.Percent, st.integers(0, 100).map(str) | st.just("33.3333")),
    (base.PublicText, _public),
    (base.Zone, st.sampled_from(["Asia/Omsk", "Europe/Moscow", "UTC", "Etc/GMT+5"])),
    (base.SubjectText, subjects()),
    (bool, st.booleans()),
]

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON without floats, not deep."""
    return _json


@cache
def event_data(cls: type[Data]) -> st.SearchStrategy[dict[str, Any]]:
    """Valid ``data`` for a type of the catalogue, or for a block in it."""
    fields = msgspec.structs.fields(cls)
    required = {f.encode_name: _values(f.type) for f in fields if f.required}
    optional = {f.encode_name: _values(f.type) for f in fields if not f.required}
    if issubclass(cls, (blocks.Contact, blocks.ContactAct)):
        optional.pop("no_patronymic"), optional.pop("patronymic")
        plain = st.fixed_dictionaries(required, optional=optional)
        return st.builds(dict.__or__, plain, sealed().map(_patronymic) | st.just({"no_patronymic": True}))
    if issubclass(cls, blocks.RequestContentIfAny):
        names = set(blocks.RequestContent.__struct_fields__) - set(base.Act.__struct_fields__)
        bare = {name: values for name, values in optional.items() if name not in names}
        content = {f.name for f in msgspec.structs.fields(blocks.RequestContent) if f.required}
        full = required | {name: optional[name] for name in content}
        rest = {name: values for name, values in optional.items() if name not in content}
        return st.fixed_dictionaries(required, optional=bare) | st.fixed_dictionaries(full, optional=rest)
    return st.fixed_dictionaries(required, optional=optional)


def _patronymic(box: dict[str, Any]) -> dict[str, Any]:
    return {"patronymic": box}


def _values(hint: Any) -> st.SearchStrategy[Any]:
    for form, strategy in _FORMS:
        if hint == form:
            return strategy
    origin = get_origin(hint)
    if origin is Annotated:
        return _marked(hint)
    if origin is Literal:
        return st.sampled_from(get_args(hint))
    if origin is list:
        return st.lists(_values(get_args(hint)[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=12), json_values(), max_size=3)
    if UnsetType in get_args(hint):
        (arm,) = [arm for arm in get_args(hint) if arm is not UnsetType]
        return _values(arm)
    if hint is str:
        return st.text(st.characters(codec="utf-8"), max_size=40)
    assert issubclass(hint, Data), f"no strategy for {hint}"
    return event_data(hint)


def _marked(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an ``Annotated`` type from its pattern and bounds."""
    inner, *marks = get_args(hint)
    (meta,) = [mark for mark in marks if isinstance(mark, Meta)]
    if inner is Sealed:
        return sealed()
    if inner is int:
        return st.integers(0 if meta.ge is None else meta.ge, meta.le)
    if inner is str:
        longest = meta.max_length or 256
        return st.from_regex(meta.pattern).filter(lambda text: len(text) <= longest)
    assert get_origin(inner) is list, f"no strategy for {hint}"
    return st.lists(_values(get_args(inner)[0]), min_size=meta.min_length or 0, max_size=3)
