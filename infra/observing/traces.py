"""OpenTelemetry traces: from the event's creation over its admission to the rows that show it.

An event that was built while tracing carries ``traceparent``, signed with the rest of it.  Registrars and projections
make a span for each such event of a batch, as children of its creation; so one trace shows ``create``, ``send``,
``admit`` and ``project`` (``producers/tracing.py`` makes the first two).  Without tracing, and for events that carry no
trace or an unsampled one, nothing is made.

``exporting.py`` switches it on.  Spans name places of the log (topic, partition, offset), never a subject, an event id,
an office or content: whoever may read the record finds it there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.trace import SpanKind, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ledger.observing import Observer, Traced

_SCOPE = "rogatory"
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
