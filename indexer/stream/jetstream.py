"""The client of a Jetstream v1 host, which reconnects after any error of the connection.

Each connection is opened in its own thread, so that batches are sent even while a handshake takes long.

Parameters of /subscribe: https://github.com/bluesky-social/jetstream#consuming-jetstream.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import structlog
from websockets.exceptions import InvalidStatus, WebSocketException

from atsite.core.errors import AtsiteError
from indexer.index.gaps import SLACK_US, Resumed
from indexer.index.stream_state import Condition, StreamState
from indexer.stream import metrics
from indexer.stream.backoff import Backoff
from indexer.stream.dial import Dial, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.checkpoint import Start
    from indexer.stream import websocket
    from indexer.stream.subscription import Wanted

log = structlog.get_logger(__name__)

#: The timeout for sending an options_update (10,000 dids are 0.4 MB).
SEND_TIMEOUT: Final = 5.0
#: Seconds after which `read` returns with nothing, so that a quiet stream's batches go out on time.
READ_TIMEOUT: Final = 0.2
#: A stream may be quiet, but a host that does not answer pings is gone. Hosts ping every 30 s themselves.
PING_AFTER: Final = 20.0
DEAD_AFTER: Final = 40.0
#: Warn about a host that sends no event for this long, even if it answers pings: the network has hundreds a second.
SILENT_AFTER: Final = 60.0
#: Any HTTP 4xx is a refusal, except those that mean "later". After this many in a row, about two minutes, the stream is
#: requested without the cursor; if that works, the events in between are a gap.
LATER: Final = frozenset((408, 425, 429))
REFUSALS_MAX: Final = 10
#: Answers of a server without a Jetstream at this address: a page, a redirect, not found, not allowed. A host that has
#: streamed before may answer so for a while; otherwise WS_URL is wrong, which is reported after this many in a row.
NO_STREAM: Final = frozenset((*range(200, 400), 401, 403, 404, 405, 426))
NO_STREAM_MAX: Final = 5
#: A reconnect goes back this far (microseconds): as far as time_us may run back, with room.
RECONNECT_OVERLAP_US: Final = SLACK_US


class NoStream(AtsiteError):
    """The server at WS_URL answers, but there is no Jetstream."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The frames of one read, in their order. `resumed` is set on the first frames after a connect with a cursor."""

    frames: Sequence[bytes] = ()
    resumed: Resumed | None = None


NOTHING: Final = Chunk()
#: Errors of a lost or refused connection. Any other error is a bug and ends the program.
LOST: Final = (OSError, EOFError, UnicodeError, WebSocketException)


