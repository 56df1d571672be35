"""Projections of an open ledger: their store, the questions to it, and the loops that keep the rows up.

A part of the wiring that stands by itself because SQLAlchemy takes long to import: a registrar, a herald and a
publisher start without it.  ``Ledger`` in ``wiring.py`` imports it when it is first asked for projections.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from consumers import replay as replaying
from consumers.judging import Progress as Judging
from infra.config import FileLedger
from infra.judging import judged, judging
from infra.kafka_security import client_settings
from ledger.errors import ConfigError, JudgementFault, Overtaken, PoisonRecord
from ledger.log import LEDGER
from ledger.observing import STORE
from projections.cases import CasesFold, read_status
from projections.engine import open_engine, parse_url
from projections.migrating import Step
from projections.queries import Queries
from projections.status import StatusFacts
from projections.store import Store
from projections.view import Generation

if TYPE_CHECKING:
    from infra.wiring import Ledger

FOLD = CasesFold()

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Projections:
    """What can be done with the projections of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The projection store; made where there is none."""
        observer = self._ledger.observer
        with open_store(self._ledger.config.store) as store:
            observer.depends(STORE, store.ping)
            try:
                yield store
            finally:
                observer.depends(STORE, None)

    def queries(self, store: Store, generation: Generation | None = None) -> Queries[StatusFacts]:
        """Questions to the rows of this ledger."""
        return Queries(store, FOLD, self._ledger.ledger_id, generation=generation, read=read_status)

    async def behind(self, store: Store) -> int:
        """How many positions of the ledger log the live rows have not taken."""
        generation = store.live(FOLD, self._ledger.ledger_id)
        total = 0
        for partition in range(self._ledger.partitions):
            total += await self._ledger.log.end(LEDGER, partition) - store.load(generation, partition).next
        return total

    async def project(
        self,
        store: Store,
        *,
        stop: asyncio.Event | None = None,
        progress: replaying.Progress | None = None,
        judged: Judging | None = None,
    ) -> replaying.Outcome:
        """As ``Ledger.project``."""
        return await self._with_live(store, lambda generation: self._project(store, generation, stop, progress, judged))

    async def _with_live(self, store: Store, work: Callable[[Generation], Coroutine[Any, Any, T]]) -> T:
        """Work on the rows that answer; after a rebuild has switched, on those that answer then."""
        generation = await asyncio.to_thread(store.live, FOLD, self._ledger.ledger_id)
        while True:
            try:
                return await work(generation)
            except Overtaken:
                fresh = await asyncio.to_thread(store.live, FOLD, self._ledger.ledger_id)
                if fresh.id == generation.id:
                    raise
                _log.info("generation %d answers now, %d no longer: going on with it", fresh.id, generation.id)
                generation = fresh

    async def _project(
        self,
        store: Store,
        generation: Generation,
        stop: asyncio.Event | None,
        progress: replaying.Progress | None,
        told: Judging | None,
    ) -> replaying.Outcome:
        log, observer, statements = self._ledger.log, self._ledger.observer, self._ledger.statements()
        if stop is None:
            outcome = await replaying.replay(
                log, store, FOLD, generation, progress=progress, observer=observer, statements=statements
            )
            await self.judge(store, generation, told)
        else:
            async with judging(self._ledger, store, generation, stop) as landed:

                def tell(partition: int, position: int, end: int) -> None:
                    landed(partition)
                    if progress is not None:
                        progress(partition, position, end)

                outcome = await replaying.follow(
                    log, store, FOLD, generation, stop=stop, progress=tell, observer=observer, statements=statements
                )
        # What is wrong with rows that answer no longer is no matter. A poison last: the others are worse. It does not
        # end a service, which said so when it was met.
        order = {Overtaken: 0, PoisonRecord: 2}
        for fault in sorted(outcome.stopped.values(), key=lambda fault: order.get(type(fault), 1)):
            if stop is None or not isinstance(fault, PoisonRecord):
                raise fault
        return outcome

    async def judge(self, store: Store, generation: Generation | None = None, progress: Judging | None = None) -> None:
        """As ``Ledger.judge``."""
        if generation is None:
            generation = await asyncio.to_thread(store.live, FOLD, self._ledger.ledger_id)
        try:
            await judged(self._ledger, store, generation, progress)
        except (ConfigError, JudgementFault) as error:
            _log.warning("nothing is judged: %s", error)

    async def live(self, store: Store, stop: asyncio.Event, *, session: float) -> None:
        """As ``Ledger.live``."""
        from consumers import live  # noqa: PLC0415 - Faust takes long to import, and nothing else needs it

        ledger = self._ledger
        address = ledger.config.address()
        if isinstance(address, FileLedger):
            raise ConfigError(
                f"expected a ledger on Kafka, whose consumer groups share partitions, found {ledger.config.ledger}: "
                "use `rogatory run project` there"
            )
        security, statements = client_settings(ledger.config.kafka_security), ledger.statements()

        async def work(generation: Generation) -> None:
            async with judging(ledger, store, generation, stop) as landed:
                await live.run(
                    address.bootstrap,
                    address.name,
                    ledger.log,
                    store,
                    FOLD,
                    generation,
                    stop=stop,
                    landed=lambda batch: landed(batch.partition),
                    session=session,
                    security=security,
                    statements=statements,
                    observer=ledger.observer,
                )

        await self._with_live(store, work)


@contextmanager
def open_store(url: str, *, migrate: bool = False, told: Callable[[Step], None] | None = None) -> Iterator[Store]:
    """The projection store at a URL; the folder of an SQLite file is made.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://…`` (``projections/engine.py``).
        migrate: bring the store of an older release to this one's schema, instead of refusing it.
        told: told of each step of that.

    Raises:
        ConfigError: no such database, or a store of an older or newer release.
        StoreUnavailable: it does not answer.
    """
    made = parse_url(url)
    if made.get_backend_name() == "sqlite" and made.database not in (None, "", ":memory:"):
        try:
            Path(str(made.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"expected a folder for the store {made.database}, found {error.strerror}") from None
    with Store(open_engine(url, migrate=migrate, told=told)) as store:
        yield store
