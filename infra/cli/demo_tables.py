"""What ``rogatory demo`` prints: a heading for each step, and tables."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from consumers.finder import RecordFinder
from infra.cli.render import out, plural, say, shown, when
from infra.config import Config
from infra.demo.offices import Place
from infra.demo.run import Checked, Keys, Published, Refusal, Timed
from infra.projecting import FOLD
from infra.wiring import Ledger
from ledger.event import read_event
from ledger.register import Register
from ledger.seal import read_seal
from producers.receipt import Sealed
from projections.queries import Known
from projections.status import StatusFacts
from projections.store import Store

_DAY = 86_400_000
_WIDE = 130  # columns of a terminal that has room for everything
_LONG_HEX = re.compile(r"([0-9a-f]{8})[0-9a-f]{24,56}")
_MS = re.compile(r"\b1[0-9]{12}\b")


_REMARKS: dict[str, str] = {
    "no_opening": "the first act opens nothing, so what is requested is not known",
    "confirms_nothing": "a written confirmation of something that nobody had said",
    "content_changed": "the writing differs from what was said",
    "no_decision": "refused or handed over before anybody decided so",
    "out_of_order": "an act that is not expected in this state",
    "amount_exceeds": "more returned than was restrained or confiscated",
    "after_closure": "an act after the file was closed",
}


class Entry(msgspec.Struct, frozen=True):
    """One record of a request, as read from the log."""

    seq: int
    index: int
    happened: str
    act: str
    office: str
    """Whose act it is."""
    told_by: str
    """Who signed it."""
    says: str
    sealed: list[str]
    leaf: str


def heading(number: int, title: str, why: str) -> None:
    """The beginning of a step."""
    out().print()
    out().print(Text(f"{number}  {title}", style="bold cyan"))
    out().print(Text(f"   {why}", style="dim"))


def opened(config: Config, keys: Keys) -> None:
    """What the ledger is."""
    say(f"{config.ledger_id}")
    say(f"   at {config.ledger}, {plural(4, 'partition')}")
    say(f"   {plural(len(keys.authorities), 'authority key')}, two of which decide on the ledger itself, and a log key")


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], flows: Sequence[str]) -> None:
    """A table that fits a narrow terminal: columns named in ``flows`` are wrapped by words, the others never."""
    made = Table(
        title=escape(title) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for column in columns:
        numbers = all(isinstance(row[columns.index(column)], int) for row in rows)
        made.add_column(column, no_wrap=column not in flows, overflow="fold", justify="right" if numbers else "left")
    for row in rows:
        made.add_row(*(Text(shown(cell)) for cell in row))
    out().print(made)


def offices(register: Register, places: Sequence[Place], took: Timed) -> None:
    """Who may sign."""
    english = {place.code: place.name_en for place in places}
    wide = out().width >= _WIDE
    rows = []
    for office in register.offices.values():
        kids = [
            f"{_cut(key.kid.partition('#')[2])}" + (" (revoked)" if key.revoked is not None else "")
            for key in register.keys.values()
            if key.office == office.code
        ]
        names = [office.name, english.get(office.code)] if wide else [office.name]
        rows.append([office.code, *names, office.sort, ", ".join(kids)])
    plain_table("", ["office", "name", *([""] if wide else []), "sort", "sign keys"], rows, ["name", "", "sign keys"])
    say(f"{plural(took.count, 'register event')}, and every partition has followed: {took.seconds:.1f} s")


def _cut(hex_: str) -> str:
    return f"{hex_[:8]}…"


def stream(requests: int, published: Published) -> None:
    """How much was said."""
    say(
        f"{plural(requests, 'request')}, {plural(len(published.sealed), 'event')} by {published.offices} offices; "
        f"{published.boxes} fields sealed, each under a key of its request."
    )
    say(f"Between them {plural(len(published.refusals), 'wrong one')}, and one that was sent twice.")


def status_json(known: Known[StatusFacts]) -> dict[str, Any]:
    """One request for the document."""
    facts = known.facts
    said: dict[str, Any] = {"request": known.subject, "records": known.seq, **known.columns}
    if facts is not None:
        said |= {"waits_for": [item.sort for item in facts.items], "remarked": [r.code for r in facts.remarks.first]}
    return said


def standing(rows: Sequence[Known[StatusFacts]]) -> None:
    """Who owes the next step; what is over and unremarkable is only counted."""
    now = time.time() * 1000
    left = []
    for known in rows:
        c, facts = known.columns, known.facts
        assert facts is not None
        over = c["ball"] == "nobody"
        if over and not c["remarks"]:
            continue
        way = "→" if c["direction"] == "out" else "←"
        days = int((now - int(c["ball_since"] or 0)) / _DAY)
        since = plural(days, "day") if days else "today"
        notes = [f"{item.sort}?" for item in facts.items] + [f"{r.code}!" for r in facts.remarks.first]
        left.append(
            [
                known.subject.removeprefix("request/"), f"{c['kind']} {way} {c['partner']}",
                " ".join([str(c["state"]), *notes]), "nobody" if over else c["ball_office"] or c["ball"],
                "" if over else since,
            ]
        )  # fmt: skip
    plain_table("", ["request", "kind", "state", "next step by", "since"], left, ["kind", "state"])
    if rest := len(rows) - len(left):
        say(f"{rest} more closed; nobody owes anything there.")
    for code in sorted({r.code for known in rows if known.facts for r in known.facts.remarks.first}):
        say(f"   {code}: {_REMARKS[code]}")


def refused(refusals: Sequence[Refusal]) -> None:
    """What was not admitted, and why."""
    rows = [[r.reason, r.story, f"{_plain(r.expected)}, found {_plain(r.found)}", r.meaning] for r in refusals]
    columns = ["reason", "what happened", "expected", "what it means"]
    plain_table("", columns, rows, columns[1:])


def _plain(text: str) -> str:
    """Hashes cut short, times as people read them."""
    return _MS.sub(lambda ms: when(int(ms[0])), _LONG_HEX.sub(r"\1…", text))


def twice(receipt: Sealed) -> None:
    """The answer to an event that came a second time."""
    say(
        f"Sent twice: {receipt.subject} got the receipt of the first again, record {receipt.seq} of the request, index "
        f"{receipt.index} of partition {receipt.partition}, leaf {_cut(receipt.leaf)}; nothing was added."
    )


async def read_history(ledger: Ledger, store: Store, subject: str) -> list[Entry]:
    """A request's records, read from the log."""
    queries = ledger.queries(store)
    known, live = queries.status_of(subject).value, store.live(FOLD, ledger.ledger_id)
    assert known is not None
    finder = RecordFinder(ledger.log, known.partition, lambda index: store.place(live, known.partition, index))
    entries = []
    try:
        for index in queries.history_of(subject).value:
            found = await finder.find(index)
            event, seal = read_event(found.stored.value or b""), read_seal(found.seal_text)
            data = msgspec.json.decode(event.data)
            name = event.type.removeprefix("rogatory.").rpartition(".v")[0]
            sealed = [member for member, value in data.items() if _is_box(value)]
            whose = data.pop("act_of", event.office)
            says = _said({member: value for member, value in data.items() if member not in sealed})
            entries.append(
                Entry(seal.seq, index, event.time, name, whose, event.office, says, sealed, found.leaf.hex())
            )
    finally:
        await finder.close()
    return entries


