"""What the workers of one service say of their processes together."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import ProcessCollector

from atsite.core.telemetry.worker_metrics import _Processes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prometheus_client.metrics_core import Metric

#: Beyond the largest id that Linux gives to a process.
DEAD = 2**22 + 1


def values(metrics: Iterable[Metric]) -> dict[str, float]:
    return {sample.name: sample.value for metric in metrics for sample in metric.samples}


def of_one(pid: int) -> dict[str, float]:
    return values(ProcessCollector(pid=partial(int, pid), registry=None).collect())


def test_living_workers_are_added_up_and_dead_ones_take_what_only_the_living_may_report(tmp_path: Path) -> None:
    living = (os.getpid(), os.getppid())
    for pid in (*living, DEAD):
        for kind in ("counter", "gauge_liveall"):
            (tmp_path / f"{kind}_{pid}.db").touch()

    together = values(_Processes(tmp_path).collect())

    one, other = map(of_one, living)
    assert set(together) == set(one)
    assert together["process_max_fds"] == one["process_max_fds"] + other["process_max_fds"]
    assert together["process_start_time_seconds"] == min(
        one["process_start_time_seconds"], other["process_start_time_seconds"]
    )
    assert together["process_virtual_memory_bytes"] > one["process_virtual_memory_bytes"]
    kept = {(kind, pid) for kind in ("counter", "gauge_liveall") for pid in living} | {("counter", DEAD)}
    assert {path.name for path in tmp_path.iterdir()} == {f"{kind}_{pid}.db" for kind, pid in kept}


def test_without_a_worker_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(_Processes(tmp_path).collect()) == []
