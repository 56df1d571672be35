"""``rogatory run relay`` and ``rogatory outbox``: events that applications commit together with their own rows."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from infra import config
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, say, show_json, table, when
from infra.cli.service import Idle, opened
from infra.relaying import open_outbox_store, open_relay, wait_for_outbox
from ledger.dispositions import MEANING
from ledger.errors import ConfigError
from producers.outbox_rows import OutboxRow, cancel, find_row, list_rows, oldest, purge, retry
from producers.outbox_store import OutboxStore

app = typer.Typer(no_args_is_help=True, help="Look into an application's outbox, and settle what is stuck in it.")

_log = logging.getLogger("rogatory.run")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MEANINGS = {disposition.reason: text for disposition, text in MEANING.items()}

Url = Annotated[
    str | None,
    typer.Option("--outbox", metavar="URL", help="SQLAlchemy URL of the application's database (ROGATORY_OUTBOX)"),
]
Name = Annotated[
    str | None,
    typer.Option("--table", metavar="NAME", help="The outbox's table in it (ROGATORY_OUTBOX_TABLE)"),
]
Ids = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Rows, as `rogatory outbox list` numbers them")
]


class State(StrEnum):
    """What may have become of a row."""

    waiting = "waiting"
    submitted = "submitted"
    sealed = "sealed"
    refused = "refused"
    cancelled = "cancelled"


def _settings(common: Common, url: str | None, name: str | None) -> config.Config:
    found = common.settings()
    changes = {key: value for key, value in (("outbox", url), ("outbox_table", name)) if value is not None}
    return msgspec.structs.replace(found, **changes)


def _open(common: Common, url: str | None, name: str | None) -> OutboxStore:
    return open_outbox_store(_settings(common, url, name))


@command(signs=True, serves=True)
async def relay(common: Common, outbox: Url = None, name: Name = None, until_idle: Idle = False) -> None:
    """Submit what applications have put into an outbox, and write back what became of it. Any number may run.

    It signs what the application left unsigned, with the keys here that are in force when it is sent.
    """
    chosen = _settings(common, outbox, name)
    with open_outbox_store(chosen) if until_idle else await wait_for_outbox(chosen) as store:
        async with opened(common, until_idle) as (ledger, stop), open_relay(ledger, store) as work:
            if not until_idle:
                _log.info("relaying %s to %s", store.table.fullname, ledger.ledger_id)
                await work.run(stop)
                return
            counts = await work.until_idle(ledger.config.timeout)
    say(_summary(counts))
    if counts.get("submitted"):
        note("What was submitted is not decided yet. Is a registrar running? `rogatory run all`")
    if counts["held"]:
        note("What is held up could not be signed here: `rogatory outbox list --held`")


@app.command("list")
@command(reads=True)
def list_(
    common: Common,
    outbox: Url = None,
    name: Name = None,
    state: Annotated[list[State] | None, typer.Option(help="Only these; may be repeated")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only refused ones, with the reason")] = False,
    held: Annotated[bool, typer.Option("--held", help="Only those that can't be sent yet, with the cause")] = False,
    subject: Annotated[str | None, typer.Option(help="Only of this subject")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last")] = 50,
) -> None:
    """What is in the outbox, and what became of it."""
    states = [s.value for s in state or []] + (["refused"] if refused else [])
    with _open(common, outbox, name) as store:
        counts, first = store.counts(), oldest(store)
        rows = list_rows(store, states=states, held=held, subject=subject, limit=limit)
    if common.json:
        show_json(
            {
                "counts": counts,
                "oldest_waiting": None if first is None else when(first),
                "rows": [_shown(r) for r in rows],
            }
        )
        return
    if not sum(counts.values()):
        say("The outbox is empty.")
        return
    if rows:
        cells = [[r.id, r.state, r.subject, r.type, when(r.put_at), _answer(r)] for r in rows]
        table("", ["id", "state", "subject", "event", "put", "answer"], cells, right=["id"])
    say(_summary(counts) + (f"; the oldest that waits was put {when(first)}" if first is not None else ""))
    for reason in sorted({r.reason for r in rows if r.reason}):
        say(f"{reason}: {_MEANINGS.get(reason, '')}")


@app.command()
@command(reads=True)
def show(
    common: Common,
    id_: Annotated[int, typer.Argument(metavar="ID", help="The row")],
    outbox: Url = None,
    name: Name = None,
) -> None:
    """One row: its event, who signed it, and what became of it. Confidential fields are shown as they are, sealed."""
    with _open(common, outbox, name) as store:
        found = find_row(store, id_)
    if found is None:
        raise ConfigError(f"expected a row of the outbox, found none with the id {id_}")
    row, event, signatures = found
    shown = {**_shown(row), "signed_by": [line.partition(" ")[0] for line in (signatures or "").splitlines()]}
    if common.json:
        show_json({**shown, "event": msgspec.Raw(event)})
        return
    table(
        "",
        ["", ""],
        [[key, value if not isinstance(value, list) else ", ".join(value) or None] for key, value in shown.items()],
    )
    say(msgspec.json.format(event, indent=2).decode())


@app.command("retry")
@command(reads=True)
def retry_(
    common: Common,
    ids: Ids = None,
    outbox: Url = None,
    name: Name = None,
    all_refused: Annotated[bool, typer.Option("--all-refused", help="All that were refused")] = False,
    sign_anew: Annotated[
        bool, typer.Option("--sign-anew", help="Let the relay sign them with a key in force now")
    ] = False,
) -> None:
    """Send rows again: refused, held up, or submitted and lost with their log. The event's bytes stay the same.

    That helps where the cause is gone: a key that was not enrolled or not in force. Where the event itself is refused,
    the application has to put another one.
    """
    if bool(ids) == all_refused:
        raise ConfigError("expected IDs, or --all-refused, and not both")
    with _open(common, outbox, name) as store:
        done = retry(store, None if all_refused else ids, sign_anew=sign_anew)
    _report(common, "will be sent again", done, ids)


@app.command("cancel")
@command(reads=True)
def cancel_(
    common: Common,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Rows that wait")],
    outbox: Url = None,
    name: Name = None,
) -> None:
    """Never send rows that wait, such as one that nobody can sign and that holds up its subject."""
    with _open(common, outbox, name) as store:
        done = cancel(store, ids)
    _report(common, "cancelled", done, ids)


@app.command("purge")
@command(reads=True)
def purge_(
    common: Common,
    older_than: Annotated[str, typer.Option(metavar="TIME", help="How long ago they were settled: 30d, 12h, 90m")],
    outbox: Url = None,
    name: Name = None,
    refused: Annotated[bool, typer.Option("--refused", help="Also those that were refused")] = False,
) -> None:
    """Delete rows whose events are in the ledger (and cancelled ones). What waits is never deleted."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", older_than)
    if match is None:
        raise ConfigError(
            f"expected --older-than as a number with s, m, h or d, such as 30d, found {older_than[:20]!r}"
        )
    states = ["sealed", "cancelled", *(["refused"] if refused else [])]
    with _open(common, outbox, name) as store:
        deleted = purge(store, store.now() - int(match[1]) * _UNITS[match[2]] * 1000, states)
    if common.json:
        show_json({"deleted": deleted})
    else:
        say(f"{plural(deleted, 'row')} deleted.")


