"""`manage.py demo`: the whole site on a simulated network, for a first look and for work without internet."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import connections

from atsite.core.config import config
from atsite.core.embedded import files
from atsite.management.up_command import UpCommand
from indexer.simulator.demo import LOOPBACK, PUBLISHER

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from atsite.supervision.children import Ports

#: How far the simulated network reaches back.
START_HOURS = 72
ADMIN = "admin"


class Command(UpCommand):
    help = "Run the whole site on a simulated network: no internet, no servers, 127.0.0.1 only."
    purpose = "demo"
    simulated = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--sparse", action="store_true", help="like a first day: the stream leaves out everything older"
        )

    def simulation(self, **options: object) -> tuple[str, ...]:
        return ("--sparse",) if options["sparse"] else ()

    def refuse(self, **options: object) -> None:
        if config.environment != "demo":
            raise CommandError(f"ATSITE_ENVIRONMENT={config.environment} is set: unset it to run the demo")

    def host(self) -> str:
        return LOOPBACK

    def environment(self, ports: Ports) -> dict[str, str]:
        network = f"http://{LOOPBACK}:{ports.simulator}"
        return {
            **super().environment(ports),
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
            "LISTEN_HOST": LOOPBACK,
            # The demo stores little, so it may use a disk that is nearly full.
            "MIN_FREE_DISK": str(min(config.min_free_disk, 500_000_000)),
        }

    def prepare(self) -> str:
        file = config.data_dir / "admin_password"
        make_admin(file)
        return f"\n  Log in to the admin as `{ADMIN}` with the password `{files.password_of(file)}` (kept in {file})."


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
