"""``rogatory authority``: what the threshold decides, signed one after the other on machines that share no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.adapters.keys import load_signer
from infra.cli import threshold
from infra.cli.eventdata import find_type, make_data, read_members
from infra.cli.options import Common, command
from infra.cli.render import note, say
from infra.cli.threshold import DryRun, add_signatures, known_register, tell
from infra.statements import read_envelopes, write_envelopes
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from ledger.signers import THRESHOLD_TYPES
from producers.builder import Draft

app = typer.Typer(
    no_args_is_help=True,
    help="Decisions of the authorities, signed one after the other in a file: draft, sign, publish.",
)

File = Annotated[Path, typer.Argument(help="A file of statements, as `authority draft` or --out has made it")]


@app.command()
@command(reads=True, signs=True)
async def draft(
    common: Common,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="Such as rules.adopted or fork.settled")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where it is written")],
    members: Annotated[
        str, typer.Option("--fields", metavar="JSON|FILE|-", help="The event's data; sealed fields in plain text")
    ] = "{}",
    subject: Annotated[str, typer.Option(help="What it is about")] = "register",
) -> None:
    """Write an event that needs the threshold to a file, signed by nobody yet (or by those named with --key)."""
    row = find_type(type_)
    if row.name not in THRESHOLD_TYPES - {"register.opened"}:
        raise ConfigError(
            f"expected a type that the threshold decides, {', '.join(sorted(THRESHOLD_TYPES - {'register.opened'}))}, "
            f"found {row.name}: `rogatory publish` takes the others"
        )
    made = Draft(subject=subject, data=make_data(row, read_members(members)))
    async with open_ledger(common.settings(), note) as ledger:
        await threshold.decide(common, ledger, [made], out=out)


@app.command("sign")
@command(reads=True)
def sign_(
    common: Common,
    file: File,
    key: Annotated[list[str], typer.Option("--key", metavar="REF", help="Key that signs; repeat for more")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write here; default: the same file")
    ] = None,
) -> None:
    """Show what a file says and add signatures to it. Needs no ledger: read it before you sign."""
    envelopes = read_envelopes(file)
    signers = [load_signer(reference) for reference in key]
    signed = [add_signatures(e, signers) for e in envelopes]
    write_envelopes(out or file, signed, fresh=out is not None)
    tell(common, signed, None)
    if not common.json:
        say(f"Signed by {', '.join(s.kid for s in signers)}; in {out or file}.")


@app.command()
@command(reads=True)
async def show(common: Common, file: File) -> None:
    """What a file says, who has signed it, and how many are missing."""
    envelopes = read_envelopes(file)
    async with open_ledger(common.settings(), note) as ledger:
        tell(common, envelopes, await known_register(ledger))


@app.command()
@command(reads=True, submits=True, registers=True)
async def publish(common: Common, file: File, dry_run: DryRun = False) -> None:
    """Publish what a file says, once the threshold has signed it. Publishing it again is harmless."""
    envelopes = read_envelopes(file)
    async with open_ledger(common.settings(), note) as ledger:
        register = await known_register(ledger)
        if dry_run:
            tell(common, envelopes, register)
            return
        await threshold.publish(common, ledger, envelopes, register)
