"""One process under observation: the observers that its workers tell, and the server that shows what they know.

Where neither an address to show it at nor tracing is set, nothing is watched and workers tell ``SILENT``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from infra.observing import logs
from infra.observing.exporting import is_tracing
from infra.observing.health import Health
from infra.observing.several import Several
from ledger.log import Log
from ledger.observing import SILENT, Observer

if TYPE_CHECKING:
    from infra.observing.metrics import Metrics
    from infra.observing.probe import Probe
    from infra.observing.traces import Traces


class Watch:
    """What watches one process. Owned by its event loop."""

    def __init__(self, service: str, *, shown: bool) -> None:
        """``shown``: there is a server, so that health and metrics are kept."""
        self._service = service
        self.health = Health(service, time.monotonic, lambda: time.time_ns() // 1_000_000)
        self.metrics: Metrics | None = None
        self._probe: Probe | None = None
        self._traces: Traces | None = None
        self._asking: asyncio.Task[None] | None = None
        self.port: int | None = None
        """Where it is shown."""
        observers: list[Observer] = []
        # Prometheus' and OpenTelemetry's clients take long to import; a service that shows nothing does without them.
        if shown:
            from infra.observing.metrics import Metrics  # noqa: PLC0415
            from infra.observing.probe import Probe  # noqa: PLC0415

            self.metrics = Metrics()
            self._probe = Probe(self.health, self.metrics)
            observers += [self.health, self.metrics, self._probe]
        if is_tracing():
            from infra.observing.traces import Traces  # noqa: PLC0415

            self._traces = Traces("")
            observers.append(self._traces)
        self.observer: Observer = Several(*observers) if observers else SILENT

    def opened(self, ledger_id: str, log: Log) -> None:
        """The ledger is open: look at its log from now on."""
        logs.bind(service=self._service, ledger=ledger_id)
        self.health.opened(ledger_id)
        if self._traces is not None:
            self._traces.ledger = ledger_id.partition(".")[0]
        if self.metrics is not None:
            self.metrics.about(self._service, ledger_id)
        if self._probe is not None:
            self._asking = asyncio.create_task(self._probe.run(log))

    def stopping(self) -> None:
        """The service was told to stop: not ready from now on, while the batches in hand end."""
        self.health.stopping()

    async def closed(self) -> None:
        """The log is about to be closed: ask it no more."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
            self._asking = None


@asynccontextmanager
async def watching(service: str, address: str | None) -> AsyncIterator[Watch]:
    """Watch this process while inside, and show it at an address.

    Raises:
        ConfigError: the address cannot be listened at.
    """
    logs.bind(service=service)
    async with AsyncExitStack() as stack:
        watch = Watch(service, shown=address is not None)
        if address is not None and watch.metrics is not None:
            from infra.observing.server import serving  # noqa: PLC0415 - aiohttp takes long to import

            watch.port = await stack.enter_async_context(serving(address, watch.health, watch.metrics))
        stack.push_async_callback(watch.closed)
        yield watch
