"""One observer made of several. A fault in one of them is logged and harms neither the others nor the work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ledger.observing import Observer

_log = logging.getLogger(__name__)


class Several(Observer):
    """Tells each of its observers what it is told."""

    def __init__(self, *observers: Observer) -> None:
        self.traces = any(one.traces for one in observers)
        for name, method in vars(Observer).items():
            if callable(method) and not name.startswith("_"):
                # Only those that want to know: most calls concern one of them.
                wanted = [getattr(one, name) for one in observers if getattr(type(one), name) is not method]
                setattr(self, name, _telling(wanted))


def _telling(methods: list[Callable[..., None]]) -> Callable[..., None]:
    def tell(*args: Any, **named: Any) -> None:
        for method in methods:
            try:
                method(*args, **named)
            except Exception:  # noqa: BLE001 - whatever it is, the work goes on
                _log.exception("an observer failed; what it shows is incomplete from here on")

    return tell
