"""``rogatory publish`` and ``rogatory catalogue``: saying something, and what can be said."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.eventdata import expectation, find_type, make_data, parse_line, read_members
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, say, show_json, table
from infra.cli.submit import Delivery, change_register, deliver, raise_refusal, report
from infra.signing import Hand, choose
from infra.wiring import Ledger, open_ledger
from ledger.catalogue.describe import FieldNote, TypeNote, describe, describe_all
from ledger.errors import ConfigError, FieldError
from ledger.register import Register
from producers.builder import Draft, Signed
from producers.publisher import Publisher
from producers.receipt import Sealed, SubmissionRefused

_REGISTER = "register"
_SHOWN = 20  # refusals of a file that are listed one by one


@command(reads=True, signs=True, submits=True, data=False)
async def publish(
    common: Common,
    subject: Annotated[
        str | None, typer.Argument(help="What it is about: request/2025-000123, meeting/…, year/2025, …")
    ] = None,
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Event type, such as request.accepted")] = None,
    members: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="JSON|FILE|-", help="The event's data; sealed fields in plain text"),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Many events: one JSON object with subject, type and data a line; - reads standard input",
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the act happened, RFC 3339 with offset; default: now")
    ] = None,
    expectedseq: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Refuse it unless the subject has this many records")
    ] = None,
    actor: Annotated[
        str | None, typer.Option(metavar="REF", help="The person inside the office, as a reference")
    ] = None,
    event_id: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", help="Default: a new UUIDv7. Repeating it with the same content is harmless"
        ),
    ] = None,
) -> None:
    """Sign and submit an event, and wait for its seal.

    Example: rogatory publish request/2025-1 request.accepted --data '{"executing": "RU-OMS"}'

    `rogatory catalogue` lists the types, `rogatory catalogue TYPE` the fields of one.
    """
    if file is not None:
        if subject or type_ or members or time or actor or event_id or expectedseq is not None:
            raise ConfigError("expected --file alone: its lines say subject, type, data, time, id, actor, expectedseq")
        await _publish_file(common, file)
        return
    if subject is None or type_ is None:
        raise ConfigError(
            "expected SUBJECT and TYPE, or --file, found neither; `rogatory publish --help` has an example"
        )
    row = find_type(type_)
    data = make_data(row, read_members(members or "{}"))
    draft = Draft(subject=subject, data=data, time=time, id=event_id, actor=actor, expectedseq=expectedseq)
    async with open_ledger(common.settings(), note) as ledger:
        hand = _hand(ledger, await ledger.register(), row.name, draft)
        async with ledger.publisher(hand.office, hand.signers) as publisher:
            signed = publisher.create(draft)
            if subject == _REGISTER:
                await change_register(common, ledger, publisher, [signed])
                return
            (delivery,) = await deliver(common, ledger, publisher, [signed])
    if common.json:
        show_json(delivery.shown())
    else:
        report(delivery)
    raise_refusal([delivery], told=common.json)


def _hand(ledger: Ledger, register: Register | None, name: str, draft: Draft) -> Hand:
    return choose(ledger.config, register, name, getattr(draft.data, "office", None))


async def _publish_file(common: Common, file: Path) -> None:
    """All lines are read, checked and signed before the first is submitted; their order is kept."""
    lines = _read_lines(file)
    deliveries: list[Delivery] = []
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(common.settings(), note))
        register = await ledger.register()
        publishers: dict[tuple[str, ...], Publisher] = {}
        signed: list[tuple[Publisher, Signed]] = []
        for name, draft in lines:
            hand = _hand(ledger, register, name, draft)
            who = (hand.office, *(signer.kid for signer in hand.signers))
            if who not in publishers:
                publishers[who] = await stack.enter_async_context(ledger.publisher(hand.office, hand.signers))
            signed.append((publishers[who], publishers[who].create(draft)))
        for publisher, run in groupby(signed, key=itemgetter(0)):
            deliveries += await deliver(common, ledger, publisher, [event for _, event in run])
    _summarise(common, deliveries)


def _read_lines(file: Path) -> list[tuple[str, Draft]]:
    try:
        raws = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).splitlines()
    except OSError as error:
        raise FieldError(f"expected a file of events at {file}, found {error.strerror}") from None
    lines = [parse_line(raw, f"{file}:{n}") for n, raw in enumerate(raws, 1) if raw.strip()]
    if not lines:
        raise FieldError(f"expected events in {file}, one JSON object a line, found none")
    return lines


def _summarise(common: Common, deliveries: list[Delivery]) -> None:
    refused = [d for d in deliveries if isinstance(d.answer, SubmissionRefused)]
    if common.json:
        show_json([d.shown() for d in deliveries])
    else:
        sealed = sum(isinstance(d.answer, Sealed) and d.answer.original for d in deliveries)
        again = sum(isinstance(d.answer, Sealed) and not d.answer.original for d in deliveries)
        waiting = sum(d.answer is None for d in deliveries)
        parts = [f"{sealed} sealed", f"{again} there already", f"{len(refused)} refused", f"{waiting} not sealed yet"]
        say(f"{plural(len(deliveries), 'event')} submitted: {', '.join(parts)}")
        if waiting:
            say("Is a registrar running? `rogatory run all`")
        for delivery in refused[:_SHOWN]:
            note(f"refused: {delivery.answer}")
        if len(refused) > _SHOWN:
            note(f"and {len(refused) - _SHOWN} more: `rogatory outcomes`")
    if refused:
        raise typer.Exit(NO)


@command(reads=True)
def catalogue(
    common: Common,
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="One type, such as request.accepted")] = None,
) -> None:
    """List the event types, or the fields of one."""
    if type_ is None:
        notes = describe_all()
        if common.json:
            show_json([_shown(n) for n in notes])
            return
        rows = [[n.name, " ".join(n.sorts), n.cites, n.meaning.partition("\n")[0]] for n in notes]
        table("", ["type", "subject", "rests on", "meaning"], rows)
        return
    one = describe(find_type(type_))
    if common.json:
        show_json(_shown(one))
        return
    say(f"{one.type}: {one.meaning}")
    say(f"In subjects of the sort {' or '.join(one.sorts)}; rests on {one.cites}")
    table("", ["field", "", "what it takes"], list(_fields(one.fields, "")))


def _fields(notes: tuple[FieldNote, ...], before: str) -> list[list[str]]:
    rows: list[list[str]] = []
    for field in notes:
        rows.append([before + field.name, "required" if field.required else "", expectation(field)])
        rows += _fields(field.members, before + "  ")
    return rows


def _shown(one: TypeNote) -> dict[str, object]:
    def fields(notes: tuple[FieldNote, ...]) -> list[dict[str, object]]:
        return [
            {"name": n.name, "required": n.required, "sealed": n.sealed, "form": n.form, "words": n.words,
             "members": fields(n.members)}
            for n in notes
        ]  # fmt: skip

    return {
        "type": one.type, "name": one.name, "meaning": one.meaning, "cites": one.cites, "sorts": one.sorts,
        "fields": fields(one.fields),
    }  # fmt: skip
