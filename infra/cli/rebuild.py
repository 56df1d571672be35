"""``rogatory rebuild`` and ``rogatory digest``: the projections made again, and the proof that they are the same."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Annotated, Any

import msgspec
import typer

from consumers import replay as replaying
from consumers.finder import holds_settled
from consumers.settlements import Settlements
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, progress, say, short, show_json, table
from infra.cli.rows import bring_up, judging_bar
from infra.projecting import FOLD, open_store
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError
from ledger.log import LEDGER
from projections.engine import plain_url
from projections.store import Store
from projections.view import Generation


class PartitionDigest(msgspec.Struct, frozen=True):
    """What a partition's rows amount to at a size; ``root`` and ``digest`` are hex."""

    partition: int
    size: int
    root: str
    digest: str


@command(reads=True)
async def digest(
    common: Common,
    generation: Annotated[
        int | None, typer.Option(metavar="N", help="Of this build; default: the one that answers")
    ] = None,
) -> None:
    """The digest of the projections, per partition and index: two stores that show the same hold the same."""
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            chosen = _generation(ledger, store, generation)
            found = _digests(ledger, store, chosen)
    if common.json:
        show_json({"generation": chosen, "partitions": found})
        return
    rows = [[d.partition, d.size, short(d.root), d.digest] for d in found]
    title = f"{chosen.fold} version {chosen.fold_version}, generation {chosen.id}"
    table(title, ["partition", "index", "root", "digest"], rows, right=["partition", "index"])


@command(reads=True)
async def rebuild(
    common: Common,
    into: Annotated[
        str | None, typer.Option(metavar="URL", help="Build into this fresh store, and leave --store alone")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the former rows")] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Drop what an interrupted rebuild has left, instead of going on")
    ] = False,
) -> None:
    """Make the projections again from the ledger, compare them with those that answer, and switch.

    Answers go on meanwhile. If the new rows differ from the old ones at the same index, nothing is switched: exit 1.
    """
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            live = _live(ledger, store)
            if into is None:
                target = _building(ledger, store, anew=anew)
                settlements = await ledger.settlements()
                wrong = await _overruled(ledger, store, live, settlements)
                await _replay(ledger, store, target, await _until(ledger, store, live, wrong), settlements)
                differing = _compare(ledger, (store, live), (store, target), wrong)
                if not differing:
                    await asyncio.to_thread(store.switch, target)
                    # From here the new rows answer; what is left is to catch up and to clean up.
                    if live is not None and not keep:
                        await asyncio.to_thread(store.drop, live)
                    await bring_up(ledger, store)
                found = _digests(ledger, store, target)
            else:
                with open_store(into) as fresh:
                    target = _fresh(ledger, fresh, into)
                    settlements = await ledger.settlements()
                    wrong = await _overruled(ledger, store, live, settlements)
                    await _replay(ledger, fresh, target, await _until(ledger, store, live, wrong), settlements)
                    differing = _compare(ledger, (store, live), (fresh, target), wrong)
                    found = _digests(ledger, fresh, target)
    compared = live is not None and live.fold_version == FOLD.version
    _told(common, found, target, differing, compared=compared, switched=into is None and not differing)


async def _overruled(ledger: Ledger, store: Store, live: Generation | None, settlements: Settlements) -> set[int]:
    """The partitions whose live rows were made with a record that the authorities settled against since."""
    wrong: set[int] = set()
    if live is None:
        return wrong
    for partition in range(ledger.partitions):
        settled, saved = settlements.of(partition), store.load(live, partition)
        if settled and not await holds_settled(ledger.log, saved, settled):
            note(
                f"The rows of partition {partition} were made with a record that the authorities settled against: they "
                "are made anew and not compared."
            )
            wrong.add(partition)
    return wrong


async def _until(ledger: Ledger, store: Store, live: Generation | None, wrong: set[int]) -> dict[int, int]:
    """The positions to compare at: where the live rows stand, or the log's ends where nothing can be compared."""
    return {
        p: await ledger.log.end(LEDGER, p) if live is None or p in wrong else store.load(live, p).next
        for p in range(ledger.partitions)
    }


