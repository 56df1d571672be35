"""Reading the frozen vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_bytes())


def at(name: str, pointer: str) -> Any:
    """The value at a JSON Pointer (RFC 6901, without escapes) in a file."""
    value = load(name)
    for step in pointer.split("/")[1:]:
        value = value[int(step) if isinstance(value, list) else step]
    return value
