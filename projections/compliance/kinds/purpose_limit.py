"""Rule kind ``purpose_limit``: was it used for what it was given for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.materials.region import Region, by_both_clocks, effective, item_of, regions
from projections.compliance.materials.release import Release, release_of
from projections.compliance.materials.using import Ruling, given_for, text_of, weigh
from projections.compliance.readings import day_of
from projections.compliance.takes import READINGS, Takes, some_of
from projections.compliance.verdict import Finding, Mark, worst

NONE = "—"


@check(
    "purpose_limit",
    "use",
    takes=Takes({"received_as": some_of("request", "answer", "initiative", "exchange"), "term": READINGS}),
)
def use(asked: Asked) -> Iterator[Finding]:
    """Each use and disclosure had the purpose it was given for, prior consent, or was of what is public.

    One row per material and user; its worst use decides.

    Params:
        received_as: ways of supply that the text speaks of, if the requested Party supplied it; use of other material
            for another purpose is undetermined.
        term: readings by which a notice ends the instrument, for a release.
    """
    party = asked.register.party
    rows = [
        region
        for region in regions(asked.case)
        if region.used and (region.supplier is None or party(region.supplier) != party(region.holder))
    ]
    released = release_of(asked) if rows else None
    for region in rows:
        uses = sorted(region.used, key=effective)
        found = [(act, *_ruled(asked, region, act, released)) for act in uses]
        verdict = worst(ruling.verdict for _, ruling, _ in found)
        act, ruling, marks = next(each for each in found if each[1].verdict == verdict)
        if verdict == "met":
            # The reason shown is that of the use that needed one most.
            act, ruling, _ = max(found, key=lambda each: _WEIGHT.get(each[1].reason, 0))
            marks = tuple(mark for _, _, each in found for mark in each)
            others = evidence(*(each.acts for _, each, _ in found))
        else:
            others = ()
        yield asked.finding(
            verdict, ruling.reason, rests_on=evidence(ruling.acts, others), item=item_of(region, rows),
            bound=region.holder, values=_values(asked, region, act, ruling), marks=marks, missing=ruling.missing,
            at=act.time if verdict == "breached" else None,
        )  # fmt: skip


_WEIGHT = {"same_purpose": 0, "requested_for": 1, "public": 2, "consented": 3, "released": 4}


def _ruled(asked: Asked, region: Region, act: CaseAct, released: Release | None) -> tuple[Ruling, tuple[Mark, ...]]:
    ruling, marks = by_both_clocks(
        lambda clock: weigh(asked.case, region, act, asked.register, clock),
        lambda each: each.verdict,
        in_order=region.in_order,
    )
    if ruling.verdict == "met":
        return ruling, marks
    if released is not None and act.time >= released.at:
        acts = evidence(ruling.acts, released.acts)
        if released.part:
            return msgspec.structs.replace(ruling, verdict="undetermined", reason="released_in_part", acts=acts), marks
        return Ruling("met", "released", acts, ruling.consent), ()
    if ruling.verdict == "breached":
        outside = _outside(asked, region)
        if outside is not None:
            reason, missing = outside
            return msgspec.structs.replace(ruling, verdict="undetermined", reason=reason, missing=missing), marks
    return ruling, marks


def _outside(asked: Asked, region: Region) -> tuple[str, str] | None:
    """Why the text does not speak of the material: reason, and what is missing; None: it does."""
    act = region.description
    if act is None:
        return "no_supply", f"supply of {region.material}"
    if act.data.supplied_as not in asked.param("received_as", ()):
        return "outside_letter", ""
    content = asked.case.content
    if content is None:
        # An answer comes from the one who was asked.
        return None if act.data.supplied_as == "answer" else ("no_content", "content of the request")
    requesting, requested = content.data.requesting, content.data.requested
    party = asked.register.party
    if requested:
        inside = party(act.data.supplier) == party(requested)
    else:
        inside = bool(requesting) and party(act.data.supplier) != party(requesting)
    return None if inside else ("outside_letter", "")


def _values(asked: Asked, region: Region, act: CaseAct, ruling: Ruling) -> dict[str, str]:
    supplied, said = given_for(asked.case, region)
    tz = asked.register.zone(region.holder)
    return {
        "holder": region.holder,
        "used": text_of([act.data]),
        "used_on": day_of(act.time, tz).isoformat(),
        "supplied": text_of(supplied or said),
        "consent": NONE if ruling.consent is None else day_of(ruling.consent.time, tz).isoformat(),
    }