async def _replay(
    ledger: Ledger, store: Store, target: Generation, until: dict[int, int], settlements: Settlements
) -> None:
    nexts: dict[int, int] = {}
    with progress("Replaying", sum(until.values())) as tell:

        def told(partition: int, position: int, _: int) -> None:
            nexts[partition] = position
            tell(sum(nexts.values()))

        outcome = await replaying.replay(
            ledger.log, store, FOLD, target, until=until, progress=told, settlements=settlements
        )
    for fault in outcome.stopped.values():
        raise fault
    with ExitStack() as bars:  # all of it is judged before anybody is answered from it
        await ledger.judge(store, target, progress=judging_bar(bars))


def _compare(
    ledger: Ledger, one: tuple[Store, Generation | None], two: tuple[Store, Generation], wrong: set[int]
) -> list[tuple[PartitionDigest, PartitionDigest]]:
    """The partitions but ``wrong`` that differ although both stand at the same index; none between versions."""
    store, live = one
    if live is None or live.fold_version != two[1].fold_version:
        return []
    before, after = _digests(ledger, store, live), _digests(ledger, *two)
    return [
        (b, a) for b, a in zip(before, after, strict=True) if b.size == a.size and b != a and b.partition not in wrong
    ]


def _digests(ledger: Ledger, store: Store, generation: Generation) -> list[PartitionDigest]:
    found = [store.digest(generation, p) for p in range(ledger.partitions)]
    return [PartitionDigest(c.partition, c.size, c.root, digest_.hex()) for c, digest_ in found]


def _live(ledger: Ledger, store: Store) -> Generation | None:
    mine = [g for g in store.generations(ledger.ledger_id) if g.fold == FOLD.name]
    return next((g for g in mine if g.state == "live"), None)


def _generation(ledger: Ledger, store: Store, number: int | None) -> Generation:
    known = [g for g in store.generations(ledger.ledger_id) if g.fold == FOLD.name]
    found = next((g for g in known if (g.state == "live" if number is None else g.id == number)), None)
    if found is None:
        there = ", ".join(f"{g.id} ({g.state})" for g in known) or "none"
        what = "projections" if number is None else f"generation {number}"
        raise ConfigError(
            f"expected {what} of {ledger.ledger_id} in the store, found {there}: run `rogatory run project`"
        )
    return found


def _building(ledger: Ledger, store: Store, *, anew: bool) -> Generation:
    """A generation to build into: what an interrupted rebuild has left, if it fits, else a new one."""
    left = [g for g in store.generations(ledger.ledger_id) if g.fold == FOLD.name and g.state == "building"]
    going_on = None
    for generation in left:
        if anew or generation.fold_version != FOLD.version:
            store.drop(generation)
        else:
            going_on = generation
    if going_on is not None:
        note(f"Going on with generation {going_on.id}, which an earlier rebuild has left; --anew drops it.")
        return going_on
    return store.new_generation(FOLD, ledger.ledger_id)


def _fresh(ledger: Ledger, store: Store, url: str) -> Generation:
    if any(g.fold == FOLD.name for g in store.generations(ledger.ledger_id)):
        raise ConfigError(f"expected a fresh store with --into, found rows of {ledger.ledger_id} in {plain_url(url)}")
    return store.live(FOLD, ledger.ledger_id)


def _told(
    common: Common,
    found: list[PartitionDigest],
    target: Generation,
    differing: list[tuple[PartitionDigest, PartitionDigest]],
    *,
    compared: bool,
    switched: bool,
) -> None:
    if common.json:
        said: dict[str, Any] = {"generation": target.id, "compared": compared, "switched": switched}
        show_json({**said, "same": not differing, "differing": differing, "partitions": found})
    else:
        rows = [[d.partition, d.size, short(d.root), d.digest] for d in found]
        table("", ["partition", "index", "root", "digest"], rows, right=["partition", "index"])
        for before, after in differing:
            now = f"{short(before.digest)} before, {short(after.digest)} now"
            say(f"Partition {before.partition} DIFFERS at index {before.size}: {now}")
        records = plural(sum(d.size for d in found), "record")
        if differing:
            say("Not switched: the rows that answer were not made from these records by this release.")
        else:
            same = "the same as before" if compared else "nothing to compare with"
            say(f"Rebuilt from {records}: {same}." + (f" Generation {target.id} answers now." if switched else ""))
    if differing:
        raise typer.Exit(NO)
