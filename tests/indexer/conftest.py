"""Running the indexer against the session's real stores."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import BASE_DIR, config
from indexer.stream import service
from indexer.stream.batch import Limits
from tests.indexer.stores import own_stores
from tests.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from atsite.core.config import Config
    from tests.indexer.stores import OwnStores

#: Small enough that a few hundred events make several batches.
SMALL = Limits(rows=250, bytes=1_000_000, age=0.1)
#: How long anything may take that a busy machine does in a second.
PATIENCE = PATIENCE_SECONDS


def configured(url: str, **changes: object) -> Config:
    """The session's configuration, reading from `url`, with other changes."""
    quiet: dict[str, object] = {"ws_url": url, "min_free_disk": 0, "metrics_port": 0}
    return dataclasses.replace(config, **(quiet | changes))  # type: ignore[arg-type]


def index(url: str, *, events: int, from_cursor: int | None = 1, limits: Limits = SMALL, **changes: object) -> int:
    """Index that many events in this process, with a final flush."""
    options = service.Options(from_cursor=from_cursor, max_events=events, limits=limits)
    return service.run(configured(url, **changes), options, service.Stop()).events


class IndexerProcess:
    """`manage.py run_indexer` as a process of its own."""

    def __init__(self, url: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        environment = os.environ | {"WS_URL": url, "MIN_FREE_DISK": "0", "METRICS_PORT": "0"} | dict(env or {})
        self.process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "run_indexer", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for `condition` while this process runs; fail with what it said when it does not come."""

        def met() -> bool:
            assert self.process.poll() is None, f"the indexer ended before {what}: {self.wait()}"
            return condition()

        try:
            until(met, what)
        except AssertionError as error:
            error.add_note(self.terminate()[1])
            raise

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=PATIENCE)

    def terminate(self) -> tuple[int, str]:
        """SIGTERM; the exit code and everything it said."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output


@pytest.fixture
def processes() -> Iterator[Callable[..., IndexerProcess]]:
    """Starts indexers; what still runs at the test's end is killed."""
    started: list[IndexerProcess] = []

    def start(url: str, *arguments: str, env: Mapping[str, str] | None = None) -> IndexerProcess:
        started.append(IndexerProcess(url, *arguments, env=env))
        return started[-1]

    yield start
    for process in started:
        if process.process.stdout is not None and not process.process.stdout.closed:
            process.kill()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnStores]:
    """Stores of this test alone."""
    with own_stores(tmp_path) as stores:
        yield stores
