"""Requests as bytes, for what no HTTP client would send."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

#: How long an answer may take.
SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: the server closed the connection without an answer, as it may on what is no HTTP."""

    status: int
    body: bytes = b""
    content_type: str = ""
    #: Whether it says that the same may succeed in a moment.
    later: bool = False
    #: All headers but the date, in lower case and in order of their names.
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def error(self) -> tuple[int, str]:
        """Status and name of an answer that says no, whose body must have the XRPC form."""
        assert self.content_type.startswith("application/json"), (self.status, self.content_type, self.body[:200])
        said: dict[str, Any] = json.loads(self.body)
        assert sorted(said) == ["error", "message"]
        assert said["message"]
        return self.status, said["error"]


def request(
    target: bytes, *headers: tuple[str, bytes], method: str = "GET", body: bytes = b"", host: bytes | None = b"test"
) -> bytes:
    """A whole request; a body brings its length along, unless the headers say how long it is."""
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    if host is not None:
        lines.append(b"Host: " + host)
    lines += [name.encode() + b": " + value for name, value in headers]
    names = {name.lower() for name, _ in headers}
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body


def ask(port: int, raw: bytes) -> Answer:
    """The answer to `raw`, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        with suppress(ConnectionError):
            connection.sendall(raw)
        return answer_on(connection, method=raw.split(b" ", 1)[0].decode("latin1"))


def answer_on(connection: socket.socket, *, method: str = "GET") -> Answer:
    """The next answer on a connection."""
    response = HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
    except (HTTPException, ConnectionError):
        return Answer(0)
    later = response.status == 503 and "Retry-After" in response.headers
    headers = sorted((name.lower(), value) for name, value in response.getheaders() if name.lower() != "date")
    return Answer(response.status, body, response.headers.get("Content-Type", ""), later, tuple(headers))
