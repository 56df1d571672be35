"""Connecting to a ledger as a publisher, with the settings that the ``rogatory`` command reads."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from infra.adapters.keys import find_key, load_signer
from infra.config import load
from infra.wiring import open_ledger
from ledger.errors import KeyFault
from ledger.signature import Signer
from producers.blocking import BlockingPublisher
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
        office: whose events they are; its sign key is taken from the keys folder unless ``key`` names one.
        key: references of up to four keys: ``file:PATH``, ``env:NAME`` or ``command:PROGRAM ARGS``.
        config: a settings file.
        settings: any other setting of ``infra/config.py``: ``ledger_id``, ``keys``, ``vault``, ``timeout``, …

    Raises:
        ConfigError: a setting is missing or wrong.
        KeyFault: no usable sign key of the office.
        LogUnavailable: the log does not answer.
    """
    given = {**settings, "ledger": ledger, "office": office, "key": list(key)}
    chosen = load(given, file=Path(config) if config else None)
    signers: list[Signer] = [load_signer(reference) for reference in chosen.key]
    if not signers:
        found = find_key(chosen.keys, office=chosen.office, use="sign")
        if found is None:
            raise KeyFault(
                f"expected a sign key of {chosen.office or 'an office'} in {chosen.keys}, found none; make one with "
                "`rogatory keys new`, or name it with key="
            )
        signers = [load_signer(str(chosen.keys / f"{found.kid.replace('#', '-')}.key"))]
    speaker = chosen.office or signers[0].kid.partition("#")[0]
    async with open_ledger(chosen, _log.warning) as opened, opened.publisher(speaker, signers) as publisher:
        yield publisher


def connect_blocking(ledger: str | None = None, **settings: Any) -> BlockingPublisher:
    """The same for programs without an event loop; the arguments are those of ``connect``."""
    return BlockingPublisher(lambda: connect(ledger, **settings))
