"""The port to observation: what consumers and producers tell of their work, for metrics, traces and health.

``Observer`` itself does nothing and is what everything has by default; ``infra/observing`` fulfils it.  Who tells
calls it in its event loop, once for a batch and never for a record, right after what it tells of.

Contract for an implementation: each call returns at once and raises nothing (``infra/observing/several.py`` sees to
that), does no I/O, and keeps no reference to what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

REGISTRAR: Final = "registrar"
HERALD: Final = "herald"
LOG: Final = "log"
STORE: Final = "store"


def traceparent_of(value: bytes | None) -> str | None:
    """The ``traceparent`` of an event's bytes; None for events without, which cost no more than a search."""
    if value is None or _MEMBER not in value:
        return None
    try:
        return _decode(value).traceparent
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Envelope(msgspec.Struct):
    traceparent: str | None = None


_MEMBER = b'"traceparent"'
_decode = msgspec.json.Decoder(_Envelope).decode


class Traced(msgspec.Struct, frozen=True):
    """A message whose event carries a W3C ``traceparent``: the trace it belongs to and the place it was read at."""

    traceparent: str
    position: int
    """In the topic that it was read from."""


class Observer:
    """Told what happens. This one does nothing; a subclass overrides what it wants to know.

    ``worker`` is ``registrar`` or the name of a projection; with a partition it names one that works.  Seconds are
    wall-clock seconds as ``time.perf_counter`` measures them.
    """

    traces = False
    """Whether ``traced`` is of use; where it is not, nobody collects anything for it."""

    # Where a worker stands

    def recovering(self, worker: str, partition: int) -> None:
        """It has the partition and is finding out where to go on."""

    def standing(self, worker: str, partition: int, position: int, size: int) -> None:
        """It has recovered, or has done a batch.

        Args:
            worker: who.
            partition: of which partition.
            position: what it reads next: an offset of ``submissions`` for a registrar, else a position of ``ledger``.
            size: records sealed or projected so far, all counted from the beginning of the partition.
        """

    def stopped(self, worker: str, partition: int, error: Exception) -> None:
        """It has stopped the partition at a fault; the next ``standing`` says that it goes on."""

    def ended(self, worker: str, partition: int) -> None:
        """It no longer has the partition."""

    def unavailable(self, worker: str, what: str) -> None:
        """The log (``LOG``) or the store (``STORE``) did not answer; it will try again."""

    def depends(self, what: str, ask: Callable[[], object] | None) -> None:
        """What this process relies on: ``ask`` raises where it does not answer; None: no longer.

        ``ask`` is called now and then in a thread of its own.
        """

    # What it has done

    def submitted(self, partition: int, count: int, seconds: float) -> None:
        """A publisher's append of events was acknowledged."""

    def published(self, seconds: float) -> None:
        """An event was sealed, so long after it was submitted."""

    def appended(self, topic: str, partition: int, count: int, seconds: float) -> None:
        """A registrar's append to ``ledger`` or ``outcomes`` was acknowledged."""

    def decided(self, partition: int, reasons: Mapping[str, int]) -> None:
        """Outcomes were appended, so many of each reason; ``duplicate`` is one of them."""

    def registered(self, partition: int, seq: int) -> None:
        """The partition's register has come to ``seq``."""

    def carried(self, lag: Mapping[int, int], sent: int) -> None:
        """The herald looked at all partitions: register events each has not sealed yet, and copies it sent."""

    def committed(self, projection: str, partition: int, records: int, seconds: float) -> None:
        """Rows and position of a batch were committed."""

    def judged(self, waiting: int | None, subjects: int, seconds: float) -> None:
        """Verdicts of so many subjects were written; ``waiting`` subjects wait for judgement (None: not counted)."""

    def set_aside(self, subjects: int) -> None:
        """So many of the subjects that wait cannot be judged by this release; they are not tried until they change."""

    def traced(self, operation: str, topic: str, partition: int, messages: Sequence[Traced], seconds: float) -> None:
        """A batch held messages with a trace.

        Args:
            operation: what was done with them: ``admit``, or ``project`` and the projection's name.
            topic: where they were read.
            partition: of that topic.
            messages: those of the batch that carry a trace, at least one.
            seconds: how long the batch took, up to now.
        """


SILENT: Final = Observer()
"""What everything has unless it is given another one."""
