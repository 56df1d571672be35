"""``rogatory schema``: what other systems need to check and make events without this code."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from infra.asyncapi import asyncapi
from infra.cli.eventdata import find_type
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, say, show_json
from infra.schemas import Part, outdated, schema_of, write_all
from ledger.errors import ConfigError

_SHOWN = 10


@command(reads=True)
def schema(
    common: Common,
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="One type, such as request.accepted")] = None,
    part: Annotated[
        Part, typer.Option(help="The whole event, its data as on the wire, or its data before anything is sealed")
    ] = "event",
    asyncapi_: Annotated[
        bool, typer.Option("--asyncapi", help="The topics, their headers, keys and messages as AsyncAPI 3 instead")
    ] = False,
    all_: Annotated[
        Path | None, typer.Option("--all", metavar="FOLDER", help="Write the schemas of all types and the AsyncAPI")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="With --all: write nothing; exit 1 if a file there is not current")
    ] = False,
) -> None:
    """The JSON Schema of an event type, or the topics as AsyncAPI: for systems that do not use this code.

    It needs no ledger. What a schema cannot say is listed in docs/exports.md.
    """
    if sum([type_ is not None, asyncapi_, all_ is not None]) != 1:
        raise ConfigError("expected one of TYPE, --asyncapi and --all FOLDER; `rogatory catalogue` lists the types")
    if check and all_ is None:
        raise ConfigError("expected --check beside --all FOLDER, found it alone")
    if type_ is not None:
        show_json(schema_of(find_type(type_), part))
    elif asyncapi_:
        show_json(asyncapi(_release()))
    elif all_ is not None:
        _all(common, all_, check=check)


def _all(common: Common, folder: Path, *, check: bool) -> None:
    if not check:
        written = write_all(folder, _release())
        if common.json:
            show_json({"folder": str(folder), "written": written})
        else:
            say(f"{plural(written, 'file')} written to {folder}.")
        return
    wrong = outdated(folder, _release())
    if common.json:
        show_json({"folder": str(folder), "current": not wrong, "outdated": wrong})
    elif not wrong:
        say(f"The files in {folder} are current.")
    else:
        say(f"{plural(len(wrong), 'file')} in {folder} not current: `rogatory schema --all {folder}` writes them.")
        for path in wrong[:_SHOWN]:
            note(f"  {path}")
    if wrong:
        raise typer.Exit(NO)


def _release() -> str:
    try:
        return version("rogatory")
    except PackageNotFoundError:
        return "0"  # run from a copy that is not installed
