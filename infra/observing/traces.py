"""OpenTelemetry traces: from the event's creation over its admission to the rows that show it.

An event that was built while tracing carries ``traceparent``, signed with the rest of it.  Registrars and projections
make a span for each such event of a batch, as children of its creation; so one trace shows ``create``, ``send``,
``admit`` and ``project`` (``producers/tracing.py`` makes the first two).  Without tracing, and for events that carry no
trace or an unsampled one, nothing is made.

Set up by the standard variables: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``OTEL_TRACES_EXPORTER=otlp``) switches it on;
``OTEL_SDK_DISABLED``, ``OTEL_TRACES_SAMPLER``, ``OTEL_SERVICE_NAME`` and the others mean what OpenTelemetry says.
Export is OTLP over HTTP.  Spans name places of the log (topic, partition, offset), never a subject, an event id, an
office or content: whoever may read the record finds it there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from opentelemetry import trace
from opentelemetry.trace import SpanKind, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ledger.errors import ConfigError
from ledger.observing import Observer, Traced

_SCOPE = "rogatory"
_PROTOCOL = "http/protobuf"
_w3c = TraceContextTextMapPropagator()


class Traces(Observer):
    """Makes spans of what consumers did with events that carry a trace."""

    def __init__(self, ledger: str, provider: TracerProvider | None = None) -> None:
        """``ledger`` is its name, which its topics begin with; ``provider``: default the one of this process."""
        made = provider or trace.get_tracer_provider()
        self.traces = not isinstance(made, trace.ProxyTracerProvider)
        self._tracer = made.get_tracer(_SCOPE)
        self.ledger = ledger

    def traced(self, operation: str, topic: str, partition: int, messages: Sequence[Traced], seconds: float) -> None:  # noqa: D102 - the port says
        end = time.time_ns()
        begun = end - int(seconds * 1e9)
        name = f"{self.ledger}.{topic}"
        for message in messages:
            parent = _w3c.extract({"traceparent": message.traceparent})
            context = trace.get_current_span(parent).get_span_context()
            if not context.is_valid or not context.trace_flags.sampled:
                continue
            span = self._tracer.start_span(
                f"{operation} {name}",
                parent,
                SpanKind.CONSUMER,
                {
                    # A ledger folder has Kafka's topics, partitions and offsets, and is looked at with the same words.
                    "messaging.system": "kafka",
                    "messaging.destination.name": name,
                    "messaging.destination.partition.id": str(partition),
                    "messaging.kafka.offset": message.position,
                    "messaging.operation.name": operation,
                    "messaging.operation.type": "process",
                    "messaging.batch.message_count": len(messages),
                },
                start_time=begun,
            )
            span.end(end)


@contextmanager
def exporting(service: str, environ: Mapping[str, str] | None = None) -> Iterator[bool]:
    """Trace this process while inside, if the environment says so; what was collected is exported at the end.

    Raises:
        ConfigError: the environment asks for what is not there.
    """
    environ = os.environ if environ is None else environ
    if not is_wanted(environ) or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield False
        return
    # Slow to import, and seldom wanted.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    try:
        release = version("rogatory")
    except PackageNotFoundError:
        release = "unknown"
    named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": f"rogatory-{service}"}
    provider = SdkProvider(resource=Resource.create({**named, "service.version": release}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield True
    finally:
        provider.shutdown()


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces.

    Raises:
        ConfigError: it asks for another exporter or protocol than OTLP over HTTP.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    places = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if exporter == "none" or not (exporter or any(environ.get(name) for name in places)):
        return False
    if exporter not in ("", "otlp"):
        raise ConfigError(f"expected OTEL_TRACES_EXPORTER to be otlp or none, found {exporter[:40]!r}")
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environ.get(name, "").strip()
        if protocol not in ("", _PROTOCOL):
            raise ConfigError(f"expected {name} to be {_PROTOCOL}, found {protocol[:40]!r}")
    return True
