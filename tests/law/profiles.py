"""The built-in rulebook with something changed."""

from __future__ import annotations

from typing import Any

import msgspec

from projections.compliance.rulebook import Rulebook, built_in


def ruled(rule_id: str, **changes: Any) -> Rulebook:
    """The built-in rulebook with other members of one rule: ``ruled("O4", threshold="P1D")``."""
    book = built_in()
    profiles = tuple(
        msgspec.structs.replace(
            profile,
            rule=tuple(msgspec.structs.replace(r, **changes) if r.id == rule_id else r for r in profile.rule),
        )
        for profile in book.profiles
    )
    return msgspec.structs.replace(book, profiles=profiles)
