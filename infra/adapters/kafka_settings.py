"""What the topics of a ledger must be set to on Kafka, and why each setting is there.

Needs Kafka 3.6 or newer (the two limits on record timestamps appeared then).
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.adapters.append_limits import MIB
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, TOPICS

#: Largest record batch that the broker takes, by topic: an append, with what Kafka adds to each record.
#: Others write to submissions, too, and an outcome must have room for whatever they could send.
MAX_BATCH_BYTES = {SUBMISSIONS: 2 * MIB, LEDGER: 8 * MIB, OUTCOMES: 10 * MIB}

_LONG_MAX = str((1 << 63) - 1)

#: Set when topics are made, and demanded of topics that others made. A broker that does not know one of them
#: does not report it, and then it is not demanded.
_KEPT_FOR_EVER = {
    "cleanup.policy": "delete",  # compaction would remove records from the middle
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "unclean.leader.election.enable": "false",  # a leader that lacks acknowledged records must not take over
}
_TIMESTAMPS = {
    # The registrar judges keys by the broker's time; a sender must not be able to choose it.
    SUBMISSIONS: {"message.timestamp.type": "LogAppendTime"},
    LEDGER: {"message.timestamp.type": "CreateTime"},
    OUTCOMES: {"message.timestamp.type": "CreateTime"},
}
#: A ledger that is copied into a new cluster carries old timestamps; the default also refuses future ones.
_ANY_TIMESTAMP = {
    "message.timestamp.before.max.ms": _LONG_MAX,
    "message.timestamp.after.max.ms": _LONG_MAX,
}
#: Others write to submissions, in whatever compression they like. The broker unpacks it, so that no reader
#: depends on a codec.
_PLAIN = {"compression.type": "uncompressed"}


def in_sync(replicas: int) -> int:
    """How many replicas must have a record before it is acknowledged: two where there are two."""
    return min(2, replicas)


def required(topic: str) -> dict[str, str]:
    """The settings without which a topic breaks a promise of the port."""
    settings = _KEPT_FOR_EVER | _TIMESTAMPS[topic]
    return settings | (_PLAIN if topic == SUBMISSIONS else _ANY_TIMESTAMP)


def for_creation(topic: str, replicas: int) -> dict[str, str]:
    """All settings that a topic is made with."""
    return required(topic) | {
        "max.message.bytes": str(MAX_BATCH_BYTES[topic]),
        "min.insync.replicas": str(in_sync(replicas)),
    }


def faults(topic: str, found: Mapping[str, str | None], replicas: int) -> list[str]:
    """What is wrong with a topic, one sentence each; empty if it may be used."""
    wrong = [
        f"{name} is {found[name]}, expected {value}"
        for name, value in required(topic).items()
        if name in found and found[name] != value
    ]
    for name, least in (
        ("max.message.bytes", MAX_BATCH_BYTES[topic]),
        ("min.insync.replicas", in_sync(replicas)),
    ):
        value = found.get(name)
        if value is not None and int(value) < least:
            wrong.append(f"{name} is {value}, expected at least {least}")
    return wrong


def remedy(name: str, fault: str) -> str:
    """What to do about a fault of the topic called ``name``."""
    setting, _, rest = fault.partition(" is ")
    value = rest.rpartition(" ")[2]
    said = f"correct it: kafka-configs --alter --entity-type topics --entity-name {name} --add-config {setting}={value}"
    if setting in ("cleanup.policy", "retention.ms", "retention.bytes"):
        said += ", then `rogatory check`, since messages may be gone already"
    elif setting == "message.timestamp.type":
        said += ", and look at what was written meanwhile"
    return said


def names(log: str) -> dict[str, str]:
    """The Kafka name of each topic of the log called ``log``."""
    return {topic: f"{log}.{topic}" for topic in TOPICS}
