"""What other processes do to a log in the contract suite: ``python -m tests.contracts.log_worker PLACE TASK …``.

``write NAME APPENDS``   appends batches of 1 to 5 messages to both partitions; key ``NAME``, value the number
``read COUNT``           reads COUNT messages of each partition; prints them as JSON
``endless``              appends to partition 0 until it is killed; prints each acknowledged position and size
"""

from __future__ import annotations

import asyncio
import random
import sys

import msgspec

from ledger.log import LEDGER, Log, Message
from tests.contracts.log_place import Place


def say(line: str) -> None:
    """To whoever has started us, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def write(log: Log, name: str, appends: int) -> None:
    """Number the messages, so that order and loss show; say how many share an append."""
    dice = random.Random(name)
    number = [0, 0]
    for _ in range(appends):
        partition, size = dice.randrange(2), dice.randint(1, 5)
        batch = [
            Message(name.encode(), str(number[partition] + i).encode(), (("of", b"%d/%d" % (i, size)),), 1)
            for i in range(size)
        ]
        await log.append(LEDGER, partition, batch)
        number[partition] += size
    say(str(number))


async def read(log: Log, counts: list[int]) -> None:
    """Begin before anything is there, end when everything is."""
    found: list[list[tuple[int, str, int, str]]] = []
    for partition, count in enumerate(counts):
        reader = log.reader(LEDGER, partition)
        rows: list[tuple[int, str, int, str]] = []
        while len(rows) < count:
            rows += [
                (m.position, (m.key or b"").decode(), int(m.value or b"-1"), m.headers[0][1].decode())
                for m in await reader.read(7, 1.0)
            ]
        found.append(rows)
    say(msgspec.json.encode(found).decode())


async def endless(log: Log) -> None:
    """Print a line only after the append has returned."""
    number = 0
    while True:
        batch = [Message(b"k", str(number + i).encode()) for i in range(3)]
        first = await log.append(LEDGER, 0, batch)
        say(f"{first} {number}")
        number += 3


async def main(place: str, task: str, *args: str) -> None:
    """One task, on a log that is there already."""
    log = msgspec.json.decode(place, type=Place).open(60.0)
    try:
        if task == "write":
            await write(log, args[0], int(args[1]))
        elif task == "read":
            await read(log, [int(a) for a in args])
        else:
            await endless(log)
    finally:
        await log.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
