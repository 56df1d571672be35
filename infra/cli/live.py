"""``rogatory run live``: projections kept up by several processes that share the partitions (Kafka alone)."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from infra.cli.options import Common, command
from infra.cli.service import opened
from ledger.assignment import SESSION

_log = logging.getLogger("rogatory.run")


@command(serves=True)
async def live(
    common: Common,
    session: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=6.0, max=1800.0, help="A process silent for so long loses what it holds"),
    ] = SESSION,
) -> None:
    """Keep the projections up with a ledger on Kafka; any number may run, and share the partitions.

    Each takes what the consumer group assigns to it, from where the store stands, and what others leave. A record that
    cannot be digested stops its partition alone: `rogatory poison list`.
    """
    async with opened(common, until_idle=False, projects=True) as (ledger, stop):
        with ledger.store() as store:
            _log.info("projecting %s live", ledger.ledger_id)
            await ledger.live(store, stop, session=session)
