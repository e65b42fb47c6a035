"""Telemetry of a process: log lines, spans, metrics, and health.

It never contains a query string, an Authorization header, or a viewer's did: fields that could are removed here, from
all libraries.
"""

from __future__ import annotations

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor

from atsite.core.config import config
from atsite.core.telemetry.logs import configure_logs
from atsite.core.telemetry.metrics_server import Health, MetricsServer, start_metrics
from atsite.core.telemetry.spans import RedactingExporter, tracer_provider

__all__ = [
    "Health",
    "MetricsServer",
    "RedactingExporter",
    "configure",
    "configure_logs",
    "start_metrics",
    "tracer_provider",
]


def configure(service: str = config.service) -> None:
    """Set up logs and, where a collector is configured, spans of this process. Call it once, before serving."""
    configure_logs(as_json=config.production)
    structlog.contextvars.bind_contextvars(service=service)
    if config.otel_endpoint:
        provider = tracer_provider(service, OTLPSpanExporter(f"{config.otel_endpoint.rstrip('/')}/v1/traces"))
        trace.set_tracer_provider(provider)
        DjangoInstrumentor().instrument(tracer_provider=provider)
