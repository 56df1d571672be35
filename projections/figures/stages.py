"""Instruments on their way to signature, of the register (M26).

Our choices: a stage lasts until the next one by date, and the last until the signature; days between two stages are
those between their dates.  An instrument of several states stands at its stage with each of them, but its days, and an
application that was declined, are posted once, with a partner where there is but one.
"""

from __future__ import annotations

from datetime import date

from projections.compliance.case import CaseAct
from projections.compliance.readings import start_of
from projections.compliance.register import InstrumentEntry
from projections.figures.posting import Posting
from projections.figures.sheet import ended

DECLINED, SIGNED = "declined", "signed"


def count_stages(entry: InstrumentEntry, own: str, zone: str) -> list[Posting]:
    """M26 of one instrument."""
    if not entry.staged:
        return []
    steps = sorted((*entry.staged, *entry.signed), key=lambda act: (act.data.date, act.seq))
    rows: list[Posting] = []
    last: CaseAct | None = None
    for act in steps:
        stage = act.data.stage if act.name == "instrument.staged" else SIGNED
        time = start_of(date.fromisoformat(act.data.date), zone)
        item, states = f"{entry.id} {act.seq}", _others(act, own)
        alone = states[0] if len(states) == 1 else ""
        if last is not None:
            days = (date.fromisoformat(act.data.date) - date.fromisoformat(last.data.date)).days
            rows.append(
                Posting("M26.days", item, time, alone, "", "", "", "", f"{last.data.stage} to {stage}", entry.id, days,
                        "", act.index, last.index)
            )  # fmt: skip
            rows += [
                _stands(entry.id, act, ended(f"{item} {state or '-'}"), time, state, last.data.stage, -1)
                for state in _others(last, own) or [""]
            ]
        if stage == SIGNED:
            last = None
            continue
        last = act
        rows += [_stands(entry.id, act, f"{item} {state or '-'}", time, state, stage, 1) for state in states or [""]]
        if stage == DECLINED:
            rows.append(Posting("M26.declined", item, time, alone, "", "", "", "", "", entry.id, 1, "", act.index))
    return rows


def _others(act: CaseAct, own: str) -> list[str]:
    return sorted(set(act.data.parties) - {own})


def _stands(id_: str, act: CaseAct, item: str, time: int, state: str, stage: str, value: int) -> Posting:
    return Posting("M26", item, time, state, "", "", "", "", stage, id_, value, "", act.index)
