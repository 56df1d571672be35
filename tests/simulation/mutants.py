"""Parts with a fault built in: a campaign that does not find them would say nothing about the right ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from consumers.herald import Herald
from consumers.register_tail import RegisterTail
from consumers.registrar import Registrar
from ledger import admission
from ledger.errors import LogUnavailable
from ledger.log import SUBMISSIONS, Message, Stored
from ledger.state import Snapshot
from ledger.versions import RULES, Rules
from producers.builder import Signed
from producers.publisher import Publisher
from producers.receipt import Submitted
from projections.view import Batch
from tests.simulation.disk import Rows
from tests.simulation.log import SimulatedLog
from tests.simulation.parts import OLD_RELEASE, Parts


class OutcomesLast(Registrar):
    """Appends the outcomes of a batch behind its records: a crash between loses them for ever."""

    _last = False

    async def _append_outcomes(self) -> None:
        if self._last:
            await super()._append_outcomes()

    async def _write(self, *decided: Any, **how: Any) -> None:
        await super()._write(*decided, **how)
        self._last = True
        try:
            await super()._append_outcomes()
        finally:
            self._last = False


class _Hopeful:
    """A log whose failed appends are taken for written ones."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        base = await self._log.end(topic, partition)
        try:
            return await self._log.append(topic, partition, messages)
        except LogUnavailable:
            return base


class TakesSilenceForYes(Registrar):
    """Goes on after an append of which it does not know the end."""

    def __init__(self, log: Any, *others: Any, **more: Any) -> None:
        super().__init__(_Hopeful(log), *others, **more)


class OwnClock(Registrar):
    """Stamps with a clock of its own, which is behind by as many ms as its batches are large."""

    def _decide(self, stored: list[Stored]) -> Any:
        shifted = [msgspec.structs.replace(s, timestamp=s.timestamp - self._batch) for s in stored]
        return super()._decide(shifted)


class SavesTooEarly(Registrar):
    """Saves its state before it appends what the state stands behind."""

    async def _append_outcomes(self) -> None:
        state = self.state
        self._file.save(Snapshot.of(state, self._standing.next), state.heads, state.identities)
        await super()._append_outcomes()


_AS_BEFORE: Mapping[int, Rules] = MappingProxyType(dict.fromkeys(RULES, RULES[1]))


class GoesOnAfterTheAdoption(Registrar):
    """An older release that does not stop, and decides by the rules that it knows."""

    def __init__(self, *others: Any, known: Any, **more: Any) -> None:
        self._old = known == OLD_RELEASE
        super().__init__(*others, known=frozenset(RULES), **more)

    def _decide(self, stored: list[Stored]) -> Any:
        admission.RULES = _AS_BEFORE if self._old else RULES  # type: ignore[misc]
        try:
            return super()._decide(stored)
        finally:
            admission.RULES = RULES  # type: ignore[misc]


class OwnCursor(Herald):
    """Remembers how much it has sent, and never looks how much has arrived."""

    async def _serve(self, target: Any) -> int:
        await target.tail.new()
        due = await self._fitting(target.sent)
        target.sent += len(due)
        if due:
            await self._log.append(SUBMISSIONS, target.tail.partition, due)
        return len(due)


class _Forgetful(RegisterTail):
    async def new(self) -> list[Stored]:
        before = list(self.places)
        try:
            return await super().new()
        except LogUnavailable:
            self.places = before
            raise


class ForgetsWhatItRead(Herald):
    """Loses what it has read when the read behind it fails. (It was so once.)"""

    def __init__(self, log: Any, *others: Any, **more: Any) -> None:
        super().__init__(log, *others, **more)
        self._home = _Forgetful(log, 0)


class WithoutComparing(Rows):
    """Commits whatever comes, whoever has committed since."""

    def commit(self, batch: Batch) -> None:
        self._faults.save(f"commit/{batch.partition}")
        self._write(batch)
        self._faults.save(f"commit/{batch.partition}")


class PositionFirst(Rows):
    """Moves the position in one transaction and writes the rows in the next."""

    def _write(self, batch: Batch) -> None:
        super()._write(msgspec.structs.replace(batch, rows=[]))
        self._faults.save(f"commit/{batch.partition}")
        self._put(batch)


class AcknowledgesBlindly(Publisher):
    """Tells its caller that a submission is there when the log did not answer."""

    async def _append(self, partition: int, messages: list[Message]) -> int:
        base = await self._log.end(SUBMISSIONS, partition)
        try:
            return await self._log.append(SUBMISSIONS, partition, messages)
        except LogUnavailable:
            return base


class WatchesTooLate(Publisher):
    """Begins to watch for answers when it has submitted: one that is there already is never seen."""

    async def submit_all(self, events: Sequence[Signed]) -> list[Submitted]:
        watch = self._watcher.watch

        async def later(_partition: int) -> None:
            return

        self._watcher.watch = later  # type: ignore[method-assign]
        try:
            submitted = await super().submit_all(events)
        finally:
            self._watcher.watch = watch  # type: ignore[method-assign]
        for partition in {one.partition for one in submitted}:
            await watch(partition)
        return submitted


MUTANTS: dict[str, Parts] = {
    "registrar that writes outcomes last": Parts(registrar=OutcomesLast),
    "registrar that takes silence for yes": Parts(registrar=TakesSilenceForYes),
    "registrar with a clock of its own": Parts(registrar=OwnClock),
    "registrar that saves too early": Parts(registrar=SavesTooEarly),
    "older registrar that goes on after the adoption": Parts(registrar=GoesOnAfterTheAdoption),
    "herald with a cursor of its own": Parts(herald=OwnCursor),
    "herald that forgets what it read": Parts(herald=ForgetsWhatItRead),
    "rows without compare-and-set": Parts(rows=WithoutComparing),
    "rows whose position is committed first": Parts(rows=PositionFirst),
    "publisher that acknowledges blindly": Parts(publisher=AcknowledgesBlindly),
    "publisher that watches too late": Parts(publisher=WatchesTooLate),
}
"""By what is wrong with them."""
