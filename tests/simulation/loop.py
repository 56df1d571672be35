"""An event loop without a real clock: virtual time, seeded choice of the next task, and processes that can die.

A task belongs to the process of the context that it was made in.  When a process dies nothing of it runs on, not even
its ``finally``: the loop passes over whatever is left of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
from asyncio import base_events
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from hashlib import sha256
from typing import Any


class Killed(BaseException):
    """Ends the calls of a process that has died; nobody outside of it ever sees this."""


class StuckError(AssertionError):
    """Nothing is left to run, and the main task has not ended."""


class Process:
    """What dies together. ``name`` is for people; the root process, None, never dies."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        """Nothing of it runs on from here."""
        self.alive = False
        if not self.gone.done():
            self.gone.set_result(None)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something as a task of this process."""
        context = copy_context()
        context.run(_current.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)


_current: ContextVar[Process | None] = ContextVar("process", default=None)


def current_process() -> Process | None:
    """Whose code is running."""
    return _current.get()


class Trace:
    """What happened, as a running hash; as lines too where somebody wants to read them."""

    def __init__(self, *, told: bool = False) -> None:
        self._hash = sha256()
        self.lines: list[str] | None = [] if told else None

    def __call__(self, line: str) -> None:
        self._hash.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    def choice(self, index: int, of: int) -> None:
        """A task was chosen out of so many."""
        self._hash.update(b"%d/%d" % (index, of))

    @property
    def digest(self) -> str:
        """Over everything so far."""
        return self._hash.hexdigest()


class SimulatedLoop(base_events.BaseEventLoop):
    """Runs one handle at a time, of a task that the dice choose; time passes only when nothing can run."""

    def __init__(self, dice: random.Random, trace: Trace) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = 0
        self._dice = dice
        self._trace = trace
        self._kept: list[tuple[asyncio.Task[Any], Context]] = []
        self.wrong: list[str] = []
        """Exceptions that nobody took."""
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _, context: self.wrong.append(str(context)))

    def time(self) -> float:
        return self.now

    def _make_task(self, loop: Any, work: Any, **more: Any) -> asyncio.Task[Any]:
        # Kept until the end: a task that the collector took would run its ``finally`` at a moment that no seed repeats.
        context = more.pop("context", None) or copy_context()
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context, **more)
        self._kept.append((task, context))
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Threads of a simulation: the call happens at once, or a little later, and always in one piece."""
        future = self.create_future()

        def call() -> None:
            try:
                result = func(*args)
            except Killed:
                return
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for it
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        self.call_later(self._dice.choice((0.0, 0.0, 0.002, 0.1)), call)
        return future

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        scheduled = self._scheduled  # type: ignore[attr-defined]
        while scheduled and (scheduled[0]._cancelled or scheduled[0]._when <= self.now or not ready):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                self.now = max(self.now, timer._when)
                ready.append(timer)
        if not ready:
            raise StuckError("nothing is left to run")
        handle = self._choose(ready)
        process = handle._context.get(_current)
        if not handle._cancelled and (process is None or process.alive):
            self.steps += 1
            handle._run()

    def _choose(self, ready: Any) -> Any:
        """Any of the tasks that can run; the handles of one task, and those of no task, stay in their order."""
        if len(ready) == 1:
            return ready.popleft()
        owner = _owner(ready[self._dice.randrange(len(ready))])
        index = next(i for i, handle in enumerate(ready) if _owner(handle) is owner)
        self._trace.choice(index, len(ready))
        chosen = ready[index]
        del ready[index]
        return chosen

    def bury(self) -> None:
        """Take everything apart that has not ended, behind the last thing that counts."""
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
        for task, context in self._kept:
            if task.done():
                task.cancelled() or task.exception()
                continue
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with contextlib.suppress(BaseException):
                context.run(task.get_coro().close)  # type: ignore[union-attr]
        self._kept.clear()
        self._ready.clear()  # type: ignore[attr-defined]
        self.close()


def _owner(handle: asyncio.Handle) -> object:
    owner = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
    return owner if isinstance(owner, asyncio.Task) else None
