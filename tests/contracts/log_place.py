"""Where a log of a test lives, in words that another process can be told."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from infra.adapters.kafka_log import KafkaLog
from infra.adapters.ledger_folder import LedgerFolder
from ledger.log import Log

ROOT = Path(__file__).parents[2]


class Place(msgspec.Struct, frozen=True):
    """A log that may be opened any number of times; ``bootstrap`` is empty for a folder."""

    name: str
    bootstrap: str = ""

    def open(self, timeout: float = 30.0) -> Log:
        """One more handle on the log."""
        return KafkaLog(self.bootstrap, self.name, timeout) if self.bootstrap else LedgerFolder(self.name, timeout)

    def tell(self, story: Callable[[Log], Awaitable[None]], *, partitions: int = 2) -> None:
        """Run ``story`` on the log, made with so many partitions, or as it is if there are to be 0."""

        async def whole() -> None:
            log = self.open()
            try:
                if partitions:
                    await log.create(partitions)
                await story(log)
            finally:
                await log.close()

        asyncio.run(whole())

    def worker(self, *task: str) -> subprocess.Popen[str]:
        """Another process that does ``task`` on the log; see ``log_worker``."""
        text = msgspec.json.encode(self).decode()
        return subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.log_worker", text, *task],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
