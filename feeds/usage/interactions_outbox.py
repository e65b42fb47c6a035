"""A buffer for interactions on their way to ClickHouse, which handles few large inserts better than many small ones.

A call is answered once its rows are in the buffer; they are written each second. While ClickHouse is down they wait, up
to WAITING_MAX bytes, and for one sender up to an eighth of that; then calls are refused: 503, and 429 for that sender.
Rows are lost if the process is killed, or ends while ClickHouse is down: they are only usage counts.
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import Counter, Gauge

from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import AtsiteError
from atsite.core.periodic_thread import Every
from atsite.core.web.xrpc import XrpcError
from feeds.usage import interactions
from feeds.usage.interactions import KNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feeds.usage.interactions import Interaction

log = structlog.get_logger(__name__)

FLUSH_SECONDS: Final = 1.0
#: Some 25,000 interactions: minutes of a busy feed.
WAITING_MAX: Final = 16_000_000
#: The share of it that one sender may fill.
OF_ONE_SENDER_MAX: Final = WAITING_MAX // 8
#: When a refused sender may try again: rows are written each second, unless ClickHouse is down.
RETRY_SECONDS: Final = "10"
#: Rows of one block, so that an insert stays small beside what the server has.
BLOCK_ROWS: Final = 10_000

#: event: the last part of a known event's name, or "other".
RECEIVED: Final = Counter("feed_interactions", "Interactions that were accepted", ["event"])
LOST: Final = Counter("feed_interactions_lost", "Accepted interactions that ClickHouse refused for good")
WAITING: Final = Gauge(
    "feed_interactions_waiting_bytes", "Accepted interactions that are not written yet", multiprocess_mode="livesum"
)


class OutboxFull(AtsiteError):
    """ClickHouse has been down for long; no more rows are accepted."""


class Outbox:
    """Rows that wait to be written, in order. Thread-safe."""

    def __init__(self, store: Callable[[Sequence[Interaction]], object] = interactions.store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: list[Interaction] = []
        self._bytes = 0
        #: Bytes by sender, for senders with waiting rows.
        self._bytes_of: dict[str, int] = {}
        self._every = Every(FLUSH_SECONDS, self.flush, name="feeds.interactions")

    def check_room(self, sender: str) -> None:
        """Raises OutboxFull, and XrpcError RateLimitExceeded if only the share of `sender` is full.

        Called before a request uses up its token; requests already running still fit in.
        """
        if self._bytes >= WAITING_MAX:
            raise OutboxFull
        if self._bytes_of.get(sender, 0) >= OF_ONE_SENDER_MAX:
            message = "too many interactions from one reader wait to be stored, try again later"
            raise XrpcError("RateLimitExceeded", message, headers={"Retry-After": RETRY_SECONDS})

    def add(self, rows: Sequence[Interaction]) -> None:
        """Add rows to the buffer."""
        with self._lock:
            self._waiting += rows
            self._count(rows, 1)
        for row in rows:
            RECEIVED.labels(event=KNOWN.get(row.event, "other")).inc()
        self._every.start()

    def flush(self) -> None:
        """Write the waiting rows. If ClickHouse is down they keep waiting; rows it rejects are dropped and counted."""
        with self._flushing:
            # The rows of a failed attempt stay first and are sent again as they are: the table knows them by their ids.
            while block := list(islice(self._waiting, BLOCK_ROWS)):
                try:
                    self._store(block)
                except ClickHouseError as error:
                    if error.retryable:
                        log.warning("interactions.waiting", error=type(error).__name__, rows=len(self._waiting))
                        return
                    log.exception("interactions.lost", rows=len(block))
                    LOST.inc(len(block))
                with self._lock:
                    del self._waiting[: len(block)]
                    self._count(block, -1)

    def _count(self, rows: Sequence[Interaction], sign: int) -> None:
        """Count rows that were added (1) or removed (-1)."""
        for row in rows:
            self._bytes += sign * row.bytes
            self._bytes_of[row.sender] = self._bytes_of.get(row.sender, 0) + sign * row.bytes
            if not self._bytes_of[row.sender]:
                del self._bytes_of[row.sender]
        WAITING.set(self._bytes)


#: The outbox of this process.
OUTBOX: Final = Outbox()
