"""A broker's clock that is wrong: Kafka's ``SystemTime`` with an offset, put before its jar on the class path.

Kafka asks one class of its own for the time of day.  Its ``milliseconds()`` is ``return System.currentTimeMillis()``;
here that becomes ``return System.currentTimeMillis() + <constant>``, in the class file itself (Java Virtual Machine
Specification, §4: constants in §4.4, a method's code in §4.7.3), so no compiler is needed.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

_CLASS = "org/apache/kafka/common/utils/SystemTime.class"
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
_INVOKESTATIC, _LDC2_W, _LADD, _LRETURN = 0xB8, 0x14, 0x61, 0xAD


def wrong_clock(jars: Path, folder: Path, offset_ms: int) -> Path:
    """Write the class with its offset into ``folder``, which then comes before ``jars`` on the class path."""
    (jar,) = jars.glob("kafka-clients-*.jar")
    with zipfile.ZipFile(jar) as archive:
        original = archive.read(_CLASS)
    path = folder / _CLASS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_patched(original, offset_ms))
    return folder


def _patched(original: bytes, offset_ms: int) -> bytes:
    count = struct.unpack_from(">H", original, 8)[0]
    end = _end_of_constants(original, count)
    constants = original[10:end] + struct.pack(">Bq", 5, offset_ms)
    body = original[end:]
    # max_stack 2, max_locals 1, four bytes of code: invokestatic #n, lreturn. No other method looks like this.
    found = [
        at
        for at in range(len(body) - 12)
        if body[at : at + 9] == struct.pack(">HHIB", 2, 1, 4, _INVOKESTATIC) and body[at + 11] == _LRETURN
    ]
    millis = next(at for at in found if _calls(original, body[at + 9 : at + 11], b"currentTimeMillis"))
    length = struct.unpack_from(">I", body, millis - 4)[0]
    code = (
        struct.pack(">IHHIB", 20, 4, 1, 8, _INVOKESTATIC)
        + body[millis + 9 : millis + 11]
        + struct.pack(">BHBBHH", _LDC2_W, count, _LADD, _LRETURN, 0, 0)  # no handlers, no tables for debuggers
    )
    body = body[: millis - 4] + code + body[millis + length :]
    return original[:8] + struct.pack(">H", count + 2) + constants + body  # a long takes two places


def _constants(data: bytes, count: int) -> dict[int, tuple[int, int]]:
    """Tag and position of each constant."""
    found: dict[int, tuple[int, int]] = {}
    at, index = 10, 1
    while index < count:
        tag = data[at]
        found[index] = tag, at + 1
        at += 1 + (2 + struct.unpack_from(">H", data, at + 1)[0] if tag == 1 else _SIZES[tag])
        index += 2 if tag in (5, 6) else 1
    found[count] = -1, at
    return found


def _end_of_constants(data: bytes, count: int) -> int:
    return _constants(data, count)[count][1]


def _calls(data: bytes, reference: bytes, name: bytes) -> bool:
    """Whether a reference to a method names this one."""
    constants = _constants(data, struct.unpack_from(">H", data, 8)[0])
    of = lambda index: constants[index][1]  # noqa: E731
    _, name_and_type = struct.unpack_from(">HH", data, of(struct.unpack(">H", reference)[0]))
    at = of(struct.unpack_from(">H", data, of(name_and_type))[0])
    size = struct.unpack_from(">H", data, at)[0]
    return data[at + 2 : at + 2 + size] == name
