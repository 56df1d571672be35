"""``rogatory status``: where requests stand, and everything about one, with its evidence."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
import typer

from consumers.finder import RecordFinder
from infra.cli.options import NO, Common, command, fail
from infra.cli.render import note, plural, say, short, show_json, table, when
from infra.cli.rows import freshen
from infra.wiring import Ledger, open_ledger
from ledger.errors import ChainError
from ledger.event import read_event
from ledger.seal import read_seal
from projections.queries import Answer, CountedBy, Filters, Known, Order
from projections.status import StatusFacts
from projections.store import Store

_Update = Annotated[
    bool | None,
    typer.Option("--update/--no-update", help="Bring the projections up to date first (default: on a file: ledger)"),
]


class Entry(msgspec.Struct, frozen=True):
    """One record of a request's history, as read from the log."""

    index: int
    seq: int
    admitted: int
    time: str
    type: str
    office: str
    leaf: str
    id: str


@command(reads=True)
async def status(
    common: Common,
    request: Annotated[
        str | None, typer.Argument(help="One request, with or without request/; default: a list")
    ] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind")] = None,
    partner: Annotated[str | None, typer.Option(metavar="STATE", help="Only with this partner")] = None,
    direction: Annotated[str | None, typer.Option(metavar="in|out", help="Only in this direction")] = None,
    ball: Annotated[str | None, typer.Option(metavar="SIDE", help="Only where this side owes the next step")] = None,
    remarks: Annotated[bool, typer.Option("--remarks", help="Only with remarks")] = False,
    order: Annotated[Order, typer.Option(help="What the list is sorted by")] = "subject",
    descending: Annotated[bool, typer.Option("--descending", help="Last first")] = False,
    count: Annotated[CountedBy | None, typer.Option(help="Count the requests by this instead")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="Rows of the list; of one request, its last records")
    ] = 50,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on behind the list before")] = None,
    update: _Update = None,
) -> None:
    """Where requests stand: state, who owes the next step since when, what is open, and the records it rests on."""
    filters = Filters(state=state, partner=partner, kind=kind, direction=direction, ball=ball, remarks=remarks)
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            behind = await freshen(ledger, store, update)
            if request is not None:
                subject = request if request.startswith("request/") else f"request/{request}"
                await _one(common, ledger, store, subject, limit, behind)
            elif count is not None:
                _counted(common, ledger.queries(store).counts(count), count, behind)
            else:
                queries = ledger.queries(store)
                page = queries.list_status(filters, order=order, descending=descending, limit=limit, after=after)
                _listed(common, page, behind)


def _basis(answer: Answer[Any], behind: int) -> dict[str, Any]:
    """What an answer rests on."""
    return {"generation": answer.generation, "sizes": answer.sizes, "behind": behind}


def _counted(common: Common, answer: Answer[dict[str, int]], by: str, behind: int) -> None:
    if common.json:
        show_json({**_basis(answer, behind), "by": by, "counts": answer.value})
        return
    table("", [by, "requests"], [[k or "–", n] for k, n in answer.value.items()], right=["requests"])


def _listed(common: Common, answer: Answer[Any], behind: int) -> None:
    page = answer.value
    if common.json:
        found = [{"request": k.subject, "records": k.seq, **k.columns} for k in page.rows]
        show_json({**_basis(answer, behind), "requests": found, "after": page.after})
        return
    columns = ["request", "kind", "dir", "partner", "state", "next step", "since", "open", "remarks"]
    rows = [
        [
            k.subject.removeprefix("request/"), c["kind"], c["direction"], c["partner"], c["state"],
            c["ball_office"] or c["ball"], when(c["ball_since"]), c["open_items"] or "", c["remarks"] or "",
        ]
        for k in page.rows
        for c in (k.columns,)
    ]  # fmt: skip
    if not rows:
        say("No request here passes.")
    else:
        table("", columns, rows, right=["open", "remarks"])
    total = sum(answer.sizes.values())
    say(f"{plural(len(rows), 'request')}, from {plural(total, 'record')} of {plural(len(answer.sizes), 'partition')}.")
    if page.after:
        say(f"More: --after '{page.after}'")


