"""Logs, spans and the metrics server, looked at from outside."""

from __future__ import annotations

import json
import logging
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import Counter

from atsite.core import telemetry
from atsite.core.telemetry import Health, RedactingExporter, start_metrics, tracer_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

VIEWER = "did:plc:viewer"

SEEN = Counter("test_telemetry_seen", "Counts for one test")


def answer(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name)


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"no page for {VIEWER}")


urlpatterns = [path("xrpc/broken", broken), path("xrpc/<str:name>", answer)]


@pytest.fixture
def logs() -> Iterator[None]:
    """Give the suite its own logging back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    django = logging.getLogger("django")
    django_handlers = django.handlers[:]
    yield
    root.handlers[:], django.handlers[:] = handlers, django_handlers
    root.setLevel(level)
    for name in ("httpx", "httpcore", "clickhouse_driver.connection"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.mark.usefixtures("logs")
def test_a_line_of_the_log_is_json_without_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logs(as_json=True)
    structlog.get_logger("feeds").info(
        "page.served", path=f"/xrpc/getFeedSkeleton?feed=x&viewer={VIEWER}", Authorization=f"Bearer {VIEWER}", rows=3
    )
    line = json.loads(capfd.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "page.served",
        "path": "/xrpc/getFeedSkeleton?…",
        "Authorization": "…",
        "rows": 3,
        "level": "info",
        "logger": "feeds",
    }


@pytest.mark.usefixtures("logs")
def test_lines_of_other_libraries_take_the_same_form(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logs(as_json=True)
    logging.getLogger("granian").warning("GET /x?viewer=%s with Bearer abc.def", VIEWER)
    logging.getLogger("httpx").info("GET https://plc.test/%s", VIEWER)
    (text,) = capfd.readouterr().err.splitlines()
    line = json.loads(text)
    assert (line["event"], line["logger"], line["level"]) == ("GET /x?… with Bearer …", "granian", "warning")


@pytest.mark.usefixtures("logs")
def test_a_traceback_in_the_log_shows_no_local_variables(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logs(as_json=False)
    password = "hunter2hunter2"
    try:
        int(f"{len(password)} is no number")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    text = capfd.readouterr().err
    assert "ValueError" in text
    assert password not in text


@pytest.mark.usefixtures("logs")
@pytest.mark.urls("tests.core.test_telemetry")
@override_settings(ALLOWED_HOSTS=["feeds.example.com"], MIDDLEWARE=["atsite.core.web.framing.Framing"])
def test_a_request_for_another_host_is_one_line_in_the_log(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logs(as_json=True)
    assert client.get("/xrpc/a", headers={"host": "evil.example"}).status_code == 400
    said = json.loads(capfd.readouterr().err.splitlines()[0])
    assert (said["level"], "exception" in said) == ("error", False)
    assert "evil.example" in said["event"]


@pytest.mark.urls("tests.core.test_telemetry")
def test_spans_of_requests_carry_the_route_and_never_the_query_string(client: Client) -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(RedactingExporter(memory)))
    DjangoInstrumentor().instrument(tracer_provider=provider)
    try:
        client.get(f"/xrpc/getFeed?viewer={VIEWER}", headers={"authorization": f"Bearer {VIEWER}"})
        client.raise_request_exception = False
        client.get("/xrpc/broken")
    finally:
        DjangoInstrumentor().uninstrument()
    served, failed = memory.get_finished_spans()
    assert (served.attributes or {})["http.route"] == "xrpc/<str:name>"
    assert VIEWER not in served.to_json()
    assert [event.name for event in failed.events] == ["exception"]
    assert [dict(event.attributes or {}) for event in failed.events] == [{"exception.type": "ValueError"}]
    assert VIEWER not in failed.to_json()


class _Collector(BaseHTTPRequestHandler):
    received: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        self.received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


def test_spans_reach_a_collector_over_http() -> None:
    with HTTPServer(("127.0.0.1", 0), _Collector) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        provider = tracer_provider(
            "feedgen", OTLPSpanExporter(f"http://127.0.0.1:{server.server_port}/v1/traces", timeout=5)
        )
        with provider.get_tracer("test").start_as_current_span("clickhouse.query") as span:
            span.set_attributes({"url.query": VIEWER, "db.query.summary": "feeds.page"})
        provider.shutdown()
        server.shutdown()
        thread.join()
    ((address, body),) = _Collector.received
    assert address == "/v1/traces"
    assert b"atsite-feedgen" in body
    assert b"feeds.page" in body
    assert VIEWER.encode() not in body


def test_metrics_and_health_are_served_until_it_is_stopped() -> None:
    state = Health(ok=False, reasons=("ClickHouse is away",))
    server = start_metrics(0, "127.0.0.1", lambda: state)
    base = f"http://127.0.0.1:{server.port}"
    SEEN.inc()
    assert "test_telemetry_seen_total 1.0" in httpx.get(f"{base}/metrics", timeout=30).text
    assert (
        httpx.get(f"{base}/healthz", timeout=30).status_code,
        httpx.get(f"{base}/other", timeout=30).status_code,
    ) == (200, 404)
    waiting = httpx.get(f"{base}/readyz", timeout=30)
    assert (waiting.status_code, waiting.json()) == (503, {"ok": False, "reasons": ["ClickHouse is away"]})
    state = Health(ok=True)
    assert waiting.headers["Retry-After"] == "1"
    ready = httpx.get(f"{base}/readyz", timeout=30)
    assert (ready.status_code, ready.json()) == (200, {"ok": True, "reasons": []})
    server.stop()
    start_metrics(server.port, "127.0.0.1").stop()  # the port is free again


def test_a_check_that_fails_is_not_ready_and_says_what_failed() -> None:
    def check() -> Health:
        raise LookupError(f"secret {VIEWER}")

    server = start_metrics(0, "127.0.0.1", check)
    answered = httpx.get(f"http://127.0.0.1:{server.port}/readyz", timeout=30)
    server.stop()
    assert (answered.status_code, answered.json()) == (
        503,
        {"ok": False, "reasons": ["the check itself failed: LookupError"]},
    )


def test_a_taken_port_is_an_error_at_the_start() -> None:
    server = start_metrics(0, "127.0.0.1")
    with pytest.raises(OSError, match="Address already in use"):
        start_metrics(server.port, "127.0.0.1")
    server.stop()
