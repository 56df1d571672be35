"""A publisher that knows the formats and nothing else: json, hashlib, PyNaCl and aiokafka.

It signs an event with one sealed field, submits it, waits for what becomes of it, and computes the leaf of its record
itself instead of believing what it is told::

    python publish.py --bootstrap 127.0.0.1:9092 --ledger-id demo.<32 hex> --key RU-OMS-….key --request RU-OMS-2026-C-1

``--key`` is a key file as ``rogatory keys new`` writes it.  The content key that opens the sealed field is printed: a
real client keeps it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from nacl.secret import SecretBox
from nacl.signing import SigningKey

PAYLOAD_TYPE = b"application/cloudevents+json"


def compact(value: Any) -> bytes:
    """JSON without blanks, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    """Base64 in the standard alphabet, padded."""
    return base64.b64encode(raw).decode()


def pae(payload: bytes) -> bytes:
    """DSSE v1.0: what is signed is never the payload alone."""
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE, len(payload), payload)


def pad(plain: bytes) -> bytes:
    """0x80, then zeros up to a power of two of at least 64; above 4 KiB up to a multiple of it."""
    length = len(plain) + 1
    size = max(64, 1 << (length - 1).bit_length()) if length <= 4096 else -(-length // 4096) * 4096
    return plain + b"\x80" + bytes(size - length)


def seal(content_key: bytes, context: list[str], value: Any) -> dict[str, Any]:
    """A sealed field; ``context`` is [ledger, source, id, subject, type, JSON Pointer]."""
    key = hashlib.blake2b(compact(context), digest_size=32, key=content_key, person=b"rogatory/field/1").digest()
    padded = pad(compact(value))
    nonce = hashlib.blake2b(padded, digest_size=24, key=key, person=b"rogatory/nonce/1").digest()
    return {
        "s": 1,
        "key": hashlib.blake2b(content_key, digest_size=16).hexdigest(),
        "filled": value not in ("", None, [], {}),
        "box": b64(bytes(SecretBox(key).encrypt(padded, nonce))),
        "commit": b64(hashlib.sha256(key + padded).digest()),
    }


def event(ledger_id: str, office: str, request: str, content_key: bytes) -> tuple[str, bytes]:
    """The subject and the bytes of an event."""
    id_, type_ = str(uuid.uuid4()), "rogatory.step.taken.v1"
    source, subject = f"office/{office}", f"request/{request}"
    attributes = seal(content_key, [ledger_id, source, id_, subject, type_, "/data/attributes"], {"pages": 12})
    return subject, compact(
        {
            "specversion": "1.0",
            "id": id_,
            "source": source,
            "type": type_,
            "subject": subject,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "ledger": ledger_id,
            "data": {"step": "scanned by another system", "attributes": attributes},
        }
    )


def read_key(path: Path) -> tuple[str, SigningKey]:
    """The kid and the private key of a key file; the kid is computed, not believed."""
    said = json.loads(path.read_text(encoding="utf-8"))
    key = SigningKey(base64.b64decode(said["seed"]))
    office = said["kid"].partition("#")[0]
    digest = hashlib.sha256(b"ed25519" + bytes(1) + bytes(key.verify_key)).hexdigest()
    return f"{office}#{digest[:32]}", key


def leaf(seal_text: bytes, value: bytes) -> str:
    """The RFC 6962 leaf hash of a record: its seal and its event."""
    return hashlib.sha256(b"\x00" + b"rogatory/1\n" + seal_text + b"\n" + value).hexdigest()


async def answer(consumer: AIOKafkaConsumer, ledger: str, partition: int, offset: int, sent: bytes) -> str:
    """What became of the submission at an offset (of epoch 0)."""
    async for message in consumer:
        headers = dict(message.headers)
        if message.partition != partition:
            continue
        if message.topic == ledger:
            said = json.loads(headers["seal"])
            if (said["epoch"], said["offset"]) == (0, offset) and message.value == sent:
                found = leaf(headers["seal"], message.value)
                return f"sealed: record {said['seq']}, index {said['index']} of partition {partition}, leaf {found}"
        elif message.key == b"%d/0/%d" % (partition, offset):
            said = json.loads(headers["outcome"])
            if said["outcome"] == "duplicate":
                return f"duplicate: leaf {said['receipt'][5]}"
            return f"refused: {said['reason']}: expected {said.get('expected')}, found {said.get('found')}"
    raise AssertionError("a consumer goes on until it is stopped")


async def main(bootstrap: str, ledger_id: str, key_file: Path, request: str) -> None:
    """Publish the event twice: the second time gets the receipt of the first."""
    name = ledger_id.partition(".")[0]
    submissions, ledger, outcomes = (f"{name}.{topic}" for topic in ("submissions", "ledger", "outcomes"))
    kid, key = read_key(key_file)
    content_key = os.urandom(32)
    subject, value = event(ledger_id, kid.partition("#")[0], request, content_key)
    headers = [
        ("content-type", PAYLOAD_TYPE),
        ("signature", f"{kid} {b64(key.sign(pae(value)).signature)}".encode()),
    ]
    print(f"content key: {content_key.hex()}")
    # aiokafka's default partitioner is Kafka's own, murmur2 of the key, which is what the ledger asks for.
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="latest", enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    try:
        partitions = await producer.partitions_for(submissions)
        places = [TopicPartition(topic, partition) for topic in (ledger, outcomes) for partition in partitions]
        consumer.assign(places)
        for place in places:
            await consumer.position(place)  # asked before anything is sent: from here on the answer must come
        for _ in range(2):
            started = time.monotonic()
            sent = await producer.send_and_wait(submissions, value, key=subject.encode(), headers=headers)
            said = await asyncio.wait_for(answer(consumer, ledger, sent.partition, sent.offset, value), 30)
            print(f"{said} ({time.monotonic() - started:.1f} s)")
    finally:
        await consumer.stop()
        await producer.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    parser.add_argument("--ledger-id", required=True)
    parser.add_argument("--key", required=True, type=Path)
    parser.add_argument("--request", default="RAW-2026-C-1")
    given = parser.parse_args()
    asyncio.run(main(given.bootstrap, given.ledger_id, given.key, given.request))
