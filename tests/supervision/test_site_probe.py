"""What `up` asks, of servers that answer with something else."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import config
from atsite.supervision.children import Ports, Site
from atsite.supervision.site_probe import SiteProbe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def server(body: bytes) -> Iterator[int]:
    """The port of a server that answers everything with `body`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield http.server_port
        finally:
            http.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"# TYPE indexer_events_total counter\nindexer_events_total 5.0\n", 5.0),
        (b'{"error": "NotFound"}', None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_metrics_that_are_none_are_not_known(body: bytes, events: float | None, tmp_path: Path) -> None:
    with server(body) as port:
        site = Site("up", tmp_path, "127.0.0.1", Ports(indexer_metrics=port, feedgen=port), {}, simulated=False)
        with closing(SiteProbe(site, config)) as probe:
            assert probe.sample().events == events
            assert probe.feed() is None
