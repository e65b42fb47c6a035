"""Retries dead letters for the command and the admin, with a sink that gives up after a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from atsite.core.config import config
from indexer.stream import dead_letters
from indexer.stream.jetstream import host_of
from indexer.stream.sink import Sink, disk_is_low, sleep_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.stream.dead_letters import Outcome


def retry(*, ids: Sequence[str] = (), reason: str = "", dry_run: bool = False, wait_seconds: float) -> Outcome:
    """Retry all letters, or those with one of `ids`, or those with the reason.

    Waits up to `wait_seconds` for a ClickHouse that does not accept rows. Raises AtsiteError.
    """
    give_up = time.monotonic() + wait_seconds
    sink = Sink(
        host_of(config.ws_url),
        wait=sleep_until(lambda: give_up),
        disk=disk_is_low(config.data_dir, config.min_free_disk),
    )
    return dead_letters.retry(sink, ids=ids, reason=reason, dry_run=dry_run)