def subscribe_url(base: str, *, cursor: int | None, collections: Sequence[str], hello: bool) -> str:
    """The URL to connect to; with `hello` the host sends nothing until it gets an options_update.

    Keeps the parameters of `base`. Leaves out maxMessageSizeBytes on purpose: it drops events silently.
    """
    parts = urlsplit(base)
    pairs = [("wantedCollections", name) for name in collections]
    if hello:
        pairs.append(("requireHello", "true"))
    if cursor is not None:
        pairs.append(("cursor", str(cursor)))
    query = "&".join(part for part in (parts.query, urlencode(pairs, safe=":*")) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


class Jetstream:
    """The frames of one host. After any network error `read` reconnects, with growing pauses.

    `wanted` names dids in an options_update: thousands do not fit in a URL, and they change while it is connected.
    `filtered`: the host is asked for only a part of the network, so silence is normal.
    """

    def __init__(
        self,
        url: str,
        start: Start,
        *,
        collections: Sequence[str] = (),
        wanted: Wanted | None = None,
        filtered: bool = False,
    ) -> None:
        self._url = url
        self._collections = collections
        self._wanted = wanted
        self._filtered = filtered
        self._resumed = start.resumed
        self._cursor = start.cursor
        self._seen_us = 0
        self._plausible_us = 0
        self._backoff = Backoff()
        self._dial: Dial | None = None
        self._connection: websocket.Connection | None = None
        self._retry_at = 0.0
        self._heard_at = 0.0
        self._pinged_at = 0.0
        self._event_at = 0.0
        self._told_silence = False
        self._announce: Resumed | None = None
        self._refusals = 0
        self._no_streams = 0
        self._was_connected = False
        #: Since when (unix seconds) and why there is no connection.
        self._lost_at = time.time()
        self._lost_for = ""

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def silent_for(self) -> float:
        """Seconds since the last event, or since the connection was opened; 0 without one."""
        return time.monotonic() - self._event_at if self.connected else 0.0

    @property
    def is_silent(self) -> bool:
        """Whether the connected host sends no events, though it should."""
        return not self._filtered and self.silent_for() > SILENT_AFTER

    def state(self) -> StreamState:
        """The connection now. Called from another thread."""
        host = host_of(self._url)
        if self.connected:
            silent = self.silent_for()
            without = Condition.QUIET if self._filtered else Condition.SILENT
            condition = without if silent > SILENT_AFTER else Condition.STREAMING
            return StreamState(host, condition, since=time.time() - silent, filtered=self._filtered)
        condition = Condition.LOST if self._lost_for else Condition.CONNECTING
        return StreamState(host, condition, since=self._lost_at, reason=self._lost_for, filtered=self._filtered)

    def read(self) -> Chunk:
        """The next frames; none if none came within READ_TIMEOUT or the host is unavailable. Raises NoStream."""
        now = time.monotonic()
        if self._connection is None and self._dial is None and now < self._retry_at:
            time.sleep(min(self._retry_at - now, READ_TIMEOUT))
            return NOTHING
        try:
            connection = self._connection or self._connect()
            if connection is None:
                return NOTHING
            if self._wanted is not None and self._wanted.sent is not self._wanted.current:
                self._ask_for(connection, self._wanted)
            frames = connection.receive(READ_TIMEOUT)
            self._watch_silence(connection, heard=frames is not None, events=bool(frames))
        except LOST as error:
            self._failed(error)
            return NOTHING
        if not frames:
            return NOTHING
        resumed, self._announce = self._announce, None
        self._refusals = 0
        return Chunk(frames, resumed)

    def seen(self, position_us: int, plausible_us: int = 0) -> None:
        """Set the position up to which everything has arrived: a reconnect resumes there.

        `plausible_us`: the same by the local clock, if that is less (indexer.stream.position).
        """
        if position_us != self._seen_us:
            self._seen_us = position_us
            self._backoff.reset()
        self._plausible_us = plausible_us if 0 < plausible_us < position_us else 0

    def close(self) -> None:
        if self._dial is not None:
            self._dial.abandon()
            self._dial = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> websocket.Connection | None:
        """The open connection; None while it is being opened. Raises the error of opening it."""
        if self._dial is None:
            self._dial = self._begin_dial()
        if not self._dial.wait(READ_TIMEOUT):
            return None
        dial, self._dial = self._dial, None
        self._connection = dial.result()
        self._announce = dial.resumed
        self._was_connected, self._no_streams = True, 0
        self._heard_at = self._pinged_at = self._event_at = time.monotonic()
        if self._wanted is not None:
            self._ask_for(self._connection, self._wanted)
        metrics.CONNECTIONS.inc()
        log.info("connected", host=host_of(self._url), cursor=dial.cursor)
        return self._connection

    def _begin_dial(self) -> Dial:
        if self._seen_us:
            self._cursor = max(self._seen_us - RECONNECT_OVERLAP_US, 1)
            self._resumed = Resumed(self._cursor, self._seen_us, plausible_us=self._plausible_us)
        cursor, resumed = self._cursor, self._resumed
        if self._refusals >= REFUSALS_MAX and resumed is not None:
            cursor, resumed = None, replace(resumed, refused=True)
        hello = self._wanted is not None
        url = subscribe_url(self._url, cursor=cursor, collections=self._collections, hello=hello)
        return Dial(url, cursor, resumed)

    def _ask_for(self, connection: websocket.Connection, wanted: Wanted) -> None:
        """Send the current filter."""
        asked = wanted.current
        connection.send(asked.update(self._collections), timeout=SEND_TIMEOUT)
        wanted.sent = asked
        log.info("asked for dids", host=host_of(self._url), dids=len(asked.dids))

    def _watch_silence(self, connection: websocket.Connection, *, heard: bool, events: bool) -> None:
        now = time.monotonic()
        if events:
            self._event_at = now
        if events and self._told_silence:
            self._told_silence = False
            log.info("the host sends events again", host=host_of(self._url))
        elif self.is_silent and not self._told_silence:
            self._told_silence = True
            log.warning("the host answers and sends no events", host=host_of(self._url), for_s=SILENT_AFTER)
        if heard:
            self._heard_at = now
            self._lost_for = ""  # not as soon as it is open: some hosts then close it at once
        elif now - self._heard_at > DEAD_AFTER:
            raise TimeoutError(f"the host did not answer for {DEAD_AFTER:g} s")
        elif now - max(self._heard_at, self._pinged_at) > PING_AFTER:
            self._pinged_at = now
            connection.ping()

    def _failed(self, error: Exception) -> None:
        """Close, and set the pause before the next attempt. Raises NoStream if another attempt is of no use."""
        self.close()
        if not self._lost_for:
            self._lost_at = time.time()
        self._lost_for = reason_of(error)
        if isinstance(error, InvalidStatus):
            self._refused_with(error.response.status_code)
        delay = self._backoff.take()
        self._retry_at = time.monotonic() + delay
        metrics.RECONNECTS.inc()
        log.warning(
            "connection lost",
            host=host_of(self._url),
            error=f"{type(error).__name__}: {error}"[:200],
            wait_s=round(delay, 2),
        )

    def _refused_with(self, status: int) -> None:
        """Count the refusal. Raises NoStream if the host has never streamed and there is no hope that it will."""
        if 400 <= status < 500 and status not in LATER:
            self._refusals += 1
        self._no_streams = self._no_streams + 1 if status in NO_STREAM else 0
        at_all = self._refusals > REFUSALS_MAX  # without the cursor, too: then it was never the cursor's fault
        if at_all:
            self._refusals = 0
        if (at_all or self._no_streams >= NO_STREAM_MAX) and not self._was_connected:
            raise NoStream(
                f"WS_URL: {host_of(self._url)}{urlsplit(self._url).path} answers HTTP {status} and opens no websocket."
                " Expected the address of a Jetstream v1 host, such as wss://jetstream2.us-east.bsky.network/subscribe."
                " A host also refuses values of WANTED_COLLECTIONS that it does not support"
            )


def host_of(url: str) -> str:
    """The host and port, which identify the stream in checkpoints and gaps."""
    return urlsplit(url).netloc.rpartition("@")[2]
