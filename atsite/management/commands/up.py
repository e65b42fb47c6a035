"""`manage.py up`: the whole site on the real network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.checks import Error
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from atsite.checks import LOCAL_PUBLISHER, is_loopback, problems
from atsite.core.config import config
from atsite.management.up_command import UpCommand
from indexer.stream.start_options import add_start_options

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from atsite.supervision.children import Ports, Site


#: Shown below the addresses.
NO_USER = (
    "\n  The admin has no user yet. Create the first one, with the same variables as here:"
    "\n  .venv/bin/python manage.py createsuperuser"
)


class Command(UpCommand):
    help = "Run the whole site on the real Jetstream, with embedded stores where no server is configured."
    purpose = "up"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_start_options(parser)
        parser.add_argument(
            "--listen-publicly",
            action="store_true",
            help="let the feed generator listen on LISTEN_HOST outside production, too",
        )

    def begin(self, **options: object) -> tuple[str, ...]:
        if options["from_cursor"] is not None:
            return ("--from", str(options["from_cursor"]))
        return ("--from-live",) if options["from_live"] else ()

    def refuse(self, **options: object) -> None:
        if config.environment == "demo":
            raise CommandError("ATSITE_ENVIRONMENT=demo is set: unset it, or run `manage.py demo`")
        # Its services run without `manage.py`, which would check this.
        if errors := [problem for problem in problems(config) if isinstance(problem, Error)]:
            raise CommandError("\n".join(f"{error.msg} {error.hint}" for error in errors))
        if not (config.production or options["listen_publicly"] or is_loopback(config.listen_host)):
            raise CommandError(
                f"LISTEN_HOST={config.listen_host} lets other machines reach this site, and"
                f" ATSITE_ENVIRONMENT={config.environment} is not made for that: it accepts any Host header and plain"
                " http. Set ATSITE_ENVIRONMENT=production (docs/operating.md, Run a public site), unset LISTEN_HOST, or"
                " add --listen-publicly on a network that you trust."
            )

    def prepare(self, site: Site) -> str:
        """In production, collect the static files of the admin: it serves them from the data folder then.

        Says how to make the first user of the admin, if there is none.
        """
        if config.production:
            call_command("collectstatic", interactive=False, verbosity=0)
        some = get_user_model().objects.filter(is_active=True, is_staff=True).exists()
        connections.close_all()
        return "" if some else NO_USER

    def environment(self, ports: Ports) -> dict[str, str]:
        """Outside production, a site without a public name serves this machine under a local one."""
        environment = super().environment(ports)
        if config.production or (config.service_endpoint and config.feed_actor_did):
            return environment
        endpoint = config.service_endpoint or f"http://127.0.0.1:{ports.feedgen}"
        publisher = config.feed_actor_did or LOCAL_PUBLISHER
        self.stdout.write(
            f"SERVICE_ENDPOINT or FEED_ACTOR_DID is not set: feeds are served at {endpoint}, published by {publisher}."
            " That is enough to try them on this machine."
        )
        return environment | {"SERVICE_ENDPOINT": endpoint, "FEED_ACTOR_DID": publisher}
