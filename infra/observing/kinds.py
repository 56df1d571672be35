"""The words for why a partition stopped, as metrics and health say them."""

from __future__ import annotations

from ledger.errors import ForkError, IntegrityError, PoisonRecord, RogatoryError, UnknownVersion


def kind_of(error: Exception) -> str:
    """The word for the fault that stopped a partition."""
    if isinstance(error, ForkError):
        return "fork"
    if isinstance(error, PoisonRecord):
        return "poison"
    if isinstance(error, UnknownVersion):
        return "version"
    if isinstance(error, IntegrityError):
        return "integrity"
    return "other" if isinstance(error, RogatoryError) else "internal"
