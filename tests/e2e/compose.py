"""What ``infra/deploy/compose.yaml`` says, read as Docker Compose would: merged, with variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "infra" / "deploy" / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The whole file; a variable that must be given and is not is a KeyError."""
    filled: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text(encoding="utf-8")), variables)
    return filled


def ours(composed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    return {name: s for name, s in composed["services"].items() if s["image"].startswith("rogatory:")}


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, variables) for inner in value]
    return _VARIABLE.sub(lambda m: _found(m, variables), value) if isinstance(value, str) else value


def _found(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, how, text = match.groups()
    found = variables.get(name, "")
    if found or how is None:
        return found
    if how == ":?":
        raise KeyError(f"{name}: {text}")
    return str(text)
