"""Putting the parts together: from settings to an open ledger and everything that works on it.

This module alone knows everyone. A command opens a ledger and asks it for what it needs::

    async with open_ledger(config, say) as ledger:
        async with ledger.workers() as workers:
            await workers.until_idle()

Everything that is opened is closed by the ``with`` it came from.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from consumers import replay as replaying
from consumers.herald import RESEND_AFTER, Herald
from consumers.registrar import Registrar
from infra.adapters.kafka_log import KafkaLog
from infra.adapters.keys import find_key, load_signer
from infra.adapters.ledger_folder import LedgerFolder
from infra.adapters.state_file import SqliteStateFile
from infra.adapters.vault import VaultFile
from infra.config import Config, FileLedger
from ledger import catalogue
from ledger.catalogue.own import RegisterOpened
from ledger.errors import ChainError, ConfigError, FormatError, IntegrityError, KeyFault, LogUnavailable
from ledger.event import read_event
from ledger.ids import Kid, LedgerId
from ledger.log import LEDGER, SUBMISSIONS, Log, Stored, header
from ledger.register import Change, Contradiction, Register, apply, make_ledger_id
from ledger.seal import entry, leaf_hash, read_seal
from ledger.signature import Signer
from ledger.submission import SEAL_HEADER
from producers.builder import Sender
from producers.publisher import Publisher
from projections.queries import Queries
from projections.status import StatusFacts, StatusFold
from projections.store import Store
from projections.view import Generation

FOLD = StatusFold()
_REGISTER = b"register"
_OPENING = "rogatory.register.opened.v1"
_LOOK = 2000  # submissions that are searched for genesis before a ledger counts as not opened
_PATIENCE = 3 * RESEND_AFTER
_log = logging.getLogger(__name__)


class Genesis(msgspec.Struct, frozen=True):
    """A ledger's first event as found in its log."""

    ledger_id: LedgerId
    opened: RegisterOpened


def make_log(config: Config) -> Log:
    """The log that the settings name; nothing is connected yet. Call inside the event loop."""
    address = config.address()
    if isinstance(address, FileLedger):
        return LedgerFolder(address.folder, config.timeout)
    return KafkaLog(address.bootstrap, address.name, config.timeout)


@asynccontextmanager
async def open_ledger(config: Config, say: Callable[[str], None], *, patient: bool = False) -> AsyncIterator[Ledger]:
    """The ledger of the settings, found to be there and to be the one that is meant.

    Args:
        config: the settings.
        say: told what a person should know (that the ledger's own word is taken for its id).
        patient: while the log does not answer, try again with back-off instead of giving up (services).

    Raises:
        ConfigError: no ledger was opened there, or another one.
        LogSettings: the topics are absent or not set up as they must be.
        LogUnavailable: the log does not answer.
    """
    log = make_log(config)
    try:
        yield await _patiently(lambda: _open(config, log, say), patient)
    finally:
        await log.close()


