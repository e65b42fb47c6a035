"""The services as people run them: `manage.py run_…`, real HTTP, a signal at the end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Self

import pytest

from atsite.core.config import BASE_DIR, config
from atsite.core.embedded.ports import free_port
from tests.core.embedded.probes import DEADLINE_SECONDS, processes_naming
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("django_db_setup")

#: A page of each service that needs no data.
PAGES = {"feedgen": "/.well-known/did.json", "search": "/stats", "admin": "/admin/login/"}


class Service:
    """A running `manage.py run_NAME` on free ports; killed at the end of the `with` in any case."""

    def __init__(self, name: str, log: Path, **environment: str) -> None:
        self.port = free_port()
        self.metrics_port = free_port({self.port})
        self._log = log.open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", f"run_{name}", "--port", str(self.port)],
            cwd=BASE_DIR,
            env={
                **os.environ,
                "METRICS_PORT": str(self.metrics_port),
                "SERVICE_ENDPOINT": "https://feeds.example",
                "FEED_ACTOR_DID": "did:web:feeds.example",
                **environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def get(self, path: str, *, metrics: bool = False) -> tuple[int, str]:
        """Status and body; 0 and the reason while nobody listens."""
        port = self.metrics_port if metrics else self.port
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def wait_until_up(self) -> None:
        until(lambda: self.process.poll() is not None or self.get("/")[0] != 0)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        """What it wrote so far."""
        self._log.seek(0)
        return self._log.read()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(DEADLINE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._log.close()


@pytest.mark.parametrize("name", list(PAGES))
def test_a_service_answers_its_own_pages_tells_its_numbers_and_ends_with_the_signal(name: str, tmp_path: Path) -> None:
    with Service(name, tmp_path / "log") as service:
        service.wait_until_up()
        assert {page: service.get(page)[0] for page in PAGES.values()} == {
            page: 200 if owner == name else 404 for owner, page in PAGES.items()
        }
        status, metrics = service.get("/metrics", metrics=True)
        assert (status, "process_resident_memory_bytes" in metrics) == (200, True)
        assert service.get("/healthz", metrics=True)[0] == 200
        if name == "admin":
            assert re.search(r"<title>\s*Log in \| atsite\s*</title>", service.get("/")[1])
            assert ".at-card" in service.get("/static/atsite/admin.css")[1]
        port = str(service.port)
        assert service.stop() == 0
        assert "UserWarning" not in service.said()
        assert "Traceback" not in service.said()
        assert processes_naming(f"--port {port}") == []


def test_a_service_whose_databases_were_not_migrated_says_what_to_do(tmp_path: Path) -> None:
    with Service("admin", tmp_path / "log", DATA_DIR=str(tmp_path)) as service:
        assert service.process.wait(DEADLINE_SECONDS) == 1
        assert service.said().startswith("CommandError: migrations are not applied (default: ")
        assert service.said().endswith("run `./just migrate-up` (`./just up` also applies them)\n")


def test_a_service_without_its_database_says_so(tmp_path: Path) -> None:
    with Service("search", tmp_path / "log", CLICKHOUSE_ADDRESS=f"127.0.0.1:{free_port()}") as service:
        assert service.process.wait(DEADLINE_SECONDS) == 1
        assert service.said().startswith("CommandError: a database does not answer: ")
        assert config.clickhouse_password not in service.said()


def test_a_metrics_port_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with Service("search", tmp_path / "log", METRICS_PORT=str(port)) as service:
            assert service.process.wait(DEADLINE_SECONDS) != 0
            assert f"metrics port {port}: Address already in use" in service.said()


def test_a_feed_generator_without_a_name_refuses_to_start(tmp_path: Path) -> None:
    with Service("feedgen", tmp_path / "log", FEED_ACTOR_DID="") as service:
        assert service.process.wait(DEADLINE_SECONDS) == 1
        assert "FEED_ACTOR_DID is missing: the feeds have no publisher." in service.said()
