"""A feed generator as it runs, in a process of its own, its stores behind wires.

With one worker it is the server that `manage.py run_feedgen` becomes; the command's checks take as long as its start
(tests/test_services.py).
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from atsite.core.config import BASE_DIR, config
from atsite.core.copies.process_copies import COUNTER_SECONDS
from atsite.supervision.serving import granian
from feeds.ranking import liveness
from feeds.serving.ready_pages import READY_SECONDS
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.wire import Wire
from tests.steps import steps
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 60
#: How long a reader comes again when told to, and how long it waits for an answer.
PATIENT_SECONDS = 60
FEED = f"at://{PUBLISHER}/app.bsky.feed.generator/whats-hot"
SKELETON = "/xrpc/app.bsky.feed.getFeedSkeleton"


@dataclass
class Service:
    """A running feed generator."""

    http: httpx.Client
    process: subprocess.Popen[bytes]
    metrics_port: int
    clickhouse: Wire
    redis: Wire
    log: Path
    patient: Patient

    def skeleton(self, **params: str | int) -> httpx.Response:
        return self.http.get(SKELETON, params={"feed": FEED, **params})

    def page(self, **params: str | int) -> tuple[list[str], str | None]:
        """The posts and the cursor of a page that must be one."""
        response = self.skeleton(**params)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return [entry["post"] for entry in body["feed"]], body.get("cursor")

    def wait_for_new_pages(self) -> None:
        """Return when nothing that was made for an earlier test is kept: for that long there was no request."""
        kept = max(READY_SECONDS, liveness.SECONDS, COUNTER_SECONDS)
        until(lambda: monotonic() > self.patient.answered_at + kept)

    def walk(self, limit: int) -> list[str]:
        uris, cursor = self.page(limit=limit)
        for _ in steps():
            if cursor is None:
                break
            more, cursor = self.page(limit=limit, cursor=cursor)
            uris += more
        return uris

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=PATIENT_SECONDS).text

    def unverifiable(self) -> float:
        """How many tokens came so far whose key could not be had in time."""
        found = re.search(r'^service_tokens_total\{outcome="unverifiable"\} (\S+)', self.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0


class Patient(httpx.HTTPTransport):
    """Comes again when told to come later (503 with Retry-After), as long as no store is harmed.

    The service gives a page 2 s and Redis half a second, which a machine with other work may take although both stores
    are well: then the answer is right, and not the one that a test is about.
    """

    def __init__(self, *wires: Wire) -> None:
        super().__init__()
        self._wires = wires
        #: When the last request was answered (monotonic).
        self.answered_at = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)

        def is_answered() -> bool:
            nonlocal response
            later = response.status_code == 503 and "Retry-After" in response.headers
            harmed = any(wire.harmed for wire in self._wires)
            once = not isinstance(request.stream, httpx.ByteStream)
            if not later or harmed or once:
                return True
            response.close()
            response = super(Patient, self).handle_request(request)
            return False

        until(is_answered, "an answer other than 503", seconds=PATIENT_SECONDS)
        self.answered_at = monotonic()
        return response


@contextmanager
def running(folder: Path, *, application: str = "", workers: str = "1", **variables: str) -> Iterator[Service]:
    """A feed generator on free ports, over wires to the session's stores; `variables` are its environment's.

    `application` names another ASGI application than the project's.
    """
    redis_address = urlsplit(config.redis_url)
    clickhouse_host, _, clickhouse_port = config.clickhouse_address.rpartition(":")
    port, metrics_port = _free_port(), _free_port()
    with (
        Wire(clickhouse_host, int(clickhouse_port)) as clickhouse,
        Wire(str(redis_address.hostname), int(redis_address.port or 6379)) as redis_wire,
        (folder / "feedgen.log").open("wb") as log,
    ):
        environment = {
            **os.environ,
            "ATSITE_SERVICE": "feedgen",
            "METRICS_PORT": str(metrics_port),
            "CLICKHOUSE_ADDRESS": f"127.0.0.1:{clickhouse.port}",
            "REDIS_ADDRESS": redis_address._replace(
                netloc=f":{redis_address.password}@127.0.0.1:{redis_wire.port}"
            ).geturl(),
            "SERVICE_ENDPOINT": "https://feeds.example.com",
            "FEED_ACTOR_DID": PUBLISHER,
            "FEED_MIN_LIKES": "2",
            "PLC_URL": "http://127.0.0.1:1",
            **variables,
        }
        command = [*granian("feedgen", host="127.0.0.1", port=port)]
        if application:
            command[-1] = application
        if workers != "1":  # whose numbers are added up, for which the command makes a folder
            command = [sys.executable, str(BASE_DIR / "manage.py"), "run_feedgen", "--port", str(port)]
            command += ["--workers", workers]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            patient = Patient(clickhouse, redis_wire)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENT_SECONDS, transport=patient) as http:
                _await_start(process, http, folder / "feedgen.log")
                yield Service(http, process, metrics_port, clickhouse, redis_wire, folder / "feedgen.log", patient)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_start(process: subprocess.Popen[bytes], http: httpx.Client, log: Path) -> None:
    def is_well() -> bool:
        assert process.poll() is None, f"the feed generator ended:\n{log.read_text()}"
        with suppress(httpx.TransportError):
            return http.get("/xrpc/_health").status_code == 200
        return False

    until(is_well, lambda: f"the feed generator starts:\n{log.read_text()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
