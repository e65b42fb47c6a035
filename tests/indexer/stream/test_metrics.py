"""What is told of the stream is true at the moment it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from atsite.core.clock import now_us
from atsite.core.embedded.ports import free_port
from indexer.stream import jetstream as jetstream_module
from tests.indexer import frames
from tests.indexer.frames import SECOND
from tests.indexer.running import running
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import fold, stored
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]


def metric(port: int, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return families[name].samples[0].value


def reasons(port: int) -> tuple[int, list[str]]:
    answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30)
    return answer.status_code, answer.json()["reasons"]


def test_the_lag_grows_while_the_stream_stands_still_and_a_silent_host_is_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jetstream_module, "SILENT_AFTER", 1.0)
    began, port = now_us(), free_port(set())
    stream = [frames.account(frames.did(n), active=True, at=began - (60 - n) * SECOND) for n in range(3)]
    source = MemorySource(stream)
    with simulated_jetstream(source) as jetstream, running(jetstream.url, from_cursor=1, metrics_port=port):
        until(lambda: stored().accounts == fold(stream).accounts, "the events")
        until(lambda: metric(port, "indexer_lag_seconds") < 3600, "the lag of the newest")
        first = metric(port, "indexer_lag_seconds")
        until(lambda: metric(port, "indexer_lag_seconds") >= first + 1, "it grows")
        until(lambda: reasons(port)[0] == 503, "not ready")
        host = jetstream.url.split("/")[2]
        assert reasons(port)[1][0].startswith(f"{host} is connected, but has sent no event since ")
        assert metric(port, "indexer_silent_seconds") > 1

        jetstream.call(source.append, frames.account(frames.did(9), active=True, at=now_us()))
        until(lambda: metric(port, "indexer_lag_seconds") < 50, "the new event's lag")
        until(_is_ready(source, jetstream.call, port), "ready again")


def _is_ready(source: MemorySource, call: Callable[..., object], port: int) -> Callable[[], bool]:
    """Whether it is ready while events come."""

    def ready() -> bool:
        call(source.append, frames.account(frames.did(9), active=True, at=now_us()))
        return reasons(port) == (200, [])

    return ready
