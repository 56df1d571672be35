"""``rogatory import``: other systems' logs as events of an office."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.adapters.vault import VaultFile
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, progress, say, show_json
from infra.cli.submit import answer, decide
from infra.signing import choose
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError, RogatoryError
from ledger.log import OUTCOMES
from ledger.outcome import read_outcome
from producers.builder import Draft, compartment_of
from producers.importers.drafts import drafts
from producers.importers.mapping import LogMap, read_map
from producers.importers.xes import Case, read_cases, survey
from producers.publisher import Publisher
from producers.receipt import Submitted

app = typer.Typer(no_args_is_help=True, help="Import other systems' logs; importing one again adds nothing.")
_CHUNK = 2000
_SHOWN = 8


@app.callback()
def importing() -> None:
    """Keeps ``xes`` a command of its own although it is the only one."""


class Tally:
    """Which offsets were submitted, as runs, so that a million of them take no room."""

    def __init__(self) -> None:
        self.last: dict[int, Submitted] = {}
        self.count = 0
        self._runs: dict[int, list[tuple[int, int]]] = {}

    def add(self, submitted: list[Submitted]) -> None:
        """Note some more."""
        self.count += len(submitted)
        for one in submitted:
            runs = self._runs.setdefault(one.partition, [])
            if runs and runs[-1][1] == one.offset:
                runs[-1] = (runs[-1][0], one.offset + 1)
            else:
                runs.append((one.offset, one.offset + 1))
            self.last[one.partition] = one

    def has(self, partition: int, offset: int) -> bool:
        """Whether it is one of ours."""
        runs = self._runs.get(partition, [])
        at = bisect_right(runs, offset, key=lambda run: run[0]) - 1
        return at >= 0 and runs[at][0] <= offset < runs[at][1]


@app.command()
@command(reads=True, signs=True, submits=True)
async def xes(
    common: Common,
    file: Annotated[Path, typer.Argument(help="An event log in XES, plain or gzip")],
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Which events are which acts (TOML); default: all are steps"),
    ] = None,
) -> None:
    """Import an event log: each case becomes a request, each event a signed act or step.

    The same log gives the same events, so an import that was interrupted is simply started again.
    """
    mapping = LogMap() if map_ is None else read_map(map_)
    if not file.is_file():
        raise ConfigError(f"expected an event log in XES at {file}, found none")
    async with open_ledger(common.settings(), note) as ledger:
        names = {rule.row.name for rule in mapping.rules.values()} or {"step.taken"}
        hand = choose(ledger.config, await ledger.register(), min(names))
        starts = {p: await ledger.log.end(OUTCOMES, p) for p in range(ledger.partitions)}
        tally, cases = Tally(), Counter[str]()
        async with ledger.publisher(hand.office, hand.signers) as publisher:
            with ledger.vault() as vault:
                await _submit(file, mapping, publisher, vault, tally, cases)
            tasks = [asyncio.ensure_future(answer(publisher, last)) for last in tally.last.values()]
            if tasks:
                await decide(common, ledger, tasks)
            decided = all(task.done() for task in tasks)
            for task in tasks:
                task.cancel()
        found = await _outcomes(ledger, tally, starts) if decided else Counter()
    _told(common, hand.office, tally.count, len(cases), found if decided else None)


async def _submit(
    file: Path, mapping: LogMap, publisher: Publisher, vault: VaultFile, tally: Tally, cases: Counter[str]
) -> None:
    """Read, build, sign and submit, a chunk at a time."""
    seen = await asyncio.to_thread(survey, file)
    made = drafts(
        _counted(read_cases(file, mapping.keys), cases), mapping, seen.digest, vault.key_for("importer", "persons")
    )
    with progress("Submitting", seen.events) as tell:
        try:
            while chunk := list(islice(made, _CHUNK)):
                # One transaction for the keys of many subjects: one for each would wait for the disk each time.
                vault.keys_for({_place(draft) for draft in chunk})
                tally.add(await publisher.submit_all([publisher.create(draft) for draft in chunk]))
                tell(tally.count)
        except (RogatoryError, OSError):
            if tally.count:
                note(f"{tally.count} of {plural(seen.events, 'event')} were submitted; starting again adds the rest.")
            raise


def _counted(cases: Iterator[Case], counter: Counter[str]) -> Iterator[Case]:
    for case in cases:
        counter[case.name] += 1
        yield case


def _place(draft: Draft) -> tuple[str, str]:
    return draft.subject, compartment_of(draft.data)


async def _outcomes(ledger: Ledger, tally: Tally, starts: dict[int, int]) -> Counter[str]:
    """Reasons of those submissions of ours that became no record."""
    found: dict[tuple[int, int, int], str] = {}
    for partition, start in starts.items():
        reader = ledger.log.reader(OUTCOMES, partition, start)
        try:
            while piece := await reader.read(1000):
                for key, outcome in map(read_outcome, piece):
                    if tally.has(partition, key.offset):
                        found.setdefault((key.partition, key.epoch, key.offset), outcome.reason)
        finally:
            await reader.close()
    return Counter(found.values())


def _told(common: Common, office: str, submitted: int, cases: int, found: Counter[str] | None) -> None:
    refused = sum(found.values()) - found["duplicate"] if found is not None else None
    said: dict[str, Any] = {"office": office, "cases": cases, "submitted": submitted, "decided": found is not None}
    if found is not None:
        said |= {
            "admitted": submitted - sum(found.values()),
            "duplicate": found["duplicate"],
            "refused": refused,
            "reasons": found,
        }
    if common.json:
        show_json(said)
    else:
        say(f"{plural(cases, 'case')}, {plural(submitted, 'event')} submitted by {office}.")
        if found is None:
            say("Not all decided yet. Is a registrar running? `rogatory run all`")
        else:
            say(f"{said['admitted']} admitted, {said['duplicate']} there already, {refused} refused.")
            for reason, number in found.most_common(_SHOWN):
                if reason != "duplicate":
                    say(f"  {reason}: {number}; `rogatory outcomes --reason {reason}` has them")
    if refused:
        raise typer.Exit(NO)
