"""Appending to one partition of one Kafka topic: one record batch at a time, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from infra.adapters.kafka_errors import bounded, quietly
from ledger.errors import AppendTooLarge, LogClosed, LogUnavailable
from ledger.log import Message

#: How often a sender is told to stop: once for itself, then once for each request that it still waits for.
_TELLINGS = 20


class Lane:
    """The appends to one partition, one after the other, by an idempotent producer of its own.

    The producer is made when first needed and thrown away after any append that did not plainly succeed: a
    producer that lives on would send the failed batch again, behind the back of a caller who has read the
    tail and decided anew; and one whose first batch failed can leave a gap in what it sends later.
    """

    def __init__(self, topic: str, partition: int, connect: Callable[[], AIOKafkaProducer]) -> None:
        self._topic = topic
        self._partition = partition
        self._connect = connect
        self._doing = f"append to {topic}/{partition}"
        self._turn = asyncio.Lock()  # callers keep one append in flight; this holds them to it
        self._producer: AIOKafkaProducer | None = None  # owned by whoever has the turn, and by close
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def append(self, messages: Sequence[Message], seconds: float) -> int:
        """Append all messages as one batch within ``seconds``; returns the position of the first."""
        clock = asyncio.get_running_loop().time
        spare = min(1.0, seconds / 10)  # kept for throwing a failed producer away
        deadline = clock() + seconds - spare
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn.acquire()
        except TimeoutError:
            raise LogUnavailable(f"{self._doing}: the append before it has not ended") from None
        try:
            producer = await self._started(deadline)
            batch = self._batch(producer, messages)
            sent = await self._until(deadline, producer.send_batch(batch, self._topic, partition=self._partition))
            # From here on the brokers may have the batch, whatever becomes of us.
            result = await self._until(deadline, sent)
            if result.offset < 0:
                # The broker had taken the batch before (an answer was lost) and forgotten where.
                raise LogUnavailable(f"{self._doing}: it is there, but its position is not known")
            # Acknowledged by every replica in sync: it survives this process and any one broker.
            return int(result.offset)
        except BaseException:  # a cancelled append, too, must not be sent later
            await self._discard(spare)
            raise
        finally:
            self._turn.release()

    async def close(self, seconds: float) -> None:
        """Stop; an append that is under way ends with LogUnavailable."""
        if not self._closing.done():
            self._closing.set_result(None)
        await self._discard(seconds)

    async def _started(self, deadline: float) -> AIOKafkaProducer:
        if self._closing.done():
            raise LogClosed(f"{self._doing}: the log was closed")
        if self._producer is None:
            self._producer = self._connect()
            await self._until(deadline, self._producer.start())
        return self._producer

    def _batch(self, producer: AIOKafkaProducer, messages: Sequence[Message]) -> Any:
        batch = producer.create_batch()
        for m in messages:
            if batch.append(timestamp=m.timestamp, key=m.key, value=m.value, headers=list(m.headers)) is None:
                raise AppendTooLarge(f"{self._doing}: {len(messages)} messages make more than one batch; send fewer")
        batch.close()  # nothing else may join it
        return batch

    async def _until(self, deadline: float, call: Awaitable[Any]) -> Any:
        """The result of ``call``, by ``deadline``, unless the log is closed meanwhile."""
        task = asyncio.ensure_future(call)
        left = deadline - asyncio.get_running_loop().time()
        try:
            await asyncio.wait({task, self._closing}, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if self._closing.done() and not task.done():
            task.cancel()
            raise LogUnavailable(f"{self._doing}: the log was closed under way")
        return await bounded(task, 0, self._doing)

    async def _discard(self, seconds: float) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await quietly(abandon(producer), seconds)


async def abandon(producer: AIOKafkaProducer) -> None:
    """Stop a producer so that nothing which it still holds is ever sent.

    Its own ``stop`` does the opposite: it waits, for ever if need be, until everything has been sent.  There
    is no public way to drop a batch, so this reaches inside; the contract suite would notice if the inside
    of aiokafka changed.
    """
    # Until the first await nothing else runs: after these lines there is nothing to send and no way to.
    accumulator = producer._message_accumulator  # noqa: SLF001
    accumulator._closed = True  # noqa: SLF001
    accumulator._batches.clear()  # noqa: SLF001
    for connection in producer.client._conns.values():  # noqa: SLF001
        if connection._writer is not None:  # noqa: SLF001
            connection._writer.transport.abort()  # noqa: SLF001 - what the socket has buffered goes, too
    producer._closed = True  # noqa: SLF001
    sender = producer._sender.sender_task  # noqa: SLF001
    for _ in range(_TELLINGS):
        if sender is None or sender.done():
            break
        sender.cancel()
        await asyncio.wait({sender}, timeout=0.05)
    await producer.client.close()
