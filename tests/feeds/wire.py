"""A TCP proxy that a test can cut or stop, so that a store is away or hangs without harm to the session's store."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Wire:
    """Passes bytes between its own port and `host:port`. A context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._open = True
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.cut()
        self._flowing.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._server.close()

    def cut(self) -> None:
        """Every connection ends, and new ones end at once."""
        self._open = False
        for connection in list(self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Connections stay and can be made, and not a byte passes any more."""
        self._flowing.clear()

    @property
    def harmed(self) -> bool:
        """Whether it is cut or hangs."""
        return not (self._open and self._flowing.is_set())

    def mend(self) -> None:
        """As at the beginning."""
        self._open = True
        self._flowing.set()

    def _accept(self) -> None:
        while not self._closed:
            near, _ = self._server.accept()
            if not self._open:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                self._flowing.wait()
                sink.sendall(content)
        for connection in (source, sink):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            self._sockets.discard(connection)
