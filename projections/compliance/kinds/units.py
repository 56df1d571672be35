"""Checks on the units through which Parties co-ordinate.

``central_act``           (authority)  what went by the central channel came from, or went to, a coordinating unit
``coordinator_notified``  (lag)        the other Party was told of another unit
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from projections.compliance.case import CaseAct, evidence, items
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import iso_day, lagged
from projections.compliance.readings import day_of, start_of
from projections.compliance.takes import LAG, Takes
from projections.compliance.verdict import Finding

CENTRAL = "directorate"
"""The channel of central acts (``ledger/catalogue/blocks.py``)."""


@check("authority", "central_act")
def central_act(asked: Asked) -> Iterator[Finding]:
    """Agr. 5(2). One row for all central acts of a request; the text gives the unit coordination, not every act."""
    central = [act for act in asked.case.acts if act.get("channel") == CENTRAL]
    if not central:
        return
    past: list[CaseAct] = []
    lacking: dict[str, str] = {}
    units: dict[str, None] = {}
    others: dict[str, None] = {}
    for act in central:
        day = day_of(act.time, asked.register.zone(act.office))
        known = {party: asked.register.coordinators(party, day, asked.profile.instrument.id)
                 for party in asked.profile.instrument.parties}  # fmt: skip
        ends = _ends(act)
        found = [code for code in ends if any(code in codes for codes in known.values())]
        units.update(dict.fromkeys(found))
        if found:
            continue
        past.append(act)
        others.update(dict.fromkeys(ends))
        for party, codes in known.items():
            if not codes:
                lacking.setdefault(party, day.isoformat())
    shown = {"unit": ", ".join(units or others), "other": ", ".join(others), "n": str(len(central))}
    entries = [entry.act for code in units if (entry := asked.register.office(code)) is not None]
    if not past:
        yield asked.finding("met", "by_unit", rests_on=evidence(central, entries), values=shown)
    elif lacking:
        party, day_shown = next(iter(lacking.items()))
        yield asked.finding("undetermined", "unit_unknown", rests_on=evidence(past, central), values=shown,
                            missing=f"coordinating unit of {party} on {day_shown}")  # fmt: skip
    else:
        yield asked.finding("undetermined", "other_unit", rests_on=evidence(past, central), values=shown)


def _ends(act: CaseAct) -> list[str]:
    """The offices between which an act went: whose it is, and those that it names."""
    named = (act.office, act.get("from_"), act.get("to"))
    return list(dict.fromkeys(code for code in named if isinstance(code, str)))


@check("lag", "coordinator_notified", takes=Takes(LAG, threshold=True))
def coordinator_notified(asked: Asked) -> Iterator[Finding]:
    """Agr. 5(3), either way."""
    changes = [act for act in asked.register.case.named("coordinator.changed")
               if act.data.instrument == asked.profile.instrument.id
               and act.data.party in asked.profile.instrument.parties]  # fmt: skip
    named = items(changes)
    for party in asked.profile.instrument.parties:
        asked.register.look(f"coordinator:{party}")
    for change in changes:
        tz = asked.register.zone(change.office)
        start = _since(asked, change)
        notices = [
            act
            for act in asked.register.case.named("coordinator.notified")
            if act.data.change == change.id and asked.register.party(act.data.to) != change.data.party
        ]
        later = [act for act in changes
                 if act.data.party == change.data.party
                 and (_since(asked, act), act.seq) > (start, change.seq)]  # fmt: skip
        next_one = min(later, key=lambda act: (_since(asked, act), act.seq), default=None)
        yield lagged(
            asked, start, change, tz,
            done=min(notices, key=lambda act: act.order, default=None),
            gone=None if next_one is None else (_since(asked, next_one), next_one),
            item=named[change], bound=change.data.party,
            values={"old": change.data.unit_old, "new": change.data.unit_new},
        )  # fmt: skip


def _since(asked: Asked, change: CaseAct) -> int:
    """When a change took effect, ms: the record's moment if it was on that day, else the start of the day."""
    tz = asked.register.zone(change.office)
    return change.time if iso_day(change.time, tz) == change.data.effective else start_of(
        date.fromisoformat(change.data.effective), tz
    )  # fmt: skip
