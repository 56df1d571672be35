"""The texts of the built-in profiles, for tests that change one."""

from __future__ import annotations

from importlib import resources


def texts() -> dict[str, str]:
    """Each profile's TOML by its file's name."""
    folder = resources.files("projections.compliance").joinpath("instruments")
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")}
