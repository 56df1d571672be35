"""Persons and property inside a request; each has a state of its own, whatever the state of the request.

- person: located → detained → granted → handed over, or released; ``lent`` while handed over for a time only.
- asset: traced → restrained → confiscated → returned, or released.

What happened is kept even where it was out of order.  Our choices: an act of an earlier stage, recorded
late, moves nobody back, but who was released or has returned may be detained again, and released property
restrained again; property is released once all of what was restrained or confiscated is, in every currency.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

import msgspec
from msgspec import UNSET

from ledger.catalogue.base import Money
from projections.status.facts import Asset, AssetState, Person, PersonState, Sums

# Amounts have 18 + 6 digits; this is room for more of them than a stream can hold, so sums are exact.
_EXACT = Context(prec=60)
_ABOUT_PERSONS = frozenset({"extradition", "transfer_sentenced", "transfer_mental"})

_PERSON_FROM: dict[PersonState, frozenset[str]] = {
    "located": frozenset({""}),
    "detained": frozenset({"", "located", "released", "lent"}),
    "granted": frozenset({"", "located", "detained"}),
    "lent": frozenset({"", "located", "detained", "granted", "released"}),
    "handed_over": frozenset({"", "located", "detained", "granted", "lent", "released"}),
    "released": frozenset({"", "located", "detained", "granted", "lent"}),
}
"""From which states a person gets into each; "" is one not known before."""

_ASSET_FROM: dict[AssetState, frozenset[str]] = {
    "traced": frozenset({""}),
    "restrained": frozenset({"", "traced", "released"}),
    "confiscated": frozenset({"", "traced", "restrained", "released"}),
    "returned": frozenset({"", "traced", "restrained", "confiscated", "released"}),
    "released": frozenset({"", "traced", "restrained", "confiscated"}),
}


def _handover(data: Any) -> PersonState:
    return "lent" if data.what == "temporary" else "handed_over"


_PERSON_ACTS: dict[str, Callable[[Any], PersonState]] = {
    "person.located": lambda _: "located",
    "person.detained": lambda _: "detained",
    "person.released": lambda _: "released",
    "person.handedover": _handover,
}
_ASSET_ACTS: dict[str, AssetState] = {
    "asset.traced": "traced",
    "asset.restrained": "restrained",
    "asset.released": "released",
    "asset.confiscated": "confiscated",
    "asset.returned": "returned",
}

PERSONS = frozenset(_PERSON_ACTS) | {"decision.granted"}
ASSETS = frozenset(_ASSET_ACTS)


def persons_after(persons: tuple[Person, ...], name: str, data: Any, time: int, index: int) -> tuple[Person, ...]:
    """The persons after an act about one of them, or after a decision, which may be about all."""
    if name != "decision.granted":
        return _with_person(persons, data.person, _PERSON_ACTS[name](data), time, index)
    if data.what not in _ABOUT_PERSONS:
        return persons
    for person in [p.person for p in persons] if data.person is UNSET else [data.person]:
        persons = _with_person(persons, person, "granted", time, index)
    return persons


def grants_all(name: str, data: Any) -> bool:
    """Whether an event is a decision about persons that names none, and so covers every one."""
    return name == "decision.granted" and data.what in _ABOUT_PERSONS and data.person is UNSET


def _with_person(
    persons: tuple[Person, ...], ref: str, state: PersonState, time: int, index: int
) -> tuple[Person, ...]:
    place = next((n for n, person in enumerate(persons) if person.person == ref), None)
    if place is None:
        return (*persons, Person(ref, state, time, index, granted=state == "granted"))
    after = known = persons[place]
    if state == "granted":
        after = msgspec.structs.replace(after, granted=True)
    if known.state in _PERSON_FROM[state]:
        after = msgspec.structs.replace(after, state=state, since=time, index=index)
    return (*persons[:place], after, *persons[place + 1 :])


def assets_after(assets: tuple[Asset, ...], name: str, data: Any, time: int, index: int) -> tuple[Asset, ...]:
    """The assets after an act about one of them."""
    state = _ASSET_ACTS[name]
    place = next((n for n, asset in enumerate(assets) if asset.asset == data.asset), len(assets))
    known = assets[place] if place < len(assets) else Asset(data.asset, state, time, index)
    sort = data.sort if name == "asset.traced" else known.sort
    sums = known.sums if state == "traced" else _added(known.sums, state, data.money)
    after = msgspec.structs.replace(known, sort=sort, sums=sums)
    moves = known.state in _ASSET_FROM[state] and (state != "released" or _all_released(sums))
    if moves:
        after = msgspec.structs.replace(after, state=state, since=time, index=index)
    return (*assets[:place], after, *assets[place + 1 :])


def _added(sums: tuple[Sums, ...], state: AssetState, money: Money) -> tuple[Sums, ...]:
    """The sums with one more amount; ``state`` is also the name of what is summed."""
    place = next((n for n, each in enumerate(sums) if each.currency == money.currency), len(sums))
    known = sums[place] if place < len(sums) else Sums(money.currency)
    total = _EXACT.add(Decimal(getattr(known, state)), Decimal(money.amount))
    after = msgspec.structs.replace(known, **{state: f"{total:f}"})
    return (*sums[:place], after, *sums[place + 1 :])


def _held(sums: Sums) -> Decimal:
    # Confiscated is what was restrained before, so the two are not added up; a restraint that is prolonged
    # counts again, as it does in the totals that offices report.
    return max(Decimal(sums.restrained), Decimal(sums.confiscated))


def _all_released(sums: tuple[Sums, ...]) -> bool:
    return all(Decimal(each.released) >= _held(each) for each in sums)


def exceeds(assets: tuple[Asset, ...], data: Any) -> bool:
    """Whether more of an asset is returned, in one currency, than was restrained or confiscated."""
    return any(
        Decimal(sums.returned) > _held(sums)
        for asset in assets
        if asset.asset == data.asset
        for sums in asset.sums
        if sums.currency == data.money.currency
    )
