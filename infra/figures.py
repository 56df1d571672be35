"""Questions about figures to an open ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.compliance import open_compliance
from projections.figures.queries import Figures

if TYPE_CHECKING:
    from infra.wiring import Ledger
    from projections.store import Store


def open_figures(ledger: Ledger, store: Store) -> Figures:
    """Questions about figures, by the rulebook in use.

    Raises:
        ConfigError: the rulebook that the register has adopted is not kept here.
        MisuseError: there are no rows of this ledger yet.
    """
    compliance, _ = open_compliance(ledger, store)
    return Figures(compliance)
