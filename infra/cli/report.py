"""``rogatory report``: the annual information of an office and the practice review, made and filed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra.cli.findings import UpdateOption, moment
from infra.cli.options import Common, command
from infra.cli.render import note, plural, progress, say, show_json
from infra.cli.report_text import show_document
from infra.cli.rows import freshen, judge_rest
from infra.cli.submit import deliver, raise_refusal, report
from infra.config import Config
from infra.documents.files import FORMS, form_of, read_imprint
from infra.documents.proposals import read_proposals
from infra.reporting import Reports, Wanted, open_reports
from infra.signing import choose, now_ms
from infra.wiring import open_ledger
from ledger.catalogue.base import Data
from ledger.catalogue.reviews import PracticeReviewSubmitted
from ledger.catalogue.years import AnnualReportSubmitted
from ledger.errors import ConfigError, MisuseError
from producers.builder import Draft
from projections.reports.document import Document, Lang
from projections.reports.imprint import Imprint

app = typer.Typer(
    no_args_is_help=True,
    help="The annual information of an office and the practice review as HTML and DOCX; filing one is an event.",
)

_Year = Annotated[int, typer.Option("--year", min=1990, max=2200, metavar="YYYY", help="The reporting year")]
_Proposals = Annotated[
    str | None,
    typer.Option("--proposals", metavar="FILE|-", help="What a person proposes: text, one proposal a paragraph"),
]
_Lang = Annotated[Lang, typer.Option("--lang", help="Language of the document")]
_AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="The moment to judge at: a day, or RFC 3339 with offset; default: now"
    ),
]
_Out = Annotated[
    list[Path] | None,
    typer.Option("--out", "-o", metavar="FILE", help="Where to: .html or .docx; may be repeated; default: the screen"),
]


@app.command()
@command(reads=True)
async def annual(
    common: Common,
    office: Annotated[str, typer.Argument(help="Whose information it is: the code of an office, such as RU-OMS")],
    year: _Year,
    proposals: _Proposals = None,
    lang: _Lang = "ru",
    as_of: _AsOf = None,
    out: _Out = None,
    update: UpdateOption = None,
) -> None:
    """Make the annual information of an office (Order 3.6), every figure with the records that it rests on.

    Example: rogatory report annual RU-OMS --year 2025 --proposals proposals.txt --out annual.docx --out annual.html
    """

    def make(reports: Reports, wanted: Wanted, tell: Callable[[int], None]) -> Document:
        made = reports.annual(office, wanted, tell)
        if office not in reports.bound(year):
            note(f"{office} is not among the offices that owe annual information for {year}.")
        return made

    await _make(common, make, year, proposals, lang, as_of, out, update)


@app.command()
@command(reads=True)
async def review(
    common: Common,
    year: _Year,
    proposals: _Proposals = None,
    lang: _Lang = "ru",
    as_of: _AsOf = None,
    out: _Out = None,
    update: UpdateOption = None,
) -> None:
    """Make the review of a year's practice (Order 4.3), every figure with the records that it rests on.

    Example: rogatory report review --year 2025 --proposals proposals.txt --out review.docx
    """

    def make(reports: Reports, wanted: Wanted, tell: Callable[[int], None]) -> Document:
        return reports.review(wanted, tell)

    await _make(common, make, year, proposals, lang, as_of, out, update)


async def _make(
    common: Common, make: Callable[[Reports, Wanted, Callable[[int], None]], Document], year: int,
    proposals: str | None, lang: Lang, as_of: str | None, out: list[Path] | None, update: bool | None,
) -> None:  # fmt: skip
    """Make a document and write or show it. What is wrong with the options is said before anything is asked."""
    for path in out or ():
        form_of(path)
        if path.is_dir():
            raise ConfigError(f"expected --out to name a file, found the folder {path}")
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"expected a folder at {path.absolute().parent} to write to, found none")
    # Whole seconds, so that the moment that the document names asks for the same document again.
    wanted = Wanted(
        year=year, lang=lang, as_of=(moment(as_of) or now_ms()) // 1000 * 1000, proposals=_proposals(proposals)
    )  # fmt: skip
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            await freshen(ledger, store, update)
            reports = open_reports(ledger, store)
            await judge_rest(ledger, store, reports.compliance, update)
            with progress("Asking", None) as tell:
                document = make(reports, wanted, tell)
    _told(common, document, [(path, FORMS[form_of(path)](document)) for path in out or ()])


def _told(common: Common, document: Document, files: list[tuple[Path, bytes]]) -> None:
    for path, raw in files:
        beside = path.with_name(f"{path.name}.new")
        beside.write_bytes(raw)
        beside.replace(path)
    written = [{"file": str(path), "bytes": len(raw), "sha256": sha256(raw).hexdigest()} for path, raw in files]
    if common.json:
        shown: dict[str, Any] = {"imprint": document.imprint, "files": written}
        show_json(shown if files else {**shown, "document": document})
    elif files:
        for one in written:
            say(f"{one['file']}: {one['bytes']:,} bytes, SHA-256 {one['sha256']}")
        say("A draft: read it, and file it with `rogatory report file FILE`.")
    else:
        show_document(document)


def _proposals(given: str | None) -> tuple[str, ...]:
    if given is None:
        return ()
    try:
        raw = sys.stdin.buffer.read() if given == "-" else Path(given).read_bytes()
    except OSError as error:
        raise ConfigError(f"expected proposals at {given[:200]}, found {error.strerror}") from None
    return read_proposals(raw, given)


# Filing


@app.command()
@command(reads=True, signs=True, submits=True)
async def file(
    common: Common,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What was sent: a generated document, HTML or DOCX")],
    memo: Annotated[
        str | None, typer.Option("--memo", metavar="REF", help="The memorandum that annual information is a block of")
    ] = None,
    inside: Annotated[
        bool, typer.Option("--inside", help="It is no block of its own in the memorandum (Order 3.6 asks for one)")
    ] = False,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it was sent, RFC 3339 with offset; default: now")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Though one was filed already for this year")] = False,
    update: UpdateOption = None,
) -> None:
    """File a generated document: say in the ledger, by its SHA-256, that it was submitted.

    Annual information becomes annualreport.submitted, which point 3.6 of the Order wants by 30 January; a review
    becomes practicereview.submitted (Order 4.3). A file that is neither is refused.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"expected a document at {str(path)[:200]}, found {error.strerror}") from None
    imprint = read_imprint(raw, path)
    name, data = _event(imprint, sha256(raw).hexdigest(), memo, separate=not inside)
    async with open_ledger(_settings(common, imprint), note) as ledger:
        if imprint.ledger != ledger.ledger_id:
            raise ConfigError(f"expected a document of the ledger {ledger.ledger_id}, found one of {imprint.ledger}")
        with ledger.store() as store:
            await freshen(ledger, store, update)
            _check_new(open_reports(ledger, store), imprint, name, again=again)
        hand = choose(ledger.config, await ledger.register(), name, imprint.office)
        async with ledger.publisher(hand.office, hand.signers) as publisher:
            signed = publisher.create(Draft(subject=f"year/{imprint.year}", data=data, time=time))
            (delivery,) = await deliver(common, ledger, publisher, [signed])
    if common.json:
        show_json({**delivery.shown(), "document": imprint, "sha256": sha256(raw).hexdigest()})
    else:
        report(delivery)
        say(f"{path}: {name} of {imprint.office} for {imprint.year}, SHA-256 {sha256(raw).hexdigest()}")
    raise_refusal([delivery], told=common.json)


