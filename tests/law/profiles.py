"""The texts of the built-in profiles, for tests that change one."""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec

from projections.compliance.rulebook import Rulebook, built_in


def texts() -> dict[str, str]:
    """Each profile's TOML by its file's name."""
    folder = resources.files("projections.compliance").joinpath("instruments")
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")}


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
