"""`manage.py demo`: the whole site on a simulated network, for a first look and for work without internet."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import connections

from atsite.core.config import RUNNING_DEMO, config
from atsite.core.embedded import files
from atsite.management.up_command import UpCommand
from indexer.simulator.demo import LOOPBACK, OWNER_APP_PASSWORD, OWNER_HANDLE, PUBLISHER

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from atsite.supervision.children import Ports, Site

#: How far the simulated network reaches back.
START_HOURS = 72
#: One event in ten thousand cannot be read, so that there are dead letters to look at.
MALFORMED = ("--malformed", "1")
ADMIN = "admin"
#: In the data folder: the password of the account that publishes the feeds.
PASSWORD_FILE = "publisher_password"  # noqa: S105 - the name of a file


class Command(UpCommand):
    help = "Run the whole site on a simulated network: no internet, no servers, 127.0.0.1 only."
    purpose = "demo"
    simulated = True
    afterwards = ("demo_community",)
    #: Whether other commands can find the demo that this process runs.
    announced = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--sparse", action="store_true", help="like a first day: the stream leaves out everything older"
        )

    def simulation(self, **options: object) -> tuple[str, ...]:
        return (*(("--sparse",) if options["sparse"] else ()), *MALFORMED)

    def refuse(self, **options: object) -> None:
        if config.environment != "demo":
            raise CommandError(f"ATSITE_ENVIRONMENT={config.environment} is set: unset it to run the demo")

    def host(self) -> str:
        return LOOPBACK

    def environment(self, ports: Ports) -> dict[str, str]:
        network = f"http://{LOOPBACK}:{ports.simulator}"
        return {
            **super().environment(ports),
            "INSIDE_DEMO": "1",  # its own processes get these from here, other commands from a file
            "WS_URL": f"ws://{LOOPBACK}:{ports.simulator}/subscribe",
            # The simulated network knows only its own accounts.
            "PLC_URL": network,
            "HANDLE_RESOLVER_URL": network,
            "APPVIEW_URL": network,
            "ALLOW_LOOPBACK": "1",
            "START_HOURS": str(START_HOURS),
            "JETSTREAM_LOOKBACK_HOURS": str(START_HOURS + 24),
            "FEED_ACTOR_DID": PUBLISHER,
            "SERVICE_ENDPOINT": f"http://{LOOPBACK}:{ports.feedgen}",
            "PUBLISHER_APP_PASSWORD": "",
            "PUBLISHER_APP_PASSWORD_FILE": str(config.data_dir / PASSWORD_FILE),
            "LISTEN_HOST": LOOPBACK,
            # The demo stores little, so it may use a disk that is nearly full.
            "MIN_FREE_DISK": str(min(config.min_free_disk, 500_000_000)),
        }

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        finally:
            if self.announced:
                (config.data_dir / RUNNING_DEMO).unlink(missing_ok=True)

    def before(self, site: Site) -> None:
        files.password_of(config.data_dir / PASSWORD_FILE)  # the simulator and the publishing commands read it

    def prepare(self, site: Site) -> str:
        files.write_private(config.data_dir / RUNNING_DEMO, json.dumps(dict(site.environment), indent=2) + "\n")
        self.announced = True
        file = config.data_dir / "admin_password"
        make_admin(file)
        return (
            f"\n  Log in to the admin as `{ADMIN}` with the password `{files.password_of(file)}` (kept in {file})."
            f"\n  Try a clean-up as `{OWNER_HANDLE}` with the app password `{OWNER_APP_PASSWORD}`."
        )


def make_admin(file: Path) -> None:
    """The admin user of this installation, with the random password that `file` keeps (mode 0600)."""
    users = get_user_model()
    if not file.exists():
        files.write_private(file, secrets.token_urlsafe(12))
    user, created = users.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    password = file.read_text().strip()
    if created or not user.check_password(password):
        user.set_password(password)
        user.save()
    connections.close_all()
