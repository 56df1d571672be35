"""Property on its way from being found to being returned; one request may concern many assets."""

from __future__ import annotations

from typing import Literal

from ledger.catalogue.base import UNSET, Act, Date, Money, Opaque, SealedText, State, UnsetType, event


@event("asset.traced", sorts="request", cites="D001; D004; Order 3.2")
class AssetTraced(Act):
    """Property is found."""

    asset: Opaque
    sort: Literal["funds", "real_estate", "movable", "digital", "other"]
    state: State
    money: Money | UnsetType = UNSET
    holder: SealedText | UnsetType = UNSET


@event("asset.restrained", sorts="request", cites="D001")
class AssetRestrained(Act):
    """Property is arrested or blocked."""

    asset: Opaque
    money: Money
    measure: Literal["arrest", "block"]
    date: Date
    until: Date | UnsetType = UNSET


@event("asset.released", sorts="request", cites="D001 (our choice)")
class AssetReleased(Act):
    """A restraint on property is lifted."""

    asset: Opaque
    money: Money
    date: Date
    why: Literal["expired", "court", "withdrawn", "returned", "other"]


@event("asset.confiscated", sorts="request", cites="D001")
class AssetConfiscated(Act):
    """Property is confiscated."""

    asset: Opaque
    money: Money
    date: Date
    court: SealedText | UnsetType = UNSET


@event("asset.returned", sorts="request", cites="D001")
class AssetReturned(Act):
    """Property is given back."""

    asset: Opaque
    money: Money
    date: Date
    to: Literal["state", "company", "person"]
    recipient: SealedText | UnsetType = UNSET
