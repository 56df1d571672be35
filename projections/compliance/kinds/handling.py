"""Of the kind ``ordering``: was a material handled before anybody opened it, and opened by listed persons only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.materials.opening import Allowed, rulings
from projections.compliance.materials.region import Region, complete, effective, item_of, regions
from projections.compliance.materials.release import Release, release_of
from projections.compliance.readings import day_of, start_of
from projections.compliance.takes import READINGS, WORD, Takes, needed, one_of
from projections.compliance.verdict import Finding, Mark, Step, Verdict, until, worst

NEVER = "—"


@check(
    "ordering",
    "handled_first",
    takes=Takes(
        {
            "which": needed(one_of("offices", "confidential")),
            "act": WORD,
            "incident": one_of("undetermined"),
            "term": READINGS,
        }
    ),
)
def handled_first(asked: Asked) -> Iterator[Finding]:
    """A complete handling before the first access, and each access by a person on the list.

    Params:
        which: ``offices`` – materials sent or received at offices that an internal act binds (``act``, by default the
            instrument itself); ``confidential`` – materials received from the other Party on condition of
            confidentiality.
        incident: verdict where a leak or an unauthorised access is reported; absent: none.
        term: readings by which a notice ends the instrument, for a release.
    """
    concerned = _of_offices if asked.param("which") == "offices" else _confidential
    rows = [(region, missing) for region in regions(asked.case) for missing in concerned(asked, region)]
    released = release_of(asked) if rows else None
    among = [region for region, _ in rows]
    for region, missing in rows:
        item = item_of(region, among)
        if missing:
            yield asked.finding(
                "undetermined", "holder_unknown", rests_on=region.first, item=item, bound=region.holder,
                values=_values(asked, region), missing=missing,
            )  # fmt: skip
        else:
            yield _judged(asked, region, item, released)


def _judged(asked: Asked, region: Region, item: str, released: Release | None) -> Finding:
    """The worst of what is said of its accesses and incidents; of equals the earliest."""
    parts: list[_Part] = []
    for ruling in rulings(asked.case, region):
        act, verdict = ruling.acts[0], _VERDICTS[ruling.verdict]
        if released is None or act.time < released.at:
            parts.append(_Part(verdict, ruling.reason, ruling.acts, ruling.marks, act))
        elif released.part and verdict != "met":
            parts.append(_Part("undetermined", "released_in_part", evidence(ruling.acts, released.acts), access=act))
    leak = _leak(asked, region, released)
    if leak is not None:
        parts.append(_Part("undetermined", "incident", evidence(leak, region.listing)))
    verdict = worst(part.verdict for part in parts)
    deciding = next((part for part in parts if part.verdict == verdict), None)
    if deciding is None:
        return _unopened(asked, region, item)
    met = verdict == "met"
    return asked.finding(
        verdict,
        "handled_first" if met else deciding.reason,
        rests_on=evidence(*([part.acts for part in parts] if met else [deciding.acts]), _supply(asked, region)),
        item=item,
        bound=region.holder,
        values=_values(asked, region, deciding.access),
        marks=[mark for part in parts for mark in part.marks] if met else deciding.marks,
        at=deciding.acts[0].time if verdict == "breached" else None,
    )


class _Part(msgspec.Struct, frozen=True):
    verdict: Verdict
    reason: str
    acts: tuple[CaseAct, ...]
    marks: tuple[Mark, ...] = ()
    access: CaseAct | None = None


_VERDICTS: dict[Allowed, Verdict] = {"allowed": "met", "not_allowed": "breached", "undetermined": "undetermined"}


def _unopened(asked: Asked, region: Region, item: str) -> Finding:
    """Nobody opened it yet, as far as the duty goes."""
    end = (1 + max(act.time for act in (*region.listing, region.first)), 0)
    ready = region.handling(end)
    values = _values(asked, region)
    if ready is not None and complete(ready) and region.persons(end):
        return asked.finding(
            "met", "handled_unopened", rests_on=evidence(region.listing, _supply(asked, region)), item=item,
            bound=region.holder, values=values,
        )  # fmt: skip
    acts = evidence(_supply(asked, region), region.listing) or (region.first,)
    since = min(act.time for act in acts)
    reason = "handling_lacks" if ready is not None else "unhandled"
    steps: tuple[Step, ...] = (Step(since, "open", reason),)
    gone = region.gone()
    if gone is not None:
        steps = until(steps[0], Step(gone.time, "met", "gone_unopened"))
    return asked.finding(
        "open", reason, rests_on=evidence(acts, gone), item=item, bound=region.holder, values=values, steps=steps
    )


def _supply(asked: Asked, region: Region) -> tuple[CaseAct, ...]:
    """The records of the supply that make it a duty."""
    return region.supplied if asked.param("which") == "offices" else region.described


def _leak(asked: Asked, region: Region, released: Release | None) -> CaseAct | None:
    if asked.param("incident") is None:
        return None
    for act in region.incidents:
        if act.data.sort != "loss" and (released is None or act.time < released.at):
            return act
    return None


def _of_offices(asked: Asked, region: Region) -> Iterator[str]:
    """Nothing where the act does not bind the holder; else what is missing to know that it does, or an empty text."""
    act = str(asked.param("act", asked.profile.instrument.id))
    issued = [each for each in asked.register.acts("act.issued") if each.data.act == act]
    home = asked.register.own or asked.profile.instrument.parties[0]
    if asked.register.office(region.holder) is None:
        if asked.register.party(region.holder) == home:
            yield f"registration of {region.holder}"
    elif not issued:
        if asked.register.party(region.holder) == home:
            yield f"issue of {act}"
    elif region.holder in issued[-1].data.binds:
        begins = start_of(date.fromisoformat(issued[-1].data.date), asked.register.zone(region.holder))
        if region.first.time >= begins:
            yield ""


def _confidential(asked: Asked, region: Region) -> Iterator[str]:
    parties, holder = asked.profile.instrument.parties, asked.register.party(region.holder)
    if not region.confidential:
        return
    for act in region.receipts[:1]:
        supplier = asked.register.party(act.data.supplier)
        if supplier != holder and supplier in parties and holder in parties:
            yield ""


def _values(asked: Asked, region: Region, access: CaseAct | None = None) -> dict[str, str]:
    tz = asked.register.zone(region.holder)
    handled = min((act for act in region.listing if complete(act)), key=effective, default=None)
    opened = access or min(region.accessed, key=effective, default=None)
    return {
        "holder": region.holder,
        "handled": NEVER if handled is None else day_of(handled.time, tz).isoformat(),
        "opened": NEVER if opened is None else day_of(opened.time, tz).isoformat(),
        "person": NEVER if opened is None else str(opened.data.person),
    }
