"""Requests that come drop by drop, through a real socket."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.web.body_limit import BODY_SECONDS
from atsite.supervision.serving import HEAD_SECONDS
from tests.doors.raw_http import Answer, answer_on, request
from tests.doors.test_refusals import FEED_PAGE, SEARCH_PAGE
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

DROP_SECONDS = 0.2


def drops(connection: socket.socket, begin: bytes) -> Iterator[bool]:
    """Sends `begin`, then a byte now and then; whether the server has anything to say, or has closed."""
    connection.sendall(begin)
    connection.settimeout(DROP_SECONDS)
    while True:
        try:
            connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            yield False
        except ConnectionError:
            yield True
        else:
            yield True
        try:
            connection.sendall(b"x")
        except ConnectionError:
            yield True


@dataclass(frozen=True)
class Ended:
    """How a connection ended: after so many seconds, with this answer to the drops and this one before."""

    seconds: float
    answer: Answer
    before: Answer | None


def dripped(port: int, begin: bytes, first: bytes = b"") -> Ended:
    """A request that goes on and on after `begin`; a whole one may come before it on the same connection."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        before = None
        if first:
            connection.sendall(first)
            before = answer_on(connection)
        started = time.monotonic()
        state = drops(connection, begin)
        until(lambda: next(state), "the server ends the connection")
        seconds = time.monotonic() - started
        connection.settimeout(60)
        return Ended(seconds, answer_on(connection), before)


def test_a_request_that_is_not_whole_in_time_ends_its_connection(feedgen: int, search: int) -> None:
    """All at the same time, as each takes its ten seconds."""
    calls: dict[str, tuple[int, bytes, bytes]] = {}
    for name, port, page in (("feedgen", feedgen, FEED_PAGE), ("search", search, SEARCH_PAGE)):
        head = b"GET " + page + b" HTTP/1.1\r\nHost: test\r\nX-Drip: "
        kept = request(page).replace(b"Connection: close\r\n", b"")
        body = request(page, ("Content-Length", b"100000"), method="POST")
        calls |= {
            f"{name}, head": (port, head, b""),
            f"{name}, second head": (port, head, kept),
            f"{name}, body": (port, body, b""),
        }
    with ThreadPoolExecutor(len(calls)) as threads:
        running = {name: threads.submit(dripped, *call) for name, call in calls.items()}
        ended = {name: future.result() for name, future in running.items()}
    for name, end in ended.items():
        assert end.seconds >= min(HEAD_SECONDS, BODY_SECONDS) - 1, name  # not at once, for another reason
        assert end.before is None or end.before.status == 200, name
        if name.endswith("body"):
            assert end.answer.error == (408, "InvalidRequest"), name
        else:
            assert end.answer.status in (0, 408), name
