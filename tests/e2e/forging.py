"""Somebody who can write to the ledger topic of a folder and is no registrar of ours."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from infra.adapters.ledger_folder import LedgerFolder
from ledger.log import LEDGER, Message, Stored, header
from ledger.seal import format_seal, read_seal
from ledger.submission import SEAL_HEADER


def records(folder: Path, partition: int) -> list[Stored]:
    """The ledger topic of a partition."""

    async def story() -> list[Stored]:
        log = LedgerFolder(folder)
        try:
            return await log.reader(LEDGER, partition).read(10_000)
        finally:
            await log.close()

    return asyncio.run(story())


def forge(folder: Path, partition: int, stored: Stored, **changes: Any) -> None:
    """Append a record as it is, but for its seal, which says something else."""
    text = header(stored.headers, SEAL_HEADER)
    assert text is not None
    seal = msgspec.structs.replace(read_seal(text), **changes)
    headers = tuple((n, format_seal(seal) if n == SEAL_HEADER else v) for n, v in stored.headers)

    async def story() -> None:
        log = LedgerFolder(folder)
        try:
            await log.append(LEDGER, partition, [Message(stored.key, stored.value, headers, seal.admitted)])
        finally:
            await log.close()

    asyncio.run(story())


def next_record(place: Path, partition: int, publish: Callable[[], object]) -> Stored:
    """The record that publishing gives next; the place stays as it was."""
    kept = place.with_name("kept")
    shutil.copytree(place, kept)
    publish()
    found = records(place / "assistance", partition)[-1]
    shutil.rmtree(place)
    kept.rename(place)
    return found
