"""Migrations of both databases, on databases of their own, as `manage.py schema` runs them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from atsite.core.config import BASE_DIR
from atsite.core.errors import AtsiteError
from atsite.core.kv.lease import Lease
from atsite.management import new_migration, scratch_clickhouse
from atsite.management.schema_text import SCHEMA_FILE
from indexer.index.indexer_lease import NAME as INDEXER

if TYPE_CHECKING:
    from pathlib import Path

    import redis

#: One process does all steps, as each start of Django takes seconds. It tells what it saw after each step.
_BEGIN = r"""
import io, json
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from atsite.core.clickhouse import door
from atsite.management import schema_text

schemas, versions = {}, {}

def schema(*arguments):
    out = io.StringIO()
    call_command("schema", *arguments, verbosity=0, stdout=out)
    return out.getvalue()

schema("up")
schemas["up"], versions["up"] = schema("show"), schema("version")
"""

_A_FEW_BACK = r"""
schema("down", "indexer")
versions["down one"] = schema("version")
schema("down", "indexer", "0004_views")
versions["down to"] = schema("version")
"""

_BACK_AND_FORTH = r"""
for app in ("feeds", "labels", "apikeys", "cleanup", "search", "indexer"):
    schema("down", app, "zero")
schemas["down"], versions["down"] = schema("show"), schema("version")
schema("up")
schemas["up again"] = schema("show")

MigrationRecorder(connections["clickhouse"]).flush()  # as after a migration that failed half-way
schema("up")
schemas["once more"] = schema("show")
"""

_FROM_THE_DUMP = r"""
door.execute("DROP DATABASE atsite", name="tests.drop", database="default")
door.execute("CREATE DATABASE atsite", name="tests.create", database="default")
# Functions are outside of databases: those of before, and of migrations that were undone, would still be there.
FUNCTIONS = "SELECT name FROM system.functions WHERE origin = 'SQLUserDefined' AND name LIKE 'atsite%'"
for name in door.column(FUNCTIONS, name="tests.functions"):
    door.execute(f"DROP FUNCTION {name}", name="tests.drop")
for statement in schemas["up"].partition("-- Relational:")[0].split(";\n"):
    if "CREATE" in statement:
        door.execute(statement, name="tests.statement")
