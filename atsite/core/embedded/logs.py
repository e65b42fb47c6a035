"""The output files of child processes: rotated at each run and when they grow, quoted when a child ends."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from atsite.core.embedded import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: How many of a child's last lines are quoted when it ends.
QUOTED_LINES = 8
#: A log beyond this size is truncated; its content stays in NAME.log.1 until the next time.
LOG_BYTES = 20_000_000
#: Of a log's end this many characters are read for a quote: a traceback takes some, and is left out.
TAIL_CHARACTERS = 20_000
TRACEBACK = "Traceback (most recent call last):"
#: The sentences between the tracebacks of one error and of its cause.
CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


def start_anew(log: Path) -> None:
    """Begin the log of this run; keep the last run's as NAME.log.1."""
    with suppress(FileNotFoundError):
        log.replace(_older(log))


def shorten(log: Path, limit: int = LOG_BYTES) -> None:
    """Move a log's content to NAME.log.1 if it is larger than `limit` bytes.

    It copies and truncates the file, because the child has it open for appending. What the child writes between the two
    steps is lost.
    """
    try:
        if log.stat().st_size <= limit:
            return
        os.close(files.append_private(_older(log)))
        _older(log).write_bytes(log.read_bytes())
        os.truncate(log, 0)
    except FileNotFoundError:
        return


def last_lines(log: Path, *, start: int = 0, count: int = QUOTED_LINES) -> str:
    """The last lines of a log after byte `start`, indented for a message.

    Of a traceback only the last line is quoted, which names the error.
    """
    start = start if start <= files.size_of(log) else 0  # it was truncated meanwhile
    lines = list(without_tracebacks(files.tail(log, start=start, limit=TAIL_CHARACTERS).splitlines()))
    return "\n".join(f"    | {line}" for line in lines[-count:]) or "    | (nothing)"


def without_tracebacks(lines: Iterable[str]) -> Iterator[str]:
    """`lines` without the call stacks of tracebacks: only the line that names the error is left."""
    inside = False
    for line in lines:
        if line.lstrip(" |+-").startswith(TRACEBACK):
            inside = True
        elif inside and (not line.strip() or line.startswith((" ", "\t"))):
            continue
        elif line.strip() not in CHAINED:
            inside = False
            yield line


def _older(log: Path) -> Path:
    return log.with_name(log.name + ".1")
