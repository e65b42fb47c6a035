"""SIGTERM ends the indexer within ten seconds, a second signal at once, whatever hangs: real processes and stores."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.indexer import frames
from tests.indexer.frames import SECOND, T0
from tests.indexer.serving import DRIP, serving
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.synthetic import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.indexer.conftest import IndexerProcess
    from tests.indexer.stores import OwnStores

pytestmark = pytest.mark.slow

#: Ten seconds, and what a busy machine adds to them; without the limit it was 26 to 135 seconds, or never.
AT_MOST = 14.0
STREAM = synthetic(events=300)
LATE = frames.account(frames.did(999), active=True, at=T0 + 999 * SECOND)


@contextmanager
def stopped(pid: int | None) -> Iterator[None]:
    """Inside, the process is there and does nothing."""
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def ended(process: IndexerProcess) -> tuple[int, str]:
    """SIGTERM; its exit code and what it said."""
    process.process.send_signal(signal.SIGTERM)
    output, _ = process.process.communicate(timeout=AT_MOST)
    return process.process.returncode, output


def test_with_clickhouse_stopped_it_ends_and_says_that_the_checkpoint_stays(
    own: OwnStores, processes: Callable[..., IndexerProcess]
) -> None:
    source = MemorySource(STREAM)
    with simulated_jetstream(source) as jetstream:
        process = processes(jetstream.url, "--from", "1", env=own.env)
        process.until(own.accounts_are(STREAM), "it runs")
        with stopped(own.clickhouse.pid):
            jetstream.call(source.append, LATE)
            time.sleep(1.5)  # it is being written
            code, output = ended(process)

        assert code == 1, output
        assert "the checkpoint stays" in output
        process = processes(jetstream.url, env=own.env)
        process.until(own.accounts_are([*STREAM, LATE]), "the next run has what was not written")


def test_with_redis_stopped_what_was_read_is_written_and_it_ends_well(
    own: OwnStores, processes: Callable[..., IndexerProcess]
) -> None:
    source = MemorySource(STREAM)
    with simulated_jetstream(source) as jetstream:
        process = processes(jetstream.url, "--from", "1", env=own.env)
        process.until(own.accounts_are(STREAM), "it runs")
        with stopped(own.valkey.pid):
            jetstream.call(source.append, LATE)
            process.until(own.accounts_are([*STREAM, LATE]), "a flush while Redis hangs")
            code, output = ended(process)

    assert code == 0, output


def test_with_a_handshake_that_never_ends_it_ends_and_batches_go_out_meanwhile(
    own: OwnStores, processes: Callable[..., IndexerProcess]
) -> None:
    with serving(DRIP, pause=1.0) as (url, requests):
        process = processes(url, "--from", "1", env=own.env)
        process.until(lambda: bool(requests), "the handshake is under way")
        code, output = ended(process)

    assert code == 0, output


def test_with_too_little_disk_it_ends(own: OwnStores, processes: Callable[..., IndexerProcess]) -> None:
    with simulated_jetstream(MemorySource(STREAM)) as jetstream:
        process = processes(jetstream.url, "--from", "1", env=own.env | {"MIN_FREE_DISK": str(1 << 60)})
        process.until(lambda: jetstream.server.sent >= len(STREAM), "it reads")
        time.sleep(1.5)  # it waits for the disk
        code, output = ended(process)

    assert code == 1, output
    assert "disk" in output


def test_a_start_that_hangs_ends_as_well(own: OwnStores, processes: Callable[..., IndexerProcess]) -> None:
    with stopped(own.clickhouse.pid):
        process = processes("ws://127.0.0.1:1/", env=own.env)
        time.sleep(4)  # it looks whether the migrations are applied
        assert process.process.poll() is None
        code, output = ended(process)

    assert code == 1, output


def test_a_second_signal_ends_it_at_once(own: OwnStores, processes: Callable[..., IndexerProcess]) -> None:
    source = MemorySource(STREAM)
    with simulated_jetstream(source) as jetstream:
        process = processes(jetstream.url, "--from", "1", env=own.env)
        process.until(own.accounts_are(STREAM), "it runs")
        with stopped(own.clickhouse.pid):
            jetstream.call(source.append, LATE)
            time.sleep(1.5)
            process.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            process.process.send_signal(signal.SIGINT)
            output, _ = process.process.communicate(timeout=AT_MOST)

    assert process.process.returncode == 128 + signal.SIGINT, output
    assert "second signal" in output
