"""Admission without writing to the log: what it gives at a fork, and a state file from archived submissions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from consumers.registrar import Registrar
from consumers.tail import Tail
from infra.adapters.state_file import SqliteStateFile, copy_state, read_state
from infra.reading import is_held
from infra.wiring import Ledger, make_log
from ledger.errors import ConfigError, ForkError, IntegrityError, KeyFault, RogatoryError
from ledger.log import LEDGER, SUBMISSIONS, Log, Message, Reader, Stored
from ledger.state import Snapshot


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


class _Epoch(_ReadOnly):
    """The present ledger with the submissions of a former epoch, up to an offset that grows."""

    def __init__(self, log: Log, archive: Log, last: int) -> None:
        super().__init__(log)
        self._archive = archive
        self.last = last

    async def end(self, topic: str, partition: int) -> int:
        if topic != SUBMISSIONS:
            return await super().end(topic, partition)
        return min(self.last + 1, await self._archive.end(topic, partition))

    def reader(self, topic: str, partition: int, start: int = 0) -> Reader:
        if topic != SUBMISSIONS:
            return super().reader(topic, partition, start)
        return _Upto(self._archive.reader(topic, partition, start), self)


class _Upto:
    """Reads no further than its epoch."""

    def __init__(self, reader: Reader, epoch: _Epoch) -> None:
        self._reader = reader
        self._epoch = epoch

    @property
    def position(self) -> int:
        return self._reader.position

    async def read(self, limit: int, wait: float = 0.0) -> list[Stored]:
        if self.position > self._epoch.last:
            return []
        found = await self._reader.read(limit, wait)
        kept = [stored for stored in found if stored.position <= self._epoch.last]
        if len(kept) < len(found):
            self._reader.seek(self._epoch.last + 1)
        return kept

    def seek(self, position: int) -> None:
        self._reader.seek(position)

    async def close(self) -> None:
        await self._reader.close()


async def derive_state(
    ledger: Ledger, partition: int, archives: Sequence[str], tell: Callable[[int], None]
) -> Snapshot:
    """Make a partition's state file from the submissions of former epochs, and keep it where its registrar looks.

    Args:
        ledger: what they became; nothing is appended.
        partition: whose state.
        archives: where the submissions of epoch 0, 1, … are; the present log holds those of the epoch after them.
        tell: told how many submissions were admitted.

    Raises:
        IntegrityError: an archive does not give the records of its epoch.
        ConfigError: the ledger has not so many former epochs, or no log is at an address.
    """
    ends = await _epoch_ends(ledger, partition)
    if len(archives) > len(ends):
        raise ConfigError(
            f"expected at most {len(ends)} archives, one for each epoch of partition {partition} that has ended, found "
            f"{len(archives)}"
        )
    path = ledger.state_path(partition)
    done = 0
    for epoch, address in enumerate(archives):
        last, past = ends[epoch]
        archive = make_log(msgspec.structs.replace(ledger.config, ledger=address))
        log = _Epoch(ledger.log, archive, last)
        state = SqliteStateFile(path, partition)
        registrar = Registrar(
            log, ledger.ledger_id, partition, state, ledger.log_keys(), statements=ledger.statements()
        )
        try:
            await registrar.recover()
            submitted = await archive.end(SUBMISSIONS, partition)
            while registrar.state.past != past:
                # What was refused behind the last record was consumed before the epoch ended, too.
                log.last = max(last, registrar.state.offset + 1)
                if log.last >= submitted:
                    raise ForkError("the archive ends before that")
                while registrar.state.offset < log.last:
                    done += await registrar.step()
                    tell(done)
        except (ForkError, KeyFault, _AtTheEnd) as error:
            raise IntegrityError(
                f"partition {partition}: expected the submissions of epoch {epoch} at {address} to lead to the record "
                f"that opens the next one, found that they do not: {error}"
            ) from error
        finally:
            await registrar.close()
            await archive.close()
    return read_state(path)


async def _epoch_ends(ledger: Ledger, partition: int) -> list[tuple[int, bytes]]:
    """For each epoch that has ended: the offset of its last record, and ``past`` behind all that was consumed in it."""
    ends: list[tuple[int, bytes]] = []
    tail = Tail(ledger.log.reader(LEDGER, partition), partition)
    index = epoch = offset = 0
    try:
        while await tail.peek(index) is not None:
            seal = tail.seal
            if seal.epoch > epoch:
                ends.append((offset, bytes.fromhex(seal.past)))
            epoch, offset, index = seal.epoch, seal.offset, index + 1
    finally:
        await tail.close()
    return ends
