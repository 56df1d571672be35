"""Connecting to a ledger as a publisher, with the settings that the ``rogatory`` command reads."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from infra.adapters.vault import VaultFile
from infra.config import load
from infra.relaying import put_signers
from infra.signing import choose
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from ledger.ids import LedgerId
from ledger.signature import office_of
from producers.blocking import BlockingPublisher
from producers.builder import Sender
from producers.outbox import Outbox, Sign
from producers.publisher import Publisher

_log = logging.getLogger(__name__)


@asynccontextmanager
async def connect(
    ledger: str | None = None,
    *,
    office: str | None = None,
    key: Sequence[str] = (),
    config: str | Path | None = None,
    **settings: Any,
) -> AsyncIterator[Publisher]:
    """A publisher of one office's events.

    Args:
        ledger: ``file:FOLDER`` or ``kafka://HOST:PORT[,HOST:PORT]/NAME``; default: environment, settings file.
        office: whose events they are; its newest valid sign key in the keys folder signs, unless ``key`` names one.
        key: references of up to four keys: ``file:PATH``, ``env:NAME`` or ``command:PROGRAM ARGS``.
        config: a settings file.
        settings: any other setting of ``infra/config.py``: ``ledger_id``, ``keys``, ``vault``, ``timeout``, …

    Raises:
        ConfigError: a setting is missing or wrong.
        KeyFault: no enrolled and valid sign key of the office is here.
        LogUnavailable: the log does not answer.
    """
    given = {**settings, "ledger": ledger, "office": office, "key": list(key)}
    chosen = load(given, file=Path(config) if config else None)
    async with open_ledger(chosen, _log.warning) as opened:
        # Any type will do that its own office signs.
        hand = choose(chosen, None if chosen.key else await opened.register(), "step.taken")
        async with opened.publisher(hand.office, hand.signers) as publisher:
            yield publisher


def connect_blocking(ledger: str | None = None, **settings: Any) -> BlockingPublisher:
    """The same for programs without an event loop; the arguments are those of ``connect``."""
    return BlockingPublisher(lambda: connect(ledger, **settings))


@contextmanager
def open_outbox(
    table: sa.Table,
    *,
    office: str | None = None,
    key: Sequence[str] = (),
    sign: Sign = "put",
    config: str | Path | None = None,
    **settings: Any,
) -> Iterator[Outbox]:
    """An outbox of one office's events, for a program's own transactions; asks neither ledger nor database.

    Args:
        table: as ``make_outbox`` made it.
        office: whose events they are.
        key: references of up to four keys, as for ``connect``; default: the one sign key of the office that is here.
        sign: ``put``: events are signed here; ``relay``: no key is needed here, the relay signs.
        config: a settings file.
        settings: any other setting; ``ledger_id`` has to be set, since events are made for one ledger.

    Raises:
        ConfigError: a setting is missing or wrong.
        KeyFault: no key, or several, or no usable vault.
    """
    given = {**settings, "office": office, "key": list(key)}
    chosen = load(given, file=Path(config) if config else None)
    if chosen.ledger_id is None:
        raise ConfigError(
            "expected a ledger_id, found none: events are made for one ledger, and the outbox does not ask it; "
            "`rogatory ledger show` says it"
        )
    signers = put_signers(chosen) if sign == "put" else ()
    of = chosen.office or (office_of(signers[0].kid) if signers else None)
    if of is None:
        raise ConfigError("expected an office, whose acts the events are, found none")
    vault = VaultFile(chosen.vault)
    try:
        yield Outbox(table, Sender(LedgerId(chosen.ledger_id), of, signers, vault), sign=sign)
    finally:
        vault.close()
