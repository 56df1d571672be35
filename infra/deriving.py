"""What admission gives at a fork, without writing anything: a registrar on a copy of the state and a log that takes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from consumers.registrar import Registrar
from infra.adapters.state_file import SqliteStateFile, copy_state
from infra.reading import is_held
from infra.wiring import Ledger
from ledger.errors import ForkError, KeyFault, RogatoryError
from ledger.log import Log, Message, Reader


class _AtTheEnd(RogatoryError):
    """Everything that the ledger holds was compared; what comes now would be appended."""


class _ReadOnly:
    """A log to which nothing is appended."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @property
    def max_append_bytes(self) -> int:
        return self._log.max_append_bytes

    async def partitions(self) -> int:
        return await self._log.partitions()

    async def create(self, partitions: int) -> None:
        raise _AtTheEnd(f"{partitions} partitions")

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        raise _AtTheEnd(f"{len(messages)} messages for {topic}/{partition}")

    async def end(self, topic: str, partition: int) -> int:
        return await self._log.end(topic, partition)

    def reader(self, topic: str, partition: int, start: int = 0) -> Reader:
        return self._log.reader(topic, partition, start)

    async def close(self) -> None:
        """The log belongs to somebody else."""


async def derive_fork(ledger: Ledger, partition: int) -> ForkError | None:
    """The fork that a registrar of the partition stops at now, or None; from its state here, else from the start.

    Raises:
        RogatoryError: it stops at something else.
    """
    path = ledger.state_path(partition)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        if path.exists() and not is_held(path):
            copy_state(path, copy)
        registrar = Registrar(
            _ReadOnly(ledger.log),
            ledger.ledger_id,
            partition,
            SqliteStateFile(copy, partition),
            ledger.log_keys(),
            statements=ledger.statements(),
        )
        try:
            while await registrar.step():
                pass
        except ForkError as error:
            return error
        except (_AtTheEnd, KeyFault):
            return None  # a register event of partition 0 is signed before it is appended
        finally:
            await registrar.close()
    return None
