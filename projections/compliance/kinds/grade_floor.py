"""Rule kind ``grade_floor``: was the degree of confidentiality kept that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.materials.holding import GRADES, Asking, Span, allowances, askings, spans
from projections.compliance.materials.region import Region, by_both_clocks, effective, item_of, regions
from projections.compliance.materials.release import Release, release_of
from projections.compliance.readings import day_of
from projections.compliance.takes import READINGS, Takes
from projections.compliance.verdict import Finding, Step, Verdict, until

NONE = "—"


class _Ruling(msgspec.Struct, frozen=True):
    verdict: Verdict
    reason: str
    acts: tuple[CaseAct, ...]
    span: Span | None = None
    missing: str = ""


@check("grade_floor", "degree", takes=Takes({"term": READINGS}, ("scales",)))
def degree(asked: Asked) -> Iterator[Finding]:
    """The degree held was at no moment below the one that the other Party asked for.

    What is tested is every moment from the arrival of the material, or of a later request for a degree, until it is
    gone.  Before the first handling nothing is held; that counts once somebody opened it.

    Params:
        term: readings by which a notice ends the instrument, for a release.

    Profile:
        ``requests.scales``: degrees of partners' scales as grades of ours.
    """
    scales, party = asked.profile.requests.get("scales", {}), asked.register.party
    parties = asked.profile.instrument.parties
    rows: list[tuple[Region, tuple[Asking, ...]]] = []
    for region in regions(asked.case):
        found = [
            each
            for each in askings(asked.case, region, scales, party)
            if {party(region.holder), party(_author(each.act))} <= set(parties)
        ]
        if found:
            rows.append((region, tuple(found)))
    released = release_of(asked) if rows else None
    among = [region for region, _ in rows]
    for region, requests in rows:
        yield _judged(asked, region, requests, item_of(region, among), released)


def _judged(asked: Asked, region: Region, requests: Sequence[Asking], item: str, released: Release | None) -> Finding:
    lower = allowances(asked.case, region, asked.register.party)
    until = None if released is None or released.part else released.at
    ruling, marks = by_both_clocks(
        lambda clock: _ruled(region, requests, spans(region, requests, lower, clock, until)),
        lambda each: each.verdict,
        in_order=region.in_order,
    )
    ruling = _in_part(ruling, released)
    broken = ruling.verdict == "breached" and ruling.span is not None
    return asked.finding(
        ruling.verdict,
        ruling.reason,
        rests_on=evidence(ruling.acts, lower, () if released is None else released.acts),
        item=item,
        bound=region.holder,
        marks=marks,
        values=_values(asked, region, requests, ruling),
        missing=ruling.missing,
        steps=_steps(region, ruling),
        at=ruling.span.since if broken and ruling.span else None,
    )


def _ruled(region: Region, requests: Sequence[Asking], found: Sequence[Span]) -> _Ruling:
    short = [span for span in found if span.short]
    broken = next((span for span in short if not span.law_limit), None)
    if broken is not None:
        mended = next((span.since for span in found if span.since > broken.since and not span.short), None)
        whole = msgspec.structs.replace(broken, until=mended)
        reason = "held_lower" if mended is None else "held_lower_for_a_time"
        return _Ruling("breached", "opened_unheld" if _unheld(broken) else reason, broken.acts, whole)
    unmapped = [each for each in requests if each.grade is None]
    if unmapped:
        degrees = ", ".join(dict.fromkeys(each.degree for each in unmapped))
        acts = evidence([each.act for each in unmapped], region.listing)
        return _Ruling("undetermined", "unmapped", acts, missing=f"grade of {degrees}")
    if short:
        return _Ruling("undetermined", "law_limit", short[0].acts, short[0])
    last = found[-1] if found else None
    if last is not None and last.held is None and last.asked > 0:
        return _Ruling("open", "unhandled", evidence(last.acts, region.supplied, region.gone()), last)
    acts = evidence(*(span.acts for span in found)) or evidence([each.act for each in requests])
    return _Ruling("met", "held", acts, last)


def _unheld(span: Span) -> bool:
    return all(act.name != "handling.set" for act in span.acts)


def _in_part(ruling: _Ruling, released: Release | None) -> _Ruling:
    """A shortfall after a release of a part of the duty, which may be that part."""
    if released is None or not released.part or ruling.verdict != "breached":
        return ruling
    if ruling.span is None or ruling.span.since < released.at:
        return ruling
    return msgspec.structs.replace(ruling, verdict="undetermined", reason="released_in_part")


def _steps(region: Region, ruling: _Ruling) -> tuple[Step, ...]:
    """Of one that was never handled nor opened: it can no longer be opened once it is gone."""
    gone = region.gone()
    if ruling.verdict != "open" or gone is None:
        return ()
    since = min(act.time for act in ruling.acts)
    return until(Step(since, "open", "unhandled"), Step(gone.time, "met", "gone_unopened"))


def _values(asked: Asked, region: Region, requests: Sequence[Asking], ruling: _Ruling) -> dict[str, str]:
    tz = asked.register.zone(region.holder)
    span = ruling.span
    handled = max((act for act in region.listing if act.name == "handling.set"), key=effective, default=None)
    held = NONE if handled is None else str(handled.data.grade)
    if span is not None:
        held = NONE if span.held is None else GRADES[span.held]
    return {
        "holder": region.holder,
        "asked": ", ".join(dict.fromkeys(each.degree for each in requests)) if span is None else GRADES[span.asked],
        "held": held,
        "since": NONE if span is None else day_of(span.since, tz).isoformat(),
        "until": NONE if span is None or span.until is None else day_of(span.until, tz).isoformat(),
    }


def _author(act: CaseAct) -> str:
    return str(act.get("by") or act.data.supplier)
