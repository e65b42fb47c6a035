"""Telemetry of a process: log lines, spans, metrics, and health.

It never contains a query string, an Authorization header, or a viewer's did: fields that could are removed here, from
all libraries.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
from dataclasses import dataclass
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Status
from prometheus_client import make_wsgi_app

from atsite.core.config import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence

    from opentelemetry.sdk.trace.export import SpanExportResult

#: Log fields that are never written.
SECRET_FIELDS = frozenset(
    {"authorization", "cookie", "password", "passphrase", "secret", "token", "jwt", "viewer", "query_string", "headers"}
)
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

#: The timeout of the metrics server's connections, in seconds.
REQUEST_SECONDS = 10

_QUERY_STRING = re.compile(r"(?<=[\w/])\?[^\s\"'<>]*=[^\s\"'<>]*")
_BEARER = re.compile(r"\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]+", re.IGNORECASE)


log = structlog.get_logger(__name__)


def configure(service: str = config.service) -> None:
    """Set up logs and, where a collector is configured, spans of this process. Call it once, before serving."""
    configure_logs(as_json=config.production)
    structlog.contextvars.bind_contextvars(service=service)
    if config.otel_endpoint:
        provider = tracer_provider(service, OTLPSpanExporter(f"{config.otel_endpoint.rstrip('/')}/v1/traces"))
        trace.set_tracer_provider(provider)
        DjangoInstrumentor().instrument(tracer_provider=provider)


def configure_logs(*, as_json: bool, stream: TextIO | None = None) -> None:
    """Send all logs of structlog and the standard library to `stream`: one JSON object per line, or readable text.

    The default stream is stderr.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # a plain traceback: no local variables
        redact,
    ]
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"structlog": formatter},
            "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "structlog", "stream": stream}},
            "filters": {"brief": {"()": _Brief}},
            "root": {"handlers": ["stream"], "level": "INFO"},
            "loggers": {
                "django": {"handlers": [], "propagate": True},
                # A request for another host, which anyone can send: a line, not a traceback.
                "django.security.DisallowedHost": {"filters": ["brief"]},
                # These log whole addresses, with their query strings, at INFO.
                "httpx": {"level": "WARNING"},
                "httpcore": {"level": "WARNING"},
                # Refused connections, with a traceback; the door raises these, and its callers log them.
                "clickhouse_driver.connection": {"level": "ERROR"},
            },
        }
    )


class _Brief(logging.Filter):
    """Leaves the traceback out."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that removes secret fields, query strings and credentials."""
    for name, value in event.items():
        if name.lower() in SECRET_FIELDS:
            event[name] = "…"
        elif isinstance(value, str):
            event[name] = _BEARER.sub(r"\1 …", _QUERY_STRING.sub("?…", value))
    return event


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


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a process works, and if not, the reasons (without secrets)."""

    ok: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """A running server; `port` is the one it listens on, also if 0 was requested."""

    port: int
    _server: WSGIServer
    _thread: Thread

    def stop(self) -> None:
        """Stop answering; returns when the port is free."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def always_ready() -> Health:
    """The health of a process that is always ready."""
    return Health(ok=True)


def start_metrics(
    port: int, host: str = config.listen_host, health: Callable[[], Health] = always_ready
) -> MetricsServer:
    """Serve `/metrics`, `/healthz` and `/readyz` from a thread. Raises OSError if the port is in use.

    `/healthz` answers 200 while the process runs; `/readyz` answers 200 or 503 with the result of `health`.
    """
    server = make_server(host, port, _application(health), server_class=_Server, handler_class=_Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True)
    thread.start()
    return MetricsServer(server.server_port, server, thread)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Like the parent's, but without a DNS look-up of this host's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: a scrape every few seconds is not of interest."""


def _application(health: Callable[[], Health]) -> Callable[..., Iterable[bytes]]:
    metrics: Callable[..., Iterable[bytes]] = make_wsgi_app()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        if path == "/healthz":
            return _answer(start_response, HTTPStatus.OK, {"ok": True})
        if path == "/readyz":
            state = _asked(health)
            status = HTTPStatus.OK if state.ok else HTTPStatus.SERVICE_UNAVAILABLE
            return _answer(start_response, status, {"ok": state.ok, "reasons": state.reasons})
        return _answer(start_response, HTTPStatus.NOT_FOUND, {"error": "NotFound"})

    return application


def _asked(health: Callable[[], Health]) -> Health:
    try:
        return health()
    except Exception as error:
        log.exception("readyz.failed")
        return Health(ok=False, reasons=(f"the check itself failed: {type(error).__name__}",))


def _answer(start_response: Callable[..., Any], status: HTTPStatus, body: dict[str, object]) -> list[bytes]:
    content = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]
