"""Reading one partition of one Kafka topic forward, without a consumer group."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from infra.adapters.append_limits import MIB
from infra.adapters.kafka_errors import bounded, quietly
from infra.adapters.kafka_lenient import fetch_leniently
from ledger.errors import LogClosed, LogSettings, LogTruncated, LogUnavailable, MisuseError
from ledger.log import Stored

_LOG_APPEND_TIME = 1

#: How often to look whether the log has grown up to a position that lies past its end.
_LOOK_AGAIN = 0.05

#: Longest wait for messages that are known to be there, before asking anew whether they are for readers.
_FETCH = 0.25


class KafkaReader:
    """A reader of one partition; see ``ledger.log.Reader``.

    It reads uncommitted: publishers use no transactions, and what an aborted one wrote is in the log.
    """

    def __init__(
        self,
        tp: TopicPartition,
        start: int,
        timeout: float,
        connect: Callable[[], Awaitable[AIOKafkaConsumer]],
        bounds: Callable[[float], Awaitable[tuple[int, int]]],
        *,
        stamped_by_broker: bool,
    ) -> None:
        self._tp = tp
        self._timeout = timeout
        self._connect = connect
        self._bounds = bounds  # first and end position, by another connection: ours is busy waiting for messages
        self._stamped_by_broker = stamped_by_broker
        self._doing = f"read {tp.topic}/{tp.partition}"
        self._consumer: AIOKafkaConsumer | None = None
        self._placed = False  # whether the consumer stands at our position
        self._closed = False
        self._position = 0
        self.seek(start)

    @property
    def position(self) -> int:
        """The position that the next read starts at."""
        return self._position

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def seek(self, position: int) -> None:
        """Let the next read start at ``position``."""
        if position < 0:
            raise MisuseError(f"{self._doing}: expected a position of 0 or more, found {position}")
        if self._placed and position == self._position:
            return  # to place the consumer again would throw away what it has fetched
        self._position = position
        self._placed = False

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        """Up to ``limit`` messages; see ``ledger.log.Reader.read``."""
        if limit < 1:
            raise MisuseError(f"{self._doing}: expected a limit of 1 or more, found {limit}")
        self._check_open()
        spare = min(1.0, self._timeout / 10)  # kept for dropping a broken connection
        deadline = asyncio.get_running_loop().time() + self._timeout - spare
        try:
            records = await self._records(limit, min(wait, self._timeout / 2), deadline)
            if self._stamped_by_broker and any(r.timestamp_type != _LOG_APPEND_TIME for r in records):
                raise LogSettings(
                    f"{self._doing}: expected the broker's timestamps (message.timestamp.type="
                    "LogAppendTime), found the sender's: somebody changed the topic's settings; what was submitted "
                    "since must be looked at before anything is admitted"
                )
        except BaseException as error:
            # Also when cancelled: the consumer may have handed out what never reached our caller.
            self._placed = False
            if isinstance(error, LogUnavailable):
                await self._drop(spare)  # it may know only brokers that are gone
                self._check_open()
            raise
        if records:
            self._position = records[-1].offset + 1
        return [_stored(record) for record in records]

    async def close(self) -> None:
        """Give back the connection."""
        self._closed = True
        await self._drop(self._timeout)

    async def _records(self, limit: int, wait: float, deadline: float) -> Sequence[ConsumerRecord]:
        """The next records; none only if the end was reached and ``wait`` is over."""
        clock = asyncio.get_running_loop().time
        patience = clock() + wait
        pause = wait
        while True:
            consumer = await self._connected(deadline)
            here = self._position
            if await self._place(consumer, deadline):
                call = consumer.getmany(self._tp, timeout_ms=int(pause * 1000), max_records=limit)
                try:
                    got = await self._ask(call, deadline)
                except LogSettings as error:
                    if not isinstance(error.__cause__, UnicodeDecodeError):
                        raise
                    self._placed = False  # the consumer cannot get past it; behind it, it reads on
                    again = fetch_leniently(consumer, self._tp, self._position, limit, 8 * MIB)
                    found: list[ConsumerRecord] = await self._ask(again, deadline)
                    if found:
                        return found
                    raise
                if got:
                    return got[self._tp]  # type: ignore[no-any-return]
                # This may have moved though nothing came: past the marks that transactions leave.
                here = await self._ask(consumer.position(self._tp), deadline)
            self._check_open()
            _, end = await self._bounds(deadline)
            left = max(0.0, patience - clock())
            if here < end:
                pause = _FETCH
            elif left == 0:
                return []
            elif self._placed:
                pause = left
            else:
                await asyncio.sleep(min(_LOOK_AGAIN, left))

    async def _place(self, consumer: AIOKafkaConsumer, deadline: float) -> bool:
        """Bring the consumer to our position; False if that lies past the end."""
        if self._placed:
            return True
        first, end = await self._bounds(deadline)
        if self._position < first:
            raise LogTruncated(
                f"{self._doing}: expected messages from {self._position} on, found none before {first}: somebody "
                "deleted them, or the topic's retention did"
            )
        if self._position > end:
            return False
        consumer.seek(self._tp, self._position)
        self._placed = True
        return True

    async def _ask(self, call: Awaitable[Any], deadline: float) -> Any:
        return await bounded(call, deadline - asyncio.get_running_loop().time(), self._doing)

    async def _connected(self, deadline: float) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = await self._ask(self._connect(), deadline)
            if self._closed:  # meanwhile
                await quietly(consumer.stop(), self._timeout)
                self._check_open()
            consumer.assign([self._tp])
            self._consumer = consumer
            self._placed = False
        return self._consumer

    async def _drop(self, seconds: float) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await quietly(consumer.stop(), seconds)

    def _check_open(self) -> None:
        if self._closed:
            raise LogClosed(f"{self._doing}: the reader was closed")


def _stored(record: ConsumerRecord) -> Stored:
    headers = record.headers
    for _, value in headers:
        if value is None:  # Kafka allows it, and others write to submissions; for us it is an empty value
            headers = tuple((name, text or b"") for name, text in headers)
            break
    return Stored(record.offset, record.timestamp, record.key, record.value, headers)
