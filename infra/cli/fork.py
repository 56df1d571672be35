"""``rogatory fork``: two records at one index; what there is, and the authorities' way out of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from consumers.forks import Fork, find_forks
from infra.cli import threshold
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, say, short, show_json, table, when
from infra.cli.threshold import DryRun, Out, known_register
from infra.deriving import derive_fork
from infra.statements import accept as keep
from infra.statements import read_envelopes
from infra.wiring import Ledger, open_ledger
from ledger.catalogue.own import ForkSettled
from ledger.errors import ConfigError, FormatError
from ledger.settlement import check_statement, read_statement
from producers.builder import Draft

app = typer.Typer(
    no_args_is_help=True, help="Two records at one index: what there is, and how the authorities settle it."
)

Place = Annotated[str, typer.Argument(metavar="P/INDEX", help="The forked index, such as 1/5317")]


@app.command("list")
@command(reads=True)
async def list_(
    common: Common,
    partition: Annotated[list[int] | None, typer.Option(metavar="N", help="Only this one; may be repeated")] = None,
) -> None:
    """The forks that stand in the log, settled or not; exit 1 if one is not.

    A forged record that has no rival yet is not seen here: the registrar names it when it stops.
    """
    async with open_ledger(common.settings(), note) as ledger:
        chosen = _chosen(ledger, partition)
        forks = await find_forks(ledger.log, await ledger.settlements(), chosen)
    open_ones = [f for f in forks if f.settled is None]
    if common.json:
        show_json([_shown(f) for f in forks])
    elif not forks:
        say(f"No fork in {plural(len(chosen), 'partition')}.")
    else:
        rows = [[f.place, len(f.rivals), _standing(f)] for f in forks]
        table("", ["index", "records", "standing"], rows, right=["records"])
    if open_ones:
        raise typer.Exit(NO)


@app.command()
@command(reads=True)
async def show(
    common: Common,
    place: Place,
    derive: Annotated[
        bool, typer.Option("--derive/--no-derive", help="Admit the submissions to see which record they give")
    ] = True,
) -> None:
    """The records at a forked index, and which of them admission gives: the genuine one.

    Uses a copy of the registrar's state file, if that is here and free; else admits from the start, which takes a
    while.
    """
    partition, index = _place(place)
    async with open_ledger(common.settings(), note) as ledger:
        _chosen(ledger, [partition])
        forks = await find_forks(ledger.log, await ledger.settlements(), [partition])
        found = next((f for f in forks if f.index == index), Fork(partition, index, (), None))
        met = await derive_fork(ledger, partition) if derive else None
    ours = met.ours.hex() if met is not None and met.ours is not None and f"index {index}:" in str(met) else None
    if common.json:
        show_json({**_shown(found), "derived": ours, "registrar": None if met is None else str(met)})
        return
    rows = [[short(r.leaf), r.position, when(r.admitted), r.subject, r.type, r.source, r.id] for r in found.rivals]
    if rows:
        columns = ["leaf", "position", "admitted", "subject", "type", "source", "event"]
        table(found.place, columns, rows, right=["position"])
        for rival in found.rivals:
            say(f"{short(rival.leaf)}… is {rival.leaf}")
    else:
        say(f"No second record at {place}.")
    if ours is not None:
        say(f"Admission of the submissions gives {ours}.")
        say(f"If that is right: `rogatory fork settle {place} {ours}`")
    elif met is not None:
        say(f"The registrar stops: {met}")
    elif derive and found.settled is None:
        say("The registrar of this partition does not stop here: for it, the record that came first is the right one.")
    say(_standing(found))


@app.command()
@command(reads=True, signs=True, submits=True, registers=True)
async def settle(
    common: Common,
    place: Place,
    leaf: Annotated[str, typer.Argument(help="The leaf that counts, 64 hex digits (`rogatory fork show`)")],
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; sealed")] = None,
    unseen: Annotated[bool, typer.Option("--unseen", help="Allow a leaf that neither log nor admission shows")] = False,
    dry_run: DryRun = False,
    out: Out = None,
) -> None:
    """Let the authorities name the record that counts at a forked index. It cannot be taken back.

    A fork of partition 0 keeps the register from growing. The statement is then kept here for registrars and readers,
    and sealed once partition 0 goes on; on other machines, `rogatory fork accept` takes it from a file.
    """
    partition, index = _place(place)
    if not re.fullmatch("[0-9a-f]{64}", leaf):
        raise ConfigError(f"expected LEAF as 64 hex digits, found {leaf[:70]!r}: `rogatory fork show {place}`")
    async with open_ledger(common.settings(), note) as ledger:
        _chosen(ledger, [partition])
        if not unseen:
            await _check_seen(ledger, partition, index, leaf)
        members: dict[str, Any] = {} if why is None else {"why": why}
        draft = Draft(subject="register", data=ForkSettled(partition=partition, index=index, leaf=leaf, **members))
        if partition == 0 and not dry_run and out is None:
            register, envelopes = await threshold.signed(ledger, [draft])
            statements = [read_statement(e, ledger.ledger_id) for e in envelopes]
            for path in keep(ledger.config, statements):
                note(f"Kept in {path} for what runs on this machine; `rogatory fork accept` takes it on others.")
            await threshold.publish(common, ledger, envelopes, register)
            return
        await threshold.decide(common, ledger, [draft], out=out, dry_run=dry_run)


@app.command()
@command(reads=True)
async def accept(
    common: Common,
    file: Annotated[
        Path, typer.Argument(help="A signed statement, as `fork settle --out` and `authority sign` made it")
    ],
) -> None:
    """Let what runs on this machine follow a signed settlement that the log cannot carry yet; restart it then."""
    envelopes = read_envelopes(file)
    async with open_ledger(common.settings(), note) as ledger:
        register = await known_register(ledger)
        try:
            statements = [read_statement(e, ledger.ledger_id) for e in envelopes]
            for statement in statements:
                check_statement(register, statement)
        except FormatError as error:
            raise ConfigError(f"{file}: {error}") from None
        paths = keep(ledger.config, statements)
    if common.json:
        show_json({"kept": [str(p) for p in paths]})
        return
    for statement, path in zip(statements, paths, strict=True):
        data = statement.data
        say(f"Index {data.partition}/{data.index} is settled for {data.leaf}; kept in {path}.")
    say("Restart the registrars and readers of this machine; publish the statement once partition 0 goes on.")


async def _check_seen(ledger: Ledger, partition: int, index: int, leaf: str) -> None:
    forks = await find_forks(ledger.log, await ledger.settlements(), [partition])
    found = next((f for f in forks if f.index == index), None)
    if found is not None and found.settled not in (None, leaf):
        raise ConfigError(f"expected a fork that is not settled, found {partition}/{index} settled for {found.settled}")
    if found is not None and leaf in {r.leaf for r in found.rivals}:
        return
    met = await derive_fork(ledger, partition)
    if met is None or met.ours is None or met.ours.hex() != leaf:
        raise ConfigError(
            f"expected a leaf that stands at {partition}/{index} or that admission gives there, found {leaf}: with any "
            f"other the partition would wait for ever. `rogatory fork show {partition}/{index}`; --unseen does it "
            "anyway"
        )


def _chosen(ledger: Ledger, partition: list[int] | None) -> list[int]:
    chosen = sorted(set(partition)) if partition else list(range(ledger.partitions))
    if any(not 0 <= p < ledger.partitions for p in chosen):
        raise ConfigError(f"expected partitions from 0 to {ledger.partitions - 1}, found {chosen}")
    return chosen


def _place(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,15})", text)
    if found is None:
        raise ConfigError(f"expected PARTITION/INDEX such as 1/5317, found {text[:40]!r}")
    return int(found[1]), int(found[2])


def _standing(fork: Fork) -> str:
    return "not settled" if fork.settled is None else f"settled for {fork.settled}"


def _shown(fork: Fork) -> dict[str, Any]:
    return {"partition": fork.partition, "index": fork.index, "settled": fork.settled, "rivals": fork.rivals}
