"""Waiting between attempts at something that does not answer, and not a moment longer than until a stop."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from ledger.errors import LogUnavailable, StoreUnavailable

T = TypeVar("T")
Silent = LogUnavailable | StoreUnavailable

_LOG = "the log does not answer (%s); attempt %d in %.1f s"
_STORE = "the store does not answer (%s); attempt %d in %.1f s"
_log = logging.getLogger(__name__)


async def wait(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long; False when told to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return not stop.is_set()


class Patience:
    """How long one worker waits: ``first`` seconds, doubled with each attempt up to ``longest``, less up to a half.

    The share left to chance keeps workers that were cut off together from coming back together.
    """

    def __init__(self, stop: asyncio.Event, first: float, longest: float) -> None:
        self.stop = stop
        self._first = first
        self._longest = longest

    async def pause(self, attempt: int, error: Silent) -> bool:
        """Wait before the next attempt; False when told to stop. ``attempt`` counts from 0."""
        seconds = min(self._longest, self._first * 2 ** min(attempt, 30))
        seconds *= random.uniform(0.5, 1)  # noqa: S311 - spreads attempts, guards nothing
        _log.warning(_STORE if isinstance(error, StoreUnavailable) else _LOG, error, attempt + 2, seconds)
        return await wait(self.stop, seconds)

    async def sleep(self, seconds: float) -> bool:
        """Wait so long; False when told to stop."""
        return await wait(self.stop, seconds)

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """What a call gives once log and store answer. Raises its error when told to stop before that."""
        attempt = 0
        while True:
            try:
                return await call()
            except (LogUnavailable, StoreUnavailable) as error:
                if not await self.pause(attempt, error):
                    raise
                attempt += 1
