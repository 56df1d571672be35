"""A region: one material at one holder, with every act about it; and how it was kept at a moment.

"At a moment" is asked by a clock: by effective time, which decides, and by admission, which shows whether a verdict
rests on what its sender claims (mark ``claimed``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Literal, TypeVar

import msgspec

from projections.compliance.case import Case, CaseAct
from projections.compliance.verdict import Mark

Moment = tuple[int, int]
"""Time (ms) and, for ties, place in the subject."""
Clock = Callable[[CaseAct], Moment]
State = Literal["unhandled", "handled", "disposed", "erased"]

SUPPLY = ("material.sent", "material.received")
LISTING = ("handling.set", "access.granted", "access.withdrawn")


def effective(act: CaseAct) -> Moment:
    """The clock that decides what came before what."""
    return act.order


def admitted(act: CaseAct) -> Moment:
    """The clock of the ledger."""
    return act.admitted, act.seq


T = TypeVar("T")


def by_both_clocks(
    weigh: Callable[[Clock], T], same: Callable[[T], Any], *, in_order: bool = False
) -> tuple[T, tuple[Mark, ...]]:
    """What is found by effective time, marked ``claimed`` where the order of admission would find something else.

    Args:
        weigh: finds it by a clock.
        same: what of it is compared: the verdict.
        in_order: whether both clocks give the same order, and nothing but the order decides.
    """
    found = weigh(effective)
    return found, (() if in_order or same(found) == same(weigh(admitted)) else ("claimed",))


class Region(msgspec.Struct, frozen=True):
    """One material at one holder; acts in the order of the ledger."""

    material: str
    holder: str
    described: tuple[CaseAct, ...] = ()
    """Every act that supplies the material, whoever recorded it: its sort, supplier, purposes."""
    supplied: tuple[CaseAct, ...] = ()
    """Those of this holder: when it sent or received it."""
    listing: tuple[CaseAct, ...] = ()
    """What sets or changes the handling and the access list."""
    accessed: tuple[CaseAct, ...] = ()
    used: tuple[CaseAct, ...] = ()
    """Uses and disclosures."""
    incidents: tuple[CaseAct, ...] = ()
    disposals: tuple[CaseAct, ...] = ()
    erasures: tuple[CaseAct, ...] = ()
    in_order: bool = False
    """Whether the request's acts were recorded in the order in which they are said to have happened."""

    @property
    def first(self) -> CaseAct:
        """Its earliest act."""
        own = (*self.supplied, *self.listing, *self.accessed, *self.used, *self.incidents, *self.disposals)
        return min(own, key=effective)

    @property
    def receipts(self) -> tuple[CaseAct, ...]:
        """When the holder received it."""
        return tuple(act for act in self.supplied if act.name == "material.received")

    @property
    def description(self) -> CaseAct | None:
        """The act that says what it is: the holder's first, else another's; None: its supply is not recorded."""
        return (self.supplied or self.described or (None,))[0]

    @property
    def confidential(self) -> bool:
        """Whether it was supplied on condition of confidentiality, by anybody's record of the supply."""
        return any(act.data.under_confidentiality for act in self.described)

    @property
    def supplier(self) -> str | None:
        """Office that supplied it; None: not recorded."""
        act = self.description
        return None if act is None else str(act.data.supplier)

    def gone(self, clock: Clock = effective) -> CaseAct | None:
        """The act by which the holder has it no longer: its disposal, or the erasure of its key."""
        return min((*self.disposals, *self.erasures), key=clock, default=None)

    def handling(self, moment: Moment, clock: Clock = effective) -> CaseAct | None:
        """The handling in force at a moment."""
        found = [act for act in self.listing if act.name == "handling.set" and clock(act) <= moment]
        return max(found, key=clock, default=None)

    def persons(self, moment: Moment, clock: Clock = effective) -> dict[str, CaseAct]:
        """The access list at a moment: each person and what put him there. A new handling begins a new list."""
        on_it: dict[str, CaseAct] = {}
        for act in sorted(self.listing, key=clock):
            if clock(act) > moment:
                break
            if act.name == "handling.set":
                on_it = dict.fromkeys(act.data.access, act)
            elif act.name == "access.granted":
                on_it.update(dict.fromkeys(act.data.persons, act))
            else:
                for person in act.data.persons:
                    on_it.pop(person, None)
        return on_it

    def state(self) -> State:
        """What it is now."""
        if self.disposals:
            return "disposed"
        if self.erasures:
            return "erased"
        return "handled" if any(complete(act) for act in self.listing) else "unhandled"


def complete(handling: CaseAct) -> bool:
    """Whether a handling protects anything: a custodian and at least one measure (our choice; Order 3.3 lists none)."""
    return handling.name == "handling.set" and bool(handling.data.custodian) and bool(handling.data.measures)


def regions(case: Case, material: str | None = None) -> tuple[Region, ...]:
    """All regions of a request, or those of one material, in the order in which they began.

    A holder is an office that sent, received, handled, opened, used or disposed of it.  That something was sent to an
    office does not yet show that it holds it.
    """
    every: tuple[Region, ...] | None = case.memo.get("regions")
    if every is None:
        every = case.memo["regions"] = tuple(_regions(case))
    return every if material is None else tuple(region for region in every if region.material == material)


def _regions(case: Case) -> Iterator[Region]:
    found: dict[tuple[str, str], dict[str, list[CaseAct]]] = {}
    described: dict[str, list[CaseAct]] = {}
    for act in case.named(*_PLACES):
        holder, place = _holder(act), _PLACES[act.name]
        found.setdefault((act.data.material, holder), {}).setdefault(place, []).append(act)
        if place == "supplied":
            described.setdefault(act.data.material, []).append(act)
    if not found:
        return
    erasures = [act for act in case.named("content.erased") if act.data.scope != "contact"]
    orders = [act.order for act in case.acts]
    in_order = all(before < after for before, after in pairwise(orders))
    for (name, holder), places in found.items():
        yield Region(
            name,
            holder,
            described=tuple(described.get(name, ())),
            erasures=tuple(_erasing(erasures, name, holder)),
            in_order=in_order,
            **{place: tuple(acts) for place, acts in places.items()},
        )


def item_of(region: Region, among: Iterable[Region]) -> str:
    """The material's id, with the holder where several regions of it are spoken of: ``m-1@RU-OMS``."""
    holders = {each.holder for each in among if each.material == region.material}
    return region.material if len(holders) < 2 else f"{region.material}@{region.holder}"


_PLACES = {
    **dict.fromkeys(SUPPLY, "supplied"),
    **dict.fromkeys(LISTING, "listing"),
    "material.accessed": "accessed",
    "material.used": "used",
    "material.disclosed": "used",
    "material.disposed": "disposals",
    "incident.reported": "incidents",
}


def _holder(act: CaseAct) -> str:
    if act.name == "material.used":
        return str(act.data.by)
    return str(act.get("holder") or act.office)


def _erasing(erasures: Iterable[CaseAct], material: str, holder: str) -> Iterable[CaseAct]:
    for act in erasures:
        if act.office == holder and (act.data.scope == "request" or material in act.data.ids):
            yield act
