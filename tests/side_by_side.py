"""How tests are shared out to the workers of pytest-xdist: file by file, those that take longest first.

Begun last, a file that takes a minute would run alone at the end. How long each took is remembered from run to run, in
pytest's cache; where that is not known, the number of its tests says it, and whether it starts processes.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

#: Where the seconds of each file are kept.
CACHE_KEY = "atsite/seconds"
#: What is said of a file that was not run before: seconds of a test, and of the start of a process.
SECONDS_OF_A_TEST, SECONDS_OF_A_START = 0.2, 10.0
STARTS = re.compile(r"subprocess|\brunning\(|\bService\(|\b(?:processes|feedgen|search|service): ")
#: Workers often wait for a process that they started, so there is one more of them than of cores.
MORE_WORKERS = 1

_seconds: defaultdict[str, float] = defaultdict(float)


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]
    """Gives a worker that has nothing to do the file that takes longest."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        cache = getattr(config, "cache", None)
        self._known: dict[str, float] = {} if cache is None else cache.get(CACHE_KEY, {})
        self._expected: dict[str, float] = {}

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = max(self.workqueue, key=self._seconds_of)
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)

    def _seconds_of(self, file: str) -> float:
        if file not in self._expected:
            known = self._known.get(file)
            self._expected[file] = self._guess(file) if known is None else known
        return self._expected[file]

    def _guess(self, file: str) -> float:
        path = self.config.rootpath / file
        starts = path.is_file() and STARTS.search(path.read_text(encoding="utf-8"))
        return len(self.workqueue[file]) * SECONDS_OF_A_TEST + (SECONDS_OF_A_START if starts else 0.0)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst | None:
    """For `--dist loadfile` alone."""
    return LongestFirst(config, log) if config.option.dist == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`, before xdist's own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + MORE_WORKERS


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add the time of each phase of a test to that of its file."""
    _seconds[report.nodeid.partition("::")[0]] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remember how long the files took; not if a single process runs them, which is often only a part of a file."""
    cache = getattr(session.config, "cache", None)
    if cache is not None and session.config.option.dist == "loadfile":
        cache.set(CACHE_KEY, cache.get(CACHE_KEY, {}) | {file: round(took, 1) for file, took in _seconds.items()})
