"""Metrics of a service with several workers: each writes its own into files, and each can read those of all.

prometheus_client does that where PROMETHEUS_MULTIPROC_DIR names a folder (`manage.py run_feedgen --workers`). Counters
and histograms are sums over all workers, also those that have ended; a gauge says how it is merged.
"""

from __future__ import annotations

import os
from functools import partial
from operator import add
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from atsite.core.config import config

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from atsite.core.config import Config


def folder_of(service: Config) -> Path | None:
    """Where the workers of this service write their metrics; None for a single one, and without metrics."""
    if service.workers == 1 or not service.metrics_port:
        return None
    return service.data_dir / "metrics" / f"{service.service}-{service.metrics_port}"


def registry() -> CollectorRegistry:
    """What `/metrics` of this process shows."""
    folder = folder_of(config)
    if folder is None:
        return REGISTRY
    merged = CollectorRegistry(support_collectors_without_names=True)
    merged.register(_Processes(folder))  # first: it drops what only a living worker may report
    MultiProcessCollector(merged, str(folder))  # type: ignore[no-untyped-call]
    return merged


class _Processes(Collector):
    """Memory, CPU and open files of the workers together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        sums: dict[str, Metric] = {}
        for pid in sorted({int(file.stem.rpartition("_")[2]) for file in self._folder.glob("*.db")}):
            if not _lives(pid):
                mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
                continue
            for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                _add(sums, metric)
        return sums.values()


def _add(sums: dict[str, Metric], metric: Metric) -> None:
    held = sums.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
    earlier = {sample.name: sample.value for sample in held.samples}
    # The earliest start: since then the service has been up.
    together = min if metric.name == "process_start_time_seconds" else add
    held.samples = [
        sample._replace(value=together(earlier[sample.name], sample.value)) if sample.name in earlier else sample
        for sample in metric.samples
    ]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
