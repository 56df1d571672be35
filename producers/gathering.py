"""One partition's submissions on their way: while an append is under way, others gather for the next one.

So a thousand tasks that submit an event each cost a few appends, not a thousand, and nobody waits for longer than the
append under way and his own.  Order is that of the calls.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from ledger.errors import LogClosed
from ledger.log import Message

_MOST = 500
_EACH, _LONGEST = 0.004, 0.01
"""Seconds between the beginnings of two appends: so many for each message of the first, and at most so many.

Whoever sends one at a time never waits. Where many come at once an append costs the broker and everybody who reads far
more than a message does; Kafka's own producer waits 5 ms for the same reason (``linger.ms``).
"""
_FRAME = 1024  # what a message's headers and the logs add to its value


class Gathering:
    """Owned by one event loop, used by any number of its tasks."""

    def __init__(self, send: Callable[[list[Message]], Awaitable[int]], most_bytes: int) -> None:
        """``send`` appends messages side by side and gives the first one's offset; at most ``most_bytes`` at a time."""
        self._send = send
        self._most_bytes = most_bytes
        self._queue: deque[tuple[Message, asyncio.Future[int]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._due = 0.0  # when, by the loop's clock, the next append may begin

    async def put(self, messages: Sequence[Message]) -> list[int]:
        """Append messages, in their order; their offsets.

        Whoever is cancelled takes back what was not yet being appended.

        Raises:
            LogError: what the first of them that failed met; others of them may be there.
        """
        loop = asyncio.get_running_loop()
        ours = [(message, loop.create_future()) for message in messages]
        self._queue.extend(ours)
        if self._task is None or self._task.done():
            # With a context of its own: it works for all, not for whoever came first.
            self._task = loop.create_task(self._work(), context=contextvars.Context())
        try:
            await asyncio.wait([answer for _, answer in ours])
        except asyncio.CancelledError:
            for one in ours:
                if one in self._queue:
                    self._queue.remove(one)
                one[1].cancel()
            raise
        failed = [error for _, answer in ours if (error := answer.exception()) is not None]
        if failed:
            raise failed[0]
        return [answer.result() for _, answer in ours]

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._queue:
            if len(self._queue) < _MOST:
                await asyncio.sleep(self._due - clock())
            if not (piece := self._piece()):
                return  # whoever had put them in took them back
            self._due = clock() + min(_LONGEST, _EACH * len(piece))
            try:
                base = await self._send([message for message, _ in piece])
            except BaseException as error:
                _fail(piece, error)
                if not isinstance(error, Exception):
                    raise
            else:
                for n, (_, answer) in enumerate(piece):
                    if not answer.done():
                        answer.set_result(base + n)

    def _piece(self) -> list[tuple[Message, asyncio.Future[int]]]:
        piece: list[tuple[Message, asyncio.Future[int]]] = []
        size = 0
        while self._queue and len(piece) < _MOST:
            size += len(self._queue[0][0].value or b"") + _FRAME
            if piece and size > self._most_bytes:
                break
            piece.append(self._queue.popleft())
        return piece

    async def close(self) -> None:
        """Stop; whoever waits gets LogClosed, and what was being appended may be there."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        while self._queue:
            _, answer = self._queue.popleft()
            if not answer.done():
                answer.set_exception(LogClosed("the publisher was closed"))


def _fail(piece: Sequence[tuple[Message, asyncio.Future[int]]], error: BaseException) -> None:
    told = LogClosed("the publisher was closed") if isinstance(error, asyncio.CancelledError) else error
    for _, answer in piece:
        if not answer.done():
            answer.set_exception(told)
