"""A relay at work: the outbox of the settings, the keys that sign for it, and what wakes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import msgspec

from infra.adapters.keys import SeedSigner, list_keys, load_signer
from infra.adapters.pg_listen import listen
from infra.config import Config
from infra.reading import RegisterFollower
from infra.signing import choose
from infra.wiring import Ledger
from ledger.errors import ConfigError, KeyFault, OutboxUnavailable
from ledger.register import Register
from ledger.signature import Signer, office_of
from ledger.signers import THRESHOLD_TYPES
from producers.builder import Sender
from producers.outbox_schema import channel_of
from producers.outbox_store import OutboxStore
from producers.publisher import Publisher
from producers.relay import Limits, Relay

_log = logging.getLogger("rogatory.run")
_PATIENCE = 30.0


class RegisterHands:
    """``producers.relay.Hands`` by the register: the keys here that are in force at this moment."""

    def __init__(self, config: Config, register: RegisterFollower) -> None:
        self._config = config
        self._register = register

    async def signers(self, name: str, office: str) -> Sequence[Signer]:
        """The keys for an event type of an office."""
        register = await self._register.now()
        return await asyncio.to_thread(self._choose, register, name, office)

    def _choose(self, register: Register | None, name: str, office: str) -> Sequence[Signer]:
        if self._config.key:
            # Named keys are of several offices where a relay serves several: each signs for its own alone.
            named = [load_signer(reference) for reference in self._config.key]
            fitting = [s for s in named if name in THRESHOLD_TYPES or office_of(s.kid) == office]
            if not fitting:
                found = ", ".join(s.kid for s in named)
                raise KeyFault(f"expected a key of {office} among the named ones to sign {name} with, found {found}")
            return fitting
        return choose(msgspec.structs.replace(self._config, office=office), register, name).signers


def open_outbox_store(config: Config) -> OutboxStore:
    """The outbox of the settings.

    Raises:
        ConfigError: none is named, or there is no such table.
        OutboxUnavailable: its database does not answer.
    """
    if config.outbox is None:
        raise ConfigError(
            "expected the database of an outbox, found none: pass --outbox postgresql+psycopg://… or sqlite:///FILE, "
            "or set ROGATORY_OUTBOX or outbox in rogatory.toml"
        )
    return OutboxStore.open(config.outbox, config.outbox_table)


async def wait_for_outbox(config: Config) -> OutboxStore:
    """The same for services: while the database does not answer, try again with back-off."""
    pause = 0.5
    while True:
        try:
            return await asyncio.to_thread(open_outbox_store, config)
        except OutboxUnavailable as error:
            _log.warning("%s; trying again in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 30.0)


@asynccontextmanager
async def open_relay(ledger: Ledger, store: OutboxStore, limits: Limits | None = None) -> AsyncIterator[Relay]:
    """A relay from an outbox to an open ledger, woken by the database where it can do that."""
    async with AsyncExitStack() as stack:
        register = RegisterFollower(ledger.log, ledger.ledger_id)
        stack.push_async_callback(register.close)
        # It makes no events of its own: office and keys are those of the rows.
        sender = Sender(ledger.ledger_id, "", ())
        # While it tries, rows are locked; the relay itself tries again, with the locks let go in between.
        patience = min(ledger.config.timeout, _PATIENCE)
        publisher = Publisher(
            ledger.log, sender, ledger.partitions, patience=patience, watch=False, observer=ledger.observer
        )
        stack.push_async_callback(publisher.close)
        hands = RegisterHands(ledger.config, register)
        relay = Relay(store, ledger.log, publisher, hands, partitions=ledger.partitions, limits=limits)
        stack.push_async_callback(relay.close)
        ledger.observer.depends("outbox", store.ping)
        stack.callback(ledger.observer.depends, "outbox", None)
        if store.engine.dialect.name == "postgresql":
            url = store.engine.url.render_as_string(hide_password=False)
            listening = asyncio.create_task(listen(url, channel_of(store.table), relay.wake))
            stack.push_async_callback(_ended, listening)
        yield relay


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def put_signers(config: Config) -> Sequence[Signer]:
    """The key with which an application signs what it puts: the one sign key that is here; the ledger is not asked.

    Raises:
        KeyFault: none, or several between which only the register could decide.
    """
    if config.key:
        return [load_signer(reference) for reference in config.key]
    here = [k for k in list_keys(config.keys) if k.use == "sign" and config.office in (None, office_of(k.kid))]
    if len(here) != 1:
        of = f" of {config.office}" if config.office else ""
        found = ", ".join(k.kid for k in here) or "none"
        raise KeyFault(
            f"expected one sign key{of} in {config.keys}, found {found}: name one with key, or let the relay sign "
            '(sign="relay")'
        )
    return [SeedSigner(here[0])]
