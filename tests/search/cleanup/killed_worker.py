"""A worker of its own process that ends itself with SIGKILL at a step, or at a line of the engine; for the tests only.

The environment says which: `KILL_AT` is the name of a step and how often it has been taken then (`intent stored:2`), or
`line:` and the number of lines of the engine that have run. Without it the worker takes its step and says how many
lines that were.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

from atsite.core.config import BASE_DIR
from atsite.core.jobs import runner
from atsite.core.jobs.lease import claim
from search.cleanup.access import sessions
from search.cleanup.engine import backups, final_check, planning_step, repo_changes, run, undo, writing
from search.cleanup.engine.remote_repo import RemoteRepo
from search.cleanup.models import RepoCleanupJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

#: The function of each step, where its caller finds it, and whether the worker dies after it or before.
STEPS: Final[dict[str, tuple[Any, str, bool]]] = {
    "batches added": (planning_step, "add_batches", True),
    "plan stored": (planning_step, "store", True),
    "undo planned": (undo, "add_batches", True),
    "refresh answered": (sessions, "keep_rotated", False),
    "refresh stored": (sessions, "keep_rotated", True),
    "repo downloaded": (RemoteRepo, "_download", True),
    "backup written": (backups, "make", True),
    "backup stored": (repo_changes, "keep_backup", True),
    "compared": (repo_changes, "_settle", True),
    "intent stored": (writing, "keep_intent", True),
    "answered": (writing.Writing, "_written", False),
    "outcome stored": (writing, "keep_outcomes", True),
    "compared at the end": (final_check, "what_is_left", True),
    "ended": (run, "finish", True),
}
#: The exit code where another worker has the job.
NOTHING_TO_DO: Final = 3
_ENGINE: Final = (str(BASE_DIR / "search/cleanup/engine"), str(BASE_DIR / "search/cleanup/access/sessions.py"))


def main() -> None:
    """Take one step of the job `CLEANUP_JOB`."""
    what, _, number = os.environ.get("KILL_AT", "line:0").rpartition(":")
    if what == "line":
        sys.settrace(functools.partial(_traced, lines=_Lines(int(number))))
    else:
        owner, name, is_after = STEPS[what]
        setattr(owner, name, _ending(getattr(owner, name), int(number), is_after))
    lease = claim(RepoCleanupJob.objects.get(pk=os.environ["CLEANUP_JOB"]), early=True)
    if lease is None:
        raise SystemExit(NOTHING_TO_DO)
    runner.run(lease, run.work)
    sys.settrace(None)
    print(_Lines.run)  # noqa: T201


def _ending(function: Callable[..., Any], number: int, is_after: bool) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(function)
    def ending(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and not is_after:
            _die()
        result = function(*args, **kwargs)
        if calls == number:
            _die()
        return result

    return ending


class _Lines:
    """How many lines of the engine have run, and after which the process dies (0: none)."""

    run = 0

    def __init__(self, last: int) -> None:
        self.last = last

    def count(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line":
            _Lines.run += 1
            if _Lines.run == self.last:
                _die()
        return self.count


def _traced(frame: FrameType, event: str, arg: object, *, lines: _Lines) -> Any:
    return lines.count if frame.f_code.co_filename.startswith(_ENGINE) else None


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
