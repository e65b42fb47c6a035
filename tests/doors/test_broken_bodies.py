"""Bodies that break off or cannot be decoded, through a real socket: no service takes the blame."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.doors.raw_http import Answer, answer_on, request
from tests.doors.test_refusals import SEARCH_PAGE, SEND
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a chunk must not be: a size that is no hexadecimal number, or too large, and wrong bytes after a chunk.
CHUNKS = (b"ZZ\r\n", b"-1\r\n", b"f" * 18 + b"\r\n", b"1\r\nabc\r\n")


@pytest.fixture(scope="module")
def admin(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The admin's port."""
    log: Path = tmp_path_factory.mktemp("admin") / "log"
    with Service("admin", log) as service:
        service.wait_until_up()
        yield service.port


def sent(port: int, raw: bytes, *, broken_off: bool = False) -> Answer:
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(raw)
        if broken_off:
            connection.shutdown(socket.SHUT_WR)
        return answer_on(connection)


def test_a_body_that_is_not_what_its_head_says_is_the_callers_fault(feedgen: int, search: int, admin: int) -> None:
    for port, page in ((feedgen, SEND), (search, SEARCH_PAGE), (admin, b"/admin/login/")):
        chunked = request(page, ("Transfer-Encoding", b"chunked"), method="POST")
        for chunk in CHUNKS:
            answer = sent(port, chunked + chunk)
            assert answer.status in (0, 400), (page, chunk, answer)
        announced = request(page, ("Content-Length", b"100"), method="POST")
        assert sent(port, announced + b"abc", broken_off=True).status in (0, 400), page
    answer = sent(search, request(SEARCH_PAGE, ("Transfer-Encoding", b"chunked"), method="POST") + CHUNKS[0])
    assert answer.error == (400, "InvalidRequest")
