"""``rogatory broker``: a real Kafka on this machine, for trying things out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from infra.adapters import broker
from infra.cli.options import NO, reported
from infra.cli.render import note, plural, say, show_json
from ledger.errors import ConfigError

app = typer.Typer(
    no_args_is_help=True, help="A real Kafka on this machine, without Docker: for trials, not for production."
)

_Data = Annotated[
    Path | None,
    typer.Option("--data", "--data-folder", metavar="FOLDER", help="Its folder (default: broker in the data folder)"),
]


def _folder(data: Path | None) -> Path:
    return data or Path(os.environ.get("ROGATORY_DATA") or "rogatory-data") / "broker"


@app.command()
def start(
    nodes: Annotated[int, typer.Option(help="1 or 3")] = 1,
    data: _Data = None,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Until it must answer")] = 60.0,
) -> None:
    """Start it, or find it running; returns when every node answers.

    The first time fetches Kafka, which takes a minute at most.
    """
    with reported():
        if nodes not in (1, 3):
            raise ConfigError(f"expected --nodes 1 or 3, found {nodes}")
        running = broker.start(_folder(data), nodes, say=note, timeout=timeout)
        say(f"kafka://{running.bootstrap}/NAME is where a ledger can be opened: ")
        say(f"  rogatory ledger open assistance --ledger kafka://{running.bootstrap}/assistance")
        if len(running.nodes) == 1:
            say("A single node loses what it has not written when the machine stops; --nodes 3 survives a node.")


@app.command()
def stop(data: _Data = None) -> None:
    """Stop it; its data stay."""
    with reported():
        say("Stopped." if broker.stop(_folder(data)) else f"No broker runs in {_folder(data)}.")


@app.command()
def status(data: _Data = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False) -> None:
    """Whether it runs, and its address; exit 1 if it does not."""
    with reported():
        running = broker.status(_folder(data))
        if as_json:
            shown = None if running is None else {"bootstrap": running.bootstrap, "nodes": running.nodes}
            show_json({"running": running is not None, "broker": shown})
        elif running is None:
            say(f"No broker runs in {_folder(data)}.")
        else:
            say(f"{running.bootstrap}: {plural(len(running.nodes), 'node')} alive in {_folder(data)}")
        if running is None:
            raise typer.Exit(NO)
