"""What `manage.py up` and `manage.py demo` share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

import structlog
from django.core.management.base import BaseCommand, CommandError

from atsite.core.config import config
from atsite.core.embedded import files
from atsite.core.embedded.errors import explained
from atsite.core.embedded.ports import free_port
from atsite.core.errors import AtsiteError
from atsite.data_folder import STORES, is_own
from atsite.supervision.children import Ports, Site
from atsite.supervision.errors import first_line
from atsite.supervision.own_log import keep_off_the_terminal
from atsite.supervision.run import Stopped, Until, run
from atsite.supervision.terminal import Terminal

if TYPE_CHECKING:
    from argparse import ArgumentParser

log = structlog.get_logger(__name__)


class UpCommand(BaseCommand):
    """Run a whole site in the foreground: stores, indexer, services, worker and beat."""

    purpose: ClassVar[str]
    simulated: ClassVar[bool] = False
    afterwards: ClassVar[tuple[str, ...]] = ()
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--free-ports", action="store_true", help="listen on free ports instead of the usual ones")
        parser.add_argument("--once", action="store_true", help="stop as soon as a feed has a full page")
        parser.add_argument("--run-for", type=float, metavar="SECONDS", help="stop this long after the site is up")

    def handle(
        self, *args: object, free_ports: bool, once: bool, run_for: float | None, **options: object
    ) -> None:  # fmt: skip
        self.refuse(**options)
        if not is_own(config.data_dir):
            raise CommandError(
                f"{config.data_dir} has other files and no data of this project. "
                "Set DATA_DIR to a new folder, or empty it."
            )
        ports = Ports().chosen_by(free_port) if free_ports else Ports().moved_by(config.port_offset)
        site = Site(
            self.purpose,
            config.data_dir,
            self.host(),
            ports,
            self.environment(ports),
            simulated=self.simulated,
            simulation=self.simulation(**options),
            begin=self.begin(**options),
            afterwards=self.afterwards,
        )
        self.stdout.ending = ""  # progress writes parts of a line
        terminal = Terminal(self.stdout)
        until = Until(run_for=run_for, first_page=once)
        own = site.logs / f"{self.purpose}.log"
        os.umask(files.UMASK)
        try:
            with explained("This command", site.data_dir):
                files.make_private_directory(site.data_dir)
                files.make_private(site.data_dir, leave_out=STORES)
            keep_off_the_terminal(own)
            self.before(site)
            run(site, config, terminal, usual_ports=not free_ports, until=until, after=lambda: self.prepare(site))
        except Stopped:
            terminal.end_progress()
        except AtsiteError as error:
            terminal.end_progress()
            raise CommandError(str(error)) from error
        except Exception as error:
            terminal.end_progress()
            log.exception("stopped by an error")
            name = type(error).__name__
            raise CommandError(
                f"stopped by an error: {name}: {first_line(error)}. The traceback is in {own}"
            ) from error
        terminal.say("stopped; the data is kept in " + str(config.data_dir))

    def refuse(self, **options: object) -> None:
        """Raise CommandError where this command must not run."""

    def host(self) -> str:
        """The address the feed generator listens on; everything else stays on loopback."""
        return config.listen_host

    def environment(self, ports: Ports) -> dict[str, str]:
        """Variables for every child, on top of this process's own."""
        return {
            "DATA_DIR": str(config.data_dir),
            "ATSITE_ENVIRONMENT": config.environment,
            "PYTHONUNBUFFERED": "1",
        }

    def simulation(self, **options: object) -> tuple[str, ...]:
        """Arguments for the simulated network, where this command has one."""
        return ()

    def begin(self, **options: object) -> tuple[str, ...]:
        """Arguments for `run_indexer` that say where it begins, where this command takes them."""
        return ()

    def before(self, site: Site) -> None:
        """Called before any process starts."""

    def prepare(self, site: Site) -> str:
        """Called when the relational database is migrated; its result is printed below the addresses."""
        return ""
