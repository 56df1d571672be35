"""``rogatory run``: the services, until a signal or, with ``--until-idle``, until everything is worked off."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from infra.cli.lazy import Entry, LazyGroup
from infra.cli.live import live
from infra.cli.options import Common, command
from infra.cli.render import plural, progress, say
from infra.cli.rows import bring_up
from infra.cli.service import Idle, Parts, numbers, opened
from infra.sharing import holding
from infra.wiring import Ledger, Workers, together
from ledger.assignment import SESSION
from ledger.errors import ConfigError
from ledger.log import SUBMISSIONS


class _Services(LazyGroup):
    """What the others need not wait for: the relay brings the drivers of applications' databases."""

    table = {  # noqa: RUF012 - declared as a class variable by the base
        "relay": Entry(
            "infra.cli.outbox:relay",
            "Submit what applications have put into an outbox, and write back what became of it. Any number may run.",
        )
    }


app = typer.Typer(
    cls=_Services,
    no_args_is_help=True,
    help="Run what moves records: registrar, herald, projections, or all of it.",
)

app.command("live")(live)

_log = logging.getLogger("rogatory.run")

Standby = Annotated[
    bool, typer.Option("--standby", help="Follow what others hold, and take it over within a moment when they go away")
]
Session = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=1.0, max=1800.0, help="On Kafka: a process silent for so long loses what it holds"
    ),
]


@app.command()
@command(serves=True)
async def registrar(
    common: Common,
    partitions: Parts = None,
    standby: Standby = False,
    session: Session = SESSION,
    until_idle: Idle = False,
) -> None:
    """Admit what is submitted. Any number may run: each takes its part of the partitions, and what others leave.

    With --partitions or --until-idle it takes exactly these (default: all), whoever else is at work.
    """
    chosen = numbers(partitions)
    if standby and (chosen is not None or until_idle):
        raise ConfigError(
            "expected --standby alone, found it with --partitions or --until-idle: it takes what is assigned"
        )
    async with opened(common, until_idle) as (ledger, stop):
        if chosen is None and not until_idle:
            _log.info("admitting %s, what is assigned%s", ledger.ledger_id, ", as a standby" if standby else "")
            await holding(ledger, standby=standby, session=session).run(stop)
            return
        async with ledger.workers(chosen, herald=False) as workers:
            if until_idle:
                await _idle(ledger, workers)
            else:
                _log.info("admitting partitions %s of %s", [r.partition for r in workers.registrars], ledger.ledger_id)
                await workers.serve(stop)


@app.command()
@command(serves=True)
async def herald(common: Common, until_idle: Idle = False) -> None:
    """Carry the register from partition 0 to the others. Needs no key; any number may run."""
    async with (
        opened(common, until_idle) as (ledger, stop),
        ledger.workers(registrars=False) as workers,
    ):
        if until_idle:
            await workers.until_idle()
            lag = {p: n for p, n in (workers.herald.lag() if workers.herald else {}).items() if n}
            say(
                "Every partition has followed the register."
                if not lag
                else f"Sent; not followed yet, by partition: {lag}"
            )
        else:
            _log.info("carrying the register of %s", ledger.ledger_id)
            await workers.serve(stop)


@app.command()
@command(serves=True)
async def project(common: Common, until_idle: Idle = False) -> None:
    """Keep the projections up with the ledger."""
    async with opened(common, until_idle, projects=True) as (ledger, stop):
        with ledger.store() as store:
            if until_idle:
                say(f"{plural(await bring_up(ledger, store), 'record')} in the projections.")
            else:
                _log.info("projecting %s", ledger.ledger_id)
                await ledger.project(store, stop=stop)


@app.command("all")
@command(serves=True)
async def all_(common: Common, until_idle: Idle = False) -> None:
    """Registrars of all partitions, herald and projections in one process."""
    async with (
        opened(common, until_idle, projects=True) as (ledger, stop),
        ledger.workers() as workers,
    ):
        with ledger.store() as store:
            if until_idle:
                await _idle(ledger, workers)
                say(f"{plural(await bring_up(ledger, store), 'record')} in the projections.")
            else:
                _log.info("serving %s: %s", ledger.ledger_id, plural(ledger.partitions, "partition"))
                await together([workers.serve(stop), ledger.project(store, stop=stop)], stop)


async def _idle(ledger: Ledger, workers: Workers) -> None:
    ends = [await ledger.log.end(SUBMISSIONS, r.partition) for r in workers.registrars]
    done = await _drain(workers, sum(ends))
    say(f"{plural(done, 'submission')} worked off.")


async def _drain(workers: Workers, total: int) -> int:
    before = await workers.recover()
    with progress("Admitting", max(0, total - before)) as tell:
        return await workers.until_idle(tell)
