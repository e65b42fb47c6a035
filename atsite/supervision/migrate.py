"""Migrates both databases before anything uses them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import Error, connections

from atsite.core.embedded import files, logs
from atsite.core.embedded.child import Child
from atsite.supervision.children import MANAGE
from atsite.supervision.errors import UpFailed, first_line

if TYPE_CHECKING:
    from atsite.supervision.children import Site

#: Only a migration that rewrites a large table takes longer, and that one is run by hand.
MIGRATE_SECONDS = 600.0


def both(site: Site) -> None:
    """Migrate `default` here and `clickhouse` in a process of its own, at the same time.

    This process was configured before the stores ran, so only a new one finds ClickHouse. Raises UpFailed.
    """
    log = site.logs / "migrate.log"
    files.make_private_directory(site.logs)
    logs.start_anew(log)
    # Not `migrate`: `schema up` keeps indexers from writing meanwhile.
    command = [*MANAGE, "schema", "--skip-checks", "up", "--database", "clickhouse"]
    clickhouse = Child.spawn(command, output=log, environment=site.environment)
    try:
        try:
            call_command("migrate", database="default", interactive=False, verbosity=0)
        except Error as error:
            raise UpFailed(f"the relational database (DATABASE_URL) cannot be migrated: {first_line(error)}") from error
        connections.close_all()
        clickhouse.ends_by(time.monotonic() + MIGRATE_SECONDS)
        if clickhouse.process.poll() != 0:
            raise UpFailed(f"ClickHouse could not be migrated. The end of {log}:\n{logs.last_lines(log, count=20)}")
    finally:
        clickhouse.kill()
