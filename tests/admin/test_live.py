"""The live numbers through a real socket of a running `manage.py run_admin`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from atsite.role_groups import grant
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

WAIT_SECONDS = 30


@pytest.fixture(scope="module")
def service(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with Service("admin", tmp_path_factory.mktemp("admin") / "log") as running:
        running.wait_until_up()
        yield running
        assert running.stop() == 0
        assert "Traceback" not in running.said()


pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cookie() -> str:
    """The session of a viewer, as its browser sends it."""
    from django.apps import apps
    from django.contrib.auth.models import Group

    grant(using="default", apps=apps)
    person = User.objects.create_user("viewer", is_staff=True)
    person.groups.set(Group.objects.filter(name="viewers"))
    return cookie_of(person)


def cookie_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    return f"sessionid={client.cookies['sessionid'].value}"


def opened(
    service: Service, cookie: str, *, origin: str | None = "same", path: str = "/admin/live/"
) -> ClientConnection:
    host = f"127.0.0.1:{service.port}"
    headers = {"Cookie": cookie}
    if origin is not None:
        headers["Origin"] = f"http://{host}" if origin == "same" else origin
    return connect(f"ws://{host}{path}", additional_headers=headers, compression=None)


def refused(service: Service, cookie: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as failure:
        opened(service, cookie, **options).close()
    return failure.value.response.status_code


def test_the_numbers_come_again_and_again(service: Service, cookie: str) -> None:
    with opened(service, cookie) as socket:
        first, second = (json.loads(socket.recv(WAIT_SECONDS)) for _ in range(2))
    assert set(first) == {"at", "tiles", "tasks", "tables"}
    assert first["at"] < second["at"]
    assert {tile["key"]: tile["state"] for tile in second["tiles"]}["redis"] == "ok"


def test_what_the_page_says_is_not_heard(service: Service, cookie: str) -> None:
    with opened(service, cookie) as socket:
        socket.send("not json")
        socket.send(b"\x00")
        assert {tile["key"] for tile in json.loads(socket.recv(WAIT_SECONDS))["tiles"]} >= {"lag"}


def test_strangers_and_those_without_the_right_are_refused(service: Service, cookie: str) -> None:
    staff = User.objects.create_user("staff", is_staff=True)
    superuser_of_nothing = User.objects.create_user("gone", is_staff=True, is_superuser=True, is_active=False)
    no_staff = User.objects.create_user("reader", is_superuser=True)
    for person in (staff, superuser_of_nothing, no_staff):
        assert refused(service, cookie_of(person)) == 403
    assert refused(service, "") == 403
    assert refused(service, "sessionid=nosuchsession") == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", None])
def test_a_page_of_another_origin_is_refused(service: Service, cookie: str, origin: str | None) -> None:
    assert refused(service, cookie, origin=origin) == 403


def test_an_address_that_is_no_socket_is_refused(service: Service, cookie: str) -> None:
    assert refused(service, cookie, path="/admin/") == 403


@pytest.mark.slow
@pytest.mark.parametrize("end", ["logged out", "no role", "inactive"])
def test_the_numbers_end_soon_after_the_session_or_the_right(service: Service, cookie: str, end: str) -> None:
    with opened(service, cookie) as socket:
        socket.recv(WAIT_SECONDS)
        if end == "logged out":
            Session.objects.all().delete()
        elif end == "no role":
            User.objects.get(username="viewer").groups.clear()
        else:
            User.objects.update(is_active=False)
        assert closing_code(socket) == 4401


def closing_code(socket: ClientConnection) -> int | None:
    """The server's code, once it closed; None where it went on sending for too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.recv(WAIT_SECONDS)
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code
    return None
