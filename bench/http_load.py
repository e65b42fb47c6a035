"""A load generator in a process of its own: as fast as the server answers, or at a fixed rate.

    python -m bench.http_load < job

Why not a client library, or wrk: httpx takes about a millisecond of CPU per request, as much as the measured server,
and the two commands of the README do not install wrk. This module writes prepared bytes to keep-alive connections and
parses only the status and the Content-Length: about 30 µs per request.

The job is a line of JSON: {"port", "connections", "warm_seconds", "seconds", "kinds": {name: [text of a request, …]}},
and for a fixed rate {"rate": requests per second, "order": [name, …]}, which is repeated. The requests of a kind are
sent in turn, or with {"times": 1} each once instead of for some seconds. The answer is also a line of JSON: {"seconds",
"cpu_seconds", "kinds": {name: {"requests", "p50_ms", "p99_ms", "max_ms", "statuses": {status: number}}}}; the warm-up
is not counted.

At a fixed rate the time of a request counts from the moment at which it was due, also if it had to wait for a free
connection: a server that stalls is not asked less often, so its stall is not hidden ("coordinated omission").
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: How long the last answers may take.
LAST_SECONDS: Final = 30
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass
class Measured:
    """What was seen between `begins` and `ends` (perf_counter), by kind of request."""

    begins: float
    ends: float
    milliseconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def note(self, kind: str, due: float, ended: float, status: str) -> None:
        if self.begins <= due <= self.ends:
            self.milliseconds[kind].append((ended - due) * 1000)
            self.statuses[kind][status] += 1

    def rows(self) -> dict[str, dict[str, Any]]:
        return {kind: self._row(sorted(times), kind) for kind, times in self.milliseconds.items()}

    def _row(self, times: list[float], kind: str) -> dict[str, Any]:
        return {
            "requests": len(times),
            "p50_ms": round(times[len(times) // 2], 2),
            "p99_ms": round(times[len(times) * 99 // 100], 2),
            "max_ms": round(times[-1], 2),
            "statuses": dict(self.statuses[kind]),
        }


class Due(NamedTuple):
    """A request, and the moment from which its time counts."""

    kind: str
    at: float
    text: bytes


class Connection(asyncio.Protocol):
    """One connection, with one request at a time. `following` gives the next one; None: there is none now."""

    def __init__(
        self, following: Callable[[Connection], Due | None], measured: Measured, done: asyncio.Future[None]
    ) -> None:
        self._following = following
        self._measured = measured
        self._done = done
        self._received = b""
        self._asked: Due | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.ask(self._following(self))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or self._asked is None:
            return
        length = _LENGTH.search(head + b"\r\n")
        if len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        self._measured.note(self._asked.kind, self._asked.at, time.perf_counter(), head[9:12].decode())
        self.ask(self._following(self))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def ask(self, due: Due | None) -> None:
        self._asked = due
        if due is not None:
            self._transport.write(due.text)

    def close(self) -> None:
        self._transport.close()


async def run(job: dict[str, Any]) -> dict[str, Any]:
    """Do the job; returns its answer."""
    begins = time.perf_counter() + job["warm_seconds"]
    once = "times" in job
    measured = Measured(begins, inf if once else begins + job["seconds"])
    encoded = {kind: [text.encode() for text in requests] for kind, requests in job["kinds"].items()}
    texts = {kind: iter(requests) if once else cycle(requests) for kind, requests in encoded.items()}
    if "rate" in job:
        await _at_rate(job, texts, measured)
    else:
        await _as_fast_as_possible(job, texts, measured)
    seconds = time.perf_counter() - begins if once else job["seconds"]
    return {"seconds": seconds, "cpu_seconds": round(time.process_time(), 2), "kinds": measured.rows()}


async def _as_fast_as_possible(job: dict[str, Any], texts: Mapping[str, Iterator[bytes]], measured: Measured) -> None:
    kinds = cycle(texts)

    def following(connection: Connection) -> Due | None:
        now, kind = time.perf_counter(), next(kinds)
        text = next(texts[kind], None)
        if text is None or now >= measured.ends:
            connection.close()
            return None
        return Due(kind, now, text)

    await asyncio.gather(*[done for _, done in await _connections(job, following, measured)])


async def _at_rate(job: dict[str, Any], texts: Mapping[str, Iterator[bytes]], measured: Measured) -> None:
    waiting: deque[Due] = deque()
    idle: list[Connection] = []

    def following(connection: Connection) -> Due | None:
        if waiting:
            return waiting.popleft()
        idle.append(connection)
        return None

    connections = await _connections(job, following, measured)
    order, begins, number = cycle(job["order"]), time.perf_counter(), 0
    while (due := begins + number / job["rate"]) < measured.ends:
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        number += 1
        kind = next(order)
        asked = Due(kind, due, next(texts[kind]))
        if idle:
            idle.pop().ask(asked)
        else:
            waiting.append(asked)
    patience = time.perf_counter() + LAST_SECONDS
    while len(idle) < len(connections):
        assert time.perf_counter() < patience, "the last answers did not come"
        await asyncio.sleep(0.01)
    for connection, done in connections:
        connection.close()
        await done


async def _connections(
    job: dict[str, Any], following: Callable[[Connection], Due | None], measured: Measured
) -> list[tuple[Connection, asyncio.Future[None]]]:
    loop, made = asyncio.get_running_loop(), []
    for _ in range(job["connections"]):
        done: asyncio.Future[None] = loop.create_future()
        _, connection = await loop.create_connection(
            partial(Connection, following, measured, done), "127.0.0.1", job["port"]
        )
        made.append((connection, done))
    return made


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(json.loads(sys.stdin.readline())))))
