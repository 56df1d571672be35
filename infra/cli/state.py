"""``rogatory state``: the registrars' state files; needed to go on once a ledger has a second epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.adapters.state_file import copy_state, read_state
from infra.cli.epoch import check_state
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, progress, say, short, show_json, table
from infra.deriving import derive_state
from infra.reading import is_held
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError, IntegrityError, RogatoryError
from ledger.state import Snapshot

app = typer.Typer(no_args_is_help=True, help="Registrars' state files: show, back up, restore, derive from an archive.")

Folder = Annotated[Path, typer.Argument(help="The backup: one file for each partition")]
Parts = Annotated[list[int] | None, typer.Option("--partition", metavar="N", help="Only this one; may be repeated")]


@app.command()
@command(reads=True)
async def show(common: Common) -> None:
    """What the state files here say, and whether the ledger bears them out; exit 1 if one does not."""
    rows: list[dict[str, Any]] = []
    async with open_ledger(common.settings(), note) as ledger:
        for partition in range(ledger.partitions):
            path = ledger.state_path(partition)
            row: dict[str, Any] = {
                "partition": partition,
                "file": str(path),
                "index": None,
                "epoch": None,
                "leaf": None,
            }
            if not path.exists():
                row["standing"] = "not here"
            elif is_held(path):
                row["standing"] = "in use by a registrar"
            else:
                row |= await _looked_at(ledger, path, partition)
            rows.append(row)
    if common.json:
        show_json(rows)
    else:
        cells = [[r["partition"], r["epoch"], r["index"], short(r["leaf"] or "–"), r["standing"]] for r in rows]
        table(
            "",
            ["partition", "epoch", "records", "last leaf", "standing"],
            cells,
            right=["partition", "epoch", "records"],
        )
    if any(r.get("bad") for r in rows):
        raise typer.Exit(NO)


async def _looked_at(ledger: Ledger, path: Path, partition: int) -> dict[str, Any]:
    try:
        state = _of(ledger, read_state(path), partition, path)
        said = {"index": state.index, "epoch": state.epoch, "leaf": state.last_leaf.hex()}
        await check_state(ledger, state)
    except ConfigError as error:
        return {"standing": str(error), "bad": "behind it" not in str(error) and "empty one" not in str(error)}
    except IntegrityError as error:
        return {"standing": str(error), "bad": True}
    return {**said, "standing": "ends where the ledger ends"}


@app.command()
@command(reads=True)
async def backup(common: Common, folder: Folder, partition: Parts = None) -> None:
    """Copy the state files of registrars that do not run into a folder, each checked against the ledger."""
    copied: list[dict[str, Any]] = []
    async with open_ledger(common.settings(), note) as ledger:
        for number in _chosen(ledger, partition):
            path = ledger.state_path(number)
            if not path.exists() and partition is None:
                note(f"Partition {number} has no state file here.")
                continue
            state = copy_state(path, folder / path.name)
            copied.append(
                {"partition": number, "epoch": state.epoch, "index": state.index, "file": str(folder / path.name)}
            )
    if not copied:
        raise ConfigError(f"expected state files in {ledger.state_path(0).parent}, found none")
    if common.json:
        show_json(copied)
        return
    for one in copied:
        say(f"Partition {one['partition']}: epoch {one['epoch']}, {plural(one['index'], 'record')}, in {one['file']}")


@app.command()
@command(reads=True)
async def restore(common: Common, folder: Folder, partition: Parts = None) -> None:
    """Put state files back from a backup, where none is; refuses what the ledger does not bear out."""
    restored: list[dict[str, Any]] = []
    async with open_ledger(common.settings(), note) as ledger:
        for number in _chosen(ledger, partition):
            path = ledger.state_path(number)
            saved = folder / path.name
            if not saved.exists() and partition is None:
                continue
            state = _of(ledger, read_state(saved), number, saved)
            try:
                await check_state(ledger, state)
            except ConfigError as error:
                note(f"{error}. The registrar catches up from there if the submissions since are still in the log.")
            copy_state(saved, path)
            restored.append({"partition": number, "epoch": state.epoch, "index": state.index, "file": str(path)})
    if not restored:
        raise ConfigError(f"expected state files p0.sqlite, p1.sqlite, … in {folder}, found none")
    if common.json:
        show_json(restored)
        return
    for one in restored:
        say(
            f"Partition {one['partition']}: epoch {one['epoch']}, {plural(one['index'], 'record')}, restored to "
            f"{one['file']}"
        )


@app.command()
@command(reads=True)
async def derive(
    common: Common,
    partition: Annotated[int, typer.Option("--partition", metavar="N", min=0, help="Of this partition")],
    archive: Annotated[
        list[str],
        typer.Option(
            "--archive", metavar="ADDRESS", help="Former submissions: file:FOLDER or kafka://…, oldest epoch first"
        ),
    ],
) -> None:
    """Make a lost state file again from former submissions: admit them anew and compare each record with the ledger."""
    async with open_ledger(common.settings(), note) as ledger:
        (number,) = _chosen(ledger, [partition])
        path = ledger.state_path(number)
        if path.exists():
            raise ConfigError(f"expected no state file at {path}, found one: move it away first")
        try:
            with progress("Admitting", None) as tell:
                state = await derive_state(ledger, number, archive, tell)
        except RogatoryError:
            path.unlink(missing_ok=True)
            raise
    if common.json:
        show_json({"partition": number, "epoch": state.epoch, "index": state.index, "file": str(path)})
        return
    say(
        f"Partition {number}: derived up to the end of epoch {state.epoch}, {plural(state.index, 'record')}, in {path}."
    )
    say("A registrar goes on from there with the submissions that are in the log now.")


def _chosen(ledger: Ledger, partition: list[int] | None) -> list[int]:
    chosen = sorted(set(partition)) if partition else list(range(ledger.partitions))
    if any(not 0 <= p < ledger.partitions for p in chosen):
        raise ConfigError(f"expected partitions from 0 to {ledger.partitions - 1}, found {chosen}")
    return chosen


def _of(ledger: Ledger, state: Snapshot, partition: int, path: Path) -> Snapshot:
    if (state.ledger_id, state.partition) != (ledger.ledger_id, partition):
        raise ConfigError(
            f"expected the state of partition {partition} of {ledger.ledger_id} in {path}, found that of partition "
            f"{state.partition} of {state.ledger_id}"
        )
    return state
