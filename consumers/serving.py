"""Serving one partition until told to stop: what ends a registrar, and what is a pause.

A log or state file that does not answer is a pause with back-off. Another registrar's append is none at all: it is
compared with. Everything else ends the registrar; whoever runs it says what comes then (``holding.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from consumers.patience import wait
from ledger.errors import LogUnavailable, StateUnavailable
from ledger.observing import LOG, REGISTRAR, Observer

_log = logging.getLogger(__name__)

_FIRST, _LONGEST = 0.5, 30.0  # s between attempts at a log that does not answer
_NOT_YET = 5.0  # s at most between two looks at what somebody else is about to write
_STEP, _FOLLOW, _IDLE = 1.0, 0.3, 0.1  # s that one turn waits for something to do


class SomebodyElse(LogUnavailable):
    """Another registrar has appended since the end was read."""


class NotYet(LogUnavailable):
    """The ledger holds something that admission does not give, or not yet; whoever holds the partition says which."""


class Admits(Protocol):
    """A registrar, as whoever serves it sees it."""

    partition: int

    async def step(self, wait: float = 0.0) -> int:
        """Admit a batch, waiting up to ``wait`` seconds for one; how many submissions it had."""
        ...

    async def follow(self, wait: float = 0.0) -> int:
        """Decide what somebody else has admitted; how many submissions that were."""
        ...

    def look_again(self) -> None:
        """Somebody else may have appended."""
        ...


async def stepped(registrar: Admits, wait: float) -> int:
    """One step, taken again where somebody else was faster. Raises as ``Registrar.step``."""
    while True:
        try:
            return await registrar.step(wait)
        except SomebodyElse as error:
            _log.info("%s; comparing with what stands there", error)


async def serve(
    registrar: Admits,
    stop: asyncio.Event,
    holds: Callable[[], bool],
    *,
    standby: bool,
    observer: Observer,
) -> None:
    """Serve until ``stop``.

    Args:
        registrar: the partition's.
        stop: ends it, at the next batch.
        holds: asked before each batch whether the partition is ours.
        standby: follow while it is not; else wait.
        observer: told of pauses, and of what ended it.

    Raises:
        RogatoryError: what waiting does not mend.
    """
    pause, held = _FIRST, True
    while not stop.is_set():
        try:
            before, held = held, holds()
            if held:
                if not before:
                    registrar.look_again()
                await stepped(registrar, _STEP)
            elif standby:
                await registrar.follow(_FOLLOW)
            else:
                await wait(stop, _IDLE)
            pause = _FIRST
        except NotYet as error:
            _log.warning("%s; waiting", error)
            await wait(stop, pause)
            pause = min(pause * 2, _NOT_YET)
        except (LogUnavailable, StateUnavailable) as error:
            if isinstance(error, LogUnavailable):
                observer.unavailable(REGISTRAR, LOG)
            what = "log" if isinstance(error, LogUnavailable) else "state file"
            _log.warning(
                "partition %d: %s unavailable (%s); trying again in %.1f s", registrar.partition, what, error, pause
            )
            await wait(stop, pause)
            pause = min(pause * 2, _LONGEST)
        except Exception as error:
            observer.stopped(REGISTRAR, registrar.partition, error)
            raise
