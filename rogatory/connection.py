"""Connecting to a ledger as a publisher, with the settings that the ``rogatory`` command reads."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from infra.config import load
from infra.signing import choose
from infra.wiring import open_ledger
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
