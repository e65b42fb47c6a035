"""Real children by os.fork."""

from __future__ import annotations

import os
import traceback
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def outcomes_of_children(
    count: int, work: Callable[[], None], *, meanwhile: Callable[[], None] | None = None
) -> list[int]:
    """Exit codes of `count` forked children that each did `work`, while this process did `meanwhile`."""
    children = [_child(work) for _ in range(count)]
    if meanwhile is not None:
        meanwhile()
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _child(work: Callable[[], None]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on forking with threads: that is the test
        child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # none of pytest's clean-up in the child
