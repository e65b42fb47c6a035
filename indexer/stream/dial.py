"""Opens a connection in a thread, so that the stream's own thread can continue."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

from indexer.stream import websocket

if TYPE_CHECKING:
    from indexer.index.gaps import Resumed

#: Seconds for the TCP connect, the TLS and the websocket handshake together.
CONNECT_TIMEOUT: Final = 10.0


class Dial:
    """One attempt to open `url`, which has `cursor`; `resumed` is passed on after success."""

    def __init__(self, url: str, cursor: int | None, resumed: Resumed | None) -> None:
        self.cursor = cursor
        self.resumed = resumed
        self._lock = threading.Lock()
        self._abandoned = False
        self._connection: websocket.Connection | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._open, args=(url,), name="indexer-dial", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; returns whether the attempt has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> websocket.Connection:
        """The connection, after `wait` returned True. Raises the error of opening it."""
        if self._connection is None:
            raise self._error or OSError("the connection was not opened")
        return self._connection

    def abandon(self) -> None:
        """Close the connection, as soon as there is one."""
        with self._lock:
            self._abandoned = True
            if self._connection is not None:
                self._connection.close()

    def _open(self, url: str) -> None:
        try:
            connection = websocket.connect(url, timeout=CONNECT_TIMEOUT)
        except Exception as error:
            self._error = error
            return
        with self._lock:
            self._connection = connection
            if self._abandoned:
                connection.close()


#: What the operating system says when this machine cannot reach any host, or not this one.
UNREACHABLE: Final = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN))


def reason_of(error: Exception) -> str:
    """Why there is no connection, for people; the host is named beside it."""
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved; check the network of this machine and WS_URL"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses connections"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({getattr(error, 'reason', None) or error})"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, OSError) and error.errno in UNREACHABLE:
        return "this machine cannot reach it; check its network"
    if isinstance(error, InvalidStatus):
        return f"it answers HTTP {error.response.status_code} and opens no websocket"
    if isinstance(error, (ConnectionClosed, EOFError, ConnectionResetError)):
        return "it closed the connection"
    return f"{type(error).__name__}: {error}"[:200]
