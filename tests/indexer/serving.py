"""A server that is no Jetstream."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Never completes a handshake.
DRIP = b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"y" * 60_000


@contextmanager
def serving(answer: bytes, *, pause: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """Answers each request so, byte by byte where it pauses; its address, and the requests."""
    requests: list[bytes] = []
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            requests.append(client.recv(65_536))
            step = 1 if pause else max(len(answer), 1)
            for start in range(0, len(answer), step):
                client.sendall(answer[start : start + step])
                if over.wait(pause):
                    return

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                client, _ = server.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.getsockname()[1]}/feed", requests
        finally:
            over.set()
            thread.join()
