"""Opens a connection in a thread, so that the stream's own thread can continue."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

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
