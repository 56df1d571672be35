"""Prometheus metrics of one process. What each means for a person is in ``docs/observing.md``.

Counters count what this process did since it began; gauges say where it stands.  A worker's own figures are set once a
batch; what the log's ends say (``waiting``, ``lag``) comes from the probe (``probe.py``), every few seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from infra.observing.kinds import kind_of
from ledger.log import SUBMISSIONS
from ledger.observing import REGISTRAR, Observer

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RECORDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000)


class Metrics(Observer):
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"rogatory_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"rogatory_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"rogatory_{name}", text, labels, buckets=buckets, registry=registry)

        self._info = Info("rogatory", "Version, service and ledger of this process", registry=registry)
        self._submitted = counter("submitted", "Events that publishers here gave to the log", "partition")
        self._published = histogram("publish_seconds", "From submitting an event to its seal", _SECONDS)
        self._admitted = counter("admitted", "Records that registrars here appended to the ledger", "partition")
        self._refused = counter("refused", "Refusals that registrars here appended, by reason", "partition", "reason")
        self._duplicates = counter("duplicates", "Duplicates that registrars here answered", "partition")
        self._appended = histogram("append_seconds", "How long an append to a topic took", _SECONDS, "topic")
        self._batches = histogram("batch_records", "Messages in one append to a topic", _RECORDS, "topic")
        self._submissions = gauge("submissions_position", "Submissions that the registrar has decided", "partition")
        self._waiting = gauge("waiting_submissions", "Submissions that the registrar has not decided yet", "partition")
        self._sealed = gauge("sealed_index", "Index that the next record will get", "partition")
        self._seq = gauge("register_seq", "Register events that the partition has sealed", "partition")
        self._behind = gauge("register_lag", "Register events that the partition has not sealed yet", "partition")
        self._copies = counter("register_copies", "Copies of register records that the herald here submitted")
        self._position = gauge("projection_position", "Ledger position that comes next", "projection", "partition")
        self._records = gauge("projection_records", "Records that the rows rest on", "projection", "partition")
        self._lag = gauge("projection_lag_records", "Ledger messages not projected yet", "projection", "partition")
        self._projected = counter("projected", "Records committed by projections here", "projection", "partition")
        self._commit = histogram("projection_commit_seconds", "How long a commit of rows took", _SECONDS, "projection")
        self._unjudged = gauge("judgement_waiting", "Subjects whose verdicts are to be made again")
        self._judged = counter("judged", "Subjects judged")
        self._aside = gauge("judgement_set_aside", "Subjects that cannot be judged, for a fault of this release")
        self._stopped = gauge("stopped_partitions", "Partitions that stand at a fault, by kind", "worker", "kind")
        self._poison = gauge("poison_partitions", "Partitions that stand at a poison record", "projection")
        self._log_unavailable = counter("log_unavailable", "Times that the log did not answer", "worker")
        self._store_unavailable = counter("store_unavailable", "Times that the store did not answer", "worker")
        self._loop = gauge("loop_lag_seconds", "How late the event loop last came to a timer")
        self._ready = gauge("ready", "1 while the readiness check says yes")
        self._faults: dict[tuple[str, int], str] = {}
        self._where: dict[tuple[str, int], int] = {}

    def about(self, service: str, ledger: str) -> None:
        """What this process is."""
        try:
            release = version("rogatory")
        except PackageNotFoundError:
            release = "unknown"
        self._info.info({"version": release, "service": service, "ledger": ledger})

    # What the workers tell

    def standing(self, worker: str, partition: int, position: int, size: int) -> None:  # noqa: D102 - the port says
        self._where[worker, partition] = position
        if worker == REGISTRAR:
            self._submissions.labels(partition).set(position)
            self._sealed.labels(partition).set(size)
        else:
            self._position.labels(worker, partition).set(position)
            self._records.labels(worker, partition).set(size)
        self._free(worker, partition)

    def stopped(self, worker: str, partition: int, error: Exception) -> None:  # noqa: D102 - the port says
        self._free(worker, partition)
        kind = self._faults[worker, partition] = kind_of(error)
        self._stopped.labels(worker, kind).inc()
        if kind == "poison":
            self._poison.labels(worker).inc()

    def _free(self, worker: str, partition: int) -> None:
        kind = self._faults.pop((worker, partition), None)
        if kind is not None:
            self._stopped.labels(worker, kind).dec()
        if kind == "poison":
            self._poison.labels(worker).dec()

    def ended(self, worker: str, partition: int) -> None:  # noqa: D102 - the port says
        self._free(worker, partition)
        if self._where.pop((worker, partition), None) is None:
            return
        # What is not known any more is not shown: another process has the partition now.
        for one in (self._submissions, self._sealed, self._waiting, self._seq) if worker == REGISTRAR else ():
            one.remove(str(partition))
        for one in (self._position, self._records, self._lag) if worker != REGISTRAR else ():
            one.remove(worker, str(partition))

    def unavailable(self, worker: str, what: str) -> None:  # noqa: D102 - the port says
        (self._log_unavailable if what == "log" else self._store_unavailable).labels(worker).inc()

    def submitted(self, partition: int, count: int, seconds: float) -> None:  # noqa: D102 - the port says
        self._submitted.labels(partition).inc(count)
        self._append(SUBMISSIONS, count, seconds)

    def published(self, seconds: float) -> None:  # noqa: D102 - the port says
        self._published.observe(seconds)

    def appended(self, topic: str, partition: int, count: int, seconds: float) -> None:  # noqa: D102 - the port says
        if topic == "ledger":
            self._admitted.labels(partition).inc(count)
        self._append(topic, count, seconds)

    def _append(self, topic: str, count: int, seconds: float) -> None:
        self._appended.labels(topic).observe(seconds)
        self._batches.labels(topic).observe(count)

    def decided(self, partition: int, reasons: Mapping[str, int]) -> None:  # noqa: D102 - the port says
        for reason, count in reasons.items():
            if reason == "duplicate":
                self._duplicates.labels(partition).inc(count)
            else:
                self._refused.labels(partition, reason).inc(count)

    def registered(self, partition: int, seq: int) -> None:  # noqa: D102 - the port says
        self._seq.labels(partition).set(seq)

    def carried(self, lag: Mapping[int, int], sent: int) -> None:  # noqa: D102 - the port says
        self._copies.inc(sent)
        for partition, count in lag.items():
            self._behind.labels(partition).set(count)

    def committed(self, projection: str, partition: int, records: int, seconds: float) -> None:  # noqa: D102 - the port says
        self._projected.labels(projection, partition).inc(records)
        self._commit.labels(projection).observe(seconds)

    def judged(self, waiting: int | None, subjects: int, seconds: float) -> None:  # noqa: ARG002, D102 - the port says
        self._judged.inc(subjects)
        if waiting is not None:
            self._unjudged.set(waiting)

    def set_aside(self, subjects: int) -> None:  # noqa: D102 - the port says
        self._aside.set(subjects)

    # What the probe finds

    def found_end(self, worker: str, partition: int, end: int) -> None:
        """Where the log that a worker reads ended just now."""
        position = self._where.get((worker, partition))
        if position is None:
            return
        behind = max(0, end - position)
        if worker == REGISTRAR:
            self._waiting.labels(partition).set(behind)
        else:
            self._lag.labels(worker, partition).set(behind)

    def looped(self, seconds: float) -> None:
        """How late the event loop came to a timer."""
        self._loop.set(seconds)

    def is_ready(self, yes: bool) -> None:
        """What the readiness check says."""
        self._ready.set(yes)

    def working(self) -> list[tuple[str, int]]:
        """Workers and partitions that stand somewhere here."""
        return list(self._where)
