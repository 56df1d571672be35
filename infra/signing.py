"""Whose key signs: the named one, else one from the keys folder, by who may sign that kind of event.

The table of that is ``ledger/signers.py``'s; here a key is found for it, so that a wrong one is a message now and
not a refusal later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from infra.adapters.keys import KeyFile, SeedSigner, list_keys, load_signer
from infra.config import Config
from ledger.errors import ConfigError, KeyFault
from ledger.ids import Kid
from ledger.register import Register
from ledger.signature import MAX_SIGNATURES, Signer, office_of
from ledger.signers import COORDINATOR_FAMILIES, OWN_OFFICE_FAMILIES, THRESHOLD_TYPES


class Hand(msgspec.Struct, frozen=True):
    """Who signs an event: the office it comes from, and its keys."""

    office: str
    signers: Sequence[Signer]


def choose(config: Config, register: Register | None, name: str, about: str | None = None) -> Hand:
    """The hand for an event type (``key.granted``); ``about`` is the office that the event speaks of.

    Raises:
        KeyFault: no fitting key is here; says what would fit.
        ConfigError: several offices' keys fit and none is named.
    """
    if config.key:
        named = [load_signer(reference) for reference in config.key]
        return Hand(config.office or office_of(named[0].kid), named)
    if register is None:
        raise ConfigError("expected a ledger whose opening is sealed, found it waiting: run `rogatory run all`")
    keys = [k for k in list_keys(config.keys) if k.alg == "ed25519"]
    family = name.partition(".")[0]
    if name in THRESHOLD_TYPES:
        return _authorities(config, register, keys)
    if family in COORDINATOR_FAMILIES:
        return _superior(config, register, keys)
    if family in OWN_OFFICE_FAMILIES and config.office is None:
        own = [k for k in keys if about is not None and office_of(k.kid) == about and _signs(register, k)]
        return _hand(_newest(register, own)) if own else _superior(config, register, keys)
    return _office(config, register, keys)


def _hand(*keys: KeyFile) -> Hand:
    return Hand(office_of(keys[0].kid), [SeedSigner(key) for key in keys])


def _authorities(config: Config, register: Register, keys: list[KeyFile]) -> Hand:
    here = [k for k in keys if k.kid in register.authorities][:MAX_SIGNATURES]
    if len(here) < register.threshold:
        raise KeyFault(
            f"expected {register.threshold} authority keys, found {len(here)} in {config.keys}: name the others with "
            f"--key. The authorities are {', '.join(register.authorities)}"
        )
    return _hand(*here[: register.threshold])


def _superior(config: Config, register: Register, keys: list[KeyFile]) -> Hand:
    def fits(key: KeyFile) -> bool:
        return Kid(key.kid) in register.authorities or (
            _signs(register, key) and register.is_coordinator(office_of(key.kid))
        )

    here = [k for k in keys if fits(k) and config.office in (None, office_of(k.kid))]
    if not here:
        raise KeyFault(
            f"expected an authority key or a sign key of a coordinating unit{_of(config)} in {config.keys}, found "
            f"none: name one with --key. The authorities are {', '.join(register.authorities)}"
        )
    return _hand(here[0])


def _office(config: Config, register: Register, keys: list[KeyFile]) -> Hand:
    here = [k for k in keys if _signs(register, k) and config.office in (None, office_of(k.kid))]
    offices = sorted({office_of(k.kid) for k in here})
    if len(offices) > 1:
        raise ConfigError(f"expected one office to speak, found keys of {', '.join(offices)}: name one with --office")
    if not here:
        waiting = [k.kid for k in keys if k.use == "sign" and config.office in (None, office_of(k.kid))]
        hint = "".join(f"; {kid} is {_standing(register, kid)}" for kid in waiting)
        raise KeyFault(
            f"expected an enrolled sign key{_of(config)} in {config.keys}, found none{hint}: make one with `rogatory "
            "keys new`, enrol it with `rogatory keys enrol`, or name one with --key"
        )
    return _hand(_newest(register, here))


def _of(config: Config) -> str:
    return f" of {config.office}" if config.office else ""


def _signs(register: Register, key: KeyFile) -> bool:
    granted = register.keys.get(Kid(key.kid))
    return granted is not None and granted.use == "sign" and granted.valid_at(now_ms())


def _newest(register: Register, keys: list[KeyFile]) -> KeyFile:
    newest: Callable[[KeyFile], int] = lambda key: register.keys[Kid(key.kid)].valid_from  # noqa: E731
    return max(keys, key=newest)


def _standing(register: Register, kid: str) -> str:
    granted = register.keys.get(Kid(kid))
    if granted is None:
        return "not enrolled"
    return "revoked" if granted.revoked is not None else "not valid now"


def now_ms() -> int:
    """Now, in ms since 1970."""
    return time.time_ns() // 1_000_000