async def _one(common: Common, ledger: Ledger, store: Store, subject: str, limit: int, behind: int) -> None:
    queries = ledger.queries(store)
    answer = queries.status_of(subject)
    if answer.value is None or answer.value.facts is None:
        total = sum(answer.sizes.values())
        fail(f"no record speaks of {subject[:128]}, in {plural(total, 'record')} that the projections have", NO)
        return
    indices = queries.history_of(subject).value
    entries = await _history(ledger, store, answer.generation, answer.value, indices[-limit:])
    if common.json:
        known = answer.value
        show_json(
            {
                **_basis(answer, behind), "request": subject, "partition": known.partition, "records": known.seq,
                "leaf": known.leaf, "facts": known.facts, "history": entries,
                "passed_over": _passed_over(known),
            }
        )  # fmt: skip
        return
    _told(answer.value, answer.value.facts)
    skipped = len(indices) - len(entries)
    title = f"History: {plural(len(indices), 'record')}" + (f", the last {len(entries)} of them" if skipped else "")
    columns = ["index", "seq", "admitted", "act", "office", "happened", "leaf"]
    rows = [[e.index, e.seq, when(e.admitted), e.type, e.office, e.time, short(e.leaf)] for e in entries]
    table(title, columns, rows, right=["index", "seq"])
    say(f"Read from partition {answer.value.partition} of the ledger, each leaf computed and found linked to the next.")


async def _history(
    ledger: Ledger, store: Store, generation: int, known: Known[StatusFacts], indices: list[int]
) -> list[Entry]:
    """Records read from the log: each names the one before by its leaf, and the last leaf is the rows'.

    Raises:
        ChainError: they do not; the rows speak of other records than the log.
    """
    live = next(g for g in store.generations(ledger.ledger_id) if g.id == generation)
    finder = RecordFinder(ledger.log, known.partition, partial(store.place, live, known.partition))
    entries: list[Entry] = []
    try:
        for index in indices:
            found = await finder.find(index)
            seal, event = read_seal(found.seal_text), read_event(found.stored.value or b"")
            if event.subject != known.subject or (entries and seal.prev != entries[-1].leaf):
                raise ChainError(
                    f"partition {known.partition}, index {index}: expected the next record of {known.subject}, found "
                    "another; run `rogatory check`"
                )
            name = event.type.removeprefix("rogatory.").rpartition(".v")[0]
            entries.append(
                Entry(index, seal.seq, seal.admitted, event.time, name, event.office, found.leaf.hex(), event.id)
            )
    finally:
        await finder.close()
    if entries and entries[-1].leaf != known.leaf:
        raise ChainError(
            f"partition {known.partition}, index {entries[-1].index}: expected leaf {known.leaf}, found "
            f"{entries[-1].leaf}; run `rogatory check`"
        )
    return entries


def _told(known: Known[StatusFacts], facts: StatusFacts) -> None:
    content = facts.content
    say(
        known.subject + ("" if content is None else f": {content.kind}, {content.direction}, partner {content.partner}")
    )
    if content is not None:
        basis = ", ".join(content.legal_basis) or "–"
        say(f"  from {content.requesting or '–'} to {content.requested or '–'}, on {basis}")
    assumed = " (taken for granted: no opening is known)" if facts.assumed else ""
    say(
        f"  {facts.state} since {when(facts.state_since)}{assumed}"
        + (f", outcome {facts.outcome}" if facts.outcome else "")
    )
    if missing := _passed_over(known):
        who = f"the records of ledger/{known.partition}"
        say(f"  LACKS {plural(missing, 'record')} that the projection could not digest and passed over, as {who} say")
    ball = facts.ball
    if ball.side != "nobody":
        say(f"  next step: {ball.office or 'an office unknown'} ({ball.side} side), since {when(ball.since)}")
    if facts.items:
        rows = [[i.sort, i.office or i.side, when(i.since), i.index] for i in facts.items]
        table("Open", ["item", "waits for", "since", "record"], rows, right=["record"])
    if facts.persons:
        table(
            "Persons",
            ["person", "state", "since", "record"],
            [[p.person, p.state, when(p.since), p.index] for p in facts.persons],
        )
    if facts.assets:
        table(
            "Property",
            ["asset", "state", "since", "sums"],
            [[a.asset, a.state, when(a.since), "; ".join(_sums(s) for s in a.sums)] for a in facts.assets],
        )
    for title, notes in (("Remarks", facts.remarks), ("Marks", facts.marks)):
        if notes.count:
            table(f"{title}: {notes.count}", ["", "act", "record"], [[r.code, r.event, r.index] for r in notes.first])


def _passed_over(known: Known[StatusFacts]) -> int:
    """Records of the subject that are not in its facts (``rogatory poison skip``)."""
    return 0 if known.facts is None else known.seq - known.facts.records


def _sums(sums: Any) -> str:
    parts = [
        f"{name} {amount}"
        for name, amount in msgspec.structs.asdict(sums).items()
        if name != "currency" and amount != "0"
    ]
    return f"{sums.currency} {', '.join(parts) or '0'}"