def _settings(common: Common, imprint: Imprint) -> Config:
    """The settings, with the document's office for the one that speaks."""
    given = common.office or common.settings().office
    if given is not None and given != imprint.office:
        raise ConfigError(f"expected a document of {given}, found one of {imprint.office} for {imprint.year}")
    return msgspec.structs.replace(common, office=imprint.office).settings()


def _event(imprint: Imprint, digest: str, memo: str | None, *, separate: bool) -> tuple[str, Data]:
    if imprint.sort == "review":
        if memo is not None or not separate:
            raise ConfigError("expected --memo and --inside for annual information only, found a practice review")
        said = {"year": imprint.year, "to_role": imprint.role, "cites": imprint.cites, "proposals": imprint.proposals}
        return "practicereview.submitted", msgspec.convert({**said, "sha256": digest}, PracticeReviewSubmitted)
    if memo is None:
        raise ConfigError(
            "expected --memo REF, the reference of the yearly memorandum that the annual information is a block of "
            "(Order 3.6), found none"
        )
    return "annualreport.submitted", AnnualReportSubmitted(
        office=imprint.office, year=imprint.year, separate_block=separate, memo_ref=memo, contacts=imprint.contacts,
        proposals=imprint.proposals, nil=imprint.contacts == 0, figures_sha256=digest,
    )  # fmt: skip


def _check_new(reports: Reports, imprint: Imprint, name: str, *, again: bool) -> None:
    """Refuse to file twice by mistake: a second one would stand beside the first for ever."""
    filed = reports.filed(imprint.year, name, imprint.office if imprint.sort == "annual" else None)
    if filed and not again:
        whose = f" of {imprint.office}" if imprint.sort == "annual" else ""
        raise MisuseError(
            f"expected no {name}{whose} for {imprint.year} yet, found "
            f"{plural(len(filed), 'record')}, the last at index {filed[-1].index}, event {filed[-1].id}; --again files "
            "another beside it"
        )
    if imprint.sort == "review" and imprint.office != reports.reviewer():
        raise ConfigError(f"expected a review of {reports.reviewer()}, found one of {imprint.office}")
