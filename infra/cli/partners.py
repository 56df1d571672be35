"""``rogatory partners``: co-operation in figures, state by state, with the records behind each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple, get_args
from zoneinfo import ZoneInfo

import typer

from infra.cli.figures_table import show_by, show_figures, show_partners, show_records
from infra.cli.findings import UpdateOption
from infra.cli.near import near
from infra.cli.options import Common, command
from infra.cli.render import note
from infra.cli.rows import freshen, judge_rest
from infra.compliance import open_compliance
from infra.signing import now_ms
from infra.wiring import open_ledger
from ledger.catalogue.blocks import Direction, Kind
from ledger.errors import ConfigError, FormatError
from projections.compliance.register import LegalRegister
from projections.figures.answers import Scope
from projections.figures.catalogue import FIGURES, PARTS, Figure, Part
from projections.figures.months import month_of, parse_period
from projections.figures.queries import DIMENSIONS, Figures

EVERY, NO_STATE = "all", "none"
"""In place of a state: all partners together; what names no single partner."""
_POSTED = ("M1", "M2", "M23", "M24", "M25.signed", "M26")
"""Parts that between them name every state that any figure does."""


_WITH_OFFICES = ("M1", "M24", "M24.told")
"""Parts that between them name every office of a partner that any figure does."""


class _Wanted(NamedTuple):
    """A figure that was asked for, and which of its parts."""

    figure: Figure
    parts: tuple[Part, ...]
    named: bool
    """Whether a part was named, not the figure."""


@command(reads=True)
async def partners(
    common: Common,
    state: Annotated[
        str | None,
        typer.Argument(
            metavar="[STATE]",
            help="One partner, as KZ; all: every partner together; none: what names no single one. Default: a list",
        ),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(metavar="PERIOD", help="2025, 2025-03, 2025-01..2025-06 or all  [default: this year]"),
    ] = None,
    office: Annotated[str | None, typer.Option("--office", metavar="CODE", help="Only of this own office")] = None,
    counterpart: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only with this office of the partner")
    ] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only of this kind of request")] = None,
    direction: Annotated[str | None, typer.Option(metavar="in|out", help="Only in this direction")] = None,
    figure: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this figure, as M10, or this part of it, as M10.open")
    ] = None,
    records: Annotated[bool, typer.Option("--records", help="List the records that the figure rests on")] = False,
    by: Annotated[str | None, typer.Option(metavar="WHAT", help=f"Split the figure by {', '.join(DIMENSIONS)}")] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="LINE", help="Of the records only those of this line, as --json names it")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of the list of records")] = 50,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on behind the list of records before")] = None,
    update: UpdateOption = None,
) -> None:
    """Co-operation in figures: what was asked, answered, handed over, restrained, kept, and the records behind it.

    Without a state: a line for each partner. With one: all figures. What stands at a date stands at the period's end.
    """
    wanted = _wanted(figure)
    _check_options(wanted, records=records, by=by, tag=tag, after=after)
    if counterpart is not None and wanted is not None and wanted.figure.parts[0].how == "verdicts":
        raise ConfigError(
            f"expected --counterpart with a figure that is counted from records, found {wanted.figure.id}: a finding "
            "names whose duty it is, not the other side's office"
        )
    _one_of("--kind", kind, get_args(Kind))
    _one_of("--direction", direction, get_args(Direction))
    months = None if period is None else _months(period)
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            behind = await freshen(ledger, store, update)
            compliance, _ = open_compliance(ledger, store)
            await judge_rest(ledger, store, compliance, update)
            figures, register, now = Figures(compliance), compliance.register(), now_ms()
            zone = register.ledger_zone()
            _known_office(office, register)
            first, last = months or _this_year(now, zone)
            partner = _known_state(state, figures, now)
            _known_counterpart(counterpart, register, figures)
            scope = Scope(
                partner=partner, office=office, counterpart=counterpart, kind=kind, direction=direction, first=first,
                last=last, until=month_of(now, zone),
            )  # fmt: skip
            if wanted is None and state is None:
                show_partners(common, figures.partners(scope, now), zone, behind)
            elif wanted is not None and records:
                part = _single(wanted)
                _known_tag(tag, part, figures, scope, now)
                show_records(common, part, figures.records(part.code, scope, tag, limit=limit, after=after), scope)
            elif wanted is not None and by is not None:
                split = {part: figures.by(part.code, scope, by) for part in _splittable(wanted, by)}
                show_by(common, wanted.figure, split, by, scope)
            else:
                chosen = FIGURES if wanted is None else (wanted.figure,)
                parts = () if wanted is None else wanted.parts
                show_figures(common, figures.page(scope, now), chosen, parts, zone, behind)


# What is asked


def _wanted(text: str | None) -> _Wanted | None:
    if text is None:
        return None
    figure = next((each for each in FIGURES if each.id == text.upper()), None)
    if figure is not None:
        return _Wanted(figure, figure.parts, named=False)
    code = next((each for each in PARTS if each.lower() == text.lower()), None)
    if code is None:
        known = [*(each.id for each in FIGURES), *PARTS]
        raise ConfigError(
            f"expected --figure as one of {FIGURES[0].id} to {FIGURES[-1].id} or a part of one, such as M10.open, "
            f"found {text[:40]!r}{near(text, known)}"
        )
    figure = next(each for each in FIGURES if PARTS[code] in each.parts)
    return _Wanted(figure, (PARTS[code],), named=True)


def _check_options(
    wanted: _Wanted | None, *, records: bool, by: str | None, tag: str | None, after: str | None
) -> None:
    """Refuse options that would be without effect."""
    if records and by is not None:
        raise ConfigError("expected one of --records and --by, found both")
    for name, given in (("--records", records), ("--by", by is not None)):
        if given and wanted is None:
            raise ConfigError(f"expected {name} with --figure, found it alone")
    for name, text in (("--tag", tag), ("--after", after)):
        if text is not None and not records:
            raise ConfigError(f"expected {name} with --records, found it alone")
    _one_of("--by", by, DIMENSIONS)
    if wanted is not None and (records or by is not None) and wanted.figure.parts[0].how == "verdicts":
        raise ConfigError(
            f"expected a figure that is counted from records, found {wanted.figure.id}: `rogatory compliance` with "
            "--partner lists its findings, each with its records"
        )


def _single(wanted: _Wanted) -> Part:
    """The part whose records are meant: the one that was named, else the one that is called like the figure."""
    if len(wanted.parts) == 1:
        return wanted.parts[0]
    found = next((part for part in wanted.parts if part.code == wanted.figure.id), None)
    if found is None:
        codes = ", ".join(part.code for part in wanted.parts)
        raise ConfigError(f"expected --figure as one part of {wanted.figure.id}, {codes}, found the whole of it")
    return found


def _splittable(wanted: _Wanted, by: str) -> Sequence[Part]:
    """Of a whole figure those parts that can be split so; where there is none, the query says why."""
    if wanted.named or by != "month":
        return wanted.parts
    return [part for part in wanted.parts if part.how not in ("held", "balance")] or wanted.parts


def _one_of(option: str, given: str | None, known: Sequence[str]) -> None:
    if given is not None and given not in known:
        raise ConfigError(f"expected {option} as one of {', '.join(known)}, found {given[:40]!r}{near(given, known)}")


def _months(period: str) -> tuple[int, int]:
    try:
        return parse_period(period)
    except FormatError as error:
        raise ConfigError(f"--period: {error}") from None


def _this_year(now: int, zone: str) -> tuple[int, int]:
    year = datetime.fromtimestamp(now / 1000, ZoneInfo(zone)).year
    return year * 100 + 1, year * 100 + 12


# What is known


def _known_office(code: str | None, register: LegalRegister) -> None:
    if code is None:
        return
    own = [each for each in register.offices() if register.party(each) == register.own]
    if code not in own:
        raise ConfigError(
            f"expected --office as an office of {register.own} that is registered, found {code[:40]!r}{near(code, own)}"
        )


def _known_counterpart(code: str | None, register: LegalRegister, figures: Figures) -> None:
    """An office of a partner that neither the register nor any request names is a mistake."""
    if code is None:
        return
    known = {each for each in register.offices() if register.party(each) != register.own}
    for part in _WITH_OFFICES:
        known |= figures.by(part, Scope(), "counterpart").keys() - {""}
    if code not in known:
        raise ConfigError(
            f"expected --counterpart as an office of a partner that a record names, found {code[:40]!r}"
            f"{near(code, sorted(known))}"
        )


def _known_state(text: str | None, figures: Figures, now: int) -> str | None:
    """The partner of a scope. A state that no record names is taken for a mistake, lest it seems to be at peace."""
    if text is None or text == EVERY:
        return None
    if text == NO_STATE:
        return ""
    state = text.upper()
    if re.fullmatch("[A-Z]{2}", state, re.ASCII) and (
        figures.partners(Scope(partner=state), now).rows
        or any(figures.by(part, Scope(partner=state), "partner") for part in _POSTED)
    ):
        return state
    known = sorted({key for part in _POSTED for key in figures.by(part, Scope(), "partner")} - {""})
    raise ConfigError(
        f"expected a state that a record names, by its two letters, or {EVERY} or {NO_STATE}, found {text[:40]!r}"
        f"{near(state, known)}"
    )


def _known_tag(tag: str | None, part: Part, figures: Figures, scope: Scope, now: int) -> None:
    """A line that the part has in no month is a mistake."""
    if tag is None:
        return
    whole = Scope(scope.partner, scope.office, scope.counterpart, scope.kind, scope.direction)
    figure = next(each for each in FIGURES if part in each.parts)
    tags = [line.tag for line in figures.page(whole, now).figure(figure.id).part(part.code).lines]
    # Of what stands at a date, a line may stand no more and still have stood in this period.
    tags += [line.tag for line in figures.page(scope, now).figure(figure.id).part(part.code).lines]
    if not any(each == tag or each.startswith(tag + " ") for each in tags):
        known = sorted(set(tags))
        raise ConfigError(
            f"expected --tag as a line of {part.code}, {', '.join(known) or 'which has none here'}, found {tag[:60]!r}"
            f"{near(tag, known)}"
        )
