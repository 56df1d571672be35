"""The second half of ``rogatory demo``: a small simulated year, its partners in figures, its board, a report of it.

What is planted in the year is known beside it, so it can be said of each breach whether the rulebook found it.
"""

from __future__ import annotations

import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from infra.cli.demo_tables import plain_table
from infra.cli.render import plural, say
from infra.compliance import open_compliance
from infra.demo.run import Timed
from infra.documents.files import FORMS
from infra.reporting import Reports, Wanted, open_reports
from infra.signing import now_ms
from infra.simulating import fill, new_folder, prepared
from producers.simulator.parameters import Parameters
from producers.simulator.stream import Year
from producers.simulator.truth import Truth
from projections.compliance.answers import BoardFilters, BoardRow
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import Rulebook
from projections.figures.answers import Partners, Scope
from projections.figures.queries import Figures
from projections.figures.words import said_state
from projections.reports.document import Document, Table

YEAR = 2025
SCALE = 0.03
_EXCHANGES = {"requests.direct_exchange": 5 * 204.0}
"""More direct exchanges than an ordinary year has, so that one office's report has something to tell."""
_PAGE = 500
_SHOWN = 12


class Written(msgspec.Struct, frozen=True):
    """A report in a file."""

    file: str
    bytes: int
    sha256: str


class Found(msgspec.Struct, frozen=True):
    """A rule: what was planted as breached, how much of that was found, and how much beside it."""

    rule: str
    place: str
    planted: int
    found: int
    other: int


class YearTold(NamedTuple):
    """What came of the year."""

    events: int
    requests: int
    planted: Counter[str]
    """By sort: ``breach``, ``near_miss``, ``undetermined``."""
    partners: Partners
    found: tuple[Found, ...]
    worst: tuple[BoardRow, ...]
    report: Document
    office: str
    files: tuple[Written, ...]
    times: list[Timed]


async def tell_year(folder: Path, seed: int) -> YearTold:
    """Simulate the year into a new folder, judge and count it, and write a report of it there."""
    truths: list[Truth] = []
    parameters = Parameters.default(year=YEAR, seed=seed, scale=SCALE, changed=_EXCHANGES)
    year = Year(parameters, tell=truths.append)
    config = new_folder(folder)
    begun = time.monotonic()
    async with prepared(config, year, folder) as (ledger, sink):
        events = year.stream()
        next(events)  # genesis is there
        await fill(ledger.log, year.partitions, events, sink, lambda _: None)
        number = year.counts.total()
        times = [Timed("simulated, signed and admitted", number, time.monotonic() - begun)]
        with ledger.store() as store:
            begun = time.monotonic()
            await ledger.project(store)
            times.append(Timed("folded, judged and counted", number, time.monotonic() - begun))
            begun = time.monotonic()
            compliance, rulebook = open_compliance(ledger, store)
            now = now_ms()
            scope = Scope(first=YEAR * 100 + 1, last=YEAR * 100 + 12)
            partners = Figures(compliance).partners(scope, now)
            breached = _breached(compliance, now)
            office = _busiest(Figures(compliance), scope)
            report, files = _report(open_reports(ledger, store), office, now, folder)
            times.append(Timed("questions answered, a report written", 4, time.monotonic() - begun))
    return YearTold(
        number, year.plan.total, Counter(truth.sort for truth in truths), partners,
        _compared(truths, breached, rulebook), tuple(breached[:_SHOWN]), report, office, files, times,
    )  # fmt: skip


def _breached(compliance: Compliance, now: int) -> list[BoardRow]:
    """Every breach of the year's requests and meetings, of the register and of years."""
    rows: list[BoardRow] = []
    after: str | None = None
    while True:
        page = compliance.board(BoardFilters(verdicts=("breached",)), now, _PAGE, after)
        rows += page.rows
        if page.after is None:
            return rows
        after = page.after


