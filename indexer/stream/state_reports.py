"""Reports the state of the stream in Redis, where the overview and the terminal of `up` read it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from atsite.core import kv
from atsite.core.errors import AtsiteError
from atsite.core.kv import quick
from indexer.index.stream_state import Condition, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

KEY: Final = f"{kv.PREFIX}indexer:stream"
REPORT_SECONDS: Final = 1.0
#: An old report still says why the indexer ended.
KEPT_SECONDS: Final = 7 * 86_400


class StateReports:
    """Inside the `with`, a thread reports `state()` every second; the last report says why it ended."""

    def __init__(self, state: Callable[[], StreamState]) -> None:
        self._state = state
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer-state", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._ending.set()
        self._thread.join()
        if error is None:
            reason = "it was told to stop"
        else:
            reason = str(error) if isinstance(error, AtsiteError) else type(error).__name__
        _save(replace(self._state(), condition=Condition.STOPPED, since=time.time(), reason=reason))

    def _run(self) -> None:
        _save(self._state())
        while not self._ending.wait(REPORT_SECONDS):
            _save(self._state())


def _save(state: StreamState) -> None:
    """Without Redis there is no report; the log and /readyz say the same."""
    text = replace(state, at=time.time()).encode()
    try:
        quick.ask(lambda client: client.set(KEY, text, ex=KEPT_SECONDS))
    except quick.RedisAway:
        return


def decoded(data: object) -> StreamState | None:
    """The report that Redis holds under KEY; None for none, or one of another version of the code."""
    try:
        return StreamState.decode(data) if isinstance(data, (bytes, str)) else None
    except ValueError:
        return None
