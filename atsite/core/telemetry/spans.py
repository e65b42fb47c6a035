"""Spans of a process, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace.export import SpanExportResult

#: Span attributes that hold a query string, a header or an address of a person (both namings of OpenTelemetry).
SECRET_ATTRIBUTES = frozenset(
    {
        "http.target", "http.url", "url.query", "url.full", "url.original",
        "http.client_ip", "client.address", "net.peer.ip", "network.peer.address", "enduser.id", "user.id",
    }
)  # fmt: skip
SECRET_ATTRIBUTE_PREFIXES = ("http.request.header.", "http.response.header.")
#: The only attributes kept of a span's events: the text of an exception can quote anything.
EVENT_ATTRIBUTES = frozenset({"exception.type"})


def tracer_provider(service: str, exporter: SpanExporter) -> TracerProvider:
    """A provider that sends finished spans to `exporter` in batches, without secrets."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"atsite-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(RedactingExporter(exporter)))
    return provider


class RedactingExporter(SpanExporter):
    """Passes spans on after `cleaned`."""

    def __init__(self, inner: SpanExporter) -> None:
        self.inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.inner.export([cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self.inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.inner.force_flush(timeout_millis)


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """The span with its route, but without query string, headers, addresses and texts of errors."""
    description = (span.status.description or "").partition(":")[0]  # an exception's type comes before its text
    events = [
        Event(event.name, {key: value for key, value in (event.attributes or {}).items() if key in EVENT_ATTRIBUTES},
              event.timestamp)
        for event in span.events
    ]  # fmt: skip
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_harmless(span.attributes or {}),
        events=events,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, description or None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _harmless(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if name not in SECRET_ATTRIBUTES and not name.startswith(SECRET_ATTRIBUTE_PREFIXES)
    }
