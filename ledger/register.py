"""The register: who is who, by the events of subject ``register`` and nothing else.

``apply(register, change)`` is the one way it grows.  A change that contradicts what stands (a known key
again, a bad point, a possession that does not verify, an unknown office or kid, a version that is not the next) raises
``Contradiction``; admission turns that into a refusal.  Every partition applies the same events in the same
order, with the
times of partition 0, and so holds the same register.

Instruments, contacts and acts are facts for projections; the register keeps what admission needs, and roles.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from ledger.catalogue import own
from ledger.catalogue import register as family
from ledger.catalogue.base import UNSET, Data
from ledger.errors import RogatoryError
from ledger.event import time_ms
from ledger.ids import Kid, LedgerId, OfficeCode
from ledger.signature import (
    POSSESSION_PAYLOAD,
    decode_base64,
    is_exchange_point,
    is_main_subgroup_point,
    make_kid,
    office_of,
    parse_signature,
    possession_payload,
    verify,
)
from ledger.versions import FIRST_VERSION


class Contradiction(RogatoryError):
    """A register event contradicts the register."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


class Office(msgspec.Struct, frozen=True):
    """An office as last registered."""

    code: OfficeCode
    party: str
    sort: str
    name: str
    tz: str
    border: bool


class GrantedKey(msgspec.Struct, frozen=True):
    """An enrolled key, valid in [valid_from, valid_to) ms; ``revoked``: when its revocation was admitted."""

    kid: Kid
    office: OfficeCode
    alg: str
    use: str
    public_key: bytes
    valid_from: int
    valid_to: int | None = None
    revoked: int | None = None
    effective: int | None = None
    reason: str | None = None

    def valid_at(self, admitted: int) -> bool:
        """Whether it is good for what is admitted at that time, after everything the register holds."""
        return (
            self.revoked is None and self.valid_from <= admitted and (self.valid_to is None or admitted < self.valid_to)
        )


class Role(msgspec.Struct, frozen=True):
    """A person holds a role at an office; dates are ISO days."""

    office: OfficeCode
    person: str
    role: str
    valid_from: str
    valid_to: str | None = None


class Register(msgspec.Struct, frozen=True):
    """Everything the register's events have said so far. A value: ``apply`` makes the next one."""

    ledger_id: LedgerId
    partitions: int
    party: str
    threshold: int
    version: int
    seq: int
    """How many register events it has taken."""
    home_leaf: bytes
    """Leaf of the last one's record in partition 0."""
    authorities: dict[Kid, bytes]
    log_keys: dict[Kid, bytes]
    former: dict[Kid, bytes]
    """Authority and log keys that were replaced; known for ever."""
    offices: dict[OfficeCode, Office] = {}
    keys: dict[Kid, GrantedKey] = {}
    roles: tuple[Role, ...] = ()
    settled: dict[str, str] = {}
    """Forks that the authorities settled: ``<partition>/<index>`` to leaf (hex)."""

    def is_coordinator(self, office: OfficeCode) -> bool:
        """Whether an office is a coordinating unit of the own Party."""
        known = self.offices.get(office)
        return known is not None and known.sort == "coordinator" and known.party == self.party


class Change(msgspec.Struct, frozen=True):
    """A register event with where it stands in partition 0. ``admitted`` in ms, ``leaf`` 32 bytes."""

    data: Data
    admitted: int
    leaf: bytes


def anchor(genesis: bytes) -> bytes:
    """SHA-256 of the genesis event's bytes: what a ledger's id begins with."""
    return sha256(genesis).digest()


def make_ledger_id(genesis: bytes, name: str) -> LedgerId:
    """``<name>.<32 hex>``, the hex being the start of the anchor."""
    return LedgerId(f"{name}.{anchor(genesis).hex()[:32]}")


def apply(register: Register | None, ledger_id: LedgerId, change: Change) -> Register:
    """The register after one more of its events.

    Raises:
        Contradiction: the event contradicts the register; nothing changed.
    """
    data = change.data
    if register is None:
        if not isinstance(data, own.RegisterOpened):
            raise Contradiction("register.opened as the first event", type(data).__name__)
        return _open(ledger_id, data, change)
    rule = _RULES.get(type(data))
    changes = rule(register, data, change) if rule else {}
    return msgspec.structs.replace(register, seq=register.seq + 1, home_leaf=change.leaf, **changes)