async def _patiently(work: Callable[[], Coroutine[Any, Any, Ledger]], patient: bool) -> Ledger:
    pause = 0.5
    while True:
        try:
            return await work()
        except LogUnavailable as error:
            if not patient:
                raise
            _log.warning("log unavailable (%s); trying again in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 30.0)


async def _open(config: Config, log: Log, say: Callable[[str], None]) -> Ledger:
    partitions = await log.partitions()
    genesis = await find_genesis(log, LedgerId(config.ledger_id) if config.ledger_id else None)
    if genesis is None:
        what = f"the ledger {config.ledger_id}" if config.ledger_id else "a ledger"
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
    return Ledger(config, log, genesis, partitions)


async def find_genesis(log: Log, ledger_id: LedgerId | None = None) -> Genesis | None:
    """Genesis (the one of ``ledger_id``, if given), from the first messages of partition 0, or None."""
    for topic in (LEDGER, SUBMISSIONS):
        reader = log.reader(topic, 0)
        try:
            while reader.position < _LOOK and (piece := await reader.read(200)):
                for stored in piece:
                    genesis = _read_genesis(stored.value)
                    if genesis is not None and ledger_id in (None, genesis.ledger_id):
                        return genesis
        finally:
            await reader.close()
    return None


def _read_genesis(value: bytes | None) -> Genesis | None:
    if value is None or _OPENING.encode() not in value:
        return None
    try:
        event = read_event(value)
        data = catalogue.decode_data(catalogue.known(_OPENING), event.data) if event.type == _OPENING else None
    except FormatError:
        return None
    return Genesis(make_ledger_id(value, data.name), data) if isinstance(data, RegisterOpened) else None


class Ledger:
    """An open ledger, and where everything that works on it comes from."""

    def __init__(self, config: Config, log: Log, genesis: Genesis, partitions: int) -> None:
        self.config = config
        self.log = log
        self.ledger_id = genesis.ledger_id
        self.genesis = genesis.opened
        self.partitions = partitions

    @property
    def embedded(self) -> bool:
        """Whether it lies in a folder, so that no broker and perhaps no registrar stands behind it."""
        return isinstance(self.config.address(), FileLedger)

    async def register(self, at: int | None = None) -> Register | None:
        """The register by partition 0's records (up to index ``at``); None before the opening is sealed.

        Its records are chained to each other from genesis, whose hash is the ledger's id; signatures are the business of
        ``rogatory check``.
        """
        register: Register | None = None
        reader = self.log.reader(LEDGER, 0)
        try:
            while piece := await reader.read(2000):
                for stored in piece:
                    if stored.key == _REGISTER:
                        register = _follow(self.ledger_id, register, stored, at)
        finally:
            await reader.close()
        return register

    async def ends(self) -> dict[int, int]:
        """Where the ledger log of each partition ends now."""
        return {p: await self.log.end(LEDGER, p) for p in range(self.partitions)}

    async def followed(self, seq: int, since: Mapping[int, int]) -> list[int]:
        """The partitions that have sealed register event ``seq``, which none had when their logs ended at ``since``."""
        return [p for p, start in since.items() if await self._register_seq(p, start) >= seq]

    async def _register_seq(self, partition: int, start: int) -> int:
        reader = self.log.reader(LEDGER, partition, start)
        seq = 0
        try:
            while piece := await reader.read(2000):
                for stored in piece:
                    text = header(stored.headers, SEAL_HEADER) if stored.key == _REGISTER else None
                    seq = max(seq, _seq_of(text))
        finally:
            await reader.close()
        return seq

    # What works on it

    def state_path(self, partition: int) -> Path:
        """Where a registrar keeps its state."""
        return self.config.state / self.genesis.name / f"p{partition}.sqlite"

    def is_served(self) -> bool:
        """Whether a registrar of another process holds a state file here, so that submissions are being worked off."""
        return any(_is_held(self.state_path(p)) for p in range(self.partitions))

    async def log_key(self) -> Signer | None:
        """The key that attests register records: the configured one, else one of the keys folder; None if none is here."""
        if self.config.log_key is not None:
            return load_signer(self.config.log_key)
        register = await self.register()
        kids = register.log_keys if register else [Kid(k.kid) for k in self.genesis.log_keys]
        for kid in kids:
            if find_key(self.config.keys, kid=kid) is not None:
                return load_signer(str(self.config.keys / f"{kid.replace('#', '-')}.key"))
        return None

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
        key = await self.log_key() if 0 in chosen else None
        if 0 in chosen and key is None:
            raise KeyFault(
                f"expected a log key of the register to attest partition 0 with, found none in {self.config.keys}: "
                "name one with ROGATORY_LOG_KEY or log_key in rogatory.toml, or leave partition 0 to the machine that "
                "has it (--partitions)"
            )
        async with AsyncExitStack() as stack:
            made = []
            for partition in chosen:
                state = SqliteStateFile(self.state_path(partition), partition)
                registrar = Registrar(self.log, self.ledger_id, partition, state, key)
                stack.push_async_callback(registrar.close)
                made.append(registrar)
            carrier = Herald(self.log, self.partitions, time.monotonic) if herald else None
            if carrier is not None:
                stack.push_async_callback(carrier.close)
            yield Workers(made, carrier, whole=len(chosen) == self.partitions)

    @asynccontextmanager
    async def publisher(self, office: str, signers: Sequence[Signer]) -> AsyncIterator[Publisher]:
        """A publisher of an office's events, with the vault for what is sealed."""
        with self.vault() as vault:
            sender = Sender(self.ledger_id, office, tuple(signers), vault)
            async with Publisher(self.log, sender, self.partitions, patience=self.config.timeout) as publisher:
                yield publisher

    @contextmanager
    def vault(self) -> Iterator[VaultFile]:
        """The content keys."""
        vault = VaultFile(self.config.vault)
        try:
            yield vault
        finally:
            vault.close()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The projection store; made where there is none."""
        with open_store(self.config.store) as store:
            yield store

    def queries(self, store: Store, generation: Generation | None = None) -> Queries[StatusFacts]:
        """Questions to the rows of this ledger."""
        return Queries(store, FOLD, self.ledger_id, generation=generation)

    async def behind(self, store: Store) -> int:
        """How many positions of the ledger log the live rows have not taken."""
        generation = store.live(FOLD, self.ledger_id)
        total = 0
        for partition in range(self.partitions):
            total += await self.log.end(LEDGER, partition) - store.load(generation, partition).next
        return total

    async def project(
        self,
        store: Store,
        *,
        stop: asyncio.Event | None = None,
        progress: replaying.Progress | None = None,
    ) -> replaying.Outcome:
        """Bring the live rows to the log's present end, or, with ``stop``, follow the log until it is set.

        Raises:
            RogatoryError: a partition stopped; the first such fault.
        """
        generation = await asyncio.to_thread(store.live, FOLD, self.ledger_id)
        if stop is None:
            outcome = await replaying.replay(self.log, store, FOLD, generation, progress=progress)
        else:
            outcome = await replaying.follow(self.log, store, FOLD, generation, stop=stop, progress=progress)
        for fault in outcome.stopped.values():
            raise fault
        return outcome


class Workers:
    """Registrars and a herald. Owned by one task."""

    def __init__(self, registrars: Sequence[Registrar], herald: Herald | None, *, whole: bool) -> None:
        self.registrars = registrars
        self.herald = herald
        self._whole = whole
        """Every partition has its registrar here."""
        self._recovered = False

    async def until_idle(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Work until everything submitted is decided and every partition has followed the register.

        Returns:
            How many submissions were consumed; ``progress`` is told as the number grows.

        Raises:
            IntegrityError: a partition does not follow the register.
        """
        first = await self.recover()
        patience = time.monotonic() + _PATIENCE
        while True:
            draining = asyncio.ensure_future(gathered([r.drain() for r in self.registrars]))
            while not draining.done():
                await asyncio.wait({draining}, timeout=0.2)
                progress(self._consumed() - first)
            moved = sum(draining.result())
            if self.herald is None or (self._whole and self._even()):
                return self._consumed() - first
            sent = await self.herald.step()
            if not sent and not moved and not self._lagging():
                return self._consumed() - first
            if sent or moved:
                patience = time.monotonic() + _PATIENCE
            elif time.monotonic() > patience:
                raise IntegrityError(
                    "expected every partition to follow the register, found register events missing, by partition: "
                    f"{self._lagging()}; `rogatory outcomes` may show why their copies were refused"
                )
            else:
                await asyncio.sleep(0.2)  # what does not follow gets its copies again, a little later

    async def recover(self) -> int:
        """Go on from what was saved; how many submissions were consumed before, all partitions together."""
        if not self._recovered:
            for registrar in self.registrars:
                await registrar.recover()
            self._recovered = True
        return self._consumed()

    def _consumed(self) -> int:
        return sum(r.state.offset + 1 for r in self.registrars)

    def _even(self) -> bool:
        """Whether all partitions hold the same register, by their registrars."""
        seqs = {r.state.register.seq if r.state.register else 0 for r in self.registrars}
        return len(seqs) == 1

    def _lagging(self) -> dict[int, int]:
        lag = self.herald.lag() if self.herald else {}
        ours = {r.partition for r in self.registrars}
        return {p: n for p, n in lag.items() if n > 0 and p in ours}

    async def serve(self, stop: asyncio.Event) -> None:
        """Follow the log until ``stop`` is set; the first error ends all."""
        services = [registrar.run(stop) for registrar in self.registrars]
        await together([*services, *([self.herald.run(stop)] if self.herald else [])], stop)


async def together(services: Sequence[Coroutine[Any, Any, object]], stop: asyncio.Event) -> None:
    """Run services side by side; when one ends or fails the others are told to stop, and its error is raised."""
    tasks = [asyncio.ensure_future(service) for service in services]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in [*done, *tasks]:
        task.result()


async def gathered(work: Sequence[Coroutine[Any, Any, int]]) -> list[int]:
    """The results of work done side by side; the first error ends all of it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


@contextmanager
def open_store(url: str) -> Iterator[Store]:
    """The projection store at a URL; the folder of an SQLite file is made."""
    try:
        made = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError(
            f"expected a store such as sqlite:///store.db or postgresql+psycopg://…, found {url[:12]!r}…"
        ) from None
    if made.get_backend_name() == "sqlite" and made.database not in (None, "", ":memory:"):
        try:
            Path(str(made.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"expected a folder for the store {made.database}, found {error.strerror}") from None
    with Store.open(url) as store:
        yield store


def _seq_of(seal_text: bytes | None) -> int:
    try:
        return read_seal(seal_text).seq if seal_text else 0
    except FormatError:
        return 0


def _follow(ledger_id: LedgerId, register: Register | None, stored: Stored, at: int | None) -> Register | None:
    """The register after a message of partition 0, if that is its next event."""
    text = header(stored.headers, SEAL_HEADER)
    seq, leaf = (register.seq, register.home_leaf.hex()) if register else (0, "")
    try:
        seal = read_seal(text or b"")
    except FormatError:
        return register
    if seal.seq != seq + 1 or seal.prev != leaf or (at is not None and seal.index > at):
        return register
    value = stored.value or b""
    event = read_event(value)
    if register is None and make_ledger_id(value, ledger_id.partition(".")[0]) != ledger_id:
        return None
    data = catalogue.decode_data(catalogue.known(event.type), event.data)
    change = Change(data, seal.admitted, leaf_hash(entry(text or b"", value)))
    try:
        return apply(register, ledger_id, change)
    except Contradiction as error:
        raise ChainError(f"partition 0, index {seal.index}: {error}; run `rogatory check`") from error


def _is_held(path: Path) -> bool:
    """Whether another process has a state file open; a registrar's lock lasts as long as it runs."""
    if not path.exists():
        return False
    try:
        db = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=0.0)
    except sqlite3.Error:
        return False
    try:
        db.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.Error:
        return False
    finally:
        db.close()
    return False