def _report(common: Common, what: str, done: Sequence[int], asked: Sequence[int] | None) -> None:
    left = sorted(set(asked or ()) - set(done))
    if common.json:
        show_json({"done": done, "left": left})
    else:
        say(f"{plural(len(done), 'row')} {what}{': ' if done else ''}{', '.join(map(str, done))}.")
        if left:
            note(
                f"Left as they are, since there are none or their state does not allow it: {', '.join(map(str, left))}"
            )
    if left:
        raise typer.Exit(NO)


def _summary(counts: dict[str, int]) -> str:
    said = [f"{counts.get(state.value, 0)} {state.value}" for state in State]
    return ", ".join(said) + (f" ({counts['held']} of the waiting held up)" if counts["held"] else "")


def _answer(row: OutboxRow) -> str | None:
    if row.state == "sealed":
        return f"record {row.seq}, index {row.index} of partition {row.partition}"
    if row.state == "refused":
        return f"{row.reason}: expected {row.expected}, found {row.found}"
    return row.held


def _shown(row: OutboxRow) -> dict[str, Any]:
    said = msgspec.to_builtins(row)
    times = {
        name: when(said[name]) if said[name] is not None else None for name in ("put_at", "submitted_at", "answered_at")
    }
    return {**said, **times, "meaning": _MEANINGS.get(row.reason or "")}
