"""What every event type is made of: the marks clear and sealed, field types, the table of types.

A type is a frozen Struct of its ``data`` member, declared once with its name, the sorts of subjects it
may stand in, and the article it rests on::

    @event("key.revoked", sorts="register", cites="our choice")
    class KeyRevoked(Act):
        \"\"\"A key is no longer good.\"\"\"

        kid: KidText
        reason: Literal["lost", "compromised", "superseded", "closed"]
        effective: Instant

A field typed ``SealedText`` (or another ``Sealed…`` name) is *sealed*: on the wire it is a ``Sealed`` box and
nothing else.  All other fields are *clear*.  For the type checker a sealed field also takes plaintext,
because that is what a caller hands to the publisher, which seals it before anything leaves.

Optional fields default to ``UNSET`` and are absent from the wire; ``null`` is never used.  A missing
required member is refused; an empty value where the text of a treaty requires one is accepted and becomes
a finding.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ledger import ids
from ledger.versions import FIRST_VERSION

__all__ = [
    "CALENDAR", "UNSET", "Act", "Amount", "CaseId", "ContentKeyId", "Count", "Currency", "Data", "Date", "Digest",
    "EventRef", "EventType", "Grade", "Instant", "InstantOrEmpty", "KidText", "Lang", "Money",
    "NamedSignature", "OfficeOrEmpty", "OfficeText", "Opaque", "OpaqueOrEmpty", "Percent", "Provision",
    "PublicKey", "PublicText", "Purpose", "Sealed", "SealedObject", "SealedText", "State", "StateOrEmpty",
    "SubjectText", "Token", "TokenOrEmpty", "UnsetType", "Version", "Year", "Zone", "event", "types_by_name",
]  # fmt: skip


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed field as it stands in an event (``ledger/sealing.py`` makes and opens it)."""

    s: Literal[1]
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    filled: bool
    box: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]*(?:[AEIMQUYcgkosw048]=|[AQgw]==)?\Z", max_length=65536)]
    commit: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\Z")]

    def __post_init__(self) -> None:
        """The one thing about base64 that a quick pattern cannot say: groups of four."""
        if len(self.box) % 4:
            raise ValueError("expected canonical base64 as the box of a sealed field, found an incomplete group")


if TYPE_CHECKING:
    SealedText = Sealed | str
    SealedObject = Sealed | dict[str, Any]
else:
    # What the plaintext is, for builders and generated schemas; on the wire there is only the box.
    SealedText = Annotated[Sealed, Meta(extra={"plain": str})]
    SealedObject = Annotated[Sealed, Meta(extra={"plain": dict})]


CALENDAR = {"calendar": True}
"""Marks texts that begin with a date; ``dates.py`` checks whether there is such a day."""


def _text(
    pattern: str, maximum: int | None = None, *, empty: bool = False, extra: dict[str, bool] | None = None
) -> Any:
    whole = rf"^(?:{pattern})?\Z" if empty else rf"^(?:{pattern})\Z"
    return Annotated[str, Meta(pattern=whole, max_length=maximum, extra=extra)]


# Clear texts are codes, ids, dates and public names, never sentences (our choice: other free text is sealed).
if TYPE_CHECKING:
    OfficeText = str
    OfficeOrEmpty = str
    KidText = str
    Opaque = str
    OpaqueOrEmpty = str
    Token = str
    TokenOrEmpty = str
    Date = str
    Instant = str
    State = str
    StateOrEmpty = str
    Lang = str
    Digest = str
    PublicKey = str
    NamedSignature = str
    CaseId = str
    EventRef = str
    Amount = str
    Currency = str
    Percent = str
    PublicText = str
    Provision = str
    Zone = str
    SubjectText = str
    InstantOrEmpty = str
    ContentKeyId = str
