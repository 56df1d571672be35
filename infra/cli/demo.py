"""``rogatory demo``: a whole ledger in a minute, on this machine, with nothing set up before."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra.cli import demo_tables as show
from infra.cli.demo_law import law_json, read_law, show_law
from infra.cli.demo_year import (
    show_board,
    show_partners,
    show_report,
    show_year,
    tell_year,
    told_json,
)
from infra.cli.options import INTEGRITY, fail, reported
from infra.cli.render import note, say, show_json
from infra.config import Config, FileLedger, load, parse_address
from infra.demo import run
from infra.demo.offices import ALL
from infra.observing import logs
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError
from ledger.register import Register

_SAVED = "rogatory.toml"


def demo(
    ledger: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Where to open it: file:FOLDER or kafka://HOST:PORT/NAME  [default: a fresh folder]"
        ),
    ] = None,
    requests: Annotated[int, typer.Option(min=1, max=10_000, help="How many requests are told")] = 40,
    seed: Annotated[int, typer.Option(help="Another one tells other stories; keys are always new")] = 1,
    keep: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Leave everything there, to try the other commands on")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables")] = False,
) -> None:
    """Open a ledger, publish a stream of signed requests with some wrong ones, and show what comes of it.

    All of it is invented but for the names of public offices. Nothing is left behind unless --keep says where.
    """
    logs.set_up(logging.WARNING, 0, "text")
    with reported():
        told = _Teller(quiet=as_json)
        with _place(keep) as folder:
            config = _config(ledger, folder)
            asyncio.run(_run(config, told, seed, requests, keep))
        if as_json:
            show_json(told.document)
        elif keep is None:
            _forgotten(config)
        if not told.sound:
            fail("the check found a fault; see above", INTEGRITY)


class _Teller:
    """What has been found out so far: printed step by step, or kept for one JSON document."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.sound = True
        self.document: dict[str, Any] = {}
        self._steps = 0

    def step(self, title: str, why: str) -> None:
        """Begin with the next step."""
        self._steps += 1
        if not self.quiet:
            show.heading(self._steps, title, why)

    def tell(self, name: str, value: Any, printed: Any, *args: Any) -> None:
        """Something that was found out: into the document, or printed by a function."""
        self.document[name] = value
        if not self.quiet:
            printed(*args)


async def _run(config: Config, told: _Teller, seed: int, requests: int, keep: Path | None) -> None:
    start = time.monotonic()
    folder = keep or config.data.parent
    config, subject, times = await _small(config, told, seed, requests)
    times += await _year(told, seed, folder / "year")
    if keep is not None:
        _save(config, keep)
    total = time.monotonic() - start
    told.step("Figures", "On this machine, just now; one process plays everybody.")
    figures = [{**msgspec.to_builtins(t), "per_second": round(t.rate)} for t in times]
    told.tell("figures", {"seconds": total, "stages": figures}, show.figures, times, total)
    told.tell("kept", str(keep) if keep else None, show.kept, keep, subject)


