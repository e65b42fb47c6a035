"""What `run_feedgen`, `run_search` and `run_admin` share: check the migrations, then become granian."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import TYPE_CHECKING, ClassVar, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from atsite.checks import LISTEN_HOST, is_listen_host
from atsite.core import telemetry
from atsite.core.command import port
from atsite.core.config import SERVICE_PORTS, WORKERS_MAX, Service, config
from atsite.core.embedded.files import make_private_directory
from atsite.core.telemetry import worker_metrics
from atsite.supervision.serving import granian
from indexer.index.migration_state import DatabaseAway, unapplied

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from atsite.core.config import Config


class ServiceCommand(BaseCommand):
    """Serve one service over HTTP until SIGTERM or SIGINT; the exit code is then 0.

    The process becomes granian (exec), so it keeps its id, and a signal reaches the server directly.
    """

    service: ClassVar[Service]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=config.listen_host, help="address to listen on (default: LISTEN_HOST)")
        parser.add_argument("--port", type=port, default=SERVICE_PORTS[self.service] + config.port_offset)
        parser.add_argument(
            "--workers",
            type=int,
            choices=range(1, WORKERS_MAX + 1),
            default=1,
            metavar="N",
            help=f"number of worker processes, 1 to {WORKERS_MAX} (default: 1)",
        )

    def handle(self, *args: object, host: str, port: int, workers: int, **options: object) -> NoReturn:
        if not is_listen_host(host):
            raise CommandError(f"--host {host}: expected {LISTEN_HOST}")
        telemetry.configure_logs(as_json=config.production)  # keeps the driver's tracebacks off the terminal
        refuse_unapplied_migrations()
        command = granian(self.service, host=host, port=port, workers=workers)
        environment = {
            **os.environ,
            "ATSITE_SERVICE": self.service,
            "DATA_DIR": str(config.data_dir),
            "ATSITE_WORKERS": str(workers),
            **_metrics_of_workers(replace(config, service=self.service, workers=workers)),
        }
        os.execve(command[0], list(command), environment)  # noqa: S606 - our own words


def _metrics_of_workers(service: Config) -> dict[str, str]:
    """Make sure that the metrics port is free, as workers would share it with any other process of this user.

    Returns the variables that tell several workers where to write their metrics. Raises CommandError.
    """
    if not service.metrics_port:
        return {}
    with socket() as free:
        free.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        try:
            free.bind((service.listen_host, service.metrics_port))
        except OSError as error:
            raise CommandError(f"metrics port {service.metrics_port}: {error.strerror}") from error
    folder = worker_metrics.folder_of(service)
    if folder is None:
        return {}
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run, whose numbers would be added
    make_private_directory(folder)
    return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}


def refuse_unapplied_migrations() -> None:
    """Check that both databases answer and are migrated. Raises CommandError, which says what to do."""
    try:
        missing = unapplied()
    except DatabaseAway as error:
        raise CommandError(str(error)) from error
    finally:
        connections.close_all()
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        names = ", ".join(missing[:3])
        raise CommandError(
            f"migrations are not applied ({names}{more}): run `./just migrate-up` (`./just up` also applies them)"
        )
