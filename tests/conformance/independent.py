"""The formats once more from the text of docs/formats.md: standard library only, nothing of ``ledger``."""

from __future__ import annotations

import base64
import json
from hashlib import blake2b, sha256
from typing import Any


def unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def kid(office: str, algorithm: str, public_key: bytes) -> str:
    digest = sha256(algorithm.encode() + b"\0" + public_key).hexdigest()
    return f"{office}#{digest[:32]}"


def pae(payload_type: str, payload: bytes) -> bytes:
    return b" ".join(
        [b"DSSEv1", str(len(payload_type)).encode(), payload_type.encode(), str(len(payload)).encode(), payload]
    )


def ledger_id(genesis: bytes, name: str) -> str:
    return f"{name}.{sha256(genesis).hexdigest()[:32]}"


def entry(seal: bytes, value: bytes) -> bytes:
    return b"rogatory/1\n" + seal + b"\n" + value


def leaf(raw: bytes) -> bytes:
    return sha256(b"\0" + raw).digest()


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, recursively."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def next_past(past: bytes, epoch: int, offset: int, disposition: int, value: bytes) -> bytes:
    parts = [past, epoch.to_bytes(4, "big"), offset.to_bytes(8, "big"), disposition.to_bytes(1, "big")]
    return sha256(b"".join(parts) + sha256(value).digest()).digest()


def padded(plain: bytes) -> bytes:
    plain += b"\x80"
    size = 64
    while size < len(plain):
        size = size * 2 if size < 4096 else size + 4096
    return plain.ljust(size, b"\0")


def field_key(content_key: bytes, context: bytes) -> bytes:
    return blake2b(context, digest_size=32, key=content_key, person=b"rogatory/field/1").digest()


def field_nonce(key: bytes, plain: bytes) -> bytes:
    return blake2b(plain, digest_size=24, key=key, person=b"rogatory/nonce/1").digest()


def content_key_id(content_key: bytes) -> str:
    return blake2b(content_key, digest_size=16).hexdigest()


def murmur2(data: bytes) -> int:
    """As in Kafka's ``Utils``: the tail by a switch that falls through."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    for i in range(0, len(data) - 3, 4):
        k = data[i] | data[i + 1] << 8 | data[i + 2] << 16 | data[i + 3] << 24
        k = k * m & mask
        k ^= k >> 24
        h = (h * m & mask) ^ (k * m & mask)
    rest = len(data) % 4
    at = len(data) - rest
    if rest == 3:
        h ^= data[at + 2] << 16
    if rest >= 2:
        h ^= data[at + 1] << 8
    if rest >= 1:
        h = (h ^ data[at]) * m & mask
    h ^= h >> 13
    h = h * m & mask
    return h ^ h >> 15


def partition_of(subject: str, partitions: int) -> int:
    if subject == "register":
        return 0
    if subject.startswith("ledger/"):
        return int(subject[7:])
    return (murmur2(subject.encode()) & 0x7FFFFFFF) % partitions


class Partition:
    """Follows a partition's submissions, told what became of each, and writes the seals itself."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.heads: dict[str, tuple[int, str]] = {}
        self.past = bytes(32)
        self.admitted = 0
        self.version = 1

    def take(self, row: dict[str, Any]) -> tuple[bytes, bytes] | None:
        """Seal and entry of what was admitted."""
        value = unbase64(row["value"]) if row["value"] is not None else b""
        made = None
        if row["disposition"] == 0:
            made = self._record(row, value)
        self.past = next_past(self.past, row["epoch"], row["offset"], row["disposition"], value)
        return made

    def _record(self, row: dict[str, Any], value: bytes) -> tuple[bytes, bytes]:
        subject = json.loads(value)["subject"]
        seq, prev = self.heads.get(subject, (0, ""))
        self.admitted = max(self.admitted, row["timestamp"])
        signatures = [text.split(" ") for name, text in row["headers"] if name == "signature"]
        seal: dict[str, Any] = {
            "v": self.version,
            "index": len(self.leaves),
            "seq": seq + 1,
            "prev": prev,
            "sigs": sorted(signatures),
            "admitted": self.admitted,
            "epoch": row["epoch"],
            "offset": row["offset"],
            "past": self.past.hex(),
        }
        homes = [text for name, text in row["headers"] if name == "home"]
        if homes:
            _, _, home = homes[0].split(" ", 2)
            said = json.loads(home)
            seal["home"] = [said["index"], said["admitted"], leaf(entry(home.encode(), value)).hex()]
        text = compact(seal)
        made = entry(text, value)
        self.leaves.append(leaf(made))
        self.heads[subject] = (seq + 1, self.leaves[-1].hex())
        said = json.loads(value)
        if said["type"] == "rogatory.rules.adopted.v1":
            self.version = said["data"]["version"]
        return text, made
