"""``rogatory store``: the database of the projections, its schema and what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from infra.cli.options import Common, command
from infra.cli.render import note, plural, say, show_json, table, when
from infra.projecting import open_store
from projections.describing import Build, Described, describe
from projections.migrating import Step

app = typer.Typer(no_args_is_help=True, help="The projection store: its schema and what stands in it.")


@app.command()
@command(reads=True)
def show(common: Common) -> None:
    """What the store is: where, which schema, which generations of rows, how far each has come. Changes nothing."""
    url = common.settings().store
    found = describe(url)
    if common.json:
        show_json(found)
        return
    say(f"{found.url}: {_said(found)}")
    for step in found.pending:
        say(f"  to do: {step.revision}, {step.does}")
    rows = [row for build in found.generations for row in _rows(build)]
    if rows:
        columns = ["generation", "state", "projection", "ledger", "made", "partition", "records", "next position"]
        table("", columns, rows, right=["generation", "partition", "records", "next position"])


def _rows(build: Build) -> Iterator[list[Any]]:
    about = [build.id, build.state, f"{build.fold} version {build.fold_version}", build.ledger_id]
    for stand in build.partitions:
        yield [*about, when(build.created_at), stand.partition, stand.size, stand.next]
    if not build.partitions:
        yield [*about, when(build.created_at), None, 0, 0]


def _said(found: Described) -> str:
    if found.schema is None:
        return "no store there yet; the first command that needs one makes it"
    if found.schema == found.newest:
        return f"{found.server}, schema {found.schema}, the newest"
    if found.pending:
        return f"{found.server}, schema {found.schema}, of an older release: `rogatory store migrate`"
    return f"{found.server}, schema {found.schema}, of a newer release than this one"


@app.command()
@command()
def migrate(common: Common) -> None:
    """Bring a store of an older release to the schema of this one: all steps or none.

    Rows that the new release makes in another way go; the next command that needs them makes them from the ledger.

    An empty database becomes an empty store, as with the first command that needs one.

    Stop what uses the store first: the older release does not know the new tables.
    """
    url = common.settings().store
    found = describe(url)
    if found.pending:
        note(
            f"Migrating {found.url} from schema {found.schema} to {found.newest}: {plural(len(found.pending), 'step')}."
        )

    def told(step: Step) -> None:
        note(f"  {step.number} of {step.of}: {step.revision}, {step.does}")

    with open_store(url, migrate=True, told=told):
        pass
    done = "has been brought to" if found.pending else "was made at" if found.schema is None else "was already at"
    say(f"{found.url} {done} schema {found.newest}.")
