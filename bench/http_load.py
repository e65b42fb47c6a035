"""A load generator: sends HTTP/1.1 requests to a server as fast as it answers, for some seconds, in its own process.

    python -m bench.http_load < job

Why not a client library, or wrk: httpx takes about a millisecond of CPU per request, as much as the measured server,
and the two commands of the README do not install wrk. This module writes prepared bytes to keep-alive connections and
parses only the status and the Content-Length: about 30 µs per request.

The job is a line of JSON: {"port", "connections", "warm_seconds", "seconds", "requests": [text of a request, …]}, which
are sent in turn. The answer is also a line of JSON: {"requests", "seconds", "p50_ms", "p99_ms", "statuses": {status:
number}, "cpu_seconds"}; the warm-up is not counted.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass
class Measured:
    """The counts between `begins` and `ends` (perf_counter)."""

    begins: float
    ends: float
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def note(self, began: float, ended: float, status: str) -> None:
        if began >= self.begins and ended <= self.ends:
            self.milliseconds.append((ended - began) * 1000)
            self.statuses[status] += 1


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, requests: Iterator[bytes], measured: Measured, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._measured = measured
        self._done = done
        self._received = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = _LENGTH.search(head + b"\r\n")
        if len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        now = time.perf_counter()
        self._measured.note(self._began, now, head[9:12].decode())
        if now < self._measured.ends:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(next(self._requests))


async def run(job: dict[str, Any]) -> dict[str, Any]:
    """Do the job; returns its answer."""
    loop = asyncio.get_running_loop()
    begins = time.perf_counter() + job["warm_seconds"]
    measured = Measured(begins, begins + job["seconds"])
    requests = cycle([text.encode() for text in job["requests"]])
    ends: list[asyncio.Future[None]] = []
    for _ in range(job["connections"]):
        ends.append(loop.create_future())
        await loop.create_connection(partial(Connection, requests, measured, ends[-1]), "127.0.0.1", job["port"])
    await asyncio.gather(*ends)
    took = sorted(measured.milliseconds)
    return {
        "requests": len(took),
        "seconds": job["seconds"],
        "p50_ms": round(took[len(took) // 2], 2) if took else None,
        "p99_ms": round(took[len(took) * 99 // 100], 2) if took else None,
        "statuses": dict(measured.statuses),
        "cpu_seconds": round(time.process_time(), 2),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(json.loads(sys.stdin.readline())))))
