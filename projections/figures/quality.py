"""Quality of records, of any subject (M36): recorded in time, corrected, dated ahead.

All records count here, disowned ones and corrections, too.  Those of a month are one posting, by the month of the
ledger's zone, which rests on the first of them.
"""

from __future__ import annotations

from projections.compliance.case import CaseAct
from projections.figures.months import month_of
from projections.figures.posting import DAY
from projections.figures.sheet import Sheet


def count_quality(sheet: Sheet, zone: str) -> None:
    """M36, by months of a zone."""
    found: dict[tuple[int, str], list[CaseAct]] = {}
    for act in sheet.case.every:
        tag = "in_time" if act.admitted - act.claimed <= DAY else "late"
        found.setdefault((month_of(act.time, zone), tag), []).append(act)
        if act.name == "record.corrected":
            sheet.post("M36.corrections", act)
        if act.claimed > act.admitted:
            sheet.post("M36.future", act)
    for (month, tag), acts in found.items():
        sheet.post("M36", min(acts, key=lambda act: act.order), tag, item=f"{month} {tag}", value=len(acts))
