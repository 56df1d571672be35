"""What registrars and projections tell their observer of a batch, put together only where somebody listens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from time import perf_counter, time

from ledger.admission import Admitted, Decision, PartitionState, Prepared
from ledger.dispositions import Refused
from ledger.errors import StoreUnavailable
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Message, Stored, header
from ledger.observing import LOG, REGISTRAR, SILENT, STORE, Observer, Traced, traceparent_of
from ledger.outcome import parse_outcome
from ledger.submission import OUTCOME_HEADER

RECENT = 3600.0
"""Seconds since its admission after which a record that is projected is no part of its trace any more."""


class Telling:
    """One registrar's words to its observer."""

    def __init__(self, observer: Observer, partition: int) -> None:
        self.observer = observer
        self._partition = partition
        self._seq = -1
        self._begun = 0.0

    def recovering(self) -> None:
        """It begins to find out where to go on."""
        self.observer.recovering(REGISTRAR, self._partition)

    def standing(self, state: PartitionState) -> None:
        """It has recovered, or done a batch."""
        self.observer.standing(REGISTRAR, self._partition, state.offset + 1, state.index)
        seq = state.register.seq if state.register else 0
        if seq != self._seq:
            self._seq = seq
            self.observer.registered(self._partition, seq)

    def appended(self, topic: str, messages: Sequence[Message], begun: float) -> None:
        """An append was acknowledged that began at ``begun`` (``perf_counter``)."""
        self.observer.appended(topic, self._partition, len(messages), perf_counter() - begun)
        if topic == OUTCOMES and self.observer is not SILENT:
            said = [header(message.headers, OUTCOME_HEADER) for message in messages]
            self.observer.decided(self._partition, Counter(parse_outcome(raw).reason for raw in said if raw))

    def begins(self) -> None:
        """A batch is decided from now on."""
        self._begun = perf_counter()

    def admitted(self, decided: Sequence[tuple[Prepared, Decision]], count: int) -> None:
        """The last ``count`` records of a batch were appended; those before them stood in the ledger already."""
        if self.observer.traces:
            self._trace("admit", [p for p, decision in decided if isinstance(decision, Admitted)][-count:])

    def refused(self, decided: Sequence[tuple[Prepared, Decision]]) -> None:
        """The refusals of a batch were appended."""
        if self.observer.traces:
            self._trace("refuse", [p for p, decision in decided if isinstance(decision, Refused)])

    def _trace(self, operation: str, prepared: Sequence[Prepared]) -> None:
        said = ((traceparent_of(one.submission.value), one.submission.offset) for one in prepared)
        found = [Traced(text, offset) for text, offset in said if text is not None]
        if found:
            self.observer.traced(operation, SUBMISSIONS, self._partition, found, perf_counter() - self._begun)


class TakingTold:
    """One partition of a projection: its words to the observer, with the times that they need."""

    def __init__(self, observer: Observer, projection: str, partition: int) -> None:
        self._observer = observer
        self._where = projection, partition
        self._begun: float | None = None
        """When the first message was taken that no commit has begun for."""
        self._traced: list[Traced] = []
        self._cut: tuple[float, list[Traced]] = (0.0, [])
        """The same of the batch whose commit is under way."""
        self._committing = 0.0
        self._stopped = False

    def recovering(self) -> None:
        """It begins to read where the store stands."""
        self._observer.recovering(*self._where)

    def standing(self, position: int, size: int) -> None:
        """The store stands there, and so does the view."""
        self._begun, self._traced, self._stopped = None, [], False
        self._observer.standing(*self._where, position, size)

    def takes(self) -> None:
        """Messages are taken from now on."""
        if self._begun is None:
            self._begun = perf_counter()

    def takes_record(self, stored: Stored) -> None:
        """A record was taken; asked only where there are traces. What has stood for long is being replayed."""
        if stored.timestamp >= (time() - RECENT) * 1000 and (text := traceparent_of(stored.value)):
            self._traced.append(Traced(text, stored.position))

    def cuts(self) -> None:
        """What was taken so far becomes a batch."""
        self._cut = (self._begun or perf_counter(), self._traced)
        self._begun, self._traced = None, []

    def commits(self) -> None:
        """The batch is being written from now on."""
        self._committing = perf_counter()

    def committed(self, position: int, size: int, records: int) -> None:
        """The batch is in the store."""
        now = perf_counter()
        projection, partition = self._where
        self._stopped = False
        self._observer.committed(projection, partition, records, now - self._committing)
        self._observer.standing(projection, partition, position, size)
        begun, traced = self._cut
        if traced:
            self._observer.traced(f"project {projection}", LEDGER, partition, traced, now - begun)

    def stopped(self, fault: Exception) -> None:
        """It stands at a fault."""
        self._stopped = True
        self._observer.stopped(*self._where, fault)

    def unavailable(self, error: Exception) -> None:
        """The log or the store did not answer."""
        self._observer.unavailable(self._where[0], STORE if isinstance(error, StoreUnavailable) else LOG)

    def ended(self) -> None:
        """It is no longer worked at; a partition that stands at a fault is shown as long as the process lives."""
        if not self._stopped:
            self.left()

    def left(self) -> None:
        """It is another process's."""
        self._observer.ended(*self._where)
