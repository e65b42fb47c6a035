"""Metrics and health of a process over HTTP, for Prometheus and load balancers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import make_wsgi_app

from atsite.core.config import config
from atsite.core.telemetry import worker_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The timeout of the metrics server's connections, in seconds.
REQUEST_SECONDS = 10

log = structlog.get_logger(__name__)


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

    `/healthz` answers 200 while the process runs; `/readyz` answers 200 or 503 with the result of `health`. Workers of
    one service share the port, and each answers with the metrics of all.
    """
    server = make_server(host, port, _application(health), server_class=_Server, handler_class=_Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True)
    thread.start()
    return MetricsServer(server.server_port, server, thread)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    #: Also for a single worker: while it is replaced, the old one and the new one listen.
    allow_reuse_port = config.service in ("feedgen", "search", "admin")

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
    metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(worker_metrics.registry())

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
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", "1"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]