def named_keys(keys: list[own.NamedKey]) -> dict[Kid, bytes]:
    """Ed25519 keys by kid, checked one by one.

    Raises:
        Contradiction: a bad point, a kid that is not the key's, or a key twice.
    """
    checked: dict[Kid, bytes] = {}
    for key in keys:
        public = _signing_key(key.kid, key.public_key)
        if Kid(key.kid) in checked or public in checked.values():
            raise Contradiction("each key once", key.kid)
        checked[Kid(key.kid)] = public
    return checked


def _open(ledger_id: LedgerId, data: own.RegisterOpened, change: Change) -> Register:
    name = ledger_id.partition(".")[0]
    if data.name != name:
        raise Contradiction(f"the ledger's name, {name}", data.name)
    authorities = named_keys(data.authorities)
    log_keys = named_keys(data.log_keys)
    if set(authorities.values()) & set(log_keys.values()):
        raise Contradiction("log keys other than the authorities'", "one key for both")
    if data.threshold > len(authorities):
        raise Contradiction(
            f"a threshold of at most {len(authorities)}, the number of authorities", str(data.threshold)
        )
    return Register(
        ledger_id=ledger_id,
        partitions=data.partitions,
        party=data.party,
        threshold=data.threshold,
        version=FIRST_VERSION,
        seq=1,
        home_leaf=change.leaf,
        authorities=authorities,
        log_keys=log_keys,
        former={},
    )


def _signing_key(kid: str, text: str) -> bytes:
    public = decode_base64(text, 32)
    if not is_main_subgroup_point(public):
        raise Contradiction("a valid point of Ed25519's main subgroup", "another point")
    _check_kid(kid, "ed25519", public)
    return public


def _check_kid(kid: str, alg: str, public: bytes) -> None:
    right = make_kid(office_of(kid), "ed25519" if alg == "ed25519" else "x25519", public)
    if kid != right:
        raise Contradiction(f"the kid of this key, {right}", kid)


def _check_new(register: Register, kid: Kid, public: bytes) -> None:
    """A known kid or key is never enrolled again, under whatever use or name."""
    if kid in register.keys or kid in register.authorities or kid in register.log_keys or kid in register.former:
        raise Contradiction("a key that was never enrolled", f"the known kid {kid}")
    publics = {k.public_key for k in register.keys.values()}
    publics.update(register.authorities.values(), register.log_keys.values(), register.former.values())
    if public in publics:
        raise Contradiction("a key that was never enrolled", "a known key under another kid")


def _reopen(_register: Register, data: own.RegisterOpened, _: Change) -> dict[str, object]:
    raise Contradiction("register.opened once, as the first event", f"a second one for {data.name}")


def _adopt(register: Register, data: own.RulesAdopted, _: Change) -> dict[str, object]:
    if data.version != register.version + 1:
        raise Contradiction(f"version {register.version + 1}, the next", str(data.version))
    return {"version": data.version}


def _replace_authority(register: Register, data: own.AuthorityReplaced, _: Change) -> dict[str, object]:
    authorities = _replaced(register, register.authorities, data.old, data.kid, data.public_key)
    former = {**register.former, Kid(data.old): register.authorities[Kid(data.old)]}
    return {"authorities": authorities, "former": former}


def _replace_log_key(register: Register, data: own.LogKeyReplaced, _: Change) -> dict[str, object]:
    log_keys = _replaced(register, register.log_keys, data.old, data.kid, data.public_key)
    former = {**register.former, Kid(data.old): register.log_keys[Kid(data.old)]}
    return {"log_keys": log_keys, "former": former}


def _replaced(register: Register, keys: dict[Kid, bytes], old: str, kid: str, text: str) -> dict[Kid, bytes]:
    if Kid(old) not in keys:
        raise Contradiction("the kid of a key in force", old)
    public = _signing_key(kid, text)
    _check_new(register, Kid(kid), public)
    return {**{k: v for k, v in keys.items() if k != old}, Kid(kid): public}


def _settle(register: Register, data: own.ForkSettled, _: Change) -> dict[str, object]:
    if data.partition >= register.partitions:
        raise Contradiction(f"a partition below {register.partitions}", str(data.partition))
    place = f"{data.partition}/{data.index}"
    if register.settled.get(place, data.leaf) != data.leaf:
        raise Contradiction("one settlement for an index", f"a second one for {place}")
    return {"settled": {**register.settled, place: data.leaf}}


