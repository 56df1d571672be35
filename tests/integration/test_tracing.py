"""One trace shows an event from its creation to the rows, on a ledger folder and on Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind

from consumers.replay import replay
from infra.observing.exporting import is_wanted
from infra.observing.metrics import Metrics
from infra.observing.several import Several
from infra.observing.traces import Traces
from ledger.catalogue.own import StepTaken
from ledger.errors import ConfigError
from ledger.event import read_event
from ledger.partition import partition_of
from producers.builder import Draft, Sender, build
from producers.publisher import Publisher
from producers.receipt import SubmissionRefused
from projections.store import Store
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import FOLD
from tests.faults.world import T0, People
from tests.integration.stage import SOON, Stage, lose_states, stage
from tests.scrape import figures

PARTITIONS = 2
PEOPLE = People(PARTITIONS, "traced")
KEY = PEOPLE.offices["RU-OMS"]
SENDER = Sender(PEOPLE.ledger_id, "RU-OMS", (KEY,))
SUBJECT = "request/secret-4815162342"
DRAFT = Draft(subject=SUBJECT, data=StepTaken(step="x"))


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    """Tracing is on in this process; OpenTelemetry itself lets that be said once only."""
    made = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", made)
    yield made
    made.shutdown()


@pytest.fixture
def spans(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def told(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """Finished spans, by their beginning."""
    return sorted(spans.get_finished_spans(), key=lambda span: span.start_time or 0)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def projected(ledger: Stage, folder: Path, observer: Traces) -> None:
    with Store.open(f"sqlite:///{folder}/store.db") as store:
        generation = store.live(FOLD, PEOPLE.ledger_id)
        assert not (await replay(ledger.log, store, FOLD, generation, observer=observer)).stopped


async def one_event(place: Place, folder: Path, draft: Draft = DRAFT) -> int:
    """Publish an event that is built while tracing, and project it; its offset."""
    observer = Traces("traced")
    async with stage(place, PEOPLE, folder, observer) as ledger:
        await ledger.open()
        publisher = Publisher(ledger.log, SENDER, PARTITIONS)
        submitted = await publisher.submit(publisher.create(draft))
        await ledger.settle()
        await publisher.result(submitted, SOON)
        await publisher.close()
        await projected(ledger, folder, observer)
    return submitted.offset


def test_one_trace_has_creation_sending_admission_and_projection_in_order(
    place: Place, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    offset = run(one_event(place, tmp_path))
    found = [span for span in told(spans) if not span.name.startswith("send") or span.parent]
    assert [span.name for span in found] == [
        "create traced.submissions",
        "send traced.submissions",
        "admit traced.submissions",
        "project cases traced.ledger",
    ]
    assert [span.kind for span in found] == [
        SpanKind.PRODUCER, SpanKind.CLIENT, SpanKind.CONSUMER, SpanKind.CONSUMER,
    ]  # fmt: skip
    create, send, admit, project = found
    assert len({span.context.trace_id for span in found if span.context}) == 1
    for span in (send, admit, project):
        assert span.parent is not None
        assert create.context is not None
        assert span.parent.span_id == create.context.span_id
        assert attributes(span)["messaging.destination.partition.id"] == str(partition_of(SUBJECT, PARTITIONS))
        assert attributes(span)["messaging.system"] == "kafka"
    assert attributes(send)["messaging.kafka.offset"] == attributes(admit)["messaging.kafka.offset"] == offset
    assert attributes(admit)["messaging.destination.name"] == "traced.submissions"
    assert attributes(project)["messaging.destination.name"] == "traced.ledger"
    assert (attributes(admit)["messaging.operation.name"], attributes(admit)["messaging.operation.type"]) == (
        "admit",
        "process",
    )
    for span in found:
        assert span.end_time is not None
        assert span.start_time is not None
        assert span.end_time >= span.start_time


def test_no_span_names_who_or_what_it_is_about(place: Place, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    run(one_event(place, tmp_path))
    text = "\n".join(span.to_json() for span in told(spans))
    assert "project cases" in text
    for word in ("4815162342", "RU-OMS", "step", KEY.kid):
        assert word not in text


def test_a_program_that_traces_already_is_continued(place: Place, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("case system").start_as_current_span("accept the request") as root:
        run(one_event(place, tmp_path))
    mine = [s for s in told(spans) if s.context and s.context.trace_id == root.get_span_context().trace_id]
    names = [span.name.split()[0] for span in mine]
    assert names[0] == "accept"
    assert [name for name in names if name in ("create", "admit", "project")] == ["create", "admit", "project"]


def test_a_refusal_is_in_the_trace(place: Place, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    with pytest.raises(SubmissionRefused):
        run(one_event(place, tmp_path, msgspec.structs.replace(DRAFT, expectedseq=99)))
    assert [span.name.split()[0] for span in told(spans) if span.parent] == ["send", "refuse"]


def test_many_events_in_one_append_are_linked_to_it(place: Place, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    async def story() -> None:
        observer = Traces("traced")
        async with stage(place, PEOPLE, tmp_path, observer) as ledger:
            await ledger.open()
            spans.clear()
            publisher = Publisher(ledger.log, SENDER, PARTITIONS)
            await publisher.submit_all([publisher.create(DRAFT) for _ in range(3)])
            await ledger.settle()
            await publisher.close()

    run(story())
    names = [span.name.split()[0] for span in told(spans)]
    assert names == ["create"] * 3 + ["send"] + ["admit"] * 3
    (send,) = (span for span in told(spans) if span.name.startswith("send"))
    made = [span for span in told(spans) if span.name.startswith("create")]
    assert {link.context.span_id for link in send.links} == {s.context.span_id for s in made if s.context}
    assert attributes(send)["messaging.batch.message_count"] == 3


def test_admitting_again_after_a_lost_state_is_no_part_of_the_trace(
    place: Place, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    run(one_event(place, tmp_path))
    before = [span.name for span in told(spans)]
    lose_states(tmp_path)

    async def again() -> None:
        metrics = Metrics()
        async with stage(place, PEOPLE, tmp_path, Several(Traces("traced"), metrics)) as ledger:
            await ledger.settle()
            assert sum(registrar.consumed for registrar in ledger.registrars) > len(before)
        assert not [name for name in figures(metrics) if name.startswith("rogatory_admitted_total")]

    run(again())
    assert [span.name for span in told(spans)] == before


def test_what_is_not_sampled_leaves_no_trace(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter
) -> None:
    quiet = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    quiet.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", quiet)
    run(one_event(place, tmp_path))
    assert told(spans) == []


def test_a_foreign_event_that_says_unsampled_is_believed(
    place: Place, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    run(one_event(place, tmp_path, msgspec.structs.replace(DRAFT, traceparent=unsampled)))
    assert not [span for span in told(spans) if span.kind is SpanKind.CONSUMER]


def traceparent(draft: Draft) -> str | None:
    return read_event(build(draft, SENDER, T0).value).traceparent


def test_the_builder_takes_the_span_that_runs(spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("x").start_as_current_span("x") as span:
        context = span.get_span_context()
        assert traceparent(DRAFT) == f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
    assert traceparent(DRAFT) is None


def test_a_draft_keeps_its_own_trace_and_an_event_to_be_built_again_gets_none(spans: InMemorySpanExporter) -> None:
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with trace.get_tracer("x").start_as_current_span("x"):
        assert traceparent(msgspec.structs.replace(DRAFT, traceparent=own)) == own
        assert traceparent(msgspec.structs.replace(DRAFT, id="1")) is None


def test_without_tracing_nothing_is_added() -> None:
    assert traceparent(DRAFT) is None
    assert Traces("x").traces is False


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_the_environment_says_whether_to_trace(environ: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environ) is wanted


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "otlp or none, found 'zipkin'"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf, found 'grpc'"),
    ],
)
def test_what_is_not_there_is_an_error(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        is_wanted(environ)
