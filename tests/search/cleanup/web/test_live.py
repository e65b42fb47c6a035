"""The live socket of the page, through a real socket of a running `manage.py run_search`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import State
from search.cleanup.web.page.person import KEY
from tests.search.cleanup.rows import job
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

MIRA, NOEL = "did:plc:miramiramiramiramiramira", "did:plc:noelnoelnoelnoelnoelnoel"
WAIT_SECONDS = 60
SOCKETS = 50


@pytest.fixture
def service(clickhouse: None, valkey: redis.Redis, transactional_db: None, tmp_path: Path) -> Iterator[Service]:
    with Service("search", tmp_path / "log") as running:
        running.wait_until_up()
        yield running
        assert running.stop() == 0
        assert "Traceback" not in running.said()


@pytest.fixture
def row() -> RepoCleanupJob:
    return job(MIRA, State.RUNNING, records_planned=1_200, records_deleted=300, stage="deleting")


def cookie(did: str = MIRA) -> str:
    """The session of an owner who signed in, as their browser sends it."""
    store = SessionStore()
    store[KEY] = {"did": did, "handle": "mira.test", "session": 1}
    store.set_expiry(1800)
    store.create()
    return f"cleanup={store.session_key}"


def opened(service: Service, row: RepoCleanupJob, cookie: str, *, origin: str | None = "same", path: str = "") -> Any:
    host = f"127.0.0.1:{service.port}"
    headers = {"Cookie": cookie} | ({} if origin is None else {"Origin": origin.replace("same", f"http://{host}")})
    return connect(f"ws://{host}{path or f'/cleanup/live/{row.job_id}/'}", additional_headers=headers, compression=None)


def refused(service: Service, row: RepoCleanupJob, cookie: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as failure:
        opened(service, row, cookie, **options).close()
    return failure.value.response.status_code


def test_its_owner_sees_the_clean_up_go_on(service: Service, row: RepoCleanupJob) -> None:
    with opened(service, row, cookie()) as socket:
        first = json.loads(socket.recv(WAIT_SECONDS))
        RepoCleanupJob._base_manager.update(records_deleted=600)
        while (later := json.loads(socket.recv(WAIT_SECONDS))) == first:
            pass
    assert first == {
        "state": "running",
        "cancelling": False,
        "heading": "Deleting",
        "stage": "deleting",
        "reason": "",
        "percent": 25,
        "planned": "1,200",
        "done": "300",
        "gone": "0",
        "kept": "0",
        "remaining": "900",
        "next": first["next"],
    }
    assert (later["done"], later["percent"]) == ("600", 50)


def test_strangers_and_pages_of_other_origins_are_refused(service: Service, row: RepoCleanupJob) -> None:
    for other in ("", "cleanup=nosuchsession", cookie(NOEL), cookie().replace("cleanup", "sessionid")):
        assert refused(service, row, other) == 403
    for origin in ("http://evil.example", "http://127.0.0.1:1", "null", None):
        assert refused(service, row, cookie(), origin=origin) == 403
    for path in ("/cleanup/live/3mezc5ufk2s2x/", "/cleanup/", "/"):
        assert refused(service, row, cookie(), path=path) == 403


@pytest.mark.slow
def test_the_socket_ends_soon_after_the_session(service: Service, row: RepoCleanupJob) -> None:
    with opened(service, row, cookie()) as socket:
        socket.recv(WAIT_SECONDS)
        SessionStore.get_model_class().objects.all().delete()
        assert closing_code(socket) == 4401


@pytest.mark.slow
def test_fifty_open_sockets_do_not_keep_the_service_from_its_stop(service: Service, row: RepoCleanupJob) -> None:
    key = cookie()
    with ExitStack() as stack:
        sockets = [stack.enter_context(opened(service, row, key)) for _ in range(SOCKETS)]
        for socket in sockets:
            socket.recv(WAIT_SECONDS)
        assert service.stop() == 0
        assert "refused to gracefully stop" not in service.said()  # granian kills what is still there after a while
        for socket in sockets:
            closing_code(socket)


def closing_code(socket: ClientConnection) -> int | None:
    """The server's code, once it closed."""
    try:
        while True:
            socket.recv(WAIT_SECONDS)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code
