"""The probe: every few seconds it asks the log for its ends and the store whether it is there, and times the loop.

What the workers read cannot say how much is waiting, nor whether a log that is silent is there at all.  One task,
beside the work; a question that is not answered in time is a fact, not an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from infra.observing.health import Health
from infra.observing.metrics import Metrics
from infra.observing.redaction import clean_text
from ledger.log import LEDGER, SUBMISSIONS, Log
from ledger.observing import LOG, REGISTRAR, Observer

EVERY = 3.0
"""Seconds between questions."""
WITHIN = 8.0
"""Seconds that an answer may take."""


class Probe(Observer):
    """Asks on behalf of one process."""

    def __init__(self, health: Health, metrics: Metrics, *, every: float = EVERY) -> None:
        self._health = health
        self._metrics = metrics
        self._every = every
        self._asks: dict[str, Callable[[], object]] = {}
        self._asking: dict[str, asyncio.Future[object]] = {}
        """Questions to which no answer came in time; they are not asked again before one comes."""

    def depends(self, what: str, ask: Callable[[], object] | None) -> None:  # noqa: D102 - the port says
        if ask is None:
            self._asks.pop(what, None)
        else:
            self._asks[what] = ask

    async def run(self, log: Log) -> None:
        """Ask until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._ask_log(log)
            for what, ask in list(self._asks.items()):
                await self._ask(what, ask)
            self._metrics.is_ready(self._health.ready()[0])
            due = loop.time() + self._every
            await asyncio.sleep(self._every)
            self._metrics.looped(max(0.0, loop.time() - due))

    async def _ask_log(self, log: Log) -> None:
        working = self._metrics.working()
        try:
            async with asyncio.timeout(WITHIN):
                if not working:
                    await log.end(LEDGER, 0)
                for worker, partition in working:
                    end = await log.end(SUBMISSIONS if worker == REGISTRAR else LEDGER, partition)
                    self._metrics.found_end(worker, partition, end)
        except TimeoutError:
            self._health.failed(LOG, f"no answer within {WITHIN:.0f} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, the log did not answer
            self._health.failed(LOG, clean_text(f"{type(error).__name__}: {error}"))
        else:
            self._health.answered(LOG)

    async def _ask(self, what: str, ask: Callable[[], object]) -> None:
        task = self._asking.get(what) or asyncio.ensure_future(asyncio.to_thread(ask))
        self._asking[what] = task
        done, _ = await asyncio.wait([task], timeout=WITHIN)
        if not done:
            self._health.failed(what, f"no answer within {WITHIN:.0f} s")
            return
        del self._asking[what]
        if (error := task.exception()) is None:
            self._health.answered(what)
        else:
            self._health.failed(what, type(error).__name__)  # a driver's words may quote a statement
