"""Where the frames come from: a Jetstream v1 host, connected again whatever happens to the connection.

Parameters of /subscribe: https://github.com/bluesky-social/jetstream#consuming-jetstream.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import structlog
from websockets.exceptions import InvalidStatus, WebSocketException

from indexer.index.gaps import SLACK_US, Resumed
from indexer.stream import metrics, websocket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.index.checkpoint import Start
    from indexer.stream.subscription import Wanted

log = structlog.get_logger(__name__)

#: Seconds to wait before a new try: at first, and at most (contracts D4).
BACKOFF_FIRST: Final = 0.25
BACKOFF_MAX: Final = 30.0
#: Seconds for the TCP connect, the TLS and the websocket handshake.
CONNECT_TIMEOUT: Final = 10.0
#: Seconds after which `read` returns with nothing, so that a quiet stream's batches go out on time.
READ_TIMEOUT: Final = 0.2
#: A stream may be quiet; a host that answers no ping is gone. Hosts ping every 30 s themselves.
PING_AFTER: Final = 20.0
DEAD_AFTER: Final = 40.0
#: Answers by which a host says that it does not take what is asked for. So many of them in a row, some two minutes, are
#: no passing fault: then the stream goes on live, and what lies between is a gap.
REFUSALS: Final = frozenset((400, 410, 416))
REFUSALS_MAX: Final = 10
#: A reconnect goes back this far (microseconds): as far as time_us may run back, with room.
RECONNECT_OVERLAP_US: Final = SLACK_US


@dataclass(frozen=True, slots=True)
class Chunk:
    """The frames of one read, in their order. `resumed` is set on the first frames after a connect with a cursor."""

    frames: Sequence[bytes] = ()
    resumed: Resumed | None = None


NOTHING: Final = Chunk()
#: What a connection raises that is lost or cannot be opened. Anything else is a fault of this program and ends it.
LOST: Final = (OSError, EOFError, UnicodeError, WebSocketException)


def subscribe_url(base: str, *, cursor: int | None, collections: Sequence[str] = (), hello: bool = False) -> str:
    """The URL to connect to; with `hello` the host sends nothing until it got an options_update.

    Parameters that `base` has itself are kept. maxMessageSizeBytes stays out on purpose: it drops events silently.
    """
    parts = urlsplit(base)
    pairs = [("wantedCollections", name) for name in collections]
    if hello:
        pairs.append(("requireHello", "true"))
    if cursor is not None:
        pairs.append(("cursor", str(cursor)))
    query = "&".join(part for part in (parts.query, urlencode(pairs, safe=":*")) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


class Backoff:
    """How long to wait before the next try: doubled each time, with jitter, and forgotten after progress. Pure."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next = BACKOFF_FIRST

    def take(self) -> float:
        """Seconds to wait now: between half of the step and all of it, so that clients do not come in step."""
        step, self._next = self._next, min(self._next * 2, BACKOFF_MAX)
        return step * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        self._next = BACKOFF_FIRST


class Jetstream:
    """The frames of one host. `read` never raises on what the network does: it connects again, with growing pauses.

    `wanted` names dids in an options_update: thousands do not fit in a URL, and they change while it is connected.
    """

    def __init__(
        self, url: str, start: Start, *, collections: Sequence[str] = (), wanted: Wanted | None = None
    ) -> None:
        self._url = url
        self._collections = collections
        self._wanted = wanted
        self._resumed = start.resumed
        self._cursor = start.cursor
        self._seen_us = 0
        self._backoff = Backoff()
        self._connection: websocket.Connection | None = None
        self._retry_at = 0.0
        self._heard_at = 0.0
        self._pinged_at = 0.0
        self._announce: Resumed | None = None
        self._refusals = 0

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def read(self) -> Chunk:
        """The next frames; none where none came within READ_TIMEOUT or the host is away."""
        now = time.monotonic()
        if self._connection is None and now < self._retry_at:
            time.sleep(min(self._retry_at - now, READ_TIMEOUT))
            return NOTHING
        try:
            connection = self._connection or self._connect()
            if self._wanted is not None and self._wanted.sent is not self._wanted.current:
                self._ask_for(connection, self._wanted)
            frames = connection.receive(READ_TIMEOUT)
            self._watch_silence(connection, heard=frames is not None)
        except LOST as error:
            self._failed(error)
            return NOTHING
        if not frames:
            return NOTHING
        resumed, self._announce = self._announce, None
        self._refusals = 0
        return Chunk(frames, resumed)

    def seen(self, time_us: int) -> None:
        """Everything up to `time_us` has arrived: a reconnect goes on from there."""
        if time_us > self._seen_us:
            self._seen_us = time_us
            self._backoff.reset()

    def begin_again(self, time_us: int) -> None:
        """The cursor lay ahead of the host: from now on the host's own time counts."""
        self._seen_us = time_us

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> websocket.Connection:
        if self._seen_us:
            self._cursor = max(self._seen_us - RECONNECT_OVERLAP_US, 1)
            self._resumed = Resumed(self._cursor, self._seen_us)
        cursor, resumed = self._cursor, self._resumed
        if self._refusals >= REFUSALS_MAX and resumed is not None:
            cursor, resumed = None, replace(resumed, refused=True)
        hello = self._wanted is not None
        url = subscribe_url(self._url, cursor=cursor, collections=self._collections, hello=hello)
        self._connection = websocket.connect(url, timeout=CONNECT_TIMEOUT)
        if self._wanted is not None:
            self._ask_for(self._connection, self._wanted)
        self._announce = resumed
        self._heard_at = self._pinged_at = time.monotonic()
        metrics.CONNECTIONS.inc()
        log.info("connected", host=host_of(self._url), cursor=cursor)
        return self._connection

    def _ask_for(self, connection: websocket.Connection, wanted: Wanted) -> None:
        """Send the filter as it is now."""
        asked = wanted.current
        connection.send(asked.update(self._collections))
        wanted.sent = asked
        log.info("asked for dids", host=host_of(self._url), dids=len(asked.dids))

    def _watch_silence(self, connection: websocket.Connection, *, heard: bool) -> None:
        now = time.monotonic()
        if heard:
            self._heard_at = now
        elif now - self._heard_at > DEAD_AFTER:
            raise TimeoutError(f"no sign of life for {DEAD_AFTER:g} s")
        elif now - max(self._heard_at, self._pinged_at) > PING_AFTER:
            self._pinged_at = now
            connection.ping()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, InvalidStatus) and error.response.status_code in REFUSALS:
            self._refusals += 1
        delay = self._backoff.take()
        self._retry_at = time.monotonic() + delay
        self.close()
        metrics.RECONNECTS.inc()
        log.warning(
            "connection lost",
            host=host_of(self._url),
            error=f"{type(error).__name__}: {error}"[:200],
            wait_s=round(delay, 2),
        )


def host_of(url: str) -> str:
    """The host by which checkpoints and gaps are told apart, with its port."""
    return urlsplit(url).netloc.rpartition("@")[2]
