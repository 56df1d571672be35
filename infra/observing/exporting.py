"""Switching OpenTelemetry traces on, and telling whether they are. While they are off, nothing of it is imported.

By the standard variables: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``OTEL_TRACES_EXPORTER=otlp``) switches them on;
``OTEL_SDK_DISABLED``, ``OTEL_TRACES_SAMPLER``, ``OTEL_SERVICE_NAME`` and the others mean what OpenTelemetry says.
Export is OTLP over HTTP.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from ledger.errors import ConfigError

_PROTOCOL = "http/protobuf"


@contextmanager
def exporting(service: str, environ: Mapping[str, str] | None = None) -> Iterator[bool]:
    """Trace this process while inside, if the environment says so; what was collected is exported at the end.

    Raises:
        ConfigError: the environment asks for what is not there.
    """
    environ = os.environ if environ is None else environ
    if not is_wanted(environ) or is_tracing():
        yield False
        return
    # Slow to import, and seldom wanted.
    from opentelemetry import trace  # noqa: PLC0415
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


def is_tracing() -> bool:
    """Whether somebody in this process makes traces: ``exporting``, or a program around it."""
    # A provider is set by code that has imported the API, or named by a variable that the API reads.
    if "opentelemetry.trace" not in sys.modules and not any(name.startswith("OTEL_") for name in os.environ):
        return False
    from opentelemetry import trace  # noqa: PLC0415 - slow to import, and seldom wanted

    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
