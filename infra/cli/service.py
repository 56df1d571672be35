"""What the services share: a ledger opened patiently, a stop by signal, being observed, and the options of all."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Annotated

import typer

from infra.cli.options import Common
from infra.cli.render import note
from infra.observing import logs
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError

Idle = Annotated[bool, typer.Option("--until-idle", help="End once everything submitted has been worked off")]
Parts = Annotated[str | None, typer.Option(metavar="N,N…", help="Only these partitions; default: all")]
_log = logging.getLogger("rogatory.run")


@asynccontextmanager
async def opened(
    common: Common, until_idle: bool, *, projects: bool = False
) -> AsyncIterator[tuple[Ledger, asyncio.Event]]:
    """The ledger, and an event that a signal sets; a service waits for a broker that is down.

    While inside, the process is observed as the settings say; what the ledger's parts do is told to its observer.

    Args:
        common: the shared options.
        until_idle: the service ends by itself, and no signal is waited for.
        projects: it will ask the ledger for projections.
    """
    if projects:
        # Now, before anybody is told that it is ready: the import takes so long that the loop would stand still.
        import_module("infra.projecting")
    from infra.observing.watch import watching  # noqa: PLC0415 - its web server takes long to import for a command

    config = common.settings()
    logs.restyle(config.log_format)
    stop = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    serving = False

    told: signal.Signals | None = None

    def end(by: signal.Signals) -> None:
        nonlocal told
        if stop.is_set() or not serving:
            told = by
            task.cancel()
            return
        _log.info("stopping; once more to stop at once")
        watch.stopping()  # first: whoever sends us work should know before it is left undone
        stop.set()

    signals = () if until_idle else (signal.SIGINT, signal.SIGTERM)
    for one in signals:
        loop.add_signal_handler(one, end, one)
    try:
        async with (
            watching(common.service, config.observe) as watch,
            open_ledger(config, _say, patient=not until_idle, observer=watch.observer) as ledger,
        ):
            watch.opened(ledger.ledger_id, ledger.log)
            serving = True
            try:
                yield ledger, stop
            finally:
                watch.stopping()
                await watch.closed()
    except asyncio.CancelledError:
        if until_idle:
            raise
        if told is signal.SIGTERM and not serving:
            raise typer.Exit from None  # it waited for the log, and had nothing in hand
        raise KeyboardInterrupt from None  # before it served, or at the second signal
    finally:
        for one in signals:
            loop.remove_signal_handler(one)


def _say(text: str) -> None:
    """What a person should know: among log lines that are JSON, as one of them."""
    if logs.is_json():
        _log.warning("%s", text)
    else:
        note(text)


def numbers(text: str | None) -> list[int] | None:
    """Partitions as ``--partitions`` names them."""
    if text is None:
        return None
    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise ConfigError(f"expected --partitions as numbers with commas between, found {text[:40]!r}") from None
