"""The publisher for programs without an event loop: the same calls, each waiting for its end.

::

    with BlockingPublisher(open_publisher) as publisher:
        sealed = publisher.publish(Draft(subject="request/2025-000123", data=RequestAccepted(executing="RU-OMS")))

One background thread runs the loop; calls may come from any number of threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from ledger.errors import MisuseError
from producers.builder import Draft, Signed
from producers.publisher import Publisher
from producers.receipt import Sealed, Submitted

_T = TypeVar("_T")


class BlockingPublisher:
    """A ``Publisher`` behind a thread."""

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[Publisher]]) -> None:
        """``opened`` makes the publisher inside the loop it will live in. Enter the object to start."""
        self._opened = opened
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rogatory-publisher", daemon=True)
        self._stack = AsyncExitStack()
        self._publisher: Publisher | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._publisher = self._wait(self._stack.enter_async_context(self._opened()))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait(self._stack.aclose())
        finally:
            self._publisher = None
            self._end()

    def create(self, draft: Draft) -> Signed:
        """As ``Publisher.create``."""
        return self._inner().create(draft)

    def submit(self, signed: Signed) -> Submitted:
        """As ``Publisher.submit``."""
        return self._wait(self._inner().submit(signed))

    def submit_all(self, events: Sequence[Signed]) -> list[Submitted]:
        """As ``Publisher.submit_all``."""
        return self._wait(self._inner().submit_all(events))

    def result(self, submitted: Submitted, timeout: float | None = None) -> Sealed:
        """As ``Publisher.result``."""
        return self._wait(self._inner().result(submitted, timeout))

    def publish(self, draft: Draft, timeout: float | None = None) -> Sealed:
        """As ``Publisher.publish``."""
        return self._wait(self._inner().publish(draft, timeout))

    def _inner(self) -> Publisher:
        if self._publisher is None:
            raise MisuseError("expected an entered BlockingPublisher, found one outside its `with` block")
        return self._publisher

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