else:
    OfficeText = _text(ids.OFFICE_CODE, ids.OFFICE_CODE_MAX)
    OfficeOrEmpty = _text(ids.OFFICE_CODE, ids.OFFICE_CODE_MAX, empty=True)
    KidText = _text(ids.KID, 65)
    # Ids of persons, materials, assets, cases, conditions: opaque, random where they point at people.
    Opaque = _text(ids.SEGMENT, 64)
    OpaqueOrEmpty = _text(ids.SEGMENT, 64, empty=True)
    CaseId = _text(ids.SEGMENT, 128)
    # A word of a vocabulary that treaties extend: instruments, forms, topics, means.
    Token = _text(r"[A-Za-z0-9][A-Za-z0-9._-]*", 64)
    TokenOrEmpty = _text(r"[A-Za-z0-9][A-Za-z0-9._-]*", 64, empty=True)
    Date = _text(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", extra=CALENDAR)
    # RFC 3339 with offset, as an event's own ``time``.
    _INSTANT = (
        r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
        r"(?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    )
    Instant = _text(_INSTANT, extra=CALENDAR)
    InstantOrEmpty = _text(_INSTANT, empty=True, extra=CALENDAR)
    State = _text(r"[A-Z]{2}")  # ISO 3166-1 alpha-2
    StateOrEmpty = _text(r"[A-Z]{2}", empty=True)
    Lang = _text(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", 35)  # BCP 47, the forms in use
    Digest = _text(r"[0-9a-f]{64}")  # SHA-256
    PublicKey = _text(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")  # 32 bytes
    NamedSignature = _text(ids.KID + r" [A-Za-z0-9+/]{85}[AQgw]==")  # as a signature header: kid, 64 bytes
    EventRef = _text(ids.EVENT_ID)
    Amount = _text(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,6})?")
    Currency = _text(r"[A-Z]{3}")
    Percent = _text(r"(?:100|[0-9]{1,2})(?:\.[0-9]{1,4})?")
    # A name that is public anyway, in any script: of an office, of an act's number, of where it was printed.
    # No control characters, line separators, direction overrides or lone surrogates.
    PublicText = _text(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+", 256)
    Provision = _text(r"[A-Za-z0-9][A-Za-z0-9.()-]*", 32)  # of an instrument: 7(2)
    Zone = _text(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", 64)  # of the IANA time zone database
    SubjectText = _text("|".join(ids.SORTS.values()), ids.SUBJECT_MAX)
    ContentKeyId = _text(r"[0-9a-f]{32}")

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Year = Annotated[int, Meta(ge=1000, le=9999)]
Grade = Literal["open", "restricted", "confidential", "strict"]
Purpose = Literal[
    "criminal_case", "extradition", "sentence_execution", "medical_treatment", "asset_recovery",
    "admin_case", "supervision", "crime_analysis", "legislation", "training", "public_statement",
    "intelligence", "other",
]  # fmt: skip


class _DataMeta(msgspec.StructMeta):
    """Gives ``kw_only`` to every subclass, since msgspec hands down the other settings but not this one."""

    def __new__(mcls, name: str, bases: tuple[type, ...], body: dict[str, Any], **config: Any) -> _DataMeta:
        return super().__new__(mcls, name, bases, body, kw_only=True, **config)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Data(msgspec.Struct, metaclass=_DataMeta, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every event's ``data``, and of the blocks inside it."""


class Money(Data):
    """An amount: decimal text (I-JSON has no exact decimals) and ISO 4217 currency."""

    amount: Amount
    currency: Currency


class Act(Data):
    """Base of every act: what any event about the real world may carry (our choice)."""

    act_of: OfficeText | UnsetType = UNSET
    """Whose act it is, when our office reports a partner's; default: the source."""
    received_on: Instant | UnsetType = UNSET
    """When the addressee got it."""
    note: SealedText | UnsetType = UNSET
    doc: SealedText | UnsetType = UNSET
    """File number."""


class EventType(msgspec.Struct, frozen=True):
    """One row of the catalogue."""

    name: str
    """Without prefix and version: ``request.signed``."""
    version: int
    data: type[Data]
    sorts: tuple[str, ...]
    """Sorts of subjects (``ledger/ids.py``) it may stand in."""
    cites: str
    """The article it rests on, or "our choice"."""
    since: int = FIRST_VERSION
    """The admission version that brought it; before that it is ``unknown-type``."""

    @property
    def type(self) -> str:
        """The CloudEvents ``type``: ``rogatory.request.signed.v1``."""
        return f"rogatory.{self.name}.v{self.version}"


_types: dict[str, EventType] = {}
_D = TypeVar("_D", bound=type[Data])


def event(name: str, *, sorts: str, cites: str, version: int = 1, since: int = FIRST_VERSION) -> Callable[[_D], _D]:
    """Declare a Struct as the data of event type ``rogatory.<name>.v<version>``; ``sorts`` by blanks.

    A type that is new, or whose data take other values than before, has ``since``: the admission version it comes with.
    """

    def declare(cls: _D) -> _D:
        row = EventType(name=name, version=version, data=cls, sorts=tuple(sorts.split()), cites=cites, since=since)
        unknown = set(row.sorts) - set(ids.SORTS)
        if row.type in _types or unknown:
            raise AssertionError(f"{row.type} is declared twice or for unknown sorts {unknown}")
        _types[row.type] = row
        return cls

    return declare


def types_by_name() -> dict[str, EventType]:
    """Every declared type by its CloudEvents ``type``. Complete once ``ledger.catalogue`` is imported."""
    return _types


@cache
def sealed_pointers(cls: type[Data]) -> dict[tuple[str, ...], type]:
    """Paths of the sealed fields of a type, each with the type of its plaintext; ``*`` for list items."""
    found: dict[tuple[str, ...], type] = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for path, plain in _sealed_in(hint):
            found[(name, *path)] = plain
    return found


def _sealed_in(hint: Any) -> list[tuple[tuple[str, ...], type]]:
    origin = get_origin(hint)
    if origin is Annotated:
        base, *marks = get_args(hint)
        if base is Sealed:
            plains = [m.extra["plain"] for m in marks if isinstance(m, Meta) and m.extra]
            return [((), plains[0])]
        return _sealed_in(base)
    if origin in (Union, types.UnionType):
        return [hit for arm in get_args(hint) for hit in _sealed_in(arm)]
    if origin in (list, tuple):
        return [(("*", *path), plain) for arm in get_args(hint) for path, plain in _sealed_in(arm)]
    if isinstance(hint, type) and issubclass(hint, Data):
        return list(sealed_pointers(hint).items())
    return []
