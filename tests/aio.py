"""Running coroutines in tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coro: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of its own."""
    return asyncio.run(coro)


async def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that nobody announces: another process, a database, a thread. It is asked in a thread."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.003)