def _office(register: Register, data: family.OfficeRegistered, _: Change) -> dict[str, object]:
    code = OfficeCode(data.office)
    row = Office(code, data.party, data.sort, data.name_ru, data.tz, data.border)
    return {"offices": {**register.offices, code: row}}


def _grant(register: Register, data: family.KeyGranted, change: Change) -> dict[str, object]:
    office, kid = OfficeCode(data.office), Kid(data.kid)
    _check_office(register, office)
    if office_of(kid) != office:
        raise Contradiction(f"a kid of the office {office}", kid)
    if (data.alg == "x25519") != (data.use == "seal"):
        raise Contradiction("an x25519 key for use seal, an ed25519 key for any other", f"{data.alg} for {data.use}")
    public = decode_base64(data.public_key, 32)
    if not (is_main_subgroup_point(public) if data.alg == "ed25519" else is_exchange_point(public)):
        raise Contradiction(f"a valid {data.alg} point", "another point")
    _check_kid(kid, data.alg, public)
    _check_new(register, kid, public)
    key = GrantedKey(
        kid=kid,
        office=office,
        alg=data.alg,
        use=data.use,
        public_key=public,
        valid_from=time_ms(data.valid_from),
        valid_to=None if data.valid_to is UNSET else time_ms(data.valid_to),
    )
    _check_possession(register, key, data.possession, change.admitted)
    return {"keys": {**register.keys, kid: key}}


def _check_possession(register: Register, key: GrantedKey, text: str, admitted: int) -> None:
    """The key signs for itself; a sign key of the office speaks for an x25519 key, which cannot sign."""
    signature = parse_signature(text.encode("latin-1", "replace"))
    if key.alg == "ed25519":
        by, public = None, key.public_key
        right = signature.kid == key.kid
    else:
        voucher = register.keys.get(signature.kid)
        right = (
            voucher is not None
            and voucher.office == key.office
            and voucher.use == "sign"
            and voucher.valid_at(admitted)
        )
        by, public = signature.kid, voucher.public_key if voucher else b""
    payload = possession_payload(register.ledger_id, key.office, key.kid, key.use, by)
    if not right or not verify(public, signature.value, POSSESSION_PAYLOAD, payload):
        raise Contradiction("a possession signature that verifies", f"one by {signature.kid} that does not")


def _revoke(register: Register, data: family.KeyRevoked, change: Change) -> dict[str, object]:
    key = register.keys.get(Kid(data.kid))
    if key is None:
        raise Contradiction("the kid of an enrolled key", data.kid)
    if key.revoked is not None:
        raise Contradiction("a key in force", f"{data.kid}, revoked before")
    gone = msgspec.structs.replace(key, revoked=change.admitted, effective=time_ms(data.effective), reason=data.reason)
    return {"keys": {**register.keys, key.kid: gone}}


def _assign(register: Register, data: family.RoleAssigned, _: Change) -> dict[str, object]:
    _check_office(register, OfficeCode(data.office))
    until = None if data.valid_to is UNSET else data.valid_to
    role = Role(OfficeCode(data.office), data.person, data.role, data.valid_from, until)
    return {"roles": (*register.roles, role)}


def _end_role(register: Register, data: family.RoleEnded, _: Change) -> dict[str, object]:
    _check_office(register, OfficeCode(data.office))
    ends = (OfficeCode(data.office), data.person, data.role)
    return {
        "roles": tuple(
            msgspec.structs.replace(r, valid_to=data.effective) if (r.office, r.person, r.role) == ends else r
            for r in register.roles
        )
    }


def _check_office(register: Register, office: OfficeCode) -> None:
    if office not in register.offices:
        raise Contradiction("a registered office", str(office))


def _contact(register: Register, data: Any, _: Change) -> dict[str, object]:
    _check_office(register, OfficeCode(data.office))
    return {}


_RULES: dict[type[Data], Callable[[Register, Any, Change], dict[str, object]]] = {
    own.RegisterOpened: _reopen,
    own.RulesAdopted: _adopt,
    own.AuthorityReplaced: _replace_authority,
    own.LogKeyReplaced: _replace_log_key,
    own.ForkSettled: _settle,
    family.OfficeRegistered: _office,
    family.KeyGranted: _grant,
    family.KeyRevoked: _revoke,
    family.RoleAssigned: _assign,
    family.RoleEnded: _end_role,
    family.ContactDesignated: _contact,
    family.ContactChanged: _contact,
    family.ContactNotified: _contact,
}
