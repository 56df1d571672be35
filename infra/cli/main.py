"""``rogatory``: the command, put together. Exit codes are in ``options.py``."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated

import typer

from infra.cli import authority, broker, fork, keys, ledger, poison, register, running, state, store
from infra.cli import epoch as _epoch  # noqa: F401 - adds its commands to ledger
from infra.cli import rotation as _rotation  # noqa: F401 - adds its commands to keys
from infra.cli.checking import check
from infra.cli.importing import app as importing
from infra.cli.lag import lag
from infra.cli.outbox import app as outbox
from infra.cli.outcomes import outcomes
from infra.cli.publish import catalogue, publish
from infra.cli.ready import ready
from infra.cli.rebuild import digest, rebuild
from infra.cli.status import status

_HELP = """A signed, append-only ledger of acts in international legal co-operation.

Begin with `rogatory demo`, or with `rogatory ledger open NAME`.
Settings come from the options, else from ROGATORY_… in the environment, else from ./rogatory.toml.
Exit codes: 0 done, 1 the answer is no, 2 wrong usage or settings, 3 log or store do not answer, 4 call a person.
"""

app = typer.Typer(
    name="rogatory",
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_BEGIN, _SAY, _RUN, _ASK = "Begin", "Say", "Run", "Ask"


def _version(asked: bool) -> None:
    if asked:
        try:
            sys.stdout.write(f"rogatory {version('rogatory')}\n")
        except PackageNotFoundError:
            sys.stdout.write("rogatory, not installed\n")
        raise typer.Exit


@app.callback()
def rogatory(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is")
    ] = False,
) -> None:
    """The entry of all commands; its help is the application's."""


if find_spec("infra.cli.demo") is not None:
    app.command(rich_help_panel=_BEGIN)(import_module("infra.cli.demo").demo)
app.add_typer(ledger.app, name="ledger", rich_help_panel=_BEGIN)
app.add_typer(keys.app, name="keys", rich_help_panel=_BEGIN)
app.add_typer(register.app, name="register", rich_help_panel=_BEGIN)
app.add_typer(authority.app, name="authority", rich_help_panel=_BEGIN)
app.add_typer(broker.app, name="broker", rich_help_panel=_BEGIN)
app.command(rich_help_panel=_SAY)(publish)
app.command(rich_help_panel=_SAY)(catalogue)
app.add_typer(importing, name="import", rich_help_panel=_SAY)
app.add_typer(outbox, name="outbox", rich_help_panel=_SAY)
app.add_typer(running.app, name="run", rich_help_panel=_RUN)
app.add_typer(fork.app, name="fork", rich_help_panel=_RUN)
app.add_typer(state.app, name="state", rich_help_panel=_RUN)
app.command(rich_help_panel=_RUN)(ready)
app.command(rich_help_panel=_RUN)(rebuild)
app.command(rich_help_panel=_RUN)(lag)
app.add_typer(store.app, name="store", rich_help_panel=_RUN)
app.add_typer(poison.app, name="poison", rich_help_panel=_RUN)
app.command(rich_help_panel=_ASK)(status)
app.command(rich_help_panel=_ASK)(outcomes)
app.command(rich_help_panel=_ASK)(digest)
app.command(rich_help_panel=_ASK)(check)


def main() -> None:
    """Run the command line."""
    app(prog_name="rogatory")


if __name__ == "__main__":
    main()
