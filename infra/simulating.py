"""A simulated year on its way: into a new ledger folder by its own clock, into a file, or into a ledger that is there.

Admission is the ordinary one in all cases.  What needs care is the register: an event signed by a new key may reach a
partition only behind that key's grant.  So before the first such event everything is worked off.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from infra.adapters.append_limits import MAX_APPEND_BYTES
from infra.adapters.dated_folder import DatedFolder
from infra.adapters.keys import KeyFile, write_key
from infra.config import Config, load
from infra.reading import Genesis, find_genesis
from infra.wiring import Ledger
from infra.workers import Workers
from ledger.envelope import Envelope, format_envelopes
from ledger.errors import ConfigError, IntegrityError, LogSettings
from ledger.log import SUBMISSIONS, Log, Message
from ledger.partition import partition_of
from ledger.signature import encode_base64
from producers.simulator.keys import DerivedSigner
from producers.simulator.stream import Dated, Year

CHUNK = 4000
"""Events that are submitted before they are worked off."""
_SAVED = "rogatory.toml"
_HALF = MAX_APPEND_BYTES // 2

Told = Callable[[int], None]
__all__ = ["CHUNK", "Sink", "fill", "new_folder", "prepared", "write_lines"]


class Sink(Protocol):
    """Where events go."""

    async def work_off(self) -> None:
        """Return when everything submitted is decided, and every partition knows the register."""
        ...


class Working:
    """Works a ledger off with registrars and a herald of this process."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def work_off(self) -> None:
        """As ``Sink``."""
        await self._workers.until_idle()


async def fill(log: Log, partitions: int, events: Iterator[Dated], sink: Sink, told: Told) -> int:
    """Submit a stream; how many events. ``told`` hears of the number as it grows."""
    waiting: dict[int, list[Message]] = defaultdict(list)
    number = held = 0
    granted = False
    for dated in events:
        partition = partition_of(dated.subject, partitions) if dated.subject != "register" else 0
        if granted and not (partition == 0 and dated.subject == "register"):
            await _flush(log, waiting)
            await sink.work_off()
            granted, held = False, 0
        waiting[partition].append(dated.message())
        granted |= dated.grants
        number, held = number + 1, held + 1
        if held >= CHUNK:
            await _flush(log, waiting)
            await sink.work_off()
            held = 0
            told(number)
    await _flush(log, waiting)
    await sink.work_off()
    told(number)
    return number


async def _flush(log: Log, waiting: dict[int, list[Message]]) -> None:
    for partition, messages in waiting.items():
        for piece in _pieces(messages):
            await log.append(SUBMISSIONS, partition, piece)
    waiting.clear()


def _pieces(messages: list[Message]) -> Iterator[list[Message]]:
    """In appends of half the largest size."""
    piece: list[Message] = []
    size = 0
    for message in messages:
        size += len(message.value or b"") + 512
        if size > _HALF and piece:
            yield piece
            piece, size = [], len(message.value or b"") + 512
        piece.append(message)
    if piece:
        yield piece


def new_folder(folder: Path) -> Config:
    """Settings for a simulated ledger in a new folder.

    Raises:
        ConfigError: there is something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"expected --into to name a new or empty folder, found {folder} with something in it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"expected to make the folder {folder} for --into, found {error.strerror}") from None
    given = {"ledger": f"file:{folder / 'ledger'}", "data": str(folder / "data")}
    return load(given, file=Path("/dev/null"), environ={})


@asynccontextmanager
async def prepared(config: Config, year: Year, folder: Path) -> AsyncIterator[tuple[Ledger, Sink]]:
    """The new ledger, opened and at work; with settings beside it, so that every other command can be tried on it."""
    log = DatedFolder(folder / "ledger", config.timeout)
    try:
        try:
            await log.create(year.partitions)
            await log.append(SUBMISSIONS, 0, [year.genesis.message()])
        except LogSettings as error:
            raise ConfigError(f"expected room for a new ledger at {config.ledger}: {error}") from None
        _keep_key(config, year.log_key, "log")
        genesis = await _genesis(log, year)
        config = msgspec.structs.replace(config, ledger_id=year.ledger_id)
        _save(config, folder)
        ledger = Ledger(config, log, genesis, year.partitions)
        async with ledger.workers() as workers:
            await workers.until_idle()
            yield ledger, Working(workers)
    finally:
        await log.close()


async def _genesis(log: Log, year: Year) -> Genesis:
    found = await find_genesis(log, year.ledger_id)
    if found is None:
        raise IntegrityError(f"expected the opening of {year.ledger_id} that was just appended, found none")
    return found


def _keep_key(config: Config, signer: DerivedSigner, use: str) -> None:
    public = encode_base64(signer.public_key)
    write_key(config.keys, KeyFile(signer.kid, "ed25519", use, public, encode_base64(signer.seed)))


def _save(config: Config, folder: Path) -> None:
    lines = {"ledger": "file:ledger", "ledger_id": config.ledger_id, "data": "data"}
    text = (
        "# Written by `rogatory simulate`: a simulated ledger, whose keys follow from a seed and are worth nothing.\n"
    )
    text += "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    (folder / _SAVED).write_text(text, encoding="utf-8")


def write_lines(events: Iterator[Dated], file: BinaryIO, told: Told) -> int:
    """Signed events as DSSE envelopes, one a line; how many."""
    number = 0
    for number, dated in enumerate(events, 1):
        file.write(format_envelopes([Envelope(dated.value, dated.signatures)]))
        if number % CHUNK == 0:
            told(number)
    told(number)
    return number
