"""``rogatory ledger reopen``, ``mend`` and ``adopt``: what the authorities decide about the ledger as a whole."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from consumers.tail import Tail
from infra.adapters.state_file import read_state
from infra.cli import ledger as commands
from infra.cli import threshold
from infra.cli.options import Common, command
from infra.cli.render import note, plural, say, show_json
from infra.cli.threshold import DryRun, Out, known_register
from infra.wiring import Ledger, make_missing, open_ledger
from ledger.catalogue.own import RulesAdopted, SubmissionsReopened
from ledger.errors import ConfigError, IntegrityError
from ledger.log import LEDGER, SUBMISSIONS
from ledger.state import Snapshot
from ledger.versions import KNOWN_VERSIONS
from producers.builder import Draft

app = commands.app


@app.command()
@command(reads=True)
async def mend(common: Common) -> None:
    """Make those of the ledger's topics anew that are absent, empty and like the others. What was in them is lost."""
    made = await make_missing(common.settings())
    if common.json:
        show_json({"made": made})
        return
    say(f"Made {', '.join(made)}." if made else "No topic is missing.")


@app.command()
@command(reads=True, signs=True, submits=True)
async def reopen(
    common: Common,
    partition: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Only this one; may be repeated. Default: all")
    ] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; sealed")] = None,
    dry_run: DryRun = False,
    out: Out = None,
) -> None:
    """Open a new epoch: the submissions log is made anew, after a restore or a move.

    Stop all registrars and heralds first. Index and leaf of the last record come from the registrar's state file, which
    must be here, and are compared with the ledger. Keep the state files from now on (`rogatory state backup`).
    """
    config = common.settings()
    made = [] if dry_run else await make_missing(config)
    for name in made:
        note(f"Made {name} anew, empty.")
    async with open_ledger(config, note) as ledger:
        chosen = sorted(set(partition)) if partition else list(range(ledger.partitions))
        if any(not 0 <= p < ledger.partitions for p in chosen):
            raise ConfigError(f"expected partitions from 0 to {ledger.partitions - 1}, found {chosen}")
        members: dict[str, Any] = {} if why is None else {"why": why}
        drafts = [await _draft(ledger, p, members) for p in chosen]
        done = await threshold.decide(common, ledger, drafts, out=out, dry_run=dry_run)
    if done and not common.json:
        say(
            f"{plural(len(drafts), 'partition')} reopened. Start the registrars; submit again what was not sealed "
            "before."
        )
        say("The state files are needed from now on: `rogatory state backup FOLDER` whenever registrars are stopped.")


async def _draft(ledger: Ledger, partition: int, members: dict[str, Any]) -> Draft:
    path = ledger.state_path(partition)
    try:
        state = read_state(path)
    except ConfigError as error:
        raise ConfigError(
            f"{error}. A new epoch goes on from the registrar's state: run this where partition {partition}'s "
            "registrar ran (--partition), or bring its file here with `rogatory state restore`"
        ) from None
    if (state.ledger_id, state.partition) != (ledger.ledger_id, partition):
        raise ConfigError(
            f"expected the state of partition {partition} of {ledger.ledger_id} in {path}, found that of partition "
            f"{state.partition} of {state.ledger_id}"
        )
    await check_state(ledger, state)
    submitted = await ledger.log.end(SUBMISSIONS, partition)
    if submitted:
        raise ConfigError(
            f"expected partition {partition} of a new submissions log to be empty, found "
            f"{plural(submitted, 'message')}: an epoch begins with the authorities' statement. If this log is the one "
            "that was sealed, no new epoch is needed; else delete the topic, and this command makes it anew"
        )
    data = SubmissionsReopened(epoch=state.epoch + 1, index=state.index - 1, leaf=state.last_leaf.hex(), **members)
    return Draft(subject=f"ledger/{partition}", data=data)


async def check_state(ledger: Ledger, state: Snapshot) -> None:
    """Whether a state ends where its partition of the ledger ends.

    Raises:
        ConfigError: the ledger goes on behind it, or it holds nothing.
        IntegrityError: its last record does not stand where it says.
    """
    if state.index == 0:
        raise ConfigError(f"expected a state with records of partition {state.partition}, found an empty one")
    where = f"partition {state.partition}"
    tail = Tail(ledger.log.reader(LEDGER, state.partition, state.ledger_next - 1), state.partition)
    try:
        last, further = await tail.peek(state.index - 1), await tail.peek(state.index)
    finally:
        await tail.close()
    if last != (state.ledger_next - 1, state.last_leaf):
        raise IntegrityError(
            f"{where}: expected leaf {state.last_leaf.hex()} at index {state.index - 1}, position "
            f"{state.ledger_next - 1} of the ledger, as the state file says, found "
            f"{last[1].hex() if last else 'nothing'}: one of them is not this ledger's, or was restored from another "
            "day"
        )
    if further is not None:
        raise ConfigError(
            f"{where}: expected a state that ends where the ledger ends, found a record at index {state.index} behind "
            "it: use a newer backup of the state, or let a registrar catch up on the former submissions first"
        )


@app.command()
@command(reads=True, signs=True, submits=True, registers=True)
async def adopt(
    common: Common,
    version: Annotated[int, typer.Argument(min=2, help="The next version of admission and catalogue")],
    dry_run: DryRun = False,
    out: Out = None,
) -> None:
    """Adopt the next version; needs as many authority keys as the threshold says. It cannot be taken back."""
    if version not in KNOWN_VERSIONS:
        raise ConfigError(
            f"expected a version that this release can execute, {', '.join(map(str, sorted(KNOWN_VERSIONS)))}, found "
            f"{version}: every registrar and reader would stop; upgrade them first"
        )
    async with open_ledger(common.settings(), note) as ledger:
        register = await known_register(ledger)
        if version != register.version + 1:
            raise ConfigError(f"expected version {register.version + 1}, the next, found {version}")
        draft = Draft(subject="register", data=RulesAdopted(version=version))
        await threshold.decide(common, ledger, [draft], out=out, dry_run=dry_run)
