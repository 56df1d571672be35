"""Which requests the demonstration tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from infra.demo import paths, unusual
from infra.demo.story import Story
from ledger.catalogue.blocks import Direction, Kind


class Plan(NamedTuple):
    """A path with what it fits: kind, direction (None: either), partner (None: any)."""

    path: Callable[[Story], None]
    kind: Kind
    direction: Direction | None = None
    partner: str | None = None
    weight: int = 1


SHOWN = (
    Plan(paths.recovery, "asset", "out", "KZ"),
    Plan(unusual.urgent, "law_enforcement", "out", "KZ"),
    Plan(unusual.out_of_order, "extradition", "in", "KZ"),
    Plan(unusual.partly_refused, "mla", "in", "KZ"),
    Plan(unusual.unconfirmed, "law_enforcement", "in", "KZ"),
    Plan(unusual.doubted, "mla", "in", "KZ"),
    Plan(unusual.asked_back, "direct_exchange", "in", "KZ"),
    Plan(paths.extradition, "extradition", "out", "KZ"),
    Plan(unusual.consent_owed, "direct_exchange", "out", "KZ"),
    Plan(unusual.conditional, "mla", "out", "KZ"),
    Plan(paths.sentenced, "transfer_sentenced", "in", "KZ"),
    Plan(unusual.refused, "extradition", "out", "RS"),
    Plan(unusual.refusal_untold, "mla", "in", "BY"),
    Plan(unusual.misrouted, "mla", "in", "KZ"),
    Plan(paths.prosecution, "transfer_prosecution", "out", "UZ"),
    Plan(unusual.late_news, "mla", "out", "BY"),
    Plan(paths.offer, "initiative", "in", "KZ"),
    Plan(paths.search, "search_person", "out", "KZ"),
    Plan(unusual.withdrawn, "mla", "out", "KZ"),
)
"""Told first, and to the end: one of each that is worth seeing."""

ORDINARY = (
    Plan(paths.assistance, "mla", weight=10),
    Plan(paths.extradition, "extradition", weight=6),
    Plan(paths.exchange, "direct_exchange", partner="KZ", weight=8),
    Plan(unusual.urgent, "law_enforcement", partner="KZ", weight=2),
    Plan(paths.search, "search_person", weight=3),
    Plan(paths.recovery, "asset", weight=3),
    Plan(paths.sentenced, "transfer_sentenced", partner="KZ", weight=2),
    Plan(paths.prosecution, "transfer_prosecution", weight=2),
    Plan(paths.offer, "initiative", partner="KZ", weight=2),
    Plan(unusual.asked_back, "mla", weight=2),
    Plan(unusual.partly_refused, "mla", weight=1),
)
"""What most requests are, and about how often."""
