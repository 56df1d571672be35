"""``rogatory rulebook check | export | adopt | keep``: folders of profiles, and making one the rulebook in use."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.eventdata import find_type, make_data
from infra.cli.options import NO, Common, command
from infra.cli.register import change
from infra.cli.render import note, plural, say, short, show_json
from infra.cli.rows import freshen
from infra.judging import rulebooks_of
from infra.rulebook_files import keep, texts_of, write_texts
from infra.rulebooks import read_folder
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError
from projections.compliance.checking import faults
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import Rulebook, built_in, built_in_texts

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="With the profiles, one TOML file for each instrument")]


@command(reads=True)
def check(common: Common, folder: Folder) -> None:
    """Whether a folder of profiles is a rulebook; exit 1 and what is wrong."""
    try:
        rulebook = read_folder(folder)
        wrong = faults(rulebook)
    except ConfigError as error:
        if not folder.is_dir():
            raise
        rulebook, wrong = None, [str(error)]
    if common.json:
        show_json(
            {"folder": str(folder), "sha256": None if rulebook is None else rulebook.sha256, "faults": wrong}
            | ({} if rulebook is None else _counts(rulebook))
        )
    elif rulebook is None or wrong:
        for fault in wrong:
            say(fault)
    else:
        say(f"{_said(rulebook)}; nothing is wrong with it.")
    if wrong:
        raise typer.Exit(NO)


def _counts(rulebook: Rulebook) -> dict[str, Any]:
    return {"instruments": len(rulebook.profiles), "rules": sum(1 for _ in rulebook.rules())}


def _said(rulebook: Rulebook) -> str:
    counts = _counts(rulebook)
    return (
        f"{plural(counts['rules'], 'rule')} of {plural(counts['instruments'], 'instrument')}, digest {rulebook.sha256}"
    )


@command(reads=True)
def export(
    common: Common,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; made if it is not there")],
    kept: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Copy these instead, such as rulebooks/<digest>")
    ] = None,
) -> None:
    """Write the profiles that this release brings into a folder.

    They are the start of a rulebook of your own: change them, `rogatory rulebook check`, `rogatory rulebook diff`,
    `rogatory rulebook adopt`.
    """
    if kept is None:
        texts, rulebook = built_in_texts(), built_in()
    else:
        rulebook = read_folder(kept)
        texts = texts_of(kept)
    files = write_texts(texts, folder)
    if common.json:
        show_json({"folder": str(folder), "files": [path.name for path in files], "sha256": rulebook.sha256})
        return
    say(f"{plural(len(files), 'profile')} in {folder}: {_said(rulebook)}.")


@command(reads=True)
async def keep_(common: Common, folder: Folder) -> None:
    """Keep a copy of a rulebook here that was adopted from another machine.

    Readers find it by its digest; whether it is in use the register alone says.
    """
    _must_be_sound(folder)
    async with open_ledger(common.settings(), note) as ledger:
        rulebook, place = keep(folder, rulebooks_of(ledger).folder)
    if common.json:
        show_json({"sha256": rulebook.sha256, "kept": str(place)})
        return
    say(f"Kept in {place}: {_said(rulebook)}.")


@command(reads=True, signs=True, submits=True, registers=True)
async def adopt(
    common: Common,
    folder: Folder,
    version: Annotated[str, typer.Option(metavar="V", help="What it is called, such as 2026.1")],
    valid_from: Annotated[
        str | None, typer.Option(metavar="DAY", help="From when on it covers what the texts say; default: today")
    ] = None,
    update: Annotated[
        bool | None,
        typer.Option(
            "--update/--no-update", help="Bring the projections up to date first (default: on a file: ledger)"
        ),
    ] = None,
) -> None:
    """Record in the register that a folder of profiles is the rulebook in use.

    A copy of it is kept here under its digest; other machines that judge need it, too: `rogatory rulebook keep`.
    Verdicts follow it as soon as the record is read. `rogatory rulebook diff` says before which ones change.
    """
    proposed = _must_be_sound(folder)
    async with open_ledger(common.settings(), note) as ledger:
        now = await _now_in_use(ledger, update)
        if now is not None and (now.sha256, now.version) == (proposed.sha256, version):
            raise ConfigError(
                f"expected another rulebook than the one in use, found the same: {now.version} ({short(now.sha256)})"
            )
        # Before the record: a crash between the two leaves a copy that nobody asks for, never a record without one.
        rulebook, place = keep(folder, rulebooks_of(ledger).folder)
        note(f"Kept in {place}: {_said(rulebook)}.")
        members = {
            "version": version,
            "sha256": rulebook.sha256,
            "profiles": [{"instrument": p.instrument.id, "sha256": p.sha256} for p in rulebook.profiles],
            "valid_from": valid_from or date.today().isoformat(),  # noqa: DTZ011 - the day where the person sits
        }
        await change(common, ledger, make_data(find_type("rulebook.adopted"), members))


def _must_be_sound(folder: Path) -> Rulebook:
    rulebook = read_folder(folder)
    wrong = faults(rulebook)
    if wrong:
        more = f" and {len(wrong) - 1} more: `rogatory rulebook check`" if len(wrong) > 1 else ""
        raise ConfigError(f"{folder}: {wrong[0]}{more}")
    return rulebook


async def _now_in_use(ledger: Ledger, update: bool | None) -> Rulebook | None:
    """The rulebook in use; None where the adopted one is not here, so that another can be adopted in its place."""
    with ledger.store() as store:
        await freshen(ledger, store, update)
        register = Compliance(store, ledger.ledger_id, built_in()).register()
        if register.adopted() is None:
            return None
        try:
            return rulebooks_of(ledger).in_use(register)
        except ConfigError as error:
            note(str(error))
            return None
