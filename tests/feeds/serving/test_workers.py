"""A feed generator of two workers: what they share, and that replacing one costs no reader a request."""

from __future__ import annotations

import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import httpx
import pytest

from atsite.core.clock import now_us
from tests import builders as b
from tests.feeds import readers, service
from tests.feeds.service import FEED, PATIENT_SECONDS, SKELETON, Service
from tests.feeds.worlds import HOUR, MINUTE
from tests.rows import store
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.plugin import DjangoDbBlocker

pytestmark = pytest.mark.slow
WORKERS = 2
#: The feed that most tests read, so that no worker has a copy of the other's ranking.
OTHER = FEED.replace("whats-hot", "top-24h")
#: A connection for each request, or one for all of a client.
ONE_EACH, KEPT = httpx.Limits(max_keepalive_connections=0), httpx.Limits(max_keepalive_connections=1)


@pytest.fixture(scope="module")
def process(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    readers.define_feeds(django_db_blocker)
    with service.running(tmp_path_factory.mktemp("feedgen"), workers=str(WORKERS)) as running:
        yield running


@pytest.fixture
def feedgen(
    process: Service, clickhouse: None, valkey: redis.Redis, transactional_db: None, django_db_blocker: DjangoDbBlocker
) -> Service:
    """The running service; its feed has a post, and no ranking yet."""
    readers.define_feeds(django_db_blocker)
    post = b.post(b.ALICE, at=now_us() - HOUR)
    store(post, *(b.like(who, post, at=now_us() - MINUTE) for who in (b.BOB, b.CAROL, b.DAN)))
    until(lambda: len(workers(process)) == WORKERS)
    return process


def workers(feedgen: Service) -> set[int]:
    """The process ids of the workers."""
    pid = feedgen.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return {int(child) for child in children if _is_granian(child)}


def _is_granian(pid: str) -> bool:
    with suppress(OSError):
        return b"granian" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def new_connections(feedgen: Service) -> httpx.Client:
    return httpx.Client(base_url=feedgen.http.base_url, limits=ONE_EACH, timeout=PATIENT_SECONDS)


def read(client: httpx.Client, feed: str = OTHER) -> int:
    return client.get(SKELETON, params={"feed": feed, "limit": 5}).status_code


def counted(feedgen: Service, metric: str) -> float:
    """The sum of a metric over its labels, as one scrape shows it."""
    return sum(float(value) for value in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", feedgen.metrics(), re.MULTILINE))


def test_each_scrape_shows_the_numbers_of_all_workers(feedgen: Service) -> None:
    until(lambda: read(feedgen.http) == 200)
    before = counted(feedgen, "feed_page_requests_total")
    with new_connections(feedgen) as client:
        assert [read(client) for _ in range(40)] == [200] * 40
    # Whichever worker answers, and each new connection may go to another one.
    assert {counted(feedgen, "feed_page_requests_total") - before for _ in range(20)} == {40}
    sizes = [resident(pid) for pid in workers(feedgen)]
    assert counted(feedgen, "process_resident_memory_bytes") == pytest.approx(sum(sizes), rel=0.1)


def resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_ranking_is_made_once_for_all_workers(feedgen: Service) -> None:
    def made() -> float:
        return counted(feedgen, r'feed_rankings_computed_total{feed="whats-hot",outcome="made"}')

    before = made()

    def ask(_: int) -> int:
        with new_connections(feedgen) as client:
            return read(client, FEED)

    with ThreadPoolExecutor(20) as readers_at_once:
        assert list(readers_at_once.map(ask, range(20))) == [200] * 20
    assert made() - before == 1


def test_the_others_answer_while_a_worker_that_died_is_replaced(feedgen: Service) -> None:
    until(lambda: read(feedgen.http) == 200)
    pages = counted(feedgen, "feed_page_requests_total")
    killed, other = sorted(workers(feedgen))
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in workers(feedgen))
    with new_connections(feedgen) as client:
        assert [read(client) for _ in range(20)] == [200] * 20
    until(lambda: len(workers(feedgen)) == WORKERS)
    assert other in workers(feedgen)
    # What the dead one had counted is still there.
    assert counted(feedgen, "feed_page_requests_total") >= pages + 20


def test_a_reload_replaces_all_workers_and_every_request_is_answered(feedgen: Service) -> None:
    until(lambda: read(feedgen.http) == 200)
    before, stop = workers(feedgen), Event()

    def ask(connections: httpx.Limits) -> set[int]:
        """Where a connection ends before an answer began, a client asks again (RFC 9110, 9.2.2)."""
        statuses = set()
        with httpx.Client(base_url=feedgen.http.base_url, limits=connections, timeout=PATIENT_SECONDS) as client:
            while not stop.is_set():
                try:
                    statuses.add(read(client))
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    statuses.add(read(client))
        return statuses

    with ThreadPoolExecutor(4) as clients:
        asking = [clients.submit(ask, connections) for connections in (ONE_EACH, ONE_EACH, KEPT, KEPT)]
        os.kill(feedgen.process.pid, signal.SIGHUP)
        try:
            until(lambda: len(workers(feedgen)) == WORKERS and not before & workers(feedgen))
        finally:
            stop.set()
    assert [client.result() for client in asking] == [{200}] * 4


def test_a_request_that_runs_is_answered_when_the_service_ends(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    clickhouse: None,
    transactional_db: None,
    tmp_path: Path,
) -> None:
    readers.define_feeds(django_db_blocker)
    with service.running(tmp_path, workers=str(WORKERS)) as feedgen:
        address = (feedgen.http.base_url.host, int(feedgen.http.base_url.port or 0))
        head = (
            "POST /xrpc/app.bsky.feed.sendInteractions HTTP/1.1\r\nHost: feeds.example.com\r\nContent-Length: 2\r\n\r\n"
        )
        with socket.create_connection(address, timeout=PATIENT_SECONDS) as connection:
            connection.sendall(head.encode() + b"{")
            until(lambda: read(feedgen.http) != 0)  # the service has read what came before
            feedgen.process.send_signal(signal.SIGTERM)
            until(lambda: refuses(address))
            connection.sendall(b"}")
            assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
        assert feedgen.process.wait(PATIENT_SECONDS) == 0


def refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return True
    return False