async def _small(config: Config, told: _Teller, seed: int, requests: int) -> tuple[Config, str, list[run.Timed]]:
    """A small ledger in all its parts; its settings, a request of it, and how long things took."""
    times: list[run.Timed] = []
    keys = run.Keys.fresh()
    name = "demo" if isinstance(address := config.address(), FileLedger) else address.name

    told.step(
        "A ledger is opened", "Its id follows from the bytes of its first event; whoever knows it can check all of it."
    )
    config = await run.open_new(config, name, keys)
    where = {"ledger_id": config.ledger_id, "ledger": config.ledger, "partitions": run.PARTITIONS, "seed": seed}
    told.tell("opened", where, show.opened, config, keys)

    async with _opened(config) as (ledger, store):
        told.step("Offices and their keys", "The register says who may sign; every partition holds the same one.")
        times.append(await run.enrol(ledger, keys))
        register = await ledger.register()
        assert register is not None
        told.tell("offices", _offices(register), show.offices, register, ALL, times[-1])

        told.step(
            "A stream of requests", "Each act is signed by its office; what is not meant for all is sealed first."
        )
        published = await run.publish(ledger, keys, seed, requests)
        times += published.times
        counts = {
            "requests": requests, "admitted": len(published.sealed), "refused": len(published.refusals), "twice": 1,
            "sealed_fields": published.boxes,
        }  # fmt: skip
        told.tell("stream", counts, show.stream, requests, published)

        told.step(
            "Where they stand", "Who owes the next step. With ? a question that is open, with ! what was out of order."
        )
        begun = time.monotonic()
        await ledger.project(store)
        sizes = ledger.queries(store).positions().value
        times.append(run.Timed("folded into rows", sum(p.size for p in sizes), time.monotonic() - begun))
        page = ledger.queries(store).list_status(order="ball_since", limit=requests).value
        told.tell("requests", [show.status_json(known) for known in page.rows], show.standing, page.rows)

        told.step("What was refused", "Only what cannot be trusted or read. Each refusal is kept, with its reason.")
        told.tell("refused", published.refusals, show.refused, published.refusals)
        told.tell("twice", published.twice, show.twice, published.twice)

        told.step("One request, record by record", "Each record names the one before it by its hash.")
        subject = max(page.rows, key=lambda known: known.seq).subject
        history = await show.read_history(ledger, store, subject)
        told.tell("history", {"request": subject, "records": history}, show.history, subject, history)

        told.step(
            "Was the law kept?",
            "55 obligations of Order 136, the Protocol and the Agreement, each verdict with the records it rests on.",
        )
        law = read_law(ledger, store)
        told.tell("law", law_json(law), show_law, law)

        told.step("Is it true?", "The ledger is read from its start: chain, seals, tree, every signature.")
        checked = await run.check(ledger, store)
        times += checked.times
        told.sound = checked.sound
        found = {"sound": checked.sound, "partitions": checked.reports, "rebuilt_the_same": checked.rebuilt}
        told.tell("check", found, show.check, checked)

    return config, subject, times


async def _year(told: _Teller, seed: int, folder: Path) -> list[run.Timed]:
    """The second half: a simulated year in a ledger of its own."""
    told.step(
        "A year of an office is simulated",
        "Its simulator knows neither rules nor projections, and notes beside the stream what it planted in it.",
    )
    year = await tell_year(folder, seed)
    told.tell("year", told_json(year), show_year, year)
    told.step("Partners in figures", "Each number is a sum of records, and `rogatory partners --records` lists them.")
    told.tell("partners", year.partners.rows, show_partners, year)
    told.step(
        "The board", "What was planted, and what the rulebook found breached; `rogatory compliance` shows it all."
    )
    told.tell("board", year.found, show_board, year)
    told.step("A report", "The annual information of the office with the most direct exchanges (Order 136, 3.6).")
    told.tell("report", {"office": year.office, "files": year.files}, show_report, year)
    return year.times


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[tuple[Ledger, Any]]:
    async with open_ledger(config, note) as ledger:
        await run.admit(ledger)
        with ledger.store() as store:
            yield ledger, store


def _offices(register: Register) -> list[dict[str, Any]]:
    return [
        {
            **msgspec.to_builtins(office),
            "keys": [
                {"kid": key.kid, "use": key.use, "revoked": key.revoked is not None}
                for key in register.keys.values()
                if key.office == office.code
            ],
        }
        for office in register.offices.values()
    ]


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    """The folder to work in: the one to keep, or one that is removed at the end.

    Raises:
        ConfigError: there is something in it.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="rogatory-demo-") as folder:
            yield Path(folder)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigError(f"expected --keep to name a new or empty folder, found {keep} with something in it")
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"expected to make the folder {keep} for --keep, found {error.strerror}") from None
    yield keep


def _config(ledger: str | None, folder: Path) -> Config:
    """The settings: only what is given here counts, nothing of the environment or of a settings file."""
    given = {"ledger": ledger or f"file:{folder / 'ledger'}", "data": str(folder / "data")}
    parse_address(given["ledger"])
    return load(given, file=Path(os.devnull), environ={})


def _save(config: Config, folder: Path) -> None:
    address = config.address()
    ledger = config.ledger
    if isinstance(address, FileLedger):
        inside = address.folder.resolve().is_relative_to(folder.resolve())
        # Paths in the file are relative to it.
        ledger = "file:ledger" if inside else f"file:{address.folder.resolve()}"
    lines = {"ledger": ledger, "ledger_id": config.ledger_id, "data": "data"}
    text = "# Written by `rogatory demo`.\n"
    text += "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    (folder / _SAVED).write_text(text, encoding="utf-8")


def _forgotten(config: Config) -> None:
    address = config.address()
    if isinstance(address, FileLedger) and not address.folder.exists():
        say("Everything lay in a temporary folder and is gone; --keep FOLDER leaves it for you to look at.")
    else:
        say(f"The ledger stays at {config.ledger}; its keys are gone, so nothing more can be said in it.")