schemas["from the dump"] = schema("show")
"""

_END = r"""
print(json.dumps({"schemas": schemas, "versions": versions}))
"""

Seen = dict[str, dict[str, str]]


def seen_after(steps: str) -> Seen:
    """What `schema show` and `schema version` said after all migrations, and after each of these steps."""
    script = _BEGIN + steps + _END
    with scratch_clickhouse.scratch_databases() as environment:
        printed = scratch_clickhouse.manage(
            "shell", "--verbosity", "0", "-c", script, environment=environment, capture=True
        )
    found: Seen = json.loads(printed)
    return found


@pytest.fixture(scope="module")
def seen() -> Seen:
    return seen_after(_A_FEW_BACK + _FROM_THE_DUMP)


@pytest.fixture(scope="module")
def seen_back_and_forth() -> Seen:
    """For slow tests: to migrate there, back, there and once more takes 20 s."""
    return seen_after(_BACK_AND_FORTH)


@pytest.fixture(scope="module")
def committed() -> str:
    return SCHEMA_FILE.read_text(encoding="utf-8")


def test_the_migrations_make_the_committed_schema(seen: Seen, committed: str) -> None:
    assert seen["schemas"]["up"] == committed, "docs/schema.sql is out of date: run `just migrate-dump-schema`"
    *applied, last = seen["versions"]["up"].splitlines()
    newest = max(path.stem for path in (BASE_DIR / "indexer" / "migrations").glob("[0-9]*.py"))
    assert [line for line in applied if ": indexer." in line] == [
        f"{database}: indexer.{newest}" for database in ("default", "clickhouse")
    ]
    assert last == "nothing is missing"


@pytest.mark.slow
def test_backward_leaves_nothing_and_forward_again_makes_the_same(seen_back_and_forth: Seen, committed: str) -> None:
    schema, version = seen_back_and_forth["schemas"]["down"], seen_back_and_forth["versions"]["down"]
    assert "MergeTree" not in schema
    assert "VIEW" not in schema
    assert [line for line in version.splitlines() if line.startswith("missing: clickhouse: indexer.")] == [
        line.replace("default", "clickhouse")
        for line in version.splitlines()
        if line.startswith("missing: default: indexer.")
    ]
    assert "missing: clickhouse: indexer.0001_functions" in version.splitlines()
    assert seen_back_and_forth["schemas"]["up again"] == committed


def test_down_undoes_the_last_migration_of_an_app_or_goes_back_to_one(seen: Seen) -> None:
    def missing(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("missing: clickhouse")]

    names = sorted(path.stem for path in (BASE_DIR / "indexer" / "migrations").glob("[0-9]*.py"))
    assert missing(seen["versions"]["down one"]) == [f"missing: clickhouse: indexer.{names[-1]}"]
    assert missing(seen["versions"]["down to"]) == [f"missing: clickhouse: indexer.{name}" for name in names[4:]]


@pytest.mark.slow
def test_statements_that_are_run_again_change_nothing(seen_back_and_forth: Seen, committed: str) -> None:
    assert seen_back_and_forth["schemas"]["once more"] == committed


def test_the_clickhouse_part_of_the_dump_makes_the_same_schema(seen: Seen, committed: str) -> None:
    made, dumped = (text.partition("-- Relational:")[0] for text in (seen["schemas"]["from the dump"], committed))
    assert made == dumped


@pytest.mark.slow  # each start of Django and of the stores takes seconds
def test_with_no_server_named_the_embedded_stores_run_for_the_command(tmp_path: Path) -> None:
    environment = scratch_clickhouse.environment_without_stores() | {"DATA_DIR": str(tmp_path)}
    scratch_clickhouse.manage("schema", "--verbosity", "0", "up", environment=environment)
    version = scratch_clickhouse.manage("schema", "version", environment=environment, capture=True)
    assert version.splitlines()[-1] == "nothing is missing"
    assert not (tmp_path / "stores.json").exists()


@pytest.mark.slow  # each start of Django and of the stores takes seconds
def test_a_failure_beside_the_embedded_stores_is_a_failure(tmp_path: Path) -> None:
    environment = scratch_clickhouse.environment_without_stores() | {"DATA_DIR": str(tmp_path)}
    with pytest.raises(subprocess.CalledProcessError):
        scratch_clickhouse.manage("schema", "down", "labels", environment=environment, capture=True)


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_nothing_is_migrated_while_the_indexer_runs(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atsite.management.commands.schema.LEASE_WAIT", 0)
    with Lease(INDEXER).held(wait=0):
        call_command("schema", "up", verbosity=0)  # there is nothing to do
        monkeypatch.setattr("atsite.management.commands.schema.missing_on", lambda alias: ["indexer.0099_more"])
        with pytest.raises(CommandError, match="already runs as indexer on this site"):
            call_command("schema", "up", verbosity=0)


def test_a_new_migration_follows_the_last_and_has_a_file_for_its_sql(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    for earlier in ("0006_first", "0007_before"):
        (tmp_path / "migrations" / f"{earlier}.py").touch()
    module, sql = new_migration.begin("indexer", "add_a_view", folder=tmp_path)
    assert (module.relative_to(tmp_path).as_posix(), sql.relative_to(tmp_path).as_posix()) == (
        "migrations/0008_add_a_view.py",
        "sql/0008_add_a_view.sql",
    )
    assert 'dependencies = [("indexer", "0007_before")]' in module.read_text(encoding="utf-8")
    assert '"0008_add_a_view.sql"' in module.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "9lives", "../up", "Ups", "a-b"])
def test_a_name_that_is_no_modules_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AtsiteError, match="is not a valid migration name"):
        new_migration.begin("indexer", name, folder=tmp_path)
