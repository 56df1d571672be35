r"""Reading what aiokafka cannot: records with header names that are not UTF-8.

Kafka calls a header's name a string and checks nothing, so anybody who may write to ``submissions`` can send such a
record; aiokafka's parser raises ``UnicodeDecodeError`` for the batch and never gets past it.  Here the same batch is
fetched again and read by aiokafka's own pure-Python parser, but for the one line that decodes the name: bytes that are
not UTF-8 become ``\xff`` and the like.  Such a name is none that means anything to us, so its record is judged by the
rest; what the parser reads is the same on every machine, and can be written to ``outcomes`` again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaConnectionError, NotLeaderForPartitionError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.util import decode_varint

_READ_UNCOMMITTED = 0
_OFFSET_AND_LENGTH = 12  # bytes before those that a batch's length counts
_MAGIC = 16  # where a batch says its version; ours are of version 2, as of every broker since 0.11


async def fetch_leniently(consumer: Any, tp: TopicPartition, position: int, limit: int, max_bytes: int) -> list[Any]:
    """Up to ``limit`` records from ``position`` on, by a request of our own over the consumer's connection.

    Raises:
        KafkaError: the broker does not lead the partition, or did not answer.
    """
    client = consumer._client  # noqa: SLF001 - there is no public way to the bytes
    leader = client.cluster.leader_for_partition(tp)
    if leader is None or leader < 0:
        raise NotLeaderForPartitionError(f"no leader is known for {tp.topic}/{tp.partition}")
    asked = [(tp.topic, [(tp.partition, position, max_bytes)])]
    answer = await client.send(leader, FetchRequest(0, 1, max_bytes, _READ_UNCOMMITTED, asked, rack_id=""))
    for _, partitions in answer.topics:
        for _, code, _, *rest in partitions:
            if code:
                error: type[Exception] = for_code(code)
                raise error
            return [r for r in _records(tp, bytes(rest[-1] or b"")) if r.offset >= position][:limit]
    raise KafkaConnectionError(f"the broker said nothing about {tp.topic}/{tp.partition}")


def _records(tp: TopicPartition, raw: bytes) -> Iterator[ConsumerRecord[bytes, bytes]]:
    position = 0
    while position + _MAGIC < len(raw):
        (length,) = struct.unpack_from(">i", raw, position + 8)
        end = position + _OFFSET_AND_LENGTH + length
        if end > len(raw):
            return  # the broker cuts the last batch where the answer is full
        if raw[position + _MAGIC] != 2:
            raise CorruptRecordException(f"expected record batches of version 2, found {raw[position + _MAGIC]}")
        batch = _LenientBatch(raw[position:end])
        if not batch.validate_crc():
            raise CorruptRecordException(f"a batch of {tp.topic}/{tp.partition} is damaged")
        if not batch.is_control_batch:
            yield from (_record(tp, record) for record in batch)
        position = end


def _record(tp: TopicPartition, record: Any) -> ConsumerRecord[bytes, bytes]:
    key, value = record.key, record.value
    return ConsumerRecord(
        tp.topic,
        tp.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        key,
        value,
        record.checksum,
        -1 if key is None else len(key),
        -1 if value is None else len(value),
        tuple(record.headers),
    )


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's batch, whose records may have header names of any bytes."""

    def _read_msg(self, decode_varint: Any = decode_varint) -> Any:
        # KIP-98, "Record": length, attributes, timestamp delta, offset delta, key, value, headers.
        buffer = self._buffer

        def take(length: int, at: int) -> tuple[bytes | None, int]:
            return (None, at) if length < 0 else (bytes(buffer[at : at + length]), at + length)

        at: int = self._pos  # type: ignore[has-type]
        length, start = decode_varint(buffer, at)
        _, pos = decode_varint(buffer, start)
        delta, pos = decode_varint(buffer, pos)
        by_broker = self.timestamp_type == self.LOG_APPEND_TIME
        timestamp = self.max_timestamp if by_broker else self.first_timestamp + delta
        offset, pos = decode_varint(buffer, pos)
        key, pos = take(*decode_varint(buffer, pos))
        value, pos = take(*decode_varint(buffer, pos))
        count, pos = decode_varint(buffer, pos)
        headers = []
        for _ in range(count):
            name, pos = take(*decode_varint(buffer, pos))
            text, pos = take(*decode_varint(buffer, pos))
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), text))
        if pos - start != length:
            raise CorruptRecordException(f"expected a record of {length} bytes, found {pos - start}")
        self._pos = pos
        return _DefaultRecordPy(self.base_offset + offset, timestamp, self.timestamp_type, key, value, headers)
