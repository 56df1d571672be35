"""``rogatory poison``: records that a projection cannot digest, and the signed word that it may pass over one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from consumers.finder import Found, read_record
from consumers.skipping import Statements
from infra.cli.eventdata import find_type, make_data
from infra.cli.options import Common, command
from infra.cli.render import note, say, short, show_json, table, when
from infra.cli.submit import deliver, raise_refusal, report
from infra.signing import choose
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError, IntegrityError, PoisonRecord
from ledger.event import read_event
from ledger.seal import read_seal
from producers.builder import Draft
from producers.receipt import Sealed
from projections.poison import Noted, standing
from projections.store import Store

app = typer.Typer(no_args_is_help=True, help="Records that a projection cannot digest; their partitions stand still.")

_TYPE = "poison.skipped"
_Partition = Annotated[int, typer.Argument(min=0, help="The partition that stands still")]
_Index = Annotated[int, typer.Argument(min=0, help="The record's index in it")]
_Projection = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of this projection; needed only where several stand at the record")
]


@app.command("list")
@command(reads=True)
async def list_(common: Common) -> None:
    """Where projections stand still, and since when."""
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            found = standing(store, ledger.ledger_id)
    if common.json:
        show_json({"ledger_id": ledger.ledger_id, "poison": found})
        return
    if not found:
        say("No projection stands at a poison record.")
        return
    columns = ["projection", "rows", "partition", "index", "subject", "type", "since", "leaf"]
    rows = [
        [n.projection, n.state, n.partition, n.index, n.subject, n.type, when(n.found_at), short(n.leaf)] for n in found
    ]
    table("", columns, rows, right=["partition", "index"])
    say("`rogatory poison show PARTITION INDEX` says what was expected.")


@app.command()
@command(reads=True)
async def show(
    common: Common,
    partition: _Partition,
    index: _Index,
    projection: _Projection = None,
    record: Annotated[
        bool, typer.Option("--record", help="Also the event as the ledger has it; what is sealed stays sealed")
    ] = False,
) -> None:
    """One poison record: where it stands, what was expected, how to go on."""
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            noted = _find(ledger, store, partition, index, projection)
            found = await _read(ledger, store, noted)
    event = read_event(found.stored.value or b"")
    seal = read_seal(found.seal_text)
    said: dict[str, Any] = {
        **msgspec.to_builtins(noted),
        "id": event.id,
        "source": event.source,
        "seq": seal.seq,
        "admitted": seal.admitted,
        "bytes": len(found.stored.value or b""),
    }
    if record:
        said["event"] = msgspec.Raw(found.stored.value or b"")
    if common.json:
        show_json(said)
        return
    say(f"{noted.projection}: partition {partition} stands before index {index} since {when(noted.found_at)}")
    say(noted.reason)
    rows: list[list[object]] = [
        ["subject", f"{noted.subject}, its record {seal.seq}"],
        ["event", f"{noted.type} {event.id}, {said['bytes']} bytes, signed for {event.source}"],
        ["admitted", when(seal.admitted)],
        ["leaf", noted.leaf],
        ["log position", noted.position],
    ]
    table("", ["record", ""], rows)
    if record:
        say(msgspec.json.format(found.stored.value or b"", indent=2).decode())
    else:
        say("--record shows the event as the ledger has it; what is sealed stays sealed.")
    say(
        "A newer release that can digest it goes on by itself. To go on without it: "
        f"`rogatory poison skip {partition} {index} --reason TEXT`; the facts of {noted.subject} then lack this record."
    )


@app.command()
@command(reads=True, signs=True, submits=True)
async def skip(
    common: Common,
    partition: _Partition,
    index: _Index,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it may be passed over; sealed")],
    projection: _Projection = None,
) -> None:
    """Let a projection pass over a record that it cannot digest; a signed event that says so for good.

    The record stays in the ledger and in its subject's history; the facts of the subject stay as they were before it.
    """
    if not reason.strip():
        raise ConfigError("expected --reason with a text, found none: who reads the ledger later shall know why")
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            noted = _find(ledger, store, partition, index, projection)
            await _read(ledger, store, noted)
        if (said := await _said(ledger, noted)) is not None:
            say(f"Index {said} says so already; the partition goes on when a worker of the projection has read it.")
            return
        members = {"projection": noted.projection, "index": index, "leaf": noted.leaf, "why": reason}
        draft = Draft(subject=f"ledger/{partition}", data=make_data(find_type(_TYPE), members))
        hand = choose(ledger.config, await ledger.register(), _TYPE, None)
        async with ledger.publisher(hand.office, hand.signers) as publisher:
            (delivery,) = await deliver(common, ledger, publisher, [publisher.create(draft)])
    if common.json:
        show_json(delivery.shown())
    else:
        report(delivery)
        if isinstance(delivery.answer, Sealed):
            say("The partition goes on when a worker of the projection has read this.")
    raise_refusal([delivery], told=common.json)


def _find(ledger: Ledger, store: Store, partition: int, index: int, projection: str | None) -> Noted:
    """What the store tells of the record, from the rows that answer where there are others too."""
    found = standing(store, ledger.ledger_id)
    here = [n for n in found if (n.partition, n.index) == (partition, index) and projection in (None, n.projection)]
    if not here:
        there = ", ".join(f"{n.partition} {n.index} ({n.projection})" for n in found) or "none"
        raise ConfigError(
            f"expected a projection that stands before index {index} of partition {partition}, found {there}; "
            "`rogatory poison list` shows them"
        )
    if len({n.projection for n in here}) > 1:
        names = ", ".join(sorted({n.projection for n in here}))
        raise ConfigError(f"expected --projection with one of {names}, which all stand at this record, found none")
    return max(here, key=lambda n: n.state == "live")


async def _read(ledger: Ledger, store: Store, noted: Noted) -> Found:
    """The record as the ledger has it.

    Raises:
        IntegrityError: the ledger has another one there.
    """
    generation = next(g for g in store.generations(ledger.ledger_id) if g.id == noted.generation)
    place = store.place(generation, noted.partition, noted.index)
    found = await read_record(ledger.log, noted.partition, noted.index, place)
    if found.leaf.hex() != noted.leaf:
        raise IntegrityError(
            f"index {noted.partition}/{noted.index}: expected leaf {noted.leaf}, which the projection met, found "
            f"{found.leaf.hex()}: `rogatory check --partition {noted.partition}`"
        )
    return found


async def _said(ledger: Ledger, noted: Noted) -> int | None:
    """The index of a statement that lets the projection pass, if there is one already."""
    met = PoisonRecord(
        noted.reason,
        partition=noted.partition,
        position=noted.position,
        index=noted.index,
        leaf=bytes.fromhex(noted.leaf),
        subject=noted.subject,
        type_=noted.type,
    )
    return await Statements(ledger.log, noted.partition).find(noted.projection, met)
