"""Registrars and a herald at work: until everything is worked off, or as services until they are told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from consumers.herald import RESEND_AFTER, Herald
from consumers.holding import Faults, guarded
from consumers.registrar import Registrar
from ledger.errors import ForkError, IntegrityError

_PATIENCE = 3 * RESEND_AFTER


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
            ForkError: a partition stands at a fork; everything that goes on without it is done.
            IntegrityError: a partition does not follow the register.
        """
        await self.recover()
        forks: dict[int, ForkError] = {}
        first = self._consumed()
        patience = time.monotonic() + _PATIENCE
        while True:
            draining = asyncio.ensure_future(gathered([_drained(r, forks) for r in self.registrars]))
            while not draining.done():
                await asyncio.wait({draining}, timeout=0.2)
                progress(self._consumed() - first)
            moved = sum(draining.result())
            if self.herald is None or (self._whole and self._even()):
                if not forks:
                    return self._consumed() - first
                sent = 0
            else:
                sent = await self.herald.step()
            if not sent and not moved and not self._lagging().keys() - forks.keys():
                for fork in forks.values():
                    raise fork
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
        return sum(r.state.offset + 1 for r in self.registrars)

    def _consumed(self) -> int:
        return sum(r.consumed for r in self.registrars)

    def _even(self) -> bool:
        """Whether all partitions hold the same register, by their registrars."""
        seqs = {r.state.register.seq if r.state.register else 0 for r in self.registrars}
        return len(seqs) == 1

    def _lagging(self) -> dict[int, int]:
        lag = self.herald.lag() if self.herald else {}
        ours = {r.partition for r in self.registrars}
        return {p: n for p, n in lag.items() if n > 0 and p in ours}

    async def serve(self, stop: asyncio.Event) -> None:
        """Follow the log until ``stop`` is set.

        A partition that contradicts itself stops alone; when all have, or anything else goes wrong, all ends.
        """
        faults: Faults = {}
        services = [self._guarded(registrar, stop, faults) for registrar in self.registrars]
        await together([*services, *([self.herald.run(stop)] if self.herald else [])], stop)

    async def _guarded(self, registrar: Registrar, stop: asyncio.Event, faults: Faults) -> None:
        service = asyncio.ensure_future(guarded(registrar, stop, faults))
        try:
            while not service.done():
                await asyncio.wait({service}, timeout=0.5)
                if registrar.partition in faults and len(faults) == len(self.registrars):
                    raise faults[registrar.partition]
            service.result()
        finally:
            service.cancel()
            await asyncio.gather(service, return_exceptions=True)


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


async def _drained(registrar: Registrar, forks: dict[int, ForkError]) -> int:
    """Drain, or note that the partition stands at a fork: what another one seals meanwhile may settle it."""
    try:
        consumed = await registrar.drain()
    except ForkError as error:
        forks[registrar.partition] = error
        return 0
    forks.pop(registrar.partition, None)
    return consumed


async def gathered(work: Sequence[Coroutine[Any, Any, int]]) -> list[int]:
    """The results of work done side by side; the first error ends all of it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
