"""Putting the parts together: from settings to an open ledger and everything that works on it.

This module alone knows everyone, with ``projecting.py``, its part for projections. A command opens a ledger and asks it
for what it needs::

    async with open_ledger(config, say) as ledger:
        async with ledger.workers() as workers:
            await workers.until_idle()

Everything that is opened is closed by the ``with`` it came from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consumers.herald import Herald
from consumers.registrar import Registrar
from consumers.settlements import Settlements
from infra.adapters.cache_file import BookmarkFiles, CacheFile
from infra.adapters.keys import SeedSigner, list_keys, load_signer
from infra.adapters.ledger_folder import LedgerFolder
from infra.adapters.state_file import SqliteStateFile
from infra.adapters.vault import VaultFile
from infra.config import Config, FileLedger
from infra.kafka_security import client_settings
from infra.reading import Genesis, Seen, find_genesis, is_held, read_register, read_register_seq
from infra.statements import accepted
from infra.workers import Workers, together
from ledger.errors import ConfigError, IntegrityError, KeyFault, LogSettings, LogUnavailable
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log
from ledger.observing import LOG, REGISTRAR, SILENT, Observer
from ledger.register import Register
from ledger.settlement import Statement
from ledger.signature import Signer

if TYPE_CHECKING:
    from consumers.judging import Progress as Judging
    from consumers.replay import Outcome, Progress
    from infra.adapters.kafka_log import KafkaLog
    from infra.projecting import Projections
    from producers.publisher import Publisher
    from projections.queries import Queries
    from projections.status import StatusFacts
    from projections.store import Store
    from projections.view import Generation

_log = logging.getLogger(__name__)

__all__ = ["Genesis", "Ledger", "Workers", "find_genesis", "make_log", "make_missing", "open_ledger", "together"]


def make_log(config: Config) -> KafkaLog | LedgerFolder:
    """The log that the settings name; nothing is connected yet. Call inside the event loop."""
    address = config.address()
    if isinstance(address, FileLedger):
        return LedgerFolder(address.folder, config.timeout)
    from infra.adapters.kafka_log import KafkaLog  # noqa: PLC0415 - slow to import, and of no use to a folder

    return KafkaLog(address.bootstrap, address.name, config.timeout, client_settings(config.kafka_security))


async def make_missing(config: Config) -> list[str]:
    """Make those of the ledger's topics anew that are absent, empty and like the others; which ones.

    Raises:
        LogSettings: all of them are absent.
        LogUnavailable: the log does not answer.
    """
    log = make_log(config)
    try:
        return await log.make_missing()
    finally:
        await log.close()


@asynccontextmanager
async def open_ledger(
    config: Config, say: Callable[[str], None], *, patient: bool = False, observer: Observer = SILENT
) -> AsyncIterator[Ledger]:
    """The ledger of the settings, found to be there and to be the one that is meant.

    Args:
        config: the settings.
        say: told what a person should know (that the ledger's own word is taken for its id).
        patient: while the log does not answer, try again with back-off instead of giving up (services).
        observer: told what all that works on this ledger does.

    Raises:
        ConfigError: no ledger was opened there, or another one.
        LogSettings: the topics are absent or not set up as they must be.
        LogUnavailable: the log does not answer.
    """
    log = make_log(config)
    try:
        yield await _patiently(lambda: _open(config, log, say, observer), patient, observer)
    finally:
        await log.close()


async def _patiently(work: Callable[[], Coroutine[Any, Any, Ledger]], patient: bool, observer: Observer) -> Ledger:
    pause = 0.5
    while True:
        try:
            return await work()
        except LogUnavailable as error:
            if not patient:
                raise
            observer.unavailable("service", LOG)
            _log.warning("log unavailable (%s); trying again in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 30.0)


async def _open(config: Config, log: Log, say: Callable[[str], None], observer: Observer) -> Ledger:
    try:
        partitions = await log.partitions()
    except LogSettings as error:
        raise LogSettings(
            f"no usable ledger at {config.ledger}: {error}. `rogatory ledger open` makes a new one"
        ) from error
    genesis = await find_genesis(log, LedgerId(config.ledger_id) if config.ledger_id else None)
    if genesis is None:
        what = f"the ledger {config.ledger_id}" if config.ledger_id else "a ledger"
        other = await find_genesis(log) if config.ledger_id else None
        if other is not None:
            raise ConfigError(
                f"expected {what} at {config.ledger}, found another of that name, {other.ledger_id}: "
                "correct --ledger and --ledger-id; never use the state or rows of one for the other"
            )
        raise ConfigError(
            f"expected {what} at {config.ledger}, found a log without its opening: open one with `rogatory ledger "
            "open`, with --resume if that was interrupted here, or correct --ledger and --ledger-id"
        )
    if genesis.opened.partitions != partitions:
        raise IntegrityError(
            f"expected {genesis.opened.partitions} partitions, as the ledger was opened with, found {partitions}: "
            "somebody has changed the topics; nothing must be written to them"
        )
    if config.ledger_id is None:
        say(
            f"No ledger id is set: taking the log's own word that it is {genesis.ledger_id}. "
            "Compare it with what the ledger's owner says, and set it with --ledger-id or in rogatory.toml."
        )
    return Ledger(config, log, genesis, partitions, observer)


class Ledger:
    """An open ledger, and where everything that works on it comes from."""

    def __init__(
        self, config: Config, log: Log, genesis: Genesis, partitions: int, observer: Observer = SILENT
    ) -> None:
        self.config = config
        self.log = log
        self.ledger_id = genesis.ledger_id
        self.genesis = genesis.opened
        self.partitions = partitions
        self.observer = observer

    @property
    def embedded(self) -> bool:
        """Whether it lies in a folder, so that no broker and perhaps no registrar stands behind it."""
        return isinstance(self.config.address(), FileLedger)

    async def register(self, at: int | None = None) -> Register | None:
        """The register by partition 0's records (up to index ``at``); None before the opening is sealed."""
        return await read_register(self.log, self.ledger_id, at, CacheFile(self.cache_folder() / "register.json", Seen))

    async def ends(self) -> dict[int, int]:
        """Where the ledger log of each partition ends now."""
        return {p: await self.log.end(LEDGER, p) for p in range(self.partitions)}

    async def followed(self, seq: int, since: Mapping[int, int]) -> list[int]:
        """The partitions that have sealed register event ``seq``, which none had when their logs ended at ``since``."""
        return [p for p, start in since.items() if await read_register_seq(self.log, p, start) >= seq]

    def statements(self) -> list[Statement]:
        """Settlements of forks that were accepted on this machine. Raises ConfigError."""
        return accepted(self.config, self.ledger_id)

    async def settlements(self) -> Settlements:
        """What the authorities settled, by the log and the statements accepted here."""
        settlements = Settlements(self.log, self.ledger_id, self.statements())
        await settlements.refresh()
        return settlements

    # What works on it

    def state_path(self, partition: int) -> Path:
        """Where a registrar keeps its state."""
        return self.config.state / self.genesis.name / f"p{partition}.sqlite"

    def cache_folder(self) -> Path:
        """Where bookmarks and the like are kept."""
        return self.config.state / self.genesis.name

    def is_served(self) -> bool:
        """Whether a registrar of another process holds a state file here, so that submissions are being worked off."""
        return any(is_held(self.state_path(p)) for p in range(self.partitions))

    def log_keys(self) -> list[Signer]:
        """The keys here that can attest register records: the configured one, and those of the keys folder."""
        named = [] if self.config.log_key is None else [load_signer(self.config.log_key)]
        kept = [SeedSigner(key) for key in list_keys(self.config.keys) if key.use == "log"]
        return [*named, *kept]

    @asynccontextmanager
    async def workers(
        self, partitions: Sequence[int] | None = None, *, registrars: bool = True, herald: bool = True
    ) -> AsyncIterator[Workers]:
        """Registrars of ``partitions`` (default: all) and a herald.

        Raises:
            ConfigError: no such partition, or another registrar holds one of the state files.
            KeyFault: partition 0 is among them and no log key is here.
        """
        chosen = list(range(self.partitions) if partitions is None else partitions) if registrars else []
        for partition in chosen:
            if not 0 <= partition < self.partitions:
                raise ConfigError(f"expected partitions from 0 to {self.partitions - 1}, found {partition}")
        keys = self.log_keys() if 0 in chosen else []
        if 0 in chosen and not keys:
            raise KeyFault(
                f"expected a log key of the register to attest partition 0 with, found none in {self.config.keys}: "
                "name one with ROGATORY_LOG_KEY or log_key in rogatory.toml, or leave partition 0 to the machine that "
                "has it (--partitions)"
            )
        for partition in chosen:  # before anything is awaited: until they are recovered, this process is not ready
            self.observer.recovering(REGISTRAR, partition)
        async with AsyncExitStack() as stack:
            made = []
            told = self.statements()
            for partition in chosen:
                state = SqliteStateFile(self.state_path(partition), partition)
                registrar = Registrar(
                    self.log, self.ledger_id, partition, state, keys, statements=told, observer=self.observer
                )
                stack.push_async_callback(registrar.close)
                made.append(registrar)
            marks = BookmarkFiles(self.cache_folder())
            carrier = None
            if herald:
                known = Settlements(self.log, self.ledger_id, told, register=await self.register())
                settled = known.leaves(self.partitions)
                carrier = Herald(
                    self.log, self.partitions, time.monotonic, marks, settled=settled, observer=self.observer
                )
                stack.push_async_callback(carrier.close)
            yield Workers(made, carrier, whole=len(chosen) == self.partitions)

    @asynccontextmanager
    async def publisher(self, office: str, signers: Sequence[Signer]) -> AsyncIterator[Publisher]:
        """A publisher of an office's events, with the vault for what is sealed."""
        from producers.builder import Sender  # noqa: PLC0415 - slow to import; a registrar publishes nothing
        from producers.publisher import Publisher  # noqa: PLC0415 - as above

        with self.vault() as vault:
            sender = Sender(self.ledger_id, office, tuple(signers), vault)
            patience = self.config.timeout
            async with Publisher(
                self.log, sender, self.partitions, patience=patience, observer=self.observer
            ) as publisher:
                yield publisher

    @contextmanager
    def vault(self) -> Iterator[VaultFile]:
        """The content keys."""
        vault = VaultFile(self.config.vault)
        try:
            yield vault
        finally:
            vault.close()

    @cached_property
    def _projections(self) -> Projections:
        from infra.projecting import Projections  # noqa: PLC0415 - with it comes SQLAlchemy, which is slow to import

        return Projections(self)

    def store(self) -> AbstractContextManager[Store]:
        """The projection store; made where there is none."""
        return self._projections.store()

    def queries(self, store: Store, generation: Generation | None = None) -> Queries[StatusFacts]:
        """Questions to the rows of this ledger."""
        return self._projections.queries(store, generation)

    async def behind(self, store: Store) -> int:
        """How many positions of the ledger log the live rows have not taken."""
        return await self._projections.behind(store)

    async def project(
        self,
        store: Store,
        *,
        stop: asyncio.Event | None = None,
        progress: Progress | None = None,
        judged: Judging | None = None,
    ) -> Outcome:
        """Bring the live rows to the log's present end, or, with ``stop``, follow the log until it is set.

        What has changed is judged behind that, or beside it.  ``judged`` is told how many subjects have been, of how
        many.

        Raises:
            RogatoryError: a partition stopped; the first such fault.
        """
        return await self._projections.project(store, stop=stop, progress=progress, judged=judged)

    async def judge(
        self, store: Store, generation: Generation | None = None, *, progress: Judging | None = None
    ) -> None:
        """Judge what waits in a generation (the live one), by the rulebook in use now.

        Where that is not here nothing is judged; it is logged.
        """
        await self._projections.judge(store, generation, progress)

    async def live(self, store: Store, stop: asyncio.Event, *, session: float) -> None:
        """Keep the live rows up with a ledger on Kafka, sharing its partitions with other workers.

        ``session`` is the seconds of silence after which the others take what this one holds.

        Raises:
            ConfigError: the ledger is not on Kafka.
            RogatoryError: as ``consumers.live.run``.
        """
        await self._projections.live(store, stop, session=session)
