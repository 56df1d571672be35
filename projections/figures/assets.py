"""Property and costs (M18-M20, M34); amounts are taken apart by ``money.py`` and never rounded.

Our choices: a restraint that is prolonged with its amount counts again, as in the totals that offices report; the sort
of an asset is that of its last tracing in the same file.  Of two records of one cost the later counts, as for rule A10,
and a cost is agreed where any agreement covers it.
"""

from __future__ import annotations

from projections.compliance.case import CaseAct
from projections.figures.money import units
from projections.figures.sheet import UNKNOWN, Sheet, in_time

ASSETS = frozenset({"asset.restrained", "asset.released", "asset.confiscated", "asset.returned"})
COSTS = frozenset({"cost.incurred"})


def count_assets(sheet: Sheet) -> None:
    """M18-M20."""
    sorts = {act.data.asset: act.data.sort for act in sheet.case.named("asset.traced")}
    for act in sheet.case.named(*ASSETS):
        asset = act.data.asset
        sort = sorts.get(asset, UNKNOWN)
        if act.name == "asset.returned":
            _post(sheet, "M19", act, act.data.to, asset)
        elif act.name == "asset.confiscated":
            _post(sheet, "M20", act, sort, asset)
        else:
            _post(sheet, "M18", act, sort, asset, sign=-1 if act.name == "asset.released" else 1)


def _post(sheet: Sheet, part: str, act: CaseAct, tag: str, thing: str, *, sign: int = 1) -> None:
    money, item = act.data.money, sheet.name(act)
    for unit, number in units(money.amount, money.currency):
        which = item if unit == money.currency else f"{item} {unit}"
        sheet.post(part, act, tag, item=which, value=sign * number, thing=thing, currency=unit)


def count_costs(sheet: Sheet) -> None:
    """M34."""
    costs = {act.data.cost: act for act in in_time(sheet.case.named("cost.incurred"))}
    agreements = sheet.case.named("cost.agreed")
    for cost, act in costs.items():
        # A cost is of one request: two that name theirs alike are not one thing.
        _post(sheet, "M34", act, act.data.borne_by, f"{cost} {act.subject}")
        agreed = any(each.data.scope == "all" or cost in (each.get("costs") or ()) for each in agreements)
        sheet.post("M34.agreed", act, "agreed" if agreed else "not_agreed", item=cost)
