"""The little web server of a service: ``/healthz``, ``/readyz`` and ``/metrics``, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from infra.config import parse_endpoint
from infra.observing.health import Health
from infra.observing.metrics import Metrics
from ledger.errors import ConfigError

_log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(address: str, health: Health, metrics: Metrics) -> AsyncIterator[int]:
    """Serve while inside; gives the port, which matters where 0 asked for any.

    Raises:
        ConfigError: the address cannot be listened at.
    """
    host, port = parse_endpoint(address)
    runner = web.AppRunner(_application(health, metrics), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host or None, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(f"expected to listen at --observe {address}, found: {error.strerror or error}") from None
        bound: int = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host or "*"
        _log.info("observed at http://%s:%d", shown, bound, extra={"address": f"{shown}:{bound}"})
        yield bound
    finally:
        await runner.cleanup()


def _application(health: Health, metrics: Metrics) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        return _answer(*health.healthy())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(*health.ready())

    async def figures(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        metrics.is_ready(health.ready()[0])
        return web.Response(body=encode(metrics.registry), headers={"Content-Type": content_type})

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", figures)
    return application


def _answer(yes: bool, document: dict[str, Any]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document) + b"\n",
        status=200 if yes else 503,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
