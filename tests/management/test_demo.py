from __future__ import annotations

import dataclasses
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import connections
from django.test import override_settings

from atsite.core.config import RUNNING_DEMO, config
from atsite.management.commands import demo
from atsite.management.commands.demo import Command, make_admin
from atsite.management.up_command import UpCommand
from atsite.supervision.children import Ports, Site
from indexer.simulator.demo import PUBLISHER

if TYPE_CHECKING:
    from pathlib import Path


def configure(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: Any) -> None:
    """The configuration of a demo in `folder`."""
    usual: dict[str, Any] = {"data_dir": folder, "environment": "demo", "min_free_disk": 2_000_000_000}
    its = dataclasses.replace(config, **(usual | changes))
    monkeypatch.setattr(demo, "config", its)
    monkeypatch.setattr("atsite.management.up_command.config", its)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a demo."""
    configure(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows each time all connections are to be closed, which stay, as the test's transaction is on one of them."""
    times: list[int] = []
    monkeypatch.setattr(connections, "close_all", lambda: times.append(1))
    return times


def site_of(folder: Path) -> Site:
    ports = Ports()
    return Site("demo", folder, "127.0.0.1", ports, Command().environment(ports), simulated=True)


def test_its_processes_know_only_the_simulated_network_and_this_machine(folder: Path) -> None:
    network = "http://127.0.0.1:4096"
    assert Command().environment(Ports(simulator=4096, feedgen=4097)) == {
        "DATA_DIR": str(folder),
        "ATSITE_ENVIRONMENT": "demo",
        "PYTHONUNBUFFERED": "1",
        "INSIDE_DEMO": "1",
        "WS_URL": "ws://127.0.0.1:4096/subscribe",
        "PLC_URL": network,
        "HANDLE_RESOLVER_URL": network,
        "APPVIEW_URL": network,
        "ALLOW_LOOPBACK": "1",
        "START_HOURS": "72",
        "JETSTREAM_LOOKBACK_HOURS": "96",
        "FEED_ACTOR_DID": PUBLISHER,
        "SERVICE_ENDPOINT": "http://127.0.0.1:4097",
        "PUBLISHER_APP_PASSWORD": "",
        "PUBLISHER_APP_PASSWORD_FILE": str(folder / "publisher_password"),
        "LISTEN_HOST": "127.0.0.1",
        "MIN_FREE_DISK": "500000000",
    }
    assert Command().host() == "127.0.0.1"


def test_a_smaller_reserve_of_disk_stays_as_it_is_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, folder, min_free_disk=7)
    assert Command().environment(Ports())["MIN_FREE_DISK"] == "7"


@pytest.mark.parametrize(("sparse", "arguments"), [(False, ()), (True, ("--sparse",))])
def test_its_network_sends_some_events_that_cannot_be_read(sparse: bool, arguments: tuple[str, ...]) -> None:
    assert Command().simulation(sparse=sparse) == (*arguments, "--malformed", "1")


def test_it_does_not_run_where_another_environment_is_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Command().refuse()
    configure(monkeypatch, folder, environment="production")
    with pytest.raises(CommandError, match=r"^ATSITE_ENVIRONMENT=production is set: unset it to run the demo$"):
        Command().refuse()


@pytest.mark.parametrize("announced", [True, False])
def test_other_commands_find_it_until_it_ends_and_another_one_stays_to_be_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    def ends(self: UpCommand, *args: object, **options: object) -> None:
        raise CommandError("stopped")

    monkeypatch.setattr(UpCommand, "handle", ends)
    (folder / RUNNING_DEMO).touch()
    command = Command(stdout=StringIO())
    command.announced = announced
    for _ in range(2):  # the second time it is gone already
        with pytest.raises(CommandError, match=r"^stopped$"):
            command.handle()
        assert (folder / RUNNING_DEMO).exists() is not announced


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])  # the usual one is slow
@pytest.mark.django_db
def test_once_the_database_is_there_it_has_an_admin_and_can_be_found(folder: Path, closed: list[int]) -> None:
    site, command = site_of(folder), Command()
    command.before(site)
    assert (folder / "publisher_password").read_text().strip() != ""
    said = command.prepare(site)
    password = (folder / "admin_password").read_text()
    assert said.splitlines()[1:] == [
        f"  Log in to the admin as `admin` with the password `{password}` (kept in {folder}/admin_password).",
        "  Try a clean-up as `olive.demo.test` with the app password `demo-demo-demo-demo`.",
    ]
    assert json.loads((folder / RUNNING_DEMO).read_text()) == site.environment
    assert command.announced
    admin = get_user_model().objects.get(username="admin")
    assert (admin.is_staff, admin.is_superuser, admin.check_password(password)) == (True, True, True)


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])  # the usual one is slow
@pytest.mark.django_db
def test_the_admin_has_the_password_of_the_file_whatever_was_set_and_no_connection_stays(
    folder: Path, closed: list[int]
) -> None:
    file = folder / "admin_password"
    make_admin(file)
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_text()
    assert len(first) == 16
    stored = get_user_model().objects.get(username="admin").password

    make_admin(file)
    assert closed == [1, 1]
    assert file.read_text() == first
    assert get_user_model().objects.get(username="admin").password == stored  # nobody is logged out by a start

    file.write_text("another one\n")
    make_admin(file)
    assert get_user_model().objects.get(username="admin").check_password("another one")
