"""The one place where data of an older version of a type become data of a newer one.

A step takes the members of version n and gives those of version n + 1; it makes a new dict.  For example, had
``request.sent`` lost its ``original`` in version 2::

    STEPS = {("request.sent", 1): lambda data: {k: v for k, v in data.items() if k != "original"}}

Records stay as they were signed: only what a fold sees is upcast.  No type has a second version yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ledger.catalogue.base import EventType, types_by_name

Step = Callable[[dict[str, Any]], dict[str, Any]]

STEPS: Mapping[tuple[str, int], Step] = MappingProxyType({})
"""By name and the version it starts from."""


def upcast(
    row: EventType,
    data: dict[str, Any],
    *,
    steps: Mapping[tuple[str, int], Step] = STEPS,
    types: Mapping[str, EventType] | None = None,
) -> tuple[EventType, dict[str, Any]]:
    """The newest row of this type and the data under it; what is the newest already comes back as it is.

    Args:
        row: the type and version of ``data``.
        data: members of a valid ``data``.
        steps: for tests; otherwise ``STEPS``.
        types: for tests; otherwise the table of all types.
    """
    table = types_by_name() if types is None else types
    while step := steps.get((row.name, row.version)):
        newer = table.get(f"rogatory.{row.name}.v{row.version + 1}")
        if newer is None:
            raise AssertionError(f"a step leads from {row.type} to a version that is not declared")
        row, data = newer, step(data)
    return row, data
