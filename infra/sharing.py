"""Sharing a ledger's partitions among processes: which assignment fits the log, and the registrars that it gives."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress

from consumers.holding import Holding
from consumers.registrar import Registrar
from infra.adapters.assignment_folder import FolderAssignment
from infra.adapters.state_file import SqliteStateFile
from infra.config import FileLedger
from infra.reading import is_held
from infra.wiring import Ledger
from ledger.assignment import SESSION, Assignment, Member
from ledger.errors import ConfigError, KeyFault
from ledger.log import SUBMISSIONS
from ledger.signature import Signer

_WAIT = 0.2  # s between two looks whether a state file is free
_SAY = 10.0  # s between two words about it
_log = logging.getLogger(__name__)


def assignment(ledger: Ledger, *, log_key: bool = False, standby: bool = False, session: float = SESSION) -> Assignment:
    """This process's part in sharing the ledger; nothing is joined yet.

    Args:
        ledger: what is shared.
        log_key: whether partition 0 may come here.
        standby: whether this process waits for others to go away.
        session: seconds after which a silent process has lost what it held (Kafka).

    Raises:
        ConfigError: the ledger is on something that cannot be shared.
    """
    me = Member(where=f"{socket.gethostname()} {os.getpid()}", log_key=log_key, standby=standby)
    address = ledger.config.address()
    if isinstance(address, FileLedger):
        return FolderAssignment(address.folder, ledger.partitions, me)
    from infra.adapters.assignment_kafka import KafkaAssignment  # noqa: PLC0415 - slow, and of no use to a folder
    from infra.adapters.kafka_log import KafkaLog  # noqa: PLC0415 - as above

    if not isinstance(ledger.log, KafkaLog):
        raise ConfigError(f"expected a ledger folder or Kafka to share partitions on, found {ledger.config.ledger}")
    return KafkaAssignment(
        ledger.log.client, address.name, ledger.partitions, me, session=session, timeout=ledger.config.timeout
    )


def holding(ledger: Ledger, *, standby: bool = False, session: float = SESSION) -> Holding:
    """The registrars of the partitions that will be assigned to this process.

    Raises:
        KeyFault: there is only partition 0, and no log key is here.
    """
    keys = ledger.log_keys()
    if not keys:
        if ledger.partitions == 1:
            raise KeyFault(
                f"expected a log key of the register to attest partition 0 with, found none in {ledger.config.keys}; "
                "there is no other partition that this process could take"
            )
        _log.warning("no log key in %s: partition 0 is left to a process that has one", ledger.config.keys)
    part = assignment(ledger, log_key=bool(keys), standby=standby, session=session)
    opener = _Opener(ledger, keys)
    return Holding(
        part, ledger.partitions, opener.open, lambda p: ledger.log.end(SUBMISSIONS, p), standby=standby
    )  # fmt: skip


class _Opener:
    """Makes registrars, each when its state file is free."""

    def __init__(self, ledger: Ledger, keys: list[Signer]) -> None:
        self._ledger = ledger
        self._keys = keys

    async def open(self, partition: int, stop: asyncio.Event) -> Registrar | None:
        """The partition's registrar; None if ``stop`` was set before its state file was free."""
        path = self._ledger.state_path(partition)
        waited = 0.0
        while not stop.is_set():
            if not is_held(path):
                try:
                    state = await asyncio.to_thread(SqliteStateFile, path, partition)
                except ConfigError:
                    if not is_held(path):
                        raise
                else:
                    keys = self._keys if partition == 0 else []
                    return Registrar(
                        self._ledger.log, self._ledger.ledger_id, partition, state, keys, observer=self._ledger.observer
                    )
            if waited % _SAY < _WAIT:
                _log.info(
                    "partition %d: waiting for %s, which another process has open; a standby on the same machine needs "
                    "a state folder of its own", partition, path,
                )  # fmt: skip
            waited += _WAIT
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WAIT)
        return None
