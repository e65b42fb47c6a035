"""Starts a real ClickHouse and a real Valkey for the session before Django reads its settings.

With CLICKHOUSE_ADDRESS or REDIS_ADDRESS set, those servers are used instead (the database is always one of the suite's
own, the Redis database is number 15). Everything lives in a new folder that goes with the session; in memory, where
there is room, because most of the work of emptying a table is that of the file system.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from atsite.core.embedded import EmbeddedStores

DATABASE = "atsite_test"
#: Files in it are in memory; in a container it is often tiny.
MEMORY = Path("/dev/shm")
#: What must be free there; the stores of the quick tests need 20 MB.
ROOM_BYTES = 2_000_000_000
_stores: EmbeddedStores | None = None
_folder: Path | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start what is not given, then tell the settings where everything is.

    With xdist (`-n`) each worker does so, and has stores of its own; the process that hands out the tests has none.
    """
    global _stores, _folder
    _folder = Path(tempfile.mkdtemp(prefix="atsite-tests-", dir=MEMORY if has_room() else None))
    os.environ.update(ATSITE_ENVIRONMENT="test", DATA_DIR=str(_folder), CLICKHOUSE_DATABASE=DATABASE, METRICS_PORT="0")
    for name in ("DATABASE_URL", "SERVICE_ENDPOINT", "WS_URL", "FEED_ACTOR_DID", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        os.environ.pop(name, None)
    if early_config.known_args_namespace.numprocesses and "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["PYTEST_PLUGINS"] = __name__  # a worker reads no addopts
        return
    _stores = EmbeddedStores(
        _folder / "stores",
        database=DATABASE,
        clickhouse="CLICKHOUSE_ADDRESS" not in os.environ,
        valkey="REDIS_ADDRESS" not in os.environ,
    )
    _stores.start()
    if "CLICKHOUSE_ADDRESS" not in os.environ:
        clickhouse = _stores.clickhouse
        os.environ.update(
            CLICKHOUSE_ADDRESS=f"{clickhouse.host}:{clickhouse.tcp_port}",
            CLICKHOUSE_USERNAME=clickhouse.user,
            CLICKHOUSE_PASSWORD=clickhouse.password,
        )
    if "REDIS_ADDRESS" not in os.environ:
        os.environ["REDIS_ADDRESS"] = _stores.valkey.url(15)


def has_room() -> bool:
    """Whether this machine keeps files in memory, and has enough of it."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES


def pytest_unconfigure() -> None:
    """Stop the stores and take their data away."""
    if _stores is not None:
        _stores.stop()
    if _folder is not None:
        shutil.rmtree(_folder, ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything that a test needs is there: a skip would be a test that silently stopped running."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI") or session.exitstatus != pytest.ExitCode.OK:
        return
    if skipped := reporter.stats.get("skipped", []):
        reporter.write_line(f"CI: {len(skipped)} skipped tests count as a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
