"""The register, given its events: what the next one makes of it, or why it contradicts."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from ledger.catalogue import own
from ledger.catalogue import register as family
from ledger.catalogue.base import Data, Sealed
from ledger.errors import RogatoryError
from ledger.ids import LedgerId, OfficeCode
from ledger.register import (
    Change,
    Contradiction,
    Office,
    Register,
    Role,
    anchor,
    apply,
    make_ledger_id,
    named_keys,
)
from ledger.signature import (
    POSSESSION_PAYLOAD,
    Signature,
    encode_base64,
    format_signature,
    make_kid,
    possession_payload,
    sign,
)
from tests.keys import SealKey, Signer

LEDGER = LedgerId("test." + "0" * 32)
T0 = 1_741_000_000_000
AUTHORITIES = [Signer("RU-GUMPS", f"authority {n}") for n in range(3)]
LOG_KEY = Signer("RU-GUMPS", "log")
BOX = Sealed(s=1, key="0" * 32, filled=True, box="AAAA", commit="A" * 43 + "=")


def named(key: Signer, **changes: str) -> own.NamedKey:
    return own.NamedKey(**{"kid": key.kid, "public_key": encode_base64(key.public_key), **changes})


def opened(**changes: Any) -> own.RegisterOpened:
    fields = {
        "name": "test",
        "partitions": 2,
        "party": "RU",
        "authorities": [named(a) for a in AUTHORITIES],
        "threshold": 2,
        "log_keys": [named(LOG_KEY)],
    }
    return own.RegisterOpened(**{**fields, **changes})


def office(code: str, party: str = "RU", sort: str = "territorial", name: str = "Омск") -> family.OfficeRegistered:
    fields = {"office": code, "party": party, "sort": sort, "name_ru": name, "tz": "Asia/Omsk"}
    more = {"border": True, "valid_from": "2022-03-10", "basis": "order-136"}
    return msgspec.convert({**fields, **more}, family.OfficeRegistered)


def granted(
    key: Signer, *, by: Signer | None = None, payload: bytes | None = None, **changes: Any
) -> family.KeyGranted:
    """An Ed25519 key, with its own proof of possession unless told otherwise."""
    right = possession_payload(LEDGER, key.kid.partition("#")[0], key.kid, changes.get("use", "sign"))
    proof = sign(by or key, POSSESSION_PAYLOAD, right if payload is None else payload)
    fields = {
        "office": key.kid.partition("#")[0],
        "kid": key.kid,
        "public_key": encode_base64(key.public_key),
        "alg": "ed25519",
        "use": "sign",
        "possession": format_signature(proof).decode(),
        "valid_from": "2025-03-01T00:00:00Z",
    }
    return msgspec.convert({**fields, **changes}, family.KeyGranted)


def granted_seal(key: SealKey, by: Signer, **changes: Any) -> family.KeyGranted:
    """An X25519 key, for which a sign key of the office speaks."""
    payload = possession_payload(LEDGER, key.kid.partition("#")[0], key.kid, "seal", by.kid)
    proof = sign(by, POSSESSION_PAYLOAD, payload)
    fields = {
        "office": key.kid.partition("#")[0],
        "kid": key.kid,
        "public_key": encode_base64(key.public_key),
        "alg": "x25519",
        "use": "seal",
        "possession": format_signature(proof).decode(),
        "valid_from": "2025-03-01T00:00:00Z",
    }
    return msgspec.convert({**fields, **changes}, family.KeyGranted)


def revoked(kid: str, effective: str = "2025-03-03T10:00:00Z") -> family.KeyRevoked:
    return family.KeyRevoked(kid=kid, reason="lost", effective=effective)


def replaced(old: Signer, new: Signer, cls: Any = own.AuthorityReplaced, **changes: str) -> Any:
    fields = {"old": old.kid, "kid": new.kid, "public_key": encode_base64(new.public_key), "why": "lost"}
    return msgspec.convert({**fields, **changes}, cls)


def leaf(n: int) -> bytes:
    return sha256(b"%d" % n).digest()


def given(*events: Data) -> Register:
    """The register after genesis and these; the n-th is admitted n ms after T0."""
    register: Register | None = None
    for n, data in enumerate((opened(), *events)):
        register = apply(register, LEDGER, Change(data, T0 + n, leaf(n)))
    assert register is not None
    return register


def when(register: Register, data: Data, admitted: int = T0 + 1000) -> Register:
    return apply(register, LEDGER, Change(data, admitted, leaf(1000)))


def contradicts(register: Register | None, data: Data, match: str, admitted: int = T0 + 1000) -> None:
    """The event is turned away, and the register is what it was."""
    before = msgspec.json.encode(register)
    with pytest.raises(Contradiction, match=match):
        apply(register, LEDGER, Change(data, admitted, leaf(1000)))
    assert msgspec.json.encode(register) == before


OMS, OMS2, ALT = Signer("RU-OMS"), Signer("RU-OMS", "2"), Signer("RU-ALT")
OMS_SEAL = SealKey("RU-OMS")
TWO_OFFICES = (office("RU-OMS"), office("RU-ALT"))


# Genesis


def test_genesis_opens_the_register() -> None:
    assert given() == Register(
        ledger_id=LEDGER,
        partitions=2,
        party="RU",
        threshold=2,
        version=1,
        seq=1,
        home_leaf=leaf(0),
        authorities={a.kid: a.public_key for a in AUTHORITIES},
        log_keys={LOG_KEY.kid: LOG_KEY.public_key},
        former={},
    )


def test_nothing_comes_before_genesis() -> None:
    contradicts(None, office("RU-OMS"), "register.opened as the first event, found OfficeRegistered")


def test_genesis_comes_once() -> None:
    contradicts(given(), opened(), "register.opened once")


BAD_GENESIS = {
    "another name than the ledger's": ({"name": "other"}, "the ledger's name, test, found other"),
    "an authority twice": ({"authorities": [named(AUTHORITIES[0])] * 2}, "each key once"),
    "an authority under two offices' kids": (
        {
            "authorities": [
                named(AUTHORITIES[0]),
                named(AUTHORITIES[0], kid=make_kid("RU-OMS", "ed25519", AUTHORITIES[0].public_key)),
            ]
        },
        "each key once",
    ),
    "a log key twice": ({"log_keys": [named(LOG_KEY)] * 2}, "each key once"),
    "a log key that is an authority's": ({"log_keys": [named(AUTHORITIES[0])]}, "other than the authorities'"),
    "a threshold above the number of authorities": ({"threshold": 4}, "at most 3, the number of authorities, found 4"),
    "a kid of another key": ({"log_keys": [named(LOG_KEY, kid=AUTHORITIES[0].kid)]}, "the kid of this key"),
    "a bad point": (
        {"log_keys": [own.NamedKey(kid=LOG_KEY.kid, public_key=encode_base64(bytes(32)))]},
        "a valid point",
    ),
}


@pytest.mark.parametrize(("changes", "match"), BAD_GENESIS.values(), ids=BAD_GENESIS)
def test_a_genesis_that_contradicts_itself_is_turned_away(changes: dict[str, Any], match: str) -> None:
    contradicts(None, opened(**changes), match)


def test_a_threshold_of_all_authorities_is_right() -> None:
    assert apply(None, LEDGER, Change(opened(threshold=3), T0, leaf(0))).threshold == 3


def test_the_ledger_id_begins_with_the_hash_of_genesis() -> None:
    assert anchor(b"genesis") == sha256(b"genesis").digest()
    assert make_ledger_id(b"genesis", "test") == f"test.{sha256(b'genesis').hexdigest()[:32]}"


def test_named_keys_are_given_by_kid() -> None:
    assert named_keys([named(OMS), named(ALT)]) == {OMS.kid: OMS.public_key, ALT.kid: ALT.public_key}
    assert named_keys([]) == {}


# Every event


def test_every_event_counts_and_leaves_its_place() -> None:
    before = given(office("RU-OMS"))
    after = when(before, family.ActPublished(act="order-136", outlet="zakonnost", date="2022-05-01", where="№ 5"))
    assert after == msgspec.structs.replace(before, seq=3, home_leaf=leaf(1000))


def test_the_register_before_an_event_stays_what_it_was() -> None:
    before = given(*TWO_OFFICES)
    kept = msgspec.json.encode(before)
    when(when(before, granted(OMS)), office("RU-KLG"))
    assert msgspec.json.encode(before) == kept


# Versions


def test_the_next_version_is_adopted() -> None:
    register = when(given(), own.RulesAdopted(version=2))
    assert register.version == 2
    assert when(register, own.RulesAdopted(version=3)).version == 3


@pytest.mark.parametrize("version", [1, 3, 100])
def test_any_other_version_contradicts(version: int) -> None:
    contradicts(given(), own.RulesAdopted(version=version), f"version 2, the next, found {version}")


# Authorities and log keys


def test_an_authority_is_replaced_and_known_for_ever() -> None:
    new = Signer("RU-GUMPS", "authority 3")
    register = when(given(), replaced(AUTHORITIES[0], new))
    assert set(register.authorities) == {AUTHORITIES[1].kid, AUTHORITIES[2].kid, new.kid}
    assert register.authorities[new.kid] == new.public_key
    assert register.former == {AUTHORITIES[0].kid: AUTHORITIES[0].public_key}
    assert register.log_keys == given().log_keys
    assert register.threshold == 2


def test_a_log_key_is_replaced_and_known_for_ever() -> None:
    new = Signer("RU-GUMPS", "log 2")
    register = when(given(), replaced(LOG_KEY, new, own.LogKeyReplaced))
    assert register.log_keys == {new.kid: new.public_key}
    assert register.former == {LOG_KEY.kid: LOG_KEY.public_key}
    assert register.authorities == given().authorities


NEW = Signer("RU-GUMPS", "new")
BAD_REPLACEMENTS = {
    "an unknown old key": (replaced(OMS, NEW), "the kid of a key in force"),
    "a log key as an authority": (replaced(LOG_KEY, NEW), "the kid of a key in force"),
    "an authority as a log key": (replaced(AUTHORITIES[0], NEW, own.LogKeyReplaced), "the kid of a key in force"),
    "by itself": (replaced(AUTHORITIES[0], AUTHORITIES[0]), "never enrolled, found the known kid"),
    "by another authority": (replaced(AUTHORITIES[0], AUTHORITIES[1]), "never enrolled, found the known kid"),
    "by the log key": (replaced(AUTHORITIES[0], LOG_KEY), "never enrolled, found the known kid"),
    "by an enrolled key": (replaced(AUTHORITIES[0], OMS), "never enrolled, found the known kid"),
    "by an enrolled key under another office": (
        replaced(AUTHORITIES[0], OMS, kid=make_kid("RU-GUMPS", "ed25519", OMS.public_key)),
        "a known key under another kid",
    ),
    "a kid of another key": (replaced(AUTHORITIES[0], NEW, kid=ALT.kid), "the kid of this key"),
    "a bad point": (replaced(AUTHORITIES[0], NEW, public_key=encode_base64(bytes(32))), "a valid point"),
}


@pytest.mark.parametrize(("data", "match"), BAD_REPLACEMENTS.values(), ids=BAD_REPLACEMENTS)
def test_replacements_that_contradict(data: Data, match: str) -> None:
    contradicts(given(*TWO_OFFICES, granted(OMS)), data, match)


@pytest.mark.parametrize("cls", [own.AuthorityReplaced, own.LogKeyReplaced])
def test_a_replaced_key_never_comes_back(cls: Any) -> None:
    old = AUTHORITIES[0] if cls is own.AuthorityReplaced else LOG_KEY
    register = given(office("RU-GUMPS"), replaced(old, NEW, cls))
    contradicts(register, replaced(NEW, old, cls), "the known kid")
    contradicts(register, replaced(old, Signer("RU-GUMPS", "newer"), cls), "the kid of a key in force")
    contradicts(register, granted(old), "the known kid")


# Forks


def test_a_fork_is_settled() -> None:
    register = when(given(), own.ForkSettled(partition=1, index=7, leaf="5b" * 32))
    assert register.settled == {"1/7": "5b" * 32}
    again = when(register, own.ForkSettled(partition=1, index=7, leaf="5b" * 32))
    assert again.settled == register.settled
    both = when(register, own.ForkSettled(partition=0, index=7, leaf="77" * 32))
    assert both.settled == {"1/7": "5b" * 32, "0/7": "77" * 32}


def test_a_fork_is_not_settled_twice_in_two_ways() -> None:
    register = given(own.ForkSettled(partition=1, index=7, leaf="5b" * 32))
    contradicts(register, own.ForkSettled(partition=1, index=7, leaf="77" * 32), "a second one for 1/7")


def test_a_fork_is_settled_in_a_partition_that_exists() -> None:
    contradicts(given(), own.ForkSettled(partition=2, index=7, leaf="5b" * 32), "a partition below 2, found 2")


# Offices


def test_an_office_is_as_last_registered() -> None:
    register = given(office("RU-OMS", name="Омск"), office("RU-OMS", name="Омская область"))
    assert register.offices == {
        OfficeCode("RU-OMS"): Office(
            OfficeCode("RU-OMS"), "RU", "territorial", "Омская область", "Asia/Omsk", border=True
        )
    }


def test_a_coordinating_unit_is_one_of_the_own_party() -> None:
    register = given(
        office("RU-GUMPS", sort="coordinator"),
        office("KZ-MTP", party="KZ", sort="coordinator"),
        office("RU-OMS"),
    )
    codes = ("RU-GUMPS", "KZ-MTP", "RU-OMS", "RU-ALT")
    assert [register.is_coordinator(OfficeCode(c)) for c in codes] == [True, False, False, False]
    register = when(register, office("RU-GUMPS", sort="other"))
    assert not register.is_coordinator(OfficeCode("RU-GUMPS"))


# Keys


def test_a_key_is_granted_with_its_term() -> None:
    register = given(*TWO_OFFICES, granted(OMS, valid_to="2026-03-01T00:00:00+06:00"))
    key = register.keys[OMS.kid]
    assert (key.office, key.alg, key.use, key.public_key) == ("RU-OMS", "ed25519", "sign", OMS.public_key)
    assert (key.valid_from, key.valid_to) == (1_740_787_200_000, 1_772_301_600_000)
    assert [key.valid_at(t) for t in (key.valid_from - 1, key.valid_from)] == [False, True]
    assert [key.valid_at(t) for t in (1_772_301_599_999, 1_772_301_600_000)] == [True, False]


def test_a_key_without_end_stays_good() -> None:
    assert given(*TWO_OFFICES, granted(OMS)).keys[OMS.kid].valid_at(2**52)


@pytest.mark.parametrize("use", ["sign", "witness"])
def test_ed25519_keys_sign_and_witness(use: str) -> None:
    assert given(*TWO_OFFICES, granted(OMS, use=use)).keys[OMS.kid].use == use


def test_an_exchange_key_is_granted_on_the_word_of_a_sign_key() -> None:
    register = given(*TWO_OFFICES, granted(OMS), granted_seal(OMS_SEAL, OMS))
    key = register.keys[OMS_SEAL.kid]
    assert (key.alg, key.use, key.public_key) == ("x25519", "seal", OMS_SEAL.public_key)


OTHER_LEDGER = LedgerId("test." + "1" * 32)
OMS_OF_ALT = make_kid("RU-ALT", "ed25519", OMS2.public_key)
BAD_GRANTS = {
    "an unknown office": (granted(Signer("RU-KLG")), "a registered office, found RU-KLG"),
    "a kid of another office": (granted(ALT, office="RU-OMS"), "a kid of the office RU-OMS"),
    "ed25519 to seal": (granted(OMS2, use="seal"), "an x25519 key for use seal"),
    "x25519 to sign": (granted_seal(OMS_SEAL, OMS, use="sign"), "an x25519 key for use seal"),
    "a kid of another key": (granted(OMS2, public_key=encode_base64(ALT.public_key)), "the kid of this key"),
    "a kid of another algorithm": (
        granted_seal(OMS_SEAL, OMS, kid=make_kid("RU-OMS", "ed25519", OMS_SEAL.public_key)),
        "the kid of this key",
    ),
    "no point": (granted(OMS2, public_key=encode_base64((2).to_bytes(32, "little"))), "a valid ed25519 point"),
    "a point of small order": (granted(OMS2, public_key=encode_base64(bytes(32))), "a valid ed25519 point"),
    "an exchange key that gives zero": (
        granted_seal(OMS_SEAL, OMS, public_key=encode_base64(bytes(32))),
        "a valid x25519 point",
    ),
    "the same key again": (granted(OMS), "the known kid"),
    "the same key of another office": (
        granted(ALT, kid=make_kid("RU-ALT", "ed25519", OMS.public_key), public_key=encode_base64(OMS.public_key)),
        "a known key under another kid",
    ),
    "a log key": (
        granted(
            ALT, kid=make_kid("RU-ALT", "ed25519", LOG_KEY.public_key), public_key=encode_base64(LOG_KEY.public_key)
        ),
        "a known key under another kid",
    ),
    "possession of another ledger": (
        granted(OMS2, payload=possession_payload(OTHER_LEDGER, "RU-OMS", OMS2.kid, "sign")),
        "a possession signature that verifies",
    ),
    "possession by another office": (
        granted(OMS2, payload=possession_payload(LEDGER, "RU-ALT", OMS2.kid, "sign")),
        "a possession signature that verifies",
    ),
    "possession of another key": (
        granted(OMS2, payload=possession_payload(LEDGER, "RU-OMS", OMS.kid, "sign")),
        "a possession signature that verifies",
    ),
    "possession for another use": (
        granted(OMS2, payload=possession_payload(LEDGER, "RU-OMS", OMS2.kid, "witness")),
        "a possession signature that verifies",
    ),
    "possession stated by an enrolled key": (
        granted(OMS2, by=OMS, payload=possession_payload(LEDGER, "RU-OMS", OMS2.kid, "sign", OMS.kid)),
        "a possession signature that verifies, found one by RU-OMS",
    ),
    "possession with its kid and another's signature": (
        granted(
            OMS2,
            possession=format_signature(
                Signature(
                    OMS2.kid,
                    sign(OMS, POSSESSION_PAYLOAD, possession_payload(LEDGER, "RU-OMS", OMS2.kid, "sign")).value,
                )
            ).decode(),
        ),
        "a possession signature that verifies",
    ),
    "an exchange key on the word of another office": (
        granted_seal(OMS_SEAL, ALT),
        "a possession signature that verifies, found one by RU-ALT",
    ),
    "an exchange key on the word of an unknown key": (
        granted_seal(OMS_SEAL, OMS2),
        "a possession signature that verifies",
    ),
    "an exchange key on the word of a witness key": (
        granted_seal(OMS_SEAL, Signer("RU-OMS", "witness")),
        "a possession signature that verifies",
    ),
}


@pytest.mark.parametrize(("data", "match"), BAD_GRANTS.values(), ids=BAD_GRANTS)
def test_grants_that_contradict(data: Data, match: str) -> None:
    register = given(*TWO_OFFICES, granted(OMS), granted(ALT), granted(Signer("RU-OMS", "witness"), use="witness"))
    contradicts(register, data, match)


def test_the_word_for_an_exchange_key_must_be_valid_when_it_is_admitted() -> None:
    expired = granted(OMS, valid_from="2025-03-01T00:00:00Z", valid_to="2025-03-02T00:00:00Z")
    contradicts(given(*TWO_OFFICES, expired), granted_seal(OMS_SEAL, OMS), "a possession signature that verifies")
    lost = given(*TWO_OFFICES, granted(OMS), revoked(OMS.kid))
    contradicts(lost, granted_seal(OMS_SEAL, OMS), "a possession signature that verifies")


def test_a_day_that_does_not_exist_is_turned_away() -> None:
    for changes in ({"valid_from": "2025-02-30T00:00:00Z"}, {"valid_to": "2025-02-30T00:00:00Z"}):
        with pytest.raises(RogatoryError):
            when(given(*TWO_OFFICES), granted(OMS, **changes))


# Revocations


def test_a_revoked_key_is_good_for_nothing_that_comes_later() -> None:
    register = given(*TWO_OFFICES, granted(OMS))
    after = when(register, revoked(OMS.kid), admitted=T0 + 77)
    key = after.keys[OMS.kid]
    assert (key.revoked, key.effective, key.reason) == (T0 + 77, 1_740_996_000_000, "lost")
    assert not key.valid_at(T0 + 78)
    assert register.keys[OMS.kid].valid_at(T0 + 78)


def test_a_revocation_does_not_wait_for_its_effective_time() -> None:
    key = given(*TWO_OFFICES, granted(OMS), revoked(OMS.kid, "2099-01-01T00:00:00Z")).keys[OMS.kid]
    assert not key.valid_at(T0 + 100)


def test_a_revoked_key_is_not_granted_again() -> None:
    register = given(*TWO_OFFICES, granted(OMS), revoked(OMS.kid))
    contradicts(register, granted(OMS), "the known kid")
    contradicts(register, revoked(OMS.kid), "a key in force, found .*, revoked before")


def test_only_enrolled_keys_are_revoked() -> None:
    for kid in (ALT.kid, AUTHORITIES[0].kid, LOG_KEY.kid):
        contradicts(given(*TWO_OFFICES, granted(OMS)), revoked(kid), "the kid of an enrolled key")


# Roles and contacts


def assigned(code: str = "RU-OMS", person: str = "p-1", **changes: Any) -> family.RoleAssigned:
    return family.RoleAssigned(
        **{"office": code, "person": person, "role": "head", "valid_from": "2025-01-01", "basis": BOX, **changes}
    )


def test_a_role_is_held_until_it_ends() -> None:
    register = given(
        office("RU-OMS"), assigned(), assigned(person="p-2", valid_to="2025-12-31"), assigned(role="contact")
    )
    oms = OfficeCode("RU-OMS")
    assert register.roles == (
        Role(oms, "p-1", "head", "2025-01-01"),
        Role(oms, "p-2", "head", "2025-01-01", "2025-12-31"),
        Role(oms, "p-1", "contact", "2025-01-01"),
    )
    ended = when(register, family.RoleEnded(office="RU-OMS", person="p-1", role="head", effective="2025-06-01"))
    assert [r.valid_to for r in ended.roles] == ["2025-06-01", "2025-12-31", None]


CONTACT = {"contact": "c-1", "no_patronymic": True, "effective": "2025-01-01"}
BOXES = dict.fromkeys(("surname", "name", "post", "phone", "email"), BOX)


def of_office(code: str) -> list[Data]:
    return [
        assigned(code),
        family.RoleEnded(office=code, person="p-1", role="head", effective="2025-06-01"),
        family.ContactDesignated(office=code, **CONTACT, **BOXES),
        family.ContactChanged(office=code, changed=["phone"], **CONTACT, **BOXES),
        family.ContactNotified(office=code, contact="c-1", version="e-1", means="post"),
    ]


@pytest.mark.parametrize("n", range(5))
def test_what_speaks_of_an_office_needs_a_registered_one(n: int) -> None:
    register = given(office("RU-OMS"))
    assert when(register, of_office("RU-OMS")[n]).seq == register.seq + 1
    contradicts(register, of_office("RU-ALT")[n], "a registered office, found RU-ALT")
