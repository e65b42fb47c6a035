"""What `up` asks, of servers that answer with something else."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Literal

import pytest

from atsite.core import kv
from atsite.core.config import config
from atsite.core.embedded.ports import free_port
from atsite.core.web import probe
from atsite.supervision.addresses import address_table, own_host
from atsite.supervision.children import Ports, Site
from atsite.supervision.site_probe import SiteProbe
from indexer.index.stream_state import Condition, StreamState
from indexer.stream.state_reports import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def server(body: bytes, heard: list[tuple[str | None, str | None]] | None = None) -> Iterator[int]:
    """The port of a server that answers everything with `body`; `heard` gets the host and the probe's header."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if heard is not None:
                heard.append((self.headers["Host"], self.headers[probe.HEADER]))
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


@pytest.mark.parametrize(
    ("environment", "hosts", "host", "curl"),
    [
        (
            *("production", ("feeds.example.com", "admin.internal.example"), "feeds.example.com"),
            "curl -s -H 'Host: feeds.example.com'",
        ),
        ("production", (".example.com",), "example.com", "curl -s -H 'Host: example.com'"),
        ("production", ("feeds.example.com", "*"), "", "curl -s"),
        ("development", ("feeds.example.com",), "", "curl -s"),
    ],
)
def test_the_command_to_try_names_the_host_that_a_production_site_serves(
    tmp_path: Path, environment: Literal["production", "development"], hosts: tuple[str, ...], host: str, curl: str
) -> None:
    site = Site("up", tmp_path, "127.0.0.1", Ports(), {}, simulated=False)
    named = own_host(replace(config, environment=environment, allowed_hosts=hosts))
    table = address_table(site, None, host=named)
    address = "http://127.0.0.1:8094/xrpc/app.bsky.feed.describeFeedGenerator"
    assert named == host
    assert table.splitlines()[-1] == f"  Try:  {curl} '{address}'"


def test_it_proves_itself_and_names_the_host_that_a_production_site_serves(tmp_path: Path) -> None:
    heard: list[tuple[str | None, str | None]] = []
    uri = "at://did:plc:x/app.bsky.feed.generator/whats-hot"
    public = replace(config, environment="production", allowed_hosts=("feeds.example.com",))
    with server(b'{"feed": [{}, {}]}', heard) as port:
        site = Site("up", tmp_path, "127.0.0.1", Ports(feedgen=port), {}, simulated=False)
        for each in (config, public):
            with closing(SiteProbe(site, each)) as asking:
                assert asking.page_length(uri) == 2
    assert heard == [(f"127.0.0.1:{port}", probe.proof()), ("feeds.example.com", probe.proof())]


def test_it_reads_what_the_indexer_says_of_its_connection(tmp_path: Path, valkey: object) -> None:
    state = StreamState("jetstream.example", Condition.LOST, since=0.0, reason="it refuses connections", at=time.time())
    site = Site("up", tmp_path, "127.0.0.1", Ports(indexer_metrics=free_port()), {}, simulated=False)
    with closing(SiteProbe(site, config)) as asking:
        kv.client().set(KEY, state.encode())
        sample = asking.sample()
        kv.client().delete(KEY)
        assert (sample.stream, asking.sample().problem) == (state, "")
    assert sample.problem == "no connection to jetstream.example since 1970-01-01 00:00 UTC: it refuses connections"
