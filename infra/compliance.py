"""Questions about compliance to an open ledger, by the rulebook that its register says is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.judging import rulebooks_of
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import Rulebook, built_in

if TYPE_CHECKING:
    from infra.wiring import Ledger
    from projections.store import Store


def rulebook_in_use(ledger: Ledger, store: Store) -> Rulebook:
    """The rulebook that the register has adopted last, as the rows have it; the built-in one where it has none.

    Raises:
        ConfigError: the adopted one is not kept here.
        MisuseError: there are no rows of this ledger yet.
    """
    register = Compliance(store, ledger.ledger_id, built_in()).register()
    return rulebooks_of(ledger).in_use(register)


def open_compliance(ledger: Ledger, store: Store) -> tuple[Compliance, Rulebook]:
    """Questions about compliance, and the rulebook that answers them. Raises as ``rulebook_in_use``."""
    rulebook = rulebook_in_use(ledger, store)
    return Compliance(store, ledger.ledger_id, rulebook), rulebook
