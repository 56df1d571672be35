"""How large an append may be, on every adapter alike: what fits into one log fits into another."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import AppendTooLarge, MisuseError
from ledger.log import OUTCOMES, TOPICS, Message

MIB = 1 << 20

#: What one append may carry in keys, values and headers. Small enough that Kafka's record batch around it
#: stays within every topic's limit; large enough that the round trip is not what holds a registrar up.
MAX_APPEND_BYTES = MIB

#: Outcomes repeat a submission and add to it. Without more room than ``submissions`` has, a submission near
#: the limit could never be refused.
MAX_OUTCOMES_BYTES = 8 * MIB


def check_append(topic: str, partition: int, messages: Sequence[Message], most: int = MAX_APPEND_BYTES) -> None:
    """Raise if ``messages`` cannot be one append: AppendTooLarge, or MisuseError if there are none."""
    check_topic(topic)
    if not messages:
        raise MisuseError(f"append to {topic}/{partition}: expected at least 1 message, found none")
    limit = max(most, MAX_OUTCOMES_BYTES) if topic == OUTCOMES else most
    found = size(messages)
    if found > limit:
        raise AppendTooLarge(f"append to {topic}/{partition}: expected at most {limit} bytes, found {found}")


def check_topic(topic: str) -> None:
    """Raise MisuseError if there is no such topic."""
    if topic not in TOPICS:
        raise MisuseError(f"expected a topic of {', '.join(TOPICS)}, found {topic!r}")


def size(messages: Sequence[Message]) -> int:
    """Bytes in keys, values and headers."""
    total = 0
    for message in messages:
        total += len(message.key or b"") + len(message.value or b"")
        for name, value in message.headers:
            total += len(name.encode()) + len(value)
    return total
