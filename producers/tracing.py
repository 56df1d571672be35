"""The sender's side of a trace, by the OpenTelemetry API.

A program that publishes and has OpenTelemetry set up gets spans without a setting of ours; one that has not pays for a
look-up.  Two spans are made (OpenTelemetry semantic conventions for messaging, 1.27 and later):

- *create*, kind producer, around building an event: its context goes into the event as ``traceparent``;
- *send*, kind client, around an append: a child of the creation where it carries one event, else linked to all.

Spans name places of the log, never a subject, an event id or an office.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ledger.log import SUBMISSIONS, Message
from ledger.observing import traceparent_of

_SCOPE = "rogatory"
_w3c = TraceContextTextMapPropagator()


def current_traceparent() -> str | None:
    """The span that runs now, in W3C form (Trace Context 2.2); None without tracing, or where it is not sampled."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


@contextmanager
def creating(ledger: str) -> Iterator[None]:
    """Around building one event."""
    if not _is_on():
        yield
        return
    with _span(f"create {ledger}.{SUBMISSIONS}", SpanKind.PRODUCER, _attributes(ledger, "create")):
        yield


@contextmanager
def sending(ledger: str, partition: int, messages: Sequence[Message]) -> Iterator[Span]:
    """Around an append; the span is for ``sent``."""
    if not _is_on():
        yield trace.INVALID_SPAN
        return
    found = _contexts(messages)
    attributes = _attributes(ledger, "send") | {"messaging.destination.partition.id": str(partition)}
    parent = None
    if len(messages) == 1 and found:
        parent = trace.set_span_in_context(trace.NonRecordingSpan(found[0]))
    else:
        attributes["messaging.batch.message_count"] = len(messages)
    links = [] if parent else [Link(context) for context in found]
    with _span(f"send {ledger}.{SUBMISSIONS}", SpanKind.CLIENT, attributes, parent, links) as span:
        yield span


@contextmanager
def _span(
    name: str,
    kind: SpanKind,
    attributes: dict[str, str | int],
    parent: Context | None = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    # The words of an error may quote what was built or sent, so that the span gets its name alone.
    with trace.get_tracer(_SCOPE).start_as_current_span(
        name, parent, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def sent(span: Span, base: int, count: int) -> None:
    """The append was acknowledged at ``base``."""
    if count == 1:
        span.set_attribute("messaging.kafka.offset", base)


def _is_on() -> bool:
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _contexts(messages: Sequence[Message]) -> list[trace.SpanContext]:
    found = []
    for message in messages:
        text = traceparent_of(message.value)
        if text is None:
            continue
        context = trace.get_current_span(_w3c.extract({"traceparent": text})).get_span_context()
        if context.is_valid and context.trace_flags.sampled:
            found.append(context)
    return found


def _attributes(ledger: str, operation: str) -> dict[str, str | int]:
    return {
        # A ledger folder has Kafka's topics, partitions and offsets, and is looked at with the same words.
        "messaging.system": "kafka",
        "messaging.destination.name": f"{ledger}.{SUBMISSIONS}",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }
