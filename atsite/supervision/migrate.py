"""Both databases brought up to date before anything uses them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import connections

from atsite.core.embedded.child import Child as Tethered
from atsite.supervision.children import MANAGE
from atsite.supervision.errors import UpFailed
from atsite.supervision.process import last_lines, start_anew

if TYPE_CHECKING:
    from atsite.supervision.children import Site

#: Only a migration that rewrites a large table takes longer, and that one is run by hand.
MIGRATE_SECONDS = 600.0


def both(site: Site) -> None:
    """Migrate `default` here and `clickhouse` in a process of its own, at the same time.

    This process was configured before the stores ran, so only a new one finds ClickHouse. Raises UpFailed.
    """
    log = site.logs / "migrate.log"
    site.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    start_anew(log)
    # Not `migrate`: this one lets no indexer write meanwhile.
    command = [*MANAGE, "schema", "--skip-checks", "up", "--database", "clickhouse"]
    clickhouse = Tethered.spawn(command, output=log, environment=site.environment)
    try:
        call_command("migrate", database="default", interactive=False, verbosity=0)
        connections.close_all()
        deadline = time.monotonic() + MIGRATE_SECONDS
        while clickhouse.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if clickhouse.process.poll() != 0:
            raise UpFailed(f"ClickHouse could not be migrated; {log} says:\n{last_lines(log, count=20)}")
    finally:
        clickhouse.kill()
