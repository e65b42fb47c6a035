"""`manage.py schema`: the migrations of both databases, behind `just migrate-…`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from redis import RedisError

from atsite.core.clickhouse import door
from atsite.core.config import config
from atsite.core.kv.lease import SECONDS, Lease, LeaseHeld
from atsite.core.routers import CLICKHOUSE, DEFAULT, FIRST_PARTY
from atsite.management import new_migration, scratch
from atsite.management.schema_text import SCHEMA_FILE, schema
from atsite.supervision.stores import running_stores
from indexer.index.indexer_lease import NAME as INDEXER
from indexer.index.migration_state import missing_on, unapplied

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

#: A little longer than the lease of a killed indexer can last.
LEASE_WAIT = SECONDS + 1
BOTH = (DEFAULT, CLICKHOUSE)


class Command(BaseCommand):
    help = "Apply, undo, list and create migrations of both databases, and dump their schema."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        up = actions.add_parser("up", help="apply all missing migrations to both databases")
        up.add_argument("--database", choices=BOTH, help="only this database")
        down = actions.add_parser("down", help="undo the last migration of an app in both databases")
        down.add_argument("app", choices=sorted(FIRST_PARTY))
        down.add_argument("migration", nargs="?", help="go back to this migration, or to `zero`")
        actions.add_parser("version", help="list the last applied migration of each app, and those that are missing")
        create = actions.add_parser("create", help="create a migration: a module, and a file for its SQL")
        create.add_argument("name")
        create.add_argument("--app", choices=sorted(FIRST_PARTY), default="indexer")
        dump = actions.add_parser("dump", help=f"write {SCHEMA_FILE.name} from an empty database")
        dump.add_argument("--check", action="store_true", help="write nothing; fail if the file is out of date")
        actions.add_parser("show", help="print the current schema of the databases")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if action in ("create", "dump") or config.clickhouse_address:
            getattr(self, action)(options)
        else:
            self._with_embedded_stores()

    def up(self, options: dict[str, Any]) -> None:
        door.execute(
            f"CREATE DATABASE IF NOT EXISTS `{config.clickhouse_database}`",
            name="schema.create_database",
            database="default",
        )
        for alias in [options["database"]] if options["database"] else BOTH:
            if alias == CLICKHOUSE and not missing_on(CLICKHOUSE):
                continue  # the indexer may keep running
            with _no_indexer() if alias == CLICKHOUSE else nullcontext():
                call_command("migrate", database=alias, interactive=False, verbosity=options["verbosity"])

    def down(self, options: dict[str, Any]) -> None:
        app = options["app"]
        target = options["migration"] or _before_last(app)
        with _no_indexer():
            for alias in BOTH:
                call_command("migrate", app, target, database=alias, interactive=False, verbosity=options["verbosity"])

    def version(self, options: dict[str, Any]) -> None:
        for alias in BOTH:
            applied = MigrationRecorder(connections[alias]).applied_migrations()
            for app in sorted({app for app, _ in applied}):
                last = max(name for its, name in applied if its == app)
                self.stdout.write(f"{alias}: {app}.{last}")
        missing = unapplied()
        self.stdout.write("\n".join(f"missing: {name}" for name in missing) or "nothing is missing")

    def create(self, options: dict[str, Any]) -> None:
        for path in new_migration.begin(options["app"], options["name"]):
            self.stdout.write(f"wrote {path}")

    def dump(self, options: dict[str, Any]) -> None:
        with scratch.scratch_databases() as environment:
            scratch.manage("schema", "--verbosity", "0", "up", environment=environment)
            text = scratch.manage("schema", "show", environment=environment, capture=True)
        if not options["check"]:
            SCHEMA_FILE.write_text(text, encoding="utf-8")
            self.stdout.write(f"wrote {SCHEMA_FILE}")
        elif text != SCHEMA_FILE.read_text(encoding="utf-8"):
            raise CommandError(f"{SCHEMA_FILE} is out of date: run `just migrate-dump-schema`")

    def show(self, options: dict[str, Any]) -> None:
        self.stdout.write(schema(), ending="")

    def _with_embedded_stores(self) -> None:
        """Run the same command again, while the site's embedded stores are running."""
        purpose = "demo" if config.environment == "demo" else "up"
        with running_stores(config, purpose=purpose, usual_ports=False, say=self.stderr.write):
            try:
                scratch.manage(*sys.argv[1:])
            except subprocess.CalledProcessError as error:
                sys.exit(error.returncode)


@contextmanager
def _no_indexer() -> Iterator[None]:
    """Hold the indexer's lease: rows that arrive between a table and its view would silently be missing from the view.

    Raises CommandError when the indexer runs, or when Redis does not answer, so that this is unknown.
    """
    with ExitStack() as stack:
        if config.redis_url:
            try:
                stack.enter_context(Lease(INDEXER).held(wait=LEASE_WAIT))
            except LeaseHeld as error:
                raise CommandError(str(error)) from error
            except RedisError as error:
                raise CommandError(
                    f"Redis does not answer, so the command cannot tell whether the indexer runs: {error}"
                ) from error
        yield


def _before_last(app: str) -> str:
    """The migration before the last applied one of `app`, or `zero`."""
    applied = MigrationRecorder(connections[CLICKHOUSE]).applied_migrations()
    names = sorted(name for its, name in applied if its == app)
    if not names:
        raise CommandError(f"no migration of {app} is applied")
    loader = MigrationLoader(connections[CLICKHOUSE])
    parents = [name for its, name in loader.get_migration(app, names[-1]).dependencies if its == app]
    return parents[0] if parents else "zero"