def _is_box(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"s", "key", "filled", "box", "commit"}


def _said(members: dict[str, Any]) -> str:
    """The clear members that fit on a line."""
    texts = []
    for member, value in members.items():
        if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
            texts.append(f"{member} {value['amount']} {value['currency']}")
        elif isinstance(value, (str, int)) and member not in ("person", "signer", "kind", "direction", "partner"):
            texts.append(f"{member} {shown(value)}")
    return ", ".join(texts)


def _line(entry: Entry) -> str:
    sealed = [f"sealed: {', '.join(entry.sealed)}"] if entry.sealed else []
    return "; ".join([entry.says, *sealed])


def history(subject: str, entries: Sequence[Entry]) -> None:
    """A request, record by record."""
    rows = [[e.seq, e.happened[:10], e.act, e.office, _line(e), _cut(e.leaf)] for e in entries]
    columns = ["seq", "happened", "act", "office", "says", "leaf"]
    plain_table(subject, columns, rows, ["says"])


def check(checked: Checked) -> None:
    """What the check found."""
    wide = out().width >= _WIDE
    rows = [
        [r.partition, r.size, r.signatures, r.register_seq, r.root if wide else _cut(r.root), r.fault or "sound"]
        for r in checked.reports
    ]
    columns = ["partition", "records", "signatures", "register", "root of the tree", "found"]
    plain_table("", columns, rows, ["found"])
    records, signatures = sum(r.size for r in checked.reports), sum(r.signatures for r in checked.reports)
    if checked.sound:
        say(f"Sound: {plural(records, 'record')} and {plural(signatures, 'signature')} checked.")
    same = "they are the same, to the last digest" if checked.rebuilt else "THEY DIFFER"
    say(f"The rows of all requests were made again from the ledger alone: {same}.")


def figures(times: Sequence[Timed], total: float) -> None:
    """How long it took."""
    rows = [[t.what, t.count, f"{t.seconds:7.2f}", f"{t.rate:8,.0f}"] for t in times]
    plain_table("", ["", "events", "seconds", "a second"], rows, [""])
    say(f"All in {total:.1f} s.")


def kept(folder: Path | None, subject: str) -> None:
    """What one can do with what was kept."""
    if folder is None:
        out().print()
        return
    config = shlex.quote(str(folder / "rogatory.toml"))
    number = subject.removeprefix("request/")
    out().print()
    say(f"It is all in {folder}: the ledger, everybody's keys, the projections. Try:")
    for line in (
        f"rogatory status --config {config}",
        f"rogatory status {number} --config {config}",
        f"rogatory compliance --config {config}",
        f"rogatory compliance {number} --config {config}",
        f"rogatory rulebook A6.2b --config {config}",
        f"rogatory outcomes --config {config}",
        f"rogatory check --config {config}",
        f'rogatory publish {subject} step.taken --data \'{{"step": "file read"}}\' --office RU-GUMPS --config {config}',
    ):
        say(f"   {line}")
    config = shlex.quote(str(folder / "year" / "rogatory.toml"))
    say(f"\nThe simulated year is in {folder / 'year'}, with what was planted in it; a report lies beside it. Try:")
    for line in (
        f"rogatory partners --period 2025 --config {config}",
        f"rogatory partners KZ --period 2025 --config {config}",
        f"rogatory partners KZ --period 2025 --figure M10 --records --config {config}",
        f"rogatory compliance --verdict breached --config {config}",
        f"rogatory report review --year 2025 --lang en --config {config}",
    ):
        say(f"   {line}")