def _compared(truths: list[Truth], breached: list[BoardRow], rulebook: Rulebook) -> tuple[Found, ...]:
    planted = {(truth.rule, truth.subject, truth.item) for truth in truths if truth.sort == "breach"}
    found = {(row.rule, row.subject, row.item) for row in breached}
    rows = []
    for rule in sorted({key[0] for key in planted | found}):
        mine, theirs = ({key for key in keys if key[0] == rule} for keys in (planted, found))
        known = rulebook.find(rule)
        place = "" if known is None else known[1].place.cites
        rows.append(Found(rule, place, len(mine), len(mine & theirs), len(theirs - mine)))
    return tuple(rows)


def _busiest(figures: Figures, scope: Scope) -> str:
    """The office with the most direct exchanges."""
    numbers = {office: answer.number or 0 for office, answer in figures.by("M22", scope, "office").items() if office}
    return max(sorted(numbers), key=lambda office: numbers[office])


def _report(reports: Reports, office: str, now: int, folder: Path) -> tuple[Document, tuple[Written, ...]]:
    wanted = Wanted(year=YEAR, lang="en", as_of=now // 1000 * 1000)
    document = reports.annual(office, wanted)
    files = []
    for ending, form in FORMS.items():
        path, raw = folder / f"annual-{office}-{YEAR}.{ending}", form(document)
        path.write_bytes(raw)
        files.append(Written(str(path), len(raw), sha256(raw).hexdigest()))
    return document, tuple(files)


def told_json(told: YearTold) -> dict[str, Any]:
    """The same for a JSON document."""
    return {
        "events": told.events, "requests": told.requests, "planted": dict(told.planted),
        "partners": told.partners.rows, "rules": told.found,
        "report": {"office": told.office, "year": YEAR, "imprint": told.report.imprint, "files": told.files},
    }  # fmt: skip


def show_year(told: YearTold) -> None:
    """Print what was simulated."""
    planted = told.planted
    say(
        f"{plural(told.events, 'event')} of {plural(told.requests, 'request')} of {YEAR}, with "
        f"{plural(len(told.partners.rows), 'partner')}. Planted: {plural(planted['breach'], 'breach', 'breaches')}, "
        f"{plural(planted['near_miss'], 'near miss', 'near misses')}, {planted['undetermined']} that nobody can decide."
    )


def show_partners(told: YearTold) -> None:
    """Print the partners with the most requests."""
    cells = [
        [
            said_state(row.partner), row.requests_out, row.requests_in, row.open, row.answered,
            "–" if row.answer_p50 is None else str(row.answer_p50), f"{row.refused} of {row.refused_of}", row.breached,
        ]
        for row in told.partners.rows[:_SHOWN]
    ]  # fmt: skip
    plain_table("", ["partner", "out", "in", "open", "answered", "days, p50", "refused", "breached"], cells, [])
    rest = len(told.partners.rows) - len(cells)
    say(f"And {plural(rest, 'more partner')}. Rules are those of one treaty, so its partner alone has breaches.")


def show_board(told: YearTold) -> None:
    """Print by rule what was planted and found."""
    cells = [
        [row.rule, row.place, row.planted, row.found, row.other]
        for row in told.found
    ]  # fmt: skip
    plain_table("", ["rule", "place", "planted breaches", "found", "others"], cells, [])
    planted, found = sum(row.planted for row in told.found), sum(row.found for row in told.found)
    say(
        f"{found} of {plural(planted, 'planted breach', 'planted breaches')} found, by rules that know nothing of them."
    )


def show_report(told: YearTold) -> None:
    """Print what the report has, and where it is."""
    say(f"{told.report.title}\n{told.report.subtitle}")
    figures = next((block for block in told.report.blocks if isinstance(block, Table)), None)
    if figures is not None:
        rows = [[cell.text for cell in row] for row in figures.rows[:_SHOWN]]
        plain_table(figures.caption, list(figures.columns), rows, [])
    for each in told.files:
        say(f"{Path(each.file).name}: {each.bytes:,} bytes, SHA-256 {each.sha256[:12]}…")
